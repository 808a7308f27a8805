"""Manifests in files (`scan --from FILE|DIR`): JSON, YAML and the Lists of `kubectl get -o json`, into a snapshot.

Every document stands alone: a bad one is named with file and line, and the rest is used. YAML is read as plain data: no tags that build
objects, no aliases (which make small files huge), no dates (Kubernetes has text there).
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import yaml

from core.cluster import decoding
from core.cluster.objects import STRUCTS
from core.cluster.observed import OBSERVED
from core.cluster.snapshot import Snapshot
from core.domain.values import bounded

LARGEST_JSON = 512 * 1024 * 1024
LARGEST_YAML = 16 * 1024 * 1024
"""Bytes per file. YAML is a hundred times slower to read, and its files are written by people."""
_DEEPEST = 100


class Problem(NamedTuple):
    """A document that could not be used. Lines count from 1; 0 means the whole file."""

    file: str
    line: int
    reason: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


class Place(NamedTuple):
    """Where an object is written down. Lines count from 1; 0 means somewhere in the file."""

    file: str
    line: int


Name = tuple[str, str, str]
"""Kind, namespace and name."""


class Manifests(NamedTuple):
    """`skipped` counts documents of kinds that nothing here reads. `places` has the first document of each name."""

    objects: Mapping[str, tuple[Any, ...]]
    problems: tuple[Problem, ...]
    skipped: Mapping[str, int]
    places: Mapping[Name, Place]

    def snapshot(self, cluster: str, taken_at: datetime) -> Snapshot:
        """A kind that no document has was not looked at: that is not the same as there being none."""
        return Snapshot(
            cluster=cluster,
            taken_at=taken_at,
            objects=self.objects,
            unread={kind: "the given files have no object of this kind" for kind in STRUCTS if kind not in self.objects},
            poisoned=tuple((problem.place, problem.reason) for problem in self.problems),
        )


class _Document(NamedTuple):
    """One object of a file, as plain data."""

    line: int
    content: Any


class _UnreadableError(Exception):
    """From here on the file cannot be read."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.problem_line = line


def decode_manifests(files: Mapping[str, bytes]) -> Manifests:
    """All objects of these files, by kind, in the order of the files' names. Never raises for what a file holds."""
    found: dict[str, list[Any]] = defaultdict(list)
    problems: list[Problem] = []
    skipped: dict[str, int] = defaultdict(int)
    places: dict[Name, Place] = {}
    with decoding.collector_paused():
        for file in sorted(files):
            _file(file, files[file], found, problems, skipped, places)
    return Manifests({kind: tuple(items) for kind, items in found.items()}, tuple(problems), dict(skipped), places)


def _file(
    file: str,
    text: bytes,
    found: dict[str, list[Any]],
    problems: list[Problem],
    skipped: dict[str, int],
    places: dict[Name, Place],
) -> None:
    try:
        for document in _documents(text):
            for item in _expanded(document):
                try:
                    kind = _kind(item.content)
                    if kind is None:
                        skipped[bounded(str(item.content["kind"]), 63)] += 1
                    else:
                        converted = decoding.convert_object(kind, item.content)
                        found[kind].append(converted)
                        places.setdefault((kind, converted.metadata.namespace, converted.metadata.name), Place(file, item.line))
                except ValueError as error:
                    problems.append(Problem(file, item.line, bounded(str(error), 200)))
    except _UnreadableError as error:
        problems.append(Problem(file, error.problem_line, bounded(str(error), 200)))


def _kind(content: Any) -> str | None:
    """The kind, None for one that nothing here reads. Raises ValueError for what is no Kubernetes object."""
    if not isinstance(content, dict):
        raise ValueError(f"a Kubernetes object is expected, not {type(content).__name__}")  # noqa: TRY004 - a mistake of the file
    kind, version = content.get("kind"), content.get("apiVersion")
    if not isinstance(kind, str) or not isinstance(version, str):
        raise ValueError("an object needs `apiVersion` and `kind`")  # noqa: TRY004
    group = version.rpartition("/")[0]
    return kind if kind in STRUCTS and OBSERVED[kind].group == group else None


def _expanded(document: _Document) -> Iterator[_Document]:
    """The items of a List, which may go without a kind of their own in a typed list; anything else as it is."""
    content = document.content
    if not isinstance(content, dict) or not str(content.get("kind", "")).endswith("List") or "items" not in content:
        yield document
        return
    items = content["items"] or ()
    if not isinstance(items, list | tuple):
        raise _UnreadableError(document.line, "`items` of a List is no list")
    of, version = str(content["kind"]).removesuffix("List"), content.get("apiVersion")
    for item in items:
        named = {"kind": of, "apiVersion": version, **item} if of and isinstance(item, dict) else item
        yield _Document(document.line, named)


def _documents(text: bytes) -> Iterator[_Document]:
    if text.lstrip()[:1] in (b"{", b"["):
        yield from _json(text)
    else:
        yield from _yaml(text)


def _json(text: bytes) -> Iterator[_Document]:
    if len(text) > LARGEST_JSON:
        raise _UnreadableError(0, f"larger than {LARGEST_JSON >> 20} MiB")
    try:
        yield _Document(1, msgspec.json.decode(text))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise _UnreadableError(_json_line(text), f"no JSON: {error}") from error


def _json_line(text: bytes) -> int:
    """The slow parser knows where it stopped."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.lineno
    except (ValueError, RecursionError):
        return 0
    return 0


class _Plain(yaml.SafeLoader if not yaml.__with_libyaml__ else yaml.CSafeLoader):  # type: ignore[misc]
    """Safe, and without dates."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _yaml(text: bytes) -> Iterator[_Document]:
    if len(text) > LARGEST_YAML:
        raise _UnreadableError(0, f"larger than {LARGEST_YAML >> 20} MiB; give it as JSON")
    try:
        _plain_only(text)
        for node in yaml.compose_all(text, _Plain):
            content = _constructed(node)
            if content is not None:
                yield _Document(_line(node), content)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _UnreadableError(mark.line + 1 if mark else 0, f"no YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise _UnreadableError(0, f"no YAML: {error}") from error


def _plain_only(text: bytes) -> None:
    """Raises _UnreadableError for aliases and for depth that only an attack has, before anything is built."""
    depth = 0
    for event in yaml.parse(text, _Plain):
        if isinstance(event, yaml.AliasEvent):
            raise _UnreadableError(_line(event), "aliases are not read")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _UnreadableError(_line(event), f"deeper than {_DEEPEST} levels")


def _line(marked: yaml.Node | yaml.Event) -> int:
    return marked.start_mark.line + 1 if marked.start_mark else 0


def _constructed(node: yaml.Node) -> Any:
    loader = _Plain("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()
