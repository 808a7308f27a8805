"""The demo's screen: one function per scene of `runtime.services.demonstrating`, in the order of ux: what is safe first, the score last.

Lines are wrapped to the terminal; states have a word and a glyph, and ASCII stands in where the locale has no more.
"""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from core.domain.money import MICRO
from core.domain.values import bounded
from interfaces.rendering.envelopes import moment

Plain = dict[str, Any]

GLYPHS = {
    "allow": "✓", "needs_approval": "?", "deny": "✗", "pass": "✓", "warn": "!", "fail": "✗", "error": "✗", "skip": "–",
    "verified": "✓", "rolled_back": "↺", "denied": "✗", "escalated": "!", "failed": "✗", "expired": "–", "cancelled": "–", "needs_approval_open": "?",
}  # fmt: skip
ASCII = str.maketrans({"✓": "+", "✗": "x", "–": "-", "↺": "<", "→": ">", "…": "...", "“": '"', "”": '"', "·": "-", "─": "-"})
STYLES = {"allow": "green", "verified": "green", "pass": "green", "needs_approval": "yellow", "warn": "yellow", "rolled_back": "yellow", "deny": "red", "denied": "red", "fail": "red", "escalated": "red"}
FEWEST_COLUMNS = 40


class Storyteller:
    """Prints scenes to one console. `ascii_only` for terminals and locales without Unicode."""

    def __init__(self, console: Console, *, ascii_only: bool = False) -> None:
        self._console = console
        self._ascii = ascii_only
        self._width = max(FEWEST_COLUMNS, console.width)

    def show(self, name: str, content: Plain) -> None:
        """Print one scene."""
        TELLERS[name](self, content)

    def banner(self) -> None:
        self.line("simulated cluster - no data leaves this machine, no key is used, your kubeconfig is not read", style="bold")

    def title(self, text: str) -> None:
        self.line("")
        self.line(f"── {text} ", style="bold cyan")

    def line(self, text: str, *, indent: int = 0, hang: int = 0, style: str = "") -> None:
        """One paragraph, wrapped; `hang` more columns from its second line on."""
        if self._ascii:
            text = text.translate(ASCII).encode("ascii", "replace").decode()
        for number, part in enumerate(Text(text).wrap(self._console, max(20, self._width - indent - hang))):
            pad = " " * (indent + (hang if number else 0))
            self._console.print(Text(pad + part.plain.rstrip(), style=style), soft_wrap=True)

    def state(self, word: str, text: str, *, indent: int = 2) -> None:
        self.line(f"{GLYPHS.get(word, ' ')} {word:<14} {text}", indent=indent, hang=17, style=STYLES.get(word, ""))

    def field(self, name: str, text: str, *, indent: int = 4) -> None:
        if text:
            self.line(f"{name:<9} {text}", indent=indent, hang=10)


def _started(teller: Storyteller, content: Plain) -> None:
    world = content["world"]
    teller.banner()
    teller.title("ready")
    teller.line(f"cluster {world['cluster']} at {moment(world['at'])}: {world['nodes']} nodes, {world['workloads']} workloads, {world['pods']} pods", indent=2)
    for agent in content["agents"]:
        teller.line(f"agent {agent['name']:<12} {agent['state']:<8} {agent['checks']} checks; may propose {', '.join(agent['capabilities'])}", indent=2, hang=6)
    rules = content["rules"]
    teller.line(f"policy {rules['rules']} rules, {rules['tests']} embedded tests, {rules['failed']} failed", indent=2)
    teller.line(f"emergency stop {content['stop']}", indent=2)


def _scanned(teller: Storyteller, content: Plain) -> None:
    findings, coverage = content["findings"], content["coverage"]
    teller.title(f"scan: {len(findings)} findings")
    for finding in findings:
        subject = finding["subject"]
        where = f"{subject['namespace']}/" if subject["namespace"] else ""
        teller.line(f"{finding['severity']:<8} {finding['code']} {where}{subject['kind'].lower()}/{subject['name']}", indent=2, style="bold")
        teller.line(finding["title"], indent=4)
        for item in finding["evidence"][:3]:
            teller.line(f"{item['id']} {_evidence(item)}", indent=4, hang=2)
    teller.line(f"checks run {len(coverage['run'])}, not run {len(coverage['not_run'])}", indent=2)
    for row in coverage["not_run"]:
        teller.line(f"not run: {row['check']}: {row['reason']}", indent=4, hang=2)


def _evidence(item: Plain) -> str:
    value = bounded(str(item["value"]), 160)
    return f"{item['source']}: “{value}” (quoted, not obeyed)" if item["quoted"] else f"{item['source']}: {value}"


def _planned(teller: Storyteller, content: Plain) -> None:
    teller.title(f"plan: {len(content['proposals'])} proposals")
    for proposal in content["proposals"]:
        _proposal(teller, proposal)


def _proposal(teller: Storyteller, proposal: Plain) -> None:
    teller.line(f"{proposal['action']}  {proposal['agent']}/{proposal['kind']}  ~ {proposal['target']}  risk {proposal['risk']}", indent=2, hang=4, style="bold")
    for change in proposal["changes"]:
        teller.line(f"~ {change['path']}  {_shown(change['old'])} → {_shown(change['new'])}", indent=6, hang=2)
    teller.field("why", proposal["why"])
    teller.field("evidence", ", ".join(proposal["evidence"]))
    teller.field("effect", proposal["effect"])
    teller.field("undo", "automatic when verification misses" if proposal["reversible"] else "cannot be undone")


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    return bounded(f'"{value}"' if isinstance(value, str) else str(value), 120)


def _arbitrated(teller: Storyteller, content: Plain) -> None:
    teller.title(f"conflicts: {len(content['held'])} held")
    for held in content["held"]:
        teller.line(f"{held['agent']} wants: {held['sentence']}", indent=2, hang=2, style="bold")
        teller.field("why", held["why"])
        teller.field("held by", f"{held['by']}: {held['reason']}" if held["by"] else held["reason"])


def _judged(teller: Storyteller, content: Plain) -> None:
    teller.title("verdicts: the judge read its own facts")
    for verdict in content["verdicts"]:
        counts = verdict["counts"]
        summary = ", ".join(f"{counts[name]} {name}" for name in ("pass", "warn", "fail", "skip", "error") if counts.get(name))
        teller.state(verdict["decision"], f"{verdict['action']} {verdict['sentence']}")
        teller.line(summary, indent=19)
        for reason in verdict["reasons"]:
            teller.line(f"{GLYPHS[reason['result']]} {reason['rule']}: {reason['message']}", indent=19, hang=2)
        for warning in verdict["warnings"]:
            teller.line(f"! {warning['rule']}: {warning['message']}", indent=19, hang=2)


def _approved(teller: Storyteller, content: Plain) -> None:
    teller.title(f"approvals: {len(content['approvals'])} asked of people")
    for row in content["approvals"]:
        if row["selfApproval"]:
            teller.line(f"the requester tried to approve its own action: refused, {row['selfApproval']}", indent=2, hang=2)
        word = "approved" if row["approved"] else "denied"
        teller.line(f"{row['action']} {word} by {row['by']}: {row['reason']}", indent=2, hang=2)


def _executed(teller: Storyteller, content: Plain) -> None:
    teller.title("execution: applied, read back, verified by what the action did not write")
    for action in content["actions"]:
        teller.state(action["outcome"], f"{action['action']} {action['sentence']}")
        if action["note"]:
            teller.line(action["note"], indent=19)


def _scored(teller: Storyteller, content: Plain) -> None:
    saved, audit = content["saved"], content["audit"]
    outcomes = " · ".join(f"{count} {word}" for word, count in content["outcomes"].items())
    teller.title("score")
    teller.line(f"{outcomes} · {content['held']} held", indent=2, hang=2)
    teller.line(
        f"saved per month: {_usd(saved['realisable_micro_usd'])} realisable (nodes that could go), {_usd(saved['paper_micro_usd'])} on paper"
        f" ({_usd(saved['low_micro_usd'])} to {_usd(saved['high_micro_usd'])}; {saved['source'] or 'no prices'})",
        indent=2,
        hang=2,
    )
    teller.line(f"GPU-hours freed per day: {content['gpuHoursPerDay']}", indent=2)
    teller.line(f"audit: {audit['verdict']}: {audit['records']} records", indent=2)
    teller.line(f"model: {content['model']['calls']} calls, ${content['model']['usd']}", indent=2)
    teller.line("")
    teller.line("next: day2 doctor | day2 scan -A | day2 plan -A", indent=2)


def _usd(micro: int) -> str:
    return f"${micro / MICRO:,.0f}"


TELLERS: dict[str, Callable[[Storyteller, Plain], None]] = {
    "started": _started,
    "scanned": _scanned,
    "planned": _planned,
    "arbitrated": _arbitrated,
    "judged": _judged,
    "approved": _approved,
    "executed": _executed,
    "scored": _scored,
}

