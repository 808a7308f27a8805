"""day2ops itself: every agent looks, arbitration lets through, judge and executor carry, people approve what they are asked."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from agents.catalogue import AGENTS
from core.actions.catalogue import parse_proposal
from core.domain.finding import Coverage, Finding
from core.domain.ledger import ActionRow
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.domain.verdict import Verdict
from evals.running.stages import Stage, said
from evals.running.trial import Judged
from runtime.arbitrating import arbitrated
from runtime.declared import Declared
from runtime.roles.judged import Court
from runtime.services import scanning
from runtime.services.scanning import Scan

REQUESTER, PEOPLE = "operator@example.com", ("first-approver@example.com", "second-approver@example.com")
NOTHING = Scan((), (), Coverage())


class Product:
    name, tells, everywhen = "day2ops", True, False

    def __init__(self) -> None:
        self._scan = NOTHING

    async def look(self, stage: Stage) -> Sequence[Finding]:
        court, names = stage.court, stage.case.agents or tuple(agent.name for agent in AGENTS)
        now = court.agents.clock.now()
        request = Request(id=f"run-{stage.case.id}-{now:%Y%m%d%H%M%S}", trigger="cli", by=REQUESTER, at=now)
        self._scan = await scanning.scan(court.agents, request, names)
        return self._scan.findings

    async def act(self, stage: Stage) -> None:
        court, scan = stage.court, self._scan
        if not scan.proposals:
            return
        people = Declared(objectives=court.bench.objectives, grants=tuple(court.bench.grants), prices=court.bench.prices)
        severity_of = {finding.id: finding.severity for finding in scan.findings}
        chosen = await arbitrated(court.bench.ledger, court.agents.reader, court.bench.clock, people, scan.proposals, severity_of)
        stage.held += [held.proposal.action.kind for held in chosen.held]
        if stage.acted_at is None:
            stage.acted_at = stage.now
        await carried(stage, chosen.winners)


async def carried(stage: Stage, proposals: Sequence[Proposal]) -> None:
    """The whole way, once for those that the door takes."""
    court, before = stage.court, stage.cost()
    if stage.case.people.approve:
        rows = await court.mend(proposals, by=REQUESTER, people=PEOPLE, pass_time=stage.pass_time)
    else:
        rows = await court.carry(proposals, by=REQUESTER)
    for row in rows:
        count(stage, row, before)
    if rows and all(row.state is ActionState.VERIFIED for row in rows):
        stage.verified_at = stage.now


def count(stage: Stage, row: ActionRow, cost_before: int | None) -> None:
    """Keep what became of an action, and what it claimed."""
    stage.actions.append(told(stage.court, row))
    saving = parse_proposal(row.proposal).effect.saving
    if saving is not None and row.state is ActionState.VERIFIED:
        stage.claims.add(saving.paper_micro_usd, cost_before)


def told(court: Court, row: ActionRow) -> Judged:
    """What became of an action, as a trial keeps it."""
    target = parse_proposal(row.proposal).action.target
    on = "/".join(part for part in (target.kind, target.namespace, target.name) if part)
    decision, packs = said(Verdict.model_validate_json(row.verdict)) if row.verdict else ("", ())
    asked = bool(court.bench.ledger.approvals(row.action_id)) or decision == "needs_approval"
    numbers = tuple(_numbers(json.loads(row.proposal)["action"]))
    return Judged(row.kind, on, decision, packs, ended=row.state.value, asked=asked, arguments=numbers)


def _numbers(value: Any, above: str = "") -> Iterator[tuple[str, float]]:
    """Every number of an action's arguments, by its path."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        path = f"{above}.{name}" if above else str(name)
        if isinstance(item, int | float) and not isinstance(item, bool):
            yield path, item
        else:
            yield from _numbers(item, path)
