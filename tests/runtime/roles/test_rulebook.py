"""The judge's rules while it runs: a changed folder counts only when it passed its checks, and the last good rules stay until then."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.domain.values import Json
from core.policy import engine, loading
from runtime.roles import rulebook
from runtime.roles.rulebook import Rulebook
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RULE = """\
apiVersion: day2.dev/v1alpha1
kind: ActionPolicy
metadata: {name: no-shop}
spec:
  why: The shop is ours.
  appliesTo: ["*"]
  decision: deny
  when: facts.namespace == 'shop'
  message: "'not in the shop'"
  tests:
    - {name: in the shop, expect: deny}
    - {name: elsewhere, facts: {namespace: other}, expect: pass}
"""


async def here(folder: Path) -> Json:
    """The check without a process of its own."""
    return loading.answer(folder)


class Judge:
    """A rulebook with its folder, and what it recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = MemoryLedger()

    @cached_property
    def book(self) -> Rulebook:
        """Made when it is first asked for, as a judge makes its own when it starts."""
        return Rulebook(self.folder, self.ledger, HandClock(NOW), here)

    def write(self, text: str, name: str = "ours.yaml") -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def names(self) -> set[str]:
        return {rule.policy.name for rule in self.book.look().rules}

    @property
    def records(self) -> list[tuple[str, str]]:
        return [(row.event, row.body) for row in self.ledger.chain()]

    async def settled(self) -> engine.Engine:
        """The rules in force once what is on disk now has been checked."""
        self.book.look()
        if self.book.checking:
            await self.book.checking
        return self.book.look()


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(tmp_path)


async def test_without_a_folder_the_built_in_rules_hold_and_nothing_is_recorded() -> None:
    ledger = MemoryLedger()
    book = Rulebook(None, ledger, HandClock(NOW))
    await book.begin()
    assert (book.look().digest, book.checking, ledger.chain()) == (engine.builtin().digest, None, [])


async def test_it_begins_with_the_folders_rules_and_says_which(judge: Judge) -> None:
    judge.write(RULE)
    await judge.book.begin()
    assert "no-shop" in judge.names
    ((event, body),) = judge.records
    assert event == "policy.loaded"
    assert judge.book.look().digest in body


async def test_it_does_not_begin_with_rules_that_fail_their_tests(judge: Judge) -> None:
    judge.write(RULE.replace("expect: deny", "expect: pass"))
    with pytest.raises(InvalidInput, match=r"ours\.yaml:10: rule no-shop"):
        await judge.book.begin()
    assert [event for event, _ in judge.records] == ["policy.refused"]


async def test_a_changed_folder_counts_once_it_was_checked_and_not_before(judge: Judge) -> None:
    await judge.book.begin()
    judge.write(RULE)
    assert "no-shop" not in judge.names
    assert judge.book.checking is not None
    assert "no-shop" in {rule.policy.name for rule in (await judge.settled()).rules}
    assert judge.book.checking is None
    assert [event for event, _ in judge.records] == ["policy.loaded", "policy.loaded"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RULE.replace("name: elsewhere, facts: {namespace: other}", "name: elsewhere"), "ours.yaml:12: rule no-shop: test `elsewhere`"),
        (RULE.replace("facts.namespace", "facts.nmespace"), "ours.yaml:8: "),
        (RULE.replace("no-shop", "emergency-stop"), "ours.yaml:3: there is a built-in rule"),
        (RULE[:120], "ours.yaml:"),
    ],
    ids=["a test fails", "a fact that does not exist", "a name that is taken", "a file that was half written"],
)
async def test_what_is_refused_leaves_the_last_good_rules_and_is_said(
    judge: Judge, caplog: pytest.LogCaptureFixture, text: str, reason: str
) -> None:
    judge.write(RULE)
    await judge.book.begin()
    good = judge.book.look().digest
    judge.write(text)
    assert (await judge.settled()).digest == good
    event, body = judge.records[-1]
    assert event == "policy.refused"
    assert reason in body
    assert good in body
    assert reason in caplog.text
    assert "stay in force" in caplog.text
    assert judge.book.checking is None, "the same folder is not checked again"


async def test_a_mended_folder_is_taken_over(judge: Judge) -> None:
    await judge.book.begin()
    judge.write(RULE.replace("expect: deny", "expect: pass"))
    await judge.settled()
    judge.write(RULE)
    await judge.settled()
    assert "no-shop" in judge.names
    (judge.folder / "ours.yaml").unlink()
    assert (await judge.settled()).digest == engine.builtin().digest


async def test_a_folder_that_is_gone_leaves_the_last_good_rules(judge: Judge, tmp_path: Path) -> None:
    judge.write(RULE)
    await judge.book.begin()
    (judge.folder / "ours.yaml").unlink()
    judge.folder.rmdir()
    await judge.settled()
    assert "no-shop" in judge.names
    assert judge.records[-1][0] == "policy.refused"


async def test_the_check_is_a_process_of_its_own_that_answers_with_the_whole_set(tmp_path: Path) -> None:
    assert await rulebook.checked(tmp_path) == loading.answer(tmp_path)


async def test_a_check_that_does_not_come_to_an_end_is_a_refusal(tmp_path: Path) -> None:
    answer = await rulebook.checked(tmp_path, 0.0)
    assert "did not come to an answer" in answer["refused"]


@pytest.mark.parametrize("broken", ["gone", "dry", "loose"])
def test_a_set_without_a_locked_rule_as_it_is_never_counts(tmp_path: Path, broken: str) -> None:
    answer = loading.answer(tmp_path)
    assert rulebook.taken(answer).digest == engine.builtin().digest
    changes: dict[str, dict[str, Any]] = {"dry": {"mode": "dry"}, "loose": {"approvers": 1}}
    others = [policy for policy in answer["policies"] if policy["name"] != "high-risk"]
    locked = next(policy for policy in answer["policies"] if policy["name"] == "high-risk")
    more = [] if broken == "gone" else [locked | changes[broken]]
    with pytest.raises(InvalidInput, match="locked rule `high-risk`"):
        rulebook.taken({"policies": [*others, *more]})


async def comes(holds: Callable[[], bool]) -> bool:
    """Without virtual time: nothing may expire while a check takes its real time."""
    for _ in range(4000):
        if holds():
            return True
        await asyncio.sleep(0.02)
    return False


@pytest.mark.slow
async def test_a_running_judge_takes_over_a_rule_and_keeps_it_when_the_next_change_is_bad(house: Any, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    house.start("judge", policies=str(folder))
    (folder / "ours.yaml").write_text(RULE, encoding="utf-8")

    def events() -> list[str]:
        return [row.event for row in house.ledger.chain() if row.event.startswith("policy.")]

    assert await comes(lambda: events() == ["policy.loaded", "policy.loaded"]), events()
    (folder / "ours.yaml").write_text(RULE.replace("expect: deny", "expect: pass"), encoding="utf-8")
    assert await comes(lambda: events()[-1] == "policy.refused"), events()
    action = await house.submit()
    assert await house.until_ended(action)
    assert "no-shop: not in the shop" in house.row(action).note


def whole_set(*more: dict[str, Any], without: str = "") -> Json:
    """An answer of the check: the platform's rules but one, and more."""
    own = [rule.policy for rule in engine.builtin().rules if rule.policy.name != without]
    return {"policies": [*(policy.model_dump(mode="json") for policy in own), *more]}


UNLOCKED = next(rule.policy.name for rule in engine.builtin().rules if rule.policy.name not in engine.LOCKED)


class Checks:
    """A check that takes as long as it is told, and how often it was asked."""

    def __init__(self, answer: Json) -> None:
        self.answer, self.asked, self.may_end = answer, 0, asyncio.Event()

    async def __call__(self, _: Path) -> Json:
        self.asked += 1
        await self.may_end.wait()
        return self.answer


def watched(folder: Path, checks: Checks) -> tuple[Rulebook, MemoryLedger]:
    ledger = MemoryLedger()
    return Rulebook(folder, ledger, HandClock(NOW), checks), ledger


@pytest.mark.parametrize("locked", [True, False])
def test_only_a_locked_rule_may_not_be_missing(locked: bool) -> None:
    name = next(rule.policy.name for rule in engine.builtin().rules if (rule.policy.name in engine.LOCKED) is locked)
    if locked:
        with pytest.raises(InvalidInput, match=f"locked rule `{name}`"):
            rulebook.taken(whole_set(without=name))
    else:
        found = rulebook.taken(whole_set(without=name))
        assert name not in {rule.policy.name for rule in found.rules}


async def test_while_a_check_is_under_way_the_rules_stay_and_nobody_else_is_asked(tmp_path: Path) -> None:
    checks = Checks(whole_set(without=UNLOCKED))
    book, ledger = watched(tmp_path, checks)
    before = book.look().digest
    (tmp_path / "ours.yaml").write_text("a: 1\n")
    assert book.look().digest == before
    first = book.checking
    await asyncio.sleep(0)
    (tmp_path / "more.yaml").write_text("a: 1\n")
    assert book.look().digest == before
    assert book.checking is first
    assert (checks.asked, ledger.chain()) == (1, [])
    checks.may_end.set()
    assert first is not None
    await first
    after = book.look().digest
    assert after != before
    assert [(row.event, after in row.body) for row in ledger.chain()] == [("policy.loaded", True)]
    assert book.checking is not None, "what was changed meanwhile is checked too"
    await book.checking
    assert checks.asked == 2
    book.look()
    assert book.checking is None


async def test_a_folder_that_stays_as_it_was_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("a: 1\n")
    checks = Checks(whole_set())
    book, ledger = watched(tmp_path, checks)
    for _ in range(3):
        book.look()
        await asyncio.sleep(0)
    assert (book.checking, checks.asked, ledger.chain()) == (None, 0, [])


async def test_rules_that_a_judge_begins_with_are_on_record_and_so_is_a_refusal(tmp_path: Path) -> None:
    checks = Checks(whole_set())
    checks.may_end.set()
    book, ledger = watched(tmp_path, checks)
    await book.begin()
    checks.answer = {"refused": "ours.yaml:3: no"}
    with pytest.raises(InvalidInput, match=r"ours\.yaml:3: no"):
        await book.begin()
    assert [(row.role, row.event, row.subject) for row in ledger.chain()] == [
        ("judge", "policy.loaded", str(tmp_path)),
        ("judge", "policy.refused", str(tmp_path)),
    ]


def children() -> set[str]:
    """Of this process, also those that ended and that nobody took note of."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


async def test_a_check_that_is_given_up_leaves_no_process_behind(tmp_path: Path) -> None:
    before = children()
    async with asyncio.timeout(30):
        assert "did not come to an answer within 0 s" in (await rulebook.checked(tmp_path, 0.0))["refused"]
    assert children() <= before


def test_a_link_to_nothing_that_gets_another_name_is_a_change(tmp_path: Path) -> None:
    link = tmp_path / "gone.yaml"
    link.symlink_to(tmp_path / "nothing")
    before = rulebook.stamp(tmp_path)
    link.rename(tmp_path / "other.yaml")
    assert rulebook.stamp(tmp_path) != before


def test_a_link_to_nothing_hides_no_change_of_the_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nothing")
    (tmp_path / "rules.yml").write_text("a: 1\n")
    before = rulebook.stamp(tmp_path)
    (tmp_path / "rules.yml").write_text("a: 22\n")
    changed = rulebook.stamp(tmp_path)
    (tmp_path / "gone.yaml").unlink()
    assert len({str(each) for each in (before, changed, rulebook.stamp(tmp_path))}) == 3
    assert rulebook.stamp(None) == rulebook.stamp(tmp_path / "none") == []
