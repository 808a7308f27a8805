"""Pods do what their spec says, beyond memory and images: references, commands, probes, claims, neighbours, limits, priority, webhooks."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.controllers import programs
from simulator.controllers.cluster import CONFIG_MAPS, DEPLOYMENTS, PODS, QUOTAS, REPLICA_SETS
from simulator.controllers.scheduling import demand
from simulator.controllers.volumes import CLAIMS, VOLUMES
from simulator.resources import resource

Small = Callable[..., Any]
Json = dict[str, Any]
APP = "app.kubernetes.io/name"
HOOKS = resource("admissionregistration.k8s.io", "validatingwebhookconfigurations")
PRIORITIES = resource("scheduling.k8s.io", "priorityclasses")
CLASSES = resource("storage.k8s.io", "storageclasses")


def roll(box: Any, name: str = "worker", *, pod: Json | None = None, **container: Any) -> None:
    def change(obj: Json) -> None:
        spec = obj["spec"]["template"]["spec"]
        spec.update(pod or {})
        spec["containers"][0].update(container)

    box.patch(DEPLOYMENTS, "apps", name, change)


def newest(box: Any, name: str = "worker") -> Json:
    found: Json = max(box.pods("apps", name), key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
    return found


def state(pod: Json) -> Json:
    found: Json = pod["status"]["containerStatuses"][0]
    return found


def scheduled(box: Any, pod: Json) -> str:
    found: str = box.condition(pod, "PodScheduled").get("message", "")
    return found


def refusal(box: Any, name: str = "worker") -> str:
    sets = [each for each in box.store.list(REPLICA_SETS, "apps") if each["metadata"]["name"].startswith(f"{name}-")]
    texts = (box.condition(each, "ReplicaFailure").get("message", "") for each in sets if "status" in each)
    return next((text for text in texts if text), "")


@pytest.mark.parametrize(
    ("command", "course"),
    [
        ([], programs.OWN),
        (["/app/serve", "--port=8080"], programs.OWN),
        (["sh", "-c", "exit 3"], programs.Course(code=3)),
        (["/bin/sleep", "20"], programs.Course(seconds=20)),
        (["sleep", "infinity"], programs.Course(seconds=programs.FOR_EVER)),
        (["/bin/false"], programs.Course(code=1)),
    ],
)
def test_a_command_goes_as_it_says(command: list[str], course: programs.Course) -> None:
    assert programs.course(command) == course


@pytest.mark.parametrize("command", [["/opt/serve"], ["srve"]])
def test_a_command_that_is_not_in_the_image_cannot_start(command: list[str], small: Small) -> None:
    box = small()
    roll(box, command=command)
    ended = state(newest(box.wait(60)))["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert command[0] in ended["message"]


def test_a_container_waits_for_the_key_that_its_variable_names_and_starts_once_it_is_there(small: Small) -> None:
    box = small()
    box.store.create(CONFIG_MAPS, {"metadata": {"name": "features", "namespace": "apps"}, "data": {"other": "1"}})
    roll(box, env=[{"name": "ON", "valueFrom": {"configMapKeyRef": {"name": "features", "key": "on"}}}])
    waiting = state(newest(box.wait(60)))["state"]["waiting"]
    assert waiting == {"reason": "CreateContainerConfigError", "message": "couldn't find key on in ConfigMap apps/features"}
    box.patch(CONFIG_MAPS, "apps", "features", lambda obj: obj["data"].update(on="1"))
    assert state(newest(box.wait(60)))["ready"]


def test_a_pod_waits_for_the_secret_that_it_mounts(small: Small) -> None:
    box = small()
    roll(box, pod={"volumes": [{"name": "tls", "secret": {"secretName": "tls"}}]})
    pod = newest(box.wait(60))
    assert (pod["status"]["phase"], state(pod)["state"]) == ("Pending", {"waiting": {"reason": "ContainerCreating"}})
    box.store.create(resource("", "secrets"), {"metadata": {"name": "tls", "namespace": "apps"}, "data": {}})
    assert state(newest(box.wait(120)))["ready"]


@pytest.mark.parametrize(
    ("probe", "says"),
    [
        ({"httpGet": {"path": "/redy", "port": "http"}}, "404"),
        ({"httpGet": {"path": "/ready", "port": 9090}}, "refused"),
        ({"tcpSocket": {"port": "grpc"}}, "find port"),
        ({"exec": {"command": ["false"]}}, "command failed"),
        ({"httpGet": {"path": "/ready", "port": 8080}}, ""),
    ],
)
def test_a_probe_fails_by_what_it_asks(probe: Json, says: str, small: Small) -> None:
    box = small()
    roll(box, readinessProbe={"periodSeconds": 5, **probe})
    complaint = programs.complaint(probe, newest(box.wait(120))["spec"]["containers"][0])
    assert says in complaint
    assert bool(complaint) is bool(says)
    assert state(newest(box))["ready"] is not bool(says)


def test_a_liveness_probe_that_fails_restarts_the_container(small: Small) -> None:
    box = small()
    roll(box, livenessProbe={"httpGet": {"path": "/alive", "port": "http"}, "periodSeconds": 5})
    pod = newest(box.wait(240))
    assert state(pod)["restartCount"] >= 3
    assert state(pod)["lastState"]["terminated"]["exitCode"] == 137


def test_a_quota_counts_pods_and_refuses_what_is_over_it(small: Small) -> None:
    box = small()
    box.store.create(QUOTAS, {"metadata": {"name": "team", "namespace": "apps"}, "spec": {"hard": {"pods": "7", "requests.cpu": "9"}}})
    assert box.wait(5).get(QUOTAS, "apps", "team")["status"]["used"] == {"pods": "7", "requests.cpu": "2200m"}
    roll(box, image="registry.apps.example/worker:v4")
    box.wait(60)
    assert refusal(box).endswith("exceeded quota: team, requested: pods=1, used: pods=7, limited: pods=7")
    box.patch(QUOTAS, "apps", "team", lambda obj: obj["spec"].update(hard={"pods": "9"}))
    assert all(state(pod)["ready"] for pod in box.wait(240).pods("apps", "worker"))


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        ({"serviceAccountName": "ghost"}, 'error looking up service account apps/ghost: serviceaccount "ghost" not found'),
        ({"priorityClassName": "gold"}, "no PriorityClass with name gold was found"),
    ],
)
def test_a_pod_that_names_what_is_not_there_is_refused(pod: Json, why: str, small: Small) -> None:
    box = small()
    roll(box, pod=pod)
    box.wait(60)
    assert refusal(box).endswith(why)


def test_a_limit_range_refuses_larger_containers(small: Small) -> None:
    box = small()
    limit = {"type": "Container", "max": {"memory": "128Mi"}}
    box.store.create(resource("", "limitranges"), {"metadata": {"name": "s", "namespace": "apps"}, "spec": {"limits": [limit]}})
    roll(box, image="registry.apps.example/worker:v4")
    box.wait(60)
    assert "maximum memory usage per Container is 128Mi, but limit is 512Mi" in refusal(box)


def test_a_webhook_that_nobody_answers_keeps_pods_out_where_it_must_be_asked(small: Small) -> None:
    box = small()
    client = {"service": {"namespace": "apps", "name": "policy"}}
    rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    hook = {"name": "pods.example.com", "clientConfig": client, "rules": [rule], "failurePolicy": "Ignore"}
    box.store.create(HOOKS, {"metadata": {"name": "policy"}, "webhooks": [hook]})
    roll(box, image="registry.apps.example/worker:v4")
    box.wait(120)
    assert refusal(box) == ""
    box.patch(HOOKS, None, "policy", lambda obj: obj["webhooks"][0].update(failurePolicy="Fail"))
    roll(box, image="registry.apps.example/worker:v5")
    box.wait(60)
    assert 'failed calling webhook "pods.example.com"' in refusal(box)
    assert 'service "policy" not found' in refusal(box)


def claim(box: Any, name: str, storage: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage, "resources": {"requests": {"storage": "1Gi"}}}
    box.store.create(CLAIMS, {"metadata": {"name": name, "namespace": "apps"}, "spec": spec})


def mount(box: Any, name: str) -> None:
    roll(box, pod={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]})


def test_a_pod_waits_for_a_claim_and_runs_once_its_class_is_there(small: Small) -> None:
    box = small()
    mount(box, "data")
    assert 'persistentvolumeclaim "data" not found' in scheduled(box, newest(box.wait(60)))
    claim(box, "data", "gold")
    assert "unbound immediate PersistentVolumeClaims" in scheduled(box, newest(box.wait(400)))
    box.store.create(CLASSES, {"metadata": {"name": "gold"}, "provisioner": "csi.simulator.day2.dev", "volumeBindingMode": "Immediate"})
    assert box.wait(400).get(CLAIMS, "apps", "data")["status"]["phase"] == "Bound"
    assert state(newest(box))["ready"]


def test_a_claim_whose_volume_is_taken_away_is_lost(small: Small) -> None:
    box = small()
    box.store.create(CLASSES, {"metadata": {"name": "gold"}, "provisioner": "csi.simulator.day2.dev", "volumeBindingMode": "Immediate"})
    claim(box, "data", "gold")
    volume = box.wait(10).get(CLAIMS, "apps", "data")["spec"]["volumeName"]
    box.store.delete(VOLUMES, None, volume)
    assert box.wait(10).get(VOLUMES, None, volume)["metadata"]["deletionTimestamp"]
    box.patch(VOLUMES, None, volume, lambda obj: obj["metadata"].update(finalizers=[]))
    assert box.wait(10).get(CLAIMS, "apps", "data")["status"]["phase"] == "Lost"


@pytest.mark.parametrize(
    ("pod", "why"),
    [
        (
            {
                "affinity": {
                    "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {"labelSelector": {"matchLabels": {APP: "worker"}}, "topologyKey": "kubernetes.io/hostname"}
                        ]
                    }
                }
            },
            "2 node(s) didn't match pod anti-affinity rules",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {
                        "labelSelector": {"matchLabels": {APP: "worker"}},
                        "topologyKey": "example.com/rack",
                        "maxSkew": 1,
                        "whenUnsatisfiable": "DoNotSchedule",
                    }
                ]
            },
            "2 node(s) didn't match pod topology spread constraints",
        ),
    ],
)
def test_neighbours_keep_a_pod_away(pod: Json, why: str, small: Small) -> None:
    """Two nodes hold the two pods of the revision before; the surplus pod of the new one finds no place."""
    box = small()
    roll(box, pod=pod)
    assert why in scheduled(box, newest(box.wait(30)))


def test_a_pod_of_a_higher_priority_gets_the_room_of_lower_ones_and_keeps_it(small: Small) -> None:
    box = small()
    box.store.create(PRIORITIES, {"metadata": {"name": "urgent"}, "value": 1000})
    roll(box, "web", pod={"priorityClassName": "urgent"}, resources={"requests": {"cpu": "15500m", "memory": "256Mi"}})
    box.wait(300)
    urgent = [pod for pod in box.store.list(PODS, "apps") if pod["spec"].get("priority") == 1000 and pod["spec"].get("nodeName")]
    assert urgent
    beside = [pod for pod in box.store.list(PODS, "apps") if pod["spec"].get("nodeName") == urgent[0]["spec"]["nodeName"]]
    assert sum(demand(pod)["cpu"] for pod in beside) <= 15920
