"""The way of a change on the command line, on a simulated cluster: scan, plan, apply, verified; and what stops it on the way."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.values import digest

Day2 = Callable[..., Any]
pytestmark = pytest.mark.slow


@pytest.fixture
def planned(on_cluster: Day2, tmp_path: Path) -> Path:
    said = on_cluster("plan", "-O", "plan.json")
    assert said.code == 0, said.err
    return tmp_path / "plan.json"


@pytest.mark.timeout(240)
def test_a_plan_is_applied_verified_and_taken_back(on_own_cluster: Day2, tmp_path: Path) -> None:
    """The whole loop with judge and executor as children of the command, which end with it."""
    on_cluster = on_own_cluster
    assert on_cluster("plan", "-O", "plan.json").code == 0
    (item,) = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))["items"]
    assert (item["capability"], item["target"]["name"], item["verdict"]["decision"]) == ("set_requests", "web", "allow")
    done = on_cluster("apply", "plan.json", "--timeout", "180s", "-o", "json")
    assert done.code == 0, done.err
    assert [(row["id"], row["state"]) for row in done.json["items"]] == [(item["id"], "verified")]
    assert "permitted" in done.err
    shown = on_cluster("action", "get", item["id"])
    assert [word for word in ("submitted", "permitted", "applied", "verified") if word in shown.out] == [
        "submitted",
        "permitted",
        "applied",
        "verified",
    ]
    assert on_cluster("audit", "verify").code == 0
    again = on_cluster("apply", "plan.json", "-o", "json")
    assert (again.code, again.json["items"][0]["state"]) == (0, "verified")
    back = on_cluster("action", "rollback", item["id"], "--no-wait", "--timeout", "60s", "-o", "json")
    (row,) = back.json["items"]
    assert row["id"] != item["id"]
    assert row["sentence"].endswith("cpu 175m -> 2")
    assert (back.code, row["state"]) == (3, "denied"), back.err  # so soon after the first: the cool-down holds for people's wishes too


def test_the_plan_view_ends_with_what_matters(on_cluster: Day2, cluster: Any) -> None:
    said = on_cluster("plan", "--agent", "finops", "--detailed-exitcode")
    lines = said.out.splitlines()
    assert said.code == (2 if lines[0].startswith("act-") else 0)
    if said.code:
        assert " finops/set_requests  ~ deployment/web (tiny, ns apps)  risk medium" in lines[0]
        assert lines[1].startswith("    ~ spec.template.spec.containers[web].resources.requests.cpu")
        assert [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "] == ["why", "effect", "verdict", "undo"]
    assert any(line.startswith("Plan: ") and line.endswith("held.") for line in lines)


def test_a_finding_that_is_not_there_is_no_plan(on_cluster: Day2) -> None:
    said = on_cluster("plan", "fnd-nothing")
    assert said.code == 1
    assert "day2 scan" in said.err


def test_scan_fails_only_when_asked_to(on_cluster: Day2, tmp_path: Path) -> None:
    found = on_cluster("scan", "-o", "json")
    assert found.code == 0
    severities = {item["severity"] for item in found.json["items"]}
    assert on_cluster("scan", "--fail-on", "info").code == (2 if severities else 0)
    assert on_cluster("scan", "--fail-on", "critical").code == (2 if "critical" in severities else 0)
    assert on_cluster("scan", "--fail-on", "terrible").code == 64
    (tmp_path / "baseline.json").write_text(found.out, encoding="utf-8")
    fresh = on_cluster("scan", "--baseline", "baseline.json", "--detailed-exitcode", "-o", "json")
    assert (fresh.code, fresh.json["items"]) == (0, [])
    assert fresh.json["metadata"]["knownFromBaseline"] == len(found.json["items"])


def test_a_plan_that_was_edited_is_refused(on_cluster: Day2, planned: Path, tmp_path: Path) -> None:
    plan = json.loads(planned.read_text(encoding="utf-8"))
    plan["sealed"]["cluster"] = "another"
    planned.write_text(json.dumps(plan), encoding="utf-8")
    said = on_cluster("apply", "plan.json")
    assert said.code == 1
    assert "was changed after it was made" in said.err
    assert not (tmp_path / "data" / "ledger.db").exists()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("cluster", "another", "the plan was made for cluster another"),
        ("expiresAt", (datetime(2020, 1, 1, tzinfo=UTC) + timedelta()).isoformat(), "the plan expired at 2020-01-01"),
        ("proposals", [], "nothing to apply"),
    ],
)
def test_a_plan_for_elsewhere_or_of_yesterday_is_refused_before_anything_is_written(
    on_cluster: Day2, planned: Path, tmp_path: Path, field: str, value: Any, words: str
) -> None:
    plan = json.loads(planned.read_text(encoding="utf-8"))
    body = {key: found for key, found in plan["sealed"].items() if key != "digest"}
    body[field] = value
    plan["sealed"] = body | {"digest": digest(body)}
    planned.write_text(json.dumps(plan), encoding="utf-8")
    said = on_cluster("apply", "plan.json")
    assert said.code == 1
    assert words in said.err
    assert not (tmp_path / "data" / "ledger.db").exists()


def test_agents_are_moved_only_where_a_registry_runs(on_cluster: Day2) -> None:
    said = on_cluster("agent", "drain", "finops")
    assert said.code == 1
    assert "day2 serve" in said.err


def test_a_question_is_answered_with_evidence_or_with_nobody(on_cluster: Day2) -> None:
    said = on_cluster("ask", "what could be cheaper?", "-o", "json").json
    assert [row["agent"] for row in said["route"]] == ["finops"]
    assert all(item["evidence"] for item in said["items"])
    assert said["usage"]["tokens"] == 0
    nobody = on_cluster("ask", "xyzzy", "-o", "json").json
    assert (nobody["items"], nobody["route"]) == ([], [])
    assert nobody["nobody"]
