"""The PrometheusRule, checked and evaluated by Prometheus' own promtool: each rule fires on its time series and stays silent beside it."""

import subprocess
from pathlib import Path

import pytest
import yaml

from runtime.services import alert_rules
from runtime.services.alert_rules import OF_THE_API_SERVER, RULES
from tests.controlplane import build

CALM = {"day2_build_info": "1+0x60"}
FIRING: dict[str, dict[str, str]] = {
    "Day2ApprovalsWaiting": {"day2_approvals_oldest_seconds": "3700+60x60"},
    "Day2RollbackIncomplete": {'day2_rollbacks_total{result="incomplete"}': "0 0 0 1+0x57"},
    "Day2OutcomeUnknown": {'day2_actions_open{state="unknown"}': "1+0x60"},
    "Day2AuditChainBroken": {"day2_audit_chain_broken": "1+0x60"},
    "Day2GuardAltered": {"day2_guard_altered": "1+0x60"},
    "Day2GateBypassAttempt": {f'{OF_THE_API_SERVER}{{policy="day2-guard",enforcement_action="deny"}}': "0 0 0 1+0x57"},
    "Day2BudgetIntercepted": {'day2_budget_interceptions_total{capability="scale_workload"}': "0 0 0 1+0x57"},
    "Day2EmergencyStop": {'day2_emergency_stop{scope="namespace"}': "1+0x60"},
    "Day2AgentLeaseLost": {'day2_agent_lease_seconds_remaining{agent="finops"}': "12 9 0+0x58"},
    "Day2ModelCost": {'day2_llm_cost_usd_total{model="m"}': "0 3 6 9+0x57"},
    "Day2RunFlawed": {'day2_runs_assessed_total{outcome="flawed",model="none"}': "0 0 1+0x57"},
    "Day2AlertsNotTold": {"day2_alert_failures": "1+0x60"},
    "Day2NotifierDown": {"day2_build_info": "_x60"},
}
QUIET = {
    "day2_approvals_oldest_seconds": "3000+0x60",
    'day2_rollbacks_total{result="complete"}': "0+1x60",
    'day2_rollbacks_total{result="incomplete"}': "4+0x60",
    'day2_actions_open{state="applied"}': "5+0x60",
    "day2_audit_chain_broken": "0+0x60",
    "day2_guard_altered": "0+0x60",
    f'{OF_THE_API_SERVER}{{policy="day2-guard",enforcement_action="allow"}}': "0+5x60",
    f'{OF_THE_API_SERVER}{{policy="others",enforcement_action="deny"}}': "0+5x60",
    'day2_budget_interceptions_total{capability="scale_workload"}': "9+0x60",
    'day2_emergency_stop{scope="all"}': "0+0x60",
    'day2_agent_lease_seconds_remaining{agent="finops"}': "12+0x60",
    'day2_llm_cost_usd_total{model="m"}': "100+0x60",
    "day2_alert_failures": "0+0x60",
    'day2_runs_assessed_total{outcome="sound",model="none"}': "0+1x60",
    'day2_runs_assessed_total{outcome="flawed",model="none"}': "4+0x60",
}
AT = {"Day2ModelCost": "30m", "Day2NotifierDown": "10m"}


@pytest.fixture(scope="module")
def promtool() -> Path:
    found = build.find("promtool")
    if found is None:
        pytest.skip("promtool is not built; `make control-plane` builds it")
    return found


def evaluated(promtool: Path, folder: Path, series: dict[str, str], at: str, alert: str) -> str:
    """Empty where the alert is silent then, else what promtool got."""
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [alert_rules.group()]}))
    case = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
    }
    (folder / "case.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run([promtool, "test", "rules", "case.yaml"], cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_rules_are_sound(promtool: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [alert_rules.group()]}))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_is_without_a_series_that_fires_it() -> None:
    assert set(FIRING) == {rule.alert for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.alert)
def test_each_rule_stays_silent_where_all_is_well(promtool: Path, tmp_path: Path, rule: alert_rules.Rule) -> None:
    assert evaluated(promtool, tmp_path, CALM | QUIET, "20m", rule.alert) == ""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.alert)
def test_each_rule_fires_on_its_series(promtool: Path, tmp_path: Path, rule: alert_rules.Rule) -> None:
    said = evaluated(promtool, tmp_path, CALM | FIRING[rule.alert], AT.get(rule.alert, "10m"), rule.alert)
    assert f'alertname="{rule.alert}"' in said.partition("got:")[2], said
