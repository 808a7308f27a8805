"""A cluster out of files: what `scan --from` looks at. Implements the read port over manifests; there is nothing to write to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from core.cluster.kinds import Kind
from core.cluster.manifests import Manifests, Problem, decode_manifests
from core.cluster.objects import STRUCTS, Meta, Namespace
from core.cluster.observed import OBSERVED
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from core.domain.values import Json, digest

MADE = frozenset(
    (
        "Pod", "ReplicaSet", "Event", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "HorizontalPodAutoscaler",
        "PodDisruptionBudget", "Namespace",
    )
)  # fmt: skip
"""Of manifests that people wrote, a kind of these without a document is one that they do not make: controllers make it, or nobody does.
What others may bring (services, configuration, roles, nodes, classes) is not known, and its checks are not run."""
SUFFIXES = (".yaml", ".yml", ".json")
MOST_FILES = 20_000


def read(path: Path) -> Manifests:
    """A file, or every manifest under a folder. Bad documents become problems. Raises InvalidInput where nothing can be read.

    What two files have (a must-gather writes pods alone and in a list) counts once.
    """
    files = _files(path.expanduser())
    try:
        found = decode_manifests({str(file): file.read_bytes() for file in files})
        return found._replace(objects={kind: _once(items) for kind, items in found.objects.items()})
    except OSError as error:
        raise InvalidInput(f"cannot read {error.filename}: {error.strerror}", mend="check the path and its permissions") from error


def _once(items: Sequence[Any]) -> tuple[Any, ...]:
    """The first object of each uid. Manifests that people wrote have none, and all count: overlays share names."""
    seen: dict[str, Any] = {}
    for number, item in enumerate(items):
        seen.setdefault(item.metadata.uid or f"#{number}", item)
    return tuple(seen.values())


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise InvalidInput(
            f"there is nothing at {path}", mend="kubectl get all,hpa,pdb,nodes,ns -A -o json > cluster.json, then --from cluster.json"
        )
    if not path.is_dir():
        return [path]
    found = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
    if not found:
        raise InvalidInput(f"{path} has no manifest ({', '.join(SUFFIXES)})", mend="give a file or a folder of manifests")
    if len(found) > MOST_FILES:
        raise InvalidInput(f"{path} has more than {MOST_FILES} manifests", mend="give a smaller folder")
    return found


@dataclass(frozen=True)
class ManifestReader:
    """`core.cluster.reading.ClusterReader` over files. Logs and live usage are not in files, and answer as empty.

    `name` is what the file or folder is called, without the way there.
    """

    manifests: Manifests
    taken_at: datetime
    name: str = ""

    async def cluster_uid(self) -> str:
        return self.identity

    @cached_property
    def identity(self) -> str:
        """The cluster's own, where its system namespace was written down with it; else by the name of the file or folder, so that an
        object more in it, or another checkout of it, makes no other cluster: findings keep their ids, and baselines their use."""
        namespaces = self.manifests.objects.get("Namespace", ())
        system = next((item.metadata.uid for item in namespaces if item.metadata.name == "kube-system"), "")
        return system or f"files-{digest([self.name])[:16]}"

    @cached_property
    def written(self) -> bool:
        """Whether people wrote these files: what an API server gave has uids."""
        return not any(item.metadata.uid for items in self.manifests.objects.values() for item in items)

    @cached_property
    def implied(self) -> frozenset[str]:
        """Namespaces that the files use and do not have. How those are labelled is not known, so nothing is found on them."""
        if not self.written:
            return frozenset()
        objects = self.manifests.objects
        known = {item.metadata.name for item in objects.get("Namespace", ())}
        used = {item.metadata.namespace or "default" for kind, items in objects.items() if OBSERVED[kind].namespaced for item in items}
        return frozenset(used - known)

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:  # noqa: ARG002  the port's form
        return None

    async def list(self, kind: Kind, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> Sequence[Json]:  # noqa: ARG002
        return ()

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        whole = self.manifests.snapshot(await self.cluster_uid(), self.taken_at)
        unread = frozenset(whole.unread) - (MADE if self.written else frozenset())
        kept = {
            kind: tuple(item for item in self._of(whole, kind) if _within(kind, item.metadata, namespaces))
            for kind in kinds
            if kind in STRUCTS
        }
        return Snapshot(
            cluster=whole.cluster,
            taken_at=whole.taken_at,
            objects={kind: items for kind, items in kept.items() if kind not in unread},
            unread={kind: "not in the files" for kind in unread if kind in kinds},
            poisoned=whole.poisoned,
        )

    def _of(self, whole: Snapshot, kind: str) -> tuple[Any, ...]:
        """As an API server would have it: each object in a namespace, and each namespace there."""
        if not self.written:
            return whole.of(kind)
        if kind == "Namespace":
            return (*whole.of(kind), *(Namespace(metadata=Meta(name=name)) for name in sorted(self.implied)))
        return tuple(map(_placed, whole.of(kind))) if kind in OBSERVED and OBSERVED[kind].namespaced else whole.of(kind)

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:  # noqa: ARG002
        return ""

    async def usage(self, namespace: str) -> Sequence[Json]:  # noqa: ARG002
        return ()

    async def allowed(self, user: str, verb: str, group: str, resource: str, subresource: str, namespace: str) -> bool:  # noqa: ARG002
        return False


def _placed(item: Any) -> Any:
    if item.metadata.namespace:
        return item
    return msgspec.structs.replace(item, metadata=msgspec.structs.replace(item.metadata, namespace="default"))


def problems(manifests: Manifests) -> tuple[Problem, ...]:
    return manifests.problems


def _within(kind: str, meta: object, namespaces: Sequence[str]) -> bool:
    name, namespace = str(getattr(meta, "name", "")), str(getattr(meta, "namespace", ""))
    if not namespaces:
        return True
    return (name if kind == "Namespace" else namespace or namespaces[0]) in namespaces
