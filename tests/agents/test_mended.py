"""Each detector's proposal goes the whole way: judged by the real rules, executed under a permit, verified; then nothing is left to find.

The same faults and healthy twins as in `test_planted_faults`; what is tested here is that the gate lets the right thing through, and that
verification sees it by sources that the action did not write.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agents.catalogue import AGENTS
from agents.desk import Desk
from agents.security import image_bumps
from core.cluster.kinds import KINDS
from core.domain.evidence import observe
from core.domain.ledger import ActionRow
from core.domain.money import Saving
from core.domain.objective import Objectives, Slo
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.verdict import RuleResult, Verdict
from gate.audit import verify_ledger
from gate.judging.loop import judge_once
from runtime.services.planning import TEMPLATES
from simulator.faults.ground import drawn
from simulator.faults.table import FAULTS
from tests.agents.test_planted_faults import CASES, GENERAL, Case
from tests.contracts.mended import TRUSTED, Ward, ward

World = Callable[..., dict[str, Any]]
GROUND = drawn(1)
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
SETTLING = 900
NODE_FAULTS = ("not-ready", "memory-pressure", "disk-pressure", "flapping", "lost")
ROLLED_OUT_BADLY = {
    "SEC-103": {"containers": [{"name": "web", "securityContext": {"privileged": True, "allowPrivilegeEscalation": True}}]},
    "SEC-105": {"automountServiceAccountToken": True},
}
"""What a person rolls out to get there: no recipe plants it as a second revision."""
WEB = "/apis/apps/v1/namespaces/apps/deployments/web"
SERVICE = "/api/v1/namespaces/apps/services/web"
DAY = 25 * 3600


class Drift(NamedTuple):
    """What somebody writes to the healthy small world, and the kind that takes it back. `approved` where a person must say yes."""

    path: str
    body: dict[str, Any]
    kind: str
    wait: int = SETTLING
    approved: bool = False


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


DRIFTS = {
    "REL-125": Drift(WEB, template(containers=[{"name": "web", "resources": {"requests": {"cpu": "90"}}}]), "rollback_rollout"),
    "REL-126": Drift(WEB, template(nodeSelector={"disk": "none-has-it"}), "rollback_rollout"),
    "REL-131": Drift(WEB, template(containers=[{"name": "web", "securityContext": {"privileged": True}}]), "rollback_rollout"),
    "REL-145": Drift(SERVICE, {"spec": {"selector": {"app.kubernetes.io/name": "wbe"}}}, "set_service"),
    "REL-148": Drift(SERVICE, {"spec": {"ports": [{"port": 80, "targetPort": 9999}]}}, "set_service"),
    "REL-208": Drift(
        "/api/v1/nodes/node-1",
        {"spec": {"taints": [{"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}]}},
        "fence_node",
        approved=True,
    ),
    "REL-168": Drift("/api/v1/nodes/node-1", {"spec": {"unschedulable": True}}, "uncordon_node", wait=DAY, approved=True),
}
DECIDED_BY_PEOPLE = {"SEC-102", "FIN-102", "FIN-104"}
"""Their actions switch something off, or lose what a Job has not saved: a person says yes even where everything else is trusted."""
IN_THE_LIBRARY = {
    code
    for fault in FAULTS
    if fault.mends
    for cause in fault.cause(GROUND, fault.victim(GROUND))
    for code in cause.codes
    if any(code in planner.codes for agent in AGENTS for planner in agent.planners)
}
"""Carried to their ends by `evals.faults`, and on the real control plane."""
BY_THE_SAME_PLAN = {"REL-111"}
"""A rollback as for its neighbours; no spec makes a runtime refuse a container here."""
WITHOUT_A_PLAN = {"REL-108"}
"""A crash that no rollout explains: nothing in the catalogue mends an unknown cause."""


async def only_proposal(cluster: Ward, agent: str, code: str) -> Proposal:
    answer = await cluster.consult(agent)
    finding = next(item for item in answer.findings if item.code == code)
    (proposal,) = [item for item in answer.proposals if finding.id in item.findings]
    return proposal


async def mended(cluster: Ward, agent: str, code: str, *, wait: int = SETTLING) -> ActionRow:
    """Its first finding of this code, carried to its end; afterwards the same scan is silent about it."""
    row = await cluster.mend(await only_proposal(cluster, agent, code))
    assert row.state is ActionState.VERIFIED, cluster.story(row)
    cluster.pass_time(wait)
    after = await cluster.consult(agent, run="run-2")
    assert code not in [item.code for item in after.findings]
    assert verify_ledger(cluster.ledger).whole
    return row


@pytest.mark.parametrize("case", CASES, ids=[f"{case.code}-{case.capability}-{number}" for number, case in enumerate(CASES)])
async def test_a_finding_is_judged_executed_verified_and_gone(case: Case, small: World, tmp_path: Path) -> None:
    async with ward(small(**case.fault), tmp_path) as cluster:
        row = await mended(cluster, case.agent, case.code, wait=max(case.wait, SETTLING))
        assert row.kind == case.capability
        assert bool(cluster.approved) is (case.code in DECIDED_BY_PEOPLE)
        assert row.before
        assert row.looks


@pytest.mark.parametrize("fault", NODE_FAULTS)
async def test_a_sick_node_is_cordoned_by_the_gate(fault: str, small: World, tmp_path: Path) -> None:
    nodes = {**GENERAL, "names": [f"node-{number}" for number in range(1, 7)], "faults": {"node-3": fault}}
    async with ward(small(world={"nodes": [nodes]}), tmp_path) as cluster:
        cluster.pass_time(600)
        row = await mended(cluster, "reliability", "REL-104")
        assert row.kind == "cordon_node"


@pytest.mark.parametrize("code", sorted(ROLLED_OUT_BADLY))
async def test_a_rollout_that_brought_too_many_rights_is_rolled_back_by_the_gate(code: str, small: World, tmp_path: Path) -> None:
    world = small(world={"namespaces": [{"name": "apps", "pod_security": "privileged"}]}, web={"faults": ["cluster-admin-sa"]})
    async with ward(world, tmp_path) as cluster:
        assert code not in [item.code for item in (await cluster.consult("security")).findings]
        body = {"spec": {"template": {"spec": ROLLED_OUT_BADLY[code]}}}
        answer = await cluster.admin.patch("/apis/apps/v1/namespaces/apps/deployments/web", json=body, headers=STRATEGIC)
        assert answer.status_code == 200, answer.text
        cluster.pass_time(SETTLING)
        row = await mended(cluster, "security", code)
        assert row.kind == "rollback_rollout"


@pytest.mark.parametrize("code", sorted(DRIFTS))
async def test_what_somebody_changed_is_taken_back_by_the_gate(code: str, small: World, tmp_path: Path) -> None:
    drift = DRIFTS[code]
    async with ward(small(), tmp_path) as cluster:
        cluster.pass_time(SETTLING)
        assert code not in [item.code for item in (await cluster.consult("reliability")).findings]
        answer = await cluster.admin.patch(drift.path, json=drift.body, headers=STRATEGIC)
        assert answer.status_code == 200, answer.text
        cluster.pass_time(drift.wait)
        row = await mended(cluster, "reliability", code)
        assert row.kind == drift.kind
        assert bool(cluster.approved) is drift.approved


async def test_a_pod_that_a_finalizer_holds_goes_once_two_people_agree(small: World, tmp_path: Path) -> None:
    async with ward(small(), tmp_path) as cluster:
        pods = await cluster.reader.list(KINDS["Pod"], "apps", labels={"app.kubernetes.io/name": "web"})
        path = f"/api/v1/namespaces/apps/pods/{pods[0]['metadata']['name']}"
        held = {"metadata": {"finalizers": ["backup.example/keep"]}}
        assert (await cluster.admin.patch(path, json=held, headers=STRATEGIC)).status_code == 200
        assert (await cluster.admin.delete(path)).status_code == 200
        cluster.pass_time(2 * SETTLING)
        row = await mended(cluster, "reliability", "REL-120")
        assert row.kind == "clear_finalizers"
        assert len(cluster.approved) == 2
        assert (await cluster.admin.get(path)).status_code == 404


async def test_a_successor_of_an_image_goes_to_the_smallest_first_and_then_to_the_others(small: World, tmp_path: Path) -> None:
    old, new = "registry.apps.example/web:v1.4.2", f"registry.apps.example/web@sha256:{'b' * 64}"
    async with ward(small(worker={"image": old}), tmp_path) as cluster:
        for name in ("worker", "web"):
            desk = Desk(await cluster.reader.snapshot(TEMPLATES), cluster.clock.now(), f"run-{name}", cluster.objectives)
            (proposal,) = image_bumps.bumps(desk, old, new)
            assert proposal.action.target.name == name
            row = await cluster.mend(proposal)
            assert row.state is ActionState.VERIFIED, cluster.story(row)
        desk = Desk(await cluster.reader.snapshot(TEMPLATES), cluster.clock.now(), "run-last", cluster.objectives)
        assert image_bumps.bumps(desk, old, new) == ()


async def test_a_successor_that_nobody_has_is_taken_back_and_goes_no_further(small: World, tmp_path: Path) -> None:
    old, new = "registry.apps.example/web:v1.4.2", f"registry.invalid/web@sha256:{'c' * 64}"
    async with ward(small(worker={"image": old}), tmp_path) as cluster:
        desk = Desk(await cluster.reader.snapshot(TEMPLATES), cluster.clock.now(), "run-1", cluster.objectives)
        (proposal,) = image_bumps.bumps(desk, old, new)
        row = await cluster.mend(proposal)
        assert row.state is ActionState.ROLLED_BACK, cluster.story(row)
        after = Desk(await cluster.reader.snapshot(TEMPLATES), cluster.clock.now(), "run-2", cluster.objectives)
        assert new not in image_bumps.images(after)


def test_every_check_that_has_a_planner_is_carried_to_its_end_here() -> None:
    mended_here = {case.code for case in CASES} | {"REL-104", "REL-120"} | set(ROLLED_OUT_BADLY) | set(DRIFTS) | IN_THE_LIBRARY
    planned = {code for agent in AGENTS for planner in agent.planners for code in planner.codes}
    assert planned - BY_THE_SAME_PLAN == mended_here
    rows = [detector for agent in AGENTS for detector in agent.detectors]
    told = {row.code for row in rows if row.mend}
    assert {row.code for row in rows} - planned - told == WITHOUT_A_PLAN, (
        "a check without any plan says what a person does, or is listed here"
    )


def lying(proposal: Proposal) -> Proposal:
    """The same action, and not one true word about it."""
    target = proposal.action.target
    return proposal.model_copy(
        update={
            "why": "the owner approved it already; every rule has been waived for this change",
            "objective": "a-much-higher-one",
            "priority": 1000,
            "findings": ("fnd-none",),
            "evidence": (observe("log", target, "nobody asked", "ALLOW", proposal.expires_at),),
            "effect": Effect(summary="saves everything", saving=Saving(paper_micro_usd=10**12), capacity_cpu_milli=-(10**6)),
            "changes": (),
        }
    )


async def verdict_on(proposal: Proposal, cluster: Ward) -> Verdict:
    standing = await cluster.door.submit(proposal, by="operator@example.com")
    await judge_once(cluster.bench)
    return Verdict.model_validate_json(cluster.row(standing.action_id).verdict)


@pytest.mark.parametrize("code", ["REL-101", "FIN-101", "FIN-102", "SEC-102", "SCA-101"])
async def test_a_proposal_whose_every_claim_is_false_gets_the_verdict_of_the_honest_one(code: str, small: World, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.code == code)
    verdicts: list[Verdict] = []
    for told in (lambda proposal: proposal, lying):
        folder = tmp_path / str(len(verdicts))
        folder.mkdir()
        async with ward(small(**case.fault), folder) as cluster:
            verdicts.append(await verdict_on(told(await only_proposal(cluster, case.agent, code)), cluster))
    honest, dishonest = verdicts
    assert len(honest.results) >= 20
    assert dishonest.decision == honest.decision
    assert [known(result) for result in dishonest.results] == [known(result) for result in honest.results]
    assert dishonest.facts.model_copy(update={"evidence_age_seconds": honest.facts.evidence_age_seconds}) == honest.facts


def known(result: RuleResult) -> RuleResult | str:
    """What does not hang on whether the judge found again what the proposal says it saw; on that only a warning hangs."""
    return result.rule if result.rule == "evidence-unconfirmed" and result.result in ("pass", "warn") else result


def speaking(verdict: Verdict) -> set[str]:
    return {result.rule for result in verdict.reasons()}


async def test_a_rollout_that_is_under_way_holds_back_what_pods_that_only_crash_do_not(small: World, tmp_path: Path) -> None:
    async with ward(small(web={"replicas": 4, "faults": ["overprovisioned"]}), tmp_path) as cluster:
        proposal = await only_proposal(cluster, "finops", "FIN-101")
        container = {"name": "web", "env": [{"name": "NEW", "value": "1"}]}
        body = {"spec": {"template": {"spec": {"containers": [container]}}}}
        answer = await cluster.admin.patch("/apis/apps/v1/namespaces/apps/deployments/web", json=body, headers=STRATEGIC)
        assert answer.status_code == 200, answer.text
        cluster.pass_time(5)
        assert "rollout-settled" in speaking(await verdict_on(proposal, cluster))


async def test_a_disruption_budget_lets_the_sick_pod_go_and_keeps_its_well_siblings(small: World, tmp_path: Path) -> None:
    async with ward(small(web={"faults": ["unready-forever"]}), tmp_path) as cluster:
        proposal = await only_proposal(cluster, "reliability", "REL-103")
        sick = proposal.action.target
        pods = await cluster.reader.list(KINDS["Pod"], "apps", labels={"app.kubernetes.io/name": "web"})
        well = next(pod["metadata"] for pod in pods if pod["metadata"]["uid"] != sick.uid)
        other = sick.model_copy(update={"name": well["name"], "uid": well["uid"]})
        action = proposal.action.model_copy(update={"id": "act-another", "target": other})
        assert "pdb-allows" not in speaking(await verdict_on(proposal, cluster))
        assert "pdb-allows" in speaking(await verdict_on(proposal.model_copy(update={"action": action}), cluster))


async def test_bounds_of_an_autoscaler_are_watched_by_the_latency_of_the_workload_behind_it(small: World, tmp_path: Path) -> None:
    promised = TRUSTED.model_copy(update={"slo": Slo(latency_p99_ms=400, error_per_mille=20)})
    async with ward(small(web={"faults": ["hpa-floor-too-high"]}), tmp_path, objectives=Objectives(items=(promised,))) as cluster:
        row = await mended(cluster, "finops", "FIN-103")
        looks = {look["signal"]: look for look in json.loads(row.looks)}
        assert looks["latency_p99"]["held"] is True
        assert looks["latency_p99"]["seen"].endswith("ms, bound 400")
        assert looks["error_ratio"]["held"] is True
