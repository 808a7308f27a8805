"""The run flow, compiled, over twins."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core.domain.errors import NotAuthorised, Refused, Unavailable
from core.domain.outcome import ActionState as Standing
from core.domain.request import RunBudget
from graph.routes import Choice, Route


async def test_findings_are_shown_worst_first_and_winners_submitted(stage: Any, make: Any) -> None:
    response = await stage.flows().run(make.request())
    assert response["asked"] == ["finops", "reliability"]
    assert {row["agent"] for row in response["findings"]} == {"finops", "reliability"}
    assert [row["state"] for row in response["submitted"]] == ["submitted", "submitted"]
    assert len(stage.gate.states) == 2
    assert response["missing"] == []


async def test_without_act_nothing_is_submitted(stage: Any, make: Any) -> None:
    response = await stage.flows().run(make.request(act=False))
    assert len(response["proposals"]) == 2
    assert stage.gate.calls == []


async def test_secrets_are_taken_out_of_a_request_before_it_is_stored_or_shown(stage: Any, make: Any) -> None:
    await stage.flows().run(make.request(text="my password is hunter2"))
    stored = [saved async for saved in stage.saver.alist({"configurable": {"thread_id": "run-1"}})]
    latest = stored[0].checkpoint["channel_values"]
    assert "hunter2" not in str(latest)


async def test_nobody_fits_is_an_honest_answer(stage: Any, make: Any) -> None:
    stage.chooser.route = Route((), nobody="no registered agent fits these words")
    response = await stage.flows().run(make.request())
    assert response["nobody"] == "no registered agent fits these words"
    assert (response["asked"], stage.agents.asked) == ([], [])


async def test_an_agent_that_would_be_asked_but_is_not_alive_is_said(stage: Any, make: Any) -> None:
    stage.chooser.route = Route((Choice("finops", "cost"),), absent=(Choice("scaling", "load; but it is expired"),))
    response = await stage.flows().run(make.request())
    assert response["missing"] == [{"agent": "scaling", "reason": "load; but it is expired"}]


async def test_a_late_agent_becomes_a_finding_and_the_others_count(make: Any) -> None:
    async def never(_: Any) -> Any:
        await asyncio.Event().wait()

    stage = make.Stage(seconds=0.1)
    stage.agents.answers["finops"] = never
    response = await stage.flows().run(make.request())
    assert response["missing"] == [{"agent": "finops", "reason": "no answer within 0.1 s"}]
    absent = [row for row in response["findings"] if row["code"] == "DAY-101"]
    assert [(row["agent"], row["title"]) for row in absent] == [("finops", "agent finops did not answer: no answer within 0.1 s")]
    assert response["coverage"]["not_run"] == [{"check": "finops (all)", "reason": "no answer within 0.1 s"}]
    assert [row["agent"] for row in response["proposals"]] == ["reliability"]


@pytest.mark.parametrize(
    "error", [Unavailable("the API server", reason="gone"), NotAuthorised("pods is forbidden"), RuntimeError("a defect"), KeyError("x")]
)
async def test_a_failing_agent_becomes_a_finding_and_the_others_count(stage: Any, make: Any, error: Exception) -> None:
    async def fails(_: Any) -> Any:
        raise error

    stage.agents.answers["reliability"] = fails
    response = await stage.flows().run(make.request())
    (missing,) = response["missing"]
    assert missing["agent"] == "reliability"
    assert str(error) in missing["reason"]
    assert [row["agent"] for row in response["proposals"]] == ["finops"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"findings": [], "proposals": []},
        {"findings": [{"id": 1}], "proposals": [], "coverage": {}},
        {"findings": [], "proposals": [{"action": {"kind": "run_shell"}}], "coverage": {}},
        {"findings": [], "proposals": "none", "coverage": {}},
        {"findings": None, "proposals": [], "coverage": {}},
    ],
)
async def test_an_answer_that_is_not_understood_stops_nobody_else(stage: Any, make: Any, answer: Any) -> None:
    async def garbled(_: Any) -> Any:
        return answer

    stage.agents.answers["finops"] = garbled
    response = await stage.flows().run(make.request())
    assert [row["agent"] for row in response["missing"]] == ["finops"]
    assert [row["agent"] for row in response["proposals"]] == ["reliability"]


async def test_an_agent_cannot_answer_in_the_name_of_another(stage: Any, make: Any) -> None:
    async def forged(_: Any) -> Any:
        return make.answer("finops", make.proposal("security", "cart"))

    stage.agents.answers["finops"] = forged
    response = await stage.flows().run(make.request())
    assert "in the name of security" in response["missing"][0]["reason"]
    assert {row["agent"] for row in response["proposals"]} == {"reliability"}


async def test_a_hostile_error_text_is_bounded_and_printable(stage: Any, make: Any) -> None:
    async def fails(_: Any) -> Any:
        raise Unavailable("x\x1b[31m\u202e" * 2000)

    stage.agents.answers["finops"] = fails
    (missing,) = (await stage.flows().run(make.request()))["missing"]
    assert len(missing["reason"]) <= 250
    assert missing["reason"].isprintable()


async def test_agents_are_asked_in_parallel(stage: Any, make: Any) -> None:
    meeting = asyncio.Barrier(4)
    names = ("finops", "reliability", "security", "scaling")

    def meets(agent: str) -> Any:
        async def work(_: Any) -> Any:
            await meeting.wait()  # nobody passes before all four are here
            return make.answer(agent)

        return work

    stage.choose(*names)
    stage.agents.answers = {name: meets(name) for name in names}
    response = await stage.flows().run(make.request())
    assert response["missing"] == []


async def test_two_proposals_on_one_target_leave_one_winner_and_one_that_is_told_why(stage: Any, make: Any) -> None:
    async def fin(_: Any) -> Any:
        return make.answer("finops", make.proposal("finops", "cart", 1, 1))

    async def rel(_: Any) -> Any:
        return make.answer("reliability", make.proposal("reliability", "cart", 5, 2))

    stage.agents.answers = {"finops": fin, "reliability": rel}
    response = await stage.flows().run(make.request())
    assert len(response["proposals"]) == 1
    (held,) = response["held"]
    assert held["by"] == response["proposals"][0]["action"]["id"]
    assert held["reason"]


async def test_a_run_submits_no_more_than_its_budget_of_writes(stage: Any, make: Any) -> None:
    response = await stage.flows().run(make.request(budget=RunBudget(writes=1)))
    assert [row["state"] for row in response["submitted"]] == ["submitted", "held"]
    assert "may submit 1" in response["submitted"][1]["note"]
    assert len(stage.gate.states) == 1


async def test_a_budget_of_no_writes_submits_nothing(stage: Any, make: Any) -> None:
    response = await stage.flows().run(make.request(budget=RunBudget(writes=0)))
    assert {row["state"] for row in response["submitted"]} == {"held"}
    assert stage.gate.calls == []


async def test_a_wish_that_is_open_already_is_not_submitted_again(stage: Any, make: Any) -> None:
    await stage.gate.submit(make.proposal("finops", "finops", number=9), by="earlier")
    stage.choose("finops")
    (row,) = (await stage.flows().run(make.request()))["submitted"]
    assert row["state"] == "cancelled"
    assert list(stage.gate.states) == ["act-finops0009"]


async def test_a_finished_run_answers_again_without_working_again(stage: Any, make: Any) -> None:
    first = await stage.flows().run(make.request())
    second = await stage.flows().run(make.request())
    assert first == second
    assert sorted(stage.agents.asked) == ["finops", "reliability"]


async def test_a_gate_that_is_away_for_a_moment_is_tried_again(stage: Any, make: Any) -> None:
    inside, failures = stage.gate.submit, [Unavailable("the ledger")]

    async def submit(proposal: Any, *, by: str) -> Any:
        if failures:
            raise failures.pop()
        return await inside(proposal, by=by)

    stage.gate.submit = submit
    response = await stage.flows().run(make.request())
    assert [row["state"] for row in response["submitted"]] == ["submitted", "submitted"]


async def test_a_gate_that_says_no_is_not_asked_again(stage: Any, make: Any) -> None:
    asked: list[str] = []

    async def submit(proposal: Any, *, by: str) -> Any:
        asked.append(proposal.action.id)
        raise Refused(("the emergency stop is on",))

    stage.gate.submit = submit
    with pytest.raises(Refused):
        await stage.flows().run(make.request())
    assert len(asked) == 1


async def test_two_starts_of_one_run_at_once_submit_each_action_once(stage: Any, make: Any) -> None:
    await asyncio.gather(stage.flows().run(make.request()), stage.flows().run(make.request()))
    assert sorted(stage.gate.states.values()) == [Standing.SUBMITTED, Standing.SUBMITTED]


async def test_what_a_schedule_takes_away_goes_along_with_every_proposal_and_none_waits_past_its_window(stage: Any, make: Any) -> None:
    from core.domain.proposal import Leash

    kept = []

    class Keeping(type(stage.gate)):  # type: ignore[misc]
        async def submit(self, proposal: Any, *, by: str) -> Any:
            kept.append((proposal, by))
            return await super().submit(proposal, by=by)

    stage.change(gate=Keeping())
    usual = make.proposal("finops").expires_at
    until = usual - timedelta(minutes=30)
    request = make.request(by="schedule:night", leash=Leash(ceiling="suggest", until=until))
    await stage.flows().run(request)
    assert len(kept) == 2
    assert {(proposal.leash.ceiling, proposal.leash.until, proposal.expires_at, by) for proposal, by in kept} == {
        ("suggest", until, until, "schedule:night")
    }
