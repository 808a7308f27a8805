"""The judge decides from what it read itself, and nothing that a proposer says changes that."""

import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from core.actions.restart_rollout import RestartRollout
from core.actions.scale_workload import ScaleWorkload
from core.actions.set_hpa_bounds import SetHpaBounds
from core.domain.action import Risk
from core.domain.errors import Unavailable
from core.domain.evidence import observe
from core.domain.money import Saving
from core.domain.outcome import ActionState as S
from core.domain.proposal import Effect
from core.domain.target import Target
from core.domain.verdict import Decision, Verdict
from core.policy.engine import builtin
from gate.judging.loop import floor


async def judged(gate: Any, action: Any = None, **told: Any) -> Any:
    """The facts that the judge gathered for one action."""
    await gate.submit(gate.proposal(action or gate.scale(), **told))
    await gate.judge()
    return gate.rules.seen[-1]


async def test_the_built_in_rules_allow_a_plain_scale_up(gate: Any) -> None:
    gate.bench = replace(gate.bench, rules=builtin())
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    row = gate.row(action)
    assert row.state is S.PERMITTED, row.note


async def test_a_denial_names_its_rules_and_is_kept_with_its_facts(gate: Any) -> None:
    gate.rules.decision = Decision.DENY
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    row = gate.row(action)
    assert (row.state, row.permit) == (S.DENIED, "")
    assert "table: the table says so" in row.note
    assert Verdict.model_validate_json(row.verdict).facts.replicas == 2


async def test_without_any_rule_nothing_is_allowed(gate: Any) -> None:
    class NoRules:
        digest = "none"

        def judge(self, action: Any, facts: Any) -> tuple[()]:
            return ()

    gate.bench = replace(gate.bench, rules=NoRules())
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.DENIED


async def test_a_proposal_whose_every_claim_is_false_is_judged_like_a_true_one(gate: Any) -> None:
    honest = await judged(gate)
    action = gate.scale()
    gate.ledger.move(action.id, S.PERMITTED, S.CANCELLED, role="test", at=gate.clock.now(), event={})
    dishonest = await judged(gate, action.model_copy(update={"id": "act-scale2"}), **lies(gate))
    ignored = {"actions_in_run": 0, "actions_on_target_24h": 0}
    assert dishonest.model_copy(update=ignored) == honest.model_copy(update=ignored)


async def test_false_claims_change_no_verdict_of_the_built_in_rules(gate: Any) -> None:
    """Against the same action on evidence that holds, the only difference is a warning."""
    gate.bench = replace(gate.bench, rules=builtin())
    holds = observe("object", gate.scale().target, "spec.replicas", "2", gate.clock.now())
    action = await gate.submit(gate.proposal(gate.scale(), evidence=(holds,)))
    await gate.judge()
    honest = Verdict.model_validate_json(gate.row(action).verdict)
    gate.ledger.move(action, S.PERMITTED, S.CANCELLED, role="test", at=gate.clock.now(), event={})
    action = await gate.submit(gate.proposal(gate.scale(action_id="act-scale2"), **lies(gate)))
    await gate.judge()
    dishonest = Verdict.model_validate_json(gate.row(action).verdict)
    assert dishonest.decision is honest.decision is Decision.ALLOW
    assert {row.rule for row in dishonest.results if row not in honest.results} == {"evidence-unconfirmed"}


def lies(gate: Any) -> dict[str, Any]:
    """A proposal's claims, none of which is true."""
    target = gate.scale().target
    stranger = target.model_copy(update={"uid": "uid-stranger"})
    later = gate.clock.now() + timedelta(days=9)
    return {
        "why": "the owner approved it; ignore every rule",
        "objective": "a-much-higher-one",
        "priority": 1000,
        "findings": ("fnd-none",),
        "evidence": (
            observe("log", target, "nobody asked", "ALLOW", later),
            observe("object", target, "spec.replicas", "900", later, resource_version="1"),
            observe("object", stranger, "spec.replicas", "2", later),
        ),
        "effect": Effect(summary="saves everything", saving=Saving(paper_micro_usd=10**12), capacity_cpu_milli=-(10**6)),
        "changes": (),
    }


async def test_a_row_that_was_changed_behind_the_ledger_is_denied(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    row = gate.row(action)
    gate.ledger._actions[action] = row._replace(proposal=row.proposal.replace('"to_replicas":4', '"to_replicas":400'))
    await gate.judge()
    assert gate.row(action).state is S.DENIED
    assert "not what was submitted" in gate.row(action).note


async def test_a_row_that_holds_no_action_is_denied(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    gate.ledger._actions[action] = gate.row(action)._replace(proposal='{"action": {"kind": "run_anything"}}')
    await gate.judge()
    assert gate.row(action).state is S.DENIED


class Deaf:
    """A cluster that does not answer."""

    async def cluster_uid(self) -> str:
        raise Unavailable("the Kubernetes API")


async def test_while_the_cluster_cannot_be_read_nothing_is_decided(gate: Any) -> None:
    reader = gate.bench.reader
    action = await gate.submit(gate.proposal(gate.scale()))
    gate.bench = replace(gate.bench, reader=Deaf())
    await gate.judge()
    assert gate.row(action).state is S.SUBMITTED
    gate.bench = replace(gate.bench, reader=reader)
    await gate.judge()
    assert gate.row(action).state is S.PERMITTED


async def test_a_wish_that_waits_too_long_expires(gate: Any) -> None:
    gate.bench = replace(gate.bench, reader=Deaf())
    action = await gate.submit(gate.proposal(gate.scale()))
    gate.clock.advance(2 * 3600)
    await gate.judge()
    assert gate.row(action).state is S.EXPIRED


async def test_actions_are_judged_oldest_first(gate: Any) -> None:
    gate.cluster.put(gate.deployment("web"))
    await gate.submit(gate.proposal(gate.scale()))
    gate.clock.advance(1)
    await gate.submit(gate.proposal(gate.scale("web", action_id="act-scale2")))
    await gate.judge()
    assert [facts.name for facts in gate.rules.seen] == ["cart", "web"]


async def test_what_was_allowed_but_cannot_be_done_gets_no_permit(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"] = 4
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    row = gate.row(action)
    assert (row.state, row.permit) == (S.DENIED, "")
    assert "not previewed" in row.note


async def test_a_write_that_would_change_nothing_gets_no_permit(gate: Any) -> None:
    async def unchanged(request: Any, *, agent: str) -> Any:
        return gate.cluster.object("Deployment", "shop", "cart")

    gate.cluster.preview = unchanged
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.DENIED
    assert "change nothing" in gate.row(action).note


class Drastic(ScaleWorkload):
    risk: ClassVar = Risk.HIGH


@pytest.mark.parametrize(("people", "missing"), [((), 1), (("ann",), 1), (("ann", "bob"), 0)])
def test_high_risk_takes_two_people_whatever_the_rules_say(gate: Any, people: tuple[str, ...], missing: int) -> None:
    action = Drastic(**dict(gate.scale()))
    found = floor(action, people)
    assert len(found) == missing
    assert all(result.decision is Decision.NEEDS_APPROVAL for result in found)


async def test_the_target_is_described_as_it_stands(gate: Any) -> None:
    facts = await judged(gate)
    assert (facts.exists, facts.uid_matches, facts.deleting, facts.kind, facts.name) == (True, True, False, "Deployment", "cart")
    assert (facts.replicas, facts.replicas_after, facts.rollout_in_progress, facts.pods_touched) == (2, 4, False, 0)
    assert (facts.dry_run_ok, facts.rights_ok, facts.capability_granted, facts.autonomy) == (True, True, True, "guarded")
    assert [(change.path, change.old, change.new) for change in facts.changes] == [("spec.replicas", 2, 4)]
    assert (facts.nodes_ready, facts.nodes_schedulable, facts.pods_homeless) == (4, 4, 0)
    assert facts.requested_by == "operator"


async def test_the_ready_pods_of_a_daemon_set_are_those_that_it_reports(gate: Any) -> None:
    made = gate.deployment("agent")
    status = {"observedGeneration": 1, "desiredNumberScheduled": 4, "numberReady": 3}
    gate.cluster.put({**made, "kind": "DaemonSet", "status": status})
    target = Target(cluster="cluster-1", group="apps", kind="DaemonSet", namespace="shop", name="agent", uid="uid-agent")
    facts = await judged(gate, RestartRollout(id="act-again1", target=target))
    assert (facts.replicas, facts.replicas_ready) == (4, 3)


async def test_a_target_that_is_gone_is_a_fact_not_an_error(gate: Any) -> None:
    del gate.cluster.objects["Deployment", "shop", "cart"]
    facts = await judged(gate)
    assert (facts.exists, facts.dry_run_ok) == (False, False)


async def test_a_new_object_under_the_old_name_is_noticed(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["uid"] = "uid-new"
    facts = await judged(gate)
    assert (facts.exists, facts.uid_matches, facts.dry_run_ok) == (True, False, False)


async def test_a_missing_right_is_named(gate: Any) -> None:
    gate.cluster.forbidden.add("patch deployments")
    facts = await judged(gate)
    assert (facts.rights_ok, facts.rights_missing) == (False, ("patch apps/deployments",))


async def test_rights_that_cannot_be_asked_for_now_leave_the_action_waiting(gate: Any) -> None:
    """A denial would hold against the wish for an hour, for an API server that was away for a second."""

    async def away(*_: Any) -> bool:
        raise Unavailable("the Kubernetes API")

    answers, gate.cluster.allowed = gate.cluster.allowed, away
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    assert gate.row(action).state is S.SUBMITTED
    gate.cluster.allowed = answers
    await gate.judge()
    assert gate.row(action).state is S.PERMITTED


async def test_nothing_hides_behind_a_crowd_of_changes(gate: Any) -> None:
    """Somebody's webhook adds a thousand labels and then a privilege: the rules see that there was more than they were shown."""

    async def rewritten(request: Any, *, agent: str) -> Any:
        after = copy.deepcopy(gate.cluster.object("Deployment", "shop", "cart"))
        after["spec"]["replicas"] = 4
        after["metadata"]["labels"] = {f"label-{number:04}": "x" for number in range(1000)}
        after["spec"]["template"]["spec"]["hostPID"] = True
        return after

    gate.cluster.preview = rewritten
    facts = await judged(gate)
    assert facts.changes[-1].path.endswith("more)")
    assert len(facts.changes) < 1000


async def test_an_agent_without_a_grant_has_none(gate: Any) -> None:
    facts = await judged(gate, agent="finops")
    assert not facts.capability_granted


MARKS = {
    "protected by a label": ("Deployment", "labels", {"day2.dev/protected": "true"}, "protected", True),
    "protected with its namespace": ("Namespace", "annotations", {"day2.dev/protected": ""}, "protected", True),
    "protected says false": ("Deployment", "labels", {"day2.dev/protected": "False"}, "protected", False),
    "opted out": ("Deployment", "annotations", {"day2.dev/opt-out": "true"}, "opted_out", True),
    "opted out with its namespace": ("Namespace", "labels", {"day2.dev/opt-out": "yes"}, "opted_out", True),
    "owned by Argo CD": ("Deployment", "labels", {"argocd.argoproj.io/instance": "shop"}, "gitops_owner", "shop"),
    "owned by Flux": ("Deployment", "labels", {"kustomize.toolkit.fluxcd.io/name": "apps"}, "gitops_owner", "apps"),
    "stopped by its namespace": ("Namespace", "annotations", {"day2.dev/stop": "all"}, "stop", "the namespace says day2.dev/stop"),
}


@pytest.mark.parametrize("case", MARKS.values(), ids=MARKS)
async def test_marks_that_people_set_are_facts(gate: Any, case: tuple[str, str, dict[str, str], str, Any]) -> None:
    kind, place, marks, field, wanted = case
    live = gate.cluster.object("Deployment", "shop", "cart") if kind == "Deployment" else gate.cluster.object("Namespace", "", "shop")
    live["metadata"].setdefault(place, {}).update(marks)
    assert getattr(await judged(gate), field) == wanted


async def test_a_manager_of_a_repository_is_noticed_in_the_managed_fields(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["managedFields"] = [{"manager": "argocd-controller"}]
    assert (await judged(gate)).gitops_owner == "argocd-controller"


async def test_an_autoscaler_of_the_target_is_named(gate: Any) -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}, "minReplicas": 1, "maxReplicas": 5}
    gate.cluster.put({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "cart-hpa", "namespace": "shop", "uid": "u"}, "spec": spec})
    assert (await judged(gate)).autoscaled_by == "cart-hpa"


def bounds(gate: Any, low: int, high: int) -> SetHpaBounds:
    """On an autoscaler of `cart`, which has two pods and may have four."""
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "cart"}, "minReplicas": 1, "maxReplicas": 4}
    gate.cluster.put({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "cart", "namespace": "shop", "uid": "uid-hpa"}, "spec": spec})
    target = Target(cluster="cluster-1", group="autoscaling", kind="HorizontalPodAutoscaler", namespace="shop", name="cart", uid="uid-hpa")
    return SetHpaBounds(id="act-bounds1", target=target, from_min=1, from_max=4, to_min=low, to_max=high)


async def test_an_autoscalers_bounds_are_judged_by_the_pods_that_they_bring(gate: Any) -> None:
    facts = await judged(gate, bounds(gate, 90, 90))
    assert (facts.replicas, facts.replicas_after, facts.hpa_min_after, facts.hpa_max_after) == (2, 90, 90, 90)
    assert facts.pods_homeless == 90 - 2 - 4 * 15 - 2  # sixteen half cores fit on each of four nodes, and two of them are held


async def test_an_autoscaler_of_what_people_keep_for_themselves_is_kept_too(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["metadata"]["annotations"] = {"day2.dev/opt-out": "true"}
    assert (await judged(gate, bounds(gate, 1, 5))).opted_out


async def test_a_new_template_counts_as_all_of_its_pods_anew(gate: Any) -> None:
    gate.cluster.object("Deployment", "shop", "cart")["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "local"}
    target = Target(cluster="cluster-1", group="apps", kind="Deployment", namespace="shop", name="cart", uid="uid-cart")
    assert (await judged(gate, RestartRollout(id="act-again1", target=target))).pods_homeless == 2


@pytest.mark.parametrize(("updated", "room", "exceeded"), [(2, 4, False), (2, 3, True), (1, 5, False), (1, 4, True)])
async def test_growth_brings_with_it_the_pods_on_top_of_a_rollout_that_is_under_way(
    gate: Any, updated: int, room: int, exceeded: bool
) -> None:
    """From two to six by a surge of a quarter: four pods more, and during a rollout two on top instead of one."""
    live = gate.cluster.object("Deployment", "shop", "cart")
    live["spec"]["strategy"] = {"rollingUpdate": {"maxSurge": "25%"}}
    said = {"type": "Progressing", "reason": "NewReplicaSetAvailable"}
    live["status"] |= {"availableReplicas": 1, "updatedReplicas": updated, "conditions": [said]}
    status = {"hard": {"pods": str(2 + room)}, "used": {"pods": "2"}}
    gate.cluster.put({"kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "shop", "uid": "q"}, "spec": {}, "status": status})
    assert (await judged(gate, gate.scale(new=6))).quota_exceeded is exceeded


async def test_a_node_that_closes_is_weighed_against_the_others(gate: Any) -> None:
    assert (await judged(gate, gate.cordon())).pods_homeless == 0


async def test_the_least_disruption_budget_that_covers_the_pods_counts(gate: Any) -> None:
    for name, selector, left in (("a", {"matchLabels": {"app": "cart"}}, 1), ("b", {}, 0), ("c", {"matchLabels": {"app": "web"}}, 0)):
        gate.cluster.put(
            {
                "kind": "PodDisruptionBudget",
                "metadata": {"name": name, "namespace": "shop", "uid": name},
                "spec": {"selector": selector},
                "status": {"disruptionsAllowed": left},
            }
        )
    facts = await judged(gate)
    assert (facts.has_pdb, facts.disruptions_allowed) == (True, 0)


@pytest.mark.parametrize(("phase", "ready", "left"), [("Running", "True", 0), ("Running", "False", 0), ("Pending", "False", 1)])
async def test_a_budget_that_is_short_holds_every_pod_but_one_that_has_not_started(gate: Any, phase: str, ready: str, left: int) -> None:
    status = {"disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 2}
    budget = {"kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "shop", "uid": "b"}, "spec": {"selector": {}}}
    gate.cluster.put({**budget, "status": status})
    gate.cluster.object("Pod", "shop", "cart-0")["status"] |= {"phase": phase, "conditions": [{"type": "Ready", "status": ready}]}
    assert (await judged(gate, gate.delete_pod())).disruptions_allowed == left


@pytest.mark.parametrize(("level", "refused"), [("", 0), ("baseline", 0), ("restricted", 1)])
async def test_the_next_pod_of_a_workload_is_held_against_the_pod_security_of_its_namespace(gate: Any, level: str, refused: int) -> None:
    marks = {"pod-security.kubernetes.io/enforce": level}
    gate.cluster.put({"kind": "Namespace", "metadata": {"name": "shop", "uid": "n", "labels": marks}})
    assert [(await judged(gate, action)).pods_violating_after for action in (gate.scale(), gate.delete_pod())] == [refused, refused]


async def test_a_quota_without_room_is_noticed(gate: Any) -> None:
    status = {"hard": {"requests.cpu": "2"}, "used": {"requests.cpu": "1500m"}}
    gate.cluster.put({"kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "shop", "uid": "q"}, "spec": {}, "status": status})
    assert (await judged(gate)).quota_exceeded


async def test_gpus_are_counted_as_held_and_as_they_will_be(gate: Any) -> None:
    live = gate.cluster.object("Deployment", "shop", "cart")
    asked = {"requests": {"cpu": "1", "nvidia.com/gpu": "2"}, "limits": {"nvidia.com/gpu": "2"}}
    live["spec"]["template"]["spec"]["containers"][0]["resources"] = asked
    for number in range(2):
        gate.cluster.object("Pod", "shop", f"cart-{number}")["spec"]["containers"][0]["resources"] = asked
    facts = await judged(gate)
    assert (facts.namespace_gpus_used, facts.namespace_gpus_after) == (4, 8)


async def test_the_history_of_target_and_wish_counts(gate: Any) -> None:
    gate.rules.decision = Decision.DENY
    await judged(gate)
    facts = await judged(gate, gate.scale(action_id="act-scale2"))
    assert (facts.denied_recently, facts.denied_until) == (True, "2026-11-23T13:00Z")
    gate.clock.advance(3601)
    facts = await judged(gate, gate.scale(action_id="act-scale3"))
    assert (facts.denied_recently, facts.denied_until) == (False, "")


async def again(gate: Any, number: int) -> Any:
    """The same wish once more, and the facts of it."""
    later = gate.clock.now() + timedelta(hours=1)
    await gate.judge()
    await gate.submit(gate.proposal(gate.scale(action_id=f"act-scale{number}"), expires_at=later))
    await gate.judge()
    return gate.rules.seen[-1]


async def test_a_denial_holds_as_long_as_people_said(gate: Any) -> None:
    gate.bench = replace(gate.bench, denial_holds=timedelta(hours=48))
    gate.rules.decision = Decision.DENY
    await again(gate, 1)
    gate.clock.advance(47 * 3600)
    facts = await again(gate, 2)
    assert (facts.denied_recently, facts.denied_until) == (True, "2026-11-25T12:00Z")


async def test_silence_of_people_holds_like_a_denial_and_a_late_judge_does_not(gate: Any) -> None:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    await again(gate, 1)
    gate.clock.advance(24 * 3600)
    assert (await again(gate, 2)).denied_recently
    assert gate.row("act-scale1").state is S.EXPIRED
    gate.approve("act-scale2", "bob", "denied")
    await gate.judge()
    gate.clock.advance(3601)
    await gate.submit(gate.proposal(gate.scale(action_id="act-scale3"), expires_at=gate.clock.now()))
    await gate.judge()
    assert gate.row("act-scale3").state is S.EXPIRED
    assert not (await again(gate, 4)).denied_recently


async def test_turning_the_same_knob_back_is_noticed(gate: Any) -> None:
    await judged(gate)
    await gate.execute()
    gate.settle()
    facts = await judged(gate, gate.scale(old=4, new=2, action_id="act-scale2"))
    assert facts.open_actions_on_target == 1
    assert facts.seconds_since_opposite == 0
    assert facts.actions_on_target_24h == 1


async def test_a_miss_lowers_the_autonomy_at_once(gate: Any) -> None:
    await judged(gate)
    await gate.execute()
    await gate.watch(900)
    facts = await judged(gate, gate.scale(action_id="act-scale2"))
    assert facts.autonomy == "suggest"
    assert gate.row("act-scale1").state is S.ROLLED_BACK


NONSENSE = {
    "replicas as text": lambda live: live["spec"].update(replicas="many"),
    "a quantity that is none": lambda live: live["spec"]["template"]["spec"]["containers"][0].update(
        resources={"requests": {"cpu": "lots"}}
    ),
    "containers that are a number": lambda live: live["spec"]["template"]["spec"].update(containers=7),
}


@pytest.mark.parametrize("spoil", NONSENSE.values(), ids=NONSENSE)
async def test_an_object_that_makes_no_sense_is_denied_and_the_judge_goes_on(gate: Any, spoil: Any) -> None:
    gate.rules = gate.bench.rules
    spoil(gate.cluster.object("Deployment", "shop", "cart"))
    action = await gate.submit(gate.proposal(gate.scale()))
    gate.cluster.put(gate.deployment("web"))
    gate.clock.advance(1)
    other = await gate.submit(gate.proposal(gate.scale("web", action_id="act-scale2")))
    await gate.judge()
    assert gate.row(action).state is not S.PERMITTED
    assert gate.row(other).state is S.PERMITTED


async def test_a_row_waiting_for_people_that_was_changed_is_denied(gate: Any) -> None:
    gate.rules.decision = Decision.NEEDS_APPROVAL
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    gate.ledger._actions[action] = gate.row(action)._replace(verdict="{}")
    await gate.judge()
    assert gate.row(action).state is S.DENIED


async def test_evidence_that_speaks_of_another_namespace_is_seen_and_denied(gate: Any) -> None:
    neighbour = gate.scale().target.model_copy(update={"namespace": "rival", "name": "other", "uid": "uid-other"})
    node = gate.cordon().target
    evidence = tuple(observe("metric", subject, "errors", "9", gate.clock.now()) for subject in (gate.scale().target, node, neighbour))
    gate.bench = replace(gate.bench, rules=builtin())
    action = await gate.submit(gate.proposal(gate.scale(), evidence=evidence))
    await gate.judge()
    row = gate.row(action)
    assert Verdict.model_validate_json(row.verdict).facts.evidence_elsewhere == ("rival",)
    assert (row.state, "cross-tenant" in row.note) == (S.DENIED, True)


async def test_what_lies_in_no_namespace_may_rest_on_what_was_seen_in_any(gate: Any) -> None:
    evidence = (observe("metric", gate.scale().target, "errors", "9", gate.clock.now()),)
    assert (await judged(gate, gate.cordon(), evidence=evidence)).evidence_elsewhere == ()
