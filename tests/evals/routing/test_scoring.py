"""The routing suite: its scorer, its files, and the floor under the rules."""

import hashlib
import json
import subprocess
import sys

import pytest

from evals.__main__ import main
from evals.routing import rules, scoring
from evals.routing.scoring import Case
from graph import lexicon
from graph.lexicon import DOMAINS

MEASURED = 186  # of 200, when the rules were last worked on
MARGIN = 6

PARAPHRASES = scoring.read("paraphrases.yaml")
DEVELOPMENT = scoring.read("development.yaml")
HELD_OUT = scoring.read("heldout.yaml")
HELD_OUT_MEASURED = 172  # of 200, by a writer who never saw the rules; nobody has looked at which ones are wrong


def answering(**asked: str) -> scoring.Router:
    return lambda text: frozenset(asked.get(text, "").split())


def test_a_case_is_right_only_when_all_wanted_and_no_unwanted_agents_are_asked() -> None:
    case = Case(text="a", asks=("finops", "scaling"), may=("security",))
    assert case.holds(frozenset({"finops", "scaling"}))
    assert case.holds(frozenset({"finops", "scaling", "security"}))
    assert not case.holds(frozenset({"finops"}))
    assert not case.holds(frozenset({"finops", "scaling", "reliability"}))


def test_nobody_is_right_only_when_nobody_is_wanted() -> None:
    assert Case(text="a", asks=()).holds(frozenset())
    assert not Case(text="a", asks=()).holds(frozenset({"finops"}))


def test_the_score_counts_found_missed_and_extra_by_domain() -> None:
    cases = [Case(text="one", asks=("finops",)), Case(text="two", asks=("finops", "security")), Case(text="three", asks=())]
    result = scoring.score(cases, answering(one="finops", two="finops", three="security"), DOMAINS)
    assert (result.right, result.total) == (1, 3)
    by_domain = {line.domain: line for line in result.lines}
    assert by_domain["finops"] == ("finops", 2, 2, 0)
    assert by_domain["security"] == ("security", 1, 0, 1)
    assert [answer.case.text for answer in result.wrong] == ["two", "three"]


def test_the_confusion_table_has_the_cases_that_need_one_agent_or_none() -> None:
    cases = [Case(text="one", asks=("finops",)), Case(text="two", asks=("finops", "security")), Case(text="three", asks=())]
    result = scoring.score(cases, answering(one="scaling"), DOMAINS)
    assert result.confusion == {("finops", "scaling"): 1, (scoring.NOBODY, scoring.NOBODY): 1}


@pytest.mark.parametrize(
    ("right", "total", "low", "high"), [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (183, 200, 0.868, 0.946)]
)
def test_the_interval_is_wilsons(right: int, total: int, low: float, high: float) -> None:
    assert scoring.wilson(right, total) == pytest.approx((low, high), abs=5e-4)


def test_there_are_two_hundred_different_paraphrases_over_all_kinds() -> None:
    assert len({case.text.casefold() for case in PARAPHRASES}) == 200
    assert sum(len(case.asks) == 2 for case in PARAPHRASES) >= 20
    assert sum(not case.asks for case in PARAPHRASES) >= 20
    for domain in DOMAINS:
        assert sum(domain in case.asks for case in PARAPHRASES) >= 45


def test_the_paraphrases_stand_as_they_were_written_before_the_rules_were_read() -> None:
    """A label that is plainly wrong may be corrected; the file's head then says which and why, and this digest moves with it."""
    cases = json.dumps([case.model_dump() for case in PARAPHRASES], sort_keys=True).encode()
    assert hashlib.sha256(cases).hexdigest()[:16] == "908ca0f2096fc1ef"


def test_labels_name_agents_that_exist() -> None:
    assert {name for case in (*PARAPHRASES, *DEVELOPMENT) for name in (*case.asks, *case.may)} <= set(DOMAINS)


def test_the_rules_share_no_sentence_with_the_paraphrases() -> None:
    sentences = {_plain(case.text) for case in PARAPHRASES}
    assert sentences.isdisjoint(_plain(case.text) for case in DEVELOPMENT)
    long_stems = [stem for stem in lexicon.STEMS if stem.count(" ") >= 3]
    assert long_stems == [stem for stem in long_stems if not any(stem in sentence for sentence in sentences)]


def test_the_held_out_sentences_are_two_hundred_and_stand_as_they_were_written() -> None:
    assert len({case.text.casefold() for case in HELD_OUT}) == 200
    cases = json.dumps([case.model_dump() for case in HELD_OUT], sort_keys=True).encode()
    assert hashlib.sha256(cases).hexdigest()[:16] == "5b20e5e3e838919d"


def test_routing_of_held_out_sentences_stays_above_its_floor() -> None:
    result = scoring.score(HELD_OUT, rules.asked, DOMAINS)
    assert result.right >= HELD_OUT_MEASURED - MARGIN, f"{result.right} of {result.total}"


def test_routing_by_words_stays_above_its_floor() -> None:
    result = scoring.score(PARAPHRASES, rules.asked, DOMAINS)
    assert result.right >= MEASURED - MARGIN, f"{result.right} of {result.total}"


def test_the_report_prints_one_table_with_its_interval(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "development.yaml"]) == 0
    shown = capsys.readouterr().out
    assert "routing" in shown
    assert "95 % interval" in shown


def test_the_report_is_the_same_whatever_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-m", "evals", "--cases", "development.yaml", "--show-wrong"],
            env={"PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def _plain(text: str) -> str:
    return " ".join("".join(character if character.isalnum() else " " for character in text.casefold()).split())
