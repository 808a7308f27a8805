"""The PrometheusRule: each expression speaks of metrics that there are, and the file in the repository is what is generated.

What Prometheus itself makes of the rules is in `tests/cluster/test_alert_rules.py`.
"""

import re
from pathlib import Path

import yaml

from runtime.services import alert_rules, alerting
from runtime.services.alert_rules import RULES
from runtime.services.measuring import METRICS

ROOT = Path(__file__).parents[3]
WORDS = {"increase", "sum", "max", "absent", "by"}


def test_the_file_in_the_repository_is_what_is_generated() -> None:
    path = ROOT / "deploy" / "prometheus-rule.yaml"
    assert path.read_text(encoding="utf-8") == alert_rules.text(), "day2 alerts rules > deploy/prometheus-rule.yaml"


def test_each_expression_names_metrics_and_labels_that_exist() -> None:
    known = {metric.name: set(metric.labels) for metric in METRICS} | {alert_rules.OF_THE_API_SERVER: {"policy", "enforcement_action"}}
    for rule in RULES:
        bare = re.sub(r'"[^"]*"', '""', rule.expr)
        labels = set(re.findall(r"([a-z_]+)(?:=~|=)\"", bare))
        names = set(re.findall(r"[a-z_][a-z0-9_]{5,}", re.sub(r"\{[^}]*\}|\[[^]]*\]", "", bare))) - WORDS
        assert names, rule.alert
        assert names <= set(known), rule.alert
        assert labels <= set().union(*(known[name] for name in names)), rule.alert


def test_what_people_must_know_out_of_prometheus_has_a_rule() -> None:
    found = {rule.alert for rule in RULES}
    wanted = {"ApprovalsWaiting", "RollbackIncomplete", "AuditChainBroken", "AgentLeaseLost", "ModelCost", "GateBypassAttempt"}
    assert {f"Day2{name}" for name in wanted} <= found
    assert len(found) == len(RULES)


def test_the_same_name_means_the_same_severity_told_either_way() -> None:
    for rule in RULES:
        if rule.alert in alerting.KINDS:
            assert rule.severity == alerting.KINDS[rule.alert].severity, rule.alert


def test_the_document_is_one_for_the_operator() -> None:
    document = yaml.safe_load(alert_rules.text())
    assert (document["apiVersion"], document["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    (group,) = document["spec"]["groups"]
    assert len(group["rules"]) == len(RULES)
    assert all(rule["annotations"]["mend"] and rule["annotations"]["summary"] for rule in group["rules"])


def test_every_alert_is_on_the_page() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    missing = [
        name for name in (*alerting.KINDS, *(rule.alert for rule in RULES), *(metric.name for metric in METRICS)) if f"`{name}" not in page
    ]
    assert missing == []
