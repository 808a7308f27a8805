"""The executor dies at every move of the table, just before and just after it, and a new one takes over: at most one effect, none
unpermitted, none unrecorded, and every action ends. In one process and on twins, so that a defect is found within a second;
`tests/runtime/roles/test_kill_points.py` kills real processes at the same points."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from core.domain.errors import NotAuthenticated, OutcomeUnknown, Refused
from core.domain.outcome import TERMINAL, TRANSITIONS, ActionState
from gate import audit, permits

S = ActionState
EXECUTORS = (S.CLAIMED, S.SENDING, S.UNKNOWN, S.APPLIED, S.UNDOING)
STEPS = (
    *("permitted-claimed", "permitted-claimed:done", "spend", "spend:done"),
    *("forward", "forward:done", "undo", "undo:done"),
)


class Died(BaseException):
    """Stands for SIGKILL: nothing catches it."""


class Mortal:
    """A ledger or a writer whose caller may die just before and just after each step that it takes. All else passes through."""

    def __init__(self, inside: Any, reached: Callable[[str], None]) -> None:
        self._inside = inside
        self._reached = reached

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inside, name)

    def move(self, action_id: str, expected: ActionState, to: ActionState, **said: Any) -> bool:
        return bool(self._step(f"{expected}-{to}", lambda: self._inside.move(action_id, expected, to, **said)))

    def claim(self, *who: Any) -> int | None:
        epoch: int | None = self._step("permitted-claimed", lambda: self._inside.claim(*who))
        return epoch

    def spend(self, *what: Any) -> bool:
        return bool(self._step("spend", lambda: self._inside.spend(*what)))

    def _step(self, name: str, act: Callable[[], Any]) -> Any:
        self._reached(name)
        done = act()
        self._reached(f"{name}:done")
        return done


class MortalWriter(Mortal):
    async def send(self, request: Any, *, agent: str, permit: str, dry_run: bool = False) -> Any:
        if dry_run:
            return await self._inside.send(request, agent=agent, permit=permit, dry_run=True)
        use = "undo" if self._inside.effects else "forward"
        self._reached(use)
        answer = await self._inside.send(request, agent=agent, permit=permit)
        self._reached(f"{use}:done")
        return answer


class Story(NamedTuple):
    """`prepare` runs once the action is permitted; `settles`: whether controllers do their work after a write."""

    prepare: Callable[[Any], None]
    settles: bool = True
    action: str = "scale"


def nothing(_: Any) -> None:
    """The world behaves."""


def reply_lost(gate: Any) -> None:
    gate.cluster.before_reply = once(gate.lose_the_reply)


def never_stored(gate: Any) -> None:
    gate.cluster.before_store = once(gate.lose_the_reply)


def refused_at_the_write(gate: Any) -> None:
    gate.cluster.before_store = once(raiser(Refused(("another webhook says no",))))


def changed_meanwhile(gate: Any) -> None:
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["metadata"]["generation"] += 1


def always_changing(gate: Any) -> None:
    gate.hands = replace(gate.hands, reader=Restless(gate.cluster))


def forged_permit(gate: Any) -> None:
    action = next(iter(gate.ledger.in_states(S.PERMITTED)))
    gate.ledger._actions[action.action_id] = action._replace(permit=action.undo_permit)


def moved_by_another_after_the_lost_reply(gate: Any) -> None:
    def moved(_: Any) -> None:
        gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 7
        raise OutcomeUnknown("the connection broke")

    gate.cluster.before_reply = once(moved)


def moved_by_another_after_the_write(gate: Any) -> None:
    gate.late = lambda: gate.cluster.object("Deployment", "shop", "cart")["spec"].update(replicas=7)


def undo_refused(gate: Any) -> None:
    def second(request: Any) -> None:
        if gate.cluster.effects:
            raise Refused(("another webhook says no",))

    gate.cluster.before_store = second


def out_of_time(gate: Any) -> None:
    gate.clock.advance(121)


STORIES: dict[tuple[ActionState, ActionState], Story] = {
    (S.PERMITTED, S.SUBMITTED): Story(out_of_time),
    (S.CLAIMED, S.SENDING): Story(nothing),
    (S.CLAIMED, S.SUBMITTED): Story(changed_meanwhile),
    (S.CLAIMED, S.FAILED): Story(forged_permit),
    (S.CLAIMED, S.EXPIRED): Story(always_changing),
    (S.SENDING, S.APPLIED): Story(nothing),
    (S.SENDING, S.FAILED): Story(refused_at_the_write),
    (S.SENDING, S.UNKNOWN): Story(reply_lost),
    (S.UNKNOWN, S.APPLIED): Story(reply_lost),
    (S.UNKNOWN, S.FAILED): Story(never_stored),
    (S.UNKNOWN, S.ESCALATED): Story(moved_by_another_after_the_lost_reply),
    (S.APPLIED, S.VERIFIED): Story(nothing),
    (S.APPLIED, S.UNDOING): Story(nothing, settles=False),
    (S.APPLIED, S.ESCALATED): Story(moved_by_another_after_the_write, settles=False),
    (S.UNDOING, S.ROLLED_BACK): Story(nothing, settles=False),
    (S.UNDOING, S.ESCALATED): Story(undo_refused, settles=False),
}


def raiser(error: Exception) -> Callable[[Any], None]:
    def raises(_: Any) -> None:
        raise error

    return raises


def once(act: Callable[[Any], None]) -> Callable[[Any], None]:
    """Acts at the first call only."""
    left = [act]
    return lambda request: left.pop()(request) if left else None


class Restless:
    """A reader for which the object moves on between every two looks of the executor."""

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self._looks = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def get(self, *place: Any) -> Any:
        found = await self._cluster.get(*place)
        self._looks += 1
        found["metadata"]["generation"] = found["metadata"].get("generation", 0) + self._looks
        return found


def points() -> Iterator[tuple[tuple[ActionState, ActionState], str]]:
    for move in STORIES:
        yield move, f"{move[0]}-{move[1]}"
        yield move, f"{move[0]}-{move[1]}:done"
    for step in STEPS:
        yield (S.UNDOING, S.ROLLED_BACK), step


def test_every_move_that_an_executor_makes_has_its_story() -> None:
    moves = {(old, new) for old in EXECUTORS for new in TRANSITIONS[old]}
    assert moves <= set(STORIES)


async def play(gate: Any, story: Story, action_id: str, rounds: int = 400) -> None:
    """Time passes, judge and executor work, until the action has ended."""
    for _ in range(rounds):
        row = gate.row(action_id)
        if row.state in TERMINAL:
            return
        if story.settles and gate.cluster.effects:
            gate.settle()
        if row.state is S.APPLIED and (late := getattr(gate, "late", None)):
            late()
        await gate.judge()
        await gate.execute()
        gate.clock.advance(5)


def check_the_promises(gate: Any, action_id: str) -> None:
    row, effects = gate.row(action_id), gate.cluster.effects
    assert row.state in TERMINAL
    used = [permits.read(token, gate.hands.judge) for token in gate.cluster.permits]
    forward = [permit for permit in used if permit.use == "forward"]
    assert len(forward) <= 1, "one action had two effects"
    assert len([permit for permit in used if permit.use == "undo"]) <= 1
    assert all(gate.ledger.spent(permit.jti) for permit in used), "an effect without a spent permit"
    events = [entry.event for entry in gate.ledger.chain() if entry.subject == action_id]
    assert audit.verify_ledger(gate.ledger, head=gate.ledger.head()).whole
    assert events.count("sending") == len(forward) or row.state is S.FAILED
    if effects:
        assert {"applied", "escalated"} & set(events), "an effect that nobody recorded"
    match row.state:
        case S.VERIFIED:
            assert gate.replicas == 4
        case S.FAILED | S.EXPIRED | S.DENIED:
            assert not effects
        case S.ROLLED_BACK:
            assert gate.replicas == 2


@pytest.mark.parametrize(("move", "point"), list(points()), ids=lambda value: value if isinstance(value, str) else "-".join(value))
async def test_a_crash_here_costs_nothing_but_time(gate: Any, move: tuple[ActionState, ActionState], point: str) -> None:
    story = STORIES[move]
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    story.prepare(gate)
    reached: list[str] = []

    def die_once(step: str) -> None:
        if step == point and step not in reached:
            reached.append(step)
            raise Died
        reached.append(step)

    gate.hands = replace(gate.hands, ledger=Mortal(gate.hands.ledger, die_once), writer=MortalWriter(gate.hands.writer, die_once))
    try:
        await play(gate, story, action)
    except Died:
        await gate.restart()
        await play(gate, story, action)
    assert point in reached, f"the story never came to {point}"
    check_the_promises(gate, action)


async def test_two_executors_on_one_ledger_have_one_effect(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    first, second = gate.hands, replace(gate.hands, owner="executor-2")

    def other_goes_first(request: Any) -> None:
        raise AssertionError("the second executor sent a write")

    await gate.execute()
    gate.cluster.before_store = other_goes_first
    gate.hands = second
    await gate.execute()
    gate.hands = first
    gate.settle()
    await play(gate, Story(nothing), action)
    check_the_promises(gate, action)
    assert len(gate.cluster.effects) == 1


async def test_an_executor_that_lost_its_claim_sends_nothing(gate: Any) -> None:
    """It sleeps after its claim; another takes over, and finishes. Then it wakes up."""
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    other = replace(gate.hands, owner="executor-2")
    woken: list[bool] = []

    async def takes_over() -> None:
        gate.hands = other
        await gate.restart()
        await gate.judge()
        await gate.execute()

    sleeper = SleepyReader(gate.cluster, takes_over, woken)
    gate.hands = replace(gate.hands, reader=sleeper)
    await gate.execute()
    assert woken == [True]
    assert len(gate.cluster.effects) == 1
    gate.settle()
    await play(gate, Story(nothing), action)
    check_the_promises(gate, action)


async def test_an_executor_that_wakes_up_under_anothers_claim_sends_nothing(gate: Any) -> None:
    """The row is claimed, as it was when it fell asleep, but the fencing epoch is the other's."""
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    mine, woken = gate.hands, []

    async def takes_over() -> None:
        gate.hands = replace(mine, owner="executor-2")
        await gate.restart()
        await gate.judge()
        gate.ledger.claim(action, "executor-2", gate.clock.now())

    gate.hands = replace(mine, reader=SleepyReader(gate.cluster, takes_over, woken))
    await gate.execute()
    assert woken == [True]
    assert gate.cluster.effects == []
    assert (gate.row(action).state, gate.row(action).owner) == (S.CLAIMED, "executor-2")


class SleepyReader:
    """At the first read of the target, another executor works in between."""

    def __init__(self, cluster: Any, between: Callable[[], Any], woken: list[bool]) -> None:
        self._cluster = cluster
        self._between = between
        self._woken = woken

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    async def get(self, *place: Any) -> Any:
        found = await self._cluster.get(*place)
        if not self._woken:
            self._woken.append(True)
            await self._between()
        return found


async def test_a_write_that_arrives_late_is_found_and_not_called_failed_before(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    sent: list[Any] = []

    def on_its_way(request: Any) -> None:
        sent.append(request)
        raise OutcomeUnknown("the connection broke")

    gate.cluster.before_store = on_its_way
    for _ in range(3):
        await gate.execute()
        assert gate.row(action).state is S.UNKNOWN
        gate.clock.advance(1)
    gate.cluster.put(gate.cluster._changed(sent[0]))
    await gate.execute()
    assert gate.row(action).state is S.APPLIED
    assert len(sent) == 1


@pytest.mark.parametrize("state", ["dry run", "write"])
async def test_credentials_that_run_out_in_between_strand_nothing(gate: Any, state: str) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    send = gate.cluster.send

    async def expired(request: Any, *, agent: str, permit: str, dry_run: bool = False) -> Any:
        if dry_run is (state == "dry run"):
            raise NotAuthenticated("the token has expired")
        return await send(request, agent=agent, permit=permit, dry_run=dry_run)

    gate.cluster.send = expired
    await gate.execute()
    assert gate.row(action).state is (S.SUBMITTED if state == "dry run" else S.FAILED)
    assert gate.cluster.effects == []


async def test_what_a_mistake_of_our_own_left_half_done_is_picked_up_by_the_next_pass(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    gate.cluster.before_reply = once(raiser(ZeroDivisionError()))  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await gate.execute()
    assert gate.row(action).state is S.SENDING
    await gate.execute()
    assert gate.row(action).state is S.APPLIED
    assert len(gate.cluster.effects) == 1
