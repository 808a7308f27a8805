"""A schedule in the whole product on the simulator: its run goes through the gate within its ceiling, is reported, and is assessed."""

import asyncio
import json
from pathlib import Path

import pytest

from core.domain.outcome import ActionState as S
from core.domain.timetable import TickState
from runtime.roles import everything
from runtime.roles.everything import Everything
from runtime.services import assessing
from runtime.settings import SchedulesSettings, Settings
from tests.contracts.simulated import Simulated, simulated
from tests.contracts.whole_runs import settings_of
from tests.runtime.test_whole_runs import NAMESPACES, WORLD, _allow
from tools.stores.front import opening
from tools.stores.front.schedules import SqlTimetable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
SCHEDULE = """
---
apiVersion: day2.dev/v1alpha1
kind: Schedule
metadata: {name: safe}
spec: {every: 10m, text: is it safe, agents: [security], namespaces: [open], ceiling: suggest, budget: {writesPerRun: 1}}
"""


def served(folder: Path, cluster: Simulated) -> Settings:
    found = settings_of(folder, cluster.kubeconfigs, NAMESPACES, prometheus=f"{cluster.url}/prometheus", ca=cluster.ca, clock=cluster.url)
    objectives = found.policy.objectives
    assert objectives is not None
    objectives.write_text(objectives.read_text(encoding="utf-8") + SCHEDULE, encoding="utf-8")
    return found.model_copy(update={"schedules": SchedulesSettings(look_seconds=0.2)})


async def ticked(running: Everything, timetable: SqlTimetable, cluster: Simulated, count: int) -> None:
    """Ten minutes go by, and the run of their tick has ended."""
    await asyncio.to_thread(cluster.advance, 600)
    for _ in range(400):
        if sum(tick.state is TickState.ENDED for tick in timetable.recent("safe")) >= count:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(
        (timetable.recent("safe"), (running.settings.data_dir / "logs" / "scheduler.log").read_text(encoding="utf-8")[-800:])
    )


async def test_what_a_schedule_wants_waits_for_a_person_and_its_run_is_reported_and_assessed(tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(json.dumps(WORLD), encoding="utf-8")
    with simulated(tmp_path, world=str(tmp_path / "world.yaml")) as cluster:
        await _allow(cluster.kubeconfigs["admin"])
        settings = served(tmp_path, cluster)
        async with everything.opened(settings, children=("judge", "executor", "scheduler")) as running:
            stop = asyncio.Event()
            serving = asyncio.create_task(running.controller.serve(stop, 0.1))
            database = opening.opened(settings.front_url)
            timetable = SqlTimetable(database)
            try:
                await asyncio.sleep(2)  # the first look, from which on it is known
                await ticked(running, timetable, cluster, 1)
                await ticked(running, timetable, cluster, 2)
                await ticked(running, timetable, cluster, 3)
                await running.controller.assess()
                reports = timetable.reports()
            finally:
                stop.set()
                await serving
                database.close()
            rows = running.ledger.search(limit=100)
            looked_at = assessing.recorded(running.ledger, 50)
        first = reports[-1]
        assert [row.submitted_by for row in rows] == ["schedule:safe"] * len(rows)
        assert {row.state for row in rows} <= {S.NEEDS_APPROVAL, S.DENIED, S.SUBMITTED}
        waiting = [row for row in rows if row.state is S.NEEDS_APPROVAL]
        assert waiting, [(row.state, row.note) for row in rows]
        assert all("autonomy-suggest" in row.note for row in waiting)
        assert first.waits == 1
        assert first.ceiling == "suggest"
        assert sum(first.severities.values()) >= 1
        over = {report.run for report in reports if report.complete}
        assert over & {item.run for item in looked_at}, "a run whose action waits is assessed when that has ended, the others are by now"
