"""Global flags: accepted before or after the subcommand. `hoisted` takes them out of the words; `Flags` is what commands read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VALUED = {
    "-n": "namespace", "--namespace": "namespace", "-o": "output", "--output": "output", "--context": "context",
    "--kubeconfig": "kubeconfig", "--color": "color", "--timeout": "timeout", "--data-dir": "data_dir", "--prometheus": "prometheus",
    "--objectives": "objectives",
}  # fmt: skip
SWITCHES = {
    "-A": "all_namespaces", "--all-namespaces": "all_namespaces", "-q": "quiet", "--quiet": "quiet", "-v": "verbose",
    "--verbose": "verbose", "-vv": "verbose2", "--no-input": "no_input", "-y": "yes", "--yes": "yes", "--plain": "plain",
}  # fmt: skip
COLORS = ("auto", "always", "never")


@dataclass(frozen=True)
class Flags:
    """What holds for every command. `timeout` in seconds."""

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

    def settings(self) -> dict[str, Any]:
        """As dotted settings keys; None where the flag was not given."""
        return {
            "kubernetes.kubeconfig": self.kubeconfig,
            "kubernetes.context": self.context or None,
            "prometheus.url": self.prometheus or None,
            "store.data_dir": self.data_dir,
            "policy.objectives": self.objectives,
        }

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Empty: all that the identity may read."""
        return () if self.all_namespaces or not self.namespace else tuple(name for name in self.namespace.split(",") if name)


class UsageMistake(Exception):
    """The command line itself is wrong."""


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
            values[taken[0]] = taken[1]
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
    if len(word) > 2 and word[:2] in ("-n", "-o") and word[1] != "-":
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
    for key in ("kubeconfig", "data_dir", "objectives"):
        if key in values:
            values[key] = Path(values[key]).expanduser()
    if "timeout" in values:
        values["timeout"] = seconds(values["timeout"])
    if values.get("color", "auto") not in COLORS:
        raise UsageMistake("--color takes auto, always or never")
    return Flags(verbose=verbose, **values)
