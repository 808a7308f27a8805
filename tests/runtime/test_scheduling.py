"""What is due becomes one request, what came of it one report, whoever looks and whoever dies in between."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.intake import Stage
from core.domain.objective import Autonomy
from core.domain.outcome import ActionState as S
from core.domain.timetable import Pause, Sending, TickState
from core.policy.schedules import Budget, Window, Windows
from runtime.scheduling import CLAIMED_FOR, DIGEST
from tests.runtime.scheduled import AT, Office, schedule

T = TickState
QUARTER = 15 * 60


def states(office: Office, name: str = "s") -> list[str]:
    return [tick.state.value for tick in reversed(office.timetable.recent(name))]


async def begun(office: Office) -> str:
    """The run of the next tick."""
    office.clock.advance(QUARTER)
    (run,) = await office.look()
    return run


async def test_a_tick_becomes_a_request_of_its_schedule() -> None:
    office = Office([schedule(text="right-size", agents=("finops",), namespaces=("shop",), ceiling=Autonomy.SUGGEST)])
    assert await office.look() == []
    run = await begun(office)
    (request,) = office.asked()
    assert (request.id, request.trigger, request.by, request.text) == (run, "schedule", "schedule:s", "right-size")
    assert (request.namespaces, request.agents, request.act, request.leash.ceiling) == (("shop",), ("finops",), True, "suggest")
    assert await office.look() == []
    assert len(office.asked()) == 1


@pytest.mark.parametrize(
    ("ceiling", "acts"), [(Autonomy.OBSERVE, False), (Autonomy.SUGGEST, True), (Autonomy.GUARDED, True), (Autonomy.AUTO, True)]
)
async def test_one_that_only_observes_submits_nothing(ceiling: Autonomy, acts: bool) -> None:
    office = Office([schedule(ceiling=ceiling)])
    await office.look()
    await begun(office)
    assert (office.asked()[0].act, office.asked()[0].leash.ceiling) == (acts, ceiling.value)


async def test_a_secret_in_its_text_does_not_reach_the_intake() -> None:
    office = Office([schedule(text="log in with password=hunter2secret please")])
    await office.look()
    await begun(office)
    assert "hunter2secret" not in office.asked()[0].text


async def test_with_skip_a_tick_behind_a_run_that_goes_on_is_left_out_with_queue_it_waits() -> None:
    office = Office([schedule("skips"), schedule("queues", overlap="queue")])
    await office.look()
    for _ in range(3):
        office.clock.advance(QUARTER)
        await office.look()
    assert states(office, "skips") == ["running", "skipped", "skipped"]
    assert states(office, "queues") == ["running", "due", "due"]
    for _ in range(4):
        office.end()
        await office.look()
        await office.look()
    assert states(office, "skips") == ["ended", "skipped", "skipped"]
    assert states(office, "queues") == ["ended", "ended", "ended"]


async def test_of_ticks_that_wait_the_oldest_begins_first_in_whatever_order_they_are_tried() -> None:
    office = Office([schedule(overlap="queue", catch_up="all")])
    await office.look()
    office.clock.advance(3 * QUARTER)
    runs = office.scheduling.look()
    assert [office.scheduling.begin(run) for run in reversed(runs)] == [False, False, True]


async def test_a_queue_is_bounded() -> None:
    office = Office([schedule(overlap="queue")])
    await office.look()
    for _ in range(28):
        office.clock.advance(QUARTER)
        await office.look()
    assert states(office).count("due") == 24
    assert {tick.note for tick in office.timetable.standing(T.SKIPPED)} == {"24 ticks wait already"}


async def test_outside_its_windows_it_does_not_run_or_does_not_write() -> None:
    night = (Window(begins="22:00", ends="23:00"),)
    office = Office(
        [
            schedule("runs", windows=Windows(run=night)),
            schedule("writes", ceiling=Autonomy.AUTO, windows=Windows(write=night)),
            schedule("both", ceiling=Autonomy.AUTO, windows=Windows(write=(Window(begins="09:00", ends="09:20"),))),
        ]
    )
    await office.look()
    office.clock.advance(QUARTER)
    await office.look()
    assert states(office, "runs") == ["skipped"]
    by_name = {request.by: request for request in office.asked()}
    assert not by_name["schedule:writes"].act
    assert by_name["schedule:both"].act
    assert by_name["schedule:both"].leash.until == AT + timedelta(minutes=20)


async def test_what_was_paused_or_suspended_is_not_made_up_for() -> None:
    office = Office([schedule(catch_up="all"), schedule("off", suspended=True)])
    await office.look()
    office.timetable.pause(Pause("s", "local:jane", "the shop moves", AT))
    for _ in range(4):
        office.clock.advance(QUARTER)
        assert await office.look() == []
    office.timetable.resume("s")
    office.clock.advance(60)
    assert await office.look() == []
    office.clock.advance(QUARTER)
    assert len(await office.look()) == 1
    assert states(office, "off") == []


async def test_the_writes_of_a_day_are_counted_over_its_runs_and_what_waits_keeps_its_place() -> None:
    office = Office([schedule(ceiling=Autonomy.AUTO, budget=Budget(writes_per_run=3, writes_per_day=4))])
    await office.look()
    run = await begun(office)
    assert office.asked()[-1].budget.writes == 3
    for number in (1, 2, 3):
        office.submit(number, run)
    office.move(1, S.DENIED)  # it never writes, so its place is free again
    office.move(2, S.NEEDS_APPROVAL)
    office.end()
    await office.look()
    run = await begun(office)
    assert office.asked()[-1].budget.writes == 2
    for number in (4, 5):
        office.submit(number, run)
    office.end()
    await office.look()
    await begun(office)
    assert (office.asked()[-1].budget.writes, office.asked()[-1].act) == (0, False)
    office.end()
    for number in (3, 4, 5):
        office.move(number, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED)
    await office.look()
    office.clock.advance(15 * 3600)  # past midnight
    await office.look()
    assert office.asked()[-1].budget.writes == 3  # of four, one is kept for what still waits


async def test_a_report_says_what_was_seen_done_refused_saved_and_left_and_follows_what_ends_later() -> None:
    office = Office([schedule(ceiling=Autonomy.AUTO, report_to=("inbox",))])
    await office.look()
    run = await begun(office)
    for number in (1, 2, 3):
        office.submit(number, run)
    office.move(1, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED)
    office.move(2, S.DENIED)
    office.move(3, S.NEEDS_APPROVAL)
    office.end(
        findings=[{"id": "fnd-1", "code": "FIN-101", "title": "too large", "severity": "medium"}], missing=[{"agent": "x", "reason": "y"}]
    )
    await office.look()
    (found,) = office.timetable.reports()
    assert (found.severities, len(found.done), len(found.refused), len(found.left)) == ({"medium": 1}, 1, 1, 1)
    assert (found.saved_micro_usd, found.writes, found.waits, found.complete, found.missing) == (10_000_000, 1, 1, False, ("x: y",))
    office.clock.advance(24 * 3600)
    office.schedules.clear()
    office.move(3, S.EXPIRED)
    await office.look()
    (found,) = office.timetable.reports()
    assert (found.complete, [line.state for line in found.left]) == (True, ["expired"])
    ((title, text, _),) = office.inbox.got
    assert title == "s: 1 seen, 1 done, 1 refused, 1 left to people, 10.00 USD a month saved"
    assert "scale" in text
    assert "day2 approvals" in text


async def test_what_one_that_only_observes_would_have_proposed_is_left_to_people() -> None:
    from tests.runtime.scheduled import proposal

    office = Office([schedule()])
    await office.look()
    run = await begun(office)
    office.end(proposals=[proposal(1, run).model_dump(mode="json")])
    await office.look()
    (found,) = office.timetable.reports()
    assert [(line.state, line.id) for line in found.left] == [("proposed", "act-0001")]
    assert found.complete


async def test_a_run_that_failed_is_reported_as_that() -> None:
    office = Office([schedule()])
    await office.look()
    await begun(office)
    office.end(stage=Stage.FAILED, note="the registry is unavailable")
    await office.look()
    assert states(office) == ["failed"]
    (found,) = office.timetable.reports()
    assert (found.ended, found.note, found.complete) == ("failed", "the registry is unavailable", True)


async def test_a_channel_that_is_down_is_tried_again_later_and_told_once() -> None:
    office = Office([schedule(report_to=("inbox", "nowhere"))])
    await office.look()
    run = await begun(office)
    office.inbox.down = True
    office.end()
    await office.look()
    await office.look()
    assert office.timetable.sending(run) is Sending.UNSENT
    office.inbox.down = False
    office.clock.advance(60)
    await office.look()
    assert office.inbox.got == []
    office.clock.advance(300)
    await office.look()
    await office.look()
    assert len(office.inbox.got) == 1
    assert office.timetable.sending(run) is Sending.SENT


async def test_a_schedule_that_went_between_its_begin_and_its_request_leaves_nothing_open() -> None:
    office = Office([schedule()])
    await office.look()
    office.clock.advance(QUARTER)
    (run,) = office.scheduling.look()
    assert office.timetable.begin(run, office.clock.now())
    office.schedules.clear()
    await office.look()
    assert states(office) == ["skipped"]
    assert office.asked() == []


async def test_a_person_may_have_it_run_out_of_turn_even_while_it_is_paused() -> None:
    from runtime.services import schedules

    office = Office([schedule(windows=Windows(run=(Window(begins="22:00", ends="23:00"),)), ceiling=Autonomy.SUGGEST)])
    office.timetable.pause(Pause("s", "local:jane", "x", AT))
    await office.look()
    item = schedules.Standing(office.schedules[0], "s.yaml", "", None, (), None)
    tick = schedules.run_now(item, office.timetable, "local:jane", office.clock.now())
    assert schedules.run_now(item, office.timetable, "local:jane", office.clock.now()) == tick
    assert await office.look() == [tick.run_id]
    (request,) = office.asked()
    assert (request.by, request.trigger, request.leash.ceiling) == ("local:jane", "schedule", "suggest")


async def test_the_digest_is_sent_once_by_whoever_is_first() -> None:
    office = Office([schedule()])
    office.digest = schedule(DIGEST, cron="0 8 * * 1", report_to=("inbox",))
    one, other = office.opened(), office.opened()
    for scheduling in (one, other):
        scheduling.look()
    office.clock.advance(7 * 86400)
    for scheduling in (one, other, one):
        assert all(office.timetable.get(run).schedule == "s" for run in scheduling.look())  # type: ignore[union-attr]
        await scheduling.follow()
    ((title, text, page),) = office.inbox.got
    assert title == "Autonomous runs, 2026-05-04 to 2026-05-11"
    assert text.startswith("# Autonomous runs")
    assert "With plots: https://day2.example/reports/weekly?until=2026-05-11\n" in text
    assert page.startswith("<!doctype html>")


async def test_a_digest_whose_sender_died_is_not_sent_again() -> None:
    office = Office([])
    office.digest = schedule(DIGEST, cron="0 8 * * 1", report_to=("inbox",))
    scheduling = office.opened()
    scheduling.look()
    office.clock.advance(7 * 86400)
    scheduling.look()
    (tick,) = office.timetable.standing(T.DUE)
    assert office.timetable.begin(tick.run_id, office.clock.now())  # and there it died
    office.clock.advance(int(CLAIMED_FOR.total_seconds()) + 1)
    await scheduling.follow()
    found = office.timetable.get(tick.run_id)
    assert found is not None
    assert (found.state, found.note) == (T.FAILED, "it is not known whether it was sent")
    assert office.inbox.got == []


class KilledError(BaseException):
    """The process is gone: nothing of it runs on."""


class Fragile:
    """A port whose process may die before or after any call."""

    def __init__(self, port: Any, fuse: list[int]) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        made = getattr(self._port, name)

        def call(*given: Any, **named: Any) -> Any:
            self._burn()
            answer = made(*given, **named)
            self._burn()
            return answer

        return call

    def _burn(self) -> None:
        self._fuse[0] -= 1
        if self._fuse[0] == 0:
            raise KilledError


@pytest.mark.parametrize("overlap", ["skip", "queue"])
async def test_killed_at_any_call_of_a_port_each_tick_still_runs_once(overlap: Any) -> None:
    calls = 0
    for point in range(1, 1000):
        office = Office([schedule(overlap=overlap, ceiling=Autonomy.AUTO, budget=Budget(writes_per_day=9), report_to=("inbox",))])
        fuse = [10**9]
        timetable, intake, ledger = office.timetable, office.intake, office.ledger
        office.timetable, office.intake, office.ledger = (Fragile(port, fuse) for port in (timetable, intake, ledger))  # type: ignore[assignment]
        office.scheduling = office.opened()
        await office.look()
        fuse[0] = point
        died = 0
        for _ in range(2):
            office.clock.advance(QUARTER)
            for _ in range(3):
                try:
                    await office.look()
                except KilledError:
                    died += 1
                    office.scheduling = office.opened()
            for item in intake.open():
                office.answers[item.request.id] = {"asked": [], "findings": [], "proposals": [], "held": [], "missing": []}
                intake.move(item.request.id, expected=frozenset({item.stage}), to=Stage.ENDED, at=office.clock.now())
            for _ in range(2):
                try:
                    await office.look()
                except KilledError:
                    died += 1
                    office.scheduling = office.opened()
        ticks = timetable.recent("s")
        assert [tick.state for tick in ticks] == [T.ENDED] * 2, (point, ticks)
        assert len(intake.recent()) == len(timetable.reports()) == 2
        assert len(office.inbox.got) == len(set(office.inbox.got))
        if not died:
            break
        calls += 1
    assert calls > 40
    assert not died
