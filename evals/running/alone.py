"""Autonomous operation: the schedules of a case run the product, and nobody calls it. What was written is held against them afterwards."""

from collections.abc import Callable, Iterator
from typing import Any

from core.domain.finding import Finding
from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL
from core.domain.verdict import Verdict
from evals.contestants import product
from evals.running import breaches
from evals.running.breaches import Wrote
from evals.running.stages import MINUTE, Stage
from runtime.roles.unattended import Answer, Unattended
from simulator.clock import parse

Json = dict[str, Any]
PERMIT = "day2.dev/permit"


class Alone:
    """The product by its schedules, minute by minute. `told` gets what each run found."""

    def __init__(self, stage: Stage, told: Callable[[list[Finding]], None]) -> None:
        self._stage, self._told = stage, told
        self._team = Unattended(stage.court, stage.case.timetable, product.PEOPLE if stage.case.people.approve else ())
        self._ended: set[str] = set()
        self.runs = 0

    async def until(self, moment: float) -> None:
        while self._stage.now < moment:
            before = self._stage.cost()
            for answer in await self._team.step():
                self._note(answer)
            self._count(before)
            self._stage.pass_time(min(MINUTE, moment - self._stage.now))

    def _note(self, answer: Answer) -> None:
        self.runs += 1
        self._stage.held += [str(item["reason"]) for item in answer.get("held", ())]
        self._told([Finding.model_validate(each, strict=False) for each in answer["findings"]])

    def _count(self, before: int | None) -> None:
        """Actions that have ended since the last look, in the order in which they did."""
        stage, ledger = self._stage, self._stage.court.bench.ledger
        for row in ledger.search(limit=1000):
            if row.state in TERMINAL and row.action_id not in self._ended:
                self._ended.add(row.action_id)
                product.count(stage, row, before)

    async def held(self) -> Json:
        """Of a trial: how many forward writes were held against the schedules, and what they broke."""
        wrote = [*self._wrote(await self._stage.court.audit())]
        return {"runs": self.runs, "governed": len(wrote), "breaches": breaches.found(wrote, self._stage.case.timetable)}

    def _wrote(self, audit: list[Json]) -> Iterator[Wrote]:
        """The forward writes of agents' identities, oldest first."""
        for entry in audit:
            user = entry.get("impersonatedUser") or {}
            stored = int(entry["code"]) < 300 and not entry.get("dryRun") and entry["verb"] not in ("get", "list", "watch")
            if not stored or not str(user.get("username", "")).startswith("day2:agent:"):
                continue
            what = f"{entry['verb']} {entry['resource']} {entry['namespace']}/{entry['name']}"
            permit = self._stage.court.permit(next(iter((user.get("extra") or {}).get(PERMIT, ())), ""))
            if permit is None or permit.use == "forward":
                yield self._write(entry, what, self._stage.court.bench.ledger.get(permit.action_id) if permit else None)

    def _write(self, entry: Json, what: str, row: ActionRow | None) -> Wrote:
        at = parse(entry["time"])
        if row is None:
            return Wrote(at, "", what, "", "", None, 0)
        tick = self._team.timetable.get(row.run_id)
        decision = Verdict.model_validate_json(row.verdict).decision if row.verdict else None
        people = {one.by for one in self._stage.court.bench.ledger.approvals(row.action_id) if one.decision == "approved"}
        schedule = tick.schedule if tick else ""
        return Wrote(at, row.action_id, what, schedule, row.run_id, decision, len(people - {row.submitted_by}))
