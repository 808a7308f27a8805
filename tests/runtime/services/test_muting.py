"""What is muted is there and not shown: in scans, in what runs propose, and on disk for its owner alone."""

import asyncio
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.consulting import Consultation
from core.actions.catalogue import parse_action
from core.domain.errors import InvalidDocument, InvalidInput
from core.domain.evidence import observe
from core.domain.finding import Coverage, Finding, Severity, finding_id
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.target import Target
from core.policy import mutes
from core.policy.mutes import Mute
from runtime.consulting import as_json
from runtime.services import muting, scanning
from runtime.services.muting import MuteFolder, Unmuted
from tools.hand_clock import HandClock

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def target(name: str, namespace: str = "shop") -> Target:
    return Target(cluster="c-1", group="apps", kind="Deployment", namespace=namespace, name=name, uid=f"u-{name}")


def finding(name: str, *, code: str = "REL-101", namespace: str = "shop", severity: Severity = Severity.HIGH, cause: str = "") -> Finding:
    subject = target(name, namespace)
    return Finding(
        id=finding_id(code, subject), code=code, agent="reliability", severity=severity, subject=subject, title=name, matters="-",
        symptom_of=cause, at=NOW,
    )  # fmt: skip


def proposal(*findings: Finding) -> Proposal:
    subject = findings[0].subject
    return Proposal(
        action=parse_action(
            {"id": f"act-{subject.name}00", "kind": "scale_workload", "target": subject.model_dump(), "from_replicas": 4, "to_replicas": 2}
        ),
        agent="reliability",
        run="run-1",
        why="-",
        findings=tuple(item.id for item in findings),
        evidence=(observe("object", subject, "spec", "4", NOW),),
        effect=Effect(summary="-"),
        expires_at=NOW + DAY,
    )


def scan(*findings: Finding, proposals: tuple[Proposal, ...] = ()) -> scanning.Scan:
    return scanning.Scan(findings, proposals, Coverage(run=("REL-101",)), seen=frozenset(item.id for item in findings))


def mute(what: str, *namespaces: str, at: datetime = NOW, lasts: timedelta = DAY) -> Mute:
    return mutes.made(what=what, namespaces=namespaces, reason="known", by="local:jane", at=at, lasts=lasts)


CART, WEB = finding("cart"), finding("web", namespace="web", severity=Severity.LOW)


class TestScans:
    def test_without_what_is_muted_and_what_would_mend_it(self) -> None:
        both = scan(CART, WEB, proposals=(proposal(CART), proposal(WEB), proposal(CART, WEB)))
        found = muting.apart(both, [mute(CART.id)], NOW)
        assert found.findings == (WEB,)
        assert [row.finding for row in found.muted] == [CART]
        assert found.proposals == (proposal(WEB), proposal(CART, WEB)), "what also mends something else is still proposed"
        assert scanning.score(found.findings) == 99
        assert not found.at_least(Severity.HIGH)

    def test_a_code_is_muted_in_its_namespaces(self) -> None:
        assert muting.apart(scan(CART, WEB), [mute("REL-101", "web")], NOW).findings == (CART,)
        assert muting.apart(scan(CART, WEB), [mute("REL-101")], NOW).findings == ()
        assert muting.apart(scan(CART, WEB), [mute("REL-102")], NOW).findings == (CART, WEB)

    def test_what_follows_from_a_muted_cause_stays_and_counts(self) -> None:
        symptom = finding("front", code="REL-176", severity=Severity.MEDIUM, cause=CART.id)
        assert scanning.score((CART, symptom)) == 92
        found = muting.apart(scan(CART, symptom), [mute(CART.id)], NOW)
        assert found.findings == (symptom,)
        assert scanning.score(found.findings) == 97

    def test_a_mute_that_is_over_covers_nothing_and_is_told(self) -> None:
        over = mute(CART.id, at=NOW - DAY)
        assert muting.apart(scan(CART), [over], NOW - timedelta(seconds=1)).findings == ()
        found = muting.apart(scan(CART), [over], NOW)
        assert (found.findings, found.muted, found.ended) == ((CART,), (), (over,))


class TestFolder:
    def test_for_its_owner_alone_with_the_data_folder_above(self, tmp_path: Path) -> None:
        folder = muting.folder_of(tmp_path / "data")
        folder.add(mute(CART.id))
        for path in (tmp_path / "data", folder.path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
        (file,) = folder.path.glob("*.yaml")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert folder.all() == (mute(CART.id),)

    def test_reading_makes_nothing(self, tmp_path: Path) -> None:
        assert muting.folder_of(tmp_path / "data").all() == ()
        assert list(tmp_path.iterdir()) == []

    def test_one_that_was_told_is_over_is_kept_elsewhere(self, tmp_path: Path) -> None:
        folder = muting.folder_of(tmp_path)
        over = mute(CART.id, at=NOW - 2 * DAY)
        folder.add(over)
        muting.tell_ended(folder, (over,))
        assert (folder.all(), folder.ended()) == ((), (over,))

    def test_expire_ends_it_now_by_who_asked(self, tmp_path: Path) -> None:
        folder = muting.folder_of(tmp_path)
        folder.add(mute(CART.id))
        over = folder.expire(mute(CART.id).id, by="local:joe", now=NOW)
        assert (over.until, over.ended_by, over.holds(NOW)) == (NOW, "local:joe", False)
        assert (folder.all(), folder.ended()) == ((), (over,)), "also one that ends in the second in which it began"
        with pytest.raises(InvalidInput, match="no mute"):
            folder.expire(over.id, by="local:joe", now=NOW)

    def test_a_folder_that_cannot_be_written_costs_nobody_the_scan(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        (tmp_path / "mutes").write_text("a file where the folder should be")
        muting.tell_ended(muting.folder_of(tmp_path), (mute(CART.id),))
        assert "stays where it is" in caplog.text

    def test_a_document_with_a_mistake_is_named(self, tmp_path: Path) -> None:
        folder = muting.folder_of(tmp_path)
        folder.add(mute(CART.id))
        (file,) = folder.path.glob("*.yaml")
        file.write_text(file.read_text(encoding="utf-8").replace("known", ""), encoding="utf-8")
        with pytest.raises(InvalidDocument, match=file.name):
            folder.all()


class Agents:
    """Answers with what it was given."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer

    async def consult(self, agent: str, request: Request) -> dict[str, Any]:
        return self.answer


ANSWER = as_json("reliability", Consultation((CART, WEB), (proposal(CART), proposal(WEB)), Coverage(run=("REL-101",))))


def asked(folder: MuteFolder, answer: dict[str, Any], clock: HandClock) -> dict[str, Any]:
    request = Request(id="run-1", trigger="schedule", by="b", at=NOW)
    return asyncio.run(Unmuted(Agents(answer), folder.all, clock).consult("reliability", request))


class TestRuns:
    def test_nothing_is_proposed_for_what_is_muted_while_it_is(self, tmp_path: Path) -> None:
        folder, clock = muting.folder_of(tmp_path), HandClock(NOW)
        folder.add(mute(CART.id))
        found = asked(folder, ANSWER, clock)
        assert [row["id"] for row in found["findings"]] == [WEB.id]
        assert [row["findings"] for row in found["proposals"]] == [[WEB.id]]
        assert found["coverage"] == ANSWER["coverage"]
        clock.advance(DAY.total_seconds())
        assert asked(folder, ANSWER, clock) == ANSWER
        assert len(folder.all()) == 1, "that it is over is told by a scan, to a person"

    def test_a_document_that_cannot_be_read_mutes_nothing(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        folder = muting.folder_of(tmp_path)
        folder.add(mute(CART.id))
        (folder.path / "bad.yaml").write_text("kind: Mute\n", encoding="utf-8")
        assert asked(folder, ANSWER, HandClock(NOW)) == ANSWER
        assert "nothing is muted" in caplog.text

    @pytest.mark.parametrize("answer", [{}, {"findings": [1], "proposals": []}, {"findings": None}, {"findings": [{"id": "x"}]}])
    def test_an_answer_that_is_none_is_passed_on_to_who_refuses_it(self, tmp_path: Path, answer: dict[str, Any]) -> None:
        folder = muting.folder_of(tmp_path)
        folder.add(mute(CART.id))
        assert asked(folder, answer, HandClock(NOW)) == answer
