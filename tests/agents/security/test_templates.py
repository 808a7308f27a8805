"""SEC-106: the finding has the patch; with it the finding is gone. Loose on purpose, with a reason, is no finding."""

import json

import pytest

from agents.catalogue import AGENTS
from agents.consulting import examine
from agents.desk import Desk
from core.domain.finding import Finding, Severity
from core.domain.objective import Objective, Objectives, Scope
from core.domain.values import Json
from simulator.patching import strategic
from tests.agents.reliability.conditions.objects import NOW, cluster, container, made, pod, replica_set, workload

SECURITY = next(agent for agent in AGENTS if agent.name == "security")


def deployment(**spec: object) -> list[Json]:
    home = workload(spec={"template": {"spec": {"containers": [container()], **spec}}})
    return [home, replica_set(home), pod(replica_set(home))]


def found(items: list[Json], objectives: Objectives | None = None) -> list[Finding]:
    answer = examine(SECURITY, Desk(cluster(*items), NOW, "run-1", objectives or Objectives()))
    return [finding for finding in answer.findings if finding.code == "SEC-106"]


def patched(items: list[Json], finding: Finding) -> list[Json]:
    change = json.loads(next(item.value for item in finding.evidence if item.query.startswith("smallest patch")).partition("; left")[0])
    template = strategic.merge(items[0]["spec"]["template"], change)
    return [{**items[0], "spec": {**items[0]["spec"], "template": template}}, *items[1:]]


@pytest.mark.parametrize(
    ("spec", "check"),
    [
        ({"hostPID": True}, "hostNamespaces"),
        ({"containers": [container(securityContext={"privileged": True})]}, "privileged"),
        ({"containers": [container(securityContext={"capabilities": {"add": ["SYS_ADMIN", "CHOWN"]}})]}, "capabilities_baseline"),
        ({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, "seccompProfile_baseline"),
        ({"containers": [container(livenessProbe={"tcpSocket": {"host": "10.0.0.1", "port": 1}})]}, "hostProbesAndHostLifecycle"),
    ],
)
def test_a_template_below_baseline_is_found_and_its_patch_ends_it(spec: Json, check: str) -> None:
    items = deployment(**spec)
    (finding,) = found(items)
    assert finding.severity is Severity.HIGH
    assert check in finding.title
    assert found(patched(items, finding)) == []


def test_what_no_setting_mends_is_left_to_a_person() -> None:
    (finding,) = found(deployment(volumes=[{"name": "root", "hostPath": {"path": "/"}}]))
    assert "left to a person: volume root is a directory of the node" in finding.evidence[-1].value


def test_an_objective_asks_for_more_than_baseline() -> None:
    strict = Objectives(
        items=(Objective(name="strict", serves="security", priority=10, scope=Scope(namespaces=("apps",)), pod_security="restricted"),)
    )
    items = deployment()
    assert found(items) == []
    (finding,) = found(items, strict)
    assert finding.severity is Severity.MEDIUM
    assert found(patched(items, finding), strict) == []


def test_a_written_reason_keeps_it_silent() -> None:
    loose = made("Namespace", "apps", metadata={"annotations": {"day2.dev/reason": "node agents live here"}})
    assert found([*deployment(hostPID=True), loose]) == []
