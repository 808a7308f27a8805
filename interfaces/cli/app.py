"""All commands in the order that help shows them. Registered here in one table; written in `commands/`."""

from functools import cache
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from core.domain.errors import NotAuthorised
from interfaces.cli import helping, sessions
from interfaces.cli.commands import (
    acting,
    actions,
    agents,
    alerting,
    assessing,
    audits,
    autonomies,
    beginning,
    chaos,
    chatting,
    configuring,
    connecting,
    deciding,
    evaluating,
    guarding,
    incidents,
    knowing,
    looking,
    muting,
    networking,
    noding,
    operating,
    policies,
    runs,
    schedules,
    simulating,
    snapshots,
    tokens,
    vulnerable,
)
from interfaces.cli.exits import MEANINGS
from interfaces.cli.flags import Flags

ROOT_HELP = """Kubernetes Day-2 operations by agents that you can trust.

Every action is judged, permitted, verified, and undone when it misses.

\b
Examples:
  day2 demo                      the whole product on a simulated cluster, nothing needed
  day2 doctor                    what works here, what does not, and the command that mends it
  day2 scan -n shop              findings with evidence, no key, read-only

\b
Look, nothing is written:        demo  doctor  scan  explain  ask  chat  route  snapshot  network
                                 vulnerabilities
Change, judged and undoable:     plan  apply  action  chaos
Decide:                          approve  deny  approvals  autonomy  policy  mute
Operate:                         run  schedule  report  nodes  stop  resume  agent  alerts
                                 incident  audit  config  whoami  serve  token  mcp  chat  sim  eval
Install once:                    init  rbac  gate

\b
Global flags, before or after the command:
  -n/--namespace NAME[,NAME]   -A/--all-namespaces   -l/--selector LABELS
  -o table|wide|name|json|yaml|jsonl|csv|md|html|junit|sarif|openreports
  -o jsonpath=TEMPLATE | custom-columns=NAME:PATH,... | template=JINJA
  --context NAME   --kubeconfig FILE   --server URL   --request-timeout 30s
  --as USER   --as-group GROUP (read as somebody else)   --profile NAME
  --dry-run=none|client|server   -w/--watch   --wait/--no-wait   --timeout 90s   --since 24h
  --prometheus URL   --objectives FILE|DIR   --data-dir DIR
  --color auto|always|never   --plain (ASCII)   --no-input   -y/--yes
  -q/--quiet   -v (settings and requests)   -vv (trace)

\b
Environment: DAY2_<GROUP>__<NAME> for every setting (day2 config view), KUBECONFIG, NO_COLOR, COLUMNS.
Exit codes: day2 help exit-codes. Documentation: docs/cli.md. Bugs: the project's issue tracker.
"""
BARE = """day2 - Kubernetes Day-2 operations by agents that you can trust

  day2 demo      see it work on a simulated cluster: no key, no cluster
  day2 doctor    check this machine and your cluster; changes nothing
  day2 scan -A   findings with evidence on your cluster, read-only
  day2 ask TEXT  a question in words; without a model by its words
  day2 plan      proposals as diffs, judged, nothing executed
  day2 --help    all commands"""

app = typer.Typer(
    help=ROOT_HELP,
    rich_markup_mode=None,
    no_args_is_help=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


@app.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    if not isinstance(context.obj, Flags):
        context.obj = Flags()
    if context.invoked_subcommand is None and not _status(context):
        typer.echo(BARE)


def _status(context: typer.Context) -> bool:
    """Where day2 was used before, one screen of what stands; elsewhere nothing."""
    from interfaces.rendering import status
    from runtime.roles import console

    try:
        session = sessions.begin(context)
    except NotAuthorised:
        return False
    with console.record(session.settings) as kept:
        if not kept.kept:
            return False
        rows = kept.ledger.search(limit=1000)
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.state.value] = counts.get(row.state.value, 0) + 1
        waiting = [row.action_id for row in rows if row.state.value == "needs_approval"]
        status.view(session.out, folder=str(session.settings.data_dir), waiting=waiting, states=counts, stops=kept.ledger.stops())
    return True


for name, command in (
    ("demo", looking.demo),
    ("init", beginning.init),
    ("doctor", looking.doctor),
    ("scan", looking.scan),
    ("explain", looking.explain),
    ("vulnerabilities", vulnerable.vulnerabilities),
    ("ask", looking.ask),
    ("chat", chatting.chat),
    ("route", looking.route),
    ("plan", acting.plan),
    ("apply", acting.apply),
    ("approve", deciding.approve),
    ("deny", deciding.deny),
    ("approvals", deciding.approvals),
    ("stop", operating.stop),
    ("resume", operating.resume),
    ("serve", operating.serve),
    ("sim", simulating.sim),
    ("schema", operating.schema),
    ("version", operating.version),
    ("whoami", knowing.whoami),
):
    app.command(name)(command)

assessing.join(evaluating.evaluate)

for name, group in (
    ("mute", muting.mute),
    ("snapshot", snapshots.snapshot),
    ("network", networking.network),
    ("nodes", noding.nodes),
    ("action", actions.action),
    ("autonomy", autonomies.autonomy),
    ("policy", policies.policy),
    ("run", runs.run),
    ("schedule", schedules.schedule),
    ("report", schedules.report),
    ("chaos", chaos.chaos),
    ("agent", agents.agent),
    ("alerts", alerting.alerts),
    ("audit", audits.audit),
    ("mcp", connecting.mcp),
    ("rbac", guarding.rbac),
    ("gate", guarding.gate),
    ("eval", evaluating.evaluate),
    ("config", configuring.config),
    ("token", tokens.token),
    ("incident", incidents.incident),
):
    app.add_typer(group, name=name)


@app.command("help")
def show_help(context: typer.Context, topic: Annotated[list[str] | None, typer.Argument(help="a command, or exit-codes")] = None) -> None:
    """Help on a command, or `exit-codes`."""
    words = topic or []
    if words == ["exit-codes"]:
        _exit_codes(context)
        return
    tree = command_tree()
    found = typer.Context(tree, info_name="day2", **tree.context_settings)
    for word in words:
        child = found.command.get_command(found, word) if isinstance(found.command, TyperGroup) else None
        if child is None:
            raise typer.BadParameter(f"there is no command {' '.join(words)!r}; topics: the commands, and exit-codes")
        found = typer.Context(child, info_name=word, parent=found)
    typer.echo(found.get_help())


def _exit_codes(context: typer.Context) -> None:
    from interfaces.rendering.envelopes import envelope
    from interfaces.rendering.tables import Column

    items = [{"code": int(code), "meaning": meaning} for code, meaning in MEANINGS.items()]
    sessions.begin(context).show(
        envelope("ExitCodeList", items=items), columns=(Column("CODE", "code"), Column("MEANING", "meaning")), name="code"
    )


@cache
def command_tree() -> TyperGroup:
    """The tree that parses words; built once."""
    tree = get_command(app)
    assert isinstance(tree, TyperGroup)  # noqa: S101  an app with several commands is a group
    helping.complete(tree)
    return tree
