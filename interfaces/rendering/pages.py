"""`-o html`: one self-contained page that can be mailed: inline style and SVG, no script, nothing that is loaded. All text is escaped.

Every piece is a `Markup.format`, which escapes what it is given; the page forbids scripts and loads by its own policy besides.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from interfaces.rendering import actions, plans
from interfaces.rendering.envelopes import Json
from interfaces.rendering.screens import cell
from interfaces.rendering.tables import Column
from runtime.services import framing

SEVERITIES = {"critical": "#a4123f", "high": "#c43e00", "medium": "#8a6100", "low": "#1d6a96", "info": "#5b6570"}
STYLE = Markup("""
:root{color-scheme:light dark;--fg:#1b1f24;--dim:#57606a;--bg:#fff;--card:#f6f8fa;--line:#d0d7de;--old:#a4123f;--new:#116329}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--dim:#9ea7b1;--bg:#0d1117;--card:#161b22;--line:#30363d;--old:#ff8fa3;
--new:#7ee787}
}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:70rem;font:16px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:1.5rem;margin:0}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:0}
p{margin:.4rem 0}
.dim{color:var(--dim)}
code,.mono{font:.875em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
article{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--edge,var(--line));border-radius:6px;
padding:.8rem 1rem;margin:.8rem 0}
.badge{display:inline-block;border-radius:4px;padding:0 .5rem;color:#fff;background:var(--edge,#5b6570);font-size:.85rem;
font-weight:600}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.old{color:var(--old)}
.new{color:var(--new)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0}
dt{color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere}
svg{display:block;width:100%;height:1rem;margin:.6rem 0}
@media print{article{break-inside:avoid}
}
""")


def text(document: Json, columns: Sequence[Column], *, ascii_only: bool = False) -> str:
    """The page of a document: its own for findings and plans, a table for every other list."""
    make = {"FindingList": _findings, "Plan": _plan}.get(document["kind"])
    title, about, body = make(document) if make else _listed(document, columns)
    page = framing.page(title, about, STYLE, body)
    return page.encode("ascii", "xmlcharrefreplace").decode() if ascii_only else page


Page = tuple[str, str, Markup]
"""Title, the line under it, and what follows."""


GONE = ("severity", "code", "object", "title")


def _findings(found: Json) -> Page:
    metadata, items = found["metadata"], found["items"]
    counts = {level: metadata["counts"].get(level, 0) for level in SEVERITIES}
    where = ", ".join(metadata["namespaces"]) or "all namespaces"
    said = ", ".join(f"{count} {level}" for level, count in counts.items() if count) or "none"
    known = f"; {metadata['knownFromBaseline']} known from the baseline are not shown" if metadata["knownFromBaseline"] else ""
    muted = f"; {metadata['muted']} muted, the next until {metadata['nextMuteEnds']}" if metadata["muted"] else ""
    head = Markup("<p><strong>{} findings</strong> ({}){}. Score {}/100.</p>").format(len(items), said, known + muted, metadata["score"])
    gone = _joined(Markup("<p>gone: {} {} {} {}</p>").format(*(row[key] for key in GONE)) for row in found["gone"])
    labelled = f", labels {metadata['selector']}" if metadata["selector"] else ""
    about = f"{metadata['context']}, {where}{labelled}, at {metadata['at']}"
    cards = _joined(_finding(item) for item in items) or Markup("<p>Nothing was found by the checks that ran.</p>")
    return "day2 scan", about, head + _bar(counts) + cards + gone + _coverage(found["coverage"])


def _finding(item: Json) -> Markup:
    subject = item["subject"]
    where = f"{subject['namespace']}/" if subject["namespace"] else ""
    rows = _joined(
        Markup('<tr><td class="mono">{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>').format(
            row["id"], row["source"], row["query"], f"“{row['value']}” (quoted)" if row["quoted"] else row["value"]
        )
        for row in item["evidence"]
    )
    place = item["location"]
    written = Markup(' <span class="dim mono">{}:{}</span>').format(place["file"], place["line"]) if place else Markup("")
    return Markup(
        '<article style="--edge:{color}"><p><span class="badge">{severity}</span> <span class="mono">{code}</span> '
        '<strong>{object}</strong>{written} <span class="dim mono">{id}</span></p><h3>{title}</h3><p>{matters}</p>'
        "<table><thead><tr><th>evidence</th><th>source</th><th>look again</th><th>seen</th></tr></thead><tbody>{rows}</tbody></table>"
        '<p class="dim">next: <code>{next}</code></p></article>'
    ).format(
        color=SEVERITIES.get(item["severity"], SEVERITIES["info"]),
        severity=item["severity"],
        code=item["code"],
        object=f"{where}{subject['kind'].lower()}/{subject['name']}",
        written=written,
        id=item["id"],
        title=item["title"],
        matters=item["matters"],
        rows=rows,
        next=item["next"],
    )


def _bar(counts: dict[str, int]) -> Markup:
    """How the findings are spread, in words for those who do not see it."""
    total = sum(counts.values())
    if not total:
        return Markup("")
    at, parts = 0.0, []
    for level, count in counts.items():
        width = 100 * count / total
        parts.append(Markup('<rect x="{:.2f}" width="{:.2f}" height="4" fill="{}"/>').format(at, width, SEVERITIES[level]))
        at += width
    said = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    return Markup('<svg role="img" viewBox="0 0 100 4" preserveAspectRatio="none"><title>{}</title>{}</svg>').format(said, _joined(parts))


def _coverage(rows: Json) -> Markup:
    notes = _joined(Markup("<tr><td>{}</td><td>{}</td></tr>").format(row["check"], row["reason"]) for row in rows["notRun"])
    table = Markup("<table><thead><tr><th>not run</th><th>why</th></tr></thead><tbody>{}</tbody></table>").format(notes) if notes else ""
    return Markup("<h2>What was checked</h2><p>{} checks ran: <span class='mono'>{}</span>; {} did not.</p>{}").format(
        len(rows["run"]), ", ".join(rows["run"]), len(rows["notRun"]), table
    )


def _plan(found: Json) -> Page:
    metadata = found["metadata"]
    denied = sum(bool(item["verdict"]) and item["verdict"]["decision"] == "deny" for item in found["items"])
    cards = _joined(_proposal(item) for item in found["items"])
    held = _joined(
        Markup(
            "<article><p><span class='badge'>held</span> <strong>{}</strong> <span class='dim mono'>{}</span></p><p>{}{}</p></article>"
        ).format(item["sentence"], item["id"], f"by {item['by']}: " if item["by"] else "", item["reason"])
        for item in found["held"]
    )
    expires = f", good until {metadata['expiresAt']}" if metadata["expiresAt"] else ""
    body = Markup("<p><strong>{}</strong></p>").format(plans.totals(found, denied)) + cards
    body += Markup("<h2>Held back</h2>{}").format(held) if held else ""
    return "day2 plan", f"{metadata['context']}, made at {metadata['madeAt']}{expires}", body + _coverage(found["coverage"])


DECISIONS = {"allow": "#116329", "needs_approval": "#8a6100", "deny": "#a4123f"}


def _proposal(item: Json) -> Markup:
    verdict = item["verdict"]
    decision = verdict["decision"] if verdict else "not judged"
    reasons = _joined(
        Markup("<br>{} <span class='mono'>{}</span>: {}").format(row["result"], row["rule"], row["message"])
        for row in (verdict["reasons"] if verdict else ())
    )
    said = Markup("{}{}").format(actions.summary(verdict) if verdict else f"not judged: {item['unjudged']}", reasons)
    changes = _joined(
        Markup("<tr><td class='mono'>{}</td><td class='mono old'>{}</td><td class='mono new'>{}</td></tr>").format(
            row["path"], actions.value(row["old"]), actions.value(row["new"])
        )
        for row in item["changes"]
    )
    fields = {
        "why": item["why"],
        "effect": plans.effect(item["effect"]),
        "risk": item["risk"],
        "verdict": said,
        "undo": "automatic when verification misses" if item["reversible"] else "cannot be undone",
        "evidence": ", ".join(row["id"] for row in item["evidence"]),
        "expires": item["expiresAt"],
    }
    listed = _joined(Markup("<dt>{}</dt><dd>{}</dd>").format(name, value) for name, value in fields.items())
    return Markup(
        '<article style="--edge:{}"><p><span class="badge">{}</span> <strong>{}</strong> <span class="dim mono">{} {}/{}</span></p>'
        "<table><thead><tr><th>field</th><th>now</th><th>then</th></tr></thead><tbody>{}</tbody></table><dl>{}</dl></article>"
    ).format(DECISIONS.get(decision, "#5b6570"), decision, item["sentence"], item["id"], item["agent"], item["capability"], changes, listed)


def _listed(document: Json, columns: Sequence[Column]) -> Page:
    head = _joined(Markup("<th>{}</th>").format(column.title) for column in columns)
    rows = _joined(
        Markup("<tr>{}</tr>").format(_joined(Markup("<td>{}</td>").format(column.text(item)) for column in columns))
        for item in document["items"]
    )
    about = ", ".join(f"{name} {cell(value)}" for name, value in document["metadata"].items() if name != "schemaMinor")
    return f"day2 {document['kind']}", about, Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, rows)


def _joined(parts: Iterable[Any]) -> Markup:
    return Markup("\n").join(parts)
