"""The conversation core: a message in, values out, through the offers alone. It knows no chat product, and decides nothing by words.

A message is kept before the product is answered (`accept`), worked on then (`work`), and worked on again after a kill (`again`). Its run
has an id that is made of its event: the same message is the same run, however often it is delivered.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from core.domain.access import Caller
from core.domain.chats import Chats, Place, Shows, Taken, Topic
from core.domain.errors import Day2Error, InvalidInput, Unavailable
from core.domain.values import bounded, canonical, identifier
from interfaces.chat import cards, intents
from interfaces.chat.cards import House
from interfaces.chat.identities import Identities
from interfaces.chat.intents import Meant
from interfaces.chat.ports import Chat
from interfaces.chat.values import Answer, Card, Message, Notice, Row, Said, Verb
from runtime.services.carding import Carded
from runtime.services.offering import Offers
from runtime.services.offers.runs import Shown

log = logging.getLogger(__name__)
Route = Callable[[str], Awaitable[str]]
"""A model's word on which row of the table a text means; empty where it does not know, or there is none."""
MOST_INBOX = 20
KEEP_EVENTS = timedelta(days=7)
"""Longer than any product repeats a delivery."""


class Heard(NamedTuple):
    """One message on its way: who speaks, what it means, what its thread was about."""

    chat: Chat
    caller: Caller
    message: Message
    meant: Meant
    topic: Topic


async def by_words(_text: str) -> str:
    return ""


class Talk:
    def __init__(self, offers: Offers, chats: Chats, identities: Identities, house: House, *, route: Route = by_words) -> None:
        self.offers, self.chats, self.identities, self.house = offers, chats, identities, house
        self._route = route
        self._at_work: set[str] = set()

    def accept(self, message: Message) -> bool:
        """Keep it, so that a kill loses nothing. False where it was delivered before."""
        body = canonical({"place": list(message.place), "user": message.user, "text": message.text}).decode()
        first = self.chats.take(Taken(message.place.product, message.event, body, self.offers.ports.clock.now()))
        if first:
            self._at_work.add(message.event)  # from here on, so that nobody who looks for what was left finds it
        return first

    async def work(self, chat: Chat, message: Message) -> None:
        """Answer it. What goes wrong is said in the same place; what cannot be said stays undone, and is worked on again."""
        self._at_work.add(message.event)
        try:
            await self._worked(chat, message)
        finally:
            self._at_work.discard(message.event)

    async def _worked(self, chat: Chat, message: Message) -> None:
        try:
            await self._answer(chat, message)
        except Unavailable as error:
            if error.system == chat.product:
                log.warning("%s: %s", message.event, error)
                return
            await chat.privately(message.place, message.user, refused(error))
        except Day2Error as error:
            await chat.privately(message.place, message.user, refused(error))
        self.chats.done(message.place.product, message.event)

    async def again(self, chat: Chat, *, user: str = "") -> int:
        """Work on what was accepted and not worked to its end, and is not at work now; how many. With a user, only theirs.

        After a restart, and after a product was down.
        """
        left = [taken for taken in self.chats.undone(chat.product) if taken.event not in self._at_work]
        for taken in left:
            body = json.loads(taken.body)
            if "text" not in body:  # a press: what it did is in the ledger, and who pressed presses again
                self.chats.done(taken.product, taken.event)
            elif user in ("", body["user"]):
                await self.work(chat, Message(Place(*body["place"]), body["user"], body["text"], taken.event))
        return len(left)

    async def show(self, chat: Chat, shows: Shows, subject: str, place: Place, said: Said) -> bool:
        """A message that the follower keeps as its record is. False where this place shows it already: that one is edited."""
        now = self.offers.ports.clock.now()
        made = self.chats.reserve(shows, subject, place, now)
        ref = made or next(ref for ref in self.chats.refs(subject=subject) if ref.shows is shows and ref.place == place)
        if ref.message:
            await chat.update(place, ref.message, said)
            return False
        message = await chat.send(place, said)
        self.chats.posted(ref.id, message)
        told = said.phase.value if isinstance(said, Card) else ""
        self.chats.showing(ref.id, before=ref.shown, shown=cards.digest(said), told=told, still_open=not getattr(said, "over", False))
        thread = place._replace(thread=place.thread or message)
        kept = self.chats.topic(thread)
        about = kept._replace(action=subject) if shows is Shows.CARD else kept._replace(run=subject) if shows is Shows.RUN else kept
        self.chats.about(thread, about, now)
        return made is not None

    async def _answer(self, chat: Chat, message: Message) -> None:
        caller = self.identities.caller(chat.product, message.user)
        topic = self.chats.topic(message.place)
        meant = intents.meant(message.text, follows=bool(topic.intent or topic.run or topic.action), about_action=bool(topic.action))
        if not meant.sure or not meant.intent:
            meant = await self._asked_a_model(meant, topic)
        said = await ROWS[meant.intent or "unknown"](self, Heard(chat, caller, message, meant, topic))
        if said is not None:
            await chat.send(message.place, said)

    async def _asked_a_model(self, meant: Meant, topic: Topic) -> Meant:
        """A row that it names is as unsure as one by likeness: what changes something is asked about first."""
        named = await self._route(meant.text)
        if named not in intents.BY_NAME or (named in intents.NEED_ACTION and not (meant.action or topic.action)):
            return meant
        if (named in intents.NEED_THREAD and not topic.intent) or (named == "run" and not meant.run):
            return meant
        return meant._replace(intent=named, sure=False)

    def _about(self, heard: Heard, **over: str) -> None:
        now = self.offers.ports.clock.now()
        self.chats.about(heard.message.place, heard.topic._replace(**over), now)

    def _question(self, heard: Heard, what: str, namespace: str) -> None:
        """What a button will mean: its message's event is all that the button carries."""
        text = heard.meant.text
        if what == "start":  # what the thread was about, or everything: the words of the command itself say whose business nothing is
            text = heard.topic.text or f"scan {namespace or 'everything'}"
        asked = {"what": what, "namespace": namespace, "text": text, "place": list(heard.message.place)}
        self.chats.keep(f"asked:{heard.message.event}", canonical(asked).decode())

    # one method for each row of the table

    async def ask(self, heard: Heard) -> Said | None:
        return await self._run(heard, heard.meant.text, heard.meant.namespace, ())

    async def scan(self, heard: Heard) -> Said | None:
        return await self._run(heard, f"scan {heard.meant.namespace or 'everything'}", heard.meant.namespace, ())

    async def size(self, heard: Heard) -> Said | None:
        return await self._run(heard, heard.meant.text, heard.meant.namespace, ("finops",))

    async def plan(self, heard: Heard) -> Said | None:
        namespace = heard.meant.namespace or heard.topic.namespace
        return await self._run(heard, f"scan {namespace or 'everything'}, for a plan", namespace, ())

    async def elsewhere(self, heard: Heard) -> Said | None:
        """The same question, looked into in another namespace."""
        if not heard.meant.namespace:
            names = [
                word for word in heard.meant.text.casefold().rstrip("?").split() if word not in ("and", "in", "what", "how", "about", "for")
            ]
            heard = heard._replace(meant=heard.meant._replace(namespace=names[-1] if names else ""))
        if not heard.topic.text:
            return self._unknown(heard)
        return await self._run(heard, heard.topic.text, heard.meant.namespace, ("finops",) if heard.topic.intent == "size" else ())

    async def _run(self, heard: Heard, text: str, namespace: str, agents: tuple[str, ...]) -> Said | None:
        place, chat = heard.message.place, heard.chat
        run = run_of(heard.message)
        wanted = {"text": text, "namespaces": (namespace,) if namespace else (), "agents": agents, "id": run, "thread": place.name[:200]}
        asked = await self.offers.call(heard.caller, "questions.ask", wanted)
        self._about(
            heard,
            intent=heard.meant.intent if heard.meant.intent != "elsewhere" else heard.topic.intent,
            text=text,
            namespace=namespace,
            run=run,
            action="",
        )
        await self.show(chat, Shows.RUN, run, place, cards.answer(Shown(None, asked, None), run, self.house))
        return None

    async def start(self, heard: Heard) -> Said:
        """Asked about first: a run may write, where the judge and the autonomy of its namespace allow it."""
        self.offers.check(heard.caller, "runs.start")
        namespace = heard.meant.namespace or heard.topic.namespace
        self._question(heard, "start", namespace)
        where = f"namespace {namespace}" if namespace else "every namespace that I may look at"
        lines = ("Each proposal goes before the judge; what needs a person comes as a card.", "plan shows the same and submits nothing.")
        return Notice(f"Start a run in {where}?", lines, verb=Verb.START, subject=heard.message.event)

    async def status(self, heard: Heard) -> Said:
        call, by = self.offers.call, heard.caller
        stops, queue, agents, runs = (
            await call(by, "stops.list"),
            await call(by, "approvals.list"),
            await call(by, "agents.list"),
            await call(by, "runs.list", {"limit": 3}),
        )
        waiting = len(queue.cards) + queue.queued
        rows = (
            Row(
                "writes", "; ".join(bounded(f"{row.scope} stopped by {row.by}: {row.reason}", 200) for row in stops) or "nothing is stopped"
            ),
            Row("approvals", f"{waiting} wait for a person" if waiting else "nothing waits for a person"),
            Row("agents", ", ".join(f"{item.name} {item.state.value}" for item in agents.members) or "none is registered"),
            *(Row(run.id, bounded(f"{run.text or run.trigger}: {'ended' if run.finished_at else 'working'}", 160)) for run in runs),
        )
        return Notice("Status", rows=rows, tries=("approvals",) if waiting else ("scan everything",), url=self.house.url)

    async def approvals(self, heard: Heard) -> Said:
        queue = await self.offers.call(heard.caller, "approvals.list")
        if not queue.cards:
            return Notice("Nothing waits for a person.", tries=("status",))
        found = cards.inbox(queue.cards, self.house.url, MOST_INBOX)
        return found if not queue.queued else cards.inbox(queue.cards, self.house.url)

    async def decide(self, heard: Heard) -> Said | None:
        """The card with its buttons: words alone decide nothing."""
        return await self.card(heard)

    async def card(self, heard: Heard) -> Said | None:
        found = await self._card(heard)
        drawn = cards.card(found, self.house)
        if await self.show(heard.chat, Shows.CARD, found.row.action_id, heard.message.place, drawn):
            return None
        return Notice(f"{found.row.action_id} is {drawn.phase.value}: its card is above.", (drawn.summary,), url=drawn.url)

    async def who(self, heard: Heard) -> Said:
        found = await self._card(heard)
        drawn = cards.card(found, self.house)
        rows = (Row("asked by", drawn.asked_by), *(Row("decided", line) for line in drawn.decided), Row("state", drawn.approval))
        people = ", ".join(item.by for item in found.approvals)
        title = f"{found.row.action_id}: {f'decided by {people}' if people else 'nobody has decided'}"
        return Notice(bounded(title, 200), rows=rows, url=drawn.url)

    async def explain(self, heard: Heard) -> Said:
        return explained(await self._card(heard), self.house)

    async def run(self, heard: Heard) -> Said | None:
        found = await self.offers.call(heard.caller, "runs.get", {"run": heard.meant.run})
        self._about(heard, intent="run", run=heard.meant.run, action="")
        answer = cards.answer(found, heard.meant.run, self.house)
        return None if await self.show(heard.chat, Shows.RUN, heard.meant.run, heard.message.place, answer) else answer

    async def why(self, heard: Heard) -> Said:
        if heard.topic.action:
            return explained(await self._card(heard), self.house)
        answer = await self._of_thread(heard)
        rows = (*(Row("asked", line) for line in answer.asked), *(Row(item.title, item.matters) for item in answer.findings))
        return Notice(f"Why: {answer.title}", (answer.coverage,), rows, tries=("show the evidence",), url=answer.url)

    async def evidence(self, heard: Heard) -> Said:
        """What was seen, and how to look again."""
        if heard.topic.action:
            found = await self._card(heard)
            return Notice(
                f"Evidence of {found.row.action_id}",
                cards.card(found, self.house).evidence,
                url=f"{self.house.url}/actions/{found.row.action_id}",
            )
        answer = await self._of_thread(heard)
        rows = tuple(Row(item.title, line) for item in answer.findings for line in item.evidence)
        return Notice(f"Evidence: {answer.title}", (answer.coverage,), rows, url=answer.url)

    async def stop(self, heard: Heard) -> Said:
        namespace = heard.meant.namespace
        scope = f"namespace={namespace}" if namespace else "all"
        if not heard.meant.sure:
            self.offers.check(heard.caller, "writes.stop")
            self._question(heard, "stop", namespace)
            return Notice(f"Stop writes ({scope})?", ("Nothing was stopped yet.",), verb=Verb.STOP, subject=heard.message.event)
        return await self.stopped(heard.caller, scope, heard.meant.text)

    async def stopped(self, caller: Caller, scope: str, text: str) -> Notice:
        rows = await self.offers.call(caller, "writes.stop", {"scope": scope, "reason": bounded(f"asked in {caller.door}: {text}", 300)})
        return Notice(
            "Stopped: nothing is written until a person resumes.",
            rows=tuple(Row(row.scope, f"{row.by}: {row.reason}") for row in rows),
            tries=("resume",),
        )

    async def resume(self, heard: Heard) -> Said:
        stops = await self.offers.call(heard.caller, "stops.list")
        if not stops:
            return Notice("Nothing is stopped.", tries=("status",))
        self.offers.check(heard.caller, "writes.resume")
        namespace = heard.meant.namespace
        scope = f"namespace={namespace}" if namespace else stops[0].scope
        self._question(heard, "resume", scope)
        rows = tuple(Row(row.scope, bounded(f"{row.by}: {row.reason}", 200)) for row in stops)
        return Notice(f"Resume {scope}?", ("Nothing was resumed yet.",), rows, verb=Verb.RESUME, subject=heard.message.event)

    async def help(self, heard: Heard) -> Said:
        may = bool(self.offers.listed(heard.caller))
        rows = tuple(Row(intent.shown, intent.says) for intent in intents.INTENTS)
        lines = () if may else ("You have no role here: an admin adds you to access.viewer.",)
        return Notice("What you can ask", lines, rows, url=self.house.url)

    async def unknown(self, heard: Heard) -> Said:
        return self._unknown(heard)

    def _unknown(self, heard: Heard) -> Notice:
        """An honest no. Nothing is guessed, and nothing was done."""
        near = tuple(intents.BY_NAME[name].shown for name in heard.meant.near)
        title = "Did you mean one of these? Nothing was done." if near else "I do not know what to do with that. Nothing was done."
        return Notice(title, tries=near or ("scan everything", "what is wrong in shop?", "approvals", "help"), failed=True)

    async def _card(self, heard: Heard) -> Carded:
        action = heard.meant.action or heard.topic.action
        found: Carded = await self.offers.call(heard.caller, "cards.get", {"action": action})
        self._about(heard, intent=heard.topic.intent or "show", action=found.row.action_id)
        return found

    async def _of_thread(self, heard: Heard) -> Answer:
        if not heard.topic.run:
            raise InvalidInput("this thread has no answer yet", mend="ask first: what is wrong in shop?")
        found: Shown = await self.offers.call(heard.caller, "runs.get", {"run": heard.topic.run})
        return cards.answer(found, heard.topic.run, self.house)


ROWS: Mapping[str, Callable[[Talk, Heard], Awaitable[Any]]] = {
    "ask": Talk.ask,
    "scan": Talk.scan,
    "size": Talk.size,
    "plan": Talk.plan,
    "start": Talk.start,
    "status": Talk.status,
    "approvals": Talk.approvals,
    "decide": Talk.decide,
    "show": Talk.card,
    "who": Talk.who,
    "explain": Talk.explain,
    "run": Talk.run,
    "stop": Talk.stop,
    "resume": Talk.resume,
    "help": Talk.help,
    "elsewhere": Talk.elsewhere,
    "why": Talk.why,
    "evidence": Talk.evidence,
    "unknown": Talk.unknown,
}
"""What each row of `intents.INTENTS` does. A test holds the two tables together."""


def run_of(message: Message) -> str:
    """The same message is the same run."""
    return identifier("run", message.place.product, message.event)


def explained(found: Carded, house: House) -> Notice:
    """The verdict rule by rule, what spoke first."""
    drawn = cards.card(found, house)
    results = found.verdict.results if found.verdict else ()
    spoke = sorted((row for row in results if row.result not in ("pass", "skip")), key=lambda row: row.result)
    passed = [row.rule for row in results if row.result == "pass"]
    rows = (
        *(Row(f"{row.result} {row.rule}", bounded(row.message, 300)) for row in spoke[:12]),
        *((Row("pass", bounded(", ".join(passed), 600)),) if passed else ()),
    )
    decision = drawn.verdict
    return Notice(
        f"{found.row.action_id} {drawn.phase.value}: {drawn.title}",
        (decision, drawn.why),
        rows,
        tries=("show the evidence",),
        url=drawn.url,
    )


def refused(error: Day2Error) -> Notice:
    """What went wrong and what mends it; nothing was done."""
    return Notice(bounded(str(error), 400), (f"what helps: {bounded(error.mend, 300)}",) if error.mend else (), failed=True)
