"""What a log shows of one account, and when nothing is proposed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.cluster.escalation import Identity
from core.cluster.narrowing import Use
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from runtime.services import narrowing, server_log

BOT = Identity("ServiceAccount", "shop", "bot")
START = datetime(2026, 11, 1, tzinfo=UTC)


def event(
    verb: str = "get", *, user: str = "system:serviceaccount:shop:bot", code: int = 200, hours: float = 0, **more: Any
) -> dict[str, Any]:
    reference = {"resource": "pods", "namespace": "shop", "name": "web", "apiVersion": "v1"}
    at = f"{START + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.%fZ}"
    base = {"kind": "Event", "stage": "ResponseComplete", "verb": verb, "requestReceivedTimestamp": at, "user": {"username": user}}
    return base | {"objectRef": reference, "responseStatus": {"code": code}} | more


def seen(path: Path, *events: dict[str, Any]) -> narrowing.Observed:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in events))
    return narrowing.observed(server_log.events(path), BOT)


def test_uses_are_those_of_the_account_that_were_allowed(tmp_path: Path) -> None:
    found = seen(
        tmp_path / "log",
        event(),
        event("list", objectRef={"resource": "deployments", "apiGroup": "apps", "namespace": "shop"}),
        event("get", objectRef={"resource": "pods", "subresource": "log", "namespace": "shop", "name": "web"}),
        event("create", objectRef={"resource": "pods", "namespace": "shop", "name": "made"}),
        event("delete", code=403),
        event("delete", code=404),
        event("patch", user="alice"),
        event("get", stage="RequestReceived", hours=48),
        event("get", objectRef=None, requestURI="/healthz"),
    )
    assert found.uses == {
        Use("get", "", "pods", "shop", "web"),
        Use("list", "apps", "deployments", "shop", ""),
        Use("get", "", "pods/log", "shop", "web"),
        Use("create", "", "pods", "shop", ""),
        Use("delete", "", "pods", "shop", "web"),
    }
    assert (found.requests, found.forbidden, found.covered) == (6, 1, timedelta(hours=48))


def test_who_acts_is_who_was_impersonated(tmp_path: Path) -> None:
    as_bot = event(user="admin", impersonatedUser={"username": "system:serviceaccount:shop:bot"})
    as_other = event(impersonatedUser={"username": "other"})
    assert seen(tmp_path / "log", as_bot, as_other).requests == 1


@pytest.mark.parametrize("text", ["", "/", "shop/", "/bot"])
def test_an_account_without_a_part_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="names no account"):
        narrowing.account(text)


def test_accounts_and_users_are_told_apart() -> None:
    assert narrowing.account("shop/bot") == BOT
    assert narrowing.account("alice@example.com") == Identity("User", "", "alice@example.com")


def test_roles_that_could_not_be_read_are_no_reason_to_propose(tmp_path: Path) -> None:
    hidden = Snapshot("c-1", START, {}, {"ClusterRole": "forbidden"})
    with pytest.raises(InvalidInput, match="ClusterRole could not be read: forbidden"):
        narrowing.proposed(hidden, BOT, seen(tmp_path / "log", event()))


def test_an_account_without_bindings_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="bound to nothing by itself"):
        narrowing.proposed(Snapshot("c-1", START, {}), BOT, seen(tmp_path / "log", event()))
