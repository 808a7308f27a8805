"""The command line `day2`: every command is one call of a service in `runtime.services`.

Belongs here: words, flags, exit codes. Never here: a decision, or a heavy import outside a command, because help must be quick.
"""

import sys


def main() -> None:
    """The console script."""
    from interfaces.cli.launching import launch

    sys.exit(launch(sys.argv[1:]))
