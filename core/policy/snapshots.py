"""A snapshot as one file: gzipped JSON lines, written by `day2 snapshot save` and read by every `--from FILE`.

The first line is the header: version, cluster, time, what could not be read, and how many objects of each kind follow. Each further line is
a page of objects of one kind, in the form of an API list. Secrets are no kind that agents read and values of ConfigMaps are never decoded,
so neither can be in a file; what looks like a secret in variables, probes, annotations and messages is taken out before it is written.
Names, labels, selectors and certificates of authorities stay as they are, because checks compare them.
"""

import io
import re
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache, lru_cache
from gzip import GzipFile
from typing import Any, NamedTuple

import msgspec

from core.cluster import decoding
from core.cluster.objects import STRUCTS
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput, Unavailable
from core.domain.values import bounded
from core.policy.literals import BY_NAME, is_secret
from core.policy.redaction import redact, redact_data

VERSION = 1
KIND = "SavedSnapshot"
MAGIC = b"\x1f\x8b"
PAGE = 500
LARGEST_LINE = 512 * 1024 * 1024
LARGEST = 8 * 1024 * 1024 * 1024
"""Bytes when unpacked: a small file can be made to grow without end."""
_AGAIN = "save it again: day2 snapshot save FILE"


class Header(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`namespaces` are those alone that were read; empty means all."""

    kind: str
    version: int
    cluster: str = ""
    context: str = ""
    taken_at: datetime = datetime.min.replace(tzinfo=UTC)
    namespaces: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    unread: dict[str, str] = {}
    poisoned: tuple[tuple[str, str], ...] = ()


class Saved(NamedTuple):
    """A snapshot with what only its file knows."""

    snapshot: Snapshot
    context: str
    namespaces: tuple[str, ...]


class _Line(msgspec.Struct, frozen=True):
    kind: str


class _First(msgspec.Struct, frozen=True):
    kind: str = ""
    version: int = 0


def encode(saved: Saved) -> bytes:
    """The file's bytes; the same snapshot always gives the same."""
    packed = io.BytesIO()
    with GzipFile(fileobj=packed, mode="wb", compresslevel=6, mtime=0) as file:
        for line in _lines(saved):
            file.write(msgspec.json.encode(line) + b"\n")
    return packed.getvalue()


def _lines(saved: Saved) -> Iterator[Any]:
    snapshot = saved.snapshot
    yield Header(
        kind=KIND,
        version=VERSION,
        cluster=snapshot.cluster,
        context=saved.context,
        taken_at=snapshot.taken_at,
        namespaces=saved.namespaces,
        counts={kind: len(items) for kind, items in sorted(snapshot.objects.items())},
        unread={kind: redact(reason) for kind, reason in sorted(snapshot.unread.items())},
        poisoned=tuple((name, redact(reason)) for name, reason in snapshot.poisoned),
    )
    for kind, items in sorted(snapshot.objects.items()):
        for start in range(0, len(items), PAGE):
            yield {"kind": kind, "items": clean(items[start : start + PAGE])}


def decode(packed: bytes, name: str) -> Saved:
    """Raises InvalidInput for what is no saved snapshot, was cut off or changed, or was saved by a newer day2."""
    try:
        with GzipFile(fileobj=io.BytesIO(packed)) as file:
            lines = _read(file, name)
            header = _header(next(lines, b""), name)
            return _filled(header, lines, name)
    except (OSError, EOFError, zlib.error) as error:  # a wrong checksum is an OSError of gzip
        raise damaged(name, str(error) or type(error).__name__) from error


def damaged(name: str, why: str) -> InvalidInput:
    return InvalidInput(f"{name} is damaged: {bounded(why, 160)}", mend=_AGAIN)


def _read(file: GzipFile, name: str) -> Iterator[bytes]:
    total = 0
    while line := file.readline(LARGEST_LINE):
        total += len(line)
        if not line.endswith(b"\n"):
            raise damaged(name, "its last line has no end")
        if total > LARGEST:
            raise damaged(name, f"it unpacks to more than {LARGEST >> 30} GiB")
        yield line


def _header(line: bytes, name: str) -> Header:
    try:
        first = msgspec.json.decode(line, type=_First)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        first = _First()
    if first.kind != KIND:
        raise InvalidInput(f"{name} is packed, and no saved snapshot", mend="give what `day2 snapshot save` wrote, or unpack it first")
    if first.version > VERSION:
        raise InvalidInput(
            f"{name} was saved by a newer day2: version {first.version}, and this one reads {VERSION}",
            mend="upgrade day2",
        )
    if first.version < 1:
        raise damaged(name, "its header has no version")
    try:
        return msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(name, f"its header: {error}") from error


def _filled(header: Header, lines: Iterator[bytes], name: str) -> Saved:
    if not header.cluster or header.taken_at.tzinfo is None:
        raise damaged(name, "its header has no cluster or no time")
    found: dict[str, list[Any]] = {kind: [] for kind in header.counts}
    poisoned = list(header.poisoned)
    for line in lines:
        try:
            kind = msgspec.json.decode(line, type=_Line).kind
            if kind not in STRUCTS or kind not in found:
                raise damaged(name, f"{bounded(kind, 40)} is no kind of it")
            page = decoding.decode_page(kind, line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Unavailable) as error:
            raise damaged(name, str(error)) from error
        found[kind] += page.items
        poisoned += page.poisoned
    for kind, count in header.counts.items():
        if kind not in STRUCTS or len(found[kind]) != count:
            raise damaged(name, f"it should have {count} {bounded(kind, 40)}, and has {len(found[kind])}")
    snapshot = Snapshot(
        cluster=header.cluster,
        taken_at=header.taken_at.astimezone(UTC),
        objects={kind: tuple(items) for kind, items in found.items()},
        unread=header.unread,
        poisoned=tuple(poisoned),
    )
    return Saved(snapshot, header.context, header.namespaces)


_COMPARED = frozenset((
    "name", "namespace", "uid", "resourceVersion", "labels", "matchLabels", "matchExpressions", "selector", "nodeSelector", "podSelector",
    "namespaceSelector", "objectSelector", "kind", "nodeName", "caBundle", "image", "imageID", "taints", "tolerations",
))  # fmt: skip
"""Fields that hold no secret, and that checks compare letter by letter."""
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""The whole manifest once more, with every variable; no check reads it."""
_TELLING = re.compile(
    r"pass(?:word|wd|phrase)|(?<![a-z])pass(?![a-z])|(?-i:Pass)(?![a-z])|pwd|secret|token|credential|cookie"
    r"|(?:api|access|private|signing)[_-]?key",
    re.IGNORECASE,
)
"""Names of variables whose value is hidden whole; more than `redact` hides, because a file is kept and carried about."""
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}://)?[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}\.svc(?:\.[a-z0-9-]{1,63}){0,8}(?::[0-9]{1,5})?(?:/[\w./-]{0,200})?",
    re.IGNORECASE,
)
"""`http://tokens.shop.svc:8080`: where a service of the cluster is, whatever its variable is called."""


def clean(value: Any) -> Any:
    """Decoded objects as plain data, with what looks like a secret taken out."""
    return _Cleaner()(value)


class _Cleaner:
    """Replicas of one page share their parts (`core.cluster.sharing`): each part is cleaned once. The parts must outlive this."""

    def __init__(self) -> None:
        self._known: dict[int, Any] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, str):
            return _redacted(value)
        if not isinstance(value, msgspec.Struct | dict | list | tuple):
            return value
        key = id(value)
        if key not in self._known:
            self._known[key] = self._cleaned(value)
        return self._known[key]

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self(item) for item in value]
        pairs = value.items() if isinstance(value, dict) else _pairs(value)
        found = {key: self._field(key, item) for key, item in pairs}
        if isinstance(found.get("name"), str) and isinstance(found.get("value"), str):
            name, text = (value["name"], value["value"]) if isinstance(value, dict) else (value.name, value.value)
            found["value"] = _variable(name, text)
        return found

    def _field(self, key: str, value: Any) -> Any:
        if key in _COMPARED:
            return value
        if key == "annotations" and isinstance(value, dict):
            return {name: _annotation(name, text) for name, text in value.items() if name != _LAST_APPLIED}
        return self(value)


def _pairs(item: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Names as the API has them. What is absent stays so."""
    for name, written in _names(type(item)):
        value = getattr(item, name)
        if value is not None:
            yield written, value


@cache
def _names(struct: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(struct))


@lru_cache(maxsize=65_536)
def _annotation(name: str, text: str) -> str:
    return str(redact_data({name: text})[name])


@lru_cache(maxsize=65_536)
def _variable(name: str, text: str) -> str:
    """A variable or a header: its name tells as much as its value. An address without a password is kept, whatever it is called."""
    if not text:
        return text
    told = _TELLING.search(name) and not _ADDRESS.fullmatch(text)
    shown = _redacted(text)
    if is_secret(name, text):
        return "[redacted: secret]" if told or shown == text else shown
    line = f"{name}={text}"
    return BY_NAME if told or redact(line) != line else shown


@lru_cache(maxsize=65_536)
def _redacted(text: str) -> str:
    """Replicas say the same: each text is looked at once."""
    return redact(text)
