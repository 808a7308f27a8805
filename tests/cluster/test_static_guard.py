"""The guard as files of an API server of one's own: no object of the API, no cluster-admin, turns it off."""

from collections.abc import Iterator

import pytest

from core.actions import admission
from core.domain.api_request import ApiRequest
from core.domain.errors import NotAuthorised
from tests.cluster.guarded import STRATEGIC, Guarded, only, path_of, put
from tests.controlplane.rig import MERGE

pytestmark = pytest.mark.timeout(400)
AGENT = only("label_namespace")
BREAK_GLASS = {"Impersonate-User": "keeper", "Impersonate-Group": admission.BREAK_GLASS}
LABEL = "pod-security.kubernetes.io/warn"


@pytest.fixture(scope="module")
def guard(static_guard: Guarded) -> Iterator[Guarded]:
    """Objects that the tests here add go again: others look at the files alone."""
    yield static_guard
    static_guard.remove()


@pytest.fixture
def namespace(guard: Guarded) -> Iterator[str]:
    with guard.plane.namespace() as name:
        yield name


def labelled(namespace: str, level: str | None) -> ApiRequest:
    body = {"metadata": {"labels": {LABEL: level}}}
    return ApiRequest(verb="patch", version="v1", resource="namespaces", name=namespace, content_type=STRATEGIC, body=body)


def label(guard: Guarded, namespace: str) -> str | None:
    found: str | None = guard.plane.get(f"/api/v1/namespaces/{namespace}")["metadata"]["labels"].get(LABEL)
    return found


def test_files_alone_hold_the_gate(guard: Guarded, namespace: str) -> None:
    assert all(guard.plane.request("GET", path_of(item)).status_code == 404 for item in guard.admissions())
    request = labelled(namespace, "baseline")
    for permit in ("e30.e30.e30", "x"):
        with pytest.raises(NotAuthorised, match="day2"):
            guard.send(request, AGENT, permit)
    forward, old, new = guard.judged(request, AGENT)
    guard.send(request, AGENT, forward)
    assert label(guard, namespace) == "baseline"
    back = labelled(namespace, None)
    guard.send(back, AGENT, guard.undo(back, forward, old, new))
    assert label(guard, namespace) is None


def test_with_both_registrations_a_permit_still_opens_once(guard: Guarded, namespace: str) -> None:
    for document in guard.admissions():
        put(guard.plane, document)
    guard.plane.until(guard.in_force, "both in force")
    request = labelled(namespace, "restricted")
    forward, _, _ = guard.judged(request, AGENT)
    guard.send(request, AGENT, forward)
    assert label(guard, namespace) == "restricted"
    guard.plane.request("PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {LABEL: None}}}, content_type=MERGE)
    with pytest.raises(NotAuthorised, match="used before"):
        guard.send(request, AGENT, forward)


def test_not_even_a_cluster_admin_takes_guard_or_rights_away(guard: Guarded) -> None:
    for document in guard.admissions():
        if guard.plane.request("GET", path_of(document)).status_code == 404:
            put(guard.plane, document)
    held = [item for item in guard.documents() if item["kind"] not in ("Namespace", "ServiceAccount")]
    for document in held:
        path = path_of(document)
        before = guard.plane.get(path)["metadata"]["resourceVersion"]
        tries = {
            "delete": guard.plane.request("DELETE", path),
            "patch": guard.plane.request("PATCH", path, {"metadata": {"labels": {"x": "1"}}}, content_type=MERGE),
            "collection": guard.plane.request(
                "DELETE", f"{path.rpartition('/')[0]}?fieldSelector=metadata.name%3D{path.rpartition('/')[2]}"
            ),
        }
        assert {name: answer.status_code for name, answer in tries.items()} == dict.fromkeys(tries, 403), (path, tries["collection"].text)
        assert guard.plane.get(path)["metadata"]["resourceVersion"] == before


def test_the_files_are_not_in_the_api_and_their_names_cannot_be_taken(guard: Guarded) -> None:
    document = guard.admissions()[0]
    name = document["metadata"]["name"] + admission.STATIC
    collection = path_of(document).rpartition("/")[0]
    assert guard.plane.request("DELETE", f"{collection}/{name}").status_code == 404
    taken = {**document, "metadata": {"name": name}}
    assert guard.plane.request("POST", collection, taken).status_code in (400, 403, 422)


def test_people_with_the_broken_glass_may_and_what_lives_in_a_namespace_goes_with_it(guard: Guarded) -> None:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"kind": "Group", "name": admission.BREAK_GLASS, "apiGroup": role["apiGroup"]}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "glass"}}
    put(guard.plane, binding | {"roleRef": role, "subjects": [subject]})
    with guard.plane.namespace() as name:
        ours = next(item for item in guard.documents() if item["kind"] == "ClusterRoleBinding" and "agent" in item["metadata"]["name"])
        mine = {**ours, "kind": "RoleBinding", "metadata": {"name": "day2-agent-x", "namespace": name}}
        put(guard.plane, mine)
        assert guard.plane.request("DELETE", path_of(mine)).status_code == 403
        put(guard.plane, {**mine, "metadata": {"name": "day2-agent-y", "namespace": name}})
        path = path_of({**mine, "metadata": {"name": "day2-agent-y", "namespace": name}})
        guard.files["admin"] = guard.plane.kubeconfig()
        assert guard.raw("DELETE", path, None, BREAK_GLASS, identity="admin").status_code == 200
    guard.plane.until(
        lambda: guard.plane.request("GET", f"/api/v1/namespaces/{name}").status_code == 404, "the namespace gone", timeout_seconds=90
    )
