"""What an experiment says in the end: pass, fail or inconclusive, with how much of it was seen at all.

Source of the weights: krkn's resiliency score (critical 3, warning 1). Unlike there, a look without data counts as lost: missing data never
raises a score.
"""

from typing import Any, Literal, TypedDict

from agents.reliability.experiments.probing import Tallies, Tally, nothing
from core.policy.experiments import Experiment, Probe

WEIGHTS = {"critical": 3, "warning": 1}
LEAST_COVERAGE = 80
"""Percent of the looks at each critical probe that must have had data."""
FEWEST_LOOKS = 3

Word = Literal["pass", "fail", "inconclusive"]


class Course(TypedDict):
    """How it went, as the flow remembers it. `ended` is why the watch ended early, empty where the time was over.

    `leftovers` are actions that were not taken back.
    """

    refused: list[str]
    unsteady: list[str]
    injected: bool
    ended: str
    recovered: bool | None
    leftovers: list[str]
    tallies: Tallies


class Verdict(TypedDict):
    """`score` is 0 to 100, `coverage` the percent of all looks that had data."""

    word: Word
    reasons: list[str]
    score: int
    coverage: int


def verdict(experiment: Experiment, course: Course) -> Verdict:
    failed, unclear, tallies = _failures(experiment, course), _doubts(experiment, course), course["tallies"]
    word: Word = "fail" if failed else "inconclusive" if unclear else "pass"
    reasons = failed or unclear or ["the hypothesis held while the fault stood, and after it"]
    return Verdict(word=word, reasons=reasons, score=_score(experiment, tallies), coverage=_coverage(experiment, tallies))


def _failures(experiment: Experiment, course: Course) -> list[str]:
    found = []
    if course["injected"]:
        critical = [(probe.name, _of(course, probe)) for probe in experiment.hypothesis if probe.severity == "critical"]
        fallen = [(name, tally) for name, tally in critical if _fell(experiment, tally)]
        found = [f"{name} failed {tally['longest']} looks in a row ({tally['worst']})" for name, tally in fallen]
        if course["recovered"] is False:
            found.append(f"the hypothesis did not hold again within {experiment.recovery} s after the fault was taken back")
    return found + [f"a fault was not taken back: {name}" for name in course["leftovers"]]


def _fell(experiment: Experiment, tally: Tally) -> bool:
    return tally["longest"] >= experiment.abort.failures


def _doubts(experiment: Experiment, course: Course) -> list[str]:
    found = [*course["refused"], *(f"it did not hold before the fault: {words}" for words in course["unsteady"])]
    if not course["injected"]:
        return [*found, *([course["ended"]] if course["ended"] else [])] or ["no fault was made"]
    if course["ended"]:
        found.append(f"it ended early: {course['ended']}")
    for probe in experiment.hypothesis:
        tally = _of(course, probe)
        looks = tally["passed"] + tally["failed"] + tally["missing"]
        seen = 100 * (looks - tally["missing"]) // looks if looks else 0
        if probe.severity == "critical" and (seen < LEAST_COVERAGE or looks - tally["missing"] < FEWEST_LOOKS):
            found.append(f"{probe.name} had data at {looks - tally['missing']} of {looks} looks")
    if course["recovered"] is None:
        found.append("nobody saw whether the hypothesis holds again")
    return found


def _of(course: Course, probe: Probe) -> Tally:
    return course["tallies"].get(probe.name) or nothing()


def _score(experiment: Experiment, tallies: Tallies) -> int:
    rows = [(WEIGHTS[probe.severity], tallies.get(probe.name) or nothing()) for probe in experiment.hypothesis]
    most = sum(weight * _looks(tally) for weight, tally in rows)
    return 100 * sum(weight * tally["passed"] for weight, tally in rows) // most if most else 0


def _coverage(experiment: Experiment, tallies: Tallies) -> int:
    rows: list[Any] = [tallies.get(probe.name) or nothing() for probe in experiment.hypothesis]
    looks = sum(map(_looks, rows))
    return 100 * (looks - sum(tally["missing"] for tally in rows)) // looks if looks else 0


def _looks(tally: Tally) -> int:
    return tally["passed"] + tally["failed"] + tally["missing"]
