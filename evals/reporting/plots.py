"""Plots as SVG, in one element each. Each has a title that says what is to be seen; the table beside it has its numbers."""

from collections.abc import Sequence

from markupsafe import Markup

from evals.running.trial import Trial
from evals.scoring.figures import SHARE, Figure

WIDE, LABEL, ROW = 760, 230, 22
_SVG = Markup('<svg role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}"><title>{title}</title>{body}</svg>')


def intervals(shown: Sequence[tuple[str, Figure]], title: str) -> Markup:
    """A dot at each share, a bar from the lowest to the highest that it may be, a tick at its goal."""
    rows = [(name, figure) for name, figure in shown if figure.unit == SHARE and figure.value is not None]
    body = [_axis(len(rows))]
    for number, (name, figure) in enumerate(rows):
        y = number * ROW + 14
        body.append(_label(name, y))
        if figure.low is not None and figure.high is not None:
            body.append(_line(_at(figure.low), y, _at(figure.high), y, "bar"))
        if figure.goal is not None:
            body.append(_line(_at(figure.goal), y - 7, _at(figure.goal), y + 7, "goal"))
        sort = "bad" if figure.met is False else "dot"
        body.append(Markup('<circle class="{}" cx="{:.1f}" cy="{}" r="4.5"/>').format(sort, _at(min(1.0, max(0.0, figure.value or 0))), y))
    return _SVG.format(w=WIDE, h=len(rows) * ROW + 24, title=title, body=Markup("").join(body))


def timeline(trials: Sequence[Trial], title: str) -> Markup:
    """Of each trial: told (ring), the actions' end (filled), over its virtual time on a scale of its own."""
    body = []
    for number, trial in enumerate(trials):
        y = number * ROW + 14
        length = max(trial.virtual, 1.0)
        body += [_label(trial.name, y), _line(LABEL, y, WIDE - 10, y, "rule")]
        for told in trial.told:
            body.append(Markup('<circle class="ring" cx="{:.1f}" cy="{}" r="4.5"/>').format(_at(min(1.0, told.at / length)), y))
        if trial.detected is not None and trial.mending is not None:
            end = min(1.0, (trial.virtual - trial.mending) / length)
            body.append(_line(_at(end), y, _at(min(1.0, end + trial.mending / length)), y, "bar"))
        mark = "dot" if trial.passed else "bad"
        body.append(Markup('<rect class="{}" x="{}" y="{}" width="8" height="8"/>').format(mark, WIDE - 10, y - 4))
    return _SVG.format(w=WIDE, h=len(trials) * ROW + 10, title=title, body=Markup("").join(body))


def trend(points: Sequence[tuple[str, Figure]], title: str) -> Markup:
    """One point a version, with its interval; left the oldest."""
    body, wide = [], max(1, len(points))
    previous: tuple[float, float] | None = None
    for number, (name, figure) in enumerate(points):
        if figure.value is None:
            continue
        x, y = 60 + number * (WIDE - 120) / max(1, wide - 1 or 1), 150 - figure.value * 130
        if previous is not None:
            body.append(_line(*previous, x, y, "bar"))
        if figure.low is not None and figure.high is not None:
            body.append(_line(x, 150 - figure.low * 130, x, 150 - figure.high * 130, "rule"))
        body.append(Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4.5"/>').format(x, y))
        body.append(Markup('<text x="{:.1f}" y="172" text-anchor="middle">{}</text>').format(x, name))
        previous = x, y
    return _SVG.format(w=WIDE, h=180, title=title, body=Markup("").join(body))


def _at(share: float) -> float:
    return LABEL + share * (WIDE - LABEL - 20)


def _axis(rows: int) -> Markup:
    bottom = rows * ROW + 4
    lines = [_line(_at(share), 0, _at(share), bottom, "rule") for share in (0, 0.25, 0.5, 0.75, 1)]
    words = [
        Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{:.0%}</text>').format(_at(share), bottom + 16, share) for share in (0, 0.5, 1)
    ]
    return Markup("").join([*lines, *words])


def _label(name: str, y: float) -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(LABEL - 10, y + 4, name if len(name) < 34 else f"{name[:32]}…")


def _line(x1: float, y1: float, x2: float, y2: float, sort: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(sort, x1, y1, x2, y2)
