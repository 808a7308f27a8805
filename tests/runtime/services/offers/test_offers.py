"""What the doors offer: each role can call what is listed for it and nothing else, and nothing is read before that is checked."""

from pathlib import Path
from typing import Any

import pytest

from core.domain.access import RIGHTS, Right, Role, roles_of
from core.domain.errors import Conflict, InvalidInput, NotAuthorised
from core.domain.intake import Stage
from interfaces.rendering.offered import DOCUMENTS
from runtime.services.offering import Offer, Offers, Ports
from runtime.services.offers.table import OFFERS
from tests.contracts.consoles import World
from tests.contracts.doors import caller, ports


class Untouched:
    """Ports that must not be reached."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was reached before the right was checked")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("row", OFFERS, ids=lambda row: row.name)
async def test_a_role_may_call_what_is_listed_for_it_and_nothing_else(row: Offer[Any], role: Role) -> None:
    offers = Offers(OFFERS, Untouched())  # type: ignore[arg-type]
    me = caller(role)
    if row in offers.listed(me):
        with pytest.raises((AssertionError, InvalidInput)):  # it goes on to its arguments, and to the ports
            await offers.call(me, row.name, {"no such field": 1} if row.takes.model_fields else {})
    else:
        with pytest.raises(NotAuthorised) as refused:
            await offers.call(me, row.name, {})
        assert refused.value.right == row.right.value
        assert "access.admin" in refused.value.mend


def test_names_are_one_each_and_every_one_has_its_document() -> None:
    names = [row.name for row in OFFERS]
    assert sorted(names) == sorted(set(names))
    assert set(names) == set(DOCUMENTS)


def test_what_only_reads_asks_for_reading_and_what_writes_says_so() -> None:
    assert {row.name for row in OFFERS if row.writes and row.right is Right.READ} == {"questions.ask"}
    assert all(row.writes for row in OFFERS if row.right is not Right.READ)


def test_nobody_gains_the_rights_of_another_role_by_the_way() -> None:
    assert Right.DECIDE not in RIGHTS[Role.OPERATOR]
    assert Right.PROPOSE not in RIGHTS[Role.APPROVER]
    assert RIGHTS[Role.SENDER] == {Right.SEND}
    assert all(Right.MANAGE not in rights for role, rights in RIGHTS.items() if role is not Role.ADMIN)


def test_roles_are_given_by_name_by_group_or_to_everybody() -> None:
    given = {Role.VIEWER: ("*",), Role.APPROVER: ("group:Payments",), Role.ADMIN: ("OIDC:Ana@example.org",)}
    assert roles_of("oidc:ana@example.org", (), given) == {Role.VIEWER, Role.ADMIN}
    assert roles_of("oidc:bo@example.org", ("Payments",), given) == {Role.VIEWER, Role.APPROVER}
    assert roles_of("oidc:bo@example.org", ("payments",), given) == {Role.VIEWER}


@pytest.fixture
def open_ports(tmp_path: Path) -> Ports:
    return ports(tmp_path)


async def test_a_question_is_durable_redacted_and_the_same_id_is_the_same_run(open_ports: Ports) -> None:
    offers, me = Offers(OFFERS, open_ports), caller(Role.VIEWER)
    wanted = {"text": "why is shop slow? password=hunter2hunter2", "id": "run-abc"}
    first = await offers.call(me, "questions.ask", wanted)
    again = await offers.call(me, "questions.ask", wanted | {"text": "another"})
    assert first == again
    assert (first.stage, first.request.act, first.door) == (Stage.WAITING, False, "api")
    assert "hunter2" not in first.request.text
    assert [item.request.id for item in open_ports.intake.open()] == ["run-abc"]
    shown = await offers.call(me, "runs.get", {"run": "run-abc"})
    assert (shown.run, shown.answer, shown.asked) == (None, None, first)


async def test_a_stop_holds_until_an_admin_resumes(open_ports: Ports) -> None:
    offers = Offers(OFFERS, open_ports)
    stopped = await offers.call(caller(Role.OPERATOR), "writes.stop", {"reason": "a fire"})
    assert [(row.scope, row.by) for row in stopped] == [("all", "oidc:ana@example.org")]
    with pytest.raises(NotAuthorised):
        await offers.call(caller(Role.OPERATOR), "writes.resume", {"reason": "it is out"})
    with pytest.raises(InvalidInput, match="is not stopped"):
        await offers.call(caller(Role.ADMIN), "writes.resume", {"scope": "agent=finops", "reason": "it is out"})
    assert await offers.call(caller(Role.ADMIN), "writes.resume", {"reason": "it is out"}) == []


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("nothing.such", {}, "no service"),
        ("runs.get", {}, "run: Field required"),
        ("runs.list", {"limit": 0}, "greater than or equal to 1"),
        ("runs.list", {"limits": 3}, "Extra inputs are not permitted"),
        ("runs.get", {"run": "run-nobody"}, "no run"),
        ("actions.get", {"action": "act-nobody"}, "no action"),
        ("actions.approve", {"action": "act-nobody", "reason": "well"}, "no action"),
        ("writes.stop", {"scope": "approver=ana", "reason": "tired"}, "should match pattern"),
        ("findings.mute", {"what": "REL-000", "reason": "noise", "hours": 4}, "REL-000"),
    ],
)
async def test_bad_arguments_are_named_with_what_would_do(open_ports: Ports, name: str, wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        await Offers(OFFERS, open_ports).call(caller(Role.ADMIN), name, wanted)
    assert refused.value.mend


async def test_findings_are_of_each_agents_last_look_and_those_nobody_asked_are_said(open_ports: Ports) -> None:
    looked = await Offers(OFFERS, open_ports).call(caller(Role.VIEWER), "findings.list", {})
    assert looked.scan.findings == ()
    assert {row.check for row in looked.scan.coverage.not_run} == {"finops", "reliability", "scaling", "security"}
    one = await Offers(OFFERS, open_ports).call(caller(Role.VIEWER), "findings.list", {"agents": ["finops"]})
    assert [row.check for row in one.scan.coverage.not_run] == ["finops"]


async def test_a_mute_has_who_asked_and_an_end(open_ports: Ports) -> None:
    offers = Offers(OFFERS, open_ports)
    held = await offers.call(caller(Role.OPERATOR), "findings.mute", {"what": "REL-101", "reason": "known", "hours": 4})
    (mute,) = held.mutes
    assert (mute.by, mute.until - mute.at) == ("oidc:ana@example.org", mute.until - held.at)
    over = await offers.call(caller(Role.OPERATOR), "mutes.expire", {"mute": mute.id})
    assert over.mutes[0].ended_by == "oidc:ana@example.org"
    assert (await offers.call(caller(Role.VIEWER), "mutes.list", {})).mutes == ()


async def test_nothing_is_decided_of_what_expired_though_the_judge_has_not_looked(tmp_path: Path) -> None:
    world = World(tmp_path)
    row = await world.action()
    world.ports.clock.advance(4 * 3600 + 1)  # type: ignore[attr-defined]
    for name in ("actions.approve", "actions.deny"):
        with pytest.raises(Conflict, match="expired at"):
            await world.house.offers.call(caller(Role.APPROVER), name, {"action": row.action_id, "reason": "late"})
    assert world.ports.ledger.approvals(row.action_id) == []


async def test_a_time_without_a_zone_is_no_time_for_the_chain(open_ports: Ports) -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        await Offers(OFFERS, open_ports).call(caller(Role.VIEWER), "audit.list", {"since": "2026-11-27T09:00:00"})
