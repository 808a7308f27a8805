"""Three whole runs of the product: a crash-looping rollout rolled back, a workload right-sized, a namespace hardened.

All of it as `day2 serve` has it: judge and executor as processes of their own, the embedded registry, the controller with the four agents.
The simulator and the real control plane run the same class; a subclass gives the fixture `place`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from core.actions.catalogue import parse_proposal
from core.cluster.kinds import KINDS
from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL, ActionState
from core.domain.request import Request
from core.domain.values import Json, at_path
from core.domain.verdict import Verdict
from gate.audit import verify_ledger
from runtime.roles import deciding, everything
from runtime.settings import FlowSettings, GateSettings, KubernetesSettings, PolicySettings, PrometheusSettings, Settings, StoreSettings

REQUESTER, APPROVER = "operator@example.com", "approver@example.com"
PATIENCE_SECONDS = 240.0
LOOK_SECONDS = 0.05

DOCUMENTS = """
apiVersion: day2.dev/v1alpha1
kind: Objective
metadata: {{name: whole-runs}}
spec:
  scope: {{namespaces: [{broken}, {large}, {open}]}}
  serves: reliability
  priority: 90
  podSecurity: restricted
  autonomy: {{"*": guarded}}
  vouched: {{"*": guarded}}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {{name: reliability}}
spec: {{agent: reliability, capabilities: [rollback_rollout]}}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {{name: finops}}
spec: {{agent: finops, capabilities: [set_requests]}}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {{name: security}}
spec: {{agent: security, capabilities: [label_namespace]}}
---
apiVersion: day2.dev/v1alpha1
kind: PriceList
metadata: {{name: list}}
spec:
  source: test list
  at: 2026-11-01T00:00:00Z
  instances:
    - {{instanceType: m6.4xlarge, cpu: "16", memory: 64Gi, hourly: 0.768 USD}}
"""


class Namespaces(NamedTuple):
    """Where each fault was planted: a Deployment `web` whose newest revision crashes, one that asks for far too much, no labels at all."""

    broken: str
    large: str
    open: str


@dataclass(frozen=True)
class Place:
    """A cluster with the three faults. `advance` moves its clock by seconds; without it time passes by itself."""

    settings: Settings
    namespaces: Namespaces
    advance: Callable[[float], None] | None = None


class Outcome(NamedTuple):
    """One run: what it answered, the row of its action at the end, the target before and after, and what a second look found."""

    response: dict[str, Any]
    row: ActionRow
    before: Json
    after: Json
    found_again: tuple[str, ...]
    approvals: int


class Played(NamedTuple):
    """All three, and what is true of the product as a whole. `processes` are the children's ids by role."""

    runs: dict[str, Outcome]
    processes: dict[str, int]
    agents: tuple[str, ...]
    chain_whole: bool


def settings_of(
    folder: Path, kubeconfigs: dict[str, Path], namespaces: Namespaces, *, prometheus: str, ca: Path | None = None, clock: str = "system"
) -> Settings:
    """The product's settings for a place; documents and state lie in `folder`."""
    documents = folder / "documents.yaml"
    documents.write_text(DOCUMENTS.format(**namespaces._asdict()), encoding="utf-8")
    return Settings(
        profile="demo",  # nothing of the person's shell or files is in them
        clock=clock,
        kubernetes=KubernetesSettings(
            kubeconfig=kubeconfigs["reader"],
            read_kubeconfig=kubeconfigs["reader"],
            judge_kubeconfig=kubeconfigs["judge"],
            executor_kubeconfig=kubeconfigs["executor"],
        ),
        prometheus=PrometheusSettings(url=prometheus, ca_file=ca),
        store=StoreSettings(data_dir=folder / "data"),
        policy=PolicySettings(objectives=documents),
        flow=FlowSettings(poll_seconds=LOOK_SECONDS),
        gate=GateSettings(guard="off"),
    )


def played(place: Place) -> Played:
    """Open the product, let the three runs happen side by side, and look again."""
    return asyncio.run(_played(place))


async def _played(place: Place) -> Played:
    asked = {"reliability": place.namespaces.broken, "finops": place.namespaces.large, "security": place.namespaces.open}
    async with everything.opened(place.settings) as product:
        answers = dict(zip(asked, await asyncio.gather(*(_run(product, *pair, act=True) for pair in asked.items())), strict=True))
        before = {agent: await _target(product, answer) for agent, answer in answers.items()}
        await _carried(place, product, [f"run-{agent}" for agent in asked])
        runs = {agent: await _outcome(product, agent, asked[agent], answers[agent], before[agent]) for agent in asked}
        members = await product.controller.registry.members() if product.controller.registry else ()
        return Played(
            runs=runs,
            processes={child.name: child.process.pid for child in product.children.running},
            agents=tuple(sorted(member.name for member in members)),
            chain_whole=verify_ledger(product.ledger).whole,
        )


async def _run(product: everything.Everything, agent: str, namespace: str, *, act: bool, again: str = "") -> dict[str, Any]:
    request = Request(
        id=f"run-{agent}{again}",
        trigger="api",
        by=REQUESTER,
        text="look, and act where it is safe",
        namespaces=(namespace,),
        agents=(agent,),
        act=act,
        at=product.reading.clock.now(),
    )
    return await product.controller.run(request)


async def _target(product: everything.Everything, response: dict[str, Any]) -> Json:
    assert response["proposals"], f"nothing was proposed: {response['findings']} {response['missing']} {response['coverage']}"
    target = parse_proposal(response["proposals"][0]).action.target
    found = await product.reading.reader.get(KINDS[target.kind], target.namespace, target.name)
    assert found is not None
    return found


async def _carried(place: Place, product: everything.Everything, runs: list[str]) -> None:
    """Approve where people are asked, and let time pass where all wait for it, until every action of the runs has ended."""
    decide = deciding.door(place.settings, product.ledger, product.reading.clock, name="test")
    give_up = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    decided: set[str] = set()
    while open_rows := [row for run in runs for row in product.ledger.of_run(run) if row.state not in TERMINAL]:
        assert asyncio.get_running_loop().time() < give_up, [f"{row.kind} is {row.state}: {row.note}" for row in open_rows]
        for row in open_rows:
            if row.state is ActionState.NEEDS_APPROVAL and row.action_id not in decided:
                decide(row.action_id, by=APPROVER, approve=True, reason="read the diff and the evidence")
                decided.add(row.action_id)
        waits = [(row.next_look_at - product.reading.clock.now()).total_seconds() for row in open_rows if row.next_look_at]
        if place.advance and len(waits) == len(open_rows) and min(waits) > 0:
            await asyncio.to_thread(place.advance, min(waits))
        await asyncio.sleep(LOOK_SECONDS)


async def _outcome(product: everything.Everything, agent: str, namespace: str, response: dict[str, Any], before: Json) -> Outcome:
    (row,) = product.ledger.of_run(f"run-{agent}")
    again = await _run(product, agent, namespace, act=False, again="-again")
    return Outcome(
        response=response,
        row=row,
        before=before,
        after=await _target(product, response),
        found_again=tuple(finding["code"] for finding in again["findings"]),
        approvals=len(product.ledger.approvals(row.action_id)),
    )


def container(workload: Json) -> Json:
    found: Json = at_path(workload, "spec.template.spec.containers")[0]
    return found


@pytest.mark.timeout(PATIENCE_SECONDS + 60)
class WholeRuns:
    """What must be true of the three runs on any cluster. `outcome` is made once per class, for it takes a while."""

    @pytest.fixture(scope="class")
    @classmethod
    def outcome(cls, place: Place) -> Played:
        return played(place)

    def test_the_crash_looping_rollout_is_rolled_back(self, outcome: Played) -> None:
        run = outcome.runs["reliability"]
        assert (run.row.kind, run.row.state) == ("rollback_rollout", ActionState.VERIFIED), run.row.note
        assert container(run.before)["image"].endswith(":crash")
        assert not container(run.after)["image"].endswith(":crash")
        assert run.after["status"]["availableReplicas"] == run.after["spec"]["replicas"]
        assert "REL-101" not in run.found_again

    def test_a_person_decides_where_the_earlier_revision_is_young(self, outcome: Played) -> None:
        run = outcome.runs["reliability"]
        healthy = Verdict.model_validate_json(run.row.verdict).facts.previous_healthy_seconds
        # It is counted by whole minutes: a revision that came and went within one was measured by nobody.
        assert run.approvals == int(healthy is None or healthy < 300)

    def test_the_oversized_workload_is_right_sized(self, outcome: Played) -> None:
        run = outcome.runs["finops"]
        assert (run.row.kind, run.row.state) == ("set_requests", ActionState.VERIFIED), run.row.note
        old, new = container(run.before)["resources"], container(run.after)["resources"]
        assert old["requests"]["cpu"] != new["requests"]["cpu"]
        assert old.get("limits") == new.get("limits")
        facts = Verdict.model_validate_json(run.row.verdict).facts
        assert facts.cpu_milli_p95 is not None
        assert facts.requests_cpu_milli_after is not None
        assert facts.cpu_milli_p95 * 1.1 <= facts.requests_cpu_milli_after < (facts.requests_cpu_milli_before or 0)
        assert facts.usage_days is not None
        assert facts.usage_days >= 3
        assert "FIN-101" not in run.found_again

    def test_the_open_namespace_is_hardened(self, outcome: Played) -> None:
        run = outcome.runs["security"]
        assert (run.row.kind, run.row.state) == ("label_namespace", ActionState.VERIFIED), run.row.note
        enforced = "pod-security.kubernetes.io/enforce"
        assert enforced not in run.before["metadata"]["labels"]
        assert run.after["metadata"]["labels"][enforced] == "restricted"
        assert "SEC-101" not in run.found_again

    def test_each_write_was_the_agents_and_is_in_the_audit_chain(self, outcome: Played) -> None:
        for agent, run in outcome.runs.items():
            managers = {entry["manager"] for entry in run.after["metadata"]["managedFields"]}
            assert f"day2ops-{agent}" in managers
        assert outcome.chain_whole

    def test_judge_and_executor_were_processes_of_their_own_and_all_agents_were_alive(self, outcome: Played) -> None:
        assert {"judge", "executor"} <= set(outcome.processes)
        assert len(set(outcome.processes.values())) == len(outcome.processes)
        assert outcome.agents == ("finops", "reliability", "scaling", "security")
