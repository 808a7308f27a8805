"""Global flags: accepted before or after the subcommand. `hoisted` takes them out of the words; `Flags` is what commands read.

Some of them mean something to some commands only (`Flags.scoped`): those declare an option of that name and get the value as its default; a
command that declares none refuses the flag, because a filter that is silently ignored is worse than none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VALUED = {
    "-n": "namespace", "--namespace": "namespace", "-o": "output", "--output": "output", "--context": "context",
    "--kubeconfig": "kubeconfig", "--color": "color", "--timeout": "timeout", "--data-dir": "data_dir", "--prometheus": "prometheus",
    "--objectives": "objectives", "-l": "selector", "--selector": "selector", "--as": "as_user", "--as-group": "as_groups",
    "--server": "server", "--request-timeout": "request_timeout", "--profile": "profile", "--since": "since", "--dry-run": "dry_run",
}  # fmt: skip
SWITCHES = {
    "-A": "all_namespaces", "--all-namespaces": "all_namespaces", "-q": "quiet", "--quiet": "quiet", "-v": "verbose",
    "--verbose": "verbose", "-vv": "verbose2", "--no-input": "no_input", "-y": "yes", "--yes": "yes", "--plain": "plain",
    "-w": "watch", "--watch": "watch", "--wait": "wait", "--no-wait": "no_wait",
}  # fmt: skip
REPEATED = frozenset({"as_groups"})
NEVER_EMPTY = {
    "as_user": "an empty identity would be ours", "as_groups": "an empty identity would be ours", "profile": "it names a profile",
    "server": "it names an address", "selector": "an unset variable must not mean everything",
}  # fmt: skip
DRY_RUNS = ("none", "client", "server")
SCOPED = ("selector", "since", "watch", "wait", "dry_run")
COLORS = ("auto", "always", "never")


@dataclass(frozen=True)
class Flags:
    """What holds for every command. `timeout` and `request_timeout` in seconds; `wait` is None where neither word was given."""

    namespace: str = ""
    all_namespaces: bool = False
    output: str = "table"
    context: str = ""
    kubeconfig: Path | None = None
    color: str = "auto"
    timeout: float | None = None
    data_dir: Path | None = None
    prometheus: str = ""
    objectives: Path | None = None
    quiet: bool = False
    verbose: int = 0
    no_input: bool = False
    yes: bool = False
    plain: bool = False
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    server: str = ""
    request_timeout: float | None = None
    profile: str = ""
    selector: str = ""
    since: str = ""
    watch: bool = False
    wait: bool | None = None
    dry_run: str = "none"

    def scoped(self) -> dict[str, Any]:
        """Those of the flags that not every command takes, where they were given."""
        empty = Flags()
        return {name: getattr(self, name) for name in SCOPED if getattr(self, name) != getattr(empty, name)}

    def settings(self) -> dict[str, Any]:
        """As dotted settings keys; None where the flag was not given."""
        return {
            "kubernetes.kubeconfig": self.kubeconfig,
            "kubernetes.context": self.context or None,
            "kubernetes.server": self.server or None,
            "kubernetes.as_user": self.as_user or None,
            "kubernetes.as_groups": self.as_groups or None,
            "kubernetes.request_seconds": self.request_timeout,
            "profile": self.profile or None,
            "prometheus.url": self.prometheus or None,
            "store.data_dir": self.data_dir,
            "policy.objectives": self.objectives,
        }

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Empty: all that the identity may read."""
        return () if self.all_namespaces or not self.namespace else tuple(name for name in self.namespace.split(",") if name)


class UsageMistake(Exception):
    """The command line itself is wrong. Without a `mend` the command's help is recommended."""

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.mend = mend


def hoisted(arguments: Sequence[str]) -> tuple[Flags, list[str]]:
    """The global flags wherever they stand, and the other words in their order. `--` ends the search. Raises UsageMistake."""
    values: dict[str, Any] = {}
    rest: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--":
            rest += [word, *words]
            break
        taken = _valued(word, words)
        if taken:
            name, value = taken
            if name in NEVER_EMPTY and not value.strip():
                raise UsageMistake(f"{word.partition('=')[0]} needs a value: {NEVER_EMPTY[name]}")
            values[name] = (*values.get(name, ()), value) if name in REPEATED else value
        elif word in SWITCHES:
            name = SWITCHES[word]
            values[name] = values.get(name, 0) + 1 if name == "verbose" else True
        else:
            rest.append(word)
    return _flags(values), rest


def _valued(word: str, following: list[str]) -> tuple[str, str] | None:
    """Field and value when this word is a flag with a value; takes the value from `following` where it stands apart."""
    name, equals, inline = word.partition("=")
    if name in VALUED and word.startswith("-"):
        if not equals and not following:
            raise UsageMistake(f"{name} needs a value")
        return VALUED[name], inline if equals else following.pop(0)
    if len(word) > 2 and word[:2] in ("-n", "-o", "-l") and word[1] != "-":
        return VALUED[word[:2]], word[2:]
    return None


def seconds(text: str) -> float:
    """`90`, `90s`, `15m`, `2h` or `3d` as seconds. Raises UsageMistake."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    try:
        value = float(number) * unit
    except ValueError:
        raise UsageMistake(f"{text!r} is no time: write 90s, 15m or 2h") from None
    if not 0 <= value < 10**9:
        raise UsageMistake(f"{text!r} is out of range")
    return value


def _flags(values: dict[str, Any]) -> Flags:
    verbose = 2 if values.pop("verbose2", False) else int(values.pop("verbose", 0))
    _convert(values)
    _check(values)
    return Flags(verbose=verbose, **values)


def _convert(values: dict[str, Any]) -> None:
    """Texts to what they mean."""
    for key in ("kubeconfig", "data_dir", "objectives"):
        if key in values:
            values[key] = Path(values[key]).expanduser()
    for key in ("timeout", "request_timeout"):
        if key in values:
            values[key] = seconds(values[key])
    if values.pop("no_wait", False):
        if values.get("wait"):
            raise UsageMistake("--wait and --no-wait exclude each other")
        values["wait"] = False


def _check(values: dict[str, Any]) -> None:
    if "since" in values:
        seconds(values["since"])
    if values.get("dry_run", "none") not in DRY_RUNS:
        raise UsageMistake(f"--dry-run takes {', '.join(DRY_RUNS[:-1])} or {DRY_RUNS[-1]}")
    if values.get("as_groups") and not values.get("as_user"):
        raise UsageMistake("--as-group needs --as: groups are read as only beside a user")
    if values.get("color", "auto") not in COLORS:
        raise UsageMistake("--color takes auto, always or never")
