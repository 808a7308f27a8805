"""A check by its code, a finding by its id, and the nearest names for what is neither."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.catalogue import AGENTS
from core.domain.errors import InvalidInput
from core.domain.finding import Coverage, Finding, Severity, finding_id
from core.domain.target import Target
from core.policy import mutes
from core.policy.mutes import Muted
from runtime.services import describing
from runtime.services.scanning import Scan

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def finding(name: str, code: str, cause: str = "") -> Finding:
    subject = Target(cluster="c-1", group="apps", kind="Deployment", namespace="shop", name=name, uid=f"u-{name}")
    return Finding(
        id=finding_id(code, subject), code=code, agent="reliability", severity=Severity.HIGH, subject=subject, title=name, matters="-",
        symptom_of=cause, at=NOW,
    )  # fmt: skip


CAUSE = finding("db", "REL-101")
SYMPTOM = finding("cart", "REL-176", CAUSE.id)
OTHER = finding("web", "REL-103")
FOUND = Scan((CAUSE, SYMPTOM, OTHER), (), Coverage())


@pytest.mark.parametrize("code", [row.code for agent in AGENTS for row in agent.described])
def test_every_check_has_a_page_without_the_note_for_who_edits_it(code: str) -> None:
    found = describing.check(code.lower())
    assert found.page.startswith(f"# {code}: {found.name}\n")
    assert "<!--" not in found.page
    assert "## When it is silent" in found.page


@pytest.mark.parametrize(("typed", "near"), [("REL101", "REL-101"), ("RLE-101", "REL-101"), ("crash", "crash"), ("SEC-10", "SEC-10")])
def test_an_unknown_code_is_answered_with_the_nearest(typed: str, near: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        describing.check(typed)
    assert "did you mean" in caught.value.mend
    assert near in caught.value.mend


def test_what_is_near_nothing_is_told_what_codes_look_like() -> None:
    with pytest.raises(InvalidInput) as caught:
        describing.check("\x1b[31mzzz")
    assert "codes look like" in caught.value.mend
    assert "\x1b" not in str(caught.value)


def test_a_finding_has_its_cause_and_what_follows_from_it() -> None:
    told = describing.described(FOUND, SYMPTOM.id)
    assert (told.finding, told.cause, told.symptoms) == (SYMPTOM, CAUSE, ())
    told = describing.described(FOUND, CAUSE.id)
    assert (told.finding, told.cause, told.symptoms) == (CAUSE, None, (SYMPTOM,))
    assert describing.described(FOUND, OTHER.id).check.code == "REL-103"


def test_a_cause_that_is_not_there_any_more_is_none() -> None:
    assert describing.described(Scan((SYMPTOM,), (), Coverage()), SYMPTOM.id).cause is None


def test_a_muted_finding_is_explained_and_says_so() -> None:
    mute = mutes.made(what=CAUSE.id, namespaces=(), reason="known", by="local:jane", at=NOW, lasts=timedelta(days=1))
    hidden = Scan((SYMPTOM,), (), Coverage(), muted=(Muted(CAUSE, mute),))
    assert describing.described(hidden, CAUSE.id).mute == mute
    assert describing.described(hidden, SYMPTOM.id).cause == CAUSE
    assert describing.described(hidden, SYMPTOM.id).mute is None


def test_an_id_that_is_not_found_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match="no finding") as caught:
        describing.described(FOUND, CAUSE.id[:-1] + ("0" if CAUSE.id[-1] != "0" else "1"))
    assert CAUSE.id in caught.value.mend
    with pytest.raises(InvalidInput) as caught:
        describing.described(Scan((), (), Coverage()), CAUSE.id)
    assert "day2 scan -A" in caught.value.mend


@pytest.mark.parametrize("word", ["fnd-", "fnd-1", "fnd-xxxxxxxxxx", "REL-101", ""])
def test_what_no_finding_is_called_is_refused_before_any_scan(word: str) -> None:
    with pytest.raises(InvalidInput, match="no id of a finding"):
        describing.finding_word(word)
