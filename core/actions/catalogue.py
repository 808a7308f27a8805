"""The table of action kinds, and the strict way in. Called by every door, by the judge, and by the registry for its cards.

Adding a kind touches one new file and one row here.
"""

import json
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter, ValidationError

from core.actions.aiming import CatalogueAction
from core.actions.clear_finalizers import ClearFinalizers
from core.actions.cordon_node import CordonNode
from core.actions.cut_network import CutNetwork
from core.actions.delete_pod import DeletePod
from core.actions.edit_config import EditConfig
from core.actions.evict_pod import EvictPod
from core.actions.fence_node import FenceNode
from core.actions.fence_stopped_node import FenceStoppedNode
from core.actions.label_namespace import LabelNamespace
from core.actions.raise_quota import RaiseQuota
from core.actions.replace_machine import ReplaceMachine
from core.actions.resize_pod import ResizePod
from core.actions.restart_rollout import RestartRollout
from core.actions.rollback_rollout import RollbackRollout
from core.actions.scale_workload import ScaleWorkload
from core.actions.set_hpa_bounds import SetHpaBounds
from core.actions.set_image import SetImage
from core.actions.set_requests import SetRequests
from core.actions.set_service import SetService
from core.actions.suspend_job import SuspendJob
from core.actions.uncordon_node import UncordonNode
from core.domain.api_request import Right
from core.domain.errors import InvalidInput
from core.domain.proposal import Proposal
from core.domain.values import Json, bounded

AnyAction = Annotated[
    ScaleWorkload
    | SetHpaBounds
    | SetRequests
    | ResizePod
    | RollbackRollout
    | RestartRollout
    | DeletePod
    | CordonNode
    | SuspendJob
    | LabelNamespace
    | SetService
    | RaiseQuota
    | UncordonNode
    | ClearFinalizers
    | CutNetwork
    | SetImage
    | EditConfig
    | EvictPod
    | FenceNode
    | FenceStoppedNode
    | ReplaceMachine,
    Field(discriminator="kind"),
]
CATALOGUE: dict[str, type[CatalogueAction]] = {kind.model_fields["kind"].default: kind for kind in get_args(get_args(AnyAction)[0])}
"""For JSON Schemas of whatever carries an action. A test holds it to the table."""

LARGEST = 1024 * 1024
"""Bytes of JSON that are looked at; a proposal has a few KiB."""


class Wire(Proposal):
    """A proposal as it arrives: its action is one of the table."""

    action: AnyAction


_ACTION: TypeAdapter[CatalogueAction] = TypeAdapter(AnyAction)


def parse_action(source: Json | bytes | str) -> CatalogueAction:
    """One action from JSON. Raises InvalidInput, which names the kinds there are, or the fields that are wrong."""
    document = _document(source)
    known(document.get("kind"))
    try:
        return _ACTION.validate_json(_text(document))
    except ValidationError as error:
        raise InvalidInput(f"{document['kind']}: {_mistakes(error)}", mend=f"`day2 schema {document['kind']}` shows its fields") from error


def parse_proposal(source: Json | bytes | str) -> Proposal:
    """A proposal from JSON, its action as strict as `parse_action`. Raises InvalidInput."""
    document = _document(source)
    action = document.get("action")
    if not isinstance(action, dict):
        raise InvalidInput("a proposal needs an `action` object", mend="`day2 schema proposal` shows its fields")
    known(action.get("kind"))
    try:
        return Proposal(**dict(Wire.model_validate_json(_text(document))))
    except ValidationError as error:
        raise InvalidInput(f"proposal: {_mistakes(error)}", mend="`day2 schema proposal` shows its fields") from error


def rights() -> tuple[Right, ...]:
    """Every right that some kind needs, sorted: RBAC and the admission allow-list are made of these."""
    return tuple(sorted({right for kind in CATALOGUE.values() for right in kind.rights}, key=lambda right: (right.path, right.verb)))


def known(kind: object) -> None:
    """Raises InvalidInput for a kind that is not in the table."""
    if not isinstance(kind, str) or kind not in CATALOGUE:
        raise InvalidInput(f"there is no action kind {bounded(repr(kind), 60)}", mend=f"the kinds are {', '.join(CATALOGUE)}")


def _document(source: Json | bytes | str) -> Json:
    """A JSON object: bounded, without doubled keys and without numbers that JSON does not have."""
    if isinstance(source, dict):
        return source
    if len(source) > LARGEST:
        raise InvalidInput(f"more than {LARGEST} bytes of JSON")
    try:
        found = json.loads(source, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"this is no JSON: {bounded(str(error), 120)}") from error
    if not isinstance(found, dict):
        raise InvalidInput("a JSON object is needed")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _text(document: Json) -> bytes:
    try:
        text = json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"this is no JSON: {bounded(str(error), 120)}") from error
    if len(text) > LARGEST:
        raise InvalidInput(f"more than {LARGEST} bytes of JSON")
    return text


def _mistakes(error: ValidationError) -> str:
    """Field and mistake, at most five of them, without the input: it may hold what should not be printed."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    said = [f"{_place(item['loc'])}{bounded(item['msg'], 100)}" for item in found[:5]]
    return "; ".join(said) + (f"; and {len(found) - 5} more" if len(found) > 5 else "")


def _place(location: tuple[int | str, ...]) -> str:
    steps = [str(step) for step in location if str(step) not in CATALOGUE]
    return f"{bounded('.'.join(steps), 80)}: " if steps else ""
