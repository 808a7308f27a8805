"""The settings file of judge and executor, and their loop."""

import asyncio
from pathlib import Path

import pytest

from core.domain.errors import InvalidInput, Refused, Unavailable
from runtime.roles import deciders


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Invalid JSON"),
        ("{}", "data_dir"),
        ('{"data_dir": "d", "ledger_url": "u", "guard": null, "surprise": 1}', "surprise"),
        ('{"data_dir": "d", "ledger_url": "u", "guard": null, "poll_seconds": 0}', "poll_seconds"),
        ('{"data_dir": "d", "ledger_url": "u", "guard": null, "parent": "1"}', "parent"),
    ],
)
def test_a_settings_file_with_a_mistake_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "judge.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=said):
        deciders.read(path, deciders.RoleSettings)


def test_a_settings_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"):
        deciders.read(tmp_path / "none.json", deciders.RoleSettings)


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    path = tmp_path / "judge.json"
    path.write_text('{"data_dir": "d", "ledger_url": "u", "guard": null}', encoding="utf-8")
    found = deciders.read(path, deciders.RoleSettings)
    assert (found.data_dir, found.clock, found.kubeconfig) == (Path("d"), "system", None)


def test_nobody_can_tell_a_role_to_die_at_a_point(tmp_path: Path) -> None:
    path = tmp_path / "executor.json"
    path.write_text('{"data_dir": "d", "ledger_url": "u", "guard": null, "failpoint": "claimed"}', encoding="utf-8")
    with pytest.raises(InvalidInput, match="failpoint"):
        deciders.read(path, deciders.RoleSettings)


async def test_the_loop_goes_on_while_something_is_only_unavailable() -> None:
    stop, steps = asyncio.Event(), []

    async def step() -> int:
        steps.append(len(steps))
        if len(steps) == 1:
            raise Unavailable("the ledger", 0.0)
        stop.set()
        return 0

    await deciders.every(0.001, stop, step)
    assert steps == [0, 1]


async def test_the_loop_ends_with_any_other_error() -> None:
    async def step() -> int:
        raise Refused(("no",))

    with pytest.raises(Refused):
        await deciders.every(0.001, asyncio.Event(), step)


async def test_a_loop_that_was_told_to_stop_takes_no_further_step() -> None:
    stop = asyncio.Event()
    stop.set()

    async def step() -> int:
        raise AssertionError("it took a step")

    await deciders.every(0.001, stop, step)
