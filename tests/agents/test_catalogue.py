"""The tables: complete, without doubles, and told in docs/checks/."""

from pathlib import Path

import pytest

from agents import catalogue
from agents.catalogue import AGENTS
from agents.desk import Agent, Detector
from agents.pages import pages
from agents.reporting import AGENT_BY_AREA
from core.actions.catalogue import CATALOGUE
from core.cluster.observed import OBSERVED

PAGES = Path(catalogue.__file__).parent.parent / "docs" / "checks"
ROWS = [(agent, detector) for agent in AGENTS for detector in agent.described]


def test_there_are_four_agents_with_at_least_four_checks_that_lead_to_a_proposal_each() -> None:
    assert {agent.name for agent in AGENTS} == {"finops", "reliability", "security", "scaling"}
    for agent in AGENTS:
        planned = {code for planner in agent.planners for code in planner.codes}
        assert len(planned & {detector.code for detector in agent.detectors}) >= 4


def test_an_agent_is_found_by_its_name_and_a_stranger_is_not() -> None:
    assert catalogue.agent("finops") is not None
    assert catalogue.agent("astrology") is None


@pytest.mark.parametrize(("agent", "detector"), ROWS, ids=[f"{detector.code}-{detector.name}" for _, detector in ROWS])
def test_a_row_is_named_once_belongs_to_its_agent_and_reads_known_kinds(agent: Agent, detector: Detector) -> None:
    assert AGENT_BY_AREA[detector.code[:3]] == agent.name
    assert [(other.code, other.name) for _, other in ROWS].count((detector.code, detector.name)) == 1
    assert set(detector.kinds) <= set(OBSERVED)


def test_planners_speak_of_known_codes_and_of_actions_that_are_in_the_catalogue() -> None:
    kinds = set(CATALOGUE)
    for agent in AGENTS:
        for planner in agent.planners:
            assert planner.capability in kinds
            assert set(planner.codes) <= {detector.code for detector in agent.detectors}
        assert set(agent.capabilities) <= kinds


@pytest.mark.parametrize(("agent", "detector"), ROWS, ids=[f"{detector.code}-{detector.name}" for _, detector in ROWS])
def test_a_check_has_a_page_that_says_what_the_table_says(agent: Agent, detector: Detector) -> None:
    page = (PAGES / f"{detector.code}.md").read_text()
    assert detector.name in page.splitlines()[0]
    assert detector.silent[1:] in page
    assert f"Agent: {agent.name}." in page
    assert all(f"`{planner.capability}`" in page for planner in agent.planners if detector.code in planner.codes)
    assert all(kind in page for kind in detector.kinds)


def test_there_is_no_page_without_a_check_and_the_index_lists_all() -> None:
    codes = {detector.code for _, detector in ROWS}
    assert {path.stem for path in PAGES.glob("*.md")} - {"README"} == codes
    index = (PAGES / "README.md").read_text()
    assert all(f"[{code}]({code}.md)" in index for code in codes)


def test_the_generated_pages_are_those_of_the_tables() -> None:
    for name, text in pages().items():
        assert (PAGES / name).read_text(encoding="utf-8") == text, f"{name}: run `python docs/checks/generate.py`"
