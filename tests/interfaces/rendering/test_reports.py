"""Findings in the forms of other tools, read back as those tools read them."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from interfaces.rendering import reports
from tests.interfaces.rendering import documents

SEVERITIES = ("critical", "high", "medium", "low", "info")


def whole(**over: Any) -> dict[str, Any]:
    return documents.findings(*(documents.finding(number, severity, **over) for number, severity in enumerate(SEVERITIES, 1)))


def test_junit_has_a_failure_for_each_finding_and_names_what_did_not_run() -> None:
    suites = ET.fromstring(reports.junit(whole()))
    cases = list(suites.iter("testcase"))
    assert (suites.get("tests"), suites.get("failures"), suites.get("skipped"), suites.get("errors")) == ("7", "4", "1", "0")
    assert [case.find("failure").get("type") for case in cases if case.find("failure") is not None] == list(SEVERITIES[:4])  # type: ignore[union-attr]
    assert {suite.get("name") for suite in suites} == {"day2 finops", "day2 reliability", "day2 security"}
    (passed,) = [case.get("name") for case in cases if len(case) == 0]
    assert passed == "FIN-101"
    (skipped,) = suites.iter("skipped")
    assert "alert(1)" in str(skipped.get("message"))


def test_junit_has_no_character_that_xml_forbids() -> None:
    for ascii_only in (True, False):
        text = reports.junit(whole(), ascii_only=ascii_only)
        assert "\x1b" not in text
        assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<testsuites')
        ET.fromstring(text)


def test_sarif_says_rule_level_object_and_a_fingerprint_that_stays() -> None:
    (run,) = json.loads(reports.sarif(whole()))["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning", "note", "note"]
    for number, result in enumerate(run["results"], 1):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"] == {"day2FindingId/v1": f"fnd-{number}"}
        (location,) = result["locations"]
        assert location["logicalLocations"][0]["fullyQualifiedName"] == f"shop/deployment/web-{number}"
        assert "physicalLocation" not in location
    assert "not run: SEC-105" in run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_has_the_manifest_relative_to_where_day2_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file, uri in (("k8s/a b.yaml", "k8s/a%20b.yaml"), (str(tmp_path / "k8s" / "web.yaml"), "k8s/web.yaml")):
        (run,) = json.loads(reports.sarif(whole(location={"file": file, "line": 12})))["runs"]
        place = run["results"][0]["locations"][0]["physicalLocation"]
        assert place == {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 12}}
    (run,) = json.loads(reports.sarif(whole(location={"file": "/elsewhere/web.yaml", "line": 0})))["runs"]
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "file:///elsewhere/web.yaml"}, "region": {"startLine": 1}}


def test_openreports_are_objects_that_a_cluster_takes() -> None:
    cluster, shop = yaml.safe_load_all(reports.openreports(whole()))
    assert (cluster["apiVersion"], cluster["kind"], "namespace" in cluster["metadata"]) == (
        "openreports.io/v1alpha1",
        "ClusterReport",
        False,
    )
    assert (shop["kind"], shop["metadata"]["namespace"]) == ("Report", "shop")
    assert cluster["summary"] == {"pass": 1, "fail": 0, "warn": 0, "error": 0, "skip": 1}
    assert shop["summary"] == {"pass": 0, "fail": 3, "warn": 2, "error": 0, "skip": 0}
    first = shop["results"][0]
    assert first["resources"] == [{"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web-1", "uid": "u-1"}]
    assert first["timestamp"] == {"seconds": 1767323045, "nanos": 0}
    assert first["severity"] in SEVERITIES
    assert all(isinstance(value, str) for value in first["properties"].values())
