"""Redis in the hands of an attacker, and clocks that go wrong: tried against the whole flow, with the real judge, executor and guard.

The attacker knows every key and password of the registry, but not the key with which controller and agents seal what they say. Where it is
said so, an agent is taken over as well: then its seal is good, and the judge alone is left to say no.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import redis.asyncio

from core.actions.scale_workload import ScaleWorkload
from core.domain.evidence import observe
from core.domain.ledger import ActionRow
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.request import Request
from core.domain.target import Target
from registry import sealing
from registry.cards import Card
from registry.membership import State
from registry.tasks import ANSWERED, ASKED
from runtime.roles import agent, deciding, everything
from runtime.settings import FlowSettings, RegistrySettings, Settings
from tests.cluster.bypass.attempts import JSON
from tests.cluster.bypass.victims import workload
from tests.cluster.test_guarded_runs import Clock, settings_of
from tools.clocks import HttpClock, SystemClock

if TYPE_CHECKING:
    from core.domain.clock import Clock as ClockPort
    from tests.cluster.bypass.ground import Ground

AGENT, APART = "scaling", "security"
COLLECTION = "/apis/apps/v1/namespaces/{ns}/deployments"
CONTROLS = ("control-sealed", "control-flushed", "control-alone")
"""Rightly judged writes: proposed by an agent whose seal is good, while Redis is flushed, and when it has died."""
SEED = 11
PATIENCE_SECONDS = 60.0
WRITTEN = ("sending", "unknown", "applied", "verified", "undoing", "rolled_back", "escalated")
Plain = dict[str, Any]


class Seen(NamedTuple):
    """What was said to each attempt, by name; which keys of the store moved; and how each rightly judged write ended."""

    told: dict[str, str]
    moved: list[str]
    judged: dict[str, ActionRow]


@dataclass
class Stage:
    """The product at work, and the attacker's own connection."""

    ground: Ground
    running: everything.Everything
    settings: Settings
    redis: Any
    url: str
    pid: int
    clocks: Mapping[str, Clock]
    cluster: str
    key: bytes
    told: dict[str, str] = field(default_factory=dict)
    judged: dict[str, ActionRow] = field(default_factory=dict)
    waited: dict[str, str] = field(default_factory=dict)
    """By name of an attempt the action whose end is asked for when all is over."""

    # -------------------------------------------------------------- what an honest agent would say
    def target(self, name: str) -> Target:
        live = self.ground.get(f"{COLLECTION}/{name}")
        return Target(
            cluster=self.cluster, group="apps", kind="Deployment", namespace=self.ground.namespace, name=name, uid=live["metadata"]["uid"]
        )

    def proposal(self, name: str, action_id: str, run: str = "run-taken") -> Proposal:
        target, now = self.target(name), datetime.now(UTC)
        return Proposal(
            action=ScaleWorkload(id=action_id, target=target, from_replicas=0, to_replicas=1),
            agent=AGENT,
            run=run,
            why="traffic grows",
            evidence=(observe("metric", target, "rate", "12", now),),
            effect=Effect(summary="enough copies"),
            expires_at=now + timedelta(hours=2),
        )

    def honest(self, name: str, action_id: str) -> Plain:
        return self.proposal(name, action_id).model_dump(mode="json")

    def seal(self, task: str, text: str, *, agent: str = AGENT, key: bytes = b"") -> str:
        return f"{sealing.seal(key or self.key, ANSWERED, agent, task, text)} {text}"

    # -------------------------------------------------------------- runs
    def request(self, run: str, *agents: str) -> Request:
        told = {"trigger": "cli", "by": "somebody@example.com", "namespaces": (self.ground.namespace,), "act": True}
        return Request(id=run, agents=agents, at=datetime.now(UTC), **told)

    async def run(self, run: str, *agents: str) -> Plain:
        return await self.running.controller.run(self.request(run, *(agents or (AGENT,))))

    async def answered(self, answers: Mapping[str, Callable[[str], str | bytes]]) -> dict[str, Plain]:
        """Runs that ask the agent, all at once; for each the attacker answers first, with what its function makes of the task's id."""
        names = {f"run-{number}-{name.replace(' ', '-')}"[:60]: name for number, name in enumerate(answers)}

        async def answering() -> None:
            last, stream = "0", f"day2:tasks:{AGENT}"
            while True:
                rows = await self.redis.xread({stream: last}, block=200) or {}
                entries = rows.get(stream, []) if isinstance(rows, dict) else rows[0][1]
                for entry in entries[0] if entries and isinstance(entries[0], list) else entries:
                    last, fields = entry[0], entry[1]
                    run = fields["id"].removesuffix(f":{AGENT}")
                    if run in names:
                        await self.redis.rpush(f"day2:answer:{fields['id']}", answers[names[run]](fields["id"]))

        await self.elsewhere()
        attacker = asyncio.create_task(answering())
        try:
            responses = await asyncio.gather(*(self.run(run) for run in names))
        finally:
            attacker.cancel()
            await asyncio.gather(attacker, return_exceptions=True)
        return dict(zip(answers, responses, strict=True))

    async def elsewhere(self) -> None:
        """An instance of the agent that nobody started: from now on the controller asks through the queue."""
        await self.redis.sadd(f"day2:instances:{AGENT}", "somewhere")
        await self.redis.set(f"day2:lease:{AGENT}:somewhere", "somewhere", px=600_000)

    async def end(
        self, action_id: str, seconds: float = PATIENCE_SECONDS, *, approved: bool = False, door: ClockPort | None = None
    ) -> ActionRow:
        """Where an action comes to rest: ended, applied, or waiting for people; they agree where it is `approved`."""
        until, asked = time.monotonic() + seconds, False
        while True:
            row = self.running.ledger.get(action_id)
            assert row is not None, action_id
            if approved and not asked and row.state is ActionState.NEEDS_APPROVAL:
                decide = deciding.door(self.settings, self.running.ledger, door or SystemClock(), name="test")
                decide(action_id, by="approver@example.com", approve=True, reason="read the diff")
                asked = True
            rests = {*TERMINAL, ActionState.APPLIED} | (set() if approved else {ActionState.NEEDS_APPROVAL})
            if row.state in rests or time.monotonic() > until:
                return row
            await asyncio.sleep(0.03)

    async def left(self, action_id: str, *states: ActionState) -> ActionRow:
        """When it stands in none of these any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (row := self.running.ledger.get(action_id)) is None or row.state in states:  # noqa: ASYNC110  other processes move it
                await asyncio.sleep(0.03)
        return row

    async def rightly(self, name: str) -> ActionRow:
        """A judged write, asked for at a door: done, whatever happens to Redis."""
        action = act_of(name)
        await self.running.controller.gate.submit(self.proposal(name, action), by="somebody@example.com")
        self.judged[name] = await self.end(action, approved=True)
        return self.judged[name]


# ------------------------------------------------------------------ answers of somebody who does not hold the key
Forgery = Callable[["Stage", str, str], "str | bytes"]
OTHER = b"o" * sealing.BYTES
FORGED: dict[str, Forgery] = {
    "an answer without a seal": lambda stage, honest, task: honest,
    "an answer with a made up seal": lambda stage, honest, task: f"{'0' * 64} {honest}",
    "an answer sealed with another key": lambda stage, honest, task: stage.seal(task, honest, key=OTHER),
    "an answer sealed with a key of zeros": lambda stage, honest, task: stage.seal(task, honest, key=bytes(sealing.BYTES)),
    "the answer of another run": lambda stage, honest, task: stage.seal(f"run-before:{AGENT}", honest),
    "the answer of another agent": lambda stage, honest, task: stage.seal(task, honest, agent=APART),
    "a task's seal on an answer": lambda stage, honest, task: f"{sealing.seal(stage.key, ASKED, AGENT, task, honest)} {honest}",
    "a good seal on another text": lambda stage, honest, task: f"{stage.seal(task, answer([])).partition(' ')[0]} {honest}",
    "a pickle": lambda stage, honest, task: pickle.dumps(os.getpid),
    "no text at all": lambda stage, honest, task: b"\xff\xfe" + honest.encode(),
    "eight megabytes": lambda stage, honest, task: "x" * 8_000_000,
    "deep brackets": lambda stage, honest, task: "[" * 200_000,
}
"""By name: what is laid where the agent's answer to this task should be. The honest text is what the agent might well have said."""


def bent(seed: int = SEED) -> Iterator[tuple[str, Forgery]]:
    """From a seed: a well sealed answer, changed somewhere on its way."""
    dice = random.Random(seed)
    for number in range(14):
        place, letter, how = dice.random(), chr(dice.randint(33, 126)), dice.choice(("change", "insert", "remove", "cut", "double"))
        change = partial(_bent, place=place, letter=letter, how=how)
        yield f"bent {number}: {how} at {place:.3f}", lambda stage, honest, task, change=change: change(stage.seal(task, honest))


def _bent(text: str, place: float, letter: str, how: str) -> str:
    at = int(place * (len(text) - 1))
    changed = {
        "change": f"{text[:at]}{letter if text[at] != letter else '~'}{text[at + 1 :]}",
        "insert": f"{text[:at]}{letter}{text[at:]}",
        "remove": f"{text[:at]}{text[at + 1 :]}",
        "cut": text[:at],
        "double": f"{text[:at]}{text}",
    }
    return changed[how]


BENT: dict[str, Forgery] = dict(bent())


def act_of(name: str) -> str:
    return f"act-{name.replace('-', '')}"


def answer(proposals: list[Any], **more: Any) -> str:
    return json.dumps({"agent": AGENT, "findings": [], "proposals": proposals, "coverage": {"run": [], "not_run": []}} | more)


# ------------------------------------------------------------------ an agent that is taken over: its seal is good
def _aimed(**target: str) -> Callable[[Stage, Plain], list[Plain]]:
    def changed(stage: Stage, made: Plain) -> list[Plain]:
        made["action"]["target"] |= {key: stage.ground.filled(value) for key, value in target.items()}
        return [made]

    return changed


def _acting(**fields: Any) -> Callable[[Stage, Plain], list[Plain]]:
    def changed(stage: Stage, made: Plain) -> list[Plain]:
        made["action"] |= fields
        return [made]

    return changed


def _saying(**fields: Any) -> Callable[[Stage, Plain], list[Plain]]:
    return lambda stage, made: [made | fields]


def _cordoning(stage: Stage, made: Plain) -> list[Plain]:
    node = stage.ground.get("/api/v1/nodes/{node}")["metadata"]
    target = {"cluster": stage.cluster, "group": "", "kind": "Node", "namespace": "", "name": node["name"], "uid": node["uid"]}
    return [made | {"action": {"id": made["action"]["id"], "kind": "cordon_node", "target": target}}]


def _deleting(stage: Stage, made: Plain) -> list[Plain]:
    target = made["action"]["target"] | {"kind": "Pod", "group": ""}
    return [made | {"action": {"id": made["action"]["id"], "kind": "delete_pod", "target": target}}]


def _elsewhere(stage: Stage, made: Plain) -> list[Plain]:
    for row in made["evidence"]:
        row["subject"] = row["subject"] | {"namespace": "kube-system", "name": "coredns"}
    return [made]


def _crowd(stage: Stage, made: Plain) -> list[Plain]:
    rows = []
    for number in range(3):
        action = made["action"] | {"id": f"{made['action']['id']}{number:02d}", "to_replicas": 500 + number}
        rows.append(made | {"action": action, "agent": AGENT})
    return rows


PROPOSALS: dict[str, Callable[[Stage, Plain], list[Any]]] = {
    "in the name of another agent": _saying(agent=APART),
    "in the name of nobody": _saying(agent=""),
    "a kind that it was not granted": _cordoning,
    "a kind of another agent": _deleting,
    "a kind that nobody knows": _acting(kind="run_shell", command="id"),
    "a protected namespace": _aimed(namespace="kube-system", name="coredns"),
    "our own namespace": _aimed(namespace="{system}", name="day2-judge"),
    "another object's uid": _aimed(uid="00000000-0000-0000-0000-000000000000"),
    "another cluster": _aimed(cluster="00000000-0000-0000-0000-000000000000"),
    "a secret": _aimed(kind="Secret", group="", name="web"),
    "a name that climbs": _aimed(name="../../secrets/web"),
    "another state before": _acting(from_replicas=5),
    "more than there may be": _acting(to_replicas=10_000),
    "fewer than none": _acting(to_replicas=-1),
    "a number as text": _acting(to_replicas="1"),
    "no number": _acting(to_replicas=float("nan")),
    "a permit of its own": _saying(permit="e30.e30.e30", state="permitted"),
    "an approval of its own": _acting(approved_by="boss@example.com"),
    "a wish that has run out": _saying(expires_at="2020-01-01T00:00:00Z"),
    "evidence of another namespace": _elsewhere,
    "no evidence": _saying(evidence=[]),
    "an endless reason": _saying(why="x" * 100_000),
    "an id with a line of its own": _acting(id="act-x\r\nImpersonate-Group: system:masters"),
    "no proposal but a list": lambda stage, made: [[made]],
    "a crowd": _crowd,
}
"""By name: what is made of an honest proposal."""


# ------------------------------------------------------------------ what is written into the registry
async def _card(stage: Stage, card: Card, *, state: State = State.READY) -> None:
    name, digest = card.name, card.digest()
    await stage.redis.set(f"day2:card:{name}:{digest}", card.model_dump_json())
    await stage.redis.hset(f"day2:agent:{name}", mapping={"digest": digest, "version": card.version, "state": state.value})
    await stage.redis.sadd("day2:agents", name)
    await stage.redis.sadd(f"day2:instances:{name}", "forged")
    await stage.redis.set(f"day2:lease:{name}:forged", "forged", px=600_000)
    for item in card.capabilities:
        await stage.redis.sadd(f"day2:cap:{item.id}", name)


async def stranger_registers(stage: Stage) -> None:
    """With a card, a lease and a capability, all in order: nobody granted it anything."""
    await _card(stage, Card(name="stranger", description="x", version="1.0"))


async def capability_added(stage: Stage) -> None:
    """The agent's card of tomorrow, with everything there is."""
    own = await _own(stage)
    everything_ = tuple(own.capabilities[0].model_copy(update={"id": kind}) for kind in ("cordon_node", "delete_pod", "set_image"))
    await _card(stage, own.model_copy(update={"version": "99.0", "capabilities": (*own.capabilities, *everything_)}))


async def old_card_replayed(stage: Stage) -> None:
    own = await _own(stage)
    await _card(stage, own.model_copy(update={"version": "0.1"}))


async def card_exchanged(stage: Stage) -> None:
    """Another text under a good digest."""
    own = await _own(stage)
    await stage.redis.set(f"day2:card:{AGENT}:{own.digest()}", own.model_copy(update={"description": "mine"}).model_dump_json())


async def name_taken_over(stage: Stage) -> None:
    """The card of one agent under the name of another."""
    own = await _own(stage)
    await stage.redis.set(f"day2:card:{APART}:{own.digest()}", own.model_dump_json())
    await stage.redis.hset(f"day2:agent:{APART}", "digest", own.digest())


async def heartbeat_of_the_dead(stage: Stage) -> None:
    await stage.redis.sadd(f"day2:instances:{APART}", "dead")
    await stage.redis.set(f"day2:lease:{APART}:dead", "dead", px=600_000)


async def leases_deleted(stage: Stage) -> None:
    for key in await stage.redis.keys("day2:lease:*"):
        await stage.redis.delete(key)


async def everybody_suspended(stage: Stage) -> None:
    for name in await stage.redis.smembers("day2:agents"):
        await stage.redis.hset(f"day2:agent:{name}", "state", "suspended")


async def states_unheard_of(stage: Stage) -> None:
    for name in await stage.redis.smembers("day2:agents"):
        await stage.redis.hset(f"day2:agent:{name}", mapping={"state": "root", "permit": "e30.e30.e30", "epoch": "-1"})


async def epoch_moved_back(stage: Stage) -> None:
    """Nobody reads one from here."""
    for key in ("day2:epoch", f"day2:epoch:{stage.cluster}", "epoch"):
        await stage.redis.set(key, "-1")


async def permits_laid_out(stage: Stage) -> None:
    """Rows of a ledger, where there is none."""
    await stage.redis.hset("day2:action:act-forged", mapping={"state": "permitted", "permit": "e30.e30.e30"})
    await stage.redis.set("day2:verdict:act-forged", '{"decision": "allow"}')


async def changes_forged(stage: Stage) -> None:
    for event in ("ready", "suspended", "\x00", "x" * 10_000):
        await stage.redis.xadd("day2:changes", {"event": event, "agent": AGENT})
    await stage.redis.xadd("day2:changes", {"other": "fields"})


async def names_that_are_no_text(stage: Stage) -> None:
    for key in ("day2:agents", f"day2:cap:{AGENT}", f"day2:instances:{AGENT}"):
        await stage.redis.sadd(key, b"\xff\xfe", "", "../..", "x" * 200_000)


async def a_crowd_of_agents(stage: Stage) -> None:
    await stage.redis.sadd("day2:agents", *(f"a{number}" for number in range(5_000)))


async def keys_of_another_kind(stage: Stage) -> None:
    for key in ("day2:agents", "day2:changes", f"day2:tasks:{AGENT}", f"day2:agent:{AGENT}"):
        await stage.redis.delete(key)
        await stage.redis.lpush(key, "x")


async def the_stream_at_its_end(stage: Stage) -> None:
    await stage.redis.delete(f"day2:tasks:{AGENT}")
    await stage.redis.xadd(f"day2:tasks:{AGENT}", {"id": "x"}, id=f"{2**64 - 1}-{2**64 - 1}")


async def everything_flushed(stage: Stage) -> None:
    await stage.redis.flushall()


async def no_room(stage: Stage) -> None:
    """Every write is refused for want of memory."""
    await stage.redis.config_set("maxmemory", 1)


async def slow(stage: Stage) -> None:
    await stage.redis.client_pause(700)


async def connections_cut(stage: Stage) -> None:
    await stage.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


REGISTRY: tuple[Callable[[Stage], Awaitable[None]], ...] = (
    stranger_registers, capability_added, old_card_replayed, card_exchanged, name_taken_over, heartbeat_of_the_dead, leases_deleted,
    everybody_suspended, states_unheard_of, epoch_moved_back, permits_laid_out, changes_forged, names_that_are_no_text, a_crowd_of_agents,
    keys_of_another_kind, the_stream_at_its_end, everything_flushed, no_room, slow, connections_cut,
)  # fmt: skip
"""Each is done, looked at, and taken back by a flush, while the controller goes on."""
RUN_WITH = frozenset({stranger_registers, keys_of_another_kind, everything_flushed, no_room, slow})
"""Under these a run is asked for as well: it comes to its end, and the stranger has no part in it."""


async def _own(stage: Stage) -> Card:
    """The agent's card as it registered."""
    found = next(item.card for item in stage.running.controller.membership.own if item.name == AGENT)
    for member in await stage.running.controller.membership.members():
        if member.name == AGENT:
            found = member.card
    return found


# ------------------------------------------------------------------ what is laid into an agent's queue
def _sealed_by_another(stage: Stage, body: str) -> Plain:
    return {"id": "forged", "body": body, "wait_ms": "60000", "seal": sealing.seal(OTHER, ASKED, APART, "forged", body)}


WRITE = json.dumps({"agent": APART, "write": {"verb": "patch", "path": "/api/v1/namespaces/kube-system"}, "permit": "e30.e30.e30"})
QUEUED: dict[str, Callable[[Stage, str], Plain]] = {
    "a task without a seal": lambda stage, body: _sealed_by_another(stage, body) | {"seal": ""},
    "a task sealed with another key": _sealed_by_another,
    "a task that asks for a write": lambda stage, body: _sealed_by_another(stage, WRITE),
    "a task for another agent": lambda stage, body: (
        _sealed_by_another(stage, body) | {"seal": sealing.seal(stage.key, ASKED, AGENT, "forged", body)}
    ),
    "a pickled task": lambda stage, body: _sealed_by_another(stage, body) | {"body": pickle.dumps(os.getpid)},
    "a deep task": lambda stage, body: _sealed_by_another(stage, "[" * 200_000),
    "a task that waits for ever": lambda stage, body: _sealed_by_another(stage, body) | {"wait_ms": "9" * 5_000},
    "a task with no fields of ours": lambda stage, body: {"os": "system"},
    "a task of four megabytes": lambda stage, body: _sealed_by_another(stage, "x" * 4_200_000),
    "a task with an id that climbs": lambda stage, body: _sealed_by_another(stage, body) | {"id": "../../day2:agents"},
}
"""By name: an entry of the agent's queue. The body is what the controller might well have asked."""


# ------------------------------------------------------------------ clocks
SKEWS = {"five minutes ahead": timedelta(minutes=5), "five minutes behind": -timedelta(minutes=5)}
SKEWS |= {"a day ahead": timedelta(days=1), "a day behind": -timedelta(days=1)}
CLOCKED = ("judge", "executor", "webhook")
SKEWED = tuple(f"the {role} {said}" for role in CLOCKED for said in SKEWS)
DOWN = ("the judge down", "the webhook down", "judge and webhook down")
"""In this order: the webhook does not come back before the last."""
DISTURBED = ("flushed in the midst of a run", "dead in the midst of a run")


# ------------------------------------------------------------------ the play
def played(ground: Ground) -> Seen:
    """Everything, one after the other, in one run of the product."""
    return asyncio.run(_play(ground))


async def _play(ground: Ground) -> Seen:
    clocks = {role: Clock() for role in ("judge", "executor")}
    try:
        return await _staged(ground, clocks)
    finally:
        for clock in clocks.values():
            clock.close()


async def _staged(ground: Ground, clocks: Mapping[str, Clock]) -> Seen:
    settings = settings_of(ground.guard, clocks["judge"], ground.namespace, ground.folder).model_copy(
        update={
            "clock": "system",
            "flow": FlowSettings(consult_seconds=10, poll_seconds=0.05),
            "registry": RegistrySettings(renew_seconds=1),
        }
    )
    await asyncio.to_thread(_peopled, ground)
    async with everything.opened(settings, children=()) as running:
        for role in ("judge", "executor"):
            await everything.start_role(running.children, role, settings.model_copy(update={"clock": clocks[role].url}))
        address = json.loads((settings.data_dir / "registry" / "address.json").read_text())
        async with redis.asyncio.Redis.from_url(address["url"], decode_responses=True, encoding_errors="replace") as client:
            cluster = str(ground.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
            key = sealing.key(settings.agents_key_file)
            stage = Stage(ground, running, settings, client, address["url"], address["pid"], clocks, cluster, key)
            await asyncio.to_thread(ground.mark)
            for act in (_down, _webhook_back, _answers, _proposals, _queue, _registry, _skewed, _disturbed):
                await act(stage)
            for name, action in stage.waited.items():
                stage.told[name] = _end(stage, action)
    return Seen(stage.told, ground.moved(), stage.judged)


def _peopled(ground: Ground) -> None:
    """Each sealed proposal has a Deployment of its own, so that none is held for the sake of another."""
    names = [*CONTROLS, "taken", *(f"sealed-{number}" for number in range(len(PROPOSALS)))]
    names += [f"skewed-{number}" for number in range(len(SKEWED))] + [f"down-{number}" for number in range(len(DOWN))]
    for name in names:
        ground.admin("POST", COLLECTION, workload("Deployment", name, replicas=0), JSON)


async def _answers(stage: Stage) -> None:
    """And one that is sealed as it should be: it is not for their form that the others are refused."""
    good = CONTROLS[0]
    right = answer([stage.honest(good, act_of(good))])
    honest = answer([stage.honest("taken", "act-taken")])
    forged = {name: partial(forgery, stage, honest) for name, forgery in (FORGED | BENT).items()}
    found = await stage.answered({**forged, good: lambda task: stage.seal(task, right)})
    response = found.pop(good)
    assert [row["action_id"] for row in response["submitted"]] == [act_of(good)], response
    stage.judged[good] = await stage.end(act_of(good), approved=True)
    for name, response in found.items():
        stage.told[name] = _said(response)


def _told(row: ActionRow) -> str:
    return f"{row.state.value}: {row.note}"


def _end(stage: Stage, action_id: str) -> str:
    row = stage.running.ledger.get(action_id)
    assert row is not None
    return _told(row)


def _said(response: Plain) -> str:
    """Why the agent counts as missing, or what was submitted in its name."""
    said = [*(row["reason"] for row in response["missing"]), *(f"submitted {row}" for row in response["submitted"])]
    return "; ".join(said) or "nothing was submitted"


async def _proposals(stage: Stage) -> None:
    texts: dict[str, str] = {}
    for number, (name, changed) in enumerate(PROPOSALS.items()):
        made = changed(stage, stage.honest(f"sealed-{number}", f"act-sealed{number:04d}"))
        texts[name] = answer(made)
    found = await stage.answered({name: lambda task, text=text: stage.seal(task, text) for name, text in texts.items()})
    for name, response in found.items():
        ends = [await stage.end(row["action_id"], 20) for row in response["submitted"]]
        stage.told[name] = "\n".join(map(_told, ends)) or _said(response)


async def _registry(stage: Stage) -> None:
    """Who is known, and what they may do, is never more than what people granted."""
    invited = {member.name: {item.id for item in member.card.capabilities} for member in stage.running.controller.membership.own}
    for number, act in enumerate(REGISTRY):
        await act(stage)
        said = []
        for member in await stage.running.controller.membership.members():
            more = {item.id for item in member.card.capabilities} - invited.get(member.name, set())
            said += [f"{member.name} is known"] if member.name not in invited else [f"{member.name} may {sorted(more)}"] if more else []
        if act in RUN_WITH:
            response = await stage.run(f"run-registry-{number}", "stranger", AGENT)
            said += [f"submitted {row}" for row in response["submitted"]]
            said += ["the stranger was asked"] if "stranger" in response["asked"] else []
        stage.told[act.__name__] = "; ".join(said) or "nobody and nothing new"
        await stage.redis.config_set("maxmemory", "256mb")
        await stage.redis.flushall()


async def _queue(stage: Stage) -> None:
    """An agent's own process body at its queue, while strangers fill it; in the end it answers the controller."""
    stop = asyncio.Event()
    serving_ = asyncio.create_task(agent.run(agent.settings_for(stage.settings, stage.url), APART, stop))
    try:
        async with asyncio.timeout(20):
            while not await stage.redis.keys(f"day2:lease:{APART}:*"):  # noqa: ASYNC110  it says nothing
                await asyncio.sleep(0.05)
        body = json.dumps({"agent": APART, "request": stage.request("run-forged", APART).model_dump(mode="json")})
        for name, entry in QUEUED.items():
            await stage.redis.xadd(f"day2:tasks:{APART}", entry(stage, body))
            async with asyncio.timeout(20):
                while await stage.redis.xlen(f"day2:tasks:{APART}"):
                    assert not serving_.done(), f"{name} ended the agent: {serving_.exception()!r}"
                    await asyncio.sleep(0.02)
            left = await stage.redis.keys("day2:answer:*")
            stage.told[name] = f"answered: {left}" if left else "not begun"
        response = await stage.run("run-after-the-queue", APART)
        assert response["missing"] == [], response["missing"]
    finally:
        stop.set()
        await serving_


async def _down(stage: Stage) -> None:
    """Rows by hand: one that nobody permitted, while the judge stands still; and rightly permitted ones, while there is no webhook."""
    from tests.cluster.bypass import rows

    made = [await asyncio.to_thread(rows.judged, stage.ground, 900 + number, f"down-{number}") for number in range(len(DOWN))]
    judge = stage.running.children.named("judge").process
    for name, each in zip(DOWN, made, strict=True):
        if "judge" in name:
            await asyncio.to_thread(_stop, stage.ground, judge.pid)
        if "webhook" in name:
            await asyncio.to_thread(stage.ground.guard.webhook.stop)
        row = each.row if "webhook" in name else each.row._replace(permit="e30.e30.e30")
        await asyncio.to_thread(rows.insert, stage.ground, row)
        stage.told[name] = _told(await stage.left(row.action_id, ActionState.PERMITTED, ActionState.CLAIMED))
        if "judge" in name:
            judge.send_signal(signal.SIGCONT)


def _stop(ground: Ground, pid: int) -> None:
    """Between two of its transactions: one that was stopped within would keep the ledger from everybody."""
    from tests.cluster.bypass import rows

    with rows.alone(ground):
        os.kill(pid, signal.SIGSTOP)
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.01)


async def _webhook_back(stage: Stage) -> None:
    await asyncio.to_thread(stage.ground.guard.webhook.start)


async def _skewed(stage: Stage) -> None:
    """The webhook has the clock of its machine: it is ahead where judge, executor and door are all behind."""
    for number, name in enumerate(SKEWED):
        role, said = name.removeprefix("the ").split(" ", 1)
        skewed = {role: SKEWS[said]} if role != "webhook" else dict.fromkeys(("judge", "executor"), -SKEWS[said])
        for other, clock in stage.clocks.items():
            clock.ahead = skewed.get(other, timedelta(0))
        action = f"act-skewed{number:04d}"
        await stage.running.controller.gate.submit(stage.proposal(f"skewed-{number}", action), by="somebody@example.com")
        door = HttpClock(stage.clocks["judge"].url) if role == "webhook" else SystemClock()
        row = await stage.end(action, 1.2, approved=True, door=door)
        if row.state not in TERMINAL:  # before the clocks are right again: then it would rightly be done
            await stage.running.controller.gate.cancel(action, by="somebody@example.com", reason=f"its clocks were wrong: {row.note}")
        for clock in stage.clocks.values():
            clock.ahead = timedelta(0)
        stage.waited[name] = action


async def _disturbed(stage: Stage) -> None:
    """While it is flushed, and when it has died, runs end and what is rightly judged is done."""
    flushing = asyncio.create_task(_flushing(stage))
    response = await stage.run("run-flushed", AGENT, "reliability")
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    stage.told[DISTURBED[0]] = f"the run ended, {len(response['asked'])} were asked"
    await stage.rightly(CONTROLS[1])
    running = asyncio.create_task(stage.run("run-dead", AGENT))
    await asyncio.sleep(0.05)
    os.kill(stage.pid, signal.SIGKILL)
    response = await running
    stage.told[DISTURBED[1]] = f"the run ended, {len(response['asked'])} was asked"
    await stage.rightly(CONTROLS[2])


async def _flushing(stage: Stage) -> None:
    while True:
        await stage.redis.flushall()
        await asyncio.sleep(0.01)
