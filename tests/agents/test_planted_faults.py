"""Each fault that a world can plant is found by its check, mended by its proposal, and then silent; the healthy twin was silent all along.

Mending is the write alone, sent as it stands: what the gate adds has tests of its own.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import pytest

from agents.catalogue import AGENTS
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import Objective, Objectives, Scope

GPU_NODES = {"names": ["gpu-1"], "cpu_milli": 32000, "memory_mib": 131072, "gpus": 4, "instance_type": "g6.12xlarge"}
GENERAL = {"names": ["node-1", "node-2"], "cpu_milli": 16000, "memory_mib": 65536, "instance_type": "m6.4xlarge"}
WITH_GPUS = {"nodes": [GENERAL, GPU_NODES]}
JOB = {"kind": "Job", "probes": False, "cpu_request_milli": 2000, "image": "registry.apps.example/train:v1.0.0"}
SERVING = {"replicas": 1, "gpus": 1, "service": True, "cpu_request_milli": 2000, "image": "registry.apps.example/serve:v1.0.0"}
HPA = {"min_replicas": 2, "max_replicas": 8}
AT_CEILING = {"replicas": 2, "hpa": {"min_replicas": 1, "max_replicas": 2}}
STEADY = {"hpa": {"min_replicas": 2, "max_replicas": 6}, "replicas": 2}


class Case(NamedTuple):
    """`fault` is laid over the small world; `twin` is the same without what is wrong. `wait` is how long a mended cluster needs."""

    agent: str
    code: str
    capability: str
    subject: str
    fault: Mapping[str, Any]
    twin: Mapping[str, Any]
    wait: int = 900


CASES = [
    Case("reliability", "REL-101", "rollback_rollout", "apps/deployment/web", {"web": {"faults": ["crash-after-rollout"]}}, {}),
    Case("reliability", "REL-177", "rollback_rollout", "apps/deployment/web", {"web": {"faults": ["errors-after-rollout"]}}, {}),
    Case("reliability", "REL-102", "set_requests", "apps/deployment/worker", {"worker": {"faults": ["oom"]}}, {}),
    Case("reliability", "REL-107", "set_requests", "apps/deployment/worker", {"worker": {"faults": ["memory-near-limit"]}}, {}),
    Case(
        "reliability", "REL-107", "resize_pod", "apps/deployment/worker", {"worker": {"replicas": 1, "faults": ["memory-near-limit"]}}, {}
    ),
    Case("reliability", "REL-103", "delete_pod", "apps/deployment/web", {"web": {"faults": ["unready-forever"]}}, {}),
    Case("reliability", "REL-105", "rollback_rollout", "apps/deployment/web", {"web": {"faults": ["image-missing"]}}, {}),
    Case(
        "reliability",
        "REL-106",
        "restart_rollout",
        "apps/deployment/web",
        {"web": {"faults": ["stale-config"]}},
        {"web": {"config_map": "web-config"}},
    ),
    Case(
        "security",
        "SEC-101",
        "label_namespace",
        "namespace/apps",
        {"world": {"namespaces": [{"name": "apps", "faults": ["no-psa-labels"]}]}},
        {},
    ),
    Case(
        "security",
        "SEC-102",
        "delete_pod",
        "apps/pod/shell",
        {
            "world": {"namespaces": [{"name": "apps", "pod_security": "privileged"}]},
            "shell": {"kind": "Pod", "security": "privileged-hostpid", "probes": False},
        },
        {"shell": {"kind": "Pod", "probes": False}},
    ),
    Case(
        "security",
        "SEC-104",
        "label_namespace",
        "namespace/apps",
        {"world": {"namespaces": [{"name": "apps", "pod_security": "privileged"}]}},
        {},
    ),
    Case(
        "scaling",
        "SCA-102",
        "set_hpa_bounds",
        "apps/horizontalpodautoscaler/web",
        {"web": AT_CEILING},
        {"web": {**AT_CEILING, "hpa": HPA}},
        1800,
    ),
    Case(
        "scaling",
        "SCA-103",
        "suspend_job",
        "apps/job/train",
        {"world": WITH_GPUS, "train": {**JOB, "replicas": 6, "gpus": 1, "faults": ["gang-stuck"]}},
        {},
    ),
    Case(
        "scaling",
        "SCA-104",
        "scale_workload",
        "apps/deployment/web",
        {"web": {"cpu_limit_milli": 300, "cpu_request_milli": 200, "cpu": {"per_rps_milli": 9.3}}},
        {"web": {"cpu_limit_milli": 600}},
        900,
    ),
    Case(
        "scaling",
        "SCA-105",
        "scale_workload",
        "apps/deployment/serve",
        {"world": WITH_GPUS, "serve": {**SERVING, "gpu": {"utilisation_percent": 97}}},
        {"world": WITH_GPUS, "serve": {**SERVING, "gpu": {"utilisation_percent": 55}}},
        wait=0,  # the simulator's GPUs are as busy with more replicas as with one
    ),
    Case(
        "scaling",
        "SCA-101",
        "set_hpa_bounds",
        "apps/horizontalpodautoscaler/web",
        {"web": {"faults": ["peak-ahead"]}},
        {"web": {"hpa": HPA}},
        300,
    ),
    Case(
        "finops",
        "FIN-101",
        "set_requests",
        "apps/deployment/web",
        {"web": {"replicas": 4, "faults": ["overprovisioned"]}},
        {"web": {"replicas": 4}},
    ),
    Case("finops", "FIN-102", "scale_workload", "apps/deployment/worker", {"worker": {"faults": ["idle"]}}, {}),
    Case(
        "finops",
        "FIN-103",
        "set_hpa_bounds",
        "apps/horizontalpodautoscaler/web",
        {"web": {"faults": ["hpa-floor-too-high"]}},
        {"web": STEADY},
    ),
    Case(
        "finops",
        "FIN-104",
        "suspend_job",
        "apps/job/train",
        {"world": WITH_GPUS, "train": {**JOB, "replicas": 2, "age_hours": 5, "run_seconds": 86_400, "faults": ["gpu-idle"]}},
        {
            "world": WITH_GPUS,
            "train": {**JOB, "replicas": 2, "age_hours": 5, "run_seconds": 86_400, "gpus": 1, "gpu": {"utilisation_percent": 80}},
        },
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{case.capability}" for case in CASES])
async def test_a_planted_fault_is_found_and_its_proposal_mends_it(
    case: Case, box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    cluster = box(small(**case.fault))
    before = await cluster.consult(case.agent)
    (finding,) = [item for item in before.findings if item.code == case.code]
    assert finding.subject.qualified.startswith(case.subject)
    (proposal,) = [item for item in before.proposals if finding.id in item.findings]
    assert proposal.action.kind == case.capability
    assert proposal.changes
    assert any(character.isdigit() for character in proposal.why)
    await cluster.apply(proposal)
    if case.wait:
        cluster.pass_time(case.wait)
        after = await cluster.consult(case.agent, run="run-2")
        assert case.code not in [item.code for item in after.findings]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{case.capability}" for case in CASES])
async def test_the_healthy_twin_of_a_fault_is_silent_for_every_agent(
    case: Case, box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    cluster = box(small(**case.twin))
    cluster.pass_time(300)
    for agent in AGENTS:
        answer = await cluster.consult(agent.name)
        assert [(item.code, item.subject.qualified) for item in answer.findings] == []


@pytest.mark.parametrize("fault", ["not-ready", "memory-pressure", "disk-pressure", "flapping", "lost"])
async def test_a_sick_node_among_well_ones_is_cordoned(fault: str, box: Callable[..., Any], small: Callable[..., dict[str, Any]]) -> None:
    nodes = {**GENERAL, "names": [f"node-{number}" for number in range(1, 7)], "faults": {"node-3": fault}}
    cluster = box(small(world={"nodes": [nodes]}))
    cluster.pass_time(600)
    before = await cluster.consult("reliability")
    (finding,) = [item for item in before.findings if item.code == "REL-104"]
    assert finding.subject.qualified == "node/node-3"
    (proposal,) = [item for item in before.proposals if finding.id in item.findings]
    await cluster.apply(proposal)
    cluster.pass_time(60)
    after = await cluster.consult("reliability", run="run-2")
    assert "REL-104" not in [item.code for item in after.findings]


async def test_many_sick_nodes_are_reported_and_none_is_cordoned(box: Callable[..., Any], small: Callable[..., dict[str, Any]]) -> None:
    nodes = {
        **GENERAL,
        "names": [f"node-{number}" for number in range(1, 5)],
        "faults": {"node-1": "disk-pressure", "node-2": "disk-pressure"},
    }
    cluster = box(small(world={"nodes": [nodes]}))
    cluster.pass_time(600)
    answer = await cluster.consult("reliability")
    assert [item.subject.name for item in answer.findings if item.code == "REL-104"] == ["node-1", "node-2"]
    assert answer.proposals == ()


async def test_a_crash_that_a_rollout_of_last_week_cannot_explain_is_told_and_nothing_is_undone(
    box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    revisions = [{"image": f"registry.apps.example/web:{tag}", "age_minutes": days * 1440} for tag, days in (("v1", 30), ("crash", 6))]
    answer = await box(small(web={"revisions": revisions})).consult("reliability")
    assert [(item.code, item.subject.qualified) for item in answer.findings if not item.symptom_of] == [("REL-108", "apps/deployment/web")]
    assert answer.proposals == ()


async def test_a_new_workload_that_never_worked_has_nothing_to_go_back_to(
    box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    answer = await box(small(web={"image": "registry.apps.example/web:crash", "age_hours": 1})).consult("reliability")
    assert [(item.code, item.subject.qualified) for item in answer.findings if not item.symptom_of] == [("REL-101", "apps/deployment/web")]
    assert answer.proposals == ()


async def test_a_stateful_set_that_crashes_is_told(box: Callable[..., Any], small: Callable[..., dict[str, Any]]) -> None:
    answer = await box(small(store={"image": "registry.apps.example/store:crash", "pdb_min_available": None})).consult("reliability")
    assert [(item.code, item.subject.qualified) for item in answer.findings if not item.symptom_of] == [
        ("REL-108", "apps/statefulset/store")
    ]


async def test_a_bare_pod_that_was_killed_for_memory_is_resized_in_place(
    box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    cluster = box(small(lone={"kind": "Pod", "probes": False, "memory_limit_mib": 256, "faults": ["oom"]}))
    before = await cluster.consult("reliability")
    (finding,) = [item for item in before.findings if item.code == "REL-102"]
    assert finding.subject.qualified == "apps/pod/lone"
    (proposal,) = before.proposals
    assert proposal.action.kind == "resize_pod"
    running = False
    for _ in range(60):
        pod = await cluster.client.get("/api/v1/namespaces/apps/pods/lone")
        if running := "running" in pod.json()["status"]["containerStatuses"][0]["state"]:
            break
        cluster.pass_time(10)
    assert running
    await cluster.apply(proposal)
    cluster.pass_time(600)
    after = await cluster.consult("reliability", run="run-2")
    assert "REL-102" not in [item.code for item in after.findings]


async def test_a_rollout_that_made_a_workload_privileged_is_rolled_back(
    box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    """No recipe plants a privileged second revision, so it is rolled out here as a person would."""
    cluster = box(small(world={"namespaces": [{"name": "apps", "pod_security": "privileged"}]}))
    patch = {
        "spec": {
            "template": {
                "spec": {"containers": [{"name": "web", "securityContext": {"privileged": True, "allowPrivilegeEscalation": True}}]}
            }
        }
    }
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    answer = await cluster.client.patch("/apis/apps/v1/namespaces/apps/deployments/web", json=patch, headers=headers)
    assert answer.status_code == 200, answer.text
    cluster.pass_time(600)
    before = await cluster.consult("security")
    (finding,) = [item for item in before.findings if item.code == "SEC-103"]
    (proposal,) = [item for item in before.proposals if finding.id in item.findings]
    assert proposal.action.kind == "rollback_rollout"
    await cluster.apply(proposal)
    cluster.pass_time(600)
    after = await cluster.consult("security", run="run-2")
    assert "SEC-103" not in [item.code for item in after.findings]


async def mount_token(cluster: Any, resource: str, name: str) -> None:
    patch = {"spec": {"template": {"spec": {"automountServiceAccountToken": True}}}}
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    answer = await cluster.client.patch(f"/apis/apps/v1/namespaces/apps/{resource}/{name}", json=patch, headers=headers)
    assert answer.status_code == 200, answer.text
    cluster.pass_time(600)


async def test_cluster_admin_that_a_rollout_brought_is_rolled_back(box: Callable[..., Any], small: Callable[..., dict[str, Any]]) -> None:
    cluster = box(small(web={"faults": ["cluster-admin-sa"]}))
    assert "SEC-105" not in [item.code for item in (await cluster.consult("security")).findings]
    await mount_token(cluster, "deployments", "web")
    before = await cluster.consult("security")
    (finding,) = [item for item in before.findings if item.code == "SEC-105"]
    (proposal,) = [item for item in before.proposals if finding.id in item.findings]
    await cluster.apply(proposal)
    cluster.pass_time(600)
    assert "SEC-105" not in [item.code for item in (await cluster.consult("security", run="run-2")).findings]


async def test_cluster_admin_is_reported_without_a_plan_where_nothing_says_that_it_was_ever_otherwise(
    box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    cluster = box(small(store={"faults": ["cluster-admin-sa"]}))
    await mount_token(cluster, "statefulsets", "store")
    answer = await cluster.consult("security")
    (finding,) = [item for item in answer.findings if item.code == "SEC-105"]
    assert finding.subject.qualified == "apps/statefulset/store"
    assert not [item for item in answer.proposals if finding.id in item.findings]


async def test_the_floor_of_an_objective_is_the_least_that_finops_proposes(
    box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    wish = Objective(name="money", scope=Scope(namespaces=("apps",)), serves="cost", priority=10, min_replicas=6)
    answer = await box(small(web={"faults": ["hpa-floor-too-high"]})).consult("finops", objectives=Objectives(items=(wish,)))
    (proposal,) = [item for item in answer.proposals if item.action.kind == "set_hpa_bounds"]
    assert proposal.action.to_min == 6
    assert (proposal.objective, proposal.priority) == ("money", 10)


@pytest.mark.parametrize(("hourly_micro_usd", "told"), [(768_000, ["FIN-101"]), (10_000, []), (None, ["FIN-101"])])
async def test_a_rollout_for_next_to_no_money_is_not_proposed(
    hourly_micro_usd: int | None, told: list[str], box: Callable[..., Any], small: Callable[..., dict[str, Any]]
) -> None:
    """Without a price, size alone decides."""
    machine = InstancePrice(instance_type="m6.4xlarge", cpu_milli=16000, memory_mib=65536, hourly_micro_usd=hourly_micro_usd or 0)
    source = PriceSource(name="test list", at=datetime.fromisoformat("2026-11-01T00:00:00+00:00"))
    prices = PriceList(source=source, instances=(machine,)) if hourly_micro_usd else None
    answer = await box(small(web={"cpu_request_milli": 1500})).consult("finops", prices=prices)
    assert [item.code for item in answer.findings] == told
