"""GET of one object and of a list: selectors, paging, tables and metadata-only forms."""

import base64
import json
from typing import Any, NamedTuple

import msgspec

from simulator import errors, tables
from simulator.history import Stored
from simulator.resources import Resource
from simulator.routes import asking, selecting, versions
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_PIECE = 1000
"""Items of a long list that are sent at once."""
_KEPT = 5000
"""The JSON of the items of longer lists is not kept."""
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. "
    "You can start a new list without the continue parameter, "
    "or use the continue token in this response to retrieve the remainder of the results."
)


class Page(NamedTuple):
    """Where a list goes on: the version it is consistent with, and the last (namespace, name) already sent."""

    version: int
    namespace: str
    name: str

    def token(self) -> str:
        return base64.urlsafe_b64encode(json.dumps({"rv": self.version, "start": [self.namespace, self.name]}).encode()).decode()


def get(call: Call) -> Answer:
    found = call.store.stored(call.resource, call.namespace, call.name)
    if found is None:
        raise errors.not_found(call.resource.group, call.resource.plural, call.name)
    if (form := tables.form(call.accept)) != "plain":
        shown = [versions.out(call.resource, found.obj)]
        return answer(tables.render(form, call.resource, shown, call.store.clock.now(), found.obj["metadata"], single=True))
    return Answer(200, versions.encoded(call.resource, found))


def list_(call: Call) -> Answer:
    """A list, whole or by pages. The objects' cached JSON is joined, so that a long list costs little."""
    found = chosen(call)
    asking.require(call)
    meta: Json = {"resourceVersion": str(call.store.version())}
    found, more = _page(call, found)
    if more:
        meta |= more
    if (form := tables.form(call.accept)) != "plain":
        objects = [versions.out(call.resource, each.obj) for each in found]
        shown = call.query.get("includeObject", "Metadata")
        return answer(tables.render(form, call.resource, objects, call.store.clock.now(), meta, include=shown))
    items = [versions.item(call.resource, each, keep=len(found) <= _KEPT) for each in found]
    if len(items) <= _PIECE:
        return Answer(200, joined(call.resource, items, meta))
    pieces = [b",".join(items[start : start + _PIECE]) for start in range(0, len(items), _PIECE)]
    head, tail = joined(call.resource, [b"\0"], meta).split(b"\0")
    separated = [piece if last else piece + b"," for piece, last in zip(pieces, [False] * (len(pieces) - 1) + [True], strict=True)]
    return Answer(200, b"", parts=(head, *separated, tail))


def chosen(call: Call) -> list[Stored]:
    """What the path and the selectors mean."""
    found = call.store.list_stored(call.resource, call.namespace or None)
    if call.name:
        found = [each for each in found if each.obj["metadata"]["name"] == call.name]
    wanted = selection(call)
    return found if wanted is None else [each for each in found if wanted(each.obj)]


def selection(call: Call) -> selecting.Wanted | None:
    """The selectors as one test, None when everything is meant."""
    by_label, by_field = call.query.get("labelSelector", ""), call.query.get("fieldSelector", "")
    if not by_label and not by_field:
        return None
    labels, fields = selecting.labels(by_label), selecting.fields(by_field, call.resource)
    return lambda obj: labels(obj) and fields(obj)


def joined(row: Resource, items: list[bytes], meta: Json) -> bytes:
    """A list document around already encoded items."""
    meta = {"continue": "", **meta} if row.definition else meta
    head = _encode({"kind": f"{row.kind}List", "apiVersion": row.api_version, "metadata": meta})
    return b"".join((head[:-1], b',"items":[', b",".join(items), b"]}"))


def _page(call: Call, found: list[Stored]) -> tuple[list[Stored], Json]:
    limit = call.number("limit") or 0
    token = call.query.get("continue", "")
    version = call.store.version()
    if token:
        page = _read_token(token)
        if page.version < call.store.floor(call.resource):
            raise errors.expired(_TOO_OLD)
        version = page.version
        found = [each for each in found if _place(each) > (page.namespace, page.name)]
    if limit <= 0 or len(found) <= limit:
        return found, {"resourceVersion": str(version)} if token else {}
    kept = found[:limit]
    more = Page(version, *_place(kept[-1]))
    counted = {} if call.query.get("labelSelector") or call.query.get("fieldSelector") else {"remainingItemCount": len(found) - limit}
    return kept, {"resourceVersion": str(version), "continue": more.token(), **counted}


def _place(each: Stored) -> tuple[str, str]:
    meta = each.obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def _read_token(token: str) -> Page:
    try:
        told = json.loads(base64.urlsafe_b64decode(token))
        return Page(int(told["rv"]), str(told["start"][0]), str(told["start"][1]))
    except (ValueError, KeyError, TypeError, IndexError) as broken:
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {broken}") from broken
