"""A console over twins, with a past: runs, findings with causes, actions in every state, and one that waits for people. And a browser
without a window for its ASGI tests."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI

from core.actions.catalogue import parse_action
from core.domain.action import Change
from core.domain.errors import InvalidInput, Unavailable
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.finding import Finding, Severity
from core.domain.ledger import ActionRow
from core.domain.money import PriceSource, Saving
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.target import Target
from core.domain.values import canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from gate.door import LedgerDoor
from interfaces.chat import joining as chats
from interfaces.console import joining as console
from interfaces.web.app import build
from interfaces.web.callers import local_token
from interfaces.web.house import House
from runtime.services.offering import Offers, Ports
from runtime.services.offers.table import OFFERS
from runtime.settings import Settings, load
from tests.contracts.doors import AT, ports
from tools.stores.front.sessions import MemorySessions

URL = "http://127.0.0.1:8080"
S = ActionState
WAY = {
    S.SUBMITTED: (),
    S.NEEDS_APPROVAL: (S.NEEDS_APPROVAL,),
    S.DENIED: (S.DENIED,),
    S.EXPIRED: (S.NEEDS_APPROVAL, S.EXPIRED),
    S.VERIFIED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.VERIFIED),
    S.ROLLED_BACK: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.UNDOING, S.ROLLED_BACK),
    S.ESCALATED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, S.UNDOING, S.ESCALATED),
    S.APPLIED: (S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED),
}


class Away:
    """A cluster that does not answer: what is remembered is shown all the same."""

    async def snapshot(self, *_: Any) -> Any:
        raise Unavailable("the cluster", reason="it is away")


class World:
    """Ports, and what happened in them."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None, **other: Any) -> None:
        self.folder = folder
        self.answers: dict[str, Any] = {}

        async def answer(run_id: str) -> Any:
            if run_id not in self.answers:
                raise InvalidInput(f"no finished run {run_id}")
            return self.answers[run_id]

        self.ports: Ports = ports(folder, sessions=MemorySessions(), answer=answer, **{"reader": Away(), **other})
        loaded = load({"store.data_dir": folder} | (settings or {}), environment={}, files=())
        self.settings: Settings = loaded.settings
        self.house = House(Offers(OFFERS, self.ports), self.settings, str((settings or {}).get("web.public_url", URL)))
        self.number = 0

    @cached_property
    def app(self) -> FastAPI:
        """With the doors for people alone: to join the others takes longer than most of the tests that would do it."""
        return build(self.house, (console.join, chats.join))

    async def action(
        self,
        state: ActionState = S.NEEDS_APPROVAL,
        *,
        name: str = "cart",
        kind: str = "scale_workload",
        agent: str = "finops",
        run: str = "run-1",
        why: str = "p95 of 412m over 14 days, and half of it is idle",
        by: str = "oidc:bo@example.org",
        note: str = "",
        text: str = "412m",
        message: str = "autonomy is guarded here: a person decides",
        owner: str = "",
        policy: str = "0" * 64,
    ) -> ActionRow:
        """One action in this state, on the way that it would have come."""
        self.number += 1
        made = _proposal(f"act-{self.number:04d}", kind, name, agent, run, why, text, self.ports.clock.now())
        await LedgerDoor(self.ports.ledger, self.ports.clock, poll_seconds=0.01).submit(made, by=by)
        verdict = canonical(_verdict(made, self.ports.clock.now(), message, owner, policy)).decode()
        for step in WAY[state]:
            row = self.ports.ledger.get(made.action.id)
            assert row is not None
            self.ports.clock.advance(7)  # type: ignore[attr-defined]  # the clock of these ports is moved by hand
            role = "judge" if step in (S.NEEDS_APPROVAL, S.PERMITTED, S.DENIED) else "executor"
            extra: dict[str, Any] = {"verdict": verdict} if not row.verdict else {}
            at = self.ports.clock.now()
            assert self.ports.ledger.move(made.action.id, row.state, step, role=role, at=at, event={}, note=note, **extra)
        found = self.ports.ledger.get(made.action.id)
        assert found is not None
        return found

    def run(self, run_id: str, findings: Sequence[Finding] = (), *, text: str = "why is checkout slow?", ended: bool = True) -> None:
        at = self.ports.clock.now()
        asked = Request(id=run_id, trigger="chat", by="oidc:ana@example.org", text=text, at=at)
        record = self.ports.ledger.record
        record(role="controller", event="run.started", subject=run_id, body=asked.model_dump(mode="json"), at=at)
        self.ports.clock.advance(20)  # type: ignore[attr-defined]
        if ended:
            body = {"findings": len(findings), "proposals": 1, "held": 0, "asked": ["finops", "reliability"]}
            record(role="controller", event="run.finished", subject=run_id, body=body, at=self.ports.clock.now())
            self.answers[run_id] = answered(run_id, findings, self.ports.clock.now())


def answered(run_id: str, findings: Sequence[Finding], at: datetime) -> dict[str, Any]:
    return {
        "run": run_id,
        "at": at.isoformat(),
        "asked": ["finops", "reliability"],
        "route": [],
        "nobody": "",
        "findings": [item.model_dump(mode="json") for item in findings],
        "proposals": [],
        "held": [],
        "submitted": [],
        "model": {"calls": 0, "micro_usd": 0},
        "missing": [],
        "coverage": {"run": ["REL-101", "REL-103", "FIN-101"], "not_run": [{"check": "SCA-101", "reason": "no source of metrics"}]},
    }


def target(name: str, kind: str = "Deployment", namespace: str = "shop") -> Target:
    return Target(cluster="c-1", group="apps" if kind == "Deployment" else "", kind=kind, namespace=namespace, name=name, uid=f"uid-{name}")


def finding(
    number: int,
    *,
    title: str = "",
    code: str = "REL-101",
    severity: Severity = Severity.HIGH,
    symptom_of: str = "",
    name: str = "",
    text: str = "",
) -> Finding:
    subject = target(name or f"web-{number}")
    return Finding(
        id=f"fnd-{number:010d}",
        code=code,
        agent={"REL": "reliability", "FIN": "finops", "SEC": "security", "SCA": "scaling"}[code[:3]],
        severity=severity,
        subject=subject,
        title=title or f"web-{number} restarts again and again",
        matters="Its callers see errors while it is away.",
        evidence=(observe("log", subject, "logs of web", text or "panic: no route to payments", AT),),
        symptom_of=symptom_of,
        at=AT,
    )


def _proposal(action_id: str, kind: str, name: str, agent: str, run: str, why: str, text: str, at: datetime) -> Proposal:
    arguments: dict[str, Any] = {
        "scale_workload": {"target": target(name).model_dump(), "from_replicas": 4, "to_replicas": 2},
        "delete_pod": {"target": target(name, "Pod").model_dump(), "from_owner": ""},
        "cordon_node": {"target": target(name, "Node", namespace="").model_dump()},
    }[kind]
    action = parse_action({"id": action_id, "kind": kind, **arguments})
    month = 1_000_000
    source = PriceSource(name="list price", at=at)
    saving = Saving(
        paper_micro_usd=212 * month, realisable_micro_usd=96 * month, low_micro_usd=180 * month, high_micro_usd=240 * month, source=source
    )
    return Proposal(
        action=action,
        agent=agent,
        run=run,
        why=why,
        findings=("fnd-0000000001",),
        evidence=(observe("metric", action.target, "p95 of cpu over 14 d", text, at), observe("log", action.target, "logs", text, at)),
        effect=Effect(summary="3 pods restart, the budget allows 1", saving=saving),
        changes=(Change(path="spec.replicas", old=4, new=2), Change(path="metadata.annotations.note", old=None, new=text)),
        expires_at=at + timedelta(hours=4),
    )


def _verdict(made: Proposal, at: datetime, message: str, owner: str, policy: str) -> Verdict:
    return Verdict(
        action_id=made.action.id,
        action_digest=made.action.digest(),
        policy_digest=policy,
        facts=Facts(read_at=at, cluster="c-1", exists=True, gitops_owner=owner),
        results=(
            RuleResult(rule="autonomy-guarded", result="fail", on_fail=Decision.NEEDS_APPROVAL, message=message),
            RuleResult(rule="target-exists", result="pass", on_fail=Decision.DENY),
        ),
        at=at,
    )


class Browser:
    """Keeps cookies, follows nothing by itself, and sends forms as a browser does: with their origin."""

    def __init__(self, world: World, *, base: str = URL) -> None:
        self.world, self.base = world, base
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url=base)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    async def send(self, path: str, *, origin: str | None = None, csrf: str | None = None, **fields: str) -> httpx.Response:
        token = csrf if csrf is not None else await self.csrf()
        headers = {"origin": self.base if origin is None else origin, "content-type": "application/x-www-form-urlencoded"}
        return await self.client.post(path, content=urlencode(fields | {"csrf": token}), headers=headers)

    async def csrf(self) -> str:
        """Of the forms of this session."""
        page = (await self.get("/stop")).text
        return page.partition('name="csrf" value="')[2].partition('"')[0]

    async def log_in(self, token: str | None = None) -> httpx.Response:
        known = token if token is not None else local_token(self.world.settings)
        return await self.get(f"/login?{urlencode({'token': known})}")


def sick() -> list[Finding]:
    """What is wrong in `shop`: one cause with all that follows from it, and what costs more than it must."""
    return [
        finding(
            1, title="web crashes at start: its image has no file /app/config.yaml", code="REL-101", severity=Severity.CRITICAL, name="web"
        ),
        finding(2, title="web has 0 of 3 pods ready", code="REL-103", symptom_of="fnd-0000000001", name="web"),
        finding(3, title="the rollout of web does not go on", code="REL-133", symptom_of="fnd-0000000002", name="web"),
        finding(4, title="service checkout has no endpoint", code="REL-146", symptom_of="fnd-0000000002", name="checkout"),
        finding(5, title="cart asks for 2 cores and uses 412m", code="FIN-101", severity=Severity.MEDIUM, name="cart"),
        finding(6, title="search keeps 9 replicas at night for 2 requests a second", code="FIN-102", severity=Severity.LOW, name="search"),
    ]


async def lived(world: World) -> None:
    """A day of it, as screens show it best."""
    one, clock = sick(), world.ports.clock
    for number in range(1, 6):
        world.run(f"run-{number}", one if number == 5 else (), text="" if number % 2 else "is anything wrong in shop?")
        if number in (2, 4):
            await world.action(S.VERIFIED, name="cart", run=f"run-{number}")
            await world.action(S.ROLLED_BACK, name="search", run=f"run-{number}", note="p99 was 512 ms, and 480 ms is promised")
            await world.action(S.DENIED, name="basket", agent="reliability", run=f"run-{number}", note="it is frozen until Monday")
            await world.action(S.EXPIRED, name="ledger", agent="scaling", run=f"run-{number}", note="nobody decided in time")
        clock.advance(3600 * 3)  # type: ignore[attr-defined]
    await world.action(S.NEEDS_APPROVAL, name="cart", run="run-5")
    await world.action(
        S.NEEDS_APPROVAL,
        kind="delete_pod",
        name="web-7d9f-x2k4",
        agent="reliability",
        run="run-5",
        why="it hangs in Terminating since 40 minutes",
    )
    await world.action(S.NEEDS_APPROVAL, name="search", run="run-5")
    world.run("run-6", text="right-size shop, and show me what it would save", ended=False)
