"""What the chats' tests share: services over twins, actions in every state, people with roles, and a chat twin to talk through."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.actions.catalogue import parse_action
from core.domain.access import Role
from core.domain.action import Change
from core.domain.chats import Chats, Place
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.intake import Stage as Standing
from core.domain.outcome import ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.values import canonical
from core.domain.verdict import Decision, RuleResult, Verdict
from gate import keys
from interfaces.chat.cards import House
from interfaces.chat.following import Digests, Follower, Home
from interfaces.chat.identities import Identities, read
from interfaces.chat.ports import Chat, MemoryChat
from interfaces.chat.pressing import Presses
from interfaces.chat.talking import Talk
from interfaces.chat.values import Card, Message, Said
from runtime.roles import deciding
from runtime.services.offering import Offers, Ports
from runtime.services.offers.table import OFFERS
from tests.contracts.doors import ports
from tools.hand_clock import HandClock
from tools.stores.front.chats import MemoryChats
from tools.stores.memory import MemoryLedger

HOSTILE = "<!here> *x* `y` <script>alert(1)</script> @channel [a](http://evil.example) ```end"
PEOPLE = {"UANA": "oidc:ana", "UBO": "oidc:bo", "UCY": "oidc:cy", "UDEE": "oidc:dee", "UEVE": "oidc:eve"}
GIVEN = {
    Role.APPROVER: ("oidc:ana", "oidc:eve"),
    Role.OPERATOR: ("oidc:bo",),
    Role.ADMIN: ("oidc:cy",),
    Role.VIEWER: ("oidc:dee",),
}
"""Ana and Eve approve, Bo operates, Cy is admin, Dee looks, and nobody knows the user UNO."""
HOME, TEAM = "C0HOME", "C0TEAM"


def people_of(*products: str) -> Identities:
    return Identities(read(f"{product}:{user}={person}" for product in products for user, person in PEOPLE.items()), GIVEN)


@dataclass
class Stage:
    """Everything open at once. `answers` are what runs answered."""

    folder: Path
    product: str = "memory"
    chats: Chats = field(default_factory=MemoryChats)
    digests: Digests = field(default_factory=lambda: Digests(None))
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    chat: Any = None

    def __post_init__(self) -> None:
        made = ports(self.folder)
        self.clock: HandClock = made.clock  # type: ignore[assignment]
        key = keys.signer(self.folder / "keys", f"{keys.DOOR}console", None)
        decide = deciding.signed_with(key, self.ledger, self.clock, name="console")
        self.ports: Ports = ports(self.folder, ledger=self.ledger, clock=self.clock, decide=decide, answer=self._answer, chats=self.chats)
        self.offers = Offers(OFFERS, self.ports)
        self.talk = Talk(self.offers, self.chats, people_of(self.product), House("prod-eu", "https://day2.example"))
        self.chat = self.chat or MemoryChat(self.product)
        self.attach(self.chat)

    def attach(self, *chats: Chat) -> None:
        homes = [Home(chat, Place(chat.product, HOME)) for chat in chats]
        self.follower = Follower(self.talk, chats, homes, self.digests)
        self.presses = Presses(self.talk, self.follower)

    async def _answer(self, run_id: str) -> dict[str, Any]:
        from core.domain.errors import InvalidInput

        if run_id not in self.answers:
            raise InvalidInput(f"no finished run {run_id}")
        return self.answers[run_id]

    def proposal(self, action_id: str, *, risky: bool = False, name: str = "cart", hours: float = 4, **over: Any) -> Proposal:
        target = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": name, "uid": f"u-{name}"}
        if risky:
            pod = target | {"group": "", "kind": "Pod"}
            action = parse_action({"id": action_id, "kind": "delete_pod", "target": pod, "from_owner": ""})
        else:
            action = parse_action({"id": action_id, "kind": "scale_workload", "target": target, "from_replicas": 4, "to_replicas": 2})
        now = self.clock.now()
        return Proposal(
            action=action,
            agent="finops",
            run=over.pop("run", "run-1"),
            why=over.pop("why", "half of it is idle"),
            findings=over.pop("findings", ()),
            evidence=(observe("metric", action.target, "cpu", "40m", now), observe("log", action.target, "log", HOSTILE, now)),
            effect=Effect(summary="less is paid"),
            changes=over.pop("changes", (Change(path="spec.replicas", old=4, new=2),)),
            expires_at=now + timedelta(hours=hours),
        )

    async def asked(self, action_id: str, *, by: str = "oidc:bo", owner: str = "", **over: Any) -> Proposal:
        """An action that waits for people. `owner` is the application of a repository that writes the object."""
        made = self.proposal(action_id, **over)
        await self.ports.gate.submit(made, by=by)
        facts = Facts(read_at=self.clock.now(), cluster="c-1", exists=True, pods_touched=2, namespace="shop", name="cart")
        sized = {
            "requests_cpu_milli_before": 2000,
            "requests_cpu_milli_after": 650,
            "cpu_milli_p95": 412,
            "cpu_milli_p99": 590,
            "usage_days": 14,
        }
        verdict = Verdict(
            action_id=action_id,
            action_digest=made.action.digest(),
            policy_digest="0" * 64,
            facts=facts.model_copy(update=sized | {"gitops_owner": owner}),
            results=(
                RuleResult(rule="autonomy-guarded", result="fail", on_fail=Decision.NEEDS_APPROVAL, message="a person decides here"),
                RuleResult(rule="target-exists", result="pass", on_fail=Decision.DENY),
            ),
            at=self.clock.now(),
        )
        self.move(action_id, ActionState.NEEDS_APPROVAL, verdict=canonical(verdict).decode())
        return made

    def move(self, action_id: str, *states: ActionState, note: str = "", **columns: Any) -> None:
        """As judge and executor do, a second apart."""
        for state in states:
            row = self.ledger.get(action_id)
            assert row is not None
            self.clock.advance(1.0)
            if state is ActionState.CLAIMED:
                assert self.ledger.claim(action_id, "executor", self.clock.now()) is not None
                continue
            epoch = row.epoch or None
            done = self.ledger.move(
                action_id, row.state, state, role="judge", at=self.clock.now(), event={}, epoch=epoch, note=note, **columns
            )
            assert done

    def judged_again(self, action_id: str) -> None:
        """The judge counts what was signed."""
        self.move(action_id, ActionState.APPROVED, ActionState.PERMITTED)

    def carried(self, action_id: str, end: ActionState = ActionState.VERIFIED) -> None:
        self.move(action_id, ActionState.CLAIMED, ActionState.SENDING, ActionState.APPLIED)
        if end is ActionState.ROLLED_BACK:
            self.move(action_id, ActionState.UNDOING)
        self.move(action_id, end, note="all held" if end is ActionState.VERIFIED else "latency rose")

    def answered(self, run: str, **over: Any) -> None:
        """The controller ends a run, with one finding by default."""
        self.answers[run] = answer(run) | over
        now = self.clock.now()
        found = self.ports.intake.get(run)
        assert found is not None
        request = found.request.model_dump(mode="json")
        self.ledger.record(role="controller", event="run.started", subject=run, body=request, at=now)
        self.ledger.record(role="controller", event="run.finished", subject=run, body={"findings": 1}, at=now)
        both = frozenset({Standing.WAITING, Standing.BEGUN})
        assert self.ports.intake.move(run, expected=both, to=Standing.ENDED, at=now)

    async def say(self, text: str, user: str = "UANA", *, thread: str = "t1", event: str = "") -> list[Said]:
        """What was said in answer, in public and in private."""
        before, whispered = len(self.chat.sent), len(self.chat.private)
        message = Message(Place(self.product, TEAM, thread), user, text, event or f"e{next(_numbers)}")
        if self.talk.accept(message):
            await self.talk.work(self.chat, message)
        return [said for _, said in list(self.chat.sent.values())[before:]] + [said for _, _, said in self.chat.private[whispered:]]

    def cards(self) -> list[Card]:
        return [said for _, said in self.chat.sent.values() if isinstance(said, Card)]


_numbers = iter(range(1, 10**9))


def answer(run: str, count: int = 1) -> dict[str, Any]:
    """What a run answers, as `graph.nodes.respond` writes it."""
    subject = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "cart", "uid": "u-1"}
    evidence = {"id": "ev-1", "source": "log", "subject": subject, "query": "log", "value": HOSTILE, "quoted": True}
    finding = {
        "severity": "high",
        "code": "REL-101",
        "subject": subject,
        "title": f"cart restarts {HOSTILE}",
        "matters": "people see errors",
        "evidence": [evidence],
    }
    return {
        "run": run,
        "at": "2026-11-27T09:00:00Z",
        "asked": ["reliability"],
        "route": [{"agent": "reliability", "why": "words of its domain: restart"}],
        "nobody": "",
        "findings": [finding | {"id": f"fnd-{number}"} for number in range(count)],
        "proposals": [],
        "held": [],
        "submitted": [],
        "model": {"calls": 0, "tokens": 0, "micro_usd": 0},
        "missing": [],
        "coverage": {"run": ["REL-101"], "not_run": [{"check": "FIN-101", "reason": "no metrics"}]},
    }


def plain(text: str) -> Any:
    return json.loads(text)
