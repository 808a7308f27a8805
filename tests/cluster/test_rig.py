"""The control plane itself: what the other tests here rely on is true of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.cluster.queries import Query, Shape
from tests.controlplane import build
from tests.controlplane.programs import free_ports
from tests.controlplane.rig import MERGE, ControlPlane, ready
from tests.controlplane.stages import PREFIX

RESIZE = "application/strategic-merge-patch+json"
Deploy = Callable[..., str]


@pytest.fixture
def deploy(control_plane: ControlPlane, namespace: str) -> Deploy:
    """Creates a Deployment of one container `app` and gives its path."""

    def deploy(
        name: str = "web", *, image: str = "app:1", replicas: int = 1, annotations: dict[str, str] | None = None, memory: str = "256Mi"
    ) -> str:
        resources = {"requests": {"cpu": "100m", "memory": memory}, "limits": {"memory": memory}}
        pod = {
            "metadata": {"labels": {"app": name}, "annotations": {PREFIX + key: value for key, value in (annotations or {}).items()}},
            "spec": {"containers": [{"name": "app", "image": image, "resources": resources}]},
        }
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod}
        collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        control_plane.request("POST", collection, body).raise_for_status()
        return f"{collection}/{name}"

    return deploy


@pytest.fixture
def pods(control_plane: ControlPlane, namespace: str) -> Callable[[str], list[dict[str, Any]]]:
    def pods(app: str = "web") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = control_plane.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector=app%3D{app}")["items"]
        return items

    return pods


Pods = Callable[..., list[dict[str, Any]]]


def status_of(pod: dict[str, Any]) -> dict[str, Any]:
    status: dict[str, Any] = pod["status"]["containerStatuses"][0]
    return status


def available(plane: ControlPlane, path: str, replicas: int) -> Callable[[], bool]:
    return lambda: plane.get(path)["status"].get("readyReplicas", 0) == replicas


def test_a_deployment_gets_its_pods_scheduled_and_ready(control_plane: ControlPlane, deploy: Deploy, pods: Pods) -> None:
    control_plane.until(available(control_plane, deploy(replicas=3), 3), "three ready pods")
    assert {pod["status"]["phase"] for pod in pods()} == {"Running"}
    assert all(pod["spec"]["nodeName"].startswith("node-") and pod["status"]["podIP"] for pod in pods())


def test_a_crashing_image_keeps_restarting_until_another_is_rolled_out(control_plane: ControlPlane, deploy: Deploy, pods: Pods) -> None:
    path = deploy(image="app:crash", annotations={"restart-ms": "300ms"})
    control_plane.until(lambda: status_of(pods()[0])["restartCount"] >= 3, "three restarts")
    assert status_of(pods()[0])["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert not ready(pods()[0])
    body = {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}}
    control_plane.request("PATCH", path, body, content_type=RESIZE).raise_for_status()
    control_plane.until(lambda: control_plane.get(path)["status"].get("availableReplicas") == 1, "the cure")
    control_plane.until(lambda: [status_of(pod)["image"] for pod in pods()] == ["app:2"], "the crashing pod gone")


@pytest.mark.parametrize(
    ("image", "reason", "phase"), [("app:missing", "ImagePullBackOff", "Pending"), ("app:crash", "CrashLoopBackOff", "Running")]
)
def test_a_bad_image_says_its_reason(image: str, reason: str, phase: str, control_plane: ControlPlane, deploy: Deploy, pods: Pods) -> None:
    deploy(image=image)
    control_plane.until(lambda: status_of(pods()[0])["state"]["waiting"]["reason"] == reason, reason)
    assert pods()[0]["status"]["phase"] == phase


def test_a_pod_that_needs_more_than_its_limit_is_killed_until_a_resize_gives_it(
    control_plane: ControlPlane, namespace: str, deploy: Deploy, pods: Pods
) -> None:
    deploy(annotations={"needs-mi": "600", "restart-ms": "300ms"}, memory="256Mi")
    control_plane.until(lambda: status_of(pods()[0])["lastState"]["terminated"]["reason"] == "OOMKilled", "killed")
    resize(control_plane, namespace, pods()[0], {"requests": {"memory": "512Mi"}, "limits": {"memory": "512Mi"}})
    before = status_of(pods()[0])["restartCount"]
    control_plane.until(lambda: status_of(pods()[0])["restartCount"] > before, "too little does not cure")
    resize(control_plane, namespace, pods()[0], {"requests": {"memory": "700Mi"}, "limits": {"memory": "700Mi"}})
    control_plane.until(lambda: ready(pods()[0]), "enough cures")


def resize(plane: ControlPlane, namespace: str, pod: dict[str, Any], resources: dict[str, Any]) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}/resize"
    body = {"spec": {"containers": [{"name": "app", "resources": resources}]}}
    plane.request("PATCH", path, body, content_type=RESIZE).raise_for_status()


def test_a_resize_in_place_converges_without_a_restart(control_plane: ControlPlane, namespace: str, deploy: Deploy, pods: Pods) -> None:
    control_plane.until(available(control_plane, deploy(), 1), "ready")
    before = pods()[0]["metadata"]["uid"]
    resize(control_plane, namespace, pods()[0], {"requests": {"cpu": "250m"}})
    control_plane.until(lambda: status_of(pods()[0])["resources"]["requests"]["cpu"] == "250m", "the status follows the spec")
    control_plane.until(lambda: not any(row["type"].startswith("PodResize") for row in pods()[0]["status"]["conditions"]), "settled")
    assert pods()[0]["metadata"]["uid"] == before
    assert status_of(pods()[0])["restartCount"] == 0


def test_a_held_resize_waits_with_its_reason(control_plane: ControlPlane, namespace: str, deploy: Deploy, pods: Pods) -> None:
    control_plane.until(available(control_plane, deploy(annotations={"resize": "Deferred"}), 1), "ready")
    resize(control_plane, namespace, pods()[0], {"requests": {"cpu": "250m"}})
    control_plane.until(
        lambda: any(row["type"] == "PodResizePending" and row["reason"] == "Deferred" for row in pods()[0]["status"]["conditions"]), "held"
    )
    assert status_of(pods()[0])["resources"]["requests"]["cpu"] == "100m"


def test_an_eviction_that_breaks_a_disruption_budget_is_refused(
    control_plane: ControlPlane, namespace: str, deploy: Deploy, pods: Pods
) -> None:
    control_plane.until(available(control_plane, deploy(replicas=3), 3), "three ready pods")
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    spec = {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": spec}
    control_plane.request("POST", budgets, budget).raise_for_status()
    control_plane.until(lambda: control_plane.get(f"{budgets}/web")["status"]["currentHealthy"] == 3, "the budget counts three")
    assert evict(control_plane, namespace, pods()[0]) == 429
    control_plane.request("PATCH", f"{budgets}/web", {"spec": {"minAvailable": 2}}, content_type=MERGE).raise_for_status()
    control_plane.until(lambda: control_plane.get(f"{budgets}/web")["status"]["disruptionsAllowed"] == 1, "one may go")
    assert evict(control_plane, namespace, pods()[0]) == 201


def evict(plane: ControlPlane, namespace: str, pod: dict[str, Any]) -> int:
    name = pod["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    return plane.request("POST", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", body).status_code


def test_a_job_completes(control_plane: ControlPlane, namespace: str) -> None:
    pod = {"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "app:1"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {"completions": 2, "template": pod}}
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    control_plane.request("POST", jobs, job).raise_for_status()
    control_plane.until(lambda: control_plane.get(f"{jobs}/once")["status"]["succeeded"] == 2, "both pods completed")


@pytest.fixture
def own_node(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    names = control_plane.add_nodes(1, prefix=f"own-{namespace}", labels={"own": namespace})
    yield names[0]
    control_plane.remove_nodes(names)


def test_a_failing_node_is_tainted_and_recovers(control_plane: ControlPlane, own_node: str) -> None:
    path = f"/api/v1/nodes/{own_node}"

    def tainted() -> bool:
        return any(taint["effect"] == "NoExecute" for taint in control_plane.get(path)["spec"].get("taints", []))

    control_plane.request("PATCH", path, {"metadata": {"annotations": {PREFIX + "not-ready": "true"}}}, content_type=MERGE)
    control_plane.until(lambda: tainted() and not ready(control_plane.get(path)), "not ready, tainted")
    control_plane.request("PATCH", path, {"metadata": {"annotations": {PREFIX + "not-ready": None}}}, content_type=MERGE)
    control_plane.until(lambda: not tainted() and ready(control_plane.get(path)), "back")


def test_an_identity_has_no_right_that_nobody_gave_it(control_plane: ControlPlane) -> None:
    codes = {name: control_plane.request("GET", "/api/v1/pods", identity=name).status_code for name in ("reader", "judge", "executor")}
    assert codes == {"reader": 403, "judge": 403, "executor": 403}


def test_kubectl_is_the_control_planes_own(control_plane: ControlPlane) -> None:
    versions = json.loads(control_plane.kubectl("version", "-o", "json"))
    assert versions["clientVersion"]["gitVersion"] == versions["serverVersion"]["gitVersion"]


# -------------------------------------------------------------- metrics
@pytest.mark.usefixtures("prometheus_url")
def test_usage_follows_the_pods_annotation(control_plane: ControlPlane, namespace: str, deploy: Deploy, pods: Pods) -> None:
    control_plane.until(available(control_plane, deploy(annotations={"cpu": "150m", "memory": "64Mi", "throttled": "0.3"}), 1), "ready")
    memory, cpu = Query(Shape.MEMORY_NOW, namespace).promql(), Query(Shape.CPU_RATE, namespace, rate_seconds=10).promql()
    control_plane.until(lambda: float(control_plane.query(memory)[0]["value"][1]) == pytest.approx(64 * 2**20, rel=0.03), "memory")
    control_plane.until(lambda: float(control_plane.query(cpu)[0]["value"][1]) == pytest.approx(0.15, rel=0.2), "CPU rate")
    throttled = Query(Shape.THROTTLED_RATIO, namespace, rate_seconds=10).promql()
    assert float(control_plane.query(throttled)[0]["value"][1]) == pytest.approx(0.3, rel=0.05)
    assert control_plane.query(cpu)[0]["metric"] == {"namespace": namespace, "pod": pods()[0]["metadata"]["name"]}


@pytest.mark.usefixtures("prometheus_url")
def test_a_pod_without_annotations_is_metered_too(control_plane: ControlPlane, namespace: str, deploy: Deploy) -> None:
    deploy()
    for shape in (Shape.CPU_RATE, Shape.MEMORY_NOW, Shape.THROTTLED_RATIO):
        query = Query(shape, namespace, rate_seconds=10).promql()
        control_plane.until(lambda query=query: len(control_plane.query(query)) == 1, shape)  # type: ignore[misc]


@pytest.mark.usefixtures("prometheus_url")
def test_object_states_are_series_too(control_plane: ControlPlane, namespace: str, deploy: Deploy) -> None:
    deploy(replicas=2)
    query = f'kube_deployment_status_replicas_ready{{namespace="{namespace}",deployment="web"}} == 2'
    control_plane.until(lambda: bool(control_plane.query(query)), "two ready replicas as a series")


@pytest.mark.usefixtures("prometheus_url")
def test_a_container_can_be_given_eight_days_of_past(control_plane: ControlPlane, namespace: str, deploy: Deploy, pods: Pods) -> None:
    control_plane.until(available(control_plane, deploy(annotations={"cpu": "200m", "memory": "300Mi"}), 1), "ready")
    pod = pods()[0]["metadata"]["name"]
    started = time.monotonic()
    control_plane.history({(namespace, pod, "app"): (0.2, 300 * 2**20), (namespace, "gone-1", "app"): (0.5, 2**30)}, days=8)
    print(f"history took {time.monotonic() - started:.1f} s")
    quantile = by_pod(control_plane, Query(Shape.CPU_QUANTILE, namespace))
    assert quantile == {pod: pytest.approx(0.22, rel=0.05), "gone-1": pytest.approx(0.55, rel=0.05)}
    assert by_pod(control_plane, Query(Shape.CPU_RATE, namespace))["gone-1"] == pytest.approx(0.5, rel=0.15)
    assert by_pod(control_plane, Query(Shape.MEMORY_NOW, namespace)) == {pod: pytest.approx(300 * 2**20, rel=0.03), "gone-1": 2**30}
    assert by_pod(control_plane, Query(Shape.SAMPLES, namespace))["gone-1"] > 0.98 * 7 * 24 * 60


def by_pod(plane: ControlPlane, query: Query) -> dict[str, float]:
    return {row["metric"]["pod"]: float(row["value"][1]) for row in plane.query(query.promql())}


@pytest.mark.slow
def test_kubectl_top_reads_the_same_usage(control_plane: ControlPlane, tmp_path: Path) -> None:
    if build.missing(("metrics-server",)):
        pytest.skip("metrics-server is not among KUBEBUILDER_ASSETS and not built; `make control-plane` builds it")
    with ControlPlane.running(tmp_path / "metered", nodes=1, prometheus=False, metrics_server=True) as metered, metered.namespace() as name:
        pod = {
            "metadata": {"name": "web", "annotations": {PREFIX + "cpu": "250m"}},
            "spec": {"containers": [{"name": "app", "image": "app:1"}]},
        }
        metered.request("POST", f"/api/v1/namespaces/{name}/pods", pod).raise_for_status()
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{name}/pods"
        metered.until(lambda: len(metered.get(path)["items"]) == 1, "the pod is metered", timeout_seconds=60)
        cores = int(metered.kubectl("top", "pods", "-n", name, "--no-headers").split()[1].removesuffix("m"))
    assert cores == pytest.approx(250, rel=0.15)


# -------------------------------------------------------------- its end
def gone(pid: int) -> bool:
    """Ended; one that its parent did not wait for yet is over too."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def all_gone_within(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if all(gone(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_a_stopped_control_plane_leaves_no_process(control_plane: ControlPlane, tmp_path: Path) -> None:
    with ControlPlane.running(tmp_path / "another", nodes=1, prometheus=False) as another:
        pids = list(another.pids().values())
        assert len(pids) == 5
        assert another.url != control_plane.url
    assert all(gone(pid) for pid in pids)
    assert control_plane.get("/version")["major"] == "1"


def test_a_port_that_somebody_else_took_is_replaced(control_plane: ControlPlane, tmp_path: Path) -> None:
    taken = free_ports()._replace(etcd=control_plane.layout.ports.apiserver)
    offered = iter([taken])
    with ControlPlane.running(tmp_path / "second", nodes=0, prometheus=False, ports=lambda: next(offered, free_ports())) as second:
        assert second.layout.ports.etcd != taken.etcd
        assert second.get("/version")["major"] == "1"


def test_logs_are_what_the_test_wrote(control_plane: ControlPlane, namespace: str, deploy: Deploy) -> None:
    control_plane.until(available(control_plane, deploy(), 1), "ready")
    control_plane.write_logs("it runs", previous="panic: it did not")
    assert control_plane.kubectl("logs", "deploy/web", "-n", namespace) == "it runs\n"
    assert control_plane.kubectl("logs", "deploy/web", "-n", namespace, "--previous") == "panic: it did not\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_owner_takes_its_control_plane_with_it(control_plane: ControlPlane, tmp_path: Path) -> None:
    script = (
        "import json, sys, time; from pathlib import Path; from tests.controlplane.rig import ControlPlane\n"
        "with ControlPlane.running(Path(sys.argv[1]), nodes=0, prometheus=False) as plane:\n"
        "    print(json.dumps(list(plane.pids().values())), flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "orphan")], stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        pids = json.loads(owner.stdout.readline())
        os.kill(owner.pid, signal.SIGKILL)
    assert all_gone_within(pids, 10)
    assert control_plane.get("/version")["major"] == "1"
