"""`day2 token`: shown once, kept as a digest, over when it is revoked or its time has come."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Day2 = Callable[..., Any]


@pytest.fixture
def here(day2: Day2, tmp_path: Path) -> Day2:
    return lambda *words: day2(*words, "--data-dir", str(tmp_path / "data"))


def test_a_token_is_shown_once_and_kept_nowhere(here: Day2, tmp_path: Path) -> None:
    said = here("token", "add", "grafana", "--role", "viewer", "--role", "sender", "--for", "30d", "-o", "json")
    assert said.code == 0, said.err
    made = said.json
    assert made["secret"].startswith("day2_")
    assert (made["roles"], made["state"]) == (["sender", "viewer"], "active")
    assert made["expiresAt"] > made["madeAt"]
    listed = here("token", "list", "-o", "json")
    assert [item["name"] for item in listed.json["items"]] == ["grafana"]
    assert made["secret"] not in listed.out
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert made["secret"].encode() not in kept
    assert b"grafana" in kept


def test_on_a_terminal_only_the_secret_is_data(here: Day2) -> None:
    said = here("token", "add", "ci", "--role", "operator")
    assert said.out.startswith("day2_")
    assert said.out.count("\n") == 1
    assert "not shown again" in said.err


def test_a_name_is_given_once_also_after_its_end(here: Day2) -> None:
    assert here("token", "add", "ci", "--role", "operator").code == 0
    assert here("token", "revoke", "ci", "-o", "json").json["items"][0]["state"] == "revoked"
    said = here("token", "add", "ci", "--role", "viewer")
    assert said.code != 0
    assert "another name" in said.err
    assert here("token", "revoke", "ci").code != 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("CI", "--role", "viewer"), "no name of a token"),
        (("ci", "--role", "king"), "there is no role"),
        (("ci", "--role", "viewer", "--for", "0s"), "ended already"),
    ],
)
def test_what_cannot_be_a_token_is_said(here: Day2, words: tuple[str, ...], said: str) -> None:
    found = here("token", "add", *words)
    assert found.code == 1
    assert said in found.err
