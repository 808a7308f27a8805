"""`day2 vulnerabilities`: files in, an order with reasons out; a wrong file is named and nothing is looked at."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.agents.reliability.conditions.objects import container, made, pod, replica_set, service, workload
from tests.core.cluster import scans

Day2 = Callable[..., Any]
IMAGE = f"{scans.SHOP}:1.4"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    report = scans.trivy(scans.found("CVE-2026-0001"), scans.found("CVE-2026-1111", package="parser", fixed="2.4.1"), {"odd": 1})
    home = workload()
    running = pod(replica_set(home), spec={"containers": [container(image=IMAGE)]})
    running["status"]["containerStatuses"][0] |= {"image": IMAGE, "imageID": f"{scans.SHOP}@{scans.DIGEST}"}
    items = [made("Namespace", "apps"), home, replica_set(home), running, service(spec={"type": "LoadBalancer"})]
    written = {"trivy.json": report, "vex.json": scans.openvex(), "kev.json": scans.KEV, "cluster.json": {"kind": "List", "items": items}}
    for name, document in written.items():
        (tmp_path / name).write_bytes(scans.body(document))
    (tmp_path / "epss.csv.gz").write_bytes(gzip.compress(scans.EPSS))
    return tmp_path


def asked(day2: Day2, words: str) -> Any:
    return day2("vulnerabilities", *words.split())


def test_the_worst_comes_first_with_its_reasons_and_the_way_to_mend_it(day2: Day2, files: Path) -> None:
    said = asked(day2, "--report trivy.json --vex vex.json --kev kev.json --epss epss.csv.gz --from cluster.json")
    assert said.code == 0
    head, first = said.out.splitlines()[:2]
    assert head.split()[:3] == ["PRIORITY", "ID", "RISK"]
    assert first.split()[:2] == ["P0", "CVE-2026-1111"]
    assert "known to be exploited, by ransomware too" in said.out
    assert "open to the outside by service apps/web" in said.out
    assert "CVE-2026-0001 libssl3 of registry.example/shop/web:1.4: not_affected: vulnerable_code_not_in_execute_path" in said.out
    assert "3. The smallest workload first, verified, and taken back where it misses: day2 plan --bump" in said.out
    assert "not read: trivy.json: Results[0].Vulnerabilities[2]: it has no id of a vulnerability" in said.err


def test_as_json_it_has_all(day2: Day2, files: Path) -> None:
    said = asked(day2, "--report trivy.json --kev kev.json --epss epss.csv.gz --from cluster.json -o json")
    document = json.loads(said.out)
    assert [row["id"] for row in document["items"]] == ["CVE-2026-1111", "CVE-2026-0001"]
    assert [(source["form"], source["entries"]) for source in document["metadata"]["sources"]] == [("trivy", 2), ("kev", 1), ("epss", 2)]
    assert document["patches"][0]["workloads"] == ["apps/deployment/web"]
    assert {problem["place"] for problem in document["problems"]} >= {"trivy.json: Results[0].Vulnerabilities[2]"}


def test_alone_it_asks_no_cluster(day2: Day2, files: Path) -> None:
    said = asked(day2, "--report trivy.json --alone -o csv")
    assert said.code == 0
    assert "CVE-2026-0001" in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--report none.json --alone", "cannot read none.json"),
        ("--report cluster.json --alone", "cluster.json is no report that is known here"),
        ("--report trivy.json --vex trivy.json --alone", ""),
        ("--report trivy.json --vex epss.csv.gz --alone", "epss.csv.gz is no JSON"),
        ("--report trivy.json --kev trivy.json --alone", "trivy.json is not CISA's catalogue"),
        ("--report trivy.json --epss kev.json --alone", "kev.json has no head cve,epss"),
        ("--report trivy.json --alone --from cluster.json", "--alone looks at no cluster"),
    ],
)
def test_a_wrong_file_is_named(day2: Day2, files: Path, words: str, told: str) -> None:
    said = asked(day2, words)
    assert told in said.err
    assert (said.code != 0) is bool(told)
    if told:
        assert said.out == ""
        assert "mend:" in said.err
