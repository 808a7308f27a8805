"""Looks at a cluster that are kept in files, and anything else that `--from` takes: saved snapshots, manifests, `kubectl get -o json`,
a must-gather. Behind `day2 snapshot` and every `--from`.
"""

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from core.cluster.kinds import Kind
from core.cluster.looking import ClusterReader
from core.cluster.manifests import Manifests
from core.cluster.objects import STRUCTS
from core.cluster.observed import OBSERVED
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from core.domain.values import Json
from core.policy import snapshots
from core.policy.snapshots import Saved
from runtime.replacing import replace
from runtime.services import manifests
from runtime.services.manifests import ManifestReader

KINDS = tuple(sorted(OBSERVED.keys() & STRUCTS.keys()))
"""All that an agent may read."""
LARGEST_FILE = 2 * 1024 * 1024 * 1024
STAMP = "timestamp"
"""A must-gather's file with its begin and its end, a line each, as Go prints times."""
_GO_TIME = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})(?:\.\d+)? ([+-]\d{4})", re.ASCII)


class Unread(NamedTuple):
    """What could not be read, and why."""

    what: str
    reason: str


class Contents(NamedTuple):
    """What is in a file or folder. `form` is how it is written; `at` None where it does not say of when it is."""

    file: str
    form: str
    cluster: str
    context: str
    at: datetime | None
    namespaces: tuple[str, ...]
    counts: Mapping[str, int]
    unread: tuple[Unread, ...]
    poisoned: tuple[Unread, ...]


@dataclass(frozen=True)
class Source:
    """Something that can be looked at without a cluster. `found` is what was written by hand or printed by kubectl, else None; `implied`
    are namespaces that it uses and does not have."""

    reader: ClusterReader
    contents: Contents
    found: Manifests | None = None
    implied: frozenset[str] = frozenset()

    def scope(self, asked: Sequence[str]) -> tuple[str, ...]:
        """The namespaces to look at. Raises InvalidInput for one that was not saved."""
        held = self.contents.namespaces
        strange = [name for name in asked if held and name not in held]
        if strange:
            raise InvalidInput(f"{self.contents.file} has only {', '.join(held)}, not {', '.join(strange)}", mend="save it with -A")
        return tuple(asked) or held


def save(path: Path, saved: Saved) -> int:
    """Whole or not at all, for its owner alone (0600). The bytes written. Raises InvalidInput where it cannot be."""
    packed = snapshots.encode(saved)
    target = path.expanduser()
    try:
        replace(target, packed)
    except OSError as error:
        takes_files = os.access(target.parent, os.W_OK | os.X_OK)
        mend = "give another file" if takes_files else "give a file in a folder that is there"
        raise InvalidInput(f"cannot write {path}: {error.strerror}", mend=mend) from error
    return len(packed)


def opened(path: Path, now: datetime) -> Source:
    """A saved snapshot by its first bytes, else manifests; a folder with a must-gather's timestamp is of then. Raises InvalidInput."""
    file = path.expanduser()
    if is_saved(file):
        saved = read(file)
        return Source(SavedReader(saved.snapshot), contents_of(saved, str(path)))
    found = manifests.read(file)
    at = gathered_at(file)
    reader = ManifestReader(found, at or now, file.resolve().name)
    return Source(reader, _of_manifests(found, reader, str(path), at), found, reader.implied)


def is_saved(path: Path) -> bool:
    """Whether the file is packed, as only saved snapshots are."""
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(len(snapshots.MAGIC)) == snapshots.MAGIC
    return False


def read(path: Path) -> Saved:
    """Raises InvalidInput."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InvalidInput(f"{path} is larger than {LARGEST_FILE >> 30} GiB", mend="save fewer namespaces: day2 snapshot save -n NS")
        packed = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}", mend="make one: day2 snapshot save FILE") from error
    return snapshots.decode(packed, str(path))


def contents_of(saved: Saved, file: str) -> Contents:
    snapshot = saved.snapshot
    return Contents(
        file=file,
        form="snapshot",
        cluster=snapshot.cluster,
        context=saved.context,
        at=snapshot.taken_at,
        namespaces=saved.namespaces,
        counts={kind: len(items) for kind, items in sorted(snapshot.objects.items())},
        unread=tuple(Unread(kind, reason) for kind, reason in sorted(snapshot.unread.items())),
        poisoned=tuple(Unread(*row) for row in snapshot.poisoned),
    )


def _of_manifests(found: Manifests, reader: ManifestReader, file: str, at: datetime | None) -> Contents:
    return Contents(
        file=file,
        form="must-gather" if at else "manifests",
        cluster=reader.identity,
        context=file,
        at=at,
        namespaces=(),
        counts={kind: len(items) for kind, items in sorted(found.objects.items())},
        unread=tuple(Unread(kind, "not in the files") for kind in KINDS if kind not in found.objects),
        poisoned=tuple(Unread(problem.place, problem.reason) for problem in found.problems),
    )


def gathered_at(path: Path) -> datetime | None:
    """When a must-gather ended, where the folder is one: its file `timestamp` says so."""
    if not path.is_dir():
        return None
    for stamp in (path / STAMP, *sorted(path.glob(f"*/{STAMP}"))):
        with contextlib.suppress(OSError, ValueError):
            times = _GO_TIME.findall(stamp.read_text(encoding="utf-8")[:4096])
            if times:
                return datetime.strptime(" ".join(times[-1]), "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    return None


@dataclass(frozen=True)
class SavedReader:
    """`core.cluster.looking.ClusterReader` over one snapshot. Logs and live usage were not saved, and answer as empty."""

    saved: Snapshot

    async def cluster_uid(self) -> str:
        return self.saved.cluster

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:  # noqa: ARG002  the port's form
        return None

    async def list(self, kind: Kind, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> Sequence[Json]:  # noqa: ARG002
        return ()

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        """As the API would have answered then: cluster-wide kinds whole, the others of these namespaces."""
        whole = self.saved
        unsaved = {kind: "not in the snapshot" for kind in kinds if kind not in whole.objects and kind not in whole.unread}
        return Snapshot(
            cluster=whole.cluster,
            taken_at=whole.taken_at,
            objects={
                kind: tuple(item for item in whole.of(kind) if _within(kind, item.metadata.namespace, namespaces))
                for kind in kinds
                if kind in STRUCTS and kind in whole.objects
            },
            unread=unsaved | {kind: reason for kind, reason in whole.unread.items() if kind in kinds},
            poisoned=tuple(row for row in whole.poisoned if row[0].partition(" ")[0] in kinds),
        )

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:  # noqa: ARG002
        return ""

    async def usage(self, namespace: str) -> Sequence[Json]:  # noqa: ARG002
        return ()

    async def allowed(self, user: str, verb: str, group: str, resource: str, subresource: str, namespace: str) -> bool:  # noqa: ARG002
        return False


def _within(kind: str, namespace: str, namespaces: Sequence[str]) -> bool:
    return not namespaces or not OBSERVED[kind].namespaced or namespace in namespaces
