"""A finished run as a labelled case: `kind: Case`. Behind `day2 eval capture`; the only place that knows the form.

`case` is what `evals.cases` reads: with a snapshot the case can be looked at again; without one it serves the assessor alone, which needs
nothing but the trajectory. Secrets are out already; people become `person-1`, `person-2`, and the cluster an id that tells nobody which.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from core.assessing import trajectory
from core.assessing.answers import Assessment, Standing
from core.assessing.requirements import BY_NAME
from core.assessing.trajectory import Diagnosis, Step, Trajectory
from core.domain.errors import InvalidInput
from core.domain.target import Target
from core.domain.values import Json, bounded, identifier
from core.domain.verdict import Decision
from core.policy.redaction import redact

FORM = "day2.dev/v1alpha1"
OPERATORS = frozenset({"day2:controller"})
"""Who asks and is nobody."""


class Label(NamedTuple):
    """A person's word on a run. Empty outcome: the assessor's stands, and the case says so."""

    outcome: Literal["", "sound", "flawed"] = ""
    violated: tuple[str, ...] = ()
    note: str = ""


def label(outcome: str, violated: Iterable[str], note: str) -> Label:
    """Raises InvalidInput for words that are none of the table, and for a label that contradicts itself."""
    named = tuple(violated)
    if outcome not in ("", "sound", "flawed"):
        raise InvalidInput(f"{bounded(outcome, 40)!r} is no label", mend="sound or flawed")
    if strange := [name for name in named if name not in BY_NAME]:
        raise InvalidInput(f"{bounded(strange[0], 40)!r} is no requirement", mend=f"one of: {', '.join(BY_NAME)}")
    if bool(named) != (outcome == "flawed"):
        raise InvalidInput("a flawed run violates something, and no other does", mend="--label flawed --violates REQUIREMENT")
    return Label(outcome, named, bounded(redact(note), 400))  # type: ignore[arg-type]


def document(run: Trajectory, assessment: Assessment, said: Label, snapshot: Path | None = None) -> Json:
    """The whole. Raises InvalidInput where the snapshot cannot be read."""
    told = anonymous(run)
    by = "person" if said.outcome else "assessor"
    violated = said.violated if said.outcome else tuple(answer.requirement for answer in assessment.violated)
    outcome = said.outcome or assessment.outcome.value
    blamed = frozenset(step for answer in assessment.violated for step in answer.steps)
    return {
        "apiVersion": FORM,
        "kind": "Case",
        "case": _case(told, outcome, blamed, snapshot),
        "label": {"outcome": outcome, "violated": list(violated), "by": by, "note": said.note},
        "captured": {"run": run.run, "finishedAt": run.finished_at.isoformat(), **_kept(snapshot)},
        "request": told.asked.model_dump(mode="json", exclude={"by"}),
        "verdicts": [_verdict(step) for step in told.steps if step.ruling],
        "assessment": {
            answer.requirement: answer.standing.value for answer in assessment.answers if answer.standing is not Standing.SATISFIED
        },
        "trajectory": json.loads(trajectory.text(told)),
    }


def text(case: Json) -> str:
    return yaml.safe_dump(case, sort_keys=False, allow_unicode=True, width=140)


def read(stored: str) -> tuple[Trajectory, str]:
    """The trajectory of a case and the outcome of its label, as the calibration takes them."""
    found = yaml.safe_load(stored)
    return trajectory.read(json.dumps(found["trajectory"])), str(found["label"]["outcome"])


def _case(run: Trajectory, outcome: str, blamed: frozenset[str], snapshot: Path | None) -> Json:
    known = {finding.id: finding for finding in run.before}
    meant = {cited for step in run.steps for cited in step.findings}
    causes = [finding for finding in run.before if finding.symptom_of not in known and (not meant or finding.id in meant)]
    kinds = sorted({step.kind for step in run.steps if step.ruling and step.ruling.decision is not Decision.DENY})
    wrong = [step for step in run.steps if step.id in blamed or not blamed]
    expect: Json = {
        "causes": [{"target": _place(finding.subject), "codes": [finding.code]} for finding in causes],
        "elsewhere": True,
        "findings": [_finding(finding) for finding in causes],
    }
    if outcome == "sound":
        expect["only_actions"] = kinds
    if outcome == "flawed":
        expect["not_actions"] = [{"code": step.kind, "target": _place(step.target)} for step in wrong]
    about = f"captured of a live run: {'; '.join(finding.title for finding in causes) or 'nothing found'}"
    return {
        "id": _name(run.run),
        "suite": "own",
        "about": bounded(about, 400),
        **({"world": {"snapshot": snapshot.name}} if snapshot else {}),
        "expect": expect,
    }


def _finding(finding: Diagnosis) -> Json:
    return {"code": finding.code, "target": _place(finding.subject)}


def _verdict(step: Step) -> Json:
    decision = step.ruling.decision.value if step.ruling else ""
    return {"kind": step.kind, "target": _place(step.target), "arguments": step.arguments, "verdict": decision, "ended": step.state.value}


def _place(target: Target) -> str:
    return "/".join(part for part in (target.kind, target.namespace, target.name) if part)


def _name(run_id: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in run_id.lower()).strip("-")[:80] or "run"


def _kept(snapshot: Path | None) -> Json:
    if snapshot is None:
        return {}
    try:
        return {"snapshot": {"file": snapshot.name, "sha256": sha256(snapshot.read_bytes()).hexdigest()}}
    except OSError as error:
        raise InvalidInput(f"cannot read {snapshot}: {error.strerror}", mend="day2 snapshot save FILE -A") from error


def anonymous(run: Trajectory) -> Trajectory:
    """The same run with people and cluster under other names, the same ones everywhere."""
    people = [run.asked.by, *(step.submitted_by for step in run.steps), *(consent.by for step in run.steps for consent in step.consents)]
    known = dict.fromkeys(person for person in people if person and person not in OPERATORS)
    names = {person: f"person-{number}" for number, person in enumerate(known, 1)}
    if run.cluster:
        names[run.cluster] = identifier("cluster", run.cluster)
    longest_first = sorted(names, key=len, reverse=True)
    found: Trajectory = trajectory.read(json.dumps(_renamed(json.loads(trajectory.text(run)), longest_first, names)))
    return found


def _renamed(value: Any, order: list[str], names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name in order:
            value = value.replace(name, names[name])
        return value
    if isinstance(value, list):
        return [_renamed(item, order, names) for item in value]
    if isinstance(value, dict):
        return {key: _renamed(item, order, names) for key, item in value.items()}
    return value
