"""The API server's own log and our chains must tell the same story, write by write."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.domain.ledger import AuditRow, Entry, link
from runtime.services.reconciling import Reconciliation, reconcile
from runtime.services.server_log import events

AT = datetime(2026, 11, 2, 12, tzinfo=UTC)


def token(jti: str) -> str:
    middle = base64.urlsafe_b64encode(json.dumps({"jti": jti}).encode()).decode().rstrip("=")
    return f"e30.{middle}.c2ln"


def event(jti: str = "", *, minutes: float = 0, as_user: str = "day2:agent:scaling", verb: str = "patch", **changes: Any) -> dict[str, Any]:
    """As an API server writes it at level Metadata: the executor impersonates an agent."""
    extra = {"extra": {"day2.dev/permit": [token(jti)]}} if jti else {}
    return {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "0b0f",
        "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/shop/deployments/web/scale?fieldManager=day2ops-scaling",
        "verb": verb,
        "user": {"username": "system:serviceaccount:day2-system:day2-executor", "groups": ["system:authenticated"]},
        "impersonatedUser": {"username": as_user, **extra},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": (AT + timedelta(minutes=minutes)).isoformat().replace("+00:00", ".000000Z"),
        **changes,
    }


ELSE = [event(as_user="jane", minutes=-60), event(as_user="jane", minutes=60)]
"""Others write before and after: the log covers the two hours around."""


def chain(*told: tuple[str, str, str]) -> list[AuditRow]:
    """Records of subject, event and permit."""
    rows: list[AuditRow] = []
    for place, (subject, name, jti) in enumerate(told, 1):
        body = {"jti": jti} if jti else {"note": ""}
        rows.append(link(Entry("executor", name, subject, body, AT), place, place, ""))
    return rows


def compared(tmp_path: Path, logged: list[dict[str, Any]], records: list[AuditRow]) -> Reconciliation:
    path = tmp_path / "audit.log"
    path.write_text("".join(json.dumps(item) + "\n" for item in logged), encoding="utf-8")
    return reconcile(events(path), records)


VERIFIED = chain(("act-1", "permit.spent", "p-1"), ("act-1", "applied", ""), ("act-1", "verified", ""))
UNDONE = chain(("act-2", "permit.spent", "p-2"), ("act-2", "applied", ""), ("act-2", "permit.spent", "p-3"), ("act-2", "rolled_back", ""))


def test_a_write_and_its_undo_are_found_on_both_sides(tmp_path: Path) -> None:
    found = compared(tmp_path, [event("p-1"), event("p-2"), event("p-3"), *ELSE], VERIFIED + UNDONE)
    assert found == Reconciliation(writes=3, matched=3, uncovered=0, problems=())


def test_what_was_refused_tried_read_or_done_by_others_is_no_write_of_ours(tmp_path: Path) -> None:
    others = [
        event("p-9", responseStatus={"code": 403}),
        event("p-9", requestURI="/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=x"),
        event("p-9", verb="get"),
        event("p-9", stage="RequestReceived"),
        event("p-9", as_user="system:serviceaccount:kube-system:deployment-controller"),
    ]
    assert compared(tmp_path, [event("p-1"), *others], VERIFIED).problems == ()


UNEXPLAINED = {
    "no permit": (event(), "stored without a permit"),
    "a permit that cannot be read": (
        event("p-1", impersonatedUser={"username": "day2:agent:scaling", "extra": {"day2.dev/permit": ["x"]}}),
        "without a permit",
    ),
    "a permit that we never used": (event("p-7"), "no record of permit p-7"),
    "somebody logged in as an agent": (event(impersonatedUser=None, user={"username": "day2:agent:scaling"}), "stored without a permit"),
    "a preview that was stored": (event(as_user="day2:preview:scaling"), "stored without a permit"),
}


@pytest.mark.parametrize("case", UNEXPLAINED.values(), ids=UNEXPLAINED)
def test_a_write_that_our_chains_do_not_explain_is_named(tmp_path: Path, case: tuple[dict[str, Any], str]) -> None:
    logged, said = case
    found = compared(tmp_path, [event("p-1"), logged, *ELSE], VERIFIED)
    assert (found.writes, found.matched) == (2, 1)
    assert [said in problem for problem in found.problems] == [True]
    assert "patch /apis/apps/v1/namespaces/shop/deployments/web/scale" in found.problems[0]


def test_a_permit_that_stored_two_writes_is_named(tmp_path: Path) -> None:
    assert compared(tmp_path, [event("p-1"), event("p-1", minutes=1), *ELSE], VERIFIED).problems == ("the permit of act-1 stored 2 writes",)


def test_a_record_of_a_write_that_the_server_does_not_know_is_named(tmp_path: Path) -> None:
    found = compared(tmp_path, [event("p-1"), *ELSE], VERIFIED + UNDONE)
    assert found.problems == ("act-2: recorded as stored, and the API server knows no such write",) * 2


def test_a_write_that_we_recorded_as_never_stored_is_named(tmp_path: Path) -> None:
    failed = chain(("act-3", "permit.spent", "p-4"), ("act-3", "unknown", ""), ("act-3", "failed", ""))
    assert compared(tmp_path, ELSE, failed).problems == ()
    assert "recorded as never stored" in compared(tmp_path, [event("p-4"), *ELSE], failed).problems[0]


def test_records_older_or_newer_than_the_log_are_counted_and_no_problem(tmp_path: Path) -> None:
    later = [event(as_user="jane", minutes=30), event(as_user="jane", minutes=60)]
    assert compared(tmp_path, later, VERIFIED) == Reconciliation(writes=0, matched=0, uncovered=1, problems=())


def test_a_line_that_is_no_event_is_named_and_a_last_one_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(json.dumps(event("p-1")) + "\n" + json.dumps(event("p-2"))[:40], encoding="utf-8")
    assert len(list(events(path))) == 1
    path.write_text("I1102 12:00:00 klog line\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"audit\.log:1: no event"):
        list(events(path))
    with pytest.raises(InvalidInput, match="cannot read"):
        list(events(tmp_path / "nothing"))
