"""What every kind of the catalogue shares: the right sort of target, the same object still standing, and the form of a patch.

Two refusals mean different things to the caller. `Conflict`: the object moved on since the proposer looked, so judge again. `Refused`:
this kind cannot do it to such an object, and looking again will not change that.
"""

import re
from typing import Any, ClassVar, Self

from pydantic import model_validator

from core.cluster.kinds import KINDS
from core.domain.action import Action, Change, Live
from core.domain.api_request import ApiRequest, ContentType, Right, Verb
from core.domain.errors import Conflict, Refused
from core.domain.values import Json

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class CatalogueAction(Action):
    """An action whose target is one of `targets`, in the API group that this kind has."""

    targets: ClassVar[tuple[str, ...]]

    @model_validator(mode="after")
    def _aims_at_its_kind(self) -> Self:
        target = self.target
        if target.kind not in self.targets:
            raise ValueError(f"{self.kind} acts on {' or '.join(self.targets)}, not on {target.kind}")
        kind = KINDS[target.kind]
        if target.group != kind.group:
            raise ValueError(f"a {target.kind} lives in the API group {kind.group!r}, not in {target.group!r}")
        if bool(target.namespace) != kind.namespaced:
            raise ValueError(f"a {target.kind} {'needs a' if kind.namespaced else 'has no'} namespace")
        if not all(_NAME.fullmatch(name) for name in (target.name, target.namespace or "x")):
            raise ValueError("the target's name is no Kubernetes name")
        return self

    def pinned(self, live_object: Json) -> Json:
        """What must still hold at the write, and is hashed for it: the old values of the fields that the kind moves."""
        return {change.path: change.old for change in self.changes(Live(live_object, {}))}

    def standing(self, live: Live) -> Json:
        """The live object. Raises Conflict where another one stands under the name, or it is on its way out."""
        meta = live.object.get("metadata") or {}
        if meta.get("uid") != self.target.uid:
            raise Conflict(f"{self.target.qualified} is not the object that was proposed: its uid is {str(meta.get('uid'))[:64]}")
        if meta.get("deletionTimestamp"):
            raise Conflict(f"{self.target.qualified} is being deleted")
        return live.object

    def strategic(self, body: Json, *, subresource: str = "") -> ApiRequest:
        """A strategic merge patch of the target. The uid in the body makes the API server refuse a re-created object (409)."""
        return self._patch({**body, "metadata": {**body.get("metadata", {}), "uid": self.target.uid}}, subresource)

    def json_patch(self, operations: list[Any]) -> ApiRequest:
        """A JSON patch of the target, which first tests the uid."""
        return self._patch([{"op": "test", "path": "/metadata/uid", "value": self.target.uid}, *operations], "")

    def deletion(self, options: Json, subresource: str = "") -> ApiRequest:
        """The end of the target, or the asking for it: an eviction is a subresource that is created."""
        return self._request("create" if subresource else "delete", "application/json", options, subresource)

    def _patch(self, body: list[Any] | Json, subresource: str) -> ApiRequest:
        form: ContentType = "application/json-patch+json" if isinstance(body, list) else "application/strategic-merge-patch+json"
        return self._request("patch", form, body, subresource)

    def _request(self, verb: Verb, form: ContentType, body: list[Any] | Json, subresource: str) -> ApiRequest:
        kind = KINDS[self.target.kind]
        return ApiRequest(
            verb=verb,
            group=kind.group,
            version=kind.version,
            resource=kind.resource,
            subresource=subresource,
            namespace=self.target.namespace,
            name=self.target.name,
            content_type=form,
            body=body,
        )


def seen(what: str, expected: object, actual: object) -> None:
    """Raises Conflict unless the live value is the one that the proposer saw."""
    if expected != actual:
        raise Conflict(f"{what} is {_said(actual)} now; the proposal saw {_said(expected)}")


def possible(condition: object, reason: str) -> None:
    """Raises Refused with the reason unless the condition holds."""
    if not condition:
        raise Refused((reason,))


def rights(verb: str, *resources: tuple[str, str], subresource: str = "") -> tuple[Right, ...]:
    """`verb` on each (group, resource), and `get` of the object itself."""
    acting = tuple(Right(verb=verb, group=group, resource=resource, subresource=subresource) for group, resource in resources)
    return (*acting, *(Right(verb="get", group=group, resource=resource) for group, resource in resources))


def moved(*changes: Change) -> tuple[Change, ...]:
    """Only the changes that change something."""
    return tuple(change for change in changes if change.old != change.new)


def _said(value: object) -> str:
    return "not set" if value is None else str(value)[:80]
