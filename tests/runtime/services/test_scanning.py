import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.catalogue import AGENTS
from core.cluster.manifests import decode_manifests
from core.domain.errors import InvalidInput, Unavailable
from core.domain.finding import Severity
from core.domain.objective import Objectives
from core.domain.request import Request
from runtime.consulting import InProcess
from runtime.services import manifests, scanning
from tools.clocks import SystemClock

NOW = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = tuple(agent.name for agent in AGENTS)
POD = """\
{"kind": "List", "apiVersion": "v1", "items": [
  {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "shop", "uid": "u0"}},
  {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "debug", "namespace": "shop", "uid": "u1"},
   "spec": {"containers": [{"name": "a", "image": "x", "securityContext": {"privileged": true}}]},
   "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z"}}]}
"""


def scanned(reader: manifests.ManifestReader) -> scanning.Scan:
    consulting = InProcess({agent.name: agent for agent in AGENTS}, reader, None, Objectives(), None, SystemClock())
    return asyncio.run(scanning.scan(consulting, Request(id="run-1", trigger="cli", by="b", at=NOW), NAMES))


def of_files(text: str = POD) -> manifests.ManifestReader:
    return manifests.ManifestReader(decode_manifests({"all.json": text.encode()}), NOW)


def test_findings_of_files_with_what_could_not_be_looked_at() -> None:
    found = scanned(of_files())
    assert [finding.code for finding in found.findings] == ["SEC-102"]
    assert any(row.check.startswith("REL-104") and "not in the files" in row.reason for row in found.coverage.not_run)
    assert found.worst() is found.findings[0].severity
    assert scanning.score(found.findings) < 100


WRITTEN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:latest", securityContext: {privileged: true}}]}
"""


def test_a_manifest_that_people_wrote_is_looked_at_as_what_it_would_become() -> None:
    reader = manifests.ManifestReader(decode_manifests({"web.yaml": WRITTEN.encode()}), NOW)
    found = scanning.without(scanned(reader), reader.implied)
    assert {"SEC-106", "SEC-109"} <= {finding.code for finding in found.findings}
    assert {finding.subject.kind for finding in found.findings} == {"Deployment"}
    lost = [row.reason for row in found.coverage.not_run if "not in the files" in row.reason]
    assert lost
    assert not any("Pod could not" in reason or "Namespace could not" in reason for reason in lost)


def test_what_an_api_server_gave_says_what_it_does_not_have() -> None:
    """There, a kind without an object was not asked for."""
    reader = of_files()
    assert reader.implied == frozenset()
    assert any("Deployment could not be read" in row.reason for row in scanned(reader).coverage.not_run)


def test_an_object_without_a_namespace_stands_in_the_default_one() -> None:
    text = WRITTEN.replace(", namespace: shop", "")
    reader = manifests.ManifestReader(decode_manifests({"web.yaml": text.encode()}), NOW)
    assert reader.implied == {"default"}
    assert {finding.subject.namespace for finding in scanning.without(scanned(reader), reader.implied).findings} == {"default"}


def test_only_what_the_baseline_does_not_have_is_new(tmp_path: Path) -> None:
    found = scanned(of_files())
    file = tmp_path / "baseline.json"
    file.write_text(json.dumps({"items": [{"id": found.findings[0].id}]}), encoding="utf-8")
    again = scanning.since(found, scanning.baseline(file))
    assert (again.findings, again.known, again.gone) == ((), 1, ())


def test_severities_are_ordered() -> None:
    found = scanned(of_files())
    level = found.findings[0].severity
    assert found.at_least(Severity.INFO)
    assert found.at_least(level)
    assert not found.at_least(Severity.CRITICAL) or level is Severity.CRITICAL


def test_an_agent_that_cannot_look_at_all_ends_the_scan() -> None:
    class Down(manifests.ManifestReader):
        async def snapshot(self, *_: object, **__: object) -> object:  # type: ignore[override]
            raise Unavailable("the Kubernetes API")

    with pytest.raises(Unavailable):
        scanned(Down(decode_manifests({}), NOW))


def test_unknown_agents_and_severities_are_refused_with_the_known() -> None:
    with pytest.raises(InvalidInput) as caught:
        scanning.chosen(["finopps"], NAMES)
    assert "finops" in caught.value.mend
    with pytest.raises(InvalidInput):
        scanning.severity("huge")


def test_namespaces_limit_what_is_read_from_files() -> None:
    reader = of_files()
    assert asyncio.run(reader.snapshot(["Pod"], ["shop"])).pods
    assert not asyncio.run(reader.snapshot(["Pod"], ["other"])).pods
