"""SEC-110 to SEC-116: the planted fault is found on its object and told once; the healthy twin is silent; so is a healthy cluster."""

from typing import Any, NamedTuple

import pytest

from agents.catalogue import AGENTS
from agents.security import node_paths
from core.domain.finding import Finding, Severity
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import ago, container, looked_at, made, merged, pod, replica_set, service, workload

SECURITY = next(agent for agent in AGENTS if agent.name == "security")
NEW = {f"SEC-{number}" for number in range(110, 117)}
WEB = workload()
SET = replica_set(WEB)
GUARD = made("NetworkPolicy", "guard", spec={"podSelector": {}, "policyTypes": ["Ingress"]})


def policy(name: str = "web", **spec: Any) -> Json:
    return made("NetworkPolicy", name, spec={"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], **spec})


def web(*, name: str = "web", **spec: Any) -> list[Json]:
    labels = {"app": name}
    home = workload(name=name, labels=labels, spec={"template": {"spec": spec}})
    return [home, replica_set(home), pod(replica_set(home), f"{name}-1", metadata={"labels": labels}, spec=spec)]


OPENS = {"type": "LoadBalancer", "ports": [{"port": 5432, "targetPort": 5432}]}
SOCKET = {"volumes": [{"name": "docker", "hostPath": {"path": "/var/run/docker.sock"}}]}
INGRESS = made("Ingress", "front", spec={"rules": [{"http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}}]})
EDGE = pod(None, "edge", metadata={"namespace": "kube-system", "labels": {"app": "edge"}})
"""It serves ingresses."""
PRIVILEGED = {"containers": [container(securityContext={"privileged": True})]}
ANYBODY: Json = policy(ingress=[{}])
TEAM = {"from": [{"podSelector": {"matchLabels": {"team": "shop"}}}]}


def bound(verbs: list[str], resource: str) -> list[Json]:
    subject = [{"kind": "ServiceAccount", "name": "default", "namespace": "apps"}]
    rule = {"verbs": verbs, "apiGroups": [""], "resources": [resource]}
    return [
        made("ServiceAccount", "default"),
        made("Role", "some", rules=[rule]),
        made("RoleBinding", "some", roleRef={"kind": "Role", "name": "some"}, subjects=subject),
    ]


class Case(NamedTuple):
    code: str
    subject: str
    severity: Severity
    fault: list[Json]
    twin: list[Json]


HOME = [*web(), GUARD]
CASES = {
    "no policy": Case("SEC-110", "namespace/apps", Severity.LOW, web(), HOME),
    "one of two": Case("SEC-110", "namespace/apps", Severity.LOW, [*web(), *web(name="db"), policy()], [*web(), policy()]),
    "egress only": Case("SEC-110", "namespace/apps", Severity.LOW, [*web(), policy(policyTypes=["Egress"])], [*web(), policy()]),
    "a mesh": Case("SEC-110", "namespace/apps", Severity.INFO, web(containers=[container(image="docker.io/istio/proxyv2:1.29")]), HOME),
    "a database": Case(
        "SEC-111",
        "apps/service/web",
        Severity.HIGH,
        [*web(), ANYBODY, service(spec=OPENS)],
        [*web(), ANYBODY, service(spec={**OPENS, "loadBalancerSourceRanges": ["10.0.0.0/8"]})],
    ),
    "a database on nodes": Case(
        "SEC-111",
        "apps/service/web",
        Severity.HIGH,
        [*web(), ANYBODY, service(spec={**OPENS, "type": "NodePort"})],
        [*web(), GUARD, service(spec={**OPENS, "type": "NodePort"})],
    ),
    "an external address": Case(
        "SEC-111",
        "apps/service/web",
        Severity.HIGH,
        [*web(), ANYBODY, service(spec={**OPENS, "type": "ClusterIP", "externalIPs": ["192.0.2.7"]})],
        [*web(), ANYBODY, service(spec={**OPENS, "type": "ClusterIP"})],
    ),
    "an internal balancer": Case(
        "SEC-111",
        "apps/service/web",
        Severity.HIGH,
        [*web(), ANYBODY, service(spec={**OPENS, "loadBalancerSourceRanges": ["0.0.0.0/0"]})],
        [
            *web(),
            ANYBODY,
            service(spec=OPENS, metadata={"annotations": {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}}),
        ],
    ),
    "privileged behind a service": Case(
        "SEC-112",
        "apps/service/web",
        Severity.HIGH,
        [*web(**PRIVILEGED), ANYBODY, service(spec={"type": "LoadBalancer"})],
        [*web(), ANYBODY, service(spec={"type": "LoadBalancer"})],
    ),
    "a socket behind an ingress": Case(
        "SEC-112",
        "apps/ingress/front",
        Severity.HIGH,
        [*web(**SOCKET), policy(ingress=[{"from": [{"namespaceSelector": {}}]}]), service(), INGRESS, EDGE],
        [*web(**SOCKET), policy(ingress=[{"from": [{"podSelector": {}}]}]), service(), INGRESS, EDGE],
    ),
    "selects nothing": Case(
        "SEC-113",
        "apps/networkpolicy/old",
        Severity.LOW,
        [*HOME, policy("old", podSelector={"matchLabels": {"app": "wbe"}})],
        [*HOME, policy()],
    ),
    "just made": Case(
        "SEC-113",
        "apps/networkpolicy/old",
        Severity.LOW,
        [*HOME, policy("old", podSelector={"matchLabels": {"app": "wbe"}})],
        [*HOME, merged(policy("old", podSelector={"matchLabels": {"app": "wbe"}}), {"metadata": {"creationTimestamp": ago(minutes=9)}})],
    ),
    "a CronJob unseen": Case(
        "SEC-113",
        "apps/networkpolicy/old",
        Severity.LOW,
        [*HOME, policy("old", podSelector={"matchLabels": {"app": "nightly"}})],
        [*HOME, policy("old", podSelector={"matchLabels": {"app": "nightly"}}), made("CronJob", "nightly", spec={"schedule": "0 3 * * *"})],
    ),
    "an open rule beside narrow ones": Case(
        "SEC-114", "apps/networkpolicy/web", Severity.MEDIUM, [*HOME, policy(ingress=[TEAM, {"from": []}])], [*HOME, policy(ingress=[TEAM])]
    ),
    "all addresses beside some": Case(
        "SEC-114",
        "apps/networkpolicy/web",
        Severity.MEDIUM,
        [*HOME, policy(ingress=[{"from": [{"ipBlock": {"cidr": cidr}} for cidr in ("10.1.0.0/16", "0.0.0.0/0")]}])],
        [*HOME, policy(ingress=[{"from": [{"ipBlock": {"cidr": cidr}} for cidr in ("10.1.0.0/16", "10.2.0.0/16")]}])],
    ),
    "the default undone": Case(
        "SEC-114",
        "apps/networkpolicy/all",
        Severity.MEDIUM,
        [*HOME, policy("all", podSelector={}, ingress=[{}])],
        [*HOME, policy("all", podSelector={}, ingress=[{"ports": [{"port": 80}]}])],
    ),
    "a bare pod with a socket": Case(
        "SEC-115",
        "apps/pod/tool",
        Severity.HIGH,
        [pod(None, "tool", spec=SOCKET), GUARD],
        [pod(None, "tool", spec={"volumes": [{"name": "logs", "hostPath": {"path": "/var/log/app"}}]}), GUARD],
    ),
    "rights of default": Case(
        "SEC-116", "apps/serviceaccount/default", Severity.LOW, [*HOME, *bound(["get"], "pods")], [*HOME, made("ServiceAccount", "default")]
    ),
    "rights that lead on": Case(
        "SEC-116",
        "apps/serviceaccount/default",
        Severity.MEDIUM,
        [*HOME, *bound(["get"], "secrets"), made("ServiceAccount", "builder")],
        [*HOME, *bound(["get"], "secrets")[1:], made("ServiceAccount", "default", automountServiceAccountToken=False)],
    ),
}


def told(items: list[Json]) -> list[Finding]:
    answer = looked_at(items, agent=SECURITY)
    assert not answer.coverage.not_run
    return [finding for finding in answer.findings if finding.code in NEW]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_fault_is_found_once_and_the_twin_is_silent(case: Case) -> None:
    (finding,) = told(case.fault)
    assert (finding.code, finding.subject.qualified, finding.severity) == (case.code, case.subject, case.severity)
    assert finding.evidence
    assert told(case.twin) == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_kind_that_could_not_be_read_leaves_the_check_not_run(case: Case) -> None:
    row = next(row for row in SECURITY.detectors if row.code == case.code)
    for kind in row.kinds:
        answer = looked_at(case.fault, unread=kind, agent=SECURITY)
        assert case.code not in {finding.code for finding in answer.findings}
        assert any(said.check.startswith(case.code) for said in answer.coverage.not_run)


def test_every_new_check_has_a_planted_fault() -> None:
    assert {case.code for case in CASES.values()} == NEW


@pytest.mark.parametrize("code", ["SEC-110", "SEC-112", "SEC-115"])
def test_a_written_reason_on_the_namespace_keeps_it_silent(code: str) -> None:
    case = next(case for case in CASES.values() if case.code == code)
    assert told([*case.fault, made("Namespace", "apps", metadata={"annotations": {"day2.dev/reason": "the builders live here"}})]) == []


def test_a_job_with_a_path_of_its_node_is_told_and_a_workload_is_left_to_another_check() -> None:
    task = made("Job", "task", spec={"template": {"spec": {"containers": [container()], **SOCKET}}})
    assert [(one.code, one.subject.qualified) for one in told([task, *HOME])] == [("SEC-115", "apps/job/task")]
    assert told([*web(**SOCKET), GUARD]) == []
    assert "SEC-106" in {finding.code for finding in looked_at([*web(**SOCKET), GUARD], agent=SECURITY).findings}


@pytest.mark.parametrize(
    ("path", "owns"),
    [
        ("/", True),
        ("//etc/../etc/kubernetes", True),
        ("/var", True),
        ("/run/containerd/containerd.sock", True),
        ("/var/lib/kubelet/pods", True),
        ("/etcetera", False),
        ("/var/log", False),
        ("/data", False),
        ("/dev/shm/../../data", False),
    ],
)
def test_a_path_owns_the_node_when_it_is_is_under_or_is_above_one_that_does(path: str, *, owns: bool) -> None:
    items = [pod(None, "tool", spec={"volumes": [{"name": "v", "hostPath": {"path": path}}]}), GUARD]
    assert bool([one for one in told(items) if one.code == node_paths.CODE]) is owns
