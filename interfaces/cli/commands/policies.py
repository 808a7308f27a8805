"""`day2 policy`: are the rules sound, do their tests pass, which are in force, what do they say of an action, what would a change do."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.commands.actions import show_verdict
from interfaces.cli.exits import Exit
from interfaces.cli.flags import seconds
from interfaces.cli.sessions import begin

policy = typer.Typer(
    help="Rules: list, lint, test, explain, eval, diff, simulate; the model judge's agreement.", rich_markup_mode=None, no_args_is_help=True
)
Paths = Annotated[
    list[Path] | None, typer.Argument(help="files or folders of ActionPolicy documents; the built-in packs without", show_default=False)
]

Rules = Annotated[
    Path | None, typer.Option("--rules", help="folder to try instead of the configured one (policy.rules)", show_default=False)
]
Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="exit 2 when anything would be different")]


@policy.command("list")
def list_rules(context: typer.Context, folder: Rules = None) -> None:
    """The rules that the configured folder makes with the built-in ones, and whether the judge runs these."""
    from interfaces.rendering import rules
    from runtime.services import policies

    session = begin(context)
    found, running = session.answer()
    if folder:
        found = policies.in_force(folder)
    shown = rules.listed(found, str(folder or session.settings.policy.rules or ""), running)
    session.show(shown, columns=rules.LIST_COLUMNS, view=rules.list_view, name="rule")


@policy.command("lint")
def lint_rules(context: typer.Context, paths: Paths = None) -> None:
    """Problems with file and line: unknown fields, facts and arguments, wrong types, rules without tests."""
    from interfaces.rendering import rules
    from runtime.services import policies

    session = begin(context)
    found = policies.linted(paths or ())
    session.show(rules.lint_document(found), columns=rules.LINT_COLUMNS, view=rules.lint_view, name="rule")
    if not found.sound:
        raise typer.Exit(Exit.ERROR)


@policy.command("test")
def run_tests(context: typer.Context, paths: Paths = None) -> None:
    """Run the tests that the rules carry."""
    from interfaces.rendering import rules
    from runtime.services import policies

    session = begin(context)
    report = policies.tested(paths or ())
    session.show(rules.test_document(report), columns=rules.TEST_COLUMNS, view=rules.test_view, name="test")
    if not report.ok:
        raise typer.Exit(Exit.ERROR)


@policy.command("explain")
def explain_rule(
    context: typer.Context, what: Annotated[str, typer.Argument(help="the name of a rule, or act-...", metavar="RULE|ACTION")]
) -> None:
    """What a rule protects from and when it speaks; for an action, its verdict rule by rule."""
    from interfaces.rendering import rules

    session = begin(context)
    if what.startswith("act-"):
        show_verdict(session, *session.call("actions.explain", {"action": what}))
        return
    session.show(rules.rule_document(session.answer({"rule": what})), view=rules.rule_view, name="name")


@policy.command("eval")
def evaluate_rules(
    context: typer.Context, file: Annotated[Path, typer.Option("-f", "--file", help="JSON with `action`, and `facts` where they matter")]
) -> None:
    """What the rules in force would say of an action that nobody submitted. Exits 3 when they deny it."""
    from core.domain.verdict import Decision
    from interfaces.rendering import rules
    from runtime.services import policies

    session = begin(context)
    found = policies.evaluated(policies.in_force(session.settings.policy.rules), file)
    session.show(rules.evaluated_document(found), columns=rules.EVAL_COLUMNS, view=rules.evaluated_view, name="rule")
    if found.decision is Decision.DENY:
        raise typer.Exit(Exit.DENIED)


@policy.command("diff")
def diff_rules(
    context: typer.Context, folder: Annotated[Path, typer.Argument(help="the folder to compare", metavar="DIR")], detailed: Detailed = False
) -> None:
    """What a folder of rules would change: the built-in rules with the configured folder, and with this one."""
    from interfaces.rendering import rules
    from runtime.services import policies

    session = begin(context)
    before, after = policies.in_force(session.settings.policy.rules), policies.in_force(folder)
    found = policies.differences(before, after)
    session.show(rules.diff_document(before, after, found), columns=rules.DIFF_COLUMNS, view=rules.diff_view, name="rule")
    if detailed and found:
        raise typer.Exit(Exit.DIFFERS)


@policy.command("simulate")
def simulate_rules(
    context: typer.Context,
    since: Annotated[str, typer.Option("--since", help="judged within, such as 24h or 30d")] = "30d",
    folder: Rules = None,
    detailed: Detailed = False,
) -> None:
    """Past verdicts under other rules: which would be others now, and by which rule. Reads the ledger, changes nothing.

    \b
    Examples:
      day2 policy simulate --since 30d --rules candidate/
      day2 policy simulate --rules candidate/ --detailed-exitcode -o json
    """
    from datetime import timedelta

    from interfaces.rendering import rules
    from runtime.roles import console
    from runtime.services import policies, simulating

    session = begin(context)
    candidate = policies.in_force(folder or session.settings.policy.rules)
    with console.record(session.settings) as record:
        start = record.clock.now() - timedelta(seconds=seconds(since))
        found = simulating.simulate(record.ledger, candidate, since=start)
    shown = rules.simulation_document(found, start)
    session.show(shown, columns=rules.SIMULATION_COLUMNS, view=rules.simulation_view, name="action")
    if not found.replayed:
        session.hint("no verdict to replay: day2 action list")
    if detailed and found.shifts:
        raise typer.Exit(Exit.DIFFERS)


@policy.command("agreement")
def show_agreement(context: typer.Context) -> None:
    """How well the model judge agrees with the rules and with people, failure mode by failure mode (Cohen's kappa)."""
    from interfaces.rendering import rules
    from runtime.roles import console
    from runtime.services import agreeing, policies

    session = begin(context)
    packs = {rule.policy.name: rule.policy.pack for rule in policies.in_force(session.settings.policy.rules).rules}
    with console.record(session.settings) as record:
        found = agreeing.agreement(record.ledger.search(limit=agreeing.MOST), packs)
    session.show(rules.agreement_document(found), columns=rules.AGREEMENT_COLUMNS, name="with")
    if not sum(sum(row[1:]) for row in found):
        session.hint("no action was looked at by a model judge: day2 config explain review.enabled")
