"""Findings and mutes, as the doors offer them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from pydantic import Field

from core.domain.access import Caller, Right
from core.domain.errors import Day2Error
from core.domain.finding import Coverage, Finding, NotRun, Severity
from core.domain.values import canonical
from core.policy import mutes
from core.policy.mutes import Mute
from runtime.services import muting, scanning
from runtime.services.offering import Nothing, Offer, Plain, Ports, Wanted
from runtime.services.scanning import Scan

LOOKED_AT = 30
"""Finished runs, newest first, in which each agent's last look is searched."""


class Where(Wanted):
    namespaces: tuple[str, ...] = Field(default=(), max_length=100, description="empty: everywhere")
    agents: tuple[str, ...] = Field(default=(), max_length=10, description="whose checks; empty: all")


class MuteOf(Wanted):
    what: str = Field(max_length=60, description="a finding (fnd-...), or a check by its code (REL-101)")
    namespaces: tuple[str, ...] = Field(default=(), max_length=100, description="where a code is muted; empty: everywhere")
    reason: str = Field(min_length=1, max_length=300)
    hours: int = Field(ge=1, le=24 * mutes.LONGEST.days)


class OneMute(Wanted):
    mute: str = Field(max_length=60, description="mute-...")


class Looked(NamedTuple):
    """What was seen, and where: context, cluster, namespaces, time. `runs` are those that the findings are of, by agent."""

    scan: Scan
    where: Plain
    runs: dict[str, str]


class Held(NamedTuple):
    mutes: tuple[Mute, ...]
    at: Any


async def listed(ports: Ports, _caller: Caller, wanted: Where) -> Looked:
    """What each agent saw when a run asked it last. Agents that no run asked are not-run rows: silence is not health."""
    latest: dict[str, tuple[str, Plain]] = {}
    for run in ports.history.runs(LOOKED_AT):
        if run.finished_at is None:
            continue
        try:
            answer = await ports.answer(run.id)
        except Day2Error:
            continue
        for agent in answer["asked"]:
            latest.setdefault(agent, (run.id, answer))
    members, _ = await ports.members()
    names = [name for name in sorted({member.name for member in members} | set(latest)) if not wanted.agents or name in wanted.agents]
    findings = [row for name in names if name in latest for row in latest[name][1]["findings"] if row["agent"] == name]
    seen = tuple(item for item in map(_finding, findings) if not wanted.namespaces or item.subject.namespace in wanted.namespaces)
    unseen = tuple(NotRun(check=name, reason="no run asked this agent yet: start one") for name in names if name not in latest)
    whole = Coverage(run=tuple(_checks(latest[name][1] for name in names if name in latest)), not_run=unseen + _not_run(latest, names))
    times = [latest[name][1]["at"] for name in names if name in latest]
    now = ports.clock.now()
    scan = muting.apart(Scan(_ranked(seen), (), whole), ports.mutes.all(), now)
    where = {"namespaces": list(wanted.namespaces), "at": min(times) if times else None}
    return Looked(scan, where, {name: run for name, (run, _) in latest.items()})


def _finding(row: Plain) -> Finding:
    return Finding.model_validate_json(canonical(row))


def _ranked(found: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(found, key=lambda item: (list(Severity).index(item.severity), item.code, item.id)))


def _checks(answers: Iterable[Plain]) -> Iterable[str]:
    return dict.fromkeys(check for answer in answers for check in answer["coverage"]["run"])


def _not_run(latest: dict[str, tuple[str, Plain]], names: Iterable[str]) -> tuple[NotRun, ...]:
    rows = {(row["check"], row["reason"]): None for name in names if name in latest for row in latest[name][1]["coverage"]["not_run"]}
    return tuple(NotRun(check=check, reason=reason) for check, reason in rows)


async def scanned(ports: Ports, _caller: Caller, wanted: Where) -> Looked:
    """A look at the cluster now. Nothing is proposed."""
    asked = scanning.chosen(wanted.agents, [member.name for member in (await ports.members())[0]])
    scan, where = await ports.look(wanted.namespaces, asked)
    return Looked(muting.apart(scan, ports.mutes.all(), ports.clock.now()), where, {})


async def mutes_held(ports: Ports, _caller: Caller, _wanted: Nothing) -> Held:
    return Held(ports.mutes.all(), ports.clock.now())


async def muted(ports: Ports, caller: Caller, wanted: MuteOf) -> Held:
    now = ports.clock.now()
    made = muting.wished(wanted.what, wanted.namespaces, reason=wanted.reason, by=caller.by, at=now, lasts=timedelta(hours=wanted.hours))
    ports.mutes.add(made)
    return Held((made,), now)


async def expired(ports: Ports, caller: Caller, wanted: OneMute) -> Held:
    now = ports.clock.now()
    return Held((ports.mutes.expire(wanted.mute, by=caller.by, now=now),), now)


OFFERS = (
    Offer("findings.list", Right.READ, "What each agent saw when it was asked last, and what it could not check.", Where, listed),
    Offer("findings.scan", Right.READ, "Look at the cluster now, with the deterministic checks only.", Where, scanned),
    Offer("mutes.list", Right.READ, "What is muted, by whom, why, and until when.", Nothing, mutes_held),
    Offer(
        "findings.mute",
        Right.PROPOSE,
        "Leave a finding, or all of a check's, out for a while; the judge knows no mutes.",
        MuteOf,
        muted,
        writes=True,
    ),
    Offer("mutes.expire", Right.PROPOSE, "End a mute now.", OneMute, expired, writes=True),
)
