"""`day2 serve --prepare`: what a container needs that starts a role's process itself, and nothing started."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate import keys
from runtime.roles import deciders
from runtime.roles.deciders import RoleSettings
from runtime.roles.notifier import NotifierSettings

Day2 = Callable[..., Any]
FORMS = {"judge": RoleSettings, "executor": RoleSettings, "webhook": RoleSettings, "notifier": NotifierSettings}


def wants(folder: Path, **groups: dict[str, Any]) -> None:
    (folder / "day2.yaml").write_text(yaml.safe_dump(groups))


@pytest.mark.parametrize("role", FORMS)
def test_a_role_gets_its_settings_in_a_file_of_its_owner_and_the_ledger_is_there(day2: Day2, tmp_path: Path, role: str) -> None:
    wants(tmp_path, gate={"guard": "off"}, flow={"approval_hours": 7})
    said = day2("serve", "--role", role, "--prepare", "--data-dir", "data")
    assert said.code == 0, said.err
    path = Path(said.out.strip())
    assert path == Path("data") / f"{role}.settings.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = deciders.read(path, FORMS[role])
    assert (found.approval_hours, found.parent) == (7, 0), "nobody's end ends it"
    assert (tmp_path / "data" / "ledger.db").exists()
    assert not (tmp_path / "data" / "logs").exists(), "nothing was started"


def test_without_a_role_all_that_would_run_are_prepared_and_the_controller_needs_no_file(day2: Day2, tmp_path: Path) -> None:
    wants(tmp_path, gate={"guard": "off"})
    said = day2("serve", "--prepare", "--data-dir", "data")
    others = ("judge", "executor", "notifier", "console", "scheduler")
    assert [Path(line).name for line in said.out.split()] == [f"{role}.settings.json" for role in others]


def test_only_the_executor_is_told_what_the_guard_should_be(day2: Day2, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    wants(tmp_path, gate={"webhook_ca_file": "ca.crt"})
    words = ("--prepare", "--data-dir", "data")
    for role in ("executor", "judge"):
        path = Path(day2("serve", "--role", role, *words).out.strip())
        assert (json.loads(path.read_text())["guard"] is not None) is (role == "executor")


def test_an_executor_without_the_ca_of_its_guard_is_not_prepared(day2: Day2) -> None:
    said = day2("serve", "--role", "executor", "--prepare", "--data-dir", "data")
    assert (said.code, "CA" in said.err) == (1, True)


def test_a_role_that_there_is_not_is_refused(day2: Day2) -> None:
    said = day2("serve", "--role", "cook", "--prepare", "--data-dir", "data")
    assert said.code == 1
    assert "controller, judge" in said.err


def test_keys_and_settings_of_a_role_lie_where_they_are_wanted_and_only_public_halves_are_shared(day2: Day2, tmp_path: Path) -> None:
    wants(tmp_path, gate={"guard": "off"}, store={"private_dir": "private"})
    said = day2("serve", "--role", "judge", "--role", "controller", "--prepare", "--data-dir", "data")
    assert said.code == 0, said.err
    private = {path.name for path in (tmp_path / "private").iterdir()}
    assert private == {"judge.json", "judge.settings.json", "controller.json", "door-cli.json"}
    shared = {path.name for path in (tmp_path / "data" / "keys").iterdir()}
    assert shared == {"judge.pub.json", "controller.pub.json", "door-cli.pub.json"}
    assert (
        keys.signer(tmp_path / "data" / "keys", "judge", tmp_path / "private").id == keys.verifier(tmp_path / "data" / "keys", "judge").id
    )
