import json
from datetime import UTC, datetime
from typing import Any

import pytest

from core.cluster.manifests import decode_manifests

DEPLOYMENT = b"""\
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  replicas: 2
"""


def names(found: Any) -> dict[str, list[str]]:
    return {kind: [item.metadata.name for item in items] for kind, items in found.objects.items()}


def test_a_yaml_file_may_hold_several_documents() -> None:
    found = decode_manifests({"a.yaml": DEPLOYMENT + b"---\n---\n# nothing\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: bare}\n"})
    assert names(found) == {"Deployment": ["cart"], "Pod": ["bare"]}
    assert found.problems == ()


@pytest.mark.parametrize("kind", ["List", "PodList"])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_lists_that_kubectl_prints_are_opened(kind: str, form: str) -> None:
    named = {"apiVersion": "v1", "kind": "Pod"} if kind == "List" else {}
    document = {"apiVersion": "v1", "kind": kind, "items": [{**named, "metadata": {"name": "a"}}, {**named, "metadata": {"name": "b"}}]}
    text = json.dumps(document, indent=2) if form == "json" else "---\n" + json.dumps(document)
    assert names(decode_manifests({"pods": text.encode()})) == {"Pod": ["a", "b"]}


def test_a_bad_document_is_named_with_its_line_and_the_rest_is_used() -> None:
    text = DEPLOYMENT + b"---\napiVersion: v1\nkind: Pod\nmetadata: {name: odd}\nspec: text\n---\nkind: Pod\n---\n- a\n---\n" + DEPLOYMENT
    found = decode_manifests({"a.yaml": text, "b.yaml": DEPLOYMENT})
    assert names(found) == {"Deployment": ["cart", "cart", "cart"]}
    assert [(problem.file, problem.line) for problem in found.problems] == [("a.yaml", 7), ("a.yaml", 12), ("a.yaml", 14)]


SYNTAX = [
    (b"a: [1\nb: 2\n", 2),
    (b"a: b: c\n", 1),
    (b'{\n "kind": Pod\n}', 2),
    (b"a: \x00\n", 0),
    (b"\xff\xfe\xff", 0),
    (b"a: !!python/object/apply:os.system [ls]\n", 1),
    (b"a: &x 1\nb: *x\n", 2),
    (b"a: " + b"[" * 200 + b"]" * 200, 1),
    (b"{" * 300, 1),
]


@pytest.mark.parametrize(("text", "line"), SYNTAX, ids=lambda part: repr(part)[:30])
def test_what_cannot_be_read_is_named_and_costs_only_its_file(text: bytes, line: int) -> None:
    found = decode_manifests({"bad": text, "good.yaml": DEPLOYMENT})
    assert names(found) == {"Deployment": ["cart"]}
    (problem,) = found.problems
    assert problem.file == "bad"
    assert problem.line in (line, 0)
    assert str(problem).startswith("bad")


def test_a_billion_laughs_are_not_laughed() -> None:
    laughs = b"a0: &a0 [x, x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 60))
    (problem,) = decode_manifests({"bomb.yaml": laughs}).problems
    assert "aliases" in problem.reason


def test_times_and_switches_stay_what_kubernetes_means() -> None:
    text = b"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  creationTimestamp: 2026-01-05T12:00:00Z\n  labels: {since: '2026-01-05'}\n"
    (pod,) = decode_manifests({"a.yaml": text}).objects["Pod"]
    assert pod.metadata.creation_timestamp == datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    assert pod.metadata.labels == {"since": "2026-01-05"}


def test_other_kinds_are_counted_and_not_guessed_at() -> None:
    route = (
        b"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: b}\n"
    )
    found = decode_manifests({"a.yaml": route})
    assert found.objects == {}
    assert found.skipped == {"Service": 1, "Secret": 1}


def test_a_snapshot_says_what_the_files_did_not_have() -> None:
    taken = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    found = decode_manifests({"a.yaml": DEPLOYMENT, "b": b"a: [\n"})
    snapshot = found.snapshot("files", taken)
    assert snapshot.find("Deployment", "shop", "cart") is not None
    assert "Deployment" not in snapshot.unread
    assert "no object of this kind" in snapshot.unread["Pod"]
    assert snapshot.poisoned[0][0].startswith("b")


def test_objects_are_remembered_with_file_and_line() -> None:
    text = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\n"
    found = decode_manifests({"b.yaml": text, "c.yaml": text})
    assert found.places["Namespace", "", "a"] == ("b.yaml", 1)
    assert found.places["Pod", "a", "p"] == ("b.yaml", 5)
