"""Nodes with their health, and the healings with their times."""

from agents.reliability.healing.episode import Episode
from agents.reliability.healing.times import Spread, Times
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column
from runtime.services.healings import Standing

NODE_COLUMNS = (
    Column("NODE", "name"),
    Column("HEALTH", "health"),
    Column("SINCE", "since"),
    Column("POOL", "pool"),
    Column("ZONE", "zone"),
    Column("PODS", "pods"),
    Column("EPISODE", "episode"),
    Column("STAGE", "stage"),
    Column("WHY", "why", wide=True),
)
EPISODE_COLUMNS = (
    Column("ID", "id"),
    Column("NODE", "node"),
    Column("STAGE", "stage"),
    Column("BEGAN", "beganAt"),
    Column("CONFIRMED", "seconds.confirmed"),
    Column("RELEASED", "seconds.released"),
    Column("HEALED", "seconds.healed"),
    Column("BY", "by", wide=True),
    Column("WHY", "why"),
)


def node_list(found: list[Standing]) -> Json:
    return envelope("NodeList", items=[_node(each) for each in found])


def _node(each: Standing) -> Json:
    episode = each.episode
    return {
        "name": each.name,
        "health": each.health,
        "since": each.since,
        "pool": each.pool,
        "zone": each.zone,
        "pods": each.pods,
        "episode": episode.id if episode else "",
        "stage": episode.stage.value if episode else "",
        "why": episode.why if episode else "",
    }


def episode_list(found: list[Episode], took: Times) -> Json:
    times = {"mttd": _spread(took.mttd), "mttm": _spread(took.mttm), "mttr": _spread(took.mttr)}
    return envelope("EpisodeList", items=[_episode(each) for each in found], metadata={"times": times})


def _spread(each: Spread) -> Json:
    median, p90 = (None if value is None else int(value) for value in (each.median, each.p90))
    return {"n": each.n, "open": each.open, "median_seconds": median, "p90_seconds": p90}


def _episode(each: Episode) -> Json:
    """Seconds count from the fault, where the node's own condition told when it was, else from the suspicion."""
    start = each.fault_at or each.stamps[0].at
    seconds = {stamp.stage.value: max(0, int((stamp.at - start).total_seconds())) for stamp in each.stamps}
    return {
        "id": each.id,
        "node": each.node.name,
        "pool": each.pool,
        "zone": each.zone,
        "stage": each.stage.value,
        "began_at": each.stamps[0].at,
        "by": each.by,
        "asked": each.asked,
        "seconds": seconds,
        "why": each.why,
    }


def episode_document(each: Episode) -> Json:
    return envelope("Episode", **_episode(each))


def episode_view(screen: Screen, found: Json) -> None:
    screen.wrapped(f"{found['id']}: node {found['node']} of pool {found['pool']} is {found['stage']}: {found['why']}", hang=4)


def times_lines(document: Json) -> list[str]:
    """One line per time, for people."""
    words = {"mttd": "to notice (MTTD)", "mttm": "to contain (MTTM)", "mttr": "to mend (MTTR)"}
    return [f"{words[name]:<18} {_said(one)}" for name, one in document["metadata"]["times"].items()]


def _said(one: Json) -> str:
    shown = [f"{word} {'beyond what was seen' if one[name] is None else f'{one[name]} s'}" for word, name in _QUANTILES]
    return f"{', '.join(shown)}, n {one['n']}, not so far {one['open']}"


_QUANTILES = (("median", "medianSeconds"), ("p90", "p90Seconds"))
