"""A mute is a document: strict, with a reason and an end, of one finding or of one check."""

from datetime import UTC, datetime, timedelta

import pytest

from core.domain.errors import InvalidDocument, InvalidInput
from core.policy import mutes
from core.policy.mutes import Mute, covering

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FINDING = "fnd-3fa9c2d1e0"
GOOD = """\
apiVersion: day2.dev/v1alpha1
kind: Mute
metadata: {name: mute-1}
spec:
  finding: fnd-3fa9c2d1e0
  reason: known
  by: local:jane
  at: "2026-01-01T00:00:00Z"
  until: "2026-01-08T00:00:00Z"
"""


def made(what: str = FINDING, *, namespaces: tuple[str, ...] = (), days: float = 7, reason: str = "known") -> Mute:
    return mutes.made(what=what, namespaces=namespaces, reason=reason, by="local:jane", at=NOW, lasts=timedelta(days=days))


@pytest.mark.parametrize("mute", [made(), made("REL-101"), made("REL-101", namespaces=("shop", "web"), reason='"quoted": {and} #odd')])
def test_what_is_written_is_read_back(mute: Mute) -> None:
    assert mutes.read(mutes.written(mute), "m.yaml") == (mute,)


def test_a_document_by_hand_is_read() -> None:
    (mute,) = mutes.read(GOOD, "m.yaml")
    assert (mute.id, mute.about, mute.until) == ("mute-1", FINDING, datetime(2026, 1, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("reason: known", "reason: ''", "reason"),
        ("reason: known", "reason: '  '", "a reason says something"),
        ("  reason: known\n", "", "reason"),
        ('  until: "2026-01-08T00:00:00Z"\n', "", "until"),
        ("2026-01-08", "2026-02-08", "at most 30 days"),
        ("2026-01-08", "2025-12-08", "later than"),
        ("T00:00:00Z", "T00:00:00", "zone"),
        ("finding: fnd-3fa9c2d1e0", "code: REL-1", "code"),
        ("finding: fnd-3fa9c2d1e0", "finding: all", "finding"),
        ("  finding: fnd-3fa9c2d1e0\n", "", "one of them"),
        ("  reason:", "  code: REL-101\n  reason:", "one of them"),
        ("  reason:", "  namespaces: [shop]\n  reason:", "limits a `code`"),
        ("  reason:", "  resaon: x\n  reason:", "did you mean `reason`?"),
        ("kind: Mute", "kind: Mutes", "did you mean `Mute`?"),
        ("kind: Mute", "kind: Grant", "kind must be one of Mute"),
        ("v1alpha1", "v2", "apiVersion"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=r"^m\.yaml:") as caught:
        mutes.read(GOOD.replace(old, new), "m.yaml")
    assert said in str(caught.value)


@pytest.mark.parametrize(("days", "reason"), [(0, "x"), (-1, "x"), (30.001, "x"), (1, " ")])
def test_a_mute_without_end_or_reason_is_not_made(days: float, reason: str) -> None:
    with pytest.raises(InvalidInput):
        made(days=days, reason=reason)


def test_it_covers_from_its_begin_to_just_before_its_end() -> None:
    mute = made(days=1)
    end = NOW + timedelta(days=1)
    assert [mute.holds(at) for at in (NOW - timedelta(seconds=1), NOW, end - timedelta(seconds=1), end)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("mute", "identity", "code", "namespace", "covered"),
    [
        (made(), FINDING, "REL-101", "shop", True),
        (made(), "fnd-0000000000", "REL-101", "shop", False),
        (made("REL-101"), "fnd-0000000000", "REL-101", "any", True),
        (made("REL-101"), "fnd-0000000000", "REL-102", "any", False),
        (made("REL-101", namespaces=("shop",)), "fnd-0000000000", "REL-101", "shop", True),
        (made("REL-101", namespaces=("shop",)), "fnd-0000000000", "REL-101", "web", False),
        (made("REL-101", namespaces=("shop",)), "fnd-0000000000", "REL-101", "", False),
    ],
)
def test_a_mute_covers_one_finding_or_the_findings_of_one_check(
    mute: Mute, identity: str, code: str, namespace: str, covered: bool
) -> None:
    assert mute.covers(identity, code, namespace) is covered
    assert (covering([mute], identity, code, namespace, NOW) is mute) is covered


def test_of_several_the_longest_counts_and_none_that_is_over() -> None:
    short, long, over = made(days=1), made("REL-101", days=2), made("REL-101", namespaces=("shop",), days=30)
    assert covering([short, long], FINDING, "REL-101", "shop", NOW) is long
    assert covering([short, long, over], FINDING, "REL-101", "shop", NOW + timedelta(days=40)) is None
