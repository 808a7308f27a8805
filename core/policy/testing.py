"""Runs the tests that rules carry. Called at load by the judge, by `day2 policy test` and in CI.

A test names only what matters to it: everything else comes from a good action and good facts, on which no rule speaks.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.domain.facts import Facts
from core.domain.values import Json, canonical
from core.domain.verdict import Decision, RuleResult
from core.policy import engine, expressions, policies

GOOD_ACTION: Json = {
    "id": "act-0000baseline",
    "kind": "set_requests",
    "target": {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "catalog", "uid": "u-1"},
    "sizings": [{"container": "api"}],
    "risk": "medium",
    "reversible": True,
}
GOOD_FACTS = Facts(
    read_at=datetime(2026, 1, 5, 12, 0, tzinfo=UTC),
    cluster="c-1",
    exists=True,
    uid="u-1",
    uid_matches=True,
    generation=3,
    resource_version="100",
    kind="Deployment",
    namespace="shop",
    name="catalog",
    replicas=4,
    replicas_ready=4,
    replicas_after=4,
    rollout_in_progress=False,
    pods_touched=4,
    disruptions_allowed=1,
    has_pdb=True,
    previous_healthy_seconds=86_400,
    requests_cpu_milli_before=2000,
    requests_cpu_milli_after=600,
    requests_memory_mib_before=1024,
    requests_memory_mib_after=768,
    limits_memory_mib_after=1024,
    hpa_min_before=2,
    hpa_min_after=3,
    hpa_max_after=10,
    pod_security_before="baseline",
    pod_security_after="baseline",
    pods_violating_after=0,
    cpu_milli_room_before=8000,
    cpu_milli_room_after=8000,
    cpu_milli_demand=1600,
    cpu_milli_p95=400,
    cpu_milli_p99=440,
    memory_mib_max=520,
    usage_coverage_percent=99,
    usage_age_seconds=0,
    usage_days=14,
    age_hours=960,
    requests_cpu_milli_live_max=390,
    requests_memory_mib_live_max=510,
    oom_killed_recently=False,
    nodes_ready=6,
    nodes_schedulable=6,
    pods_homeless=0,
    gpu_allowance=6,
    monthly_cost_delta_micro_usd=-50_000_000,
    budget_left_micro_usd=500_000_000,
    min_replicas_floor=2,
    autonomy="auto",
    capability_granted=True,
    evidence_age_seconds=30,
    dry_run_ok=True,
    rights_ok=True,
    requested_by="finops",
)


class Checked(NamedTuple):
    """`said` is the message of the rule, or why the test itself is wrong."""

    rule: str
    test: str
    expected: str
    got: str
    said: str

    @property
    def ok(self) -> bool:
        return self.expected == self.got


class Report(NamedTuple):
    results: tuple[Checked, ...]
    untested: tuple[str, ...]

    @property
    def failed(self) -> tuple[Checked, ...]:
        return tuple(result for result in self.results if not result.ok)

    @property
    def ok(self) -> bool:
        return not self.failed and not self.untested


def run(rules: Iterable[policies.ActionPolicy]) -> Report:
    """Every embedded test of every rule, each rule by itself."""
    every = tuple(rules)
    results = tuple(_run_one(engine.compiled(policy), test) for policy in every for test in policy.tests)
    return Report(results, tuple(policy.name for policy in every if not policy.tests))


def case(policy: policies.ActionPolicy, test: policies.RuleTest) -> tuple[Json, Json]:
    """The action and the facts of one test. Raises ValueError for a fact that does not exist, or has the wrong type."""
    kind = GOOD_ACTION["kind"] if policy.covers(GOOD_ACTION["kind"]) else policy.applies_to[0]
    action = merged({**GOOD_ACTION, "kind": kind}, test.action)
    plain = merged(GOOD_FACTS.model_dump(mode="json"), test.facts)
    return action, Facts.model_validate_json(canonical(plain)).model_dump(mode="json")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Json:
    """`over` on top of `base`; a mapping inside `target` and the like is merged, everything else replaced."""
    both = {**base, **over}
    nested = {key for key in over if isinstance(over[key], dict) and isinstance(base.get(key), dict)}
    return {**both, **{key: merged(base[key], over[key]) for key in nested}}


def outcome(result: RuleResult) -> str:
    """A result in the words of `expect`: what the rule alone would make of the action."""
    return str(Decision(result.on_fail)) if result.result == "fail" else result.result


def _run_one(rule: engine.Rule, test: policies.RuleTest) -> Checked:
    try:
        action, facts = case(rule.policy, test)
    except ValueError as error:
        return Checked(rule.policy.name, test.name, test.expect, "invalid", str(error).splitlines()[0])
    found = rule.judge(action["kind"], expressions.Inputs(action, facts), engine.approvers(facts))
    return Checked(rule.policy.name, test.name, test.expect, outcome(found), found.message)
