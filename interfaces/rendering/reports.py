"""Findings in the forms of other tools: JUnit for CI, SARIF 2.1.0 for code scanning, OpenReports for readers of reports in a cluster.

All are made from the `FindingList` document, so they cannot disagree with `-o json`. What was not run is in each of them, because not run
is not the same as clean. Sources: the JUnit XML that CI servers read; OASIS SARIF 2.1.0; openreports.io/v1alpha1 (its CRD).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib import metadata as distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from core.cluster.kinds import KINDS
from core.domain.values import bounded
from interfaces.rendering.envelopes import Json

LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
SECURITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
OPENREPORTS = "openreports.io/v1alpha1"
SOURCE = "day2ops"


def junit(found: Json, *, ascii_only: bool = False) -> str:
    """One suite for each agent. A finding is a failure, but one of severity info; a check without findings a test that passed."""
    suites = ET.Element("testsuites", name="day2 scan")
    for agent, cases in _by_agent(found).items():
        suite = ET.SubElement(suites, "testsuite", name=f"day2 {agent}", timestamp=found["metadata"]["at"].removesuffix("Z"))
        for case in cases:
            suite.append(case)
        _counted(suite, cases)
    _counted(suites, [case for suite in suites for case in suite])
    ET.indent(suites)
    text = ET.tostring(suites, encoding="us-ascii" if ascii_only else "unicode", xml_declaration=False)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text.decode() if isinstance(text, bytes) else text}\n'


def _by_agent(found: Json) -> dict[str, list[ET.Element]]:
    cases: dict[str, list[ET.Element]] = defaultdict(list)
    for item in found["items"]:
        cases[item["agent"]].append(_case(item))
    with_findings = {item["code"] for item in found["items"]}
    for code in found["coverage"]["run"]:
        if code not in with_findings:
            agent = _prefix(code)
            cases[agent].append(ET.Element("testcase", classname=f"day2.{agent}", name=code))
    for row in found["coverage"]["notRun"]:
        agent = _prefix(row["check"])
        case = ET.Element("testcase", classname=f"day2.{agent}", name=_clean(row["check"]))
        ET.SubElement(case, "skipped", message=_clean(row["reason"]))
        cases[agent].append(case)
    return dict(sorted(cases.items()))


AGENTS = {"FIN": "finops", "REL": "reliability", "SEC": "security", "SCA": "scaling"}


def _prefix(code: str) -> str:
    """The agent whose codes begin so; `day2` for what belongs to none."""
    return AGENTS.get(code.partition("-")[0], "day2")


def _case(item: Json) -> ET.Element:
    case = ET.Element("testcase", classname=f"day2.{item['agent']}.{item['code']}", name=f"{item['code']} {_object(item['subject'])}")
    if item["location"]:
        case.set("file", item["location"]["file"])
        case.set("line", str(item["location"]["line"]))
    evidence = [f"{row['source']} {row['query']}: {row['value']}" for row in item["evidence"]]
    said = "\n".join(_clean(line) for line in (item["matters"], *evidence, f"next: {item['next']}"))
    if item["severity"] == "info":
        ET.SubElement(case, "system-out").text = f"{_clean(item['title'])}\n{said}"
    else:
        ET.SubElement(case, "failure", type=item["severity"], message=_clean(item["title"])).text = said
    return case


def _counted(element: ET.Element, cases: Sequence[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    element.set("errors", "0")


def _clean(text: str) -> str:
    """XML 1.0 has no control characters, however they are written."""
    return bounded(text, 2000)


def _object(subject: Mapping[str, Any]) -> str:
    where = f"{subject['namespace']}/" if subject["namespace"] else ""
    return f"{where}{subject['kind'].lower()}/{subject['name']}"


def sarif(found: Json, *, ascii_only: bool = False) -> str:
    """Each result has the object as its logical location, and the manifest's file and line where it was read from files."""
    codes = {item["code"]: item for item in found["items"]}
    run = {
        "tool": {"driver": _driver(codes)},
        "invocations": [
            {
                "executionSuccessful": True,
                "endTimeUtc": found["metadata"]["at"],
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": f"not run: {row['check']}: {row['reason']}"}}
                    for row in found["coverage"]["notRun"]
                ],
            }
        ],
        "results": [_result(item, list(codes).index(item["code"])) for item in found["items"]],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=ascii_only) + "\n"


def _driver(codes: Mapping[str, Json]) -> Json:
    rules = [
        {
            "id": code,
            "shortDescription": {"text": f"{item['agent']} check {code}"},
            "help": {"text": item["matters"]},
            "properties": {"tags": [item["agent"]]}
            | ({"security-severity": SECURITY[item["severity"]]} if code.startswith("SEC-") else {}),
        }
        for code, item in codes.items()
    ]
    return {"name": SOURCE, "semanticVersion": distributions.version(SOURCE), "rules": rules}


def _result(item: Json, rule: int) -> Json:
    location: Json = {"logicalLocations": [{"fullyQualifiedName": _object(item["subject"]), "kind": "resource"}]}
    if item["location"]:
        region = {"region": {"startLine": max(1, item["location"]["line"])}}
        location["physicalLocation"] = {"artifactLocation": _artifact(item["location"]["file"])} | region
    return {
        "ruleId": item["code"],
        "ruleIndex": rule,
        "level": LEVELS[item["severity"]],
        "message": {"text": f"{item['title']}. {item['matters']}"},
        "locations": [location],
        "partialFingerprints": {"day2FindingId/v1": item["id"]},
        "properties": {"severity": item["severity"], "next": item["next"]},
    }


def _artifact(file: str) -> Json:
    """Relative to the folder in which day2 was run, where the file lies below it: that is what code scanning maps to the repository."""
    path, here = Path(file), Path.cwd()
    if path.is_absolute() and not path.is_relative_to(here):
        return {"uri": path.as_uri()}
    return {"uri": quote((path.relative_to(here) if path.is_absolute() else path).as_posix()), "uriBaseId": "%SRCROOT%"}


def openreports(found: Json, *, ascii_only: bool = False) -> str:
    """A `Report` for each namespace, and a `ClusterReport` for what has none and for the checks themselves; to be applied as they are."""
    import yaml

    at = found["metadata"]["at"]
    spaces: dict[str, list[Json]] = defaultdict(list)
    for item in found["items"]:
        spaces[item["subject"]["namespace"]].append(_reported(item, at))
    spaces[""] += _checks(found, at)
    reports = [_report(namespace, results) for namespace, results in sorted(spaces.items())]
    return str(yaml.safe_dump_all(reports, sort_keys=False, allow_unicode=not ascii_only, width=120))


def _report(namespace: str, results: Sequence[Json]) -> Json:
    labels = {"app.kubernetes.io/managed-by": SOURCE}
    name: Json = {"name": "day2-scan"} | ({"namespace": namespace} if namespace else {}) | {"labels": labels}
    words = ("pass", "fail", "warn", "error", "skip")
    return {
        "apiVersion": OPENREPORTS,
        "kind": "Report" if namespace else "ClusterReport",
        "metadata": name,
        "source": SOURCE,
        "summary": {word: sum(row["result"] == word for row in results) for word in words},
        "results": list(results),
    }


def _reported(item: Json, at: str) -> Json:
    subject = item["subject"]
    kind = KINDS.get(subject["kind"])
    version = kind.api_version if kind else f"{subject['group']}/v1" if subject["group"] else "v1"
    space = {"namespace": subject["namespace"]} if subject["namespace"] else {}
    evidence = {row["id"]: f"{row['source']} {row['query']}: {row['value']}" for row in item["evidence"]}
    return {
        "policy": f"{SOURCE}/{item['agent']}",
        "rule": item["code"],
        "category": item["agent"],
        "severity": item["severity"],
        "result": "warn" if item["severity"] in ("low", "info") else "fail",
        "scored": True,
        "timestamp": _seconds(at),
        "resources": [{"apiVersion": version, "kind": subject["kind"]} | space | {"name": subject["name"], "uid": subject["uid"]}],
        "message": f"{item['title']}. {item['matters']}",
        "properties": {"finding": item["id"], "next": item["next"]} | evidence,
    }


def _checks(found: Json, at: str) -> Iterable[Json]:
    """Checks that found nothing passed; those that did not run are skipped, with the reason."""
    with_findings = {item["code"] for item in found["items"]}
    for code in found["coverage"]["run"]:
        if code not in with_findings:
            yield _check(code, "pass", "nothing found", at)
    for row in found["coverage"]["notRun"]:
        yield _check(row["check"], "skip", row["reason"], at)


def _check(name: str, result: str, message: str, at: str) -> Json:
    agent = _prefix(name)
    return {
        "policy": f"{SOURCE}/{agent}",
        "rule": name,
        "category": agent,
        "result": result,
        "scored": True,
        "timestamp": _seconds(at),
        "message": message,
    }


def _seconds(at: str) -> Json:
    return {"seconds": int(datetime.fromisoformat(at).timestamp()), "nanos": 0}
