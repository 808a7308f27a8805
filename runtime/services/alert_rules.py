"""The PrometheusRule that belongs to day2's own metrics: for those whose alerts come out of Prometheus. Behind `day2 alerts rules`.

`deploy/prometheus-rule.yaml` is its text; tests hold the two to each other, every expression to the metrics there are, and each rule to a
time series for which it fires and one for which it does not.
"""

from typing import Literal, NamedTuple

import yaml

from core.actions.roles import labelled
from core.domain.values import Json

NAME = "day2"
OF_THE_API_SERVER = "apiserver_validating_admission_policy_check_total"
"""The API server's own count of policy decisions. day2's preflight tries the lock at the webhook, so it moves nothing here."""


class Rule(NamedTuple):
    """One alerting rule; `holds` is how long the expression must, such as 5m."""

    alert: str
    expr: str
    holds: str
    severity: Literal["critical", "warning"]
    summary: str
    mend: str


RULES: tuple[Rule, ...] = (
    Rule(
        "Day2ApprovalsWaiting",
        "day2_approvals_oldest_seconds > 3600",
        "5m",
        "warning",
        "an approval waits for {{ $value | humanizeDuration }}",
        "day2 approvals",
    ),
    Rule(
        "Day2RollbackIncomplete",
        'increase(day2_rollbacks_total{result="incomplete"}[15m]) > 0',
        "0m",
        "critical",
        "an undo was refused or impossible: a person must look",
        "day2 action list --state escalated",
    ),
    Rule(
        "Day2OutcomeUnknown",
        'day2_actions_open{state="unknown"} > 0',
        "5m",
        "critical",
        "a write is unknown for minutes",
        "day2 action list",
    ),
    Rule("Day2AuditChainBroken", "day2_audit_chain_broken == 1", "0m", "critical", "the audit chains are broken", "day2 audit verify"),
    Rule("Day2GuardAltered", "day2_guard_altered == 1", "0m", "critical", "the guard is missing or altered", "day2 doctor"),
    Rule(
        "Day2GateBypassAttempt",
        f'sum(increase({OF_THE_API_SERVER}{{policy=~"day2-guard.*",enforcement_action="deny"}}[10m])) > 0',
        "0m",
        "critical",
        "the API server refused a write of day2's principals that the guard does not allow",
        "look into the API server's audit log for users day2:* and accounts of day2-system",
    ),
    Rule(
        "Day2BudgetIntercepted",
        "sum(increase(day2_budget_interceptions_total[10m])) > 0",
        "0m",
        "critical",
        "an action over a GPU allowance or a budget was denied",
        "day2 action list --state denied",
    ),
    Rule("Day2EmergencyStop", "max(day2_emergency_stop) == 1", "0m", "critical", "an emergency stop holds", "day2 stop --status"),
    Rule(
        "Day2AgentLeaseLost",
        "day2_agent_lease_seconds_remaining == 0",
        "1m",
        "warning",
        "agent {{ $labels.agent }} registered and lives no more",
        "day2 agent list",
    ),
    Rule(
        "Day2ModelCost",
        "sum(increase(day2_llm_cost_usd_total[1d])) > 5",
        "0m",
        "warning",
        "models cost {{ $value | humanize }} USD within a day",
        "day2 config explain model.micro_usd_per_run",
    ),
    Rule(
        "Day2RunFlawed",
        'sum(increase(day2_runs_assessed_total{outcome="flawed"}[1h])) > 0',
        "0m",
        "warning",
        "a finished run violates a requirement of those it is assessed by",
        "day2 eval assess",
    ),
    Rule("Day2AlertsNotTold", "day2_alert_failures > 0", "5m", "warning", "a channel of day2's alerts does not answer", "day2 doctor"),
    Rule("Day2NotifierDown", "absent(day2_build_info)", "5m", "warning", "nobody shows day2's metrics", "day2 serve"),
)


def group() -> Json:
    """The rule group, as it stands in a rules file of Prometheus itself."""
    return {"name": NAME, "rules": [_rule(rule) for rule in RULES]}


def document() -> Json:
    """For the Prometheus operator (monitoring.coreos.com/v1)."""
    return {**labelled("monitoring.coreos.com/v1", "PrometheusRule", NAME), "spec": {"groups": [group()]}}


def text() -> str:
    return yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=130)


def _rule(rule: Rule) -> Json:
    return {
        "alert": rule.alert,
        "expr": rule.expr,
        "for": rule.holds,
        "labels": {"severity": rule.severity, "source": "day2ops"},
        "annotations": {"summary": rule.summary, "mend": rule.mend},
    }
