"""One incident for each cause: symptoms name it, with every link of the way; what is not connected stays apart."""

from typing import Any

from core.domain.finding import Finding
from core.domain.values import Json
from tests.agents.reliability.conditions import cases
from tests.agents.reliability.conditions.cases import (
    CALLER,
    CALLING,
    CALLS,
    FAMILY,
    HEALTHY,
    MOUNTS,
    SET,
    claim,
    webhook,
)
from tests.agents.reliability.conditions.objects import (
    ago,
    condition,
    container,
    event,
    looked_at,
    made,
    merged,
    node,
    pod,
    replica_set,
    running,
    service,
    unscheduled,
    waiting,
    workload,
)

PULL = {"status": {"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff", "manifest unknown")]}}
LOOPS = {"containerStatuses": [waiting("CrashLoopBackOff", restarts=9, last={"exitCode": 1, "reason": "Error"})]}
OLD = {"metadata": {"creationTimestamp": ago(days=9)}}


def explained(*items: Json) -> dict[str, str]:
    """Each finding as `code subject`, with the code of its cause; empty for a cause."""
    found = looked_at(items).findings
    by_id = {finding.id: finding for finding in found}
    return {f"{one.code} {one.subject.qualified}": by_id[one.symptom_of].code if one.symptom_of else "" for one in found}


def the(items: tuple[Json, ...], code: str) -> Finding:
    return next(finding for finding in looked_at(items).findings if finding.code == code)


def broken_web() -> list[Json]:
    """A Deployment whose image cannot be pulled, behind its service."""
    return [*FAMILY, pod(SET, is_ready=False, **PULL), service()]


def crashing_caller() -> list[Json]:
    """A StatefulSet that calls the service and crashes."""
    home = workload("StatefulSet", "shop", labels={"app": "shop"})
    labels = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [container(**CALLS)]}}
    return [home, pod(home, "shop-0", is_ready=False, **merged(labels, {"status": LOOPS}))]


def test_a_service_without_ready_pods_follows_from_what_its_pods_have() -> None:
    assert explained(*broken_web()) == {"REL-105 apps/deployment/web": "", "REL-150 apps/service/web": "REL-105"}


def test_a_caller_that_crashes_follows_from_the_image_two_objects_away() -> None:
    items = (*broken_web(), *crashing_caller())
    assert explained(*items) == {
        "REL-105 apps/deployment/web": "",
        "REL-150 apps/service/web": "REL-105",
        "REL-108 apps/statefulset/shop": "REL-105",
    }
    links = [(each.query, each.value) for each in the(items, "REL-108").evidence if each.query.startswith("needs ")]
    assert links == [("needs apps/service/web", "spec.containers[*].env"), ("needs apps/deployment/web", "spec.selector")]


def test_a_caller_of_what_is_well_has_a_fault_of_its_own() -> None:
    assert explained(*HEALTHY, service(), *crashing_caller()) == {"REL-108 apps/statefulset/shop": ""}


def test_two_faults_that_nothing_connects_stay_two_incidents() -> None:
    other = workload("StatefulSet", "db", labels={"app": "db"})
    crashing = pod(other, "db-0", is_ready=False, metadata={"labels": {"app": "db"}}, status=LOOPS)
    assert explained(*broken_web(), other, crashing) == {
        "REL-105 apps/deployment/web": "",
        "REL-150 apps/service/web": "REL-105",
        "REL-108 apps/statefulset/db": "",
    }


def test_on_one_workload_the_earlier_stage_of_a_pods_life_explains_the_later() -> None:
    late = condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out progressing")
    home = workload(status={"conditions": [late]})
    missing = pod(
        replica_set(home), is_ready=False, status={"containerStatuses": [waiting("CreateContainerConfigError", 'configmap "a" not found')]}
    )
    assert explained(home, replica_set(home), missing) == {"REL-110 apps/deployment/web": "", "REL-133 apps/deployment/web": "REL-110"}


def test_a_pod_that_waits_for_its_volume_follows_from_the_claim() -> None:
    message = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    items = (*FAMILY, unscheduled(SET, message, spec=MOUNTS), claim())
    assert explained(*items) == {"REL-149 apps/persistentvolumeclaim/data": "", "REL-129 apps/deployment/web": "REL-149"}


def test_pods_on_a_sick_node_follow_from_the_node() -> None:
    sick = node(status={"conditions": [condition("Ready", "Unknown", "NodeStatusUnknown", minutes=30)]})
    home = workload("StatefulSet", "db", spec={"serviceName": ""})
    loops = pod(home, "db-0", is_ready=False, status=LOOPS)
    assert explained(sick, node("node-2"), home, loops) == {"REL-104 node/node-1": "", "REL-108 apps/statefulset/db": "REL-104"}


def test_a_refusal_by_a_webhook_follows_from_the_pods_that_should_answer() -> None:
    refused = 'Internal error occurred: failed calling webhook "check.example.com": no endpoints available for service "web"'
    home = workload("StatefulSet", "db", labels={"app": "db"})
    items = [*broken_web(), webhook(), home, event(home, "FailedCreate", refused)]
    answer = explained(*items)
    assert answer["REL-131 apps/statefulset/db"] == "REL-105"
    assert answer["REL-173 validatingwebhookconfiguration/check"] == "REL-105"
    assert [code for code, cause in answer.items() if not cause and not code.startswith("REL-145")] == ["REL-105 apps/deployment/web"]


def test_a_network_policy_explains_the_caller_that_it_cuts_off() -> None:
    assert explained(*HEALTHY, service(), cases.CLOSED, *crashing_caller()) == {
        "REL-154 apps/networkpolicy/web-only": "",
        "REL-108 apps/statefulset/shop": "REL-154",
    }


def test_of_two_that_call_each_other_the_one_that_was_changed_last_is_the_cause() -> None:
    def side(name: str, other: str, changed: str) -> list[Json]:
        written: list[dict[str, Any]] = [{"manager": "kubectl", "operation": "Update", "time": changed}]
        home = workload("StatefulSet", name, labels={"app": name}, metadata={"managedFields": written})
        calls = {"env": [{"name": "PEER", "value": f"{other}.apps.svc:80"}]}
        labels = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container(**calls)]}, "status": LOOPS}
        return [home, pod(home, f"{name}-0", is_ready=False, **labels), service(name, spec={"selector": {"app": name}})]

    answer = explained(*side("a", "b", ago(minutes=20)), *side("b", "a", ago(days=3)))
    assert answer["REL-108 apps/statefulset/a"] == ""
    assert answer["REL-108 apps/statefulset/b"] == "REL-108"
    assert set(answer.values()) == {"", "REL-108"}
    assert len([cause for cause in answer.values() if not cause]) == 1


def test_an_autoscaler_that_is_blind_follows_from_the_api_that_is_gone() -> None:
    api = cases.api(condition("Available", "False", "MissingEndpoints"))
    blind = cases.autoscaler(condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics known"))
    assert explained(*HEALTHY, api, blind) == {
        "REL-176 apiservice/v1beta1.metrics.k8s.io": "",
        "REL-157 apps/horizontalpodautoscaler/web": "REL-176",
    }


def test_only_the_cause_gets_a_proposal() -> None:
    """The pod that does not answer would be deleted; on a sick node that mends nothing."""
    nodes = [node(f"node-{number}") for number in range(2, 8)]
    sick = node(
        status={"conditions": [condition("MemoryPressure", "True", "KubeletHasInsufficientMemory", minutes=30), condition("Ready", "True")]}
    )
    home = workload(replicas=2)
    silent = pod(replica_set(home), is_ready=False, status={"containerStatuses": [merged(running(), {"ready": False})]})
    well = pod(replica_set(home), "web-2", spec={"nodeName": "node-2"})
    answer = looked_at((sick, *nodes, home, replica_set(home), silent, well))
    assert {finding.code: bool(finding.symptom_of) for finding in answer.findings} == {"REL-104": False, "REL-103": True}
    assert [proposal.action.kind for proposal in answer.proposals] == ["cordon_node"]


def test_a_healthy_look_has_nothing_to_explain() -> None:
    assert explained(*HEALTHY, service(), CALLER, CALLING, made("IngressClass", "nginx")) == {}
