"""What the chats are told by themselves: every copy of a card follows its record, whichever door moved it; runs, reminders, digests.

One follower works in the console's process. It draws from the record alone, one subject at a time, and edits a message only where what it
shows differs: a restart, a second press or an update that came late repeat nothing and undo nothing.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.domain.access import Caller
from core.domain.chats import Chats, Place, Ref, Shows, Snooze
from core.domain.errors import Corrupt, Day2Error, InvalidInput
from core.domain.intake import OVER
from core.domain.outcome import ActionState
from core.domain.values import bounded
from interfaces.chat import cards, plots
from interfaces.chat.cards import House
from interfaces.chat.identities import Identities
from interfaces.chat.ports import Chat
from interfaces.chat.talking import KEEP_EVENTS, Talk
from interfaces.chat.values import ENDS, Answer, Card, Notice, Phase, Row
from runtime.services import approving, carding
from runtime.services.approving import Waiting
from runtime.services.carding import Carded
from runtime.services.offering import Ports
from runtime.services.offers import runs

log = logging.getLogger(__name__)
MOST_CARDS = 5
"""Open approvals up to which each has a card of its own in a conversation; more are one message with a link."""
REMINDERS = (85, 50)
INBOX = "approvals"
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Home:
    """A conversation that cards are posted to by themselves."""

    chat: Chat
    place: Place


@dataclass(frozen=True)
class Digests:
    """When the day is summed up. `hour` is None where it never is."""

    hour: int | None = 9
    zone: str = "UTC"


class Follower:
    def __init__(self, talk: Talk, chats: Sequence[Chat], homes: Sequence[Home], digests: Digests = Digests()) -> None:
        self._talk, self._homes, self._digests = talk, tuple(homes), digests
        self._by_product = {chat.product: chat for chat in chats}
        self._locks: Mapping[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._seen: dict[int, object] = {}
        self._answered: set[str] = set()  # actions that wait, and whose card stands where their run was asked for
        self._forgot: datetime | None = None

    @property
    def _ports(self) -> Ports:
        return self._talk.offers.ports

    @property
    def _chats(self) -> Chats:
        return self._talk.chats

    @property
    def _house(self) -> House:
        return self._talk.house

    @property
    def _identities(self) -> Identities:
        return self._talk.identities

    async def serve(self, stop: asyncio.Event, seconds: float = 0.5) -> None:
        """Look until told to stop. What a product or a store does not answer is looked at again; a damaged store ends it."""
        while not stop.is_set():
            try:
                await self.look()
            except Corrupt:
                raise
            except Day2Error as error:
                log.warning("chats were not followed: %s", error)
            except Exception:  # a record that nobody can read: what stands elsewhere is followed when it is mended
                log.exception("chats were not followed")
            try:
                await asyncio.wait_for(stop.wait(), seconds)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Everything once."""
        for chat in self._by_product.values():
            await self._tried(chat.product, self._left(chat))
        waiting = approving.waiting(self._ports.ledger, self._ports.people_needed)
        for home in self._homes:
            await self._tried(home.place.product, self._post(home, waiting))
        self._answered &= {row.row.action_id for row in waiting}
        for row in waiting:
            if row.row.action_id not in self._answered:
                await self._tried(row.row.action_id, self._where_asked(row))
        for ref in self._chats.refs():
            if ref.place.product in self._by_product and ref.message:
                await self._tried(ref.subject, self._follow(ref))
        for row in waiting:
            await self._tried(row.row.action_id, self._remind(row))
        await self._wake()
        for home in self._homes:
            await self._tried(home.place.product, self._digest(home, waiting))
        now = self._ports.clock.now()
        if self._forgot is None or now - self._forgot >= AN_HOUR:
            self._forgot = now
            self._chats.forget(now - KEEP_EVENTS)

    async def _left(self, chat: Chat) -> None:
        """What could not be said when it was asked. In a chat of our own its person must be there: that door looks itself."""
        if chat.product not in self._identities.own:
            await self._talk.again(chat)

    async def look_at(self, action: str) -> None:
        """One action at once, because somebody just decided on it."""
        for ref in self._chats.refs(subject=action):
            if ref.place.product in self._by_product and ref.message:
                await self._tried(action, self._follow(ref))

    async def _tried(self, name: str, work: Awaitable[None]) -> None:
        """One that fails must not keep the others from being told; it is tried again at the next look."""
        try:
            await work
        except Corrupt:
            raise
        except Day2Error as error:
            log.warning("%s: %s", name, error)
        except Exception:  # one record that cannot be drawn must not end what all the others are followed by
            log.exception("%s could not be followed", name)

    async def _post(self, home: Home, waiting: Sequence[Waiting]) -> None:
        """A card for each that waits; more than a few are one message."""
        new = [
            row
            for row in waiting
            if not any(ref.place == home.place and ref.message for ref in self._chats.refs(subject=row.row.action_id, only_open=False))
        ]
        if len(waiting) > MOST_CARDS:
            async with self._locks[INBOX]:
                if not any(ref.place == home.place and ref.message for ref in self._chats.refs(subject=INBOX)):
                    await self._talk.show(home.chat, Shows.INBOX, INBOX, home.place, cards.inbox(waiting, self._house.url))
            return
        for row in new:
            async with self._locks[row.row.action_id]:
                found = await carding.carded(self._ports, row.row.action_id)
                await self._talk.show(home.chat, Shows.CARD, row.row.action_id, home.place, cards.card(found, self._house))
            picture = plots.sizing(found)
            ref = next((ref for ref in self._chats.refs(subject=row.row.action_id) if ref.place == home.place), None)
            if picture is not None and ref is not None:
                await home.chat.show(home.place._replace(thread=ref.message), picture)

    async def _where_asked(self, card: Waiting) -> None:
        """In a conversation of our own, below the run that proposed it: nobody else posts a card there."""
        for run in self._chats.refs(subject=card.row.run_id, only_open=False) if card.row.run_id else ():
            chat = self._by_product.get(run.place.product)
            if chat is None or not run.message or run.shows is not Shows.RUN or chat.product not in self._identities.own:
                continue
            async with self._locks[card.row.action_id]:
                shown = self._chats.refs(subject=card.row.action_id, only_open=False)
                if not any(ref.place == run.place and ref.message for ref in shown):
                    found = await carding.carded(self._ports, card.row.action_id)
                    await self._talk.show(chat, Shows.CARD, card.row.action_id, run.place, cards.card(found, self._house))
        self._answered.add(card.row.action_id)

    async def _follow(self, ref: Ref) -> None:
        async with self._locks[ref.subject]:
            fresh = next((row for row in self._chats.refs(subject=ref.subject) if row.id == ref.id), None)
            if fresh is None:
                return
            if ref.shows is Shows.CARD:
                await self._card(fresh)
            elif ref.shows is Shows.RUN:
                await self._run(fresh)
            else:
                await self._inbox(fresh)

    async def _card(self, ref: Ref) -> None:
        row = self._ports.ledger.get(ref.subject)
        if row is None:
            return
        decided = self._ports.ledger.approvals(ref.subject)
        moved = (row.state, row.changed_at, row.attempts, len(decided), tuple(self._ports.ledger.stops()))
        if self._seen.get(ref.id) == moved and ref.shown:
            return
        found = await carding.carded(self._ports, ref.subject)
        drawn = cards.card(found, self._house)
        if cards.digest(drawn) != ref.shown:
            chat = self._by_product[ref.place.product]
            await chat.update(ref.place, ref.message, drawn)
            told = drawn.phase.value
            won = self._chats.showing(ref.id, before=ref.shown, shown=cards.digest(drawn), told=told, still_open=not drawn.over)
            if won and told != ref.told:
                await self._tell(chat, ref, found, drawn)
        self._seen[ref.id] = moved
        if drawn.over:
            self._seen.pop(ref.id, None)

    async def _tell(self, chat: Chat, ref: Ref, found: Carded, drawn: Card) -> None:
        """One line in the thread for each transition; who asked hears of the decision and of the outcome."""
        line = transition(found, drawn)
        await chat.send(ref.place._replace(thread=ref.place.thread or ref.message), Notice(line))
        if drawn.phase in ENDS or drawn.phase is Phase.APPROVED:
            for user in self._identities.users(chat.product, found.row.submitted_by):
                await chat.directly(user, Notice(line, (drawn.title,), url=drawn.url))

    async def _run(self, ref: Ref) -> None:
        asked = self._ports.intake.get(ref.subject)
        stage = asked.stage if asked else None
        if self._seen.get(ref.id) == (stage,) and stage not in OVER:
            return
        found = await runs.shown(self._ports, _nobody(), runs.OneRun(run=ref.subject))
        answer = cards.answer(found, ref.subject, self._house)
        if cards.digest(answer) != ref.shown:
            chat = self._by_product[ref.place.product]
            await chat.update(ref.place, ref.message, answer)
            won = self._chats.showing(
                ref.id, before=ref.shown, shown=cards.digest(answer), told=answer.stage[:40], still_open=not answer.over
            )
            if won and answer.over:
                await self._pictured(chat, ref, answer)
        self._seen[ref.id] = (stage,)

    async def _pictured(self, chat: Chat, ref: Ref, answer: Answer) -> None:
        picture = plots.findings(answer)
        if picture is not None:
            await chat.show(ref.place, picture)

    async def _inbox(self, ref: Ref) -> None:
        """As what waits changes. With few enough it ends, and cards come instead."""
        waiting = approving.waiting(self._ports.ledger, self._ports.people_needed)
        said = cards.inbox(waiting, self._house.url)
        over = len(waiting) <= MOST_CARDS
        if cards.digest(said) == ref.shown and not over:
            return
        chat = self._by_product[ref.place.product]
        await chat.update(ref.place, ref.message, Notice(f"{said.title}; each has a card below.", url=said.url) if over else said)
        self._chats.showing(ref.id, before=ref.shown, shown=cards.digest(said), told="", still_open=not over)

    async def _remind(self, card: Waiting) -> None:
        """At half of its time and near its end, those who may decide and have not; where nobody is named, its thread."""
        whole, now = card.row.expires_at - card.row.submitted_at, self._ports.clock.now()
        over = 100 * (now - card.row.submitted_at) / whole if whole > timedelta(0) else 0
        due = next((percent for percent in REMINDERS if over >= percent), 0)
        if not due:
            return
        for ref in self._chats.refs(subject=card.row.action_id):
            if ref.shows is Shows.CARD and ref.message and ref.place.product in self._by_product and self._chats.reminded(ref.id, due):
                await self._reminded(ref, card)

    async def _reminded(self, ref: Ref, card: Waiting) -> None:
        chat = self._by_product[ref.place.product]
        decided = {item.by for item in card.approvals} | {card.row.submitted_by}
        named = [row for row in self._identities.who_may_decide(chat.product) if row.person not in decided]
        until = cards.moment(card.row.expires_at)
        text = f"{card.row.action_id} still waits: {card.proposal.action.sentence()}. It expires at {until}, and is denied then."
        said = Notice(bounded(text, 300), url=f"{self._house.url}/actions/{card.row.action_id}")
        for row in named:
            await chat.privately(ref.place, row.user, said)
        if not named:
            await chat.send(ref.place._replace(thread=ref.place.thread or ref.message), said)

    async def _wake(self) -> None:
        for item in self._chats.snoozed():
            if item.until > self._ports.clock.now():
                return
            if item.place.product in self._by_product and self._chats.wake(item.action, item.by):
                await self._tried(item.action, self._woken(item))

    async def _woken(self, item: Snooze) -> None:
        found = await carding.carded(self._ports, item.action)
        if found.row.state is ActionState.NEEDS_APPROVAL:
            drawn = cards.card(found, self._house)
            await self._by_product[item.place.product].privately(item.place, item.by, Notice(f"Again: {drawn.summary}", url=drawn.url))

    async def _digest(self, home: Home, waiting: Sequence[Waiting]) -> None:
        """Once a day at the team's hour, and only where something is different from the day before."""
        if self._digests.hour is None:
            return
        local = self._ports.clock.now().astimezone(ZoneInfo(self._digests.zone))
        key = f"digest:{home.place.product}:{home.place.conversation}"
        day, _, before = self._chats.kept(key).partition(" ")
        if local.hour < self._digests.hour or day == local.date().isoformat():
            return
        said = digest(self._ports, waiting, self._house, self._ports.clock.now())
        shown = cards.digest(said)
        if shown != before and (day or said.rows):
            await home.chat.send(home.place, said)
        self._chats.keep(key, f"{local.date().isoformat()} {shown}")


def transition(found: Carded, drawn: Card) -> str:
    """`act-1 denied by oidc:ana 2026-11-27 13:02Z: not now`."""
    last = drawn.decided[-1] if drawn.decided and drawn.phase in (Phase.PARTLY, Phase.APPROVED, Phase.DENIED) else ""
    more = last or drawn.outcome or (f"since {cards.moment(found.row.changed_at)}")
    return bounded(f"{found.row.action_id} is {drawn.phase.value}: {more}", 300)


def digest(ports: Ports, waiting: Sequence[Waiting], house: House, now: datetime) -> Notice:
    """What a day brought, by outcome, and the first of what waits."""
    rows = [row for row in ports.ledger.search(since=now - A_DAY, limit=1000) if row.changed_at >= now - A_DAY]
    counts = {state: sum(row.state is state for row in rows) for state in ActionState}
    ended = tuple(Row(state.value.replace("_", " "), str(count)) for state, count in counts.items() if count and state in _TOLD)
    open_rows = tuple(Row(item.row.action_id, bounded(item.proposal.action.sentence(), 160)) for item in waiting[:5])
    stops = tuple(Row("stopped", bounded(f"{row.scope} by {row.by}: {row.reason}", 200)) for row in ports.ledger.stops())
    title = f"The last 24 hours: {sum(counts[state] for state in _TOLD)} actions ended, {len(waiting)} wait for a person"
    return Notice(title, rows=(*ended, *stops, *open_rows), url=house.url)


_TOLD = (ActionState.VERIFIED, ActionState.ROLLED_BACK, ActionState.ESCALATED, ActionState.DENIED, ActionState.EXPIRED, ActionState.FAILED)


def _nobody() -> Caller:
    """Who a run is read for when it is drawn: the service takes a caller, and asks nothing of it."""
    return Caller("", frozenset(), "chat")


def checked_hour(hour: int, zone: str) -> Digests:
    """Raises InvalidInput for a zone that there is not."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError) as error:
        raise InvalidInput(f"{bounded(zone, 40)!r} is no time zone", mend="such as Europe/Berlin: chat.zone") from error
    return Digests(hour if hour >= 0 else None, zone)
