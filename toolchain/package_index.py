"""Where packages come from: the user's own pip and uv configuration, and nothing else. No address is written in this repository.

uv does not read pip's configuration, so this says in uv's variables what the user said to pip. What the user said to uv wins.
"""

import configparser
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

# Settings of another installation that would break ours: where to install, what else to obey.
FOREIGN_PIP = {
    f"PIP_{name}" for name in ("TARGET", "PREFIX", "ROOT", "USER", "CONSTRAINT", "REQUIREMENT", "REQUIRE_VIRTUALENV", "EDITABLE")
}
FOREIGN_UV = {
    f"UV_{name}" for name in ("BREAK_SYSTEM_PACKAGES", "BUILD_CONSTRAINT", "CONSTRAINT", "EXCLUDE", "NO_BINARY", "NO_BUILD", "OVERRIDE")
}
FOREIGN_UV |= {f"UV_{name}" for name in ("PROJECT", "PROJECT_ENVIRONMENT", "REQUIRE_HASHES", "SYSTEM_PYTHON", "WORKING_DIRECTORY")}
FOREIGN_UV |= {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}
# pip's setting → uv's variable, where the value is the same.
SAME = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
OLDER_NAMES = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def for_uv(environ: Mapping[str, str], root: Path, configuration: Iterable[Path] | None = None) -> dict[str, str]:
    """The environment for uv: the user's, pip's settings in uv's words, and no Python other than the one we were started with."""
    spoken = {name: value for name, value in environ.items() if name not in FOREIGN_UV}
    said = pip_settings(environ, pip_files(environ) if configuration is None else configuration)
    for name, value in translated(said):
        if not spoken.get(OLDER_NAMES.get(name, name)):
            spoken.setdefault(name, value)
    if not any(spoken.get(name) for name in ("HOME", "XDG_CACHE_HOME", "UV_CACHE_DIR")):
        spoken["UV_CACHE_DIR"] = str(root / ".cache" / "uv-cache")
    return spoken | {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def for_pip(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for the one thing that pip installs: the user's index settings, without those that redirect an installation."""
    kept = {name: value for name, value in environ.items() if name not in FOREIGN_PIP}
    return kept | {
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """pip's configuration files in pip's own order, later ones winning; PIP_CONFIG_FILE set to the null device means none."""
    if environ.get("PIP_CONFIG_FILE") == os.devnull:
        return
    home = Path(environ.get("HOME") or Path.home())
    yield from (Path(folder) / "pip" / "pip.conf" for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"))
    yield Path("/etc/pip.conf")
    yield Path("/Library/Application Support/pip/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield home / "Library" / "Application Support" / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if environ.get("PIP_CONFIG_FILE"):
        yield Path(environ["PIP_CONFIG_FILE"])


def pip_settings(environ: Mapping[str, str], configuration: Iterable[Path]) -> dict[str, str]:
    """What pip would be told for `pip install`: `[global]`, then `[install]`, then `PIP_*`, keys as `index-url`."""
    said: dict[str, str] = {}
    parser = configparser.RawConfigParser()
    try:
        parser.read([str(path) for path in configuration], encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as unreadable:
        print(f"pip's configuration is not readable, going on without it: {unreadable}", file=sys.stderr)
    for section in ("global", "install"):
        if parser.has_section(section):
            said |= {key.replace("_", "-").lstrip("-"): value.strip() for key, value in parser.items(section)}
    said |= {name[4:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("PIP_") and value}
    return said


def translated(said: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """pip's settings as uv's variables."""
    yield from ((variable, said[key]) for key, variable in SAME.items() if said.get(key))
    if said.get("extra-index-url"):
        yield "UV_INDEX", " ".join(said["extra-index-url"].split())
        # pip takes the file from any of its indexes; each is checked against the lock's hash, so uv may too.
        yield "UV_INDEX_STRATEGY", "unsafe-best-match"
    if links := [link for link in said.get("find-links", "").split() if "://" in link or Path(link).expanduser().exists()]:
        yield "UV_FIND_LINKS", ",".join(links)
    if said.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        yield "UV_NO_INDEX", "1"
    if said.get("trusted-host"):
        yield "UV_INSECURE_HOST", " ".join(said["trusted-host"].split())
    if said.get("proxy"):
        yield from (("HTTPS_PROXY", said["proxy"]), ("HTTP_PROXY", said["proxy"]))
