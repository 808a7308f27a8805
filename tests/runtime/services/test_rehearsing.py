"""A dry run judges or shows, and leaves nothing behind."""

import asyncio
from datetime import UTC, datetime, timedelta

from core.actions.catalogue import parse_action
from core.domain.errors import Unavailable
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.proposal import Effect, Proposal
from core.domain.verdict import Decision, RuleResult, Verdict
from runtime.services import rehearsing
from runtime.services.rehearsing import Rehearsal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TARGET = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "cart", "uid": "u-1"}


def proposal(action_id: str) -> Proposal:
    action = parse_action({"id": action_id, "kind": "scale_workload", "target": TARGET, "from_replicas": 4, "to_replicas": 2})
    seen = (observe("object", action.target, "spec.replicas", "4", NOW),)
    return Proposal(
        action=action, agent="finops", run="run-1", why="w", evidence=seen, effect=Effect(summary="s"), expires_at=NOW + timedelta(hours=1)
    )


async def denying(found: Proposal) -> Verdict:
    if found.action.id == "act-0002":
        raise Unavailable("the Kubernetes API")
    return Verdict(
        action_id=found.action.id,
        action_digest=found.action.digest(),
        policy_digest="0" * 64,
        facts=Facts(read_at=NOW, cluster="c-1", exists=True),
        results=(RuleResult(rule="no", result="fail", on_fail=Decision.DENY, message="no"),),
        at=NOW,
    )


def test_the_client_asks_nobody() -> None:
    (found,) = asyncio.run(rehearsing.rehearse([proposal("act-0001")], None))
    assert found.verdict is None
    assert "--dry-run=server" in found.unjudged


def test_the_server_has_a_verdict_for_each_or_says_why_not() -> None:
    first, second = asyncio.run(rehearsing.rehearse([proposal("act-0001"), proposal("act-0002")], denying))
    assert first.verdict is not None
    assert "unavailable" in second.unjudged
    found = Rehearsal("server", "c-1", "prod", (first, second))
    assert found.any_is(Decision.DENY)
    assert not found.any_is(Decision.ALLOW)
