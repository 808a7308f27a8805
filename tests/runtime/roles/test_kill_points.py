"""Every move of the table of states is made by a real process that is killed (SIGKILL) just before its commit and just after it; so is what
lies between: a permit spent, an approval kept, a write sent, a reply on its way. Others take over, and the promises still hold.

The list is `core.domain.outcome.TRANSITIONS` itself. A move without a story fails, and so does a story that never comes to its move.
"""

import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import pytest
from starlette.responses import JSONResponse, Response

from core.domain.ledger import AuditRow
from core.domain.outcome import TERMINAL, TRANSITIONS, ActionState, allowed
from core.domain.verdict import Verdict
from gate import audit, permits
from tests.runtime.roles.mortal import Point, name_of
from tools.stores.sink import Sink

S = ActionState
pytestmark = pytest.mark.slow
Move = tuple[ActionState, ActionState]
JUDGE, EXECUTOR, DOOR = "judge", "executor", "door"
AT_WORK = {S.SUBMITTED: JUDGE, S.NEEDS_APPROVAL: JUDGE, S.APPROVED: JUDGE}
"""Who has the action in this state; the executor where nobody else does."""

BEFORE_LOOKING_AGAIN = Point("after", "needs_approval-approved")


# ---- what happens in the world


async def nothing(_: Any) -> None:
    """The world behaves."""


async def judged(ward: Any, to: ActionState) -> None:
    """A judge has worked once, and is gone."""
    await ward.bring_up(JUDGE)
    await ward.comes_to(to)
    await ward.lay_down(JUDGE)


async def permitted(ward: Any) -> None:
    await ward.brought("permitted", partial(judged, to=S.PERMITTED))


async def permitted_long_ago(ward: Any, minutes: int) -> None:
    await permitted(ward)
    ward.server.now += timedelta(minutes=minutes)


async def waits_for_people(ward: Any) -> None:
    await ward.brought("waits for people", partial(judged, to=S.NEEDS_APPROVAL))


async def decided(ward: Any, decision: str) -> None:
    """A person decides while no judge lives."""
    await waits_for_people(ward)
    ward.approve(decision)


async def approved(ward: Any, minutes: int = 0) -> None:
    """The judge heard the person, ten minutes later, and was killed before it looked again; then time passed."""
    await ward.brought("approved", heard)
    ward.server.now += timedelta(minutes=minutes)


async def heard(ward: Any) -> None:
    await decided(ward, "approved")
    ward.server.now += timedelta(minutes=10)
    await died_at(ward, JUDGE, BEFORE_LOOKING_AGAIN)


async def later(ward: Any, hours: int, begin: Callable[[Any], Awaitable[None]] = nothing) -> None:
    await begin(ward)
    ward.server.now += timedelta(hours=hours)


async def replaced(ward: Any, begin: Callable[[Any], Awaitable[None]]) -> None:
    """Somebody deletes the workload and makes another one of the same name."""
    await begin(ward)
    ward.server.deployment["metadata"]["uid"] = "uid-of-another"


async def changed(ward: Any) -> None:
    await permitted(ward)
    ward.server.deployment["metadata"]["generation"] += 1


async def always_changing(ward: Any) -> None:
    def moves_on(what: str, _: str) -> None:
        if what == "read deployments" and ward.now_there.state is S.CLAIMED:
            ward.server.deployment["metadata"]["generation"] += 1

    ward.meddlers.append(moves_on)
    await permitted(ward)
    await ward.bring_up(JUDGE)  # it permits again and again


async def refused(ward: Any, use: str) -> None:
    at(ward, use, "arrives", lambda: JSONResponse({"message": "another webhook says no"}, status_code=403), always=True)
    await permitted(ward)


def reply_lost() -> Response:
    return JSONResponse({"message": "the reply is lost"}, status_code=502)


async def lost(ward: Any, moment: str, then: Callable[[Any], None] = lambda _: None) -> None:
    """The connection breaks as the write arrives, or once it is stored."""

    def breaks() -> Response:
        then(ward)
        return reply_lost()

    at(ward, "forward", moment, breaks)
    await permitted(ward)


def moved_by_another(ward: Any) -> None:
    ward.server.deployment["spec"]["replicas"] = 7


async def moved_while_watched(ward: Any) -> None:
    def moves(what: str, _: str) -> None:
        if what == "read deployments" and ward.now_there.state is S.APPLIED:
            moved_by_another(ward)

    ward.meddlers.append(moves)
    await permitted(ward)


async def sending_was_killed(ward: Any) -> None:
    """The executor died with its write about to go out: the next one reads back."""
    await permitted(ward)
    await died_at(ward, EXECUTOR, Point("after", "claimed-sending"))


async def claimed_was_killed(ward: Any) -> None:
    await permitted(ward)
    await died_at(ward, EXECUTOR, Point("after", "permitted-claimed"))


async def undoing_was_killed(ward: Any) -> None:
    await permitted(ward)
    await died_at(ward, EXECUTOR, Point("after", "applied-undoing"))


def at(ward: Any, what: str, moment: str, act: Callable[[], Response | None], *, always: bool = False) -> None:
    """Act when this request comes: the first time, or each time."""
    left = [True]

    def meddler(request: str, now: str) -> Response | None:
        if (request, now) == (what, moment) and (always or left):
            left.clear()
            return act()
        return None

    ward.meddlers.append(meddler)


# ---- the stories


class Story(NamedTuple):
    """`by` makes the move and is killed at it; `begin` brings the action before it. `ends` is where it may end, whatever dies."""

    by: str
    ends: tuple[ActionState, ...]
    begin: Callable[[Any], Awaitable[None]] = nothing
    autonomy: str = "auto"
    settles: bool = True


WELL = (S.VERIFIED,)
BACK = (S.ROLLED_BACK,)
OR_NEVER_SENT = (S.VERIFIED, S.FAILED)
"""Killed between the commit and the write, nothing was sent: read back, and it ends as failed."""

STORIES: dict[Move, tuple[Story, ...]] = {
    (S.SUBMITTED, S.PERMITTED): (Story(JUDGE, WELL),),
    (S.SUBMITTED, S.NEEDS_APPROVAL): (Story(JUDGE, WELL, autonomy="suggest"),),
    (S.SUBMITTED, S.DENIED): (Story(JUDGE, (S.DENIED,), autonomy="observe"),),
    (S.SUBMITTED, S.EXPIRED): (Story(JUDGE, (S.EXPIRED,), partial(later, hours=3)),),
    (S.SUBMITTED, S.CANCELLED): (Story(DOOR, (S.CANCELLED,)),),
    (S.NEEDS_APPROVAL, S.APPROVED): (Story(JUDGE, WELL, partial(decided, decision="approved"), "suggest"),),
    (S.NEEDS_APPROVAL, S.DENIED): (Story(JUDGE, (S.DENIED,), partial(decided, decision="denied"), "suggest"),),
    (S.NEEDS_APPROVAL, S.EXPIRED): (Story(JUDGE, (S.EXPIRED,), partial(later, hours=25, begin=waits_for_people), "suggest"),),
    (S.NEEDS_APPROVAL, S.CANCELLED): (Story(DOOR, (S.CANCELLED,), waits_for_people, "suggest"),),
    (S.APPROVED, S.PERMITTED): (Story(JUDGE, WELL, approved, "suggest"),),
    (S.APPROVED, S.NEEDS_APPROVAL): (Story(JUDGE, WELL, partial(approved, minutes=55), "suggest"),),
    (S.APPROVED, S.DENIED): (Story(JUDGE, (S.DENIED,), partial(replaced, begin=approved), "suggest"),),
    (S.APPROVED, S.EXPIRED): (Story(JUDGE, (S.EXPIRED,), partial(approved, minutes=120), "suggest"),),
    (S.APPROVED, S.CANCELLED): (Story(DOOR, (S.CANCELLED,), approved, "suggest"),),
    (S.PERMITTED, S.CLAIMED): (Story(EXECUTOR, WELL, permitted),),
    (S.PERMITTED, S.SUBMITTED): (Story(EXECUTOR, WELL, partial(permitted_long_ago, minutes=3)),),
    (S.PERMITTED, S.EXPIRED): (Story(JUDGE, (S.EXPIRED,), partial(permitted_long_ago, minutes=180)),),
    (S.PERMITTED, S.CANCELLED): (Story(DOOR, (S.CANCELLED,), permitted),),
    (S.CLAIMED, S.SENDING): (Story(EXECUTOR, OR_NEVER_SENT, permitted),),
    (S.CLAIMED, S.SUBMITTED): (Story(EXECUTOR, WELL, changed), Story(EXECUTOR, WELL, claimed_was_killed)),
    (S.CLAIMED, S.FAILED): (Story(EXECUTOR, (S.FAILED, S.DENIED), partial(replaced, begin=permitted)),),
    (S.CLAIMED, S.EXPIRED): (Story(EXECUTOR, (S.EXPIRED,), always_changing),),
    (S.SENDING, S.APPLIED): (Story(EXECUTOR, WELL, permitted),),
    (S.SENDING, S.FAILED): (Story(EXECUTOR, (S.FAILED,), partial(refused, use="forward")),),
    (S.SENDING, S.UNKNOWN): (Story(EXECUTOR, WELL, partial(lost, moment="stored")), Story(EXECUTOR, (S.FAILED,), sending_was_killed)),
    (S.UNKNOWN, S.APPLIED): (Story(EXECUTOR, WELL, partial(lost, moment="stored")),),
    (S.UNKNOWN, S.FAILED): (Story(EXECUTOR, (S.FAILED,), partial(lost, moment="arrives")),),
    (S.UNKNOWN, S.ESCALATED): (Story(EXECUTOR, (S.ESCALATED,), partial(lost, moment="stored", then=moved_by_another)),),
    (S.APPLIED, S.VERIFIED): (Story(EXECUTOR, WELL, permitted),),
    (S.APPLIED, S.UNDOING): (Story(EXECUTOR, BACK, permitted, settles=False),),
    (S.APPLIED, S.ESCALATED): (Story(EXECUTOR, (S.ESCALATED,), moved_while_watched, settles=False),),
    (S.UNDOING, S.ROLLED_BACK): (
        Story(EXECUTOR, BACK, permitted, settles=False),
        Story(EXECUTOR, BACK, undoing_was_killed, settles=False),
    ),
    (S.UNDOING, S.ESCALATED): (Story(EXECUTOR, (S.ESCALATED,), partial(refused, use="undo"), settles=False),),
}

STEPS: dict[str, tuple[int, Story]] = {
    "permit.spent": (1, Story(EXECUTOR, WELL, permitted)),
    "permit.spent for the undo": (2, Story(EXECUTOR, BACK, permitted, settles=False)),
    "approval.approved": (1, Story(DOOR, WELL, waits_for_people, "suggest")),
    "approval.denied": (1, Story(DOOR, (S.DENIED,), waits_for_people, "suggest")),
}
"""Commits that move no action: which of its kind in the life of the process, and how it comes to it."""

ON_THE_WIRE: dict[tuple[str, str], Story] = {
    ("preview", "arrives"): Story(JUDGE, WELL),
    ("forward dry run", "arrives"): Story(EXECUTOR, WELL, permitted),
    ("forward", "arrives"): Story(EXECUTOR, (S.FAILED,), permitted),
    ("forward", "stored"): Story(EXECUTOR, WELL, permitted),
    ("undo dry run", "arrives"): Story(EXECUTOR, BACK, permitted, settles=False),
    ("undo", "arrives"): Story(EXECUTOR, BACK, permitted, settles=False),
    ("undo", "stored"): Story(EXECUTOR, BACK, permitted, settles=False),
}
"""The sender is killed as its request arrives, which is then lost, or once the write is stored and before the reply."""


def moves() -> list[Move]:
    """The whole table."""
    return [(old, new) for old in ActionState for new in sorted(TRANSITIONS.get(old, ()))]


def commits() -> Iterator[Any]:
    for move in moves():
        for number, story in enumerate(STORIES.get(move, (None,)), 1):
            for when in ("before", "after"):
                point = Point(when, "-".join(move))
                yield pytest.param(point, story, id=f"{point}{f' ({number})' if number > 1 else ''}")
    for name, (nth, story) in STEPS.items():
        for when in ("before", "after"):
            yield pytest.param(Point(when, name.split()[0], nth), story, id=f"{when} {name}")


def test_every_move_of_the_table_has_its_kill_points() -> None:
    assert set(STORIES) == set(moves())
    listed = {(param.values[0].when, param.values[0].record) for param in commits()}
    assert listed >= {(when, "-".join(move)) for move in moves() for when in ("before", "after")}


@pytest.mark.parametrize(("point", "story"), list(commits()))
async def test_a_process_killed_at_a_commit_costs_nothing_but_time(ward: Any, point: Point, story: Story | None) -> None:
    assert story is not None, f"{point.record} is a move of the table, and nobody told how a process comes to it: add its story"
    await begun(ward, story)
    await (typed(ward, point) if story.by == DOOR else died_at(ward, story.by, point))
    committed = Counter(name_of(row.event, row.body) for row in records(ward))
    assert (committed[point.record] >= point.nth) is (point.when == "after"), "it died on the other side of its commit"
    if story.by == DOOR:
        await typed_again(ward, point)
    await finished(ward, story)


@pytest.mark.parametrize(("what", "moment"), list(ON_THE_WIRE))
async def test_a_sender_killed_with_its_request_on_the_wire_costs_nothing_but_time(ward: Any, what: str, moment: str) -> None:
    story = ON_THE_WIRE[what, moment]
    await begun(ward, story)

    def kills() -> Response:
        ward.alive[story.by].kill()
        return reply_lost()

    at(ward, what, moment, kills)
    child = await ward.bring_up(story.by)
    assert await child.end() == -signal.SIGKILL
    del ward.alive[story.by]
    await finished(ward, story)


# ---- how a story goes


async def begun(ward: Any, story: Story) -> None:
    ward.declare(story.autonomy)
    ward.server.settles = story.settles
    ward.action = await ward.submit()
    await story.begin(ward)


async def died_at(ward: Any, role: str, point: Point) -> None:
    """This role comes to the point, and is gone."""
    child = await ward.bring_up(role, point)
    async with ward.patience(f"the {role} never came to {point}"):
        assert await child.end() == -signal.SIGKILL, ward.told(role)
    assert child.died == role, f"the {child.died} made this record"
    del ward.alive[role]


async def typed(ward: Any, point: Point) -> None:
    """A person's command dies at the point."""
    child = await ward.type_in(*words(ward, point), point=point)
    assert await child.end() == -signal.SIGKILL, ward.told(DOOR)
    assert child.died == DOOR


async def typed_again(ward: Any, point: Point) -> None:
    """The same command once more: it works, or says that this person has decided already."""
    child = await ward.type_in(*words(ward, point))
    decided_already = point.when == "after" and point.record.startswith("approval.")
    assert (await child.end() != 0) is decided_already, ward.told(DOOR)


def words(ward: Any, point: Point) -> tuple[str, ...]:
    command = {"approval.approved": ("approve",), "approval.denied": ("deny",)}.get(point.record, ("action", "cancel"))
    return (*command, ward.action, "--reason", "looked at it")


async def finished(ward: Any, story: Story) -> None:
    """Whoever is needed works, until the action has ended; who died starts again whatever the end is."""
    if story.by != DOOR:
        await ward.bring_up(story.by)
    while (row := ward.now_there).state not in TERMINAL:
        role = AT_WORK.get(row.state, EXECUTOR)
        if role not in ward.alive:
            await ward.bring_up(role)
        if row.state is S.NEEDS_APPROVAL and row.expires_at > ward.server.now:
            ward.approve()
        await ward.leaves(row.state)
    for role in [role for role in ward.alive if role != DOOR]:
        await ward.lay_down(role)
    check_the_promises(ward, story)


# ---- what must hold


def check_the_promises(ward: Any, story: Story) -> None:
    row, used = ward.now_there, [permits.read(token, ward.judge_key) for token in ward.server.effects]
    forward, undo = [permit for permit in used if permit.use == "forward"], [permit for permit in used if permit.use == "undo"]
    assert row.state in story.ends, row.note
    assert len(forward) <= 1, "one action had two effects"
    assert len(undo) <= 1
    assert not ward.wrongs
    check_the_record(ward, row.state, {permit.jti for permit in used})
    if story.autonomy == "suggest" and forward:
        assert set(Verdict.model_validate_json(row.verdict).facts.approvals) & set(ward.approved_by(row.digest))
    match row.state:
        case S.VERIFIED:
            assert (len(forward), len(undo), ward.server.deployment["spec"]["replicas"]) == (1, 0, 4)
        case S.ROLLED_BACK:
            assert (len(forward), len(undo), ward.server.deployment["spec"]["replicas"]) == (1, 1, 2)
        case S.ESCALATED:
            assert len(forward) == 1
        case _:
            assert not used


def check_the_record(ward: Any, end: ActionState, used: set[str]) -> None:
    """Each legal move once and in one piece from the submission to where the action stands, and each permit that was used."""
    found = records(ward)
    passed = [tuple(name_of(row.event, row.body).split("-")) for row in found if "-" in name_of(row.event, row.body)]
    assert all(allowed(ActionState(old), ActionState(new)) for old, new in passed)
    assert [row.event for row in found].count("submitted") == 1 + sum(new == S.SUBMITTED for _, new in passed)
    balance = Counter(new for _, new in passed)
    balance.subtract(old for old, _ in passed)
    balance[S.SUBMITTED] += 1
    assert +balance == Counter([end.value]), "the record does not lead to where the action stands"
    assert {row.subject for row in found} == {ward.action}
    spent = {row.body.split('"jti":"')[1].split('"')[0] for row in found if row.event == "permit.spent"}
    assert used <= spent, "an effect without a record"


def records(ward: Any) -> list[AuditRow]:
    """The audit records of the action. The one place here that knows how chains are read and verified."""
    signed, bad = audit.signed_heads(ward.folder, ward.folder / "keys")
    sink = list(Sink(ward.folder / "audit.jsonl").rows())
    report = audit.verify_ledger(ward.ledger, head=ward.ledger.head(), sink=sink, signed=signed)
    assert report.whole, report.problems
    assert not bad
    return [row for row in ward.ledger.chain() if row.subject == ward.action]
