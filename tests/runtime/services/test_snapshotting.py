"""Files that `--from` takes: which it is, of when, and what a file on disk may and may not be."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.cluster.decoding import decode_page
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from core.policy.snapshots import Saved
from runtime.services import snapshotting

NOW = datetime(2026, 1, 2, tzinfo=UTC)
THEN = datetime(2025, 5, 6, 7, 8, 9, tzinfo=UTC)


def named(kind: str, name: str, namespace: str = "shop", uid: str = "") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace, "uid": uid}}


def saved(*namespaces: str) -> Saved:
    pods = [named("Pod", f"cart-{namespace}", namespace, f"u-{namespace}") for namespace in ("shop", "web")]
    objects = {
        "Pod": decode_page("Pod", json.dumps({"items": pods}).encode()).items,
        "Node": decode_page("Node", b'{"items": [{"metadata": {"name": "node-1"}}]}').items,
    }
    return Saved(Snapshot("c-1", THEN, objects, {"Event": "forbidden"}, (("Pod shop/odd", "no name"),)), "prod-eu", namespaces)


def test_a_file_is_for_its_owner_alone_and_replaces_an_older_one_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.snap"
    file.write_text("older")
    file.chmod(0o644)
    size = snapshotting.save(file, saved())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.stat().st_size == size
    assert [path.name for path in tmp_path.iterdir()] == ["a.snap"]


def test_a_file_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot write"):
        snapshotting.save(tmp_path / "no" / "a.snap", saved())
    (tmp_path / "folder").mkdir()
    with pytest.raises(InvalidInput, match="cannot write"):
        snapshotting.save(tmp_path / "folder", saved())
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_what_is_in_a_file_is_told(tmp_path: Path) -> None:
    snapshotting.save(tmp_path / "a.snap", saved("shop", "web"))
    found = snapshotting.opened(tmp_path / "a.snap", NOW).contents
    assert (found.form, found.cluster, found.context, found.at, found.namespaces) == ("snapshot", "c-1", "prod-eu", THEN, ("shop", "web"))
    assert dict(found.counts) == {"Node": 1, "Pod": 2}
    assert found.unread == (("Event", "forbidden"),)
    assert found.poisoned == (("Pod shop/odd", "no name"),)


async def test_a_reader_gives_the_kinds_and_namespaces_that_are_asked_for(tmp_path: Path) -> None:
    snapshotting.save(tmp_path / "a.snap", saved())
    reader = snapshotting.opened(tmp_path / "a.snap", NOW).reader
    assert await reader.cluster_uid() == "c-1"
    found = await reader.snapshot(["Pod", "Node", "Event", "Service"], ["web"])
    assert [pod.metadata.name for pod in found.pods] == ["cart-web"]
    assert [node.metadata.name for node in found.nodes] == ["node-1"], "no namespace holds a node"
    assert dict(found.unread) == {"Event": "forbidden", "Service": "not in the snapshot"}
    assert found.taken_at == THEN
    assert found.poisoned == (("Pod shop/odd", "no name"),)
    assert (await reader.snapshot(["Node"])).poisoned == ()


def test_namespaces_that_were_not_saved_are_not_looked_at(tmp_path: Path) -> None:
    snapshotting.save(tmp_path / "a.snap", saved("shop"))
    source = snapshotting.opened(tmp_path / "a.snap", NOW)
    assert source.scope(()) == ("shop",)
    assert source.scope(("shop",)) == ("shop",)
    with pytest.raises(InvalidInput, match="has only shop, not web"):
        source.scope(("web",))
    snapshotting.save(tmp_path / "b.snap", saved())
    assert snapshotting.opened(tmp_path / "b.snap", NOW).scope(("web",)) == ("web",)


def test_a_list_of_kubectl_has_no_time_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [named("Pod", "a"), named("Secret", "s")]}))
    source = snapshotting.opened(file, NOW)
    assert (source.contents.form, source.contents.at, dict(source.contents.counts)) == ("manifests", None, {"Pod": 1})
    assert "Node" in {row.what for row in source.contents.unread}


GATHERED = f"{THEN:%Y-%m-%d %H:%M}:01.123456789 +0000 UTC m=+0.1\n{THEN:%Y-%m-%d} 09:08:09.5 +0200 CEST m=+90.2\n"


def gathered(folder: Path) -> Path:
    """As `oc adm must-gather` lays it out: pods in a list and each alone, and what no check reads beside them."""
    inner = folder / "quay-io-image"
    pods = inner / "namespaces" / "shop" / "pods" / "cart"
    pods.mkdir(parents=True)
    (inner / "namespaces" / "shop" / "core").mkdir()
    (inner / "cluster-scoped-resources" / "core" / "nodes").mkdir(parents=True)
    (inner / "timestamp").write_text(GATHERED)
    (pods / "cart.yaml").write_text(json.dumps(named("Pod", "cart", uid="u-1")))
    rows = [named("Pod", "cart", uid="u-1"), named("Pod", "cart", uid="u-2")]
    (inner / "namespaces" / "shop" / "core" / "pods.yaml").write_text(json.dumps({"apiVersion": "v1", "kind": "PodList", "items": rows}))
    (inner / "cluster-scoped-resources" / "core" / "nodes" / "n.yaml").write_text(json.dumps(named("Node", "n", "", "u-3")))
    (inner / "namespaces" / "shop" / "pods" / "cart" / "current.log").write_text("not: [read")
    return folder


def test_a_must_gather_is_of_its_own_time_and_counts_each_object_once(tmp_path: Path) -> None:
    found = snapshotting.opened(gathered(tmp_path / "must-gather.local.1"), NOW).contents
    assert (found.form, found.at) == ("must-gather", THEN)
    assert dict(found.counts) == {"Node": 1, "Pod": 2}
    assert found.poisoned == ()


def test_objects_without_a_uid_all_count(tmp_path: Path) -> None:
    """Overlays of one deployment share its name, and each may have its own fault."""
    (tmp_path / "base.yaml").write_text(json.dumps(named("Pod", "cart")))
    (tmp_path / "prod.yaml").write_text(json.dumps(named("Pod", "cart")))
    assert dict(snapshotting.opened(tmp_path, NOW).contents.counts) == {"Pod": 2}


@pytest.mark.parametrize("text", ["", "soon", "2025-99-99 00:00:00 +0000 UTC", "\n" * 10_000])
def test_a_folder_with_another_timestamp_is_a_folder_of_manifests(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(json.dumps(named("Pod", "cart")))
    (tmp_path / "timestamp").write_text(text)
    assert snapshotting.opened(tmp_path, NOW).contents.at is None


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is nothing at"):
        snapshotting.opened(tmp_path / "none", NOW)
