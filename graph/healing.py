"""How a step of a healing waits for its transition. Called by the healing nodes, each of which names the stage that it works on.

A step looks, decides, submits, and sleeps by the clock; it holds no thread. What it submitted is found again in the ledger, so the same
step from its beginning, after a kill, has no second effect.
"""

import logging

from agents.proposing import GOOD_FOR
from agents.reliability.healing.episode import Episode, Stage
from agents.reliability.healing.seeing import Look, readiness
from agents.reliability.healing.steps import applied, next_step
from core.actions.aiming import CatalogueAction
from core.domain.errors import Corrupt, Day2Error
from core.domain.evidence import Evidence, observe
from core.domain.proposal import Effect, Proposal
from core.domain.values import bounded
from graph.context import HealingContext
from graph.state import SCHEMA, HealingState

AGENT = "reliability"
AGAIN_SECONDS = 5.0
log = logging.getLogger(__name__)


async def carried(state: HealingState, context: HealingContext, *stages: Stage) -> HealingState:
    """Until the episode is at none of these stages any more."""
    episode = episode_of(state)
    while episode.stage in stages:
        try:
            episode = await _stepped(episode, context)
        except Corrupt:
            raise
        except Day2Error as error:  # nothing was decided: look again
            log.warning("%s waits: %s", episode.id, error)
            await context.clock.sleep(max(context.poll_seconds, AGAIN_SECONDS))
            continue
        if episode.stage in stages:
            await context.clock.sleep(context.poll_seconds)
    return HealingState(schema=SCHEMA, episode=episode.model_dump(mode="json"))


def episode_of(state: HealingState) -> Episode:
    return Episode.model_validate(state["episode"], strict=False)


async def _stepped(episode: Episode, context: HealingContext) -> Episode:
    look = await context.look(episode)
    step = next_step(episode, look, context.pace)
    for action in step.submit:
        await context.gate.submit(proposal(episode, look, action), by=episode.by)
    said = await context.replace(episode, look) if step.replace else ""
    after = applied(episode, step._replace(why=f"{step.why}: {said}") if said else step, look)
    if after.stage is not episode.stage:
        context.record(after)
    return after


def proposal(episode: Episode, look: Look, action: CatalogueAction) -> Proposal:
    """The action with what was seen of the node, and of the pod where it is about one."""
    return Proposal(
        action=action,
        agent=AGENT,
        run=episode.id,
        why=bounded(f"healing of {episode.node.qualified}: {episode.why}", 400),
        evidence=tuple(_seen(episode, look, action)),
        effect=Effect(summary=bounded(f"{action.sentence()}, as a step of {episode.id}", 300)),
        expires_at=look.now + GOOD_FOR,
    )


def _seen(episode: Episode, look: Look, action: CatalogueAction) -> list[Evidence]:
    version = look.node.metadata.resource_version if look.node else ""
    ready = readiness(look.node) if look.node else "gone"
    found = [observe("object", episode.node, "status.conditions[Ready].status", ready, look.now, resource_version=version)]
    if action.target.kind == "Pod":
        found.append(observe("object", action.target, "spec.nodeName", episode.node.name, look.now))
    return found
