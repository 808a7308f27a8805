#!/bin/sh
# Finds a Python that can run day2ops and hands over to it: `sh toolchain/python.sh SCRIPT [ARGUMENT ...]`.
# $PYTHON names one to use; otherwise the first good one on the PATH. Exit 2: there is none, with the mend.

good='import sys; sys.exit(sys.version_info < (3, 11))'
named='import sys; print("%d.%d.%d" % sys.version_info[:3])'

for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c "$good" >/dev/null 2>&1; then
        exec "$candidate" "$@"
    fi
    [ -n "$seen" ] || seen=$("$candidate" -c "$named" 2>/dev/null) && seen_as=${seen_as:-$candidate}
    [ -z "$PYTHON" ] || break
done

if [ -n "$seen" ]; then
    found="$seen_as is $seen"
elif [ -n "$PYTHON" ]; then
    found="$PYTHON does not run"
else
    found="there is no python3 here"
fi
if [ "$(uname -s 2>/dev/null)" = Darwin ]; then
    mend="brew install python"
elif command -v apt-get >/dev/null 2>&1; then
    mend="sudo apt-get install python3.11 (or newer)"
elif command -v dnf >/dev/null 2>&1; then
    mend="sudo dnf install python3.12"
elif command -v apk >/dev/null 2>&1; then
    mend="apk add python3"
else
    mend="install Python 3.11 or newer"
fi
echo "day2ops needs Python 3.11 or newer; $found. Mend: $mend, then: make PYTHON=/path/to/python3" >&2
exit 2
