"""The calibration: labels come from what was planted, those who assess nothing do not pass, and the page says what code says now."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.assessing.answers import Outcome
from evals.assessing import assessors, corpus, page, results, scoring
from evals.assessing.corpus import Labelled
from evals.assessing.errors import ERRORS, HARMLESS
from evals.assessing.readers import READERS
from evals.assessing.scoring import Row

ROOT = Path(__file__).resolve().parents[3]
BOUGHT = 300 * 1024
"""Bytes of good runs that the repository keeps."""


@pytest.fixture(scope="module")
def cases() -> Sequence[Labelled]:
    return tuple(corpus.labelled(corpus.bases(), corpus.HELD_OUT))


def test_there_are_enough_of_each_and_the_seeds_are_apart(cases: Sequence[Labelled]) -> None:
    counts = Counter(case.planted for case in cases)
    assert len(cases) >= 200
    assert {error.name for error in ERRORS} <= set(counts)
    assert set(HARMLESS) <= set(counts)
    assert not set(corpus.DEVELOPMENT) & set(corpus.HELD_OUT)
    assert {case.seed for case in cases} == set(corpus.HELD_OUT)
    assert corpus.FILE.stat().st_size <= BOUGHT


def test_the_same_seed_plants_the_same(cases: Sequence[Labelled]) -> None:
    assert tuple(corpus.labelled(corpus.bases(), corpus.HELD_OUT)) == cases


def test_an_error_leaves_no_run_as_it_was(cases: Sequence[Labelled]) -> None:
    known = {(base.seed, base.fault): base.run for base in corpus.bases()}
    assert all(case.run != known[case.seed, case.fault] for case in cases if case.flawed)


def test_code_alone_may_be_used(cases: Sequence[Labelled]) -> None:
    found = scoring.score(scoring.said(cases, assessors.by_code))
    assert found.passes
    assert found.alarms.found == 0


@pytest.mark.parametrize("name", assessors.DEGENERATE)
def test_who_assesses_nothing_never_passes(name: str, cases: Sequence[Labelled]) -> None:
    assert not scoring.score(scoring.said(cases, assessors.DEGENERATE[name])).passes


@pytest.mark.parametrize("name", READERS)
def test_no_model_passes_on_its_word_alone(name: str, cases: Sequence[Labelled]) -> None:
    assert not scoring.score(scoring.said(cases, assessors.unchecked(READERS[name]))).passes


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("attentive", "hasty")])
def test_who_does_not_read_moves_nothing_and_may_not_be_used(name: str, cases: Sequence[Labelled]) -> None:
    alone = scoring.said(cases, assessors.by_code)
    joined = scoring.said(cases, assessors.with_model(READERS[name]))
    assert joined == alone
    assert not scoring.useful(scoring.score(joined), scoring.score(alone))


def test_who_reads_adds_and_who_misreads_is_found_out(cases: Sequence[Labelled]) -> None:
    alone = scoring.score(scoring.said(cases, assessors.by_code))
    reads = scoring.score(scoring.said(cases, assessors.with_model(READERS["attentive"])))
    hurries = scoring.score(scoring.said(cases, assessors.with_model(READERS["hasty"])))
    assert scoring.useful(reads, alone)
    assert reads.silent.found < alone.silent.found
    assert not scoring.useful(hurries, alone)
    assert hurries.alarms.found > 0


def row(breaks: str, outcome: Outcome) -> Row:
    return Row(1, "a fault", "an error", breaks, outcome.value, (breaks,) if outcome is Outcome.FLAWED else ())


def test_unknown_is_neither_an_alarm_nor_a_miss_and_not_aligned() -> None:
    found = scoring.score([row("judged", Outcome.UNKNOWN), row("", Outcome.UNKNOWN), row("judged", Outcome.FLAWED), row("", Outcome.SOUND)])
    assert [(share.found, share.total) for share in found] == [(2, 4), (0, 2), (0, 2), (1, 2), (2, 4)]


def test_nothing_to_score_passes_nobody() -> None:
    assert not scoring.score(()).passes
    assert not scoring.score([row("", Outcome.SOUND)] * 50).passes
    assert not scoring.score([row("judged", Outcome.FLAWED)] * 50).passes


def test_the_stored_results_are_what_code_says_now(cases: Sequence[Labelled]) -> None:
    assert results.read().rows == scoring.said(cases, assessors.by_code), results.COMMAND


def test_the_page_is_made_of_the_stored_results() -> None:
    assert (ROOT / "docs" / "assessing.md").read_text(encoding="utf-8") == page.text(results.read())


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    results.write(results.read(), file)
    assert results.read(file) == results.read()
    assert json.loads(file.read_text(encoding="utf-8"))["seeds"] == list(corpus.HELD_OUT)
