"""The weekly digest for people: one page that can be mailed, and the same as markdown.

Every text goes through `Markup.format`, which escapes it.
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from core.domain.money import MICRO
from core.domain.report import Line
from runtime.services import framing
from runtime.services.reporting import Digest, Row

STYLE = Markup("""
:root{color-scheme:light dark;--fg:#1b1f24;--dim:#57606a;--bg:#fff;--line:#d0d7de;
--done:#116329;--refused:#a4123f;--left:#8a6100;--saved:#1d6a96}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--dim:#9ea7b1;--bg:#0d1117;--line:#30363d;--done:#7ee787;--refused:#ff8fa3;--left:#e3b341;
--saved:#79c0ff}}
body{margin:0 auto;padding:1.5rem;max-width:60rem;font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}.dim{color:var(--dim)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right}svg{display:block;width:100%;height:auto;max-height:14rem}
svg text{fill:var(--dim);font:11px system-ui,sans-serif}
.done{fill:var(--done)}.refused{fill:var(--refused)}.left{fill:var(--left)}.saved{fill:var(--saved)}.axis{stroke:var(--line)}
li{overflow-wrap:anywhere}
""")
WIDTH, HEIGHT, BASE = 700, 200, 160
SORTS = ("done", "refused", "left")


def title(found: Digest) -> str:
    return f"Autonomous runs, {found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}"


def link(url: str, found: Digest) -> str:
    """Its page on the console that people reach under this address; empty where there is none."""
    return f"{url.rstrip('/')}/reports/weekly?until={found.until:%Y-%m-%d}" if url else ""


def page(found: Digest) -> str:
    ran = sum(row.ran for row in found.rows)
    about = f"{ran} runs of {len(found.rows)} schedules; {money(found.saved_micro_usd)} a month saved. Times are UTC."
    bars = [[getattr(day, name) for name in SORTS] for day in found.days]
    dates = [day.date for day in found.days]
    parts = [
        Markup("<h2>What came of it, by day</h2>{}").format(chart("actions done, refused and left to people, by day", dates, bars, SORTS)),
        Markup("<h2>Saved a month, by day, USD</h2>{}").format(
            chart("savings by day", dates, [[day.saved_micro_usd // MICRO] for day in found.days], ("saved",))
        ),
        Markup("<h2>By schedule</h2>{}").format(_table(found.rows)),
        _list("Waits for a person", found.waits),
        _list("Done", found.done),
        _list(
            "Failed or missed",
            [Line(id=tick.run_id, what=f"{tick.schedule} {tick.at:%a %H:%M}", state=tick.state, note=tick.note) for tick in found.failed],
        ),
    ]
    return framing.page(title(found), about, STYLE, Markup("\n").join(parts))


def chart(label: str, dates: Sequence[str], bars: Sequence[Sequence[int]], names: Sequence[str]) -> Markup:
    """Stacked columns, one a day, with their sum above; for those who do not see it, `label` and a title each."""
    most = max((sum(column) for column in bars), default=0) or 1
    drawn = [_column(number, date, column, names, most) for number, (date, column) in enumerate(zip(dates, bars, strict=True))]
    legend = Markup("").join(
        Markup('<rect class="{}" x="{}" y="188" width="9" height="9"/><text x="{}" y="197">{}</text>').format(
            name, 10 + 90 * place, 24 + 90 * place, name
        )
        for place, name in enumerate(names)
    )
    axis = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(WIDTH, BASE, BASE)
    return Markup('<svg role="img" aria-label="{}" viewBox="0 0 {} {}">{}{}{}</svg>').format(
        label, WIDTH, HEIGHT, axis, Markup("").join(drawn), legend
    )


def _column(number: int, date: str, column: Sequence[int], names: Sequence[str], most: int) -> Markup:
    left, top, parts = 20 + number * 97, float(BASE), []
    for name, value in zip(names, column, strict=True):
        height = 130 * value / most
        top -= height
        row = Markup('<rect class="{}" x="{}" y="{}" width="58" height="{}"><title>{}: {} {}</title></rect>')
        parts += [row.format(name, left, f"{top:.1f}", f"{height:.1f}", date, value, name)] if value else []
    parts.append(Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(left + 29, f"{top - 5:.1f}", sum(column)))
    parts.append(Markup('<text x="{}" y="176" text-anchor="middle">{}</text>').format(left + 29, date[5:]))
    return Markup("").join(parts)


HEADS = ("schedule", "ticks", "ran", "failed", "left out", "done", "refused", "left", "writes", "saved a month")


def cells(row: Row) -> tuple[str, ...]:
    return (*(str(value) for value in row[:-1]), money(row.saved_micro_usd))


def _table(rows: Iterable[Row]) -> Markup:
    heads = Markup("").join(
        Markup('<th scope="col" class="{}">{}</th>').format("n" if place else "", head) for place, head in enumerate(HEADS)
    )
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup('<td class="{}">{}</td>').format("n" if place else "", value) for place, value in enumerate(cells(row)))
        )
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(heads, body)


def _list(head: str, lines: Sequence[Line]) -> Markup:
    if not lines:
        return Markup("")
    items = Markup("").join(
        Markup('<li>{} <span class="dim">{} {} {}</span></li>').format(line.what, line.state, line.id, line.note) for line in lines
    )
    return Markup("<h2>{}</h2><ul>{}</ul>").format(head, items)


def money(micro_usd: int) -> str:
    return f"{micro_usd / MICRO:.2f} USD"


def markdown(found: Digest, link: str = "") -> str:
    """The same without plots, and where they are. Names of objects stand in code spans, so that no chat takes them for something else."""
    said = [f"# {title(found)}", "", f"{money(found.saved_micro_usd)} a month saved. Times are UTC.", ""]
    said += [f"With plots: {link}", ""] if link else []
    said += [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}", *(f"| {' | '.join(map(_plain, cells(row)))} |" for row in found.rows)]
    for head, lines in (("Waits for a person", found.waits), ("Done", found.done)):
        said += ["", f"## {head}", "", *(f"- `{_plain(line.what)}` {line.id}" for line in lines)] if lines else []
    if found.failed:
        said += [
            "",
            "## Failed or missed",
            "",
            *(f"- `{_plain(tick.schedule)}` {tick.at:%Y-%m-%d %H:%M}: {_plain(tick.note)}" for tick in found.failed),
        ]
    return "\n".join(said) + "\n"


def _plain(text: str) -> str:
    return text.replace("`", "'").replace("|", "/").replace("\n", " ")
