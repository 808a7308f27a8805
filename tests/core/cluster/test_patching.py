"""What is mended first: exploited before likely before bad, open before closed, running before not; and never what VEX clears."""

from typing import Any

import pytest

from core.cluster.patching import DAYS, Cluster, Ranked, Ranking, Signals, patches, ranked
from core.cluster.snapshot import Snapshot
from core.cluster.vulnerabilities import Known, Record, decode, image_of
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import cluster, container, made, pod, replica_set, service, workload
from tests.core.cluster import scans
from tests.core.cluster.scans import DIGEST, OTHER, SHOP, body

IMAGE = f"{SHOP}:1.4"
HOME = workload()
SET = replica_set(HOME)


def running(image: str = IMAGE, digest: str = DIGEST, *around: Json, **of_container: Any) -> Snapshot:
    """One pod of a Deployment with this image."""
    status = [{"name": "app", "image": image, "imageID": f"{SHOP}@{digest}" if digest else "", "state": {"running": {}}}]
    return cluster(
        HOME, SET, pod(SET, spec={"containers": [container(image=image, **of_container)]}, status={"containerStatuses": status}), *around
    )


OPEN = service(spec={"type": "LoadBalancer"})
CLOSED = made("NetworkPolicy", "closed", spec={"podSelector": {}, "policyTypes": ["Ingress"]})


def records(*documents: Json) -> list[Record]:
    return [record for document in documents for record in decode(body(document), "file.json").records]


def rank(snapshot: Snapshot | None, *documents: Json, vex: tuple[Json, ...] = (), **signals: Any) -> Ranking:
    statements = [each for document in vex for each in decode(body(document), "vex.json").statements]
    return ranked(records(*documents), statements, Signals(**signals), Cluster(snapshot) if snapshot else None)


def only(snapshot: Snapshot | None, **signals: Any) -> Ranked:
    (row,) = rank(snapshot, scans.trivy(scans.found("CVE-2026-0001")), **signals).rows
    return row


EXPLOITED = {"CVE-2026-0001": Known("2026-11-01", ransomware=True)}


@pytest.mark.parametrize(
    ("snapshot", "signals", "priority"),
    [
        (running(IMAGE, DIGEST, OPEN), {"kev": EXPLOITED}, "P0"),
        (running(), {"kev": EXPLOITED}, "P1"),
        (running("elsewhere:1", OTHER), {"kev": EXPLOITED}, "P2"),
        (running(), {"epss": {"CVE-2026-0001": 0.2}}, "P1"),
        (running(), {"epss": {"CVE-2026-0001": 0.01}}, "P3"),
        (running("elsewhere:1", OTHER), {"epss": {"CVE-2026-0001": 0.9}}, "P3"),
        (None, {"kev": EXPLOITED}, "P1"),
    ],
)
def test_priorities(snapshot: Snapshot | None, signals: dict[str, Any], priority: str) -> None:
    assert only(snapshot, **signals).priority == priority


def test_the_risk_is_the_product_that_is_written_down() -> None:
    privileged = {"securityContext": {"privileged": True}}
    row = only(running(IMAGE, DIGEST, OPEN, **privileged), epss={"CVE-2026-0001": 0.5})
    assert row.risk == pytest.approx(0.5 * 0.81 * 1.0 * 1.0 * 1.0)
    assert row.why == "CVSS 8.1, EPSS 0.500, open to the outside by service apps/web: type LoadBalancer, below baseline"
    assert only(running(), kev=EXPLOITED).risk == pytest.approx(1 * 0.81 * 0.5 * 0.5 * 1.0)
    assert only(running(IMAGE, DIGEST, CLOSED)).risk == pytest.approx(0.1 * 0.81 * 0.2 * 0.5 * 1.0, abs=1e-4)


def test_exposure_follows_the_network_policies() -> None:
    assert only(running(IMAGE, DIGEST, OPEN)).place.exposure == "outside"
    assert only(running(IMAGE, DIGEST, OPEN, CLOSED)).place.exposure == "closed"
    assert only(running()).place.exposure == "cluster"
    let = made(
        "NetworkPolicy", "let", spec={"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "other"}}}]}]}
    )
    assert only(running(IMAGE, DIGEST, let)).place.exposure == "closed"
    other = pod(None, "other", metadata={"labels": {"app": "other"}})
    assert only(running(IMAGE, DIGEST, let, other)).place.exposure == "cluster"


def test_use_is_by_digest_and_a_moved_tag_is_another_image() -> None:
    place = only(running()).place
    assert (place.use, place.workloads, place.pods, place.running) == ("running", ("apps/deployment/web",), 1, (DIGEST,))
    moved = only(running(IMAGE, OTHER)).place
    assert (moved.use, moved.running) == ("named", (OTHER,))
    assert only(running(IMAGE, "")).place.use == "named"
    assert only(running("elsewhere:1", OTHER)).place.use == "not running"
    (row,) = rank(running(IMAGE, ""), scans.trivy(scans.found("CVE-2026-0001"), digest="")).rows
    assert row.place.use == "running"


def test_a_cve_counts_once_however_many_packages_have_it() -> None:
    twice = scans.trivy(scans.found("CVE-2026-0001"), scans.found("CVE-2026-0001", package="openssl"), scans.found("CVE-2026-0001"))
    (row,) = rank(None, twice, scans.trivy(scans.found("CVE-2026-0001"))).rows
    assert row.packages == ("libssl3 3.0.1", "openssl 3.0.1")
    assert row.fixed == ("libssl3 3.0.9", "openssl 3.0.9")


def test_an_advisory_is_known_by_the_cve_beside_it() -> None:
    (row,) = rank(None, scans.grype(), kev={"CVE-2026-1111": Known("", ransomware=False)}).rows
    assert (row.id, row.exploited) == ("CVE-2026-1111", True)


def test_what_vex_clears_is_shown_with_its_reason_and_by_whom() -> None:
    report = scans.trivy(scans.found("CVE-2026-0001"), scans.found("CVE-2026-0002"))
    found = rank(None, report, vex=(scans.openvex(),))
    assert [row.id for row in found.rows] == ["CVE-2026-0002"]
    (cleared,) = found.cleared
    assert (cleared.id, cleared.status, cleared.why, cleared.source) == (
        "CVE-2026-0001",
        "not_affected",
        "vulnerable_code_not_in_execute_path",
        "the shop team",
    )


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_statements_the_later_counts(order: int) -> None:
    report = scans.trivy(scans.found("CVE-2026-0001"))
    both = (scans.openvex(at="2026-11-01T00:00:00Z"), scans.openvex("affected", at="2026-11-01T01:30:00+01:00"))
    assert len(rank(None, report, vex=both[::order]).rows) == 1
    later = (scans.openvex("affected", at="2026-11-01T00:00:00Z"), scans.openvex(at="2026-11-01T01:30:00+01:00"))
    assert rank(None, report, vex=later[::order]).rows == ()


def test_statements_about_nothing_are_counted() -> None:
    found = rank(None, scans.trivy(scans.found("CVE-2026-0002")), vex=(scans.openvex(),))
    assert (len(found.rows), found.cleared, found.unused) == (1, (), 1)


def test_worst_first_and_the_order_of_files_does_not_matter() -> None:
    one = scans.trivy(scans.found("CVE-2026-0001", score=9.9), scans.found("CVE-2026-0002"))
    two = scans.trivy(scans.found("CVE-2026-0001"), image="elsewhere:1", digest=OTHER)
    answer = rank(running(), one, two, epss={"CVE-2026-0002": 0.4})
    assert [(row.id, row.image) for row in answer.rows] == [
        ("CVE-2026-0002", IMAGE),
        ("CVE-2026-0001", IMAGE),
        ("CVE-2026-0001", "docker.io/library/elsewhere:1"),
    ]
    assert rank(running(), two, one, epss={"CVE-2026-0002": 0.4}).rows == answer.rows


# Plans
def test_the_plan_names_the_fix_the_first_replica_and_the_way_back() -> None:
    report = scans.trivy(scans.found("CVE-2026-0001"), scans.found("CVE-2026-0002", package="zlib1g", fixed=""))
    (patch,) = patches(rank(running(IMAGE, DIGEST, OPEN), report, kev=EXPLOITED).rows)
    assert (patch.priority, patch.days, patch.left) == ("P0", DAYS["P0"], 1)
    assert patch.bumps == ("libssl3 3.0.9",)
    assert "libssl3 3.0.9 or later" in patch.steps[0]
    assert "smallest workload first" in patch.steps[2]
    assert f"go back to digest {DIGEST}" in patch.steps[4]


def test_an_image_without_a_fix_has_no_plan_and_one_that_nothing_runs_no_first_replica() -> None:
    assert patches(rank(None, scans.trivy(scans.found("CVE-2026-0001", fixed=""))).rows) == ()
    (patch,) = patches(rank(running("elsewhere:1", OTHER), scans.trivy(scans.found("CVE-2026-0001"))).rows)
    assert not any("One replica" in step for step in patch.steps)
    assert patch.workloads == ()


def test_one_image_is_the_same_under_its_short_name() -> None:
    assert image_of("nginx:1") == image_of("docker.io/library/nginx:1")
