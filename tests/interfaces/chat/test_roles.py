"""In a chat, a role may do what the offers list for it and nothing else: by words, by buttons and by dialogs."""

import pytest

from core.domain.access import Role
from core.domain.chats import Place
from interfaces.chat.identities import Identities, read
from interfaces.chat.intents import INTENTS
from interfaces.chat.pressing import FILLED, PRESSED
from interfaces.chat.values import Filled, Press, Verb
from tests.interfaces.chat.stage import HOME, Stage

SAID = {
    "ask": ("why does cart restart?", "questions.ask"),
    "scan": ("scan shop", "questions.ask"),
    "size": ("right-size shop dry-run", "questions.ask"),
    "plan": ("plan shop", "questions.ask"),
    "start": ("fix shop", "runs.start"),
    "status": ("status", "stops.list"),
    "approvals": ("approvals", "approvals.list"),
    "decide": ("approve act-0001", "cards.get"),
    "show": ("show act-0001", "cards.get"),
    "who": ("who approved act-0001", "cards.get"),
    "explain": ("explain act-0001", "cards.get"),
    "run": ("show run-nobody", "runs.get"),
    "stop": ("stop writes", "writes.stop"),
    "resume": ("resume", "writes.resume"),
    "help": ("help", ""),
}
PRESSES = {
    Verb.APPROVE: "actions.approve",
    Verb.DENY: "actions.deny",
    Verb.WHY: "cards.get",
    Verb.EDIT: "actions.edit",
    Verb.SNOOZE: "cards.get",
    Verb.SILENCE: "findings.mute",
    Verb.PATCH: "cards.get",
}
DIALOGS = {
    Verb.APPROVE: "actions.approve",
    Verb.DENY: "actions.deny",
    Verb.EDIT: "actions.edit",
    Verb.SILENCE: "findings.mute",
    Verb.RESUME: "writes.resume",
}


async def staged(stage: Stage, role: Role) -> set[str]:
    """Somebody of this role, an action that waits, and a stop; the names of what is listed for them."""
    admin = stage.talk.identities.caller("memory", "UCY")
    await stage.asked("act-0001", findings=("fnd-0001",))
    await stage.offers.call(admin, "writes.stop", {"scope": "agent=scaling", "reason": "a drill"})
    stage.talk.identities = Identities(read(["memory:UX=oidc:x"]), {role: ("oidc:x",)})
    return {row.name for row in stage.offers.listed(stage.talk.identities.caller("memory", "UX"))}


def refused(said: object) -> bool:
    return "may not call" in repr(said)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", SAID)
async def test_words_do_what_is_listed_and_nothing_else(stage: Stage, role: Role, name: str) -> None:
    listed = await staged(stage, role)
    text, service = SAID[name]
    said = await stage.say(text, "UX")
    assert refused(said) == (bool(service) and service not in listed), said


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("verb", PRESSES)
async def test_buttons_do_what_is_listed_and_nothing_else(stage: Stage, role: Role, verb: Verb) -> None:
    listed = await staged(stage, role)
    await stage.presses.pressed(stage.chat, Press(Place("memory", HOME), "UX", verb, "act-0001", "p", "T1"))
    assert refused(stage.chat.private) == (PRESSES[verb] not in listed)
    assert bool(stage.chat.dialogs) == (verb in DIALOGS and PRESSES[verb] in listed)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("verb", DIALOGS)
async def test_dialogs_do_what_is_listed_and_nothing_else_also_forged(stage: Stage, role: Role, verb: Verb) -> None:
    listed = await staged(stage, role)
    subject = "agent=scaling" if verb is Verb.RESUME else "act-0001"
    fields = {"reason": "well", "preset": "not now", "changes": "no_such=1", "hours": "4 hours"}
    await stage.presses.filled(stage.chat, Filled(Place("memory", HOME), "UX", verb, subject, "f", fields))
    assert refused(stage.chat.private) == (DIALOGS[verb] not in listed)
    assert bool(stage.ledger.approvals("act-0001")) == (verb in (Verb.APPROVE, Verb.DENY) and DIALOGS[verb] in listed)


def test_the_tables_above_are_whole() -> None:
    assert set(SAID) == {intent.name for intent in INTENTS if not intent.hidden}
    assert set(DIALOGS) == set(FILLED)
    assert set(PRESSES) | {Verb.START, Verb.STOP, Verb.RESUME} == set(PRESSED)
