"""Commands that write nothing: demo, doctor, scan, ask, route."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.options import Selector
from interfaces.cli.sessions import Session, begin, run


def demo(
    context: typer.Context,
    fast: Annotated[bool, typer.Option("--fast", help="at most 15 s, the same bytes for the same seed")] = False,
    seed: Annotated[int, typer.Option("--seed", help="of the world, its load and every id")] = 7,
    keep: Annotated[bool, typer.Option("--keep", help="leave the cluster up and print how kubectl reaches it")] = False,
) -> None:
    """The whole product on a simulated cluster: no key, no cluster, no network."""
    from interfaces.cli import storytelling

    session = begin(context)
    raise typer.Exit(storytelling.play(session, fast=fast, seed=seed, keep=keep))


def doctor(context: typer.Context) -> None:
    """Check this machine and your cluster, and say how to mend what is broken. Changes nothing; exits 0 unless something is broken."""
    from interfaces.rendering import checklists
    from runtime.roles import examining

    session = begin(context)
    with session.waiting("checking this machine, the cluster and its metrics"):
        lines = run(examining.examine(session.flags.settings()))
    session.show(checklists.document(lines), columns=checklists.COLUMNS, view=checklists.view, name="check")
    if any(line.state == "fail" for line in lines):
        raise typer.Exit(Exit.ERROR)


def scan(
    context: typer.Context,
    agents: Annotated[list[str] | None, typer.Argument(help="agents to ask; all where none is named", show_default=False)] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="manifests in a file or folder instead of a cluster", show_default=False)
    ] = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="exit 2 when a finding is at least this severe: critical, high, medium, low, info")
    ] = "",
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="an earlier -o json: show only what is new", show_default=False)
    ] = None,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="exit 2 when there is any finding")] = False,
    selector: Selector = "",
) -> None:
    """Findings with evidence, by deterministic checks only: no key, read-only. Says what was not checked, and why."""
    from core.cluster.selecting import parsed
    from interfaces.rendering import findings
    from runtime.roles import looking
    from runtime.services import scanning

    session = begin(context)
    threshold = scanning.severity(fail_on) if fail_on else None
    known = scanning.baseline(baseline) if baseline else None
    wanted = parsed(selector) if selector else None
    with session.waiting(f"reading {source or 'the cluster'} and its metrics"):
        result, view = run(looking.scan(session.settings, session.flags.namespaces, tuple(agents or ()), source, wanted))
    shown = scanning.since(result, known) if known is not None else result
    session.show(findings.document(shown, view, selector=selector), columns=findings.COLUMNS, view=findings.view)
    if shown.findings:
        session.hint(f"next: day2 plan {shown.findings[0].id}" if source is None else "next: day2 scan -A on the cluster itself")
    if (threshold and shown.at_least(threshold)) or (detailed and shown.findings):
        raise typer.Exit(Exit.DIFFERS)


def ask(context: typer.Context, question: Annotated[list[str], typer.Argument(help="in your words")]) -> None:
    """Ask in words: the agents that fit look, and the answer cites their evidence."""
    from interfaces.rendering import answers
    from runtime.roles import looking

    session = begin(context)
    answer, view = run(looking.ask(session.settings, session.flags.namespaces, " ".join(question)))
    if session.for_people:
        _explain_model(session, answer.route.without_model)
    session.show(answers.document(answer, view), view=answers.view)


def route(context: typer.Context, question: Annotated[list[str], typer.Argument(help="in your words")]) -> None:
    """Who would be asked, and why. Nobody is."""
    from interfaces.rendering import answers
    from runtime.roles import looking

    session = begin(context)
    found, members = run(looking.route(session.settings, " ".join(question)))
    if session.for_people:
        _explain_model(session, found.without_model)
    session.show(
        answers.route_document(" ".join(question), found, members), columns=answers.ROUTE_COLUMNS, view=answers.route_view, name="agent"
    )


def _explain_model(session: Session, reason: str) -> None:
    if reason:
        session.say(f"without a model, its words decided: {reason}", "dim")
