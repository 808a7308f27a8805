"""One fault on trial: done to a healthy cluster, looked for by every agent, mended by judge and executor, judged by the oracle.

Each trial is a fork of this process with the ground of its seed alive: the ground is lived through once.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from agents.catalogue import AGENTS
from core.actions.catalogue import CATALOGUE
from core.domain.finding import Finding
from core.domain.ledger import ActionRow
from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import Autonomy, Objective, Objectives, Scope
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.policy.declarations import Grant
from evals.faults import scoring
from evals.judging.trials import WorldClock, in_fork
from runtime.declared import Declared
from runtime.roles import judged
from runtime.roles.judged import Court
from runtime.services import scanning
from runtime.services.scanning import Scan
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.faults import ground as grounds
from simulator.faults import oracle
from simulator.faults.fault import Cause, Fault
from simulator.faults.ground import Ground, Home
from simulator.faults.oracle import Objects
from simulator.faults.table import BY_ID
from simulator.faults.writes import Write, path
from simulator.worlds.running import Running, start

REQUESTER, PEOPLE = "operator@example.com", ("first-approver@example.com", "second-approver@example.com")
SETTLING = 900.0
"""Seconds after a cure before the oracle looks, and again after a pod was deleted."""
_ALL = {"*": Autonomy.AUTO}
DECLARED = Declared(
    objectives=Objectives(
        items=(
            Objective(
                name="everything",
                scope=Scope(namespaces=("*",)),
                serves="reliability",
                priority=50,
                autonomy=_ALL,
                vouched=_ALL,
            ),
        )
    ),
    grants=tuple(Grant(name=agent.name, agent=agent.name, capabilities=agent.capabilities) for agent in AGENTS),
    prices=PriceList(
        source=PriceSource(name="prices of the evaluation", at=grounds.START),
        instances=(
            InstancePrice(instance_type=grounds.INSTANCE, cpu_milli=16_000, memory_mib=65_536, hourly_micro_usd=768_000),
            InstancePrice(instance_type=grounds.LARGE, cpu_milli=8_000, memory_mib=32_768, hourly_micro_usd=384_000),
        ),
    ),
)


class Row(NamedTuple):
    """One trial. `kinds` are the actions tried, `ended` how; `ills` what the oracle still sees, `harmed` what happened to others."""

    fault: str
    family: str
    seed: int
    found: bool
    right: bool
    first: str
    elsewhere: tuple[str, ...]
    mendable: bool
    kinds: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    ills: tuple[str, ...] = ()
    harmed: tuple[str, ...] = ()
    survives: bool = True

    @property
    def mended(self) -> bool:
        return bool(self.kinds) and set(self.ended) == {"verified"} and not self.ills and self.survives


def tried(seed: int, faults: Sequence[str]) -> Iterator[Row]:
    """Each of these faults on the ground of a seed."""
    ground, running = alive(seed)
    for name in faults:
        try:
            yield row_of(in_fork(lambda name=name: asyncio.run(trial(BY_ID[name], ground, running))))  # type: ignore[misc]
        except RuntimeError as broken:
            yield Row(name, BY_ID[name].family, seed, False, False, f"not tried: {broken}", (), bool(mending(BY_ID[name])))


def quiet(seed: int) -> tuple[str, ...]:
    """Incidents on the ground as it stands, before anything is done to it."""
    ground, running = alive(seed)
    told = in_fork(lambda: {"incidents": [scoring.shown(one) for one in scoring.incidents(asyncio.run(_look(ground, running)))]})
    return tuple(told["incidents"])


@cache
def alive(seed: int) -> tuple[Ground, Running]:
    ground = grounds.drawn(seed)
    return ground, start(ground.world)


async def _look(ground: Ground, running: Running) -> tuple[Finding, ...]:
    async with court_of(running, None) as court:
        return (await scanned(court, ground, "before")).findings


def row_of(told: dict[str, Any]) -> Row:
    """Lists of JSON are tuples again."""
    parts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return Row(**parts)


async def trial(fault: Fault, ground: Ground, running: Running) -> dict[str, Any]:
    """The row, as JSON."""
    home = fault.victim(ground)
    with tempfile.TemporaryDirectory() as folder:
        async with court_of(running, Path(folder)) as court:
            before = await seen(court)
            await done(court, running, fault.inject(ground, home))
            running.clock.advance(fault.wait_seconds)
            causes = fault.cause(ground, home)
            result = await scanned(court, ground, "after")
            diagnosis = scoring.diagnosed(result.findings, causes)
            row = Row(fault.id, fault.family, ground.seed, *_told(diagnosis), mendable=bool(mending(fault)))
            if mending(fault):
                row = await _mended(row, fault, ground, running, court, result, before)
            return row._asdict()


def _told(diagnosis: scoring.Diagnosis) -> tuple[bool, bool, str, tuple[str, ...]]:
    return diagnosis.found, diagnosis.right, diagnosis.first, diagnosis.elsewhere


def mending(fault: Fault) -> tuple[str, ...]:
    """The kinds that may mend it and that there are. Of a double fault each needs its own."""
    known = tuple(kind for kind in fault.mends if kind in CATALOGUE)
    return known if fault.family != "double" or known == fault.mends else ()


async def _mended(row: Row, fault: Fault, ground: Ground, running: Running, court: Court, result: Scan, before: Objects) -> Row:
    """Every proposal for a cause, the whole way; then the oracle."""
    home = fault.victim(ground)
    chosen = remedies(fault, ground, result)
    carried = await court.mend(chosen, by=REQUESTER, people=PEOPLE, pass_time=running.clock.advance)
    ended = [end_of(action) for action in carried]
    running.clock.advance(SETTLING)
    cured = await seen(court)
    spared = fault.moves(ground, home)
    ills, harm = oracle.ills(cured, ground.namespaces), oracle.harmed(before, cured, spared)
    survives = not ills and await _survives(court, running, ground, home)
    kinds = tuple(each.action.kind for each in chosen)
    return row._replace(kinds=kinds, ended=tuple(ended), ills=ills, harmed=harm, survives=survives)


def remedies(fault: Fault, ground: Ground, result: Scan) -> list[Proposal]:
    """One for each cause: what two agents propose for one object is tried once, as arbitration has it."""
    found = [next(iter(proposals(result, cause)), None) for cause in fault.cause(ground, fault.victim(ground))]
    return [proposal for proposal in found if proposal is not None and proposal.action.kind in fault.mends]


def end_of(row: ActionRow) -> str:
    return "verified" if row.state is ActionState.VERIFIED else f"{row.state}: {row.note}"[:300]


def proposals(result: Scan, cause: Cause) -> list[Proposal]:
    """Those that mend an incident on the object that is at fault."""
    ids = {finding.id for finding in scoring.incidents(result.findings) if scoring.is_on(cause, finding)}
    return [proposal for proposal in result.proposals if ids & set(proposal.findings)]


async def _survives(court: Court, running: Running, ground: Ground, home: Home) -> bool:
    """A cure must outlive a pod: what comes back comes from the spec, not from luck."""
    if name := oracle.one_pod_of(await seen(court), home):
        await done(court, running, [Write("DELETE", path("Pod", home.namespace, name))])
        running.clock.advance(SETTLING)
    return not oracle.ills(await seen(court), ground.namespaces)


async def scanned(court: Court, ground: Ground, run: str) -> Scan:
    """As `day2 scan` looks, at every namespace."""
    request = Request(id=f"{ground.seed}-{run}", trigger="cli", by=REQUESTER, at=court.agents.clock.now())
    return await scanning.scan(court.agents, request, tuple(agent.name for agent in AGENTS))


async def done(court: Court, running: Running, writes: Sequence[Write]) -> None:
    """Raises RuntimeError for a write that the API server refused: then the fault was not done."""
    for write in writes:
        if write.after_seconds:
            running.clock.advance(write.after_seconds)
        headers = {"Content-Type": write.content_type}
        answer = await court.admin.request(write.method, write.path, json=write.body, headers=headers)
        if not answer.is_success:
            raise RuntimeError(f"{write.method} {write.path}: {answer.text[:300]}")


async def seen(court: Court) -> Objects:
    return {kind: (await court.admin.get(path(kind))).json()["items"] for kind in oracle.KINDS}


def court_of(running: Running, held: Path | None) -> AbstractAsyncContextManager[Court]:
    users = {token: User(account, ("system:serviceaccounts",)) for token, account in judged.ACCOUNTS.items()}
    users[judged.ADMIN] = User("admin", (MASTERS,))
    application = build(running.store, running.clock, users, running.usage, running.metrics_app, running.logs)
    return judged.opened(application, WorldClock(running), DECLARED, installs=True, held=held)
