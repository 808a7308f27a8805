"""The demo's screen: one function per scene of `runtime.services.demonstrating`, what is safe first, the score last. Behind `day2 demo`.

The scenes are values; the same ones are the document of `-o json`. Here they are only worded, and a person at a terminal is asked.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from core.domain.money import MICRO
from core.domain.values import bounded
from interfaces.cli.exits import Exit
from interfaces.cli.sessions import Session
from interfaces.rendering.envelopes import envelope, moment, plain
from interfaces.rendering.screens import Screen
from runtime.roles import demonstration
from runtime.services.demonstrating import Scene, demonstrate

Plain = dict[str, Any]

PAUSE_SECONDS = 1.2  # between scenes, for eyes; none with --fast or without a terminal
SHOWN_EVIDENCE = 2
ANSWER = "checked with the platform team: nobody uses it"


def play(session: Session, *, fast: bool, seed: int, keep: bool, serve: bool = False) -> int:
    """Play the demo on this terminal; the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="day2-demo-"))
    try:
        asyncio.run(_play(session, folder, fast=fast, seed=seed, keep=keep, serve=serve))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Exit.DONE


async def _play(session: Session, folder: Path, *, fast: bool, seed: int, keep: bool, serve: bool) -> None:
    slow = not fast and session.interactive
    if session.for_people and not fast:
        session.say("starting a simulated cluster, the registry, the judge, the executor and four agents ...", "dim")

    async def show(scene: Scene) -> None:
        if session.for_people:
            TELLERS[scene.name](session.out, scene.content)
            session.out.stream.flush()
            if slow:
                await asyncio.sleep(PAUSE_SECONDS)

    async def ask(card: Plain) -> tuple[bool, str]:
        if not session.interactive or fast:
            return True, ANSWER
        _card(session.err, card)
        yes = await asyncio.to_thread(typer.confirm, f"approve {card['action']}?", err=True)
        return yes, "decided at the terminal"

    async with demonstration.opened(folder, seed) as (stage, run, served):
        report = await demonstrate(stage, run, show, ask)
        if not session.for_people:
            session.show(envelope("DemoReport", metadata={"seed": seed, "run": run}, **plain(report)))
        if serve:
            with session.waiting("starting the console"):
                async with served() as login:
                    session.say(f"the console, with something that waits for you: {login}")
                    await _stay(session, folder, stage.advance)
        elif keep:
            await _stay(session, folder, stage.advance)


async def _stay(session: Session, folder: Path, advance: Callable[[float], Any]) -> None:
    """Keep the cluster up, its time running as ours, until Ctrl-C."""
    session.say("the cluster stays up until Ctrl-C; in another terminal:")
    session.say(f"  export KUBECONFIG='{folder / 'admin.kubeconfig'}'")
    session.say("  kubectl get pods -A")
    with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
        while True:
            await asyncio.sleep(1)
            await advance(1.0)


def _title(screen: Screen, text: str) -> None:
    screen.line()
    screen.wrapped("", lead=f"── {text}", style="cyan")


def _state(screen: Screen, word: str, text: str) -> None:
    screen.wrapped(text, indent=2, hang=17, lead=f"{screen.glyph(word)} {word:<14} ", style=word)


def _field(screen: Screen, name: str, text: str) -> None:
    if text:
        screen.wrapped(f"{name:<9} {text}", indent=4, hang=10)


def _card(screen: Screen, card: Plain) -> None:
    """What the approver sees before the question: object, change, why, risk, undo, and why a person is needed."""
    _proposal(screen, card)
    for reason in card["reasons"]:
        _field(screen, "you", f"{reason['rule']}: {reason['message']}")
    _field(screen, "by", moment(card["expiresAt"]))


def _started(screen: Screen, content: Plain) -> None:
    world = content["world"]
    screen.wrapped("simulated cluster: no data leaves this machine, no key is used, your kubeconfig is not read")
    _title(screen, "ready")
    screen.wrapped(
        f"cluster {world['cluster']} at {moment(world['at'])}: {world['nodes']} nodes, {world['workloads']} workloads, "
        f"{world['pods']} pods",
        indent=2,
    )
    for agent in content["agents"]:
        screen.wrapped(
            f"agent {agent['name']:<12} {agent['state']:<8} {agent['checks']} checks; may propose {', '.join(agent['capabilities'])}",
            indent=2,
            hang=6,
        )
    rules = content["rules"]
    screen.wrapped(f"policy {rules['rules']} rules, {rules['tests']} embedded tests, {rules['failed']} failed", indent=2)
    screen.wrapped(f"emergency stop {content['stop']}", indent=2)


def _scanned(screen: Screen, content: Plain) -> None:
    findings, coverage = content["findings"], content["coverage"]
    causes = [finding for finding in findings if not finding["symptom_of"]]
    _title(screen, f"scan: {len(causes)} findings, {len(findings) - len(causes)} more follow from them")
    for finding in causes:
        screen.wrapped(f"{finding['severity']:<8} {finding['code']} {_subject(finding)}", indent=2, hang=4)
        screen.wrapped(finding["title"], indent=4)
        for symptom in findings:
            if symptom["symptom_of"] == finding["id"]:
                screen.wrapped(f"so also {symptom['code']} {_subject(symptom)}: {symptom['title']}", indent=4, hang=2)
        for item in _told(finding["evidence"]):
            screen.wrapped(f"{item['id']} {_evidence(item)}", indent=4, hang=2)
    screen.wrapped(f"checks run {len(coverage['run'])}, not run {len(coverage['not_run'])}", indent=2)
    for row in coverage["not_run"]:
        screen.wrapped(f"not run: {row['check']}: {row['reason']}", indent=4, hang=2)


def _subject(finding: Plain) -> str:
    subject = finding["subject"]
    where = f"{subject['namespace']}/" if subject["namespace"] else ""
    return f"{where}{subject['kind'].lower()}/{subject['name']}"


def _told(evidence: list[Plain]) -> list[Plain]:
    """The first observations, and everything that strangers wrote: what was quoted is shown as quoted."""
    own = [item for item in evidence if not item["quoted"]]
    return [*own[:SHOWN_EVIDENCE], *(item for item in evidence if item["quoted"])]


def _evidence(item: Plain) -> str:
    value = bounded(str(item["value"]), 160)
    return f"{item['source']}: “{value}” (quoted, not obeyed)" if item["quoted"] else f"{item['source']}: {value}"


def _planned(screen: Screen, content: Plain) -> None:
    _title(screen, f"plan: {len(content['proposals'])} proposals")
    for proposal in content["proposals"]:
        _proposal(screen, proposal)


def _proposal(screen: Screen, proposal: Plain) -> None:
    screen.wrapped(
        f"{proposal['action']}  {proposal['agent']}/{proposal['kind']}  ~ {proposal['target']}  risk {proposal['risk']}", indent=2, hang=4
    )
    for change in proposal["changes"]:
        screen.wrapped(f"~ {change['path']}  {_shown(change['old'])} → {_shown(change['new'])}", indent=6, hang=2)
    _field(screen, "why", proposal["why"])
    _field(screen, "evidence", ", ".join(proposal["evidence"]))
    _field(screen, "effect", proposal["effect"])
    _field(screen, "undo", "automatic when verification misses" if proposal["reversible"] else "cannot be undone")


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    return bounded(f'"{value}"' if isinstance(value, str) else str(value), 120)


def _arbitrated(screen: Screen, content: Plain) -> None:
    _title(screen, f"conflicts: {len(content['held'])} held")
    for held in content["held"]:
        screen.wrapped(f"{held['agent']} wants: {held['sentence']}", indent=2, hang=2)
        _field(screen, "why", held["why"])
        _field(screen, "held by", f"{held['by']}: {held['reason']}" if held["by"] else held["reason"])


def _judged(screen: Screen, content: Plain) -> None:
    _title(screen, "verdicts: the judge read its own facts")
    for verdict in content["verdicts"]:
        counts = verdict["counts"]
        summary = ", ".join(f"{counts[name]} {name}" for name in ("pass", "warn", "fail", "skip", "error") if counts.get(name))
        _state(screen, verdict["decision"], f"{verdict['action']} {verdict['sentence']}")
        screen.wrapped(summary, indent=19)
        for reason in verdict["reasons"]:
            screen.wrapped(f"{screen.glyph(reason['result'])} {reason['rule']}: {reason['message']}", indent=19, hang=2)
        for warning in verdict["warnings"]:
            screen.wrapped(f"! {warning['rule']}: {warning['message']}", indent=19, hang=2)


def _approved(screen: Screen, content: Plain) -> None:
    _title(screen, f"approvals: {len(content['approvals'])} asked of people")
    for row in content["approvals"]:
        if row["selfApproval"]:
            screen.wrapped(f"the requester tried to approve its own action: refused, {row['selfApproval']}", indent=2, hang=2)
        word = "approved" if row["approved"] else "denied"
        screen.wrapped(f"{row['action']} {word} by {row['by']}: {row['reason']}", indent=2, hang=2)


def _executed(screen: Screen, content: Plain) -> None:
    _title(screen, "execution: applied, read back, verified by what the action did not write")
    for action in content["actions"]:
        _state(screen, action["outcome"], f"{action['action']} {action['sentence']}")
        if action["note"]:
            screen.wrapped(action["note"], indent=19)


def _scored(screen: Screen, content: Plain) -> None:
    saved, audit = content["saved"], content["audit"]
    outcomes = " · ".join(f"{count} {word}" for word, count in content["outcomes"].items())
    _title(screen, "score")
    screen.wrapped(f"{outcomes} · {content['held']} held", indent=2, hang=2)
    screen.wrapped(
        f"saved per month: {_usd(saved['realisable_micro_usd'])} realisable (nodes that could go), "
        f"{_usd(saved['paper_micro_usd'])} on paper"
        f" ({_usd(saved['low_micro_usd'])} to {_usd(saved['high_micro_usd'])}; {saved['source'] or 'no prices'})",
        indent=2,
        hang=2,
    )
    screen.wrapped(f"GPU-hours freed per day: {content['gpuHoursPerDay']}", indent=2)
    screen.wrapped(f"audit: {audit['verdict']}: {audit['records']} records", indent=2)
    screen.wrapped(f"model: {content['model']['calls']} calls, ${content['model']['usd']}", indent=2)
    screen.line()
    screen.wrapped("next: day2 doctor | day2 scan -A | day2 plan -A", indent=2)


def _usd(micro: int) -> str:
    return f"${micro / MICRO:,.0f}"


def _alerted(screen: Screen, content: Plain) -> None:
    _title(screen, "alerts: told to the platform team's Alertmanager")
    for alert in content["alerts"]:
        screen.wrapped(f"! {alert['alertname']} {alert['severity']} {alert.get('action', '')} {alert['summary']}", indent=2, hang=4)


TELLERS: dict[str, Callable[[Screen, Plain], None]] = {
    "started": _started,
    "scanned": _scanned,
    "planned": _planned,
    "arbitrated": _arbitrated,
    "judged": _judged,
    "alerted": _alerted,
    "approved": _approved,
    "executed": _executed,
    "scored": _scored,
}
