"""`day2 policy`: are the rules sound, do their tests pass, what do they say of an action."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.commands.actions import explain_action
from interfaces.cli.exits import Exit
from interfaces.cli.sessions import begin

policy = typer.Typer(help="Rules: lint, test, explain, eval.", rich_markup_mode=None, no_args_is_help=True)
Paths = Annotated[
    list[Path] | None, typer.Argument(help="files or folders of ActionPolicy documents; the built-in packs without", show_default=False)
]


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
    from runtime.services import policies

    if what.startswith("act-"):
        explain_action(context, what)
        return
    session = begin(context)
    found = policies.named(policies.in_force(session.settings.policy.rules), what)
    session.show(rules.rule_document(found), view=rules.rule_view, name="name")


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
