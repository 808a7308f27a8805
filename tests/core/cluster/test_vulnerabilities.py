"""Six forms of reports and VEX become one model; hostile input costs its own record and no other; VEX clears what it names and no more."""

import random
from datetime import date
from typing import Any

import pytest

from core.cluster import vulnerabilities
from core.cluster.vulnerabilities import Image, Read, Record, about, decode, image_of
from core.domain.errors import InvalidInput
from tests.agents.test_odd_objects import spoil
from tests.core.cluster import scans
from tests.core.cluster.scans import DIGEST, OTHER, SHOP, body

WEB = Image(SHOP, "1.4", (DIGEST,))


def read(document: object) -> Read:
    return decode(body(document), "file.json")


def only(document: object) -> Record:
    (record,) = read(document).records
    return record


def test_trivy() -> None:
    record = only(scans.trivy(scans.found("CVE-2026-0001")))
    assert record == Record(
        "CVE-2026-0001",
        (),
        WEB,
        "libssl3",
        "3.0.1",
        "3.0.9",
        "pkg:deb/debian/libssl3@3.0.1?arch=amd64",
        "high",
        8.1,
        "libssl3: a fault",
    )


def test_grype_goes_by_the_cve_beside_the_advisory() -> None:
    record = only(scans.grype())
    assert record.ids == ("CVE-2026-1111", "GHSA-aaaa-bbbb-cccc")
    assert (record.package, record.installed, record.fixed, record.level, record.score) == ("parser", "2.3.0", "2.4.1", "critical", 9.8)
    assert set(record.image.digests) == {DIGEST, OTHER}


def test_a_report_of_the_operator_alone_and_in_a_list() -> None:
    one = only(scans.report(digest=DIGEST))
    assert one.image == Image("docker.io/library/nginx", "1.16", (DIGEST,))
    assert (one.id, one.package, one.fixed, one.score) == ("CVE-2026-2222", "zlib1g", "", 6.5)
    assert only({"apiVersion": "v1", "kind": "List", "items": [scans.report(digest=DIGEST), {"kind": "ConfigMap"}]}) == one
    assert only({"kind": "VulnerabilityReportList", "items": [scans.report(digest=DIGEST)]}) == one


def test_sarif() -> None:
    record = only(scans.sarif())
    assert (record.id, record.image, record.score, record.level) == ("CVE-2026-3333", WEB, 7.5, "high")
    assert (record.package, record.installed, record.fixed) == ("curl", "8.1.0", "8.2.1")


def test_a_score_is_taken_from_the_word_where_there_is_no_number() -> None:
    item = scans.found("CVE-2026-0001", severity="CRITICAL")
    del item["CVSS"]
    assert only(scans.trivy(item)).score == 9.5


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("nginx", "docker.io/library/nginx", "latest"),
        ("nginx:1.27", "docker.io/library/nginx", "1.27"),
        ("team/app:1", "docker.io/team/app", "1"),
        ("index.docker.io/library/nginx:1", "docker.io/library/nginx", "1"),
        ("registry.example:5000/team/app:1", "registry.example:5000/team/app", "1"),
        ("localhost/app", "localhost/app", "latest"),
        (f"registry.example/app@{DIGEST}", "registry.example/app", ""),
        (f"docker-pullable://registry.example/app:2@{DIGEST}", "registry.example/app", "2"),
    ],
)
def test_an_image_is_named_as_runtimes_name_it(text: str, repository: str, tag: str) -> None:
    assert image_of(text)[:2] == (repository, tag)
    assert image_of(text).digests == ((DIGEST,) if "sha256" in text else ())


@pytest.mark.parametrize(
    "bad", [None, "x", 7, [], {}, {"VulnerabilityID": 7}, {"VulnerabilityID": "\x1b[31m"}, {"VulnerabilityID": "x" * 900}]
)
def test_one_bad_record_is_told_and_costs_no_other(bad: Any) -> None:
    answer = read(scans.trivy(scans.found("CVE-2026-0001"), bad, scans.found("CVE-2026-0002")))
    assert [record.id for record in answer.records] == ["CVE-2026-0001", "CVE-2026-0002"]
    (problem,) = answer.problems
    assert problem.place == "file.json: Results[0].Vulnerabilities[1]"


def test_problems_are_counted_and_few_are_listed() -> None:
    answer = read(scans.trivy(*[{}] * 500))
    assert (len(answer.problems), answer.skipped) == (20, 480)


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"a": 1}', b'{"kind": "List", "items": []}', b"[" * 100_000, b'{"a":' * 50_000],
)
def test_what_is_no_report_is_refused_with_the_name_of_the_file(document: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"file\.json") as caught:
        decode(document, "file.json")
    assert caught.value.mend


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(InvalidInput, match="larger than"):
        decode(bytes(vulnerabilities.LARGEST + 1), "file.json")


def test_text_is_made_printable_and_short() -> None:
    record = only(scans.trivy(scans.found("CVE-2026-0001", package="\u202egnp\x1b[2J" + "x" * 9000)))
    assert "\x1b" not in record.package
    assert "\u202e" not in record.package
    assert len(record.package) <= 300


DOCUMENTS = {
    "trivy": scans.trivy(scans.found("CVE-2026-0001"), scans.found("CVE-2026-0002")),
    "grype": scans.grype(),
    "report": {"kind": "List", "items": [scans.report(digest=DIGEST)]},
    "sarif": scans.sarif(),
    "openvex": scans.openvex(),
    "cyclonedx": scans.cyclonedx(),
    "kev": scans.KEV,
}


@pytest.mark.parametrize("form", DOCUMENTS)
def test_no_mutation_of_a_document_is_more_than_a_refusal(form: str) -> None:
    told = 0
    for seed in range(400):
        document = spoil(DOCUMENTS[form], random.Random(f"{form}/{seed}"), 0.05)
        try:
            if form == "kev":
                vulnerabilities.decode_kev(body(document), "file.json")
            else:
                answer = read(document)
                told += len(answer.records) + len(answer.statements)
                assert all(0 < record.score <= 10 and len(record.title) <= 300 for record in answer.records)
        except InvalidInput:
            pass
    assert told or form == "kev"


# VEX
RECORD = only(scans.trivy(scans.found("CVE-2026-0001")))


@pytest.mark.parametrize(
    ("product", "more", "speaks"),
    [
        (f"pkg:oci/web@{DIGEST}", {}, True),
        (f"pkg:oci/web@{DIGEST.replace(':', '%3A')}?repository_url=registry.example/shop/web", {}, True),
        (f"pkg:oci/web@{OTHER}", {}, False),
        ("pkg:oci/web?tag=1.4", {}, True),
        ("pkg:oci/web?tag=1.5", {}, False),
        ("pkg:oci/web", {}, True),
        ("pkg:oci/web?repository_url=registry.example/other/web", {}, False),
        ("pkg:oci/shop", {}, False),
        (f"{SHOP}:1.4", {}, True),
        (f"{SHOP}:1.5", {}, False),
        (SHOP, {}, True),
        ("https://example.org/everything", {}, False),
        ("pkg:deb/debian/libssl3@3.0.1", {}, True),
        ("pkg:deb/debian/libssl3", {}, True),
        ("pkg:deb/debian/libssl3@3.0.2", {}, False),
        ("pkg:deb/debian/openssl@3.0.1", {}, False),
    ],
)
def test_a_statement_speaks_of_what_it_names(product: str, more: dict[str, object], *, speaks: bool) -> None:
    (statement,) = read(scans.openvex(product=product, **more)).statements
    assert about(statement, RECORD) is speaks


@pytest.mark.parametrize(("part", "speaks"), [("pkg:deb/debian/libssl3@3.0.1", True), ("pkg:deb/debian/zlib1g@1.2.13", False)])
def test_a_part_narrows_a_statement_to_a_package(part: str, *, speaks: bool) -> None:
    products = [{"@id": f"pkg:oci/web@{DIGEST}", "subcomponents": [{"@id": part}]}]
    (statement,) = read(scans.openvex(products=products)).statements
    assert about(statement, RECORD) is speaks


def test_a_statement_of_another_vulnerability_speaks_of_nothing() -> None:
    (statement,) = read(scans.openvex(vulnerability={"name": "CVE-2026-9999"})).statements
    assert not about(statement, RECORD)
    (alias,) = read(scans.openvex(vulnerability={"name": "DSA-1", "aliases": ["CVE-2026-0001"]})).statements
    assert about(alias, RECORD)


def test_the_first_version_of_openvex_has_names_alone() -> None:
    (statement,) = read(scans.openvex(vulnerability="CVE-2026-0001", products=[f"pkg:oci/web@{DIGEST}"])).statements
    assert about(statement, RECORD)


@pytest.mark.parametrize(
    "more",
    [{"status": "fine"}, {"products": []}, {"products": None}, {"vulnerability": {}}, {"justification": "", "impact_statement": ""}],
)
def test_a_statement_without_what_vex_demands_clears_nothing(more: dict[str, object]) -> None:
    answer = read(scans.openvex(**more))
    assert answer.statements == ()
    assert len(answer.problems) == 1


@pytest.mark.parametrize(
    ("state", "clears"),
    [("not_affected", True), ("false_positive", True), ("resolved", True), ("exploitable", False), ("in_triage", False)],
)
def test_cyclonedx_says_it_in_its_own_words(state: str, *, clears: bool) -> None:
    (statement,) = read(scans.cyclonedx(state)).statements
    assert statement.clears is clears
    assert statement.why == "code_not_reachable: the module is never loaded"
    assert about(statement, RECORD)


@pytest.mark.parametrize(
    ("ref", "speaks"), [("web", True), ("ssl", True), ("urn:cdx:1/1#ssl", True), ("pkg:deb/debian/libssl3@3.0.1", True)]
)
def test_a_reference_of_cyclonedx_is_found_where_the_document_has_it(ref: str, *, speaks: bool) -> None:
    (statement,) = read(scans.cyclonedx(ref=ref)).statements
    assert about(statement, RECORD) is speaks


def test_a_reference_to_nothing_says_nothing() -> None:
    assert read(scans.cyclonedx(ref="another")).statements == ()


# What is known of vulnerabilities
def test_kev_and_epss_say_of_when_they_are() -> None:
    known, day = vulnerabilities.decode_kev(body(scans.KEV), "kev.json")
    assert (known["CVE-2026-1111"].ransomware, day) == (True, "2026-11-19")
    scores, scored = vulnerabilities.decode_epss(scans.EPSS, "epss.csv")
    assert (scores, scored) == ({"CVE-2026-0001": 0.42, "CVE-2026-1111": 0.93}, "2026-11-20")
    assert vulnerabilities.age_days(scored, date(2026, 11, 27)) == 7
    assert vulnerabilities.age_days("soon", date(2026, 11, 27)) is None


def test_odd_lines_of_epss_are_left_out() -> None:
    lines = b"cve,epss,percentile\nCVE-2026-0001,2.5,1\nCVE-2026-0002,nan,1\nx,0.5,1\nCVE-2026-0003\n\xff\nCVE-2026-0004,1e-05,0.1\n"
    assert vulnerabilities.decode_epss(lines, "epss.csv") == ({"CVE-2026-0004": 1e-05}, "")


@pytest.mark.parametrize("text", [b"", b"a,b\n", b"{}"])
def test_what_is_no_list_of_scores_or_of_exploits_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        vulnerabilities.decode_epss(text, "epss.csv")
    with pytest.raises(InvalidInput):
        vulnerabilities.decode_kev(text, "kev.json")
