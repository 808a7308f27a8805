"""A run as a file: one trial a line, what equals its default left away, so that two runs can be compared by eye and by `compare`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

from core.domain.errors import InvalidInput
from evals.running.trial import Trial, of_json

API_VERSION, KIND = "day2.dev/v1alpha1", "EvalResults"
STORED = Path(__file__).with_name("stored.json")
"""The shipped results, which `docs/scoreboard.md` is made of and `day2 eval gate` compares with."""
_DEFAULTS = {field.name: field.default for field in fields(Trial)}


class Later(NamedTuple):
    """A suite that was lived through again after all others: when, and after which commit."""

    suite: str
    date: str
    commit: str


class Repeated(NamedTuple):
    """Trials that were lived through so many times without a cache; `differing` names those that were not the same each time."""

    times: int
    trials: int
    differing: tuple[str, ...]
    date: str
    commit: str


def repeated(rounds: Sequence[Sequence[Trial]], date: str, commit: str) -> Repeated:
    """Compares all of each trial but the seconds of this machine's clock."""
    lives: dict[tuple[str, str], list[object]] = {}
    for trials in rounds:
        for trial in trials:
            lives.setdefault((trial.name, trial.contestant), []).append(trial.same())
    differing = sorted(name for (name, _), found in lives.items() if any(each != found[0] for each in found) or len(found) < len(rounds))
    return Repeated(len(rounds), len(lives), tuple(differing), date, commit)


class Results(NamedTuple):
    """`commit` is the last one before the run; `code` the digest of what the trials depended on. `later` names suites that were run after
    the rest."""

    date: str
    commit: str
    code: str
    trials: tuple[Trial, ...]
    later: tuple[Later, ...] = ()
    repeated: Repeated | None = None

    def renewed(self, suite: str, newer: "Results") -> "Results":
        """With the trials of one suite taken from a newer run, which has no others."""
        kept = tuple(trial for trial in self.trials if trial.suite != suite)
        others = tuple(each for each in self.later if each.suite != suite)
        return self._replace(trials=kept + newer.trials, later=(*others, Later(suite, newer.date, newer.commit)))


def read(file: Path) -> Results:
    """Raises InvalidInput."""
    try:
        document = json.loads(file.expanduser().read_text(encoding="utf-8"))
        if document["kind"] != KIND:
            raise ValueError(f"it is a {document['kind']}")
        meta = document["metadata"]
        later = tuple(Later(*each) for each in meta.get("later", ()))
        again = _repeated(*meta["repeated"]) if meta.get("repeated") else None
        return Results(meta["date"], meta["commit"], meta["code"], tuple(of_json(each) for each in document["items"]), later, again)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"cannot read results of {file}: {error}", mend="make some: day2 eval run --quick -O results.json") from error


def _repeated(times: int, trials: int, differing: Sequence[str], date: str, commit: str) -> Repeated:
    return Repeated(times, trials, tuple(differing), date, commit)


def write(results: Results, file: Path) -> None:
    head = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {**results._asdict(), "trials": len(results.trials)}, "items": []}
    rows = ",\n".join(json.dumps(_short(trial), ensure_ascii=False) for trial in results.trials)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(head, indent=1).replace('"items": []', f'"items": [\n{rows}\n]')
    file.write_text(text + "\n", encoding="utf-8")


def _short(trial: Trial) -> dict[str, Any]:
    return {name: value for name, value in asdict(trial).items() if name not in _DEFAULTS or value != _DEFAULTS[name]}
