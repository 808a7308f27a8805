"""What a command does, and what the started program answers to a probe: from the pod's spec alone.

Images hold /bin, /usr/bin, /usr/local/bin and /app, and the tools below by their bare names; nothing else. A program listens on the ports
that its container declares, and answers the usual paths of health.
"""

import re
from typing import NamedTuple

from simulator.controllers.cluster import Json

_FOLDERS = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/app/")
_TOOLS = frozenset(
    ("sh", "bash", "sleep", "true", "false", "cat", "echo", "env", "test", "nc", "curl", "wget", "python", "python3", "node", "java")
)
_SHELLS = ("sh", "bash")
_EXIT, _SLEEP = re.compile(r"\bexit\s+(\d{1,3})\b"), re.compile(r"\bsleep\s+(infinity|\d{1,6})\b")
PATHS = frozenset(("/", "/ready", "/readyz", "/live", "/livez", "/health", "/healthz", "/metrics", "/startup", "/started"))
FOR_EVER = 10**9


class Course(NamedTuple):
    """How a command goes: it cannot start, or it ends after some seconds with a code. `takes_over`: the image's own program runs."""

    error: str = ""
    seconds: int = 0
    code: int = 0
    takes_over: bool = False


OWN = Course(takes_over=True)


def course(command: list[str]) -> Course:
    """Of a container's `command` and `args`; without a command the image's own entry point decides."""
    if not command:
        return OWN
    name = command[0].rpartition("/")[2]
    if "/" in command[0] and not command[0].startswith(_FOLDERS):
        return Course(error=f'exec: "{command[0]}": stat {command[0]}: no such file or directory: unknown')
    if "/" not in command[0] and name not in _TOOLS:
        return Course(error=f'exec: "{command[0]}": executable file not found in $PATH: unknown')
    if name in _SHELLS:
        return _script(" ".join(command[1:]))
    if name == "sleep":
        return _script(" ".join([name, *command[1:]]))
    return {"true": Course(), "false": Course(code=1)}.get(name, OWN)


def _script(text: str) -> Course:
    slept, ended = _SLEEP.search(text), _EXIT.search(text)
    seconds = 0 if slept is None else FOR_EVER if slept[1] == "infinity" else int(slept[1])
    if slept is None and ended is None:
        return OWN
    return Course(seconds=seconds, code=int(ended[1]) if ended else 0)


def complaint(probe: Json, container: Json) -> str:
    """What a kubelet says of a probe that fails by its own spec; empty for one that the program passes."""
    asked = probe.get("httpGet") or probe.get("tcpSocket")
    if asked is None:
        course_of = course((probe.get("exec") or {}).get("command") or [])
        return "" if course_of.takes_over or (not course_of.error and not course_of.code) else "command failed"
    ports = {each.get("name"): each["containerPort"] for each in container.get("ports") or ()}
    port = asked.get("port")
    if isinstance(port, str) and not port.isdigit():
        if port not in ports:
            return f'couldn\'t find port: strconv.Atoi: parsing "{port}": invalid syntax'
        port = ports[port]
    if ports and int(port) not in ports.values():
        what = f'Get "http://10.64.0.9:{port}{asked.get("path", "/")}": ' if "httpGet" in probe else ""
        return f"{what}dial tcp 10.64.0.9:{port}: connect: connection refused"
    path = str(asked.get("path") or "/").partition("?")[0]
    return "HTTP probe failed with statuscode: 404" if "httpGet" in probe and path not in PATHS else ""


def gives_up_after(probe: Json) -> int:
    """Seconds from the start of a container until this many failures in a row kill it."""
    return int(probe.get("initialDelaySeconds") or 0) + int(probe.get("periodSeconds") or 10) * int(probe.get("failureThreshold") or 3)
