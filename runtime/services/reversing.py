"""Taking back an action that was verified: a new action, judged like any other, whose arguments are the old ones turned round.

Behind `day2 action rollback`. The automatic undo of an action that misses is the executor's, and is another thing.
"""

from datetime import datetime, timedelta
from typing import Any

from core.actions.catalogue import parse_action
from core.domain.action import Action, Change
from core.domain.errors import InvalidInput, Refused
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.values import bounded

GOOD_FOR = timedelta(hours=1)
_PAIRS = {
    "scale_workload": (("from_replicas", "to_replicas"),),
    "set_hpa_bounds": (("from_min", "to_min"), ("from_max", "to_max")),
}


def reversed_proposal(row: ActionRow, proposal: Proposal, *, action_id: str, by: str, at: datetime) -> Proposal:
    """Raises InvalidInput where there is nothing to take back, Refused where this kind has no way back as an action."""
    if row.state is not ActionState.VERIFIED:
        raise InvalidInput(
            f"{row.action_id} is {row.state.value}: only a verified action can be rolled back", mend=f"day2 action get {row.action_id}"
        )
    action = reversed_action(proposal.action, action_id)
    return Proposal(
        action=action,
        agent=proposal.agent,
        run=proposal.run,
        why=bounded(f"{by} takes {row.action_id} back", 400),
        objective=proposal.objective,
        priority=proposal.priority,
        findings=proposal.findings,
        evidence=proposal.evidence,
        effect=Effect(summary=f"as before {row.action_id}"),
        changes=tuple(Change(path=change.path, old=change.new, new=change.old) for change in proposal.changes),
        expires_at=at + GOOD_FOR,
    )


def reversed_action(action: Action, action_id: str) -> Action:
    """The same kind on the same target, the other way round."""
    plain = action.model_dump(mode="json") | {"id": action_id}
    kind = action.kind
    if kind in _PAIRS:
        for old, new in _PAIRS[kind]:
            plain[old], plain[new] = plain[new], plain[old]
    elif kind in ("set_requests", "resize_pod"):
        plain["sizings"] = [_sizing(row) for row in plain["sizings"]]
    elif kind == "label_namespace" and all(row["from_level"] for row in plain["levels"]):
        plain["levels"] = [row | {"from_level": row["to_level"], "to_level": row["from_level"]} for row in plain["levels"]]
    else:
        raise Refused((f"{kind} has no way back as an action of its own",), mend="plan the change you want: day2 plan")
    return parse_action(plain)


def _sizing(row: dict[str, Any]) -> dict[str, Any]:
    """Only sizes that were moved, and had a value before, go back."""
    moved = [name for name, value in row["to_sizes"].items() if value is not None and row["from_sizes"].get(name) is not None]
    if not moved:
        raise Refused((f"container {row['container']} had no sizes before",), mend="plan the change you want: day2 plan")
    return {
        "container": row["container"],
        "from_sizes": {name: row["to_sizes"][name] for name in moved},
        "to_sizes": {name: row["from_sizes"][name] for name in moved},
    }
