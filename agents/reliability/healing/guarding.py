"""What forbids to touch a sick node: too many are sick, too few would be left, another one of the pool is being healed. Pure."""

from datetime import timedelta

from agents.reliability.healing.episode import Episode
from agents.reliability.healing.seeing import Look, Peer

MOST_SICK_PERCENT, MOST_SICK = 20, 3
LEAST_WELL_IN_ZONE = 2
COOL_DOWN = timedelta(minutes=10)
MOST_A_DAY = 2


def forbidden(episode: Episode, look: Look) -> str:
    """The first guard that holds, in words; empty where none does."""
    reasons = (_too_many(episode, look), _zone(episode, look), _quorum(episode, look), _busy(look), _cooling(look), _again(look))
    return next(filter(None, reasons), "")


def most_sick(nodes: int) -> int:
    """A fifth of the pool, three at most, and one at least: a small pool may lose its first node too."""
    return max(1, min(MOST_SICK, nodes * MOST_SICK_PERCENT // 100))


def _own(episode: Episode, look: Look) -> Peer | None:
    return next((each for each in look.peers if each.name == episode.node.name), None)


def _too_many(episode: Episode, look: Look) -> str:
    pool = [each for each in look.peers if each.pool == episode.pool]
    sick, most = sum(not each.well or each.name == episode.node.name for each in pool), most_sick(len(pool))
    if sick <= most:
        return ""
    return f"{sick} of {len(pool)} nodes of pool {episode.pool} are not well; more than {most} is no matter of single nodes"


def _zone(episode: Episode, look: Look) -> str:
    left = sum(each.well for each in look.peers if each.zone == episode.zone and each.name != episode.node.name)
    where = f"zone {episode.zone}" if episode.zone else "the cluster"
    return f"{left} well nodes would be left in {where}, and {LEAST_WELL_IN_ZONE} are needed" if left < LEAST_WELL_IN_ZONE else ""


def _quorum(episode: Episode, look: Look) -> str:
    own = _own(episode, look)
    control = [each for each in look.peers if each.control]
    if own is None or not own.control:
        return ""
    left, needed = sum(each.well for each in control if each is not own), len(control) // 2 + 1
    return f"{left} of {len(control)} control plane nodes would be left, and {needed} make a quorum" if left < needed else ""


def _busy(look: Look) -> str:
    return f"episode {look.past.busy} changes this pool now, and one at a time is enough" if look.past.busy else ""


def _cooling(look: Look) -> str:
    if look.past.last is None or look.now - look.past.last >= COOL_DOWN:
        return ""
    return f"the pool was changed {int((look.now - look.past.last).total_seconds() // 60)} minutes ago, and cools down for 10"


def _again(look: Look) -> str:
    return f"it was healed {look.past.today} times within a day: its cause is another" if look.past.today >= MOST_A_DAY else ""
