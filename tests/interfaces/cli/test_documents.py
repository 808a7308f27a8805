"""Every command with `-o json`: standard output is one document that fits `day2 schema KIND`, without anything that it does not name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core.domain.outcome import ActionState
from core.domain.report import Line, Report
from core.domain.timetable import Put, Tick, TickState
from interfaces.rendering import schemas
from tests.core.cluster import scans
from tools.stores.front import opening
from tools.stores.front.schedules import SqlTimetable

Day2 = Callable[..., Any]
S = ActionState
LATER = datetime.now(UTC) + timedelta(days=7)

MANIFESTS = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, uid: u-0}
---
apiVersion: v1
kind: Pod
metadata: {name: debug, namespace: shop, uid: u-1}
spec: {containers: [{name: a, image: x, securityContext: {privileged: true}}]}
status: {phase: Running, startTime: "2026-01-01T00:00:00Z"}
"""
RULE = """\
apiVersion: day2.dev/v1alpha1
kind: ActionPolicy
metadata: {name: not-the-cart}
spec:
  why: the cart is ours
  appliesTo: ["*"]
  decision: deny
  when: action.target.name == 'cart'
  message: "'not the cart'"
  tests:
    - {name: the cart, action: {target: {name: cart}}, expect: deny}
    - {name: another one, expect: pass}
"""
EVALUATED = {"action": {"kind": "scale_workload"}, "facts": {"replicas_after": 4}}
DEBUG = "fnd-38facf81c2"
"""Of the pod in `MANIFESTS`."""
MUTE = "mute-3fa9c2d1e0"
TRIAL = "exp-3fa9c2d1e0"
MUTED = f"""\
apiVersion: day2.dev/v1alpha1
kind: Mute
metadata: {{name: {MUTE}}}
spec: {{finding: {DEBUG}, reason: known, by: local:jane, at: "{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", until: "{LATER:%Y-%m-%dT%H:%M:%SZ}"}}
"""
BASELINE = {
    "metadata": {"cluster": "files-x"},
    "items": [{"id": "fnd-1", "code": "SEC-102", "subject": {"namespace": "shop", "kind": "Pod", "name": "gone"}}],
}
OFFLINE = {
    "scan --from manifests.yaml": "FindingList",
    "scan --from manifests.yaml --show-muted --baseline baseline.json": "FindingList",
    "explain sec-102": "Check",
    f"explain {DEBUG} --from manifests.yaml": "FindingExplanation",
    "mute add REL-101 -n shop --reason known --for 7d": "Mute",
    f"mute expire {MUTE}": "Mute",
    "mute list": "MuteList",
    "snapshot load manifests.yaml": "SnapshotContents",
    "vulnerabilities --report trivy.json --vex vex.json --epss epss.csv --from manifests.yaml": "VulnerabilityList",
    "route what could be cheaper": "Route",
    "doctor": "Checklist",
    "action list": "ActionList",
    "action get act-wait": "Action",
    "action diff act-wait": "ActionDiff",
    "action explain act-wait": "Explanation",
    "policy explain act-wait": "Explanation",
    "action watch act-done": "OutcomeList",
    "apply act-done": "OutcomeList",
    "apply act-wait --dry-run=client": "DryRun",
    "action rollback act-done --dry-run=client": "DryRun",
    "action cancel act-also --reason late": "Action",
    "approvals": "ApprovalList",
    "autonomy show": "AutonomyList",
    "alerts list": "AlertList",
    "approve act-wait --reason checked": "Approval",
    "deny act-wait --reason no": "Approval",
    "eval run --list": "EvalCaseList",
    "eval assess": "AssessmentList",
    "eval assess run-asked": "Assessment",
    "run list": "RunList",
    "chaos list": "ExperimentList",
    f"chaos show {TRIAL}": "Experiment",
    f"chaos stop {TRIAL} --reason enough": "Experiment",
    "nodes episodes": "EpisodeList",
    "run get run-1": "Run",
    "stop --reason drill": "StopList",
    "stop --status": "StopList",
    "agent list": "AgentList",
    "agent get finops": "Agent",
    "agent card finops": "AgentCard",
    "rbac explain scale_workload": "RightList",
    "policy lint": "LintReport",
    "policy test": "RuleTestReport",
    "policy explain gpu-allowance": "Rule",
    "policy eval -f action.json": "Evaluation",
    "policy list": "RuleList",
    "policy diff rules": "RuleDiff",
    "policy agreement": "AgreementList",
    "policy simulate --rules rules": "Simulation",
    "audit list": "AuditList",
    "audit get door/1": "AuditRecord",
    "audit verify": "AuditReport",
    "audit reconcile --kube-audit kube-audit.log": "ReconcileReport",
    "config view": "SettingList",
    "config get flow.poll_seconds": "Setting",
    "config explain flow.poll_seconds": "Setting",
    "config set flow.poll_seconds 0.5": "Setting",
    "schedule list": "ScheduleList",
    "schedule get nightly": "ScheduleStatus",
    "schedule next nightly": "FireTimeList",
    "schedule pause nightly --reason drill": "ScheduleStatus",
    "schedule run-now nightly": "Tick",
    "schedule remove nightly": "ScheduleList",
    "report list": "ReportList",
    "report get run-nightly": "Report",
    "report weekly": "WeeklyDigest",
    "schema": "SchemaList",
    "version": "Version",
    "whoami": "WhoAmI",
    "help exit-codes": "ExitCodeList",
}
ON_CLUSTER = {
    "scan -A": "FindingList",
    "scan -l tier=web": "FindingList",
    "plan": "Plan",
    "nodes list": "NodeList",
    "nodes heal node-1 --reason hot": "Episode",
    "snapshot save cluster.snap": "SnapshotContents",
    "ask what could be cheaper": "Answer",
    "chat approvals": "ChatReply",
    "chat status": "ChatReply",
    "doctor": "Checklist",
}


@pytest.fixture
def folder(tmp_path: Path, past: Any) -> Path:
    """A data folder with an action that waits, one that was verified and one that can be cancelled; and files to look at."""
    past.asked("act-wait")
    past.asked("act-also", from_replicas=4, to_replicas=3)
    past.asked("act-done", from_replicas=4, to_replicas=1)
    past.move("act-done", S.APPROVED, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED)
    past.tried(TRIAL)
    past.ran("run-asked")
    (tmp_path / "manifests.yaml").write_text(MANIFESTS, encoding="utf-8")
    (tmp_path / "trivy.json").write_bytes(scans.body(scans.trivy(scans.found("CVE-2026-0001"), scans.found("CVE-2026-0002"))))
    (tmp_path / "vex.json").write_bytes(scans.body(scans.openvex()))
    (tmp_path / "epss.csv").write_bytes(scans.EPSS)
    (tmp_path / "baseline.json").write_text(json.dumps(BASELINE), encoding="utf-8")
    (past.folder / "mutes").mkdir(mode=0o700)
    (past.folder / "mutes" / f"{MUTE}.yaml").write_text(MUTED, encoding="utf-8")
    _scheduled(past.folder)
    (tmp_path / "kube-audit.log").touch()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ours.yaml").write_text(RULE, encoding="utf-8")
    (tmp_path / "action.json").write_text(json.dumps(EVALUATED), encoding="utf-8")
    return past.folder  # type: ignore[no-any-return]


def _scheduled(home: Path) -> None:
    """A schedule that a door made, with a tick of the week, one that failed, and a report."""
    spec = "{cron: 30 2 * * *, windows: {run: [{from: '02:00', to: '03:00'}]}}"
    document = f"apiVersion: day2.dev/v1alpha1\nkind: Schedule\nmetadata: {{name: nightly}}\nspec: {spec}\n"
    at = datetime.now(UTC).replace(hour=2, minute=30, second=0, microsecond=0) - timedelta(days=2)
    database = opening.opened(f"sqlite:///{home / 'front.db'}")
    timetable = SqlTimetable(database)
    timetable.put(Put("nightly", document, "local:jane", at))
    timetable.add([Tick("nightly", at, "run-nightly", TickState.ENDED, at)])
    timetable.add([Tick("nightly", at - timedelta(days=1), "run-x", TickState.FAILED, at)])
    line = Line(id="act-1", what="scale shop/web from 4 to 2", state="needs_approval")
    told: Any = {"run": "run-nightly", "schedule": "nightly", "tick": at, "began_at": at, "made_at": at}
    told |= dict.fromkeys(("seen", "done", "left"), (line,))
    timetable.report(Report(**told, ended="ended", complete=True, severities={"high": 1}, saved_micro_usd=1_000_000))
    database.close()


def closed(schema: Any) -> Any:
    """The same schema without room for unknown fields."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    return found | {"additionalProperties": False} if found.get("type") == "object" and "properties" in found else found


def check(document: Any, kind: str) -> None:
    assert document["kind"] == kind
    jsonschema.validate(document, closed(schemas.of_kind(kind)))


@pytest.mark.parametrize(("line", "kind"), OFFLINE.items())
def test_json_is_one_document_that_fits_its_schema(day2: Day2, folder: Path, line: str, kind: str) -> None:
    said = day2(*line.split(), "-o", "json", "--data-dir", str(folder))
    check(json.loads(said.out), kind)
    assert "Traceback" not in said.err


@pytest.mark.slow
@pytest.mark.parametrize(("line", "kind"), ON_CLUSTER.items())
def test_json_of_a_cluster_fits_its_schema(on_cluster: Day2, line: str, kind: str) -> None:
    said = on_cluster(*line.split(), "-o", "json")
    assert said.code == 0, said.err
    check(json.loads(said.out), kind)


ELSEWHERE = {"DemoReport", "ExperimentPreview", "EvalReport", "EvalComparison"}
"""Held to their schemas by tests of their own: `test_demo`, `test_chaos`, `test_evaluating`."""


def test_every_kind_is_printed_by_a_command_of_these_tests() -> None:
    assert set(schemas.KINDS) == {*OFFLINE.values(), *ON_CLUSTER.values(), *ELSEWHERE}


@pytest.mark.parametrize(
    "output",
    [
        "table",
        "wide",
        "name",
        "yaml",
        "jsonl",
        "csv",
        "md",
        "html",
        "jsonpath={.items[*].id}",
        "custom-columns=A:.id",
        "template={{ items }}",
    ],
)
def test_lists_have_every_form(day2: Day2, folder: Path, output: str) -> None:
    said = day2("action", "list", "-o", output, "--data-dir", str(folder))
    assert said.code == 0, said.err
    assert "act-wait" in said.out


def test_jsonl_begins_with_a_header_and_has_one_document_a_line(day2: Day2, folder: Path) -> None:
    rows = [json.loads(line) for line in day2("action", "list", "-o", "jsonl", "--data-dir", str(folder)).out.splitlines()]
    assert (rows[0]["kind"], rows[0]["apiVersion"]) == ("StreamHeader", "day2.dev/v1alpha1")
    assert {row["id"] for row in rows[1:]} == {"act-wait", "act-also", "act-done"}


@pytest.mark.parametrize("output", ["csv", "md", "html"])
def test_one_document_is_no_list(day2: Day2, folder: Path, output: str) -> None:
    said = day2("action", "get", "act-wait", "-o", output, "--data-dir", str(folder))
    assert said.code == 64
    assert "is for lists" in said.err


@pytest.mark.parametrize("form", ["cloudevents", "jsonl", "csv"])
def test_the_audit_chain_goes_to_other_systems(day2: Day2, folder: Path, form: str) -> None:
    lines = day2("audit", "export", "--format", form, "--data-dir", str(folder)).out.splitlines()
    records = len(day2("audit", "list", "--limit", "0", "-o", "json", "--data-dir", str(folder)).json["items"])
    assert len(lines) == records + (form == "csv")
    if form == "cloudevents":
        first = json.loads(lines[0])
        assert (first["specversion"], first["type"], first["subject"]) == ("1.0", "dev.day2.submitted.v1", "act-wait")
