"""One estate on trial: the judge looks at every wish in the world as it stands, then each is done on a fork of that world.

A fork is a fork of this process: the child does the action, lets the time pass, and tells what went wrong through a pipe.
"""

import asyncio
import gc
import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from core.domain.verdict import Decision, Verdict
from evals.judging import harm, wishes, worlds
from evals.judging.harm import Ill, Stress
from evals.judging.wishes import Wish
from evals.judging.worlds import Estate
from runtime.roles import judged
from runtime.roles.judged import Court
from simulator.app import build
from simulator.authn import MASTERS, User
from simulator.worlds.running import Running, start


class Row(NamedTuple):
    """One action: what the judge said and why, and what it did. `refused` is the API server's word; then nothing was done."""

    seed: int
    action: str
    kind: str
    said: str
    sentence: str
    careful: bool
    rules: tuple[str, ...]
    harm: tuple[str, ...]
    refused: str = ""

    @property
    def label(self) -> str:
        return "void" if self.refused else "harmful" if self.harm else "benign"


class WorldClock:
    """The judge's clock is the world's."""

    def __init__(self, running: Running) -> None:
        self._running = running

    def now(self) -> datetime:
        return self._running.clock.now()

    async def sleep(self, seconds: float) -> None:
        self._running.clock.advance(seconds)


def tried(seed: int) -> Iterator[Row]:
    """Every wish of one estate."""
    estate = worlds.drawn(seed)
    running = start(estate.world)
    verdicts, found = asyncio.run(_judged(estate, running))
    was = harm.before(running, estate.people)

    @cache
    def without(stress: Stress) -> frozenset[Ill]:
        return _ills(in_fork(lambda: _told(harm.ills(running, estate.people, was, stress))))

    for wish, verdict in zip(found, verdicts, strict=True):
        stress = _stress(wish)
        told = in_fork(lambda wish=wish, stress=stress: _done(estate, running, was, wish, stress))  # type: ignore[misc]
        yield _row(seed, wish, verdict, told, harm.worse(_ills(told), without(stress)))


def _stress(wish: Wish) -> Stress:
    """What an action prepares for: who may start here, or one more node like this one is lost."""
    kind, pool = wish.action.kind, wish.action.target.name.rpartition("-")[0]
    return "restarts" if kind == "label_namespace" else f"node{pool}" if kind == "cordon_node" else ""


def _row(seed: int, wish: Wish, verdict: Verdict, told: dict[str, Any], ills: frozenset[Ill]) -> Row:
    action = wish.action
    return Row(
        seed=seed,
        action=action.id,
        kind=action.kind,
        said=str(verdict.decision),
        sentence=action.sentence(),
        careful=wish.careful,
        rules=tuple(result.rule for result in verdict.results if result.decision is not Decision.ALLOW),
        harm=tuple(sorted(f"{ill.what}: {ill.where}" for ill in ills)),
        refused=told.get("refused", ""),
    )


async def _judged(estate: Estate, running: Running) -> tuple[list[Verdict], tuple[Wish, ...]]:
    """The RBAC is installed first, so that wishes and forks see one and the same world."""
    async with _court(estate, running, declared=True) as court:
        found = wishes.drawn(estate, running)
        return [await court.judge(wish.proposal) for wish in found], found


def _done(estate: Estate, running: Running, was: harm.Before, wish: Wish, stress: Stress) -> dict[str, Any]:
    async def act() -> str:
        async with _court(estate, running) as court:
            return await court.apply(wish.action, wish.proposal.agent)

    refused = asyncio.run(act())
    return {"refused": refused} if refused else _told(harm.ills(running, estate.people, was, stress))


def _court(estate: Estate, running: Running, *, declared: bool = False) -> AbstractAsyncContextManager[Court]:
    users = {token: User(account, ("system:serviceaccounts",)) for token, account in judged.ACCOUNTS.items()}
    users[judged.ADMIN] = User("admin", (MASTERS,))
    application = build(running.store, running.clock, users, running.usage, running.metrics_app, running.logs)
    return judged.opened(application, WorldClock(running), estate.declared, installs=declared)


def _told(found: frozenset[Ill]) -> dict[str, Any]:
    return {"ills": sorted(found)}


def _ills(told: dict[str, Any]) -> frozenset[Ill]:
    return frozenset(Ill(*each) for each in told.get("ills", ()))


def in_fork(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` answers in a copy of this process. Raises RuntimeError where the copy broke."""
    reader, writer = os.pipe()
    gc.freeze()
    child = os.fork()
    if child == 0:
        code = 1
        gc.disable()  # the copy lives for a moment, and a collection would touch every page that it shares
        try:
            os.close(reader)
            with os.fdopen(writer, "w") as out:
                json.dump(work(), out)
            code = 0
        except Exception:  # noqa: BLE001  nobody else can tell what broke in here
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as told:
        text = told.read()
    _, status = os.waitpid(child, 0)
    gc.unfreeze()  # what is frozen for good is found by nobody who looks for it
    if status:
        raise RuntimeError(f"a fork of the world ended with status {status}")
    answer: dict[str, Any] = json.loads(text)
    return answer
