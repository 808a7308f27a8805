"""What a minted permit names, and what is never minted."""

import dataclasses
from datetime import datetime
from typing import Any

import pytest

from core.domain.errors import Conflict
from core.domain.facts import Facts
from core.domain.permit import FORWARD_SECONDS, UNDO_MARGIN_SECONDS, Permit
from gate import permits
from gate.judging import minting
from gate.judging.minting import Reading
from tools.hand_clock import HandClock


class Hasty:
    """A clock that goes on a second whenever it is looked at."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        self._clock.advance(1.0)
        return self._clock.now()


async def minted(gate: Any, action: Any) -> tuple[Permit, Permit | None]:
    name = await gate.submit(gate.proposal(action))
    await gate.judge()
    row = gate.row(name)
    return permits.read(row.permit, gate.hands.judge), permits.read(row.undo_permit, gate.hands.judge) if row.undo_permit else None


async def test_a_permit_pins_the_generation_of_kinds_that_move_it(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["generation"] = 9
    forward, undo = await minted(gate, gate.scale())
    assert undo is not None
    assert (forward.generation, forward.use, undo.generation, undo.use, undo.forward) == (9, "forward", 0, "undo", forward.jti)
    now = int(gate.clock.now().timestamp())
    assert (forward.iat, forward.exp) == (now, now + FORWARD_SECONDS)
    assert undo.exp > forward.exp + UNDO_MARGIN_SECONDS


async def test_a_permit_lives_its_time_also_where_a_second_begins_while_it_is_made(gate: Any) -> None:
    gate.bench = dataclasses.replace(gate.bench, clock=Hasty(gate.clock))
    name = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    permit = permits.read(gate.row(name).permit, gate.hands.judge)
    assert permit.exp - permit.iat == FORWARD_SECONDS
    permits.check_times(permit, permit.iat)


async def test_a_permit_of_a_kind_that_moves_no_generation_pins_none(gate: Any) -> None:
    gate.cluster.object("Pod", "shop", "cart-0")["metadata"] |= {"generation": 4, "ownerReferences": []}
    forward, undo = await minted(gate, gate.delete_pod())
    assert (forward.generation, undo) == (0, None)


@pytest.mark.parametrize("missing", ["live", "request", "after"])
async def test_nothing_is_minted_of_what_was_not_read_or_previewed(gate: Any, missing: str) -> None:
    action = gate.scale()
    name = await gate.submit(gate.proposal(action))
    live = minting.Live(gate.cluster.object("Deployment", "shop", "cart"), {})
    request = action.request(live)
    after = await gate.cluster.preview(request, agent="scaling")
    whole = Reading(Facts(read_at=gate.clock.now(), cluster="cluster-1", exists=True), live, request, after)
    assert minting.mint(gate.bench, gate.row(name), action, whole, "verdict")["permit"]
    with pytest.raises(Conflict, match="not previewed"):
        minting.mint(gate.bench, gate.row(name), action, whole._replace(**{missing: None}), "verdict")


async def test_a_patch_that_changes_nothing_is_not_minted_and_a_delete_always_changes_something(gate: Any) -> None:
    action = gate.scale()
    name = await gate.submit(gate.proposal(action))
    item = gate.cluster.object("Deployment", "shop", "cart")
    live = minting.Live(item, {})
    reading = Reading(Facts(read_at=gate.clock.now(), cluster="cluster-1", exists=True), live, action.request(live), item)
    with pytest.raises(Conflict, match="change nothing"):
        minting.mint(gate.bench, gate.row(name), action, reading, "verdict")
    empty = Reading(
        reading.facts,
        minting.Live({"metadata": {}}, {}),
        gate.delete_pod().request(minting.Live({"metadata": {"uid": "uid-cart-0"}}, {})),
        {},
    )
    assert minting.mint(gate.bench, gate.row(name), gate.delete_pod(), empty, "verdict")["undo_permit"] == ""
