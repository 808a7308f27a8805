"""An edited wish: a new action with other arguments, on the same target, which goes to the judge like any other. Behind `day2 action edit`.

Nothing that was approved or judged of the old one holds for it: it has another id and another digest.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import yaml

from core.actions.catalogue import parse_action
from core.cluster.kinds import KINDS
from core.cluster.reading import ObjectReader
from core.domain.action import Action, Change, Live
from core.domain.errors import Conflict, InvalidInput
from core.domain.proposal import Effect, Proposal
from core.domain.values import bounded

GOOD_FOR = timedelta(hours=1)
FIXED = ("id", "kind", "target")


def edited_action(action: Action, changes: Sequence[str], action_id: str) -> Action:
    """`changes` are `path=value`, a path dotted with list places as numbers. Raises InvalidInput for what is no argument of this kind."""
    plain: Any = action.model_dump(mode="json") | {"id": action_id}
    for change in changes:
        path, equals, text = change.partition("=")
        steps = path.strip().split(".")
        if not equals or not path.strip():
            raise InvalidInput(f"{bounded(change, 60)!r} is no change", mend="write --set path=value, such as --set to_replicas=3")
        if steps[0] in FIXED:
            raise InvalidInput(f"{steps[0]} cannot be edited: that would be another wish", mend="plan the change you want: day2 plan")
        _set(plain, steps, _value(text), path)
    edited = parse_action(plain)
    if edited.intent_key() == action.intent_key():
        raise InvalidInput("nothing would be different", mend=f"its arguments: day2 action get {action.id} -o json")
    return edited


def edited_proposal(proposal: Proposal, action: Action, *, changes: tuple[Change, ...], by: str, at: datetime) -> Proposal:
    """The evidence is kept; what the old one was expected to bring is not claimed of the new one."""
    return proposal.model_copy(
        update={
            "action": action,
            "why": bounded(f"edited from {proposal.action.id} by {by}: {proposal.why}", 400),
            "effect": Effect(summary=f"not estimated: a person edited {proposal.action.id}"),
            "changes": changes,
            "expires_at": at + GOOD_FOR,
        }
    )


async def live(reader: ObjectReader, action: Action) -> Live:
    """What the change is shown against. Raises Conflict for another cluster, or where the object is gone."""
    target = action.target
    found = await reader.get(KINDS[target.kind], target.namespace, target.name) if await reader.cluster_uid() == target.cluster else None
    if found is None:
        raise Conflict(f"{target.qualified} is not in this cluster", mend="choose the cluster that the action is for: --context NAME")
    others = {item.name: await reader.get(KINDS[item.kind], item.namespace, item.name) for item in action.related()}
    return Live(found, {name: other for name, other in others.items() if other is not None})


def _value(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInput(f"{bounded(text, 60)!r} is no value", mend="quote it as YAML does") from error


def _set(plain: Any, steps: Sequence[str], value: Any, path: str) -> None:
    """Only what is there already can be set: a path that leads nowhere is a mistake in spelling."""
    place = plain
    try:
        for step in steps[:-1]:
            place = place[int(step)] if isinstance(place, list) else place[step]
        last: Any = int(steps[-1]) if isinstance(place, list) else steps[-1]
        place[last]  # raises where it is not there
        place[last] = value
    except (KeyError, IndexError, ValueError, TypeError) as error:
        known = ", ".join(name for name in plain if name not in FIXED)
        raise InvalidInput(f"there is no {bounded(path, 60)!r} in this action", mend=f"it has: {known}") from error
