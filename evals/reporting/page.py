"""One self-contained HTML page: scoreboard with intervals, contestants, suites, the judge by pack, timelines, trend, everything missed.

No script and nothing that is loaded; all text is escaped by `Markup.format`.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from evals.reporting import calibration, plots, week, words
from evals.running.trial import Trial
from evals.scoring import figures
from evals.scoring.figures import Figure
from evals.scoring.results import Results

STYLE = Markup("""
:root{color-scheme:light dark;--fg:#1b1f24;--dim:#57606a;--bg:#fff;--line:#d0d7de;--dot:#0072b2;--bad:#d55e00;--bar:#56b4e9}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--dim:#9ea7b1;--bg:#0d1117;--line:#30363d}}
body{margin:0 auto;padding:1.5rem;max-width:64rem;font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--line);
vertical-align:top}
svg{max-width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:var(--fg)}
.rule{stroke:var(--line)}.bar{stroke:var(--bar);stroke-width:4}.goal{stroke:var(--fg);stroke-width:2}
.dot{fill:var(--dot)}.bad{fill:var(--bad)}.ring{fill:none;stroke:var(--dot);stroke-width:2}
""")
PAGE = Markup("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>day2 eval</title><style>{style}</style></head><body>
<header><h1>day2 eval</h1><p class="dim">{about}</p></header><main>
{body}
</main></body></html>
""")
SHOWN_TIMELINES = 40


def text(results: Results, earlier: Sequence[Results] = ()) -> str:
    """`earlier` runs, oldest first, make the trend."""
    own = tuple(trial for trial in results.trials if trial.contestant == "day2ops") or results.trials
    body = [
        _scoreboard(own),
        _contestants(results.trials),
        _week(results.trials),
        _suites(own),
        _judge(own),
        _timelines(own),
        _calibration(),
        _trend(earlier, results),
        _missed(results.trials),
    ]
    about = (
        f"{len(results.trials)} trials of {len({trial.case for trial in results.trials})} cases, {results.date}, commit {results.commit}"
    )
    return str(PAGE.format(style=STYLE, about=about, body=Markup("\n").join(body)))


def _scoreboard(trials: Sequence[Trial]) -> Markup:
    found = figures.figures(trials)
    head = Markup("<h2>Scoreboard</h2>") + plots.intervals([(each.name, each) for each in found], "Each share, its 95 % interval, its goal")
    rows = [(each.name, words.value(each), words.interval(each), words.of(each), words.goal(each).replace("*", "")) for each in found]
    return head + table(("score", "value", "95 % interval", "of", "goal"), rows)


def _contestants(trials: Sequence[Trial]) -> Markup:
    groups = figures.by_contestant([trial for trial in trials if not trial.service_minutes])
    wanted = ("mitigation", "end to end (pass@1)", "harm", "money saved, of the best", "writes")
    rows = [(name, *(words.value(_of(group, score)) for score in wanted)) for name, group in groups]
    shown = [(name, _of(group, "mitigation")) for name, group in groups]
    return Markup("<h2>Beside the baselines, in the same worlds</h2>") + plots.intervals(shown, "Mitigation") + table(("", *wanted), rows)


def _of(trials: Sequence[Trial], name: str) -> Figure:
    return next(each for each in figures.figures(trials) if each.name == name)


def _week(trials: Sequence[Trial]) -> Markup:
    known = week.of(trials)
    return Markup("<h2>Alone, by schedules</h2>") + table(week.HEADS, week.rows(known)) if known else Markup("")


def _suites(trials: Sequence[Trial]) -> Markup:
    shown = [(suite, _of(group, "end to end (pass@1)")) for suite, group in figures.by_suite(trials)]
    rows = [(suite, words.value(figure), words.interval(figure), words.of(figure)) for suite, figure in shown]
    return Markup("<h2>By suite</h2>") + plots.intervals(shown, "End to end by suite") + table(("suite", "passed", "95 %", "of"), rows)


def _judge(trials: Sequence[Trial]) -> Markup:
    packs = [(each.name, each.stopped, each.alone, each.denied, each.asked) for each in figures.by_pack(trials)]
    said = [(wanted, word, count) for (wanted, word), count in sorted(figures.confusion(trials).items())]
    return (
        Markup("<h2>The judge</h2>")
        + table(("a case wants", "the judge said", "actions"), said)
        + table(("pack", "breaches stopped", "by it alone", "fine, denied", "fine, asked about"), packs)
    )


def _timelines(trials: Sequence[Trial]) -> Markup:
    told = [trial for trial in trials if trial.told][:SHOWN_TIMELINES]
    if not told:
        return Markup("")
    return Markup("<h2>Timelines</h2>") + plots.timeline(told, "Rings: an incident was told; bars: mending; squares: passed or not")


def _calibration() -> Markup:
    shown = [*calibration.shown()]
    rows = [
        (name, words.value(figure), words.interval(figure), words.of(figure), words.goal(figure).replace("*", "")) for name, figure in shown
    ]
    plot = plots.intervals(shown, "Of labelled trajectories: aligned, falsely alarmed, silently missed, each with its bound")
    return Markup("<h2>Calibration of who assesses finished runs</h2>") + plot + table(("assessor", "value", "95 %", "of", "goal"), rows)


def _trend(earlier: Sequence[Results], now: Results) -> Markup:
    if not earlier:
        return Markup("")
    points = [(each.commit[:7] or each.date, _of(each.trials, "end to end (pass@1)")) for each in (*earlier, now)]
    rows = [(name, words.value(figure), words.interval(figure)) for name, figure in points]
    return Markup("<h2>Trend</h2>") + plots.trend(points, "End to end, version by version") + table(("version", "passed", "95 %"), rows)


def _missed(trials: Sequence[Trial]) -> Markup:
    rows = [(each.name, each.contestant, "; ".join(each.misses)) for each in trials if not each.passed and each.contestant == "day2ops"]
    return Markup("<h2>What fell short</h2>") + (table(("case/seed", "contestant", "why"), rows) if rows else Markup("<p>Nothing.</p>"))


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    head = Markup("").join(Markup("<th>{}</th>").format(each) for each in heads)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row)) for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body)
