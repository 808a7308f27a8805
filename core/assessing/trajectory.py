"""A whole run as one frozen value: what was asked, seen, concluded, proposed, decided, written, looked at afterwards, and reported.

Made by `core.assessing.reading` out of what the product stores; its JSON is stable, so that a trajectory can be kept, shown and labelled.
It holds no permit, no token and no object of the cluster, and all text of others was redacted on its way in.
"""

from typing import Any, Literal

from pydantic import Field, TypeAdapter

from core.domain.action import Change, Risk
from core.domain.check import Expectation, Look
from core.domain.evidence import Evidence
from core.domain.finding import Severity
from core.domain.outcome import ActionState
from core.domain.target import Target
from core.domain.values import Json, Moment, Value, canonical
from core.domain.verdict import Decision

OURS = "day2.dev"
"""The group of what is no object of the cluster: an agent that did not answer is a finding too."""
Says = Literal["mended", "taken_back", "not_done", "open", "a_person_must_look"]


class Asked(Value):
    """The request. Empty namespaces mean all."""

    trigger: str
    by: str
    text: str = Field(default="", max_length=4000)
    namespaces: tuple[str, ...] = ()
    act: bool = False
    writes: int = 0
    at: Moment


class Diagnosis(Value):
    """A finding; `evidence` are ids of the trajectory's evidence."""

    id: str
    code: str
    agent: str
    severity: Severity
    subject: Target
    title: str
    symptom_of: str = ""
    evidence: tuple[str, ...] = ()


class Ruling(Value):
    """The judge's last verdict. `facts` are those that say something; `against` are rules that asked for a person, `denied` that denied."""

    at: Moment
    action_digest: str
    decision: Decision
    against: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    facts: dict[str, Any] = Field(default_factory=dict)


class Consent(Value):
    """What one person decided."""

    by: str
    decision: Literal["approved", "denied"]
    action_digest: str
    at: Moment
    expires_at: Moment


class Move(Value):
    """One record of the audit chains about an action: `executor/12`."""

    id: str
    role: str
    event: str
    left: str = ""
    at: Moment


class Step(Value):
    """One action with all that came of it. `undo_kept` says that its way back was written down; `findings` and `evidence` are ids."""

    id: str
    kind: str
    arguments: Json
    target: Target
    sentence: str
    risk: Risk
    reversible: bool
    experiment: bool = False
    agent: str
    objective: str = ""
    why: str
    expected: str
    findings: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    digest: str
    submitted_by: str
    submitted_at: Moment
    state: ActionState
    ruling: Ruling | None = None
    consents: tuple[Consent, ...] = ()
    moves: tuple[Move, ...] = ()
    undo_kept: bool = False
    expectations: tuple[Expectation, ...] = ()
    settle_seconds: int = 0
    looks: tuple[Look, ...] = ()
    note: str = ""

    def first(self, event: str) -> Move | None:
        return next((move for move in self.moves if move.event == event), None)

    @property
    def wrote(self) -> bool:
        """Whether a write may have gone out."""
        return self.first(ActionState.SENDING.value) is not None


class Claim(Value):
    """What the run says of one of its actions, to people: one word, its sentence, and the ids that it rests on."""

    about: str
    says: Says
    words: str
    cites: tuple[str, ...] = ()


class After(Value):
    """A later look at the same cluster by the same checks, made when all actions had ended."""

    at: Moment
    findings: tuple[Diagnosis, ...] = ()


class Trajectory(Value):
    """`before` are the findings of the run, worst first, as it told them; `after` is None where nobody looked again."""

    form: Literal[1] = 1
    run: str
    cluster: str
    asked: Asked
    evidence: tuple[Evidence, ...] = ()
    before: tuple[Diagnosis, ...] = ()
    held: tuple[str, ...] = ()
    not_run: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    report: tuple[Claim, ...] = ()
    finished_at: Moment
    after: After | None = None

    def observation(self, evidence_id: str) -> Evidence | None:
        return next((item for item in self.evidence if item.id == evidence_id), None)

    def finding(self, finding_id: str) -> Diagnosis | None:
        return next((item for item in self.before if item.id == finding_id), None)

    def age_seconds(self, evidence: Evidence, step: Step) -> int:
        """How old an observation was when the action that rests on it was last judged."""
        return int(((step.ruling.at if step.ruling else step.submitted_at) - evidence.at).total_seconds())

    def ids(self) -> frozenset[str]:
        """All that an assessment may cite."""
        moves = (move.id for step in self.steps for move in step.moves)
        later = (finding.id for finding in (self.after.findings if self.after else ()))
        steps = (step.id for step in self.steps)
        return frozenset((*(item.id for item in self.evidence), *(finding.id for finding in self.before), *moves, *later, *steps))


def text(trajectory: Trajectory) -> str:
    """Canonical JSON without what is empty."""
    return canonical(trajectory.model_dump(mode="json", exclude_defaults=True)).decode()


_JSON: TypeAdapter[Trajectory] = TypeAdapter(Trajectory)


def read(stored: str) -> Trajectory:
    """Raises pydantic's ValidationError for another form."""
    return _JSON.validate_json(stored)
