"""Commands that write nothing to a cluster: demo, doctor, scan, explain, ask, route."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from interfaces.cli.exits import Exit
from interfaces.cli.options import Selector, Watch
from interfaces.cli.sessions import Session, begin, run

if TYPE_CHECKING:
    from core.domain.finding import Severity


def demo(
    context: typer.Context,
    fast: Annotated[bool, typer.Option("--fast", help="at most 15 s, the same bytes for the same seed")] = False,
    seed: Annotated[int, typer.Option("--seed", help="of the world, its load and every id")] = 7,
    keep: Annotated[bool, typer.Option("--keep", help="leave the cluster up and print how kubectl reaches it")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="leave the console up too, with an action that waits for you")] = False,
) -> None:
    """The whole product on a simulated cluster: no key, no cluster, no network."""
    from interfaces.cli import storytelling

    session = begin(context)
    raise typer.Exit(storytelling.play(session, fast=fast, seed=seed, keep=keep, serve=serve))


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


SAYS_MUTES = ("table", "json", "yaml")
"""Forms that have room for what is muted; beside the others it is talk."""
SOURCE = "a saved snapshot, manifests, kubectl's -o json or a must-gather instead of a cluster"


def scan(
    context: typer.Context,
    agents: Annotated[list[str] | None, typer.Argument(help="agents to ask; all where none is named", show_default=False)] = None,
    source: Annotated[Path | None, typer.Option("--from", help=SOURCE, show_default=False)] = None,
    fail_on: Annotated[
        str, typer.Option("--fail-on", help="exit 2 when a finding is at least this severe: critical, high, medium, low, info")
    ] = "",
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="an earlier -o json: show only what is new, and what is gone", show_default=False)
    ] = None,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="exit 2 when there is any finding")] = False,
    show_muted: Annotated[bool, typer.Option("--show-muted", help="list what is muted too; it still counts for nothing")] = False,
    selector: Selector = "",
    watch: Watch = False,
) -> None:
    """Findings with evidence, by deterministic checks only: no key, read-only. Says what was not checked, and why.

    What is muted (day2 mute) is left out of table, score and exit code, and counted. Files have no metrics and no logs: checks that
    need them do not run. A saved snapshot is looked at as of its own time; manifests have none. Gone is what the baseline of the same
    cluster had, where its check ran in its namespace; under -l nothing is called gone. Says once that a mute is over. With -w the cluster
    is followed by watches, and what is new or gone is told as it comes; metrics are asked again each minute.
    """
    from core.cluster.selecting import parsed
    from interfaces.rendering import findings
    from runtime.roles import looking
    from runtime.services import scanning

    session = begin(context)
    if watch:
        if source is not None or baseline is not None or fail_on or detailed:
            raise typer.BadParameter("-w follows a cluster from its first look on: leave --from, --baseline and exit codes away")
        _follow(session, tuple(agents or ()), selector, show_muted=show_muted)
    threshold = _threshold(fail_on) if fail_on else None
    known = scanning.baseline(baseline) if baseline else None
    wanted = parsed(selector) if selector else None
    with session.waiting(f"reading {source or 'the cluster'} and its metrics"):
        result, view = run(looking.scan(session.settings, session.flags.namespaces, tuple(agents or ()), source, wanted))
    shown = looking.unmuted(session.settings, result)
    if known is not None:
        cluster = str(view["cluster"])
        shown = scanning.since(shown, known, cluster="" if wanted else cluster, namespaces=session.flags.namespaces)
        if known.cluster != cluster:
            session.say("the baseline is of another cluster, or of other files: all is new, and what is gone cannot be told")
    document = findings.document(shown, view, selector=selector, show_muted=show_muted)
    session.show(document, columns=findings.COLUMNS, view=findings.view)
    if session.flags.output not in SAYS_MUTES and not session.flags.quiet:
        findings.mutes_told(session.err, document)
    if session.flags.output in SAYS_MUTES or not session.flags.quiet:
        looking.told(session.settings, shown)
    if shown.findings:
        first = shown.findings[0].id
        session.hint(f"next: day2 plan {first}" if source is None else f"next: day2 explain {first} --from {source}")
    if (threshold and shown.at_least(threshold)) or (detailed and shown.findings):
        raise typer.Exit(Exit.DIFFERS)


def _threshold(text: str) -> "Severity":
    from core.domain.errors import InvalidInput
    from runtime.services import scanning

    try:
        return scanning.severity(text)
    except InvalidInput as error:
        raise typer.BadParameter(f"--fail-on {error}; {error.mend}") from error


def _follow(session: Session, agents: tuple[str, ...], selector: str, *, show_muted: bool) -> NoReturn:
    """Everything once, then what is new and what is gone. Raises typer.Exit at the end of `--timeout`."""
    from core.cluster.selecting import parsed
    from interfaces.rendering import findings
    from runtime.roles import looking
    from runtime.services import scanning

    known: list[scanning.Baseline] = []

    def tell(result: scanning.Scan, place: looking.Where) -> None:
        found, cluster = looking.unmuted(session.settings, result), str(place["cluster"])
        shown = scanning.since(found, known[-1], cluster=cluster, namespaces=session.flags.namespaces) if known else found
        if not known or shown.findings or shown.gone:
            document = findings.document(shown, place, selector=selector, show_muted=show_muted)
            session.show(document, columns=findings.COLUMNS, view=findings.changes if known else findings.view)
            session.out.stream.flush()
        known[:] = [scanning.remembered(found, cluster)]

    wanted = parsed(selector) if selector else None
    work = looking.follow(
        session.settings, session.flags.namespaces, agents, tell,
        lost=lambda error: session.say(f"{error}", "dim"), selector=wanted, seconds=session.flags.timeout,
    )  # fmt: skip
    run(work)
    raise typer.Exit(Exit.EXPIRED)


def explain(
    context: typer.Context,
    what: Annotated[str, typer.Argument(help="a check by its code (REL-101), or a finding by its id (fnd-...)")],
    source: Annotated[Path | None, typer.Option("--from", help=SOURCE, show_default=False)] = None,
) -> None:
    """The page of a check, without a cluster; or a finding whole: why it matters, what was seen, what it follows from, what mends it.

    For a finding the scan is made again: one that is mended, or in a namespace that is not looked at, is not found. What the judge
    would say of a proposal is told by day2 plan. A link to a cause is shown where both are findings of the same agent.
    """
    from interfaces.rendering import explanations
    from runtime.roles import looking
    from runtime.services import describing

    session = begin(context)
    if not what.startswith("fnd-"):
        if source is not None:
            raise typer.BadParameter("--from is for findings (fnd-...): the page of a check needs neither cluster nor file")
        session.show(explanations.check_document(describing.check(what)), view=explanations.check_view, name="code")
        return
    with session.waiting(f"reading {source or 'the cluster'} and its metrics"):
        told, view = run(looking.explained(session.settings, session.flags.namespaces, what, source))
    session.show(explanations.document(told, view), view=explanations.view)
    if told.proposals and source is None:
        session.hint(f"next: day2 plan {told.cause.id if told.cause else told.finding.id}")


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
