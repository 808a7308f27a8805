"""Buttons and dialogs, of any product. A press always gets an answer that only who pressed sees; the ledger decides, never the card.

A button carries the id of its action and nothing else: what is on the card was drawn a while ago, and is read again here.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from core.domain import people
from core.domain.access import Caller
from core.domain.chats import Place, Shows, Snooze, Taken
from core.domain.errors import Conflict, Day2Error, InvalidInput, Refused, Unavailable
from core.domain.values import bounded, identifier
from interfaces.chat import cards, talking
from interfaces.chat.following import Follower
from interfaces.chat.ports import Chat
from interfaces.chat.talking import Talk
from interfaces.chat.values import Card, Dialog, Field, Filled, Notice, Press, Verb
from runtime.services import repository
from runtime.services.carding import Carded
from runtime.services.offering import Ports
from runtime.services.offers.runs import Shown

log = logging.getLogger(__name__)
SNOOZED_FOR = timedelta(hours=1)
PRESETS = ("not now", "wrong target", "by hand instead", "not enough evidence")
OTHER = "other: see below"
HOURS = {"4 hours": 4, "24 hours": 24, "7 days": 168, "30 days": 720}
MOST_SILENCED = 5


class Presses:
    """What each verb does. `follower` draws the cards again as soon as something was decided."""

    def __init__(self, talk: Talk, follower: Follower) -> None:
        self._talk, self._offers, self._chats, self._follower = talk, talk.offers, talk.chats, follower

    async def pressed(self, chat: Chat, press: Press) -> None:
        """One answer for each press; the same delivery twice is one."""
        if not self._first(chat.product, press.event):
            return
        try:
            caller = self._talk.identities.caller(chat.product, press.user)
            said = await PRESSED[press.verb](self, chat, caller, press)
        except Day2Error as error:
            said = talking.refused(error)
        if said is not None:
            await self._privately(chat, press.place, press.user, said)
        self._chats.done(chat.product, press.event)

    async def filled(self, chat: Chat, filled: Filled) -> None:
        """What a dialog asked for, once."""
        if not self._first(chat.product, filled.event):
            return
        try:
            caller = self._talk.identities.caller(chat.product, filled.user)
            said = await FILLED[filled.verb](self, caller, filled)
        except Day2Error as error:
            said = talking.refused(error)
        await self._follower.look_at(filled.subject)
        await self._privately(chat, filled.place, filled.user, said)
        self._chats.done(chat.product, filled.event)

    def _first(self, product: str, event: str) -> bool:
        return self._chats.take(Taken(product, event, "{}", self._ports.clock.now()))

    @property
    def _ports(self) -> Ports:
        return self._offers.ports

    async def _privately(self, chat: Chat, place: Place, user: str, said: Notice) -> None:
        try:
            await chat.privately(place, user, said)
        except Unavailable as error:  # what was decided stands, and the card shows it
            log.warning("%s could not be told: %s", user, error)

    async def decide(self, chat: Chat, caller: Caller, press: Press) -> Notice | None:
        """The dialog, where there is still something to decide, and this person may."""
        found = await self._found(caller, press.subject)
        drawn = cards.card(found, self._talk.house)
        if press.verb not in drawn.buttons:
            return await self._too_late(drawn)
        self._offers.check(caller, SERVICES[press.verb])
        if press.verb is Verb.APPROVE and people.same(found.row.submitted_by, caller.by):
            raise Refused((f"you asked for {press.subject}, and who asks cannot approve",), mend="another person approves")
        if any(people.same(item.by, caller.by) for item in found.approvals):
            raise Refused((f"you have decided on {press.subject} already",))
        await chat.ask(press.trigger, dialog(drawn, press.verb, press.place))
        return None

    async def _too_late(self, drawn: Card) -> Notice:
        """Why this button does nothing any more; the card that it stood on is drawn again."""
        await self._follower.look_at(drawn.action)
        if drawn.review_only:
            why = "its risk is high" if drawn.risk == "high" else "it cannot be undone"
            return Notice(f"{drawn.action} is decided in the console alone: {why}.", ("Review it there, logged in.",), url=drawn.url)
        lines = tuple(line for line in (*drawn.decided, drawn.outcome) if line)
        return Notice(
            f"{drawn.action} is {drawn.phase.value}: there is nothing to decide. Nothing was done.", lines, url=drawn.url, failed=True
        )

    async def why(self, _chat: Chat, caller: Caller, press: Press) -> Notice:
        return talking.explained(await self._found(caller, press.subject), self._talk.house)

    async def edit(self, chat: Chat, caller: Caller, press: Press) -> Notice | None:
        drawn = cards.card(await self._found(caller, press.subject), self._talk.house)
        if press.verb not in drawn.buttons:
            return await self._too_late(drawn)
        self._offers.check(caller, SERVICES[Verb.EDIT])
        await chat.ask(press.trigger, dialog(drawn, Verb.EDIT, press.place))
        return None

    async def snooze(self, _chat: Chat, caller: Caller, press: Press) -> Notice:
        drawn = cards.card(await self._found(caller, press.subject), self._talk.house)
        if press.verb not in drawn.buttons:
            return await self._too_late(drawn)
        until = self._ports.clock.now() + SNOOZED_FOR
        self._chats.snooze(Snooze(press.subject, press.user, press.place, until))
        return Notice(
            f"You are reminded of {press.subject} at {cards.moment(until)}.", (f"It still expires at {cards.moment(drawn.expires_at)}.",)
        )

    async def silence(self, chat: Chat, caller: Caller, press: Press) -> Notice | None:
        """The findings are left out of what is told; nothing is decided about the action, and the judge knows no mutes."""
        found = await self._found(caller, press.subject)
        drawn = cards.card(found, self._talk.house)
        self._offers.check(caller, SERVICES[Verb.SILENCE])
        if not found.proposal.findings:
            return Notice(f"{press.subject} is not about a finding: there is nothing to silence.", url=drawn.url)
        names = ", ".join(found.proposal.findings[:MOST_SILENCED])
        text = bounded(f"{names}: left out of answers and digests for a while. {drawn.action} itself goes on waiting.", 300)
        fields = (Field("hours", "For how long", choices=tuple(HOURS), value="24 hours"), Field("reason", "Why", hint="kept with the mute"))
        await chat.ask(press.trigger, Dialog(Verb.SILENCE, drawn.action, "Silence this finding?", text, "Silence", fields, press.place))
        return None

    async def patch(self, _chat: Chat, caller: Caller, press: Press) -> Notice:
        """What to change where the object is written: in the cluster it would be reverted at the next sync."""
        found = await self._found(caller, press.subject)
        written, url = repository.written(found.proposal, found.verdict), f"{self._talk.house.url}/actions/{press.subject}"
        if written is None:
            return Notice(f"{press.subject}: no repository is known to own this object.", url=url)
        if not written.text:
            return Notice(f"{press.subject}: {written.advice}", url=url)
        lines = (f"Merge this into the manifest in the source of {written.owner}, in a pull request there.",)
        return Notice(f"{press.subject} in its repository", lines, code=tuple(written.text.splitlines()), url=url)

    async def start(self, chat: Chat, caller: Caller, press: Press) -> Notice | None:
        asked = self._asked(press, "start")
        run = identifier("run", press.place.product, press.subject, "start")
        spaces = (asked["namespace"],) if asked["namespace"] else ()
        place = Place(*asked["place"])
        wanted = {"text": asked["text"], "namespaces": spaces, "id": run, "thread": place.name[:200]}
        begun = await self._offers.call(caller, "runs.start", wanted)
        self._over(press)
        self._chats.about(place, self._chats.topic(place)._replace(intent="start", run=run, action=""), self._ports.clock.now())
        answer = cards.answer(Shown(None, begun, None), run, self._talk.house)
        await self._talk.show(chat, Shows.RUN, run, place, answer)
        return Notice(f"{run} has begun.", url=answer.url)

    async def stop(self, _chat: Chat, caller: Caller, press: Press) -> Notice:
        asked = self._asked(press, "stop")
        said = await self._talk.stopped(caller, f"namespace={asked['namespace']}" if asked["namespace"] else "all", asked["text"])
        self._over(press)
        return said

    async def resume(self, chat: Chat, caller: Caller, press: Press) -> Notice | None:
        asked = self._asked(press, "resume")
        self._offers.check(caller, "writes.resume")
        field = Field("reason", "Why it is safe to write again", hint="kept in the audit chain")
        text = f"Lifts the stop of {bounded(asked['namespace'], 100)}: judge and executor go on."
        await chat.ask(press.trigger, Dialog(Verb.RESUME, asked["namespace"], "Resume writes?", text, "Resume", (field,), press.place))
        return None

    def _asked(self, press: Press, what: str) -> dict[str, Any]:
        """The question that this button belongs to. Raises Conflict where it was answered before, or was never asked."""
        kept = self._chats.kept(f"asked:{press.subject}")
        found: dict[str, Any] = json.loads(kept) if kept else {}
        if found.get("what") != what:
            raise Conflict("this question was answered already: nothing was done again", mend=f"write it again: {what}")
        return found

    def _over(self, press: Press) -> None:
        self._chats.keep(f"asked:{press.subject}", "")

    async def approve_filled(self, caller: Caller, filled: Filled) -> Notice:
        decided = await self._offers.call(caller, "actions.approve", {"action": filled.subject, "reason": _reason(filled)})
        left = max(0, decided.waiting.missing - 1)
        more = f"{left} more people are needed." if left else "The judge looks once more, then it runs."
        return Notice(f"You approved {filled.subject}.", (more,))

    async def deny_filled(self, caller: Caller, filled: Filled) -> Notice:
        await self._offers.call(caller, "actions.deny", {"action": filled.subject, "reason": _reason(filled)})
        return Notice(f"You denied {filled.subject}. That is its end.")

    async def edit_filled(self, caller: Caller, filled: Filled) -> Notice:
        changes = [line.strip() for line in filled.fields.get("changes", "").splitlines() if line.strip()]
        if not changes:
            raise InvalidInput("no change was written", mend="one path=value on each line, such as to_replicas=3")
        new = await self._offers.call(caller, "actions.edit", {"action": filled.subject, "changes": changes})
        return Notice(
            f"{new} takes the place of {filled.subject}.",
            ("It goes before the judge like any other.", f"You asked for it: another person approves {new}."),
        )

    async def silence_filled(self, caller: Caller, filled: Filled) -> Notice:
        found = await self._found(caller, filled.subject)
        hours = HOURS.get(filled.fields.get("hours", ""))
        if hours is None:
            raise InvalidInput("that is none of the times", mend=f"one of: {', '.join(HOURS)}")
        reason, told = _reason(filled), []
        for name in found.proposal.findings[:MOST_SILENCED]:
            held = await self._offers.call(caller, SERVICES[Verb.SILENCE], {"what": name, "reason": reason, "hours": hours})
            told += [f"{name} until {cards.moment(mute.until)}" for mute in held.mutes]
        return Notice("Silenced", (*told, "day2 mute list shows them, day2 mute expire ends one."))

    async def resume_filled(self, caller: Caller, filled: Filled) -> Notice:
        left = await self._offers.call(caller, "writes.resume", {"scope": filled.subject, "reason": _reason(filled)})
        return Notice(f"{filled.subject} goes on.", tuple(f"still stopped: {row.scope}" for row in left))

    async def _found(self, caller: Caller, action: str) -> Carded:
        found: Carded = await self._offers.call(caller, "cards.get", {"action": action[:64]})
        return found


SERVICES = {Verb.APPROVE: "actions.approve", Verb.DENY: "actions.deny", Verb.EDIT: "actions.edit", Verb.SILENCE: "findings.mute"}
PRESSED: Mapping[Verb, Callable[[Presses, Chat, Caller, Press], Awaitable[Any]]] = {
    Verb.APPROVE: Presses.decide,
    Verb.DENY: Presses.decide,
    Verb.WHY: Presses.why,
    Verb.EDIT: Presses.edit,
    Verb.SNOOZE: Presses.snooze,
    Verb.SILENCE: Presses.silence,
    Verb.PATCH: Presses.patch,
    Verb.START: Presses.start,
    Verb.STOP: Presses.stop,
    Verb.RESUME: Presses.resume,
}
FILLED: Mapping[Verb, Callable[[Presses, Caller, Filled], Awaitable[Notice]]] = {
    Verb.APPROVE: Presses.approve_filled,
    Verb.DENY: Presses.deny_filled,
    Verb.EDIT: Presses.edit_filled,
    Verb.SILENCE: Presses.silence_filled,
    Verb.RESUME: Presses.resume_filled,
}


def dialog(drawn: Card, verb: Verb, place: Place) -> Dialog:
    """It names the object and the cluster, whatever the card says by now."""
    text = bounded(f"{drawn.title} in {drawn.cluster}. Risk {drawn.risk}; {drawn.undo}.", 300)
    if verb is Verb.APPROVE:
        fields: tuple[Field, ...] = (Field("reason", "Why you approve", hint="kept in the audit chain"),)
        return Dialog(verb, drawn.action, "Approve this action?", text, "Approve", fields, place)
    if verb is Verb.DENY:
        fields = (
            Field("preset", "Why not", choices=(*PRESETS, OTHER), value=PRESETS[0]),
            Field("reason", "In your words", hint="kept in the audit chain", optional=True),
        )
        return Dialog(verb, drawn.action, "Deny this action?", text, "Deny", fields, place)
    now = "; ".join(f"{change.path}: {change.new}" for change in drawn.changes)
    hint = "one path=value on each line, such as to_replicas=3"
    return Dialog(
        verb,
        drawn.action,
        "Edit this action",
        bounded(f"{text} Now: {now}", 300),
        "Ask the judge",
        (Field("changes", "Arguments", hint=hint),),
        place,
    )


def _reason(filled: Filled) -> str:
    preset, own = filled.fields.get("preset", ""), filled.fields.get("reason", "").strip()
    said = ": ".join(part for part in ("" if preset == OTHER else preset, own) if part)
    if not said:
        raise InvalidInput("no reason was given", mend="say why: it is kept in the audit chain")
    return bounded(said, 400)
