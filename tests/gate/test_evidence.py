"""What a proposal says it saw is looked at again: its age counts only where the judge finds it there."""

from datetime import timedelta
from typing import Any

import pytest

from core.domain.errors import Unavailable
from core.domain.evidence import Evidence, observe
from core.domain.verdict import Decision


def seen(gate: Any, query: str = "spec.replicas", value: str = "2", *, minutes_ago: int = 0, **over: Any) -> Evidence:
    target = gate.scale().target.model_copy(update=over.pop("subject", {}))
    at = gate.clock.now() - timedelta(minutes=minutes_ago)
    return observe(over.pop("source", "object"), target, query, value, at, **over)


async def age(gate: Any, *evidence: Evidence) -> int | None:
    await gate.submit(gate.proposal(gate.scale(), evidence=evidence))
    await gate.judge()
    found: int | None = gate.rules.seen[-1].evidence_age_seconds
    return found


def version(gate: Any) -> str:
    return str(gate.cluster.object("Deployment", "shop", "cart")["metadata"]["resourceVersion"])


async def test_an_object_at_the_version_that_was_seen_confirms_whatever_was_said_of_it(gate: Any) -> None:
    told = seen(gate, "status.conditions[Ready]", "not True for 9 min", minutes_ago=9, resource_version=version(gate))
    assert await age(gate, told) == 540


async def test_an_object_that_moved_on_confirms_the_field_that_did_not(gate: Any) -> None:
    assert await age(gate, seen(gate, minutes_ago=3, resource_version="1")) == 180


async def test_the_oldest_that_holds_counts_and_what_does_not_hold_has_no_age(gate: Any) -> None:
    gone = seen(gate, value="7", minutes_ago=90, resource_version="1")
    assert await age(gate, seen(gate, minutes_ago=3), gone, seen(gate, minutes_ago=5)) == 300


UNCONFIRMED = {
    "another value": {"value": "7"},
    "no such field": {"query": "spec.nothing", "value": "None"},
    "an object of another uid": {"subject": {"uid": "uid-before"}},
    "an object that is gone": {"subject": {"name": "nobody"}},
    "a kind that nobody reads": {"subject": {"kind": "Secret"}},
    "a line of a log": {"source": "log"},
    "prose about metrics": {"source": "metric"},
    "no version at all": {"value": "7", "resource_version": ""},
}


@pytest.mark.parametrize("told", UNCONFIRMED.values(), ids=UNCONFIRMED)
async def test_what_the_judge_does_not_find_has_no_age(gate: Any, told: dict[str, Any]) -> None:
    assert await age(gate, seen(gate, **told)) is None


async def test_an_object_without_a_version_is_not_confirmed_by_a_claim_without_one(gate: Any) -> None:
    del gate.cluster.object("Deployment", "shop", "cart")["metadata"]["resourceVersion"]
    assert await age(gate, seen(gate, value="7")) is None


async def test_nothing_was_seen_after_it_was_submitted(gate: Any) -> None:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    action = await gate.submit(gate.proposal(gate.scale(), evidence=(seen(gate, minutes_ago=-60),)))
    gate.clock.advance(100)
    await gate.judge()
    assert gate.rules.seen[-1].evidence_age_seconds == 100
    gate.clock.advance(5000)
    gate.approve(action, "ann")
    await gate.judge()
    assert gate.rules.seen[-1].evidence_age_seconds == 5100  # an approval makes no observation younger


async def test_a_source_that_does_not_answer_confirms_nothing_and_stops_nothing(gate: Any) -> None:
    get = gate.cluster.get

    async def answers(kind: Any, namespace: str, name: str) -> Any:
        if kind.name == "ReplicaSet":
            raise Unavailable("the Kubernetes API")
        return await get(kind, namespace, name)

    gate.cluster.get = answers
    assert await age(gate, seen(gate, subject={"kind": "ReplicaSet"})) is None


async def test_a_proposal_cannot_keep_the_judge_reading(gate: Any) -> None:
    asked: list[str] = []
    get = gate.cluster.get

    async def counted(kind: Any, namespace: str, name: str) -> Any:
        asked.append(name)
        return await get(kind, namespace, name)

    gate.cluster.get = counted
    await age(gate, *(seen(gate, subject={"name": f"claim-{number}"}) for number in range(200)))
    assert sum(name.startswith("claim-") for name in asked) == 16
