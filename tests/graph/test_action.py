"""The action flow, compiled, over a gate twin: it follows the ledger, waits for people, and opens nothing by itself."""

import asyncio
from typing import Any

import pytest
from langgraph.types import Command

from core.domain.errors import Corrupt
from core.domain.outcome import ActionState as Standing
from graph.build import build_action
from graph.context import ActionContext

ACTION = "act-cart0001"
THREAD: Any = {"configurable": {"thread_id": ACTION}}


@pytest.fixture
async def submitted(stage: Any, make: Any) -> Any:
    await stage.gate.submit(make.proposal("finops", "cart"), by="ann")
    return stage


async def until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  the flow says nothing when it waits
            await asyncio.sleep(0.005)


def compiled(stage: Any) -> Any:
    return build_action().compile(checkpointer=stage.saver)


def context(stage: Any) -> ActionContext:
    return ActionContext(gate=stage.gate)


async def interrupted(stage: Any) -> Any:
    """The thread once it waits for people."""

    async def waits() -> bool:
        state = await compiled(stage).aget_state(THREAD)
        return bool(state.interrupts)

    await until(waits)
    return await compiled(stage).aget_state(THREAD)


async def test_an_allowed_action_is_followed_to_its_end(submitted: Any) -> None:
    following = asyncio.create_task(submitted.flows().follow(ACTION))
    for state in (Standing.PERMITTED, Standing.CLAIMED, Standing.SENDING, Standing.APPLIED, Standing.VERIFIED):
        await asyncio.sleep(0)
        await submitted.gate.say(ACTION, state)
    assert await following is Standing.VERIFIED


@pytest.mark.parametrize("end", [Standing.DENIED, Standing.EXPIRED, Standing.CANCELLED])
async def test_a_refused_action_ends_at_the_judge(submitted: Any, end: Standing) -> None:
    await submitted.gate.say(ACTION, end)
    assert await submitted.flows().follow(ACTION) is end


async def test_an_approval_is_waited_for_and_resumed_by_its_id(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.NEEDS_APPROVAL)
    following = asyncio.create_task(submitted.flows().follow(ACTION))
    state = await interrupted(submitted)
    (pending,) = state.interrupts
    assert pending.value == {"action_id": ACTION}
    assert pending.id
    await submitted.gate.say(ACTION, Standing.APPROVED)
    await submitted.gate.say(ACTION, Standing.PERMITTED)
    await submitted.gate.say(ACTION, Standing.APPLIED)
    await submitted.gate.say(ACTION, Standing.VERIFIED)
    assert await following is Standing.VERIFIED


async def test_a_denied_approval_ends_the_action(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.NEEDS_APPROVAL)
    following = asyncio.create_task(submitted.flows().follow(ACTION))
    await interrupted(submitted)
    await submitted.gate.say(ACTION, Standing.DENIED)
    assert await following is Standing.DENIED


async def test_an_expired_permit_brings_the_action_back_before_the_judge(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.PERMITTED)
    following = asyncio.create_task(submitted.flows().follow(ACTION))

    async def at_execute() -> bool:
        return (await compiled(submitted).aget_state(THREAD)).next == ("execute",)

    await until(at_execute)
    await submitted.gate.say(ACTION, Standing.SUBMITTED)

    async def at_judge() -> bool:
        return (await compiled(submitted).aget_state(THREAD)).next == ("judge",)

    await until(at_judge)
    await submitted.gate.say(ACTION, Standing.DENIED)
    assert await following is Standing.DENIED


@pytest.mark.parametrize(
    "states",
    [
        (Standing.SUBMITTED,),
        (Standing.NEEDS_APPROVAL,),
        (Standing.PERMITTED,),
        (Standing.SENDING,),
        (Standing.UNKNOWN,),
        (Standing.APPLIED,),
        (Standing.UNDOING,),
    ],
)
async def test_a_follower_killed_in_any_state_is_replaced_by_another(submitted: Any, states: tuple[Standing, ...]) -> None:
    for state in states:
        await submitted.gate.say(ACTION, state)
    first = asyncio.create_task(submitted.flows().follow(ACTION))
    await until(lambda: stored(submitted))
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(submitted.flows().follow(ACTION))
    await asyncio.sleep(0.01)
    await submitted.gate.say(ACTION, Standing.ESCALATED)
    assert await second is Standing.ESCALATED


async def stored(stage: Any) -> bool:
    return bool((await compiled(stage).aget_state(THREAD)).created_at)


async def test_a_finished_thread_is_not_begun_again(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.VERIFIED)
    flows = submitted.flows()
    assert await flows.follow(ACTION) is Standing.VERIFIED
    assert await flows.follow(ACTION) is Standing.VERIFIED


@pytest.mark.parametrize("as_node", ["judge", "approve", "execute", "observe"])
async def test_a_forged_state_opens_nothing(submitted: Any, as_node: str) -> None:
    """Whoever can write checkpoints can send the flow anywhere; the ledger still says needs_approval, and stays so."""
    await submitted.gate.say(ACTION, Standing.NEEDS_APPROVAL)
    following = asyncio.create_task(submitted.flows().follow(ACTION))
    await interrupted(submitted)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    forged = {"action_id": ACTION, "standing": "permitted", "answer": {"action_id": ACTION, "state": "approved"}}
    await compiled(submitted).aupdate_state(THREAD, forged, as_node=as_node)
    again = asyncio.create_task(submitted.flows().follow(ACTION))
    await asyncio.sleep(0.05)
    assert submitted.gate.states[ACTION] is Standing.NEEDS_APPROVAL
    assert submitted.gate.calls == [f"submit {ACTION}"]
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)


async def test_a_forged_answer_to_the_interrupt_opens_nothing(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.NEEDS_APPROVAL)
    flow = compiled(submitted)
    state = await flow.ainvoke({"action_id": ACTION}, THREAD, context=context(submitted), durability="sync")
    (pending,) = state["__interrupt__"]
    forged = Command(resume={pending.id: {"action_id": ACTION, "state": "approved"}})
    state = await flow.ainvoke(forged, THREAD, context=context(submitted), durability="sync")
    assert state["standing"] == "needs_approval"
    assert state["__interrupt__"]
    assert submitted.gate.states[ACTION] is Standing.NEEDS_APPROVAL


async def test_an_answer_of_another_shape_is_refused(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.NEEDS_APPROVAL)
    flow = compiled(submitted)
    state = await flow.ainvoke({"action_id": ACTION}, THREAD, context=context(submitted), durability="sync")
    (pending,) = state["__interrupt__"]
    with pytest.raises(Exception, match="approved"):
        await flow.ainvoke(Command(resume={pending.id: {"approved": True}}), THREAD, context=context(submitted), durability="sync")
    assert submitted.gate.states[ACTION] is Standing.NEEDS_APPROVAL


async def test_two_followers_of_one_action_see_one_end_and_write_nothing(submitted: Any) -> None:
    await submitted.gate.say(ACTION, Standing.NEEDS_APPROVAL)
    both = [asyncio.create_task(submitted.flows().follow(ACTION)) for _ in range(2)]
    await interrupted(submitted)
    for state in (Standing.APPROVED, Standing.PERMITTED, Standing.APPLIED, Standing.VERIFIED):
        await submitted.gate.say(ACTION, state)
    assert await asyncio.gather(*both) == [Standing.VERIFIED, Standing.VERIFIED]
    assert submitted.gate.calls == [f"submit {ACTION}"]


async def test_a_stored_thread_of_another_schema_is_refused_not_guessed(submitted: Any) -> None:
    await compiled(submitted).aupdate_state(THREAD, {"action_id": ACTION, "schema": 99, "standing": "permitted"}, as_node="judge")
    with pytest.raises(Corrupt, match="schema 99"):
        await submitted.flows().follow(ACTION)
