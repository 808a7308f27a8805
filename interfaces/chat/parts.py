"""What is said as named parts in their order: every product shows the same ones, in its own form. Texts are plain still."""

from typing import NamedTuple

from interfaces.chat.values import GLYPHS, Answer, Card, Inbox, Notice, Phase, Said, Verb

LABELS = {
    Verb.APPROVE: "Approve",
    Verb.DENY: "Deny",
    Verb.WHY: "Ask why",
    Verb.EDIT: "Edit…",
    Verb.SNOOZE: "Snooze 1h",
    Verb.SILENCE: "Silence finding…",
    Verb.PATCH: "Change it in its repository",
    Verb.STOP: "Stop writes",
    Verb.RESUME: "Resume…",
    Verb.START: "Start the run",
}
REVIEW, OPEN = "Review in console", "Open in console"


class Part(NamedTuple):
    """`fixed` lines are code: a path, a value, a diff."""

    name: str
    lines: tuple[str, ...]
    fixed: bool = False


class Shape(NamedTuple):
    """`fallback` is the whole in one line. `buttons` are about `subject`; `link` leads to the console."""

    fallback: str
    title: str
    badge: str
    parts: tuple[Part, ...]
    buttons: tuple[Verb, ...]
    subject: str
    link: str
    link_text: str
    commands: tuple[str, ...] = ()


def shape(said: Said) -> Shape:
    if isinstance(said, Card):
        return _card(said)
    if isinstance(said, Answer):
        return _answer(said)
    if isinstance(said, Inbox):
        rows = tuple(Part(row.name, (row.text,)) for row in said.rows)
        more = (Part("more", (f"{said.more} more in the console",)),) if said.more else ()
        return Shape(said.title, said.title, "", (*rows, *more), (), "", said.url, "Review all in console")
    return _notice(said)


def state(phase: Phase) -> str:
    """A glyph and a word, never colour alone."""
    return f"{GLYPHS.get(phase, '…')} {phase.value}"


def _card(said: Card) -> Shape:
    """The eleven fields, in their order; the last one behind a click where the product has one."""
    changes = tuple(f"{row.path}: {row.old} → {row.new}" for row in said.changes)
    more = (f"+ {said.more_changes} more in the console",) if said.more_changes else ()
    until = f"decide by {said.expires_at:%Y-%m-%d %H:%MZ}"
    start = (f"starts by {said.start_until:%Y-%m-%d %H:%MZ}, or is judged again",) if said.start_until and not said.over else ()
    parts = (
        Part("State", tuple(line for line in (state(said.phase), said.outcome) if line)),
        Part("Asked by", (f"{said.asked_by}, {said.run}",)),
        Part("Change", (*(changes or ("no field is known before it is judged",)), *more), fixed=True),
        Part("Why", (said.why, *said.evidence)),
        Part("Effect", (said.blast,)),
        Part("Verdict", (said.verdict, *said.reasons)),
        Part("Undo", (said.undo,)),
        Part("Confidence", (said.confidence,)),
        Part("Approval", (said.approval, *said.decided, *(() if said.over else (until,)), *start)),
    )
    link_text = REVIEW if said.review_only else OPEN
    badge = f"{said.cluster} · risk {said.risk} · {said.action}"
    return Shape(said.summary, said.title, badge, parts, said.buttons, said.action, said.url, link_text)


def _answer(said: Answer) -> Shape:
    found = tuple(Part(f"{item.severity}: {item.object}", (item.title, item.matters, *item.evidence[:1])) for item in said.findings)
    nothing = (Part("Found", ("nothing was found by the checks that ran",)),) if said.stage == "answered" and not found else ()
    more = (Part("More", (f"{said.more} more findings in the console",)),) if said.more else ()
    rest = (
        Part("Proposals", said.proposals, fixed=True),
        Part("Held", said.held),
        Part("Asked", said.asked),
        Part("Checks", (said.coverage,)),
        Part("Cost", (said.cost,)),
    )
    parts = (Part("State", (said.stage,)), *found, *nothing, *more, *(part for part in rest if any(part.lines)))
    fallback = f"{said.title}: {len(said.findings) + said.more} findings" if said.stage == "answered" else f"{said.title}: {said.stage}"
    return Shape(fallback, said.title, said.run, parts, (), "", said.url, OPEN, said.tries)


def _notice(said: Notice) -> Shape:
    code = (Part("", said.code, fixed=True),) if said.code else ()
    parts = (*((Part("", said.lines),) if said.lines else ()), *code, *(Part(row.name, (row.text,)) for row in said.rows))
    buttons = (said.verb,) if said.verb else ()
    return Shape(said.title, said.title, "", parts, buttons, said.subject, said.url, OPEN, said.tries)
