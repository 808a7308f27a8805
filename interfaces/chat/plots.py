"""Plots as PNG, because chats show no SVG. Each says its conclusion in words beside it; the numbers are on the card or in the answer."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from interfaces.chat.values import Answer, Picture
from runtime.services.carding import Carded

WIDE, ROW, LABEL = 640, 30, 190
_SVG = Markup(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}" font-family="{fonts}" font-size="13">'
    '<rect width="100%" height="100%" fill="#ffffff"/>{body}</svg>'
)
_BAR = Markup(
    '<text x="{label}" y="{text}" text-anchor="end" fill="#222222">{name}</text>'
    '<rect x="{start}" y="{top}" width="{wide}" height="18" fill="{fill}"/>'
    '<text x="{end}" y="{text}" fill="#222222">{value}</text>'
)
FONTS = "DejaVu Sans, Liberation Sans, Noto Sans, Arial, Helvetica, sans-serif"
"""Where a machine has none of them the bars stand without words; what they say is in the words beside the picture."""
USED, ASKED, WANTED = "#0072b2", "#999999", "#d55e00"
"""Of Okabe and Ito, told apart with any eyes; each bar has its words as well."""


class Bar(NamedTuple):
    name: str
    value: int
    said: str
    fill: str


def sizing(found: Carded) -> Picture | None:
    """What is used against what is asked for, before and after. None for an action that sizes nothing, or before it is judged."""
    facts = found.verdict.facts if found.verdict else None
    if facts is None or facts.requests_cpu_milli_before is None or facts.requests_cpu_milli_after is None or facts.cpu_milli_p95 is None:
        return None
    days = f", {facts.usage_days} days" if facts.usage_days else ""
    bars = [
        Bar(f"used, p95{days}", facts.cpu_milli_p95, f"{facts.cpu_milli_p95}m", USED),
        *([Bar(f"used, p99{days}", facts.cpu_milli_p99, f"{facts.cpu_milli_p99}m", USED)] if facts.cpu_milli_p99 is not None else []),
        Bar("requested now", facts.requests_cpu_milli_before, f"{facts.requests_cpu_milli_before}m", ASKED),
        Bar("requested after", facts.requests_cpu_milli_after, f"{facts.requests_cpu_milli_after}m", WANTED),
    ]
    before, after, used = facts.requests_cpu_milli_before, facts.requests_cpu_milli_after, facts.cpu_milli_p95
    alt = f"CPU request of {facts.namespace}/{facts.name} from {before}m to {after}m; 95 % of the time it uses at most {used}m."
    return Picture(f"{found.row.action_id}.png", alt, drawn(bars))


def findings(answer: Answer) -> Picture | None:
    """How many findings of which severity; none for fewer than three, which are read faster than a plot."""
    counts = Counter(item.severity for item in answer.findings)
    if sum(counts.values()) < 3:
        return None
    order = [name for name in ("critical", "high", "medium", "low", "info") if counts[name]]
    bars = [Bar(name, counts[name], str(counts[name]), WANTED if name in ("critical", "high") else USED) for name in order]
    alt = f"Of the {sum(counts.values())} findings shown: {', '.join(f'{counts[name]} {name}' for name in order)}."
    return Picture(f"{answer.run}.png", alt, drawn(bars))


def drawn(bars: Sequence[Bar]) -> bytes:
    """Bars from zero, on one scale."""
    import resvg_py

    most = max((bar.value for bar in bars), default=0) or 1
    room = WIDE - LABEL - 90
    body = []
    for number, bar in enumerate(bars):
        top = 10 + number * ROW
        wide = max(1, round(room * bar.value / most))
        start = LABEL + 10
        body.append(
            _BAR.format(
                label=LABEL,
                text=top + 14,
                name=bar.name,
                start=start,
                top=top,
                wide=wide,
                fill=bar.fill,
                end=start + wide + 8,
                value=bar.said,
            )
        )
    svg = _SVG.format(fonts=FONTS, w=WIDE, h=20 + ROW * len(bars), body=Markup("").join(body))
    return bytes(resvg_py.svg_to_bytes(svg_string=str(svg)))
