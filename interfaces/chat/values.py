"""What is heard and what is said, as values that know no chat product. Texts are plain: each renderer escapes them for its own."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from core.domain.chats import Place


class Message(NamedTuple):
    """`user` is the product's id of who speaks; `event` is the same however often the product delivers it."""

    place: Place
    user: str
    text: str
    event: str


class Verb(StrEnum):
    """What a button asks for. Beside it a button carries the id of its action, and nothing else."""

    APPROVE = "approve"
    DENY = "deny"
    WHY = "why"
    EDIT = "edit"
    SNOOZE = "snooze"
    SILENCE = "silence"
    PATCH = "patch"
    STOP = "stop"
    RESUME = "resume"
    START = "start"


class Press(NamedTuple):
    """A button. `trigger` opens a dialog where the product needs one for that; `message` is the message that it stood on."""

    place: Place
    user: str
    verb: Verb
    subject: str
    event: str
    trigger: str = ""
    message: str = ""


class Filled(NamedTuple):
    """A dialog that was sent."""

    place: Place
    user: str
    verb: Verb
    subject: str
    event: str
    fields: dict[str, str]


class Phase(StrEnum):
    """Where an action stands, in words for people."""

    PENDING = "pending"
    PARTLY = "partly approved"
    APPROVED = "approved"
    EXECUTING = "executing"
    VERIFYING = "verifying"
    ROLLING_BACK = "rolling back"
    FROZEN = "frozen: emergency stop"
    STALE = "stale: object changed, judged again"
    VERIFIED = "verified"
    ROLLED_BACK = "rolled back"
    INCOMPLETE = "rollback incomplete"
    DENIED = "denied"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDS = frozenset(
    {
        Phase.VERIFIED,
        Phase.ROLLED_BACK,
        Phase.INCOMPLETE,
        Phase.DENIED,
        Phase.EXPIRED,
        Phase.SUPERSEDED,
        Phase.CANCELLED,
        Phase.FAILED,
    }
)
GLYPHS = {
    Phase.PENDING: "?",
    Phase.PARTLY: "?",
    Phase.FROZEN: "!",
    Phase.STALE: "!",
    Phase.VERIFIED: "✓",
    Phase.APPROVED: "✓",
    Phase.ROLLED_BACK: "↩",
    Phase.INCOMPLETE: "‼",
    Phase.DENIED: "✗",
    Phase.FAILED: "✗",
    Phase.EXPIRED: "–",
    Phase.SUPERSEDED: "–",
    Phase.CANCELLED: "–",
}
"""Never colour alone."""


class Change(NamedTuple):
    path: str
    old: str
    new: str


class Row(NamedTuple):
    """One line with a name before it."""

    name: str
    text: str


@dataclass(frozen=True)
class Picture:
    """A PNG. `alt` states the conclusion."""

    name: str
    alt: str
    png: bytes = field(repr=False)


@dataclass(frozen=True)
class Card:
    """One action. The numbers are the fields of the specification in their order; a renderer shows all but the last without a click."""

    action: str
    phase: Phase
    summary: str  # 1: the whole decision in one line, for lock screens
    title: str  # 2: verb and object
    cluster: str
    risk: str
    asked_by: str  # 3
    run: str
    changes: tuple[Change, ...]  # 4
    more_changes: int
    why: str  # 5
    evidence: tuple[str, ...]
    blast: str  # 6
    verdict: str  # 7
    reasons: tuple[str, ...]
    undo: str  # 8
    confidence: str  # 9
    approval: str  # 10
    decided: tuple[str, ...]
    expires_at: datetime
    start_until: datetime | None
    details: tuple[str, ...]  # 11
    outcome: str
    url: str
    buttons: tuple[Verb, ...]
    review_only: bool  # the decision is made in the console alone

    @property
    def over(self) -> bool:
        return self.phase in ENDS


class Found(NamedTuple):
    """One finding of an answer."""

    severity: str
    title: str
    object: str
    matters: str
    evidence: tuple[str, ...]
    id: str
    quoted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a run answered. `stage` tells how far it is; `coverage` which checks ran, which did not and why."""

    run: str
    title: str
    stage: str
    asked: tuple[str, ...] = ()
    findings: tuple[Found, ...] = ()
    more: int = 0
    proposals: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    coverage: str = ""
    cost: str = ""
    tries: tuple[str, ...] = ()
    url: str = ""
    over: bool = False


@dataclass(frozen=True)
class Notice:
    """Everything else: an answer in lines. `tries` are commands that may help next; `verb` offers one button about `subject`.

    `code` is shown as it stands, line by line.
    """

    title: str
    lines: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    tries: tuple[str, ...] = ()
    url: str = ""
    verb: Verb | None = None
    subject: str = ""
    failed: bool = False
    code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inbox:
    """Several open approvals in one message."""

    title: str
    rows: tuple[Row, ...]
    more: int
    url: str


@dataclass(frozen=True)
class Field:
    """One input of a dialog. With `choices` one of them is picked."""

    name: str
    label: str
    hint: str = ""
    choices: tuple[str, ...] = ()
    optional: bool = False
    value: str = ""


@dataclass(frozen=True)
class Dialog:
    """A question before something is done. It names the object and the cluster."""

    verb: Verb
    subject: str
    title: str
    text: str
    confirm: str
    fields: tuple[Field, ...]
    place: Place


Said = Card | Answer | Notice | Inbox
