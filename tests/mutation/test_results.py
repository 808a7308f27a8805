"""The committed result is of this product, good enough, and says what it is not about."""

import alterations
import pytest
import results
import run
import trusted

LEAST_KNOWN_PERCENT = 65
"""Of the functions: those that were changed since their result are tried by CI, and nobody waits for a whole run to be made anew."""


@pytest.fixture(scope="module")
def modules() -> list[str]:
    return trusted.modules()


@pytest.fixture(scope="module")
def total(modules: list[str]) -> results.Score:
    return sum((run.score(module, results.read()) for module in modules), results.Score(0, 0))


def test_the_tests_notice_enough_of_the_small_defects(total: results.Score) -> None:
    assert total.percent >= run.FLOOR, f"{total.percent:.1f} % of {total.mutants}: make coverage mutation ARGS=--survivors"


def test_most_of_the_result_is_of_the_code_as_it_is(total: results.Score) -> None:
    assert 100 * total.known >= LEAST_KNOWN_PERCENT * total.units, f"{total.known} of {total.units} functions: make coverage mutation"


def test_the_page_says_what_the_result_says_and_names_each_module_that_was_not_run(modules: list[str]) -> None:
    page, found = results.PAGE.read_text(encoding="utf-8"), results.read()
    assert results.table(found, modules) in page, "make mutation"


def test_what_is_called_no_defect_has_a_reason_and_is_a_mutant(modules: list[str]) -> None:
    reasons = results.equivalent()
    assert set(reasons) <= set(modules)
    for module, said in reasons.items():
        there = {mutant.name for mutant in alterations.mutants(trusted.file_of(module).read_text(encoding="utf-8"))}
        assert not set(said) - there, f"{module}: no such mutant any more"
        assert all(len(reason) > 15 for reason in said.values()), module
