"""`docs/assessing.md`, made of the stored results and of the tables in the code."""

from collections.abc import Iterator, Mapping, Sequence

from core.assessing.requirements import REQUIREMENTS
from evals.assessing import scoring
from evals.assessing.errors import ERRORS
from evals.assessing.results import COMMAND, Results
from evals.assessing.scoring import LEAST_ALIGNED, MOST_ALARMS, MOST_SILENT, Line, Score, Share
from evals.assessing.text import BEFORE, HOW, MODELS, OTHERS, PRODUCTION

NAMES = tuple(share.name for share in scoring.score(()))


def text(found: Results) -> str:
    return "\n".join(_lines(found))


def _lines(found: Results) -> Iterator[str]:
    score = scoring.score(found.rows)
    flawed = sum(row.flawed for row in found.rows)
    yield "# Was a finished run right?"
    yield ""
    yield BEFORE
    yield ""
    yield "## What a run must satisfy"
    yield ""
    yield "| requirement | what it says | also asked of a model |"
    yield "|---|---|---|"
    yield from (f"| `{each.name}` | {each.says} | {'yes' if each.words else ''} |" for each in REQUIREMENTS)
    yield ""
    yield "## How good is that?"
    yield ""
    yield (
        f"{len(found.rows)} labelled trajectories of seeds {', '.join(map(str, found.seeds))}: {flawed} with one error planted, out of "
        f"{len(ERRORS)} kinds, and {len(found.rows) - flawed} without. Run on {found.date} after commit {found.commit}; "
        f"`{COMMAND}` makes this page."
    )
    yield ""
    yield from _shares(score)
    yield ""
    yield HOW.format(aligned=round(LEAST_ALIGNED * 100), alarms=round(MOST_ALARMS * 100), silent=round(MOST_SILENT * 100))
    yield ""
    yield from _by_error([line for line in scoring.lines(found.rows) if line.breaks])
    yield ""
    yield "Of runs in which nothing was planted, or only what breaks nothing:"
    yield ""
    yield "| variation | runs | called flawed | unknown |"
    yield "|---|---|---|---|"
    calm = (line for line in scoring.lines(found.rows) if not line.breaks)
    yield from (f"| {line.planted} | {line.total} | {line.flawed} | {line.unknown} |" for line in calm)
    yield ""
    yield "## With a model"
    yield ""
    yield MODELS
    yield ""
    yield from _table({"code alone": _counts(score)} | found.models, better_than=score)
    yield ""
    yield "The same answers taken at their word, without code:"
    yield ""
    yield from _table(found.unchecked)
    yield ""
    yield OTHERS
    yield ""
    yield from _table(found.others)
    yield ""
    yield PRODUCTION
    yield ""


def _shares(score: Score) -> Iterator[str]:
    yield "| | runs | share | 95 % interval |"
    yield "|---|---|---|---|"
    yield from (f"| {each.name} | {each.found} of {each.total} | {_percent(each.share)} | {_interval(each)} |" for each in score)


def _by_error(found: Sequence[Line]) -> Iterator[str]:
    yield "| planted | requirement | runs | called flawed | that one named | unknown | called sound |"
    yield "|---|---|---|---|---|---|---|"
    for line in found:
        missed = line.total - line.flawed - line.unknown
        yield f"| {line.planted} | `{line.breaks}` | {line.total} | {line.flawed} | {line.named} | {line.unknown} | {missed or ''} |"


def _table(found: Mapping[str, Sequence[Sequence[int]]], better_than: Score | None = None) -> Iterator[str]:
    yield "| who | aligned | false alarms | silent misses | named | unknown | may be used |"
    yield "|---|---|---|---|---|---|---|"
    for name, counts in found.items():
        score = scoring.counted(counts)
        cells = " | ".join(f"{each.found} of {each.total}" for each in score)
        used = score.passes if better_than in (None, score) else scoring.useful(score, better_than)
        yield f"| {name} | {cells} | {'yes' if used else 'no'} |"


def _counts(score: Score) -> tuple[tuple[int, int], ...]:
    return tuple((each.found, each.total) for each in score)


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%"


def _interval(share: Share) -> str:
    low, high = share.interval
    return f"{_percent(low)} to {_percent(high)}"
