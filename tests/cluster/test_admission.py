"""The guard on a real API server: what is judged passes, nothing else does, and nobody else notices."""

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.actions import admission
from core.actions.catalogue import CATALOGUE, rights
from core.actions.roles import NAMESPACE
from core.cluster.kinds import REPORTER
from core.domain.api_request import ApiRequest, Right
from core.domain.errors import NotAuthorised, Refused, Unavailable
from core.domain.permit import Permit
from core.domain.values import Json
from gate import permits
from gate.executing.preflight import Expected, problems
from runtime.services.guarding import writes
from tests.cluster.guarded import STRATEGIC, Guarded, guarded, only, path_of, put
from tests.controlplane.rig import MERGE
from tools.kubernetes.writer import PERMIT_HEADER

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

pytestmark = pytest.mark.timeout(300)
AGENT = "scaling"
STRICT = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


@pytest.fixture(scope="module")
def guard(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(control_plane, tmp_path_factory.mktemp("guarded")) as found:
        yield found


def deploy(guard: Guarded, namespace: str, name: str = "web", replicas: int = 1) -> str:
    """A Deployment; its path."""
    pod = {
        "metadata": {"labels": {"app": name}},
        "spec": {"securityContext": STRICT, "containers": [{"name": "web", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod}
    collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
    guard.plane.request("POST", collection, body).raise_for_status()
    return f"{collection}/{name}"


def scaled(namespace: str, replicas: int, name: str = "web", **body: Any) -> ApiRequest:
    return ApiRequest(
        verb="patch",
        group="apps",
        version="v1",
        resource="deployments",
        namespace=namespace,
        name=name,
        content_type=STRATEGIC,
        body={"spec": {"replicas": replicas}} | body,
    )


def replicas(guard: Guarded, path: str) -> int:
    return int(guard.plane.get(path)["spec"]["replicas"])


# ------------------------------------------------------------------ what is installed
async def test_what_is_generated_is_what_the_server_keeps_and_nothing_more_is_held(guard: Guarded) -> None:
    expected = Expected(constrained=guard.documents(), legacy=(), writes=writes())
    async with guard.reader("executor") as inspector:
        assert await problems(inspector, expected) == []


async def test_an_altered_guard_is_named(guard: Guarded) -> None:
    expected = Expected(constrained=guard.documents(), legacy=(), writes=writes())
    document = guard.documents()[0]
    altered = {**document, "spec": {**document["spec"], "failurePolicy": "Ignore"}}
    put(guard.plane, altered)
    try:
        async with guard.reader("executor") as inspector:
            assert await problems(inspector, expected) == ["ValidatingAdmissionPolicy day2-guard differs in spec.failurePolicy"]
    finally:
        put(guard.plane, document)


def test_every_policy_compiles(guard: Guarded) -> None:
    def checked() -> bool:
        found = [guard.plane.get(path_of(item)) for item in guard.documents() if item["kind"] == "ValidatingAdmissionPolicy"]
        return all(item["status"]["observedGeneration"] == item["metadata"]["generation"] for item in found)

    guard.plane.until(checked, "the policies type-checked")
    for item in guard.documents():
        if item["kind"] == "ValidatingAdmissionPolicy":
            warnings = guard.plane.get(path_of(item))["status"].get("typeChecking", {}).get("expressionWarnings", [])
            assert not [warning for warning in warnings if "undefined field" not in warning["warning"]], warnings


# ------------------------------------------------------------------ permits
def test_a_permitted_write_passes_once_and_its_replay_never(guard: Guarded, namespace: str) -> None:
    path, request = deploy(guard, namespace), scaled(namespace, 3)
    permit, _, _ = guard.judged(request, AGENT)
    guard.send(request, AGENT, permit, dry_run=True)
    assert replicas(guard, path) == 1
    guard.send(request, AGENT, permit)
    assert replicas(guard, path) == 3
    guard.plane.request("PATCH", path, {"spec": {"replicas": 1}}, content_type=MERGE).raise_for_status()
    with pytest.raises(NotAuthorised, match="day2 permit"):
        guard.send(request, AGENT, permit)
    assert replicas(guard, path) == 1


def test_an_undo_passes_after_its_forward_and_leaves_what_others_moved(guard: Guarded, namespace: str) -> None:
    path, there, back = deploy(guard, namespace), scaled(namespace, 3), scaled(namespace, 1)
    forward, old, new = guard.judged(there, AGENT)
    undo = guard.undo(back, forward, old, new)
    with pytest.raises(NotAuthorised, match="day2 permit: nothing was done"):
        guard.send(back, AGENT, undo)
    guard.send(there, AGENT, forward)
    guard.plane.request("PATCH", path, {"metadata": {"labels": {"theirs": "1"}}}, content_type=MERGE).raise_for_status()
    smuggled = scaled(namespace, 1, metadata={"labels": {"more": "1"}})
    with pytest.raises(NotAuthorised, match="inverse"):
        guard.send(smuggled, AGENT, undo)
    guard.send(back, AGENT, undo)
    found = guard.plane.get(path)
    assert (found["spec"]["replicas"], found["metadata"]["labels"]["theirs"]) == (1, "1")
    with pytest.raises(NotAuthorised, match="day2 permit"):
        guard.send(there, AGENT, undo)


def test_nothing_else_is_opened_and_nothing_is_stored(guard: Guarded, namespace: str) -> None:
    path, other = deploy(guard, namespace), deploy(guard, namespace, "other")
    request = scaled(namespace, 3)
    good, _, _ = guard.judged(request, AGENT)
    now = good.iat
    token = permits.mint(good, guard.judge)
    head, body, signature = token.split(".")
    bad: dict[str, tuple[ApiRequest, Permit | str]] = {
        "another value": (scaled(namespace, 4), good),
        "another object": (scaled(namespace, 3, "other"), good),
        "one field more": (scaled(namespace, 3, metadata={"finalizers": ["x.dev/y"]}), good),
        "expired": (request, good.model_copy(update={"iat": now - 200, "exp": now - 80})),
        "living too long": (request, good.model_copy(update={"exp": now + 3600})),
        "another uid": (request, good.model_copy(update={"uid": "00000000-0000-0000-0000-000000000000"})),
        "another generation": (request, good.model_copy(update={"generation": 7})),
        "edited": (request, f"{head}.{body[:-4]}AAAA.{signature}"),
        "unsigned": (request, f"{head}.{body}.AA"),
        "shapeless": (request, "x"),
    }
    for name, (asked, permit) in bad.items():
        with pytest.raises(NotAuthorised) as refused:
            guard.send(asked, AGENT, permit)
        assert "day2" in str(refused.value), name
        assert token not in str(refused.value)
    with pytest.raises(NotAuthorised):
        guard.send(request, only("scale_workload"), good)
    assert (replicas(guard, path), replicas(guard, other)) == (1, 1)


def test_a_deleted_pod_is_the_one_that_was_judged(guard: Guarded, namespace: str) -> None:
    deploy(guard, namespace)
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def one() -> Json:
        items: list[Json] = guard.plane.get(pods)["items"]
        return items[0]

    guard.plane.until(lambda: one()["status"]["phase"] == "Running", "a running pod")
    pod = one()
    meta = pod["metadata"]
    options = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]},
    }
    request = ApiRequest(
        verb="delete", version="v1", resource="pods", namespace=namespace, name=meta["name"], content_type="application/json", body=options
    )
    agent = only("delete_pod")
    permit = guard.permit(request, agent, pod, {})
    at_once = request.model_copy(update={"body": options | {"gracePeriodSeconds": 0}})
    for wrong in (at_once, request.model_copy(update={"body": {"apiVersion": "v1", "kind": "DeleteOptions"}})):
        with pytest.raises(NotAuthorised, match="day2 permit"):
            guard.send(wrong, agent, permit)
    guard.send(request, agent, permit, dry_run=True)
    guard.send(request, agent, permit)
    guard.plane.until(lambda: one()["metadata"]["uid"] != meta["uid"], "another pod")
    with pytest.raises((Refused, NotAuthorised)):
        guard.send(request, agent, permit)


async def test_the_servers_own_retries_are_no_replays(guard: Guarded, namespace: str) -> None:
    """Status writers make the compare-and-swap fail; the API server asks the webhook again, with the same permit.

    The burst ends: against writers that never pause, the server may keep on retrying for longer than any client waits.
    """
    path = await asyncio.to_thread(deploy, guard, namespace)

    async def burst(writer: int) -> None:
        for count in range(10):
            told = {"type": "Noise", "status": "True", "reason": f"n{writer}-{count}", "message": "", "lastUpdateTime": None}
            body = {"status": {"conditions": [told]}}
            await asyncio.to_thread(guard.plane.request, "PATCH", f"{path}/status", body, content_type=STRATEGIC)

    before = await asyncio.to_thread(guard.webhook_calls)
    for number in range(2, 12):
        request = scaled(namespace, number)
        permit, _, _ = await asyncio.to_thread(guard.judged, request, AGENT)
        await asyncio.gather(asyncio.to_thread(guard.send, request, AGENT, permit), *(burst(writer) for writer in range(2)))
    assert await asyncio.to_thread(replicas, guard, path) == 11
    assert await asyncio.to_thread(guard.webhook_calls) > before + 10, "no write was contested"


async def test_of_eight_uses_at_once_one_write_is_stored(guard: Guarded, namespace: str) -> None:
    path = await asyncio.to_thread(deploy, guard, namespace)
    request = scaled(namespace, 3)
    permit, old, _ = await asyncio.to_thread(guard.judged, request, AGENT)
    token = permits.mint(permit, guard.judge)
    await asyncio.gather(*(asyncio.to_thread(guard.said, request, AGENT, token, dry_run=False) for _ in range(8)))
    found = await asyncio.to_thread(guard.plane.get, path)
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (3, old["metadata"]["generation"] + 1)


def test_the_judges_preview_is_told_the_hash_that_the_permit_names(guard: Guarded, namespace: str) -> None:
    path, request = deploy(guard, namespace), scaled(namespace, 3)
    permit, _, _ = guard.judged(request, AGENT)
    headers = {"Impersonate-User": f"day2:preview:{AGENT}", "Content-Type": STRATEGIC}
    answer = guard.raw("PATCH", f"{path}?dryRun=All&fieldManager=day2ops-{AGENT}", request.body, headers, identity="judge")
    assert f"day2-post {permit.post}" in answer.headers["warning"]
    stored = guard.raw("PATCH", path, request.body, headers, identity="judge")
    assert stored.status_code == 403
    assert replicas(guard, path) == 1


# ------------------------------------------------------------------ stop
def test_a_stop_refuses_every_call_that_begins_after_it_and_only_a_person_lifts_it(guard: Guarded, namespace: str) -> None:
    from gate import stopping
    from tools.clocks import SystemClock
    from tools.stores.ledger import opened

    deploy(guard, namespace)
    request = scaled(namespace, 3)
    permit, _, _ = guard.judged(request, AGENT)
    token = permits.mint(permit, guard.judge)
    with contextlib.closing(opened(guard.ledger_url, None)) as ledger:
        assert guard.said(request, AGENT, token) == ""
        stopping.stop(ledger, scope="all", mode="all", by="person", reason="drill", at=SystemClock().now())
        try:
            assert "stopped: all: drill" in guard.said(request, AGENT, token)
            guard.preview(request, AGENT)  # looking goes on
        finally:
            stopping.resume(ledger, scope="all", by="person", reason="over", at=SystemClock().now())
        assert guard.said(request, AGENT, token) == ""


def test_an_annotation_stops_a_namespace_and_our_users_cannot_lift_it(guard: Guarded, namespace: str) -> None:
    deploy(guard, namespace)
    request = scaled(namespace, 3)
    permit, _, _ = guard.judged(request, AGENT)
    token = permits.mint(permit, guard.judge)
    space = f"/api/v1/namespaces/{namespace}"
    guard.plane.request("PATCH", space, {"metadata": {"annotations": {admission.STOP: "all"}}}, content_type=MERGE).raise_for_status()
    guard.plane.until(lambda: "stopped by the annotation" in guard.said(request, AGENT, token), "stopped")
    lift = ApiRequest(
        verb="patch",
        version="v1",
        resource="namespaces",
        name=namespace,
        content_type=MERGE,
        body={"metadata": {"annotations": {admission.STOP: None}}},
    )
    agent = only("label_namespace")
    with pytest.raises(NotAuthorised, match="only a person"):
        guard.preview(lift, agent)
    assert "day2" in guard.said(lift, agent, "e30.e30.e30", dry_run=False)
    guard.plane.request("PATCH", space, {"metadata": {"annotations": {admission.STOP: None}}}, content_type=MERGE).raise_for_status()
    guard.plane.until(lambda: guard.said(request, AGENT, token) == "", "going on")


# ------------------------------------------------------------------ nobody else notices
def test_a_dead_webhook_refuses_us_and_nobody_else(guard: Guarded, namespace: str) -> None:
    path, request = deploy(guard, namespace), scaled(namespace, 3)
    permit, _, _ = guard.judged(request, AGENT)
    guard.webhook.stop()
    try:
        with pytest.raises(Unavailable, match="failed calling webhook"):
            guard.send(request, AGENT, permit)
        assert replicas(guard, path) == 1
        guard.plane.request("PATCH", path, {"spec": {"replicas": 2}}, content_type=MERGE).raise_for_status()
        guard.plane.until(lambda: guard.plane.get(path)["status"]["readyReplicas"] == 2, "controllers and nodes at work")
    finally:
        guard.webhook.start()
    with pytest.raises(NotAuthorised):  # judged before somebody else moved it
        guard.send(request, AGENT, permit)


def test_bindings_of_others_are_not_looked_at_and_ours_lead_to_our_roles(guard: Guarded, namespace: str) -> None:
    bindings = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    others = [{"kind": "Group", "name": "system:authenticated", "apiGroup": role["apiGroup"]}]
    body = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "x"}, "roleRef": role}
    assert guard.plane.request("POST", bindings, body | {"subjects": others}).status_code == 201
    for subject in (
        {"kind": "User", "name": "day2:agent:finops", "apiGroup": role["apiGroup"]},
        {"kind": "ServiceAccount", "name": "executor", "namespace": NAMESPACE},
        {"kind": "Group", "name": f"system:serviceaccounts:{NAMESPACE}", "apiGroup": role["apiGroup"]},
    ):
        answer = guard.plane.request("POST", bindings, body | {"metadata": {"name": "y"}, "subjects": [*others, subject]})
        assert (answer.status_code, "day2-*" in answer.text) == (403, True)


def test_the_notifier_creates_its_events_and_nothing_else(guard: Guarded, namespace: str, tmp_path: Path) -> None:
    from tests.cluster.access import kubeconfigs

    guard.files |= kubeconfigs(guard.plane, tmp_path, ("notifier",))
    events = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": namespace, "name": "web"}
    event = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e1"}, "eventTime": "2026-11-23T12:00:00.000000Z"}
    event |= {"type": "Normal", "action": "Scaled", "reason": "Judged", "regarding": about, "reportingInstance": "n", "note": "x"}
    good = event | {"reportingController": REPORTER}
    codes = {
        "own": guard.raw("POST", events, good, {}, identity="notifier").status_code,
        "another reporter": guard.raw(
            "POST", events, event | {"metadata": {"name": "e2"}, "reportingController": "kubelet"}, {}, identity="notifier"
        ).status_code,
        "finalizer": guard.raw(
            "POST", events, good | {"metadata": {"name": "e3", "finalizers": ["a.dev/b"]}}, {}, identity="notifier"
        ).status_code,
        "kube-system": guard.raw("POST", events.replace(namespace, "kube-system"), good, {}, identity="notifier").status_code,
        "delete": guard.raw("DELETE", f"{events}/e1", None, {}, identity="notifier").status_code,
        "read": guard.raw("GET", events, None, {}, identity="notifier").status_code,
    }
    assert codes == {"own": 201} | dict.fromkeys(list(codes)[1:], 403)


# ------------------------------------------------------------------ rights
WRITES = [(kind, right) for kind in CATALOGUE for right in CATALOGUE[kind].rights if right.verb != "get"]


@pytest.fixture(scope="module")
def objects(guard: Guarded) -> Iterator[dict[str, ApiRequest]]:
    """A write of each right of the catalogue that changes nothing, on an object that is there."""
    with guard.plane.namespace() as namespace:
        yield dict(_objects(guard, namespace))


def _objects(guard: Guarded, namespace: str) -> Iterator[tuple[str, ApiRequest]]:
    plane = guard.plane
    deploy(guard, namespace, "web")
    labels = {"matchLabels": {"app": "x"}}
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "app:1"}]}}
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    for kind, plural in (("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")):
        spec = {"selector": labels, "template": template} | ({"serviceName": "x", "replicas": 0} if kind == "StatefulSet" else {})
        body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}
        plane.request("POST", f"{apps}/{plural}", body).raise_for_status()
    job = {"suspend": True, "template": {"spec": {"restartPolicy": "Never", "containers": template["spec"]["containers"]}}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "web"}, "spec": job}
    plane.request("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", body).raise_for_status()
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3},
    }
    plane.request("POST", f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers", body).raise_for_status()
    core = f"/api/v1/namespaces/{namespace}"
    claim = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}
    for kind, plural, spec in (
        ("Service", "services", {"selector": {"app": "x"}, "ports": [{"port": 80}]}),
        ("ResourceQuota", "resourcequotas", {"hard": {"count/secrets": "99"}}),
        ("PersistentVolumeClaim", "persistentvolumeclaims", claim),
    ):
        body = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec}
        plane.request("POST", f"{core}/{plural}", body).raise_for_status()
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": template["spec"]["containers"]}}
    plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", body).raise_for_status()
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "1"}}
    plane.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", body).raise_for_status()
    collection = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    plane.request("POST", collection, _policy("web")).raise_for_status()
    plane.until(lambda: plane.get(f"/api/v1/namespaces/{namespace}/pods/web")["status"]["phase"] == "Running", "the bare pod")
    machines(plane)
    body = {"apiVersion": "cluster.x-k8s.io/v1beta1", "kind": "Machine", "metadata": {"name": "web"}}
    plane.request("POST", f"/apis/cluster.x-k8s.io/v1beta1/namespaces/{namespace}/machines", body).raise_for_status()
    node = str(plane.get("/api/v1/nodes")["items"][0]["metadata"]["name"])
    for right in rights():
        if right.verb != "get":
            request = _unchanging(right, namespace, {"nodes": node, "namespaces": namespace}.get(right.resource, "web"))
            yield str(right), _evicting(plane, request) if right.subresource == "eviction" else request


def _evicting(plane: "ControlPlane", request: ApiRequest) -> ApiRequest:
    """With the pod named that it means, which admission asks for."""
    meta = plane.get(f"/api/v1/namespaces/{request.namespace}/pods/{request.name}")["metadata"]
    options = {"preconditions": {"uid": meta["uid"]}}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": request.name}, "deleteOptions": options}
    return request.model_copy(update={"body": body})


def machines(plane: "ControlPlane") -> None:
    """Machines of the Cluster API, as far as a definition goes; nothing here makes any."""
    name = "machines.cluster.x-k8s.io"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1beta1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "machines", "singular": "machine", "kind": "Machine"}
    spec = {"group": "cluster.x-k8s.io", "scope": "Namespaced", "names": names, "versions": [version]}
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}, "spec": spec}
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert plane.request("POST", definitions, body).status_code in (201, 409)

    def served() -> bool:
        conditions = plane.get(f"{definitions}/{name}").get("status", {}).get("conditions", ())
        return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)

    plane.until(served, "Machines served")


def _policy(name: str) -> Json:
    spec = {"podSelector": {"matchLabels": {"app": "nobody"}}, "policyTypes": ["Ingress"]}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec}


def _unchanging(right: Right, namespace: str, name: str) -> ApiRequest:
    wide = right.resource in ("nodes", "namespaces")
    made = right.verb == "create" and not right.subresource
    return ApiRequest(
        verb=right.verb,  # type: ignore[arg-type]
        group=right.group,
        version={"autoscaling": "v2", "cluster.x-k8s.io": "v1beta1"}.get(right.group, "v1"),
        resource=right.resource,
        subresource=right.subresource,
        namespace="" if wide else namespace,
        name="made" if made else name,
        content_type=STRATEGIC if right.verb == "patch" else "application/json",
        body=_policy("made") if made else {},
    )


@pytest.mark.parametrize(("kind", "right"), WRITES, ids=[f"{kind}-{right}".replace(" ", "-") for kind, right in WRITES])
def test_a_kind_works_with_exactly_its_rights_and_without_one_it_does_not(
    guard: Guarded, objects: dict[str, ApiRequest], kind: str, right: Right
) -> None:
    """With its rights a request reaches the webhook, which has the last word; without one, RBAC refuses it before."""
    agent, request = only(kind), objects[str(right)]
    guard.preview(request, agent)
    for role in (f"day2-agent-{agent}", "day2-executor-on"):
        document = _holding(guard, role, right)
        assert reached(guard, request, agent)
        put(guard.plane, {**document, "rules": [rule for rule in document["rules"] if not _gives(rule, right)]})
        try:
            guard.plane.until(lambda: not reached(guard, request, agent), f"no {right} by {role}")
        finally:
            put(guard.plane, document)
        guard.plane.until(lambda: reached(guard, request, agent), f"{right} again")


def reached(guard: Guarded, request: ApiRequest, agent: str) -> bool:
    """A permit of its own for each try, because impersonations that were allowed are remembered for ten seconds."""
    said = guard.said(request, agent, f"e30.e30.{guard.ids.new('x').replace('-', '')}")
    assert said
    return "day2 permit" in said


def _holding(guard: Guarded, name: str, right: Right) -> Json:
    names = (name, f"{name}-cluster")
    return next(
        item
        for item in guard.documents()
        if item["kind"] == "ClusterRole" and item["metadata"]["name"] in names and any(_gives(rule, right) for rule in item["rules"])
    )


def _gives(rule: Json, right: Right) -> bool:
    full = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
    verbs = {right.verb, f"impersonate-on:user-info:{right.verb}"}
    return rule["apiGroups"] == [right.group] and full in rule["resources"] and bool(verbs & set(rule["verbs"]))


@pytest.mark.parametrize("right", [right for right in rights() if right.verb != "get"], ids=str)
@pytest.mark.parametrize("identity", ["executor", "judge", "reader"])
def test_without_a_whole_identity_every_write_is_forbidden(
    guard: Guarded, objects: dict[str, ApiRequest], right: Right, identity: str
) -> None:
    request = objects[str(right)]
    method = {"patch": "PATCH", "create": "POST", "delete": "DELETE"}[right.verb]
    path = request.path.rpartition("/")[0] if request.makes else request.path
    headers: list[dict[str, str]] = [
        {},
        {"Impersonate-User": ""},
        {"Impersonate-User": "", PERMIT_HEADER: "e30.e30.e30"},
        {PERMIT_HEADER: "e30.e30.e30"},
        {"Impersonate-User": "day2:agent:finops"},
        {"Impersonate-User": "day2:agent:finops", PERMIT_HEADER: ""},
        {"Impersonate-User": "day2:preview:finops"},
        {"Impersonate-User": "admin", "Impersonate-Group": "system:masters"},
    ]
    codes = [
        guard.raw(method, path, request.body, each | {"Content-Type": request.content_type}, identity=identity).status_code
        for each in headers
    ]
    assert all(code in (400, 403, 500) for code in codes), codes
    assert [code for code, each in zip(codes, headers, strict=True) if PERMIT_HEADER not in each] == [403] * 5


def test_a_refusal_never_repeats_the_permit(guard: Guarded, objects: dict[str, ApiRequest]) -> None:
    secrets = ApiRequest(verb="patch", version="v1", resource="secrets", namespace="default", name="x", content_type=STRATEGIC)
    token = "e30.e30.c2VjcmV0"
    for request in (*objects.values(), secrets):
        said = guard.said(request, AGENT, token)
        assert said
        assert token not in said
