"""How well finished runs are assessed, against labelled trajectories: figures for the report, from the stored held-out results.

`docs/assessing.md` says how the labels were made. The scripted models stand for ways in which a model can be wrong; none is a real one.
"""

from collections.abc import Iterator

from evals.assessing import results, scoring
from evals.assessing.results import BY_CODE
from evals.assessing.scoring import Score, Share
from evals.scoring.figures import SHARE, Figure


def shown() -> Iterator[tuple[str, Figure]]:
    """Three for each assessor: alignment, false alarms, silent misses, each with its bound."""
    stored = results.read()
    yield from _of(BY_CODE, scoring.score(stored.rows))
    for name, counts in stored.models.items():
        yield from _of(f"with a model: {name}", scoring.counted(counts))


def _of(name: str, score: Score) -> Iterator[tuple[str, Figure]]:
    yield f"{name}, aligned", _figure(score.aligned, scoring.LEAST_ALIGNED)
    yield f"{name}, false alarms", _figure(score.alarms, scoring.MOST_ALARMS, at_most=True)
    yield f"{name}, silent misses", _figure(score.silent, scoring.MOST_SILENT, at_most=True)


def _figure(share: Share, goal: float, *, at_most: bool = False) -> Figure:
    value = share.share if share.total else None
    low, high = share.interval if share.total else (None, None)
    return Figure(share.name, SHARE, value, low, high, share.found, share.total, goal, at_most)
