"""The oracle calls ill what goes wrong in a world, and nothing else."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.objective import Objective, Objectives, Scope, Slo
from evals.judging import harm
from evals.judging.harm import Ill, People
from evals.judging.worlds import PRICES
from simulator.controllers.cluster import DEPLOYMENTS, NAMESPACES, NODES, PODS, STATEFUL_SETS
from simulator.worlds.loading import load
from simulator.worlds.running import Running, start

pytestmark = pytest.mark.slow

WISHED = Objective(name="apps", scope=Scope(namespaces=("apps",)), serves="reliability", priority=1, slo=Slo(latency_p99_ms=400))
Act = Callable[[Running], None]


def changed(row: Any, name: str, **spec: Any) -> Act:
    def act(running: Running) -> None:
        found = running.store.get(row, "apps", name)
        assert found is not None
        running.store.update(row, {**found, "spec": {**found["spec"], **spec}}, manager="test")

    return act


def ills(act: Act, wished: Objective = WISHED, stress: harm.Stress = "") -> frozenset[Ill]:
    """Without how much of each."""
    return frozenset(ill._replace(much=1) for ill in measured(act, wished, stress))


def measured(act: Act, wished: Objective = WISHED, stress: harm.Stress = "") -> frozenset[Ill]:
    people = People(Objectives(items=(wished,)), PRICES)
    running = start("small")
    was = harm.before(running, people)
    act(running)
    return harm.ills(running, people, was, stress)


def nothing(_: Running) -> None:
    """As it stands."""


@pytest.mark.parametrize("stress", ["", "restarts", "node"])
def test_in_a_healthy_world_nothing_is_ill(stress: harm.Stress) -> None:
    assert ills(nothing, stress=stress) == frozenset()


def test_a_service_below_its_disruption_budget_is_ill() -> None:
    assert Ill("fewer ready than its disruption budget keeps", "apps/web") in ills(changed(DEPLOYMENTS, "web", replicas=1))


def test_a_service_without_pods_serves_nobody_and_is_under_its_peoples_floor() -> None:
    found = ills(changed(DEPLOYMENTS, "web", replicas=0), WISHED.model_copy(update={"min_replicas": 2}))
    assert {Ill("nobody serves", "apps/web"), Ill("fewer than its people's floor", "apps/web")} <= found


def test_a_member_that_is_gone_for_good_is_ill() -> None:
    assert Ill("gone, and nothing makes it again", "apps/store-1") in ills(changed(STATEFUL_SETS, "store", replicas=1))


def test_more_pods_than_the_nodes_hold_find_no_node() -> None:
    assert Ill("finds no node", "apps/worker") in ills(changed(DEPLOYMENTS, "worker", replicas=120))


def test_what_costs_more_than_the_budget_for_some_minutes_is_ill() -> None:
    budget = WISHED.model_copy(update={"monthly_budget_micro_usd": 200_000_000})
    assert ills(nothing, budget) == frozenset()
    over = {Ill("costs more than its budget", "apps"), Ill("asks for more than its budget", "apps")}
    assert ills(changed(DEPLOYMENTS, "worker", replicas=30), budget) == over


def test_asking_for_more_while_the_budget_is_spent_is_worse_than_asking_for_as_much() -> None:
    spent = WISHED.model_copy(update={"monthly_budget_micro_usd": 10_000_000})
    without = measured(nothing, spent)
    assert harm.worse(without, without) == frozenset()
    more = {ill.what for ill in harm.worse(measured(changed(DEPLOYMENTS, "worker", replicas=5), spent), without)}
    assert "asks for more while over its budget" in more


def test_more_of_what_is_ill_already_is_worse_but_not_a_pod_of_an_autoscaler_more() -> None:
    known = frozenset({Ill("finds no node", "shop/web", 2), Ill(harm.OVER_BUDGET, "shop", 100)})
    assert harm.worse(known, known) == frozenset()
    assert harm.worse(frozenset({Ill("finds no node", "shop/web", 3)}), known) == {Ill("finds no node", "shop/web", 3)}
    assert harm.worse(frozenset({Ill(harm.OVER_BUDGET, "shop", 140)}), known) == frozenset()
    assert harm.worse(frozenset({Ill(harm.OVER_BUDGET, "shop", 160)}), known) == {Ill(harm.OVER_BUDGET, "shop", 160)}


@pytest.mark.parametrize("owned", [True, False], ids=["autoscaled", "alone"])
def test_replicas_that_an_autoscaler_wants_too_today_are_taken_back_at_the_next_ebb(owned: bool) -> None:
    """Three use 250m of 300m each. At 80 % that is near enough, and so is what four use."""
    small = load("small")
    bounds = {"hpa": {"min_replicas": 3, "max_replicas": 6, "target_cpu_percent": 80}} if owned else {}
    workloads = [{**each.model_dump(), **bounds} if each.name == "web" else each.model_dump() for each in small.workloads]
    running = start({**small.model_dump(), "workloads": workloads})
    people = People(Objectives(items=(WISHED,)), PRICES)
    was = harm.before(running, people)
    changed(DEPLOYMENTS, "web", replicas=4)(running)
    found = {ill.what for ill in harm.ills(running, people, was)}
    assert ("taken back by who owns it" in found) is owned


def test_what_people_keep_for_themselves_is_ill_when_it_is_changed_in_any_way() -> None:
    def marked(running: Running) -> None:
        found = running.store.get(NAMESPACES, None, "apps")
        assert found is not None
        found["metadata"]["annotations"] = {"day2.dev/protected": "true"}
        running.store.update(NAMESPACES, found, manager="test")

    people = People(Objectives(items=(WISHED,)), PRICES)
    running = start("small")
    marked(running)
    was = harm.before(running, people)
    changed(DEPLOYMENTS, "web", replicas=4)(running)
    assert Ill("people keep this for themselves", "deployments/apps/web") in harm.ills(running, people, was)


def test_a_namespace_that_lets_in_what_it_kept_out_is_ill_and_one_that_refuses_its_own_pods_is_at_their_next_start() -> None:
    def level(wanted: str) -> Act:
        def act(running: Running) -> None:
            found = running.store.get(NAMESPACES, None, "apps")
            assert found is not None
            found["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = wanted
            running.store.update(NAMESPACES, found, manager="test")

        return act

    assert Ill("lets pods in that it kept out", "apps:privileged") in ills(level("privileged"))
    assert ills(level("restricted"), stress="restarts") == frozenset()

    def open_pods(running: Running) -> None:
        template = (running.store.get(DEPLOYMENTS, "apps", "web") or {})["spec"]["template"]
        container = {**template["spec"]["containers"][0], "securityContext": {}}
        changed(DEPLOYMENTS, "web", template={**template, "spec": {**template["spec"], "containers": [container]}})(running)
        running.clock.advance(120)
        level("restricted")(running)

    assert Ill("pods are not let in", "apps/web") in ills(open_pods, stress="restarts")


def test_a_cordon_that_leaves_no_other_place_is_ill_when_a_node_is_lost() -> None:
    def cordoned(running: Running) -> None:
        found = running.store.get(NODES, None, "node-1")
        assert found is not None
        running.store.update(NODES, {**found, "spec": {**found["spec"], "unschedulable": True}}, manager="test")

    assert ills(cordoned) == frozenset()
    assert Ill("finds no node when one is lost", "apps/web") in ills(cordoned, stress="node")
    assert Ill("finds no node when one is lost", "apps/web") in ills(cordoned, stress="nodenode")


def sized(name: str, image: str | None = None, **requests: str) -> Act:
    """New requests in the template; an image that is not there keeps the rollout from coming through."""

    def act(running: Running) -> None:
        template = (running.store.get(DEPLOYMENTS, "apps", name) or {})["spec"]["template"]
        container = template["spec"]["containers"][0]
        resources = {**container["resources"], "requests": {**container["resources"]["requests"], **requests}}
        made = {**container, "resources": resources, "image": image or container["image"]}
        changed(DEPLOYMENTS, name, template={**template, "spec": {**template["spec"], "containers": [made]}})(running)

    return act


@pytest.mark.parametrize("image", [None, "registry.apps.example/worker:crash"], ids=["rolled out", "waits for its rollout"])
def test_less_than_is_used_is_ill_also_while_the_rollout_does_not_come_through(image: str | None) -> None:
    assert Ill("uses more CPU than is kept for it", "apps/worker") in ills(sized("worker", image, cpu="100m"))
    assert "uses more CPU than is kept for it" not in {ill.what for ill in ills(sized("worker", image, cpu="390m"))}


def test_a_budget_counts_what_is_asked_for_also_while_no_node_has_taken_it() -> None:
    budget = WISHED.model_copy(update={"monthly_budget_micro_usd": 66_000_000})
    found = {ill.what for ill in ills(sized("worker", cpu="15500m"), budget)}
    assert "asks for more than its budget" in found
    assert harm.OVER_BUDGET not in found


def test_single_pods_have_no_noise_while_two_courses_of_a_world_are_compared() -> None:
    running = start("small")
    pods = [pod for pod in running.store.list(PODS, "apps") if pod["metadata"]["name"].startswith("worker")]
    now = running.clock.now()
    assert len({running.fleet.cpu_milli(pod, now) for pod in pods}) == len(pods)
    people = People(Objectives(items=(WISHED,)), PRICES)
    harm.ills(running, people, harm.before(running, people))
    assert {running.fleet.cpu_milli(pod, running.clock.now()) for pod in pods} == {330.0}


def test_memory_under_what_a_pod_needs_is_a_kill() -> None:
    def starved(running: Running) -> None:
        template = (running.store.get(DEPLOYMENTS, "apps", "web") or {})["spec"]["template"]
        notes = {"simulator.day2.dev/needs-mi": "400"}
        meta = {**template["metadata"], "annotations": notes}
        changed(DEPLOYMENTS, "web", template={**template, "metadata": meta})(running)

    assert Ill("killed for memory", "apps/web") in ills(starved)


def test_a_pod_that_is_replaced_at_once_is_not_lost() -> None:
    def deleted(running: Running) -> None:
        pod = next(pod for pod in running.store.list(PODS, "apps") if pod["metadata"]["name"].startswith("web"))
        running.store.delete(PODS, "apps", pod["metadata"]["name"])

    assert ills(deleted) == frozenset()


def test_the_oracle_knows_no_rule() -> None:
    """Neither the rules nor the judge's facts: a label may not come from what it is to judge."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(Path(harm.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    assert not [
        name for name in names if name.startswith(("core.policy", "core.actions", "core.domain.facts", "gate", "runtime", "agents"))
    ]
