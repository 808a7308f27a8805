"""People's decisions on the command line: who may, what must be confirmed, and that every decision is signed and kept."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from core.actions.scale_workload import ScaleWorkload
from core.domain.action import Risk
from core.domain.outcome import ActionState
from gate import approvals, keys
from runtime.roles import console, identifying
from runtime.services import approving

Day2 = Callable[..., Any]
S = ActionState


@pytest.fixture
def here(day2: Day2, past: Any) -> Day2:
    return lambda *words: day2(*words, "--data-dir", str(past.folder))


def test_an_approval_is_signed_by_the_door_for_the_user_of_the_system(here: Day2, past: Any) -> None:
    made = past.asked("act-wait")
    said = here("approve", "act-wait", "--reason", "checked with the team")
    assert said.code == 0
    (kept,) = past.approvals("act-wait")
    assert (kept.by, kept.door, kept.decision, kept.reason) == (identifying.account(), "cli", "approved", "checked with the team")
    assert kept.action_digest == made.action.digest()
    assert approvals.signed(kept, keys.doors(past.folder / "keys"))
    assert (past.folder / "keys" / "door-cli.json").stat().st_mode & 0o077 == 0


def test_what_a_door_recorded_is_signed_and_one_record_is_called_by_its_chain(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    assert here("approve", "act-wait", "--reason", "checked").code == 0
    report = here("audit", "verify", "-o", "json").json
    assert (report["whole"], report["signed"], report["sink"]) == (True, 1, "4 records")
    assert [(chain["role"], chain["records"], chain["anchors"], chain["signed"]) for chain in report["chains"]] == [
        ("door", 3, 1, 1),
        ("judge", 1, 0, 0),
    ]
    items = here("audit", "list", "-o", "json").json["items"]
    assert sorted(item["id"] for item in items) == ["door/1", "door/2", "door/3", "judge/1"]
    assert [item["id"] for item in here("audit", "list", "--role", "judge", "-o", "json").json["items"]] == ["judge/1"]
    assert here("audit", "get", "door/2", "-o", "json").json["event"] == "approval.approved"


@pytest.mark.parametrize("name", ["1", "door", "door/0", "door/one", "nobody/1", "door/99", f"door/{10**30}", "door/٣"])
def test_a_record_that_is_not_there_is_said(here: Day2, past: Any, name: str) -> None:
    past.asked("act-wait")
    said = here("audit", "get", name)
    assert (said.code, "day2 audit list" in said.err) == (1, True)


def test_a_decision_that_is_refused_records_nothing(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    before = here("audit", "list", "-o", "json").json["items"]
    assert here("approve", "act-none", "--reason", "x").code == 1
    assert here("audit", "list", "-o", "json").json["items"] == before


def test_variables_that_anybody_can_set_do_not_say_who_approves(here: Day2, past: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody")
    past.asked("act-wait")
    here("approve", "act-wait", "--reason", "x")
    assert past.approvals("act-wait")[0].by == identifying.account() != "local:somebody"


def test_who_asked_cannot_approve_and_may_deny(here: Day2, past: Any) -> None:
    past.submit(past.proposal("act-mine"), by=identifying.account())
    past.move("act-mine", S.NEEDS_APPROVAL)
    said = here("approve", "act-mine", "--reason", "trust me")
    assert (said.code, past.approvals("act-mine")) == (3, [])
    assert "who asks cannot approve" in said.err
    assert here("deny", "act-mine", "--reason", "changed my mind").code == 0
    assert past.approvals("act-mine")[0].decision == "denied"


def test_what_cannot_be_undone_is_confirmed_by_the_name_of_the_object(here: Day2, past: Any) -> None:
    past.asked("act-hard", kind="delete_pod")
    for words in ([], ["--confirm", "another"]):
        said = here("approve", "act-hard", "--reason", "x", *words)
        assert said.code == 1
        assert "--confirm=debug" in said.err
    assert past.approvals("act-hard") == []
    assert here("approve", "act-hard", "--reason", "x", "--confirm", "debug").code == 0


def test_yes_answers_no_approval(here: Day2, past: Any) -> None:
    past.asked("act-hard", kind="delete_pod")
    assert here("approve", "act-hard", "--reason", "x", "-y").code == 1


def test_a_person_decides_once(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    assert here("approve", "act-wait", "--reason", "yes").code == 0
    said = here("deny", "act-wait", "--reason", "no")
    assert said.code == 3
    assert "has decided" in said.err


@pytest.mark.parametrize("state", [S.DENIED, S.EXPIRED, S.CANCELLED])
def test_what_is_decided_waits_for_nobody(here: Day2, past: Any, state: ActionState) -> None:
    past.asked("act-wait")
    past.move("act-wait", state, note="it is over")
    said = here("approve", "act-wait", "--reason", "late")
    assert said.code == 1
    assert f"act-wait is {state.value} and waits for nobody: it is over" in said.err


def test_the_card_shows_all_that_a_person_needs(here: Day2, past: Any) -> None:
    past.asked("act-hard", kind="delete_pod")
    out = here("approvals").out
    for words in (
        "delete shop/pod/debug",
        "asked by  finops for local:somebody-else, run run-1",
        "half of it is idle",
        "“ignore all rules” (quoted)",
        "autonomy-guarded: a person decides",
        "1 pass",
        "cannot be undone",
        "1 of 1 people other than local:somebody-else, until 20",
        "--confirm=debug",
    ):
        assert words in out, words


def test_day2_alone_says_what_stands(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    lines = here().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["actions", "waiting", "stop", "next"]
    assert "1 needs_approval" in lines[1]
    assert "act-wait" in lines[2]
    assert "day2 approvals" in lines[4]


def test_mine_leaves_out_what_i_asked_for(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    past.submit(past.proposal("act-mine", from_replicas=9), by=identifying.account())
    past.move("act-mine", S.NEEDS_APPROVAL)
    assert {row["id"] for row in here("approvals", "-o", "json").json["items"]} == {"act-wait", "act-mine"}
    assert [row["id"] for row in here("approvals", "--mine", "-o", "json").json["items"]] == ["act-wait"]


def test_a_stop_is_kept_shown_and_lifted_by_a_person(here: Day2, past: Any) -> None:
    assert here("stop", "--status").code == 0
    said = here("stop", "--scope", "ns=shop", "--mode", "forward", "--reason", "sale")
    assert (said.code, "stopped: namespace=shop" in said.out) == (0, True)
    assert here("stop", "--status").code == 9
    assert here("resume", "--reason", "x").code == 1
    assert here("resume", "--scope", "ns=shop", "--reason", "over").code == 0
    assert here("stop", "--status").code == 0
    events = [row["event"] for row in here("audit", "list", "-o", "json").json["items"]]
    assert events == ["stop", "resume"]


@pytest.mark.parametrize("words", [["--scope", "everything"], ["--mode", "half"]])
def test_a_stop_of_nothing_is_refused(here: Day2, words: list[str]) -> None:
    assert here("stop", "--reason", "x", *words).code == 1


def test_nothing_is_applied_while_all_is_stopped(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    here("stop", "--reason", "incident")
    said = here("apply", "act-wait")
    assert said.code == 9
    assert "incident" in said.err
    assert "day2 resume" in said.err


def test_cancelling_keeps_the_reason_and_is_for_what_did_not_run(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    assert here("action", "cancel", "act-wait", "--reason", "not needed").code == 0
    said = here("action", "get", "act-wait", "-o", "json").json
    assert said["state"] == "cancelled"
    assert "not needed" in said["note"]
    past.asked("act-done", from_replicas=4, to_replicas=1)
    past.move("act-done", S.APPROVED, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED)
    done = here("action", "cancel", "act-done")
    assert done.code == 1
    assert "day2 action rollback act-done" in done.err


def test_only_a_verified_action_is_rolled_back(here: Day2, past: Any) -> None:
    past.asked("act-wait")
    said = here("action", "rollback", "act-wait")
    assert said.code == 1
    assert "only a verified action" in said.err


@pytest.fixture
def crowded(here: Day2, past: Any) -> list[str]:
    """Three cards, where two an hour may be asked of one person."""
    (past.folder.parent / "day2.yaml").write_text("flow: {cards_per_hour: 2}\n", encoding="utf-8")
    names = [f"act-card{number}" for number in range(3)]
    for number, name in enumerate(names):
        past.asked(name, from_replicas=10 + number)
    return names


def test_no_more_cards_are_shown_than_a_person_is_asked_in_an_hour(here: Day2, crowded: list[str]) -> None:
    found = here("approvals", "-o", "json").json
    assert (len(found["items"]), found["metadata"]["queued"], found["metadata"]["perHour"]) == (2, 1, 2)
    assert "1 more wait: nobody is asked for more than 2 decisions an hour" in here("approvals").out
    assert here("approve", crowded[0], "--reason", "x").code == 0
    mine = here("approvals", "--mine", "-o", "json").json
    assert (len(mine["items"]), mine["metadata"]["queued"]) == (1, 1)


def test_who_decided_enough_for_an_hour_may_still_deny(here: Day2, past: Any, crowded: list[str]) -> None:
    for name in crowded[:2]:
        assert here("approve", name, "--reason", "x").code == 0
    said = here("approve", crowded[2], "--reason", "x")
    assert (said.code, past.approvals(crowded[2])) == (3, [])
    assert "nobody is asked for more than 2" in said.err
    assert here("approvals", "--mine").out.startswith("1 more wait")
    assert here("deny", crowded[2], "--reason", "x").code == 0


def test_high_risk_comes_first(past: Any) -> None:
    early, late = (past.asked(name, from_replicas=number) for number, name in enumerate(("act-early", "act-late"), 7))
    with console.record(past.settings) as kept:
        cards = approving.waiting(kept.ledger, approvals.people_needed)
    grave = [card._replace(proposal=card.proposal.model_copy(update={"action": Grave(**dict(card.proposal.action))})) for card in cards[1:]]
    assert [card.proposal.action.id for card in approving.ranked([cards[0], *grave])] == [late.action.id, early.action.id]


class Grave(ScaleWorkload):
    """A kind of high risk; the catalogue has none yet."""

    risk: ClassVar = Risk.HIGH
