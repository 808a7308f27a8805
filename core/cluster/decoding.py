"""Bytes of a list page into slim structs. Called by `tools` for every page of a snapshot.

The fast path decodes a whole page at once. When one object breaks it, every object is decoded alone: with its nulls taken out where that
helps, and named as poisoned where it does not. One bad object never costs the page.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from core.cluster import objects
from core.cluster.sharing import SharedPod, Sharing
from core.domain.errors import Unavailable
from core.domain.values import bounded

T = TypeVar("T")
Poison = tuple[str, str]
"""What could not be decoded (`Pod shop/cart-1`), and why."""


class Decoded(NamedTuple):
    """`token` asks for the next page and is empty on the last one."""

    items: tuple[Any, ...] = ()
    poisoned: tuple[Poison, ...] = ()
    token: str = ""
    resource_version: str = ""


class _ListMeta(msgspec.Struct, frozen=True, gc=False, rename={"token": "continue", "resource_version": "resourceVersion"}):
    token: str = ""
    resource_version: str = ""


class _Page(msgspec.Struct, Generic[T], frozen=True):
    items: tuple[T, ...] | None = ()
    metadata: _ListMeta = _ListMeta()


BROKEN = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, OverflowError)


@contextmanager
def collector_paused() -> Iterator[None]:
    """The garbage collector off: decoding makes no cycles, and its passes over a growing heap cost more than the parsing."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def decode_page(kind: str, body: bytes) -> Decoded:
    """One page of a list. Raises Unavailable when the page itself is no list: cut off, an HTML page of some proxy."""
    with collector_paused():
        try:
            page = _whole(kind).decode(body)
            if kind == "Pod":
                _settle(page.items or ())
        except BROKEN:
            return _one_by_one(kind, body)
        return _named(kind, page.items or (), page.metadata)


def joined(parts: Iterable[Decoded]) -> Decoded:
    """The pages of one list as one: with the last one's token and resourceVersion."""
    pages = tuple(parts)
    if not pages:
        return Decoded()
    return Decoded(
        tuple(item for page in pages for item in page.items),
        tuple(poison for page in pages for poison in page.poisoned),
        pages[-1].token,
        pages[-1].resource_version,
    )


def decode_object(kind: str, item: bytes | msgspec.Raw) -> Any:
    """One object. Raises ValueError with the reason when it cannot be decoded, also not without its nulls."""
    return _salvaged(item, _single(kind).decode, objects.STRUCTS[kind])


def convert_object(kind: str, item: object) -> Any:
    """One object out of plain data (a YAML document). Raises ValueError as `decode_object`."""
    struct = objects.STRUCTS[kind]
    try:
        return _with_name(msgspec.convert(item, struct))
    except BROKEN:
        return _bare(item, struct)


def _one_by_one(kind: str, body: bytes) -> Decoded:
    try:
        page = _raw().decode(body)
    except BROKEN as error:
        raise Unavailable("the Kubernetes API", 2.0, reason=f"a page of the {kind} list cannot be read: {_said(error)}") from error
    good: list[Any] = []
    poisoned: list[Poison] = []
    for item in page.items or ():
        try:
            good.append(decode_object(kind, item))
        except ValueError as error:
            poisoned.append((name_of(kind, item), str(error)))
    return Decoded(tuple(good), tuple(poisoned), page.metadata.token, page.metadata.resource_version)


def _settle(pods: Iterable[SharedPod]) -> None:
    sharing = Sharing()
    for pod in pods:
        sharing.settle(pod)


def _named(kind: str, items: tuple[Any, ...], meta: _ListMeta) -> Decoded:
    """An object without a name cannot be spoken of."""
    poisoned = tuple((bounded(f"{kind} {item.metadata.namespace}".strip(), 200), _NAMELESS) for item in items if not item.metadata.name)
    good = tuple(item for item in items if item.metadata.name) if poisoned else items
    return Decoded(good, poisoned, meta.token, meta.resource_version)


_NAMELESS = "it has no name"


def _salvaged(item: bytes | msgspec.Raw, decode: Callable[[bytes | msgspec.Raw], Any], struct: type[msgspec.Struct]) -> Any:
    try:
        return _with_name(decode(item))
    except BROKEN:
        try:
            plain = msgspec.json.decode(item)
        except BROKEN as error:
            raise ValueError(_said(error)) from error
        return _bare(plain, struct)


def _bare(plain: object, struct: type[msgspec.Struct]) -> Any:
    try:
        return _with_name(msgspec.convert(_without_nulls(plain), struct))
    except BROKEN as error:
        raise ValueError(_said(error)) from error


def _with_name(item: Any) -> Any:
    if not item.metadata.name:
        raise ValueError(_NAMELESS)
    return item


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def name_of(kind: str, item: bytes | msgspec.Raw) -> str:
    """As much of an object's name as can be had, made printable."""
    try:
        plain = msgspec.json.decode(item)
    except BROKEN:
        return kind
    meta = plain.get("metadata") if isinstance(plain, dict) else None
    if not isinstance(meta, dict):
        return kind
    return called(kind, *(str(meta[key]) for key in ("namespace", "name") if isinstance(meta.get(key), str)))


def called(kind: str, *steps: str) -> str:
    """How a message names an object, by its namespace and name as far as it has them."""
    return bounded(f"{kind} {'/'.join(step for step in steps if step)}".strip(), 200)


def _said(error: BaseException) -> str:
    return bounded(str(error) or type(error).__name__, 200)


@cache
def _whole(kind: str) -> "msgspec.json.Decoder[_Page[Any]]":
    page: Any = _Page
    return msgspec.json.Decoder(page[SharedPod if kind == "Pod" else objects.STRUCTS[kind]])


@cache
def _single(kind: str) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(objects.STRUCTS[kind])


@cache
def _raw() -> "msgspec.json.Decoder[_Page[msgspec.Raw]]":
    return msgspec.json.Decoder(_Page[msgspec.Raw])
