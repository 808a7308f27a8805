"""Every named condition: its planted fault is found on the object that has it, and nothing else is said; its healthy twin is silent."""

import random

import pytest

from agents.catalogue import AGENTS
from agents.reliability.table import AGENT
from core.domain.finding import Severity
from tests.agents.reliability.conditions import healthy
from tests.agents.reliability.conditions.cases import CASES, Case
from tests.agents.reliability.conditions.objects import looked_at

NAMED = [f"{case.code}{'-' if case.name else ''}{case.name}" for case in CASES]
AMIDST = [case for case in CASES if case.code != "REL-170"]
"""Two pods that fill a cluster of two nodes do not fill one of fourteen."""
AROUND = healthy.cluster(0)
ELSEWHERE = {f"REL-10{number}" for number in range(1, 9)} | {"REL-177"} | {f"REL-20{number}" for number in range(1, 5)}
"""Planted in the simulator: tests/agents/test_planted_faults.py, and by what is measured: tests/agents/reliability/test_hardware.py."""


@pytest.mark.parametrize("case", CASES, ids=NAMED)
def test_the_fault_is_found_and_nothing_else(case: Case) -> None:
    answer = looked_at(case.fault)
    assert not answer.coverage.not_run or all("metrics" in row.reason for row in answer.coverage.not_run)
    told = {(finding.code, finding.subject.qualified) for finding in answer.findings}
    assert (case.code, case.subject) in told
    causes = {finding.code for finding in answer.findings if not finding.symptom_of}
    assert len(causes) == 1
    assert causes <= {case.code, *case.also}
    assert {code for code, _ in told} <= {case.code, *case.also}
    finding = next(item for item in answer.findings if item.code == case.code)
    assert finding.evidence
    assert case.subject.rpartition("/")[2] in finding.title


@pytest.mark.parametrize("case", CASES, ids=NAMED)
def test_the_healthy_twin_is_silent(case: Case) -> None:
    assert [(finding.code, finding.title) for finding in looked_at(case.twin).findings] == []


@pytest.mark.parametrize("case", CASES, ids=NAMED)
def test_the_order_of_objects_does_not_matter(case: Case) -> None:
    shuffled = list(case.fault)
    random.Random(case.code).shuffle(shuffled)
    assert [finding.id for finding in looked_at(shuffled).findings] == [finding.id for finding in looked_at(case.fault).findings]


def test_every_check_has_a_planted_fault() -> None:
    assert {row.code for row in AGENT.detectors} == {case.code for case in CASES} | ELSEWHERE


@pytest.mark.parametrize("case", CASES, ids=NAMED)
def test_a_kind_that_could_not_be_read_is_said_and_its_checks_are_not_run(case: Case) -> None:
    row = next(row for row in AGENT.detectors if row.code == case.code)
    for kind in row.kinds:
        answer = looked_at(case.fault, unread=kind)
        assert case.code not in {finding.code for finding in answer.findings}
        assert any(said.check.startswith(case.code) for said in answer.coverage.not_run)


@pytest.mark.parametrize("seed", range(10))
def test_a_healthy_cluster_of_forty_namespaces_is_silent(seed: int) -> None:
    items = healthy.cluster(seed)
    assert len({item["metadata"].get("namespace") for item in items}) >= healthy.NAMESPACES
    for agent in AGENTS:
        answer = looked_at(items, agent=agent)
        assert [(finding.code, finding.title) for finding in answer.findings if finding.severity is not Severity.INFO] == []
        assert len(answer.coverage.run) >= len(agent.detectors) // 3


@pytest.mark.parametrize("case", AMIDST, ids=[f"{case.code}{'-' if case.name else ''}{case.name}" for case in AMIDST])
def test_the_fault_is_found_in_the_midst_of_a_healthy_cluster_and_nowhere_else(case: Case) -> None:
    named = {(item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) for item in case.fault}
    around = (item for item in AROUND if (item["kind"], item["metadata"].get("namespace"), item["metadata"]["name"]) not in named)
    answer = looked_at([*around, *case.fault])
    causes = [(finding.code, finding.subject.qualified) for finding in answer.findings if not finding.symptom_of]
    assert len(causes) == 1
    assert causes[0][0] in {case.code, *case.also}
    assert (case.code, case.subject) in {(finding.code, finding.subject.qualified) for finding in answer.findings}
