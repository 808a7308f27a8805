"""How far agents may go by themselves, each level with the record that it stands on."""

from collections.abc import Sequence

from core.domain.objective import Autonomy
from core.policy.autonomy import NEEDED
from core.policy.prospects import still_needed
from interfaces.rendering.envelopes import Json, envelope, plain
from interfaces.rendering.tables import Column
from runtime.services.trusting import Trust

COLUMNS = (
    Column("CAPABILITY", "capability"),
    Column("NAMESPACE", "namespace"),
    Column("LEVEL", "level"),
    Column("CEILING", "ceiling"),
    Column("HITS", "verified"),
    Column("MISSES", "missed"),
    Column("BOUND", "bound"),
    Column("NEXT STEP", "next"),
    Column("VOUCHED", "vouched", wide=True),
    Column("SINCE", "since", wide=True),
    Column("AGENTS", lambda item: ", ".join(item["agents"]), wide=True),
)


def listed(found: Sequence[Trust], *, cluster: str) -> Json:
    return envelope("AutonomyList", items=[item(row) for row in found], metadata={"cluster": cluster})


def item(row: Trust) -> Json:
    known, granted = row.standing, row.standing.granted
    return {
        "capability": row.capability,
        "namespace": row.namespace,
        "agents": list(row.agents),
        "level": known.level.value,
        "ceiling": granted.ceiling.value,
        "vouched": granted.start.value,
        "since": plain(granted.since) if granted.since else "",
        "verified": known.verified,
        "missed": known.missed,
        "bound": f"{known.bound:.3f}",
        "next": step(row),
    }


def step(row: Trust) -> str:
    """What would raise it, in words."""
    known, levels = row.standing, tuple(Autonomy)
    if more := still_needed(known):
        following = levels[levels.index(known.level) + 1]
        return f"{following.value} after {more} more hits without a miss (bound {NEEDED[following]:.2f})"
    if known.held_back is not known.level:
        return f"people grant no more; the record would give {known.held_back.value}"
    return "nothing is above it" if known.level is Autonomy.AUTO else "people grant no more"
