"""The table of transitions: from an episode and one look to what follows. One function per stage; it decides and does nothing.

Nothing here remembers: what was submitted before is in the ledger (`Look.acts`), so a step that is asked again after a kill gives the same
actions with the same ids, and the gate's door stores none of them twice.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from agents.reliability.healing.episode import Episode, Stage
from agents.reliability.healing.guarding import forbidden
from agents.reliability.healing.seeing import LEASE_OLD, Act, Look, Tenant, fenced, illness, readiness
from core.actions.aiming import CatalogueAction
from core.actions.cordon_node import CordonNode
from core.actions.delete_pod import DeletePod
from core.actions.evict_pod import EvictPod
from core.actions.fence_node import FenceNode
from core.actions.fence_stopped_node import FenceStoppedNode
from core.actions.replace_machine import ReplaceMachine
from core.domain.outcome import TERMINAL, ActionState
from core.domain.target import Target
from core.domain.values import identifier

AT_ONCE = 5
"""Evictions that may be under way together."""
TRIES = 3
S = ActionState


class Pace(NamedTuple):
    """How long each step may take before it is a person's, and how long all must stay well at the end."""

    confirm: timedelta = timedelta(minutes=10)
    drain: timedelta = timedelta(minutes=15)
    release: timedelta = timedelta(minutes=10)
    verify: timedelta = timedelta(minutes=40)
    calm: timedelta = timedelta(minutes=10)


USUAL = Pace()


class Step(NamedTuple):
    """`to` is None while it waits, and `why` then says for what. `submit` goes through the gate's door, `replace` asks the provider."""

    why: str
    to: Stage | None = None
    submit: tuple[CatalogueAction, ...] = ()
    replace: bool = False
    calm: bool = False


def next_step(episode: Episode, look: Look, pace: Pace = USUAL) -> Step:
    """Raises KeyError for an episode that has ended."""
    return STEPS[episode.stage](episode, look, pace)


def applied(episode: Episode, step: Step, look: Look) -> Episode:
    """The episode after the step: at its next stage, or as calm as the look was."""
    if step.to is None:
        calm = (episode.calm_since or look.now) if step.calm else None
        return episode.model_copy(update={"calm_since": calm})
    moved = episode.moved(step.to, look.now, step.why)
    if step.to is not Stage.CONFIRMED:
        return moved
    lost = look.node is not None and readiness(look.node) == "Unknown"
    return moved.model_copy(update={"lost": lost, "owners": look.owners})


def signals(episode: Episode, look: Look) -> dict[str, str]:
    """Who says that the node is ill, each by its own way of knowing: one source is a suspicion, two are a diagnosis."""
    found: dict[str, str] = {}
    if look.node is not None and (ill := illness(look.node, look.now)) is not None and not ill.sudden:
        found["conditions"] = ill.what
    if look.lease_age is not None and look.lease_age > LEASE_OLD:
        found["lease"] = f"its lease is {int(look.lease_age.total_seconds())} s old"
    unready = [tenant for tenant in look.tenants if not tenant.ready]
    if found and unready:
        found["pods"] = f"{len(unready)} of {len(look.tenants)} pods there are not ready"
    if look.machine is not None and look.machine.power == "off":
        found["provider"] = f"the provider says: {look.machine.said or 'off'}"
    if look.hardware:
        found["hardware"] = ", ".join(look.hardware)
    if episode.asked:
        found["person"] = f"{episode.by} says: {episode.asked}"
    return found


def _suspected(episode: Episode, look: Look, pace: Pace) -> Step:
    found = signals(episode, look)
    if look.node is None:
        return Step("the node is gone", Stage.RECOVERED)
    if len(found) > 1:
        return Step("; ".join(found.values()), Stage.CONFIRMED)
    said = next(iter(found.values()), "")
    if not said and illness(look.node, look.now) is None:
        return Step("it is well", Stage.RECOVERED)
    if look.now - episode.since >= pace.confirm:
        return Step(f"only one sign within {_minutes(pace.confirm)}: {said or 'it changes'}", Stage.ESCALATED)
    return Step(f"waits for a second sign; {said or 'ill for a moment only'}")


def _confirmed(episode: Episode, look: Look, _: Pace) -> Step:
    if look.node is None:
        return Step("the node is gone", Stage.RECOVERED)
    if not episode.asked and not look.hardware and illness(look.node, look.now) is None:
        return Step("it is well again", Stage.RECOVERED)
    if not _of(look, "cordon_node", episode.node.uid):
        if reason := forbidden(episode, look):
            return Step(reason, Stage.HELD)
        if look.node.spec.unschedulable:
            return Step("somebody closed it to new pods before", Stage.CORDONED)
    return _through(episode, look, episode.node, lambda name: CordonNode(id=name, target=episode.node), Stage.CORDONED)


def _cordoned(episode: Episode, look: Look, pace: Pace) -> Step:
    """To be emptied pod by pod where its kubelet answers; to be fenced where nobody there would end a pod."""
    if look.node is None:
        return Step("the node is gone", Stage.DRAINED)
    if readiness(look.node) == "Unknown":
        return _fence(episode, look)
    if episode.lost and readiness(look.node) == "True":
        return Step("it answers again; it stays cordoned until a person opens it", Stage.RECOVERED)
    return _drain(episode, look, pace)


def _fence(episode: Episode, look: Look) -> Step:
    node = look.node
    if node is not None and fenced(node):
        return Step("out of service by its taint", Stage.FENCED)
    off = look.machine is not None and look.machine.power == "off"
    if off or _of(look, "fence_stopped_node", episode.node.uid):
        return _through(episode, look, episode.node, lambda name: _stopped(name, episode, look), Stage.FENCED)
    return _through(episode, look, episode.node, lambda name: FenceNode(id=name, target=episode.node), Stage.FENCED)


def _stopped(name: str, episode: Episode, look: Look) -> FenceStoppedNode:
    of = look.machine.target if look.machine is not None else None
    return FenceStoppedNode(id=name, target=episode.node, machine_namespace=of.namespace if of else "", machine=of.name if of else "")


def _drain(episode: Episode, look: Look, pace: Pace) -> Step:
    left = look.movable
    if not left:
        return Step("no pod is left that can leave", Stage.DRAINED)
    blocked = [tenant for tenant in left if not tenant.going and not _may_go(tenant)]
    waits = f"{len(left)} pods are left"
    if blocked:
        waits += f"; {blocked[0].budget} allows none of {len(blocked)} to go"
    ended = [act for tenant in left for act in _of(look, _kind(tenant), tenant.pod.uid) if act.state in TERMINAL]
    given_up = next((act for act in ended if act.state in (S.DENIED, S.EXPIRED)), None)
    if given_up is not None:
        return Step(f"{given_up.kind} was {given_up.state}: {given_up.note}; {waits}", Stage.ESCALATED)
    if look.now - episode.since >= pace.drain:
        return Step(f"not empty after {_minutes(pace.drain)}: {waits}", Stage.ESCALATED)
    return Step(waits, submit=_leaving(episode, look, left))


def _leaving(episode: Episode, look: Look, left: tuple[Tenant, ...]) -> tuple[CatalogueAction, ...]:
    """Who is asked to leave now: as many at once as is careful, one per budget."""
    running = [tenant for tenant in left if tenant.going or any(act.state not in TERMINAL for act in _of_pod(look, tenant))]
    budgets = {tenant.budget for tenant in running if tenant.budget}
    found: list[CatalogueAction] = []
    for tenant in left:
        tries = len(_of(look, _kind(tenant), tenant.pod.uid))
        if tenant in running or not _may_go(tenant) or tenant.budget in budgets or tries >= TRIES:
            continue
        if len(running) + len(found) >= AT_ONCE:
            break
        name = _id(episode, _kind(tenant), tenant.pod, tries)
        make = DeletePod if _kind(tenant) == "delete_pod" else EvictPod
        found.append(make(id=name, target=tenant.pod, from_owner=tenant.owner))
        budgets |= {tenant.budget} - {""}
    return tuple(found)


def _may_go(tenant: Tenant) -> bool:
    """A budget none of whose pods is Ready protects nothing that works."""
    return tenant.allowed is None or tenant.allowed > 0 or tenant.idle


def _kind(tenant: Tenant) -> str:
    """The eviction of a pod whose budget allows none is refused however idle it is: then it is a deletion, which a person approves."""
    return "delete_pod" if tenant.allowed == 0 and tenant.idle else "evict_pod"


def _emptied(episode: Episode, look: Look, pace: Pace) -> Step:
    """Drained or fenced: until nothing of it is bound to the node."""
    pods = look.movable if episode.stage is Stage.FENCED else ()
    if not pods and not look.volumes:
        return Step("no volume is attached to it", Stage.RELEASED)
    waits = f"{len(pods)} pods and {len(look.volumes)} volumes are still bound to it"
    undone = [act for act in _fences(episode, look) if act.state in (S.ROLLED_BACK, S.ESCALATED)]
    if undone or look.now - episode.since >= pace.release:
        return Step(f"{waits}{f'; the fence was {undone[-1].state}' if undone else ''}", Stage.ESCALATED)
    return Step(waits)


def _fences(episode: Episode, look: Look) -> list[Act]:
    return [act for kind in ("fence_node", "fence_stopped_node") for act in _of(look, kind, episode.node.uid)]


def _released(episode: Episode, look: Look, _: Pace) -> Step:
    if any(act.state not in TERMINAL for act in _fences(episode, look)):
        return Step("the fence is still being verified")
    if look.node is None:
        return Step("the node is gone with its machine", Stage.REPLACED)
    if look.machine is None:
        return Step("nobody here can make another machine: that is left to people", Stage.REPLACED)
    of = look.machine.target
    if of is None:
        return Step("the provider was asked for another machine", Stage.REPLACED, replace=True)
    return _through(episode, look, of, lambda name: ReplaceMachine(id=name, target=of, node=episode.node.name), Stage.REPLACED)


def _replaced(episode: Episode, look: Look, pace: Pace) -> Step:
    """What ran there runs elsewhere, and stays so for ten minutes."""
    wrong = [*look.short, *(f"{volume} is attached to the old node" for volume in look.volumes)]
    if not wrong and episode.calm_since is not None and look.now - episode.calm_since >= pace.calm:
        new = f"; new: {', '.join(look.fresh[:3])}" if look.fresh else ""
        return Step(f"all that ran there is ready, for {_minutes(pace.calm)}{new}", Stage.HEALED)
    if look.now - episode.since >= pace.verify:
        return Step(f"not well after {_minutes(pace.verify)}: {'; '.join(wrong[:3]) or 'it does not stay'}", Stage.ESCALATED)
    return Step("; ".join(wrong[:3]) or "all is ready; is it to stay?", calm=not wrong)


STEPS: dict[Stage, Callable[[Episode, Look, Pace], Step]] = {
    Stage.SUSPECTED: _suspected,
    Stage.CONFIRMED: _confirmed,
    Stage.CORDONED: _cordoned,
    Stage.DRAINED: _emptied,
    Stage.FENCED: _emptied,
    Stage.RELEASED: _released,
    Stage.REPLACED: _replaced,
}


def _through(episode: Episode, look: Look, target: Target, make: Callable[[str], CatalogueAction], to: Stage) -> Step:
    """One action to its verified end. A write that was never stored is tried again; a no, and silence, end with a person."""
    kind = make("act-0000").kind
    acts = _of(look, kind, target.uid)
    done = next((act for act in acts if act.state is S.VERIFIED), None)
    if done is not None:
        return Step(f"{kind} is verified: {done.note}", to)
    running = next((act for act in acts if act.state not in TERMINAL), None)
    if running is not None:
        return Step(f"{kind} is {running.state}: {running.note}")
    bad = [act for act in acts if act.state is not S.FAILED]
    if bad or len(acts) >= TRIES:
        last = acts[-1]
        return Step(f"{kind} was {last.state}: {last.note}", Stage.ESCALATED)
    return Step(f"submits {kind}", submit=(make(_id(episode, kind, target, len(acts))),))


def _of(look: Look, kind: str, uid: str) -> list[Act]:
    return [act for act in look.acts if (act.kind, act.target_uid) == (kind, uid)]


def _of_pod(look: Look, tenant: Tenant) -> list[Act]:
    return [act for act in look.acts if act.target_uid == tenant.pod.uid]


def _id(episode: Episode, kind: str, target: Target, attempt: int) -> str:
    """The same episode asks for the same thing under the same id, so that a second asking finds the first."""
    return identifier("act", episode.id, kind, target.cluster, target.uid, attempt)


def _minutes(time: timedelta) -> str:
    return f"{int(time.total_seconds() // 60)} minutes"
