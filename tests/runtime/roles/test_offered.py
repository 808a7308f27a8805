"""What a command calls: the services over ports that open when they are reached for. Looking makes nothing, and no word is lost."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.domain.access import Caller, Right, Role
from core.domain.errors import Day2Error, NotFound, Unavailable
from interfaces.cli.translating import CLI, Offered
from runtime.roles import console, everything, front, offered
from runtime.services.offers.table import OFFERS
from runtime.settings import Settings, load

ME = Caller("local:ana", frozenset({Role.ADMIN}), "cli")
SCHEDULE = "apiVersion: day2.dev/v1alpha1\nkind: Schedule\nmetadata: {name: nightly}\nspec: {every: 15m}\n"
ARGUMENTS: Mapping[str, dict[str, Any]] = {
    "actions.get": {"action": "act-none"},
    "actions.explain": {"action": "act-none"},
    "audit.get": {"record": "judge/1"},
    "incidents.get": {"incident": "inc-none"},
    "policies.get": {"rule": "target-exists"},
    "policies.try": {"action": {"kind": "scale_workload"}},
    "questions.ask": {"text": "what is wrong?"},
    "reports.get": {"run": "run-none"},
    "runs.get": {"run": "run-none"},
    "schedules.get": {"schedule": "nightly"},
}
CLUSTER = {"findings.scan", "plans.preview", "audit.verify"}
"""They ask a cluster, or are of the files of the folder, which the whole tests have."""
TRANSLATED = {name for row in CLI.values() if isinstance(row, Offered) for name in row.names}
LOOKS = sorted(row.name for row in OFFERS if not row.writes and row.right is Right.READ and row.name in TRANSLATED - CLUSTER)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A folder that was never used, and a cluster that nobody reaches."""
    user = {"clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}], "users": [{"name": "u", "user": {"token": "t"}}]}
    found = {"apiVersion": "v1", "kind": "Config", **user, "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}
    (tmp_path / "kubeconfig").write_text(json.dumps(found | {"current-context": "c"}), encoding="utf-8")
    told = {"store.data_dir": tmp_path / "data", "kubernetes.kubeconfig": tmp_path / "kubeconfig"}
    return load(told, environment={}, files=()).settings


async def said(settings: Settings, name: str) -> Any:
    """The answer, or what is wrong: by its kind and its words."""
    async with offered.opened(settings) as offers:
        try:
            return await offers.call(ME, name, ARGUMENTS.get(name, {}))
        except Day2Error as error:
            return type(error), str(error), error.mend


@pytest.mark.parametrize("name", LOOKS)
async def test_looking_makes_nothing(settings: Settings, name: str) -> None:
    await said(settings, name)
    assert not settings.data_dir.exists()


async def test_a_command_and_a_process_that_serves_answer_alike(settings: Settings) -> None:
    """Every service that looks, once through each of the two ways to open ports, on a folder with a past."""
    everything.prepare(settings)
    async with offered.opened(settings, writes=True) as offers:
        await offers.call(ME, "schedules.put", {"document": SCHEDULE})
        await offers.call(ME, "schedules.pause", {"schedule": "nightly", "reason": "a drill"})
        await offers.call(ME, "writes.stop", {"reason": "a drill"})
    async with front.opened(settings) as served:
        for name in sorted(
            set(LOOKS) - {"schedules.list", "schedules.get", "mutes.list", "reports.weekly", "policies.simulate"}
        ):  # they tell the time
            try:
                other: Any = await served.call(ME, name, ARGUMENTS.get(name, {}))
            except Day2Error as error:
                other = type(error), str(error), error.mend
            assert repr(await said(settings, name)) == repr(other), name
        (here,), (there,) = await said(settings, "schedules.list"), await served.call(ME, "schedules.list")
        assert here.pause == there.pause is not None
        assert (await said(settings, "stops.list"))[0].by == "local:ana"


async def test_a_word_that_nobody_would_keep_is_refused(settings: Settings) -> None:
    async with offered.opened(settings, writes=True) as offers:
        with pytest.raises(Unavailable, match="there is none in"):
            await offers.call(ME, "writes.stop", {"reason": "a fire"})
        with pytest.raises(NotFound):
            await offers.call(ME, "actions.approve", {"action": "act-none", "reason": "x"})
    assert not (settings.data_dir / "keys").exists(), "and no key is made for it"


async def test_what_was_not_opened_says_so(settings: Settings) -> None:
    async with offered.opened(settings) as offers:
        with pytest.raises(Unavailable, match="does not look at it"):
            await offers.call(ME, "topology.get")


async def test_what_was_recorded_is_under_a_signed_head(settings: Settings) -> None:
    everything.prepare(settings)
    async with offered.opened(settings, writes=True) as offers:
        await offers.call(ME, "writes.stop", {"reason": "a drill"})
        await offers.call(ME, "writes.resume", {"reason": "it is over"})
    report = console.audit_report(settings)
    assert report["whole"]
    assert report["signed"] == 1
