"""An estate on trial: the same seed gives the same worlds and wishes, and what is done on a fork leaves the world as it was."""

import asyncio

import pytest

from core.actions.catalogue import CATALOGUE
from evals.judging import harm, trials, wishes, worlds
from simulator.worlds.running import start

pytestmark = pytest.mark.slow


def test_the_same_seed_draws_the_same_estate_and_wishes() -> None:
    one, other = worlds.drawn(3), worlds.drawn(3)
    assert one == other
    assert worlds.drawn(4) != one
    first, second = wishes.drawn(one, start(one.world)), wishes.drawn(other, start(other.world))
    assert first == second


def test_wishes_come_of_every_kind() -> None:
    found = {wish.action.kind for seed in range(4) for estate in [worlds.drawn(seed)] for wish in wishes.drawn(estate, start(estate.world))}
    assert found == set(CATALOGUE) - wishes.NOT_DRAWN


def test_what_is_done_on_a_fork_leaves_the_world_as_it_was() -> None:
    estate = worlds.drawn(3)
    running = start(estate.world)
    _, found = asyncio.run(trials._judged(estate, running))
    was = harm.before(running, estate.people)
    version, now = running.store.version(), running.clock.now()
    told = [trials.in_fork(lambda: trials._done(estate, running, was, found[0], "")) for _ in range(2)]
    assert told[0] == told[1]
    assert (running.store.version(), running.clock.now()) == (version, now)
