"""`day2 rbac` and `day2 gate`: what people install so that the API server itself holds the gate. They only print and write files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interfaces.cli.commands.looking import SOURCE
from interfaces.cli.sessions import Session, begin, run

if TYPE_CHECKING:
    from interfaces.rendering.envelopes import Json

rbac = typer.Typer(help="Rights, generated from the action catalogue and your grants.", rich_markup_mode=None, no_args_is_help=True)
gate = typer.Typer(help="The guard in the API server: policies, webhook, static files.", rich_markup_mode=None, no_args_is_help=True)
Url = Annotated[
    str, typer.Option("--url", help="https://HOST:PORT of the webhook; default: gate.webhook_url, else its Service", show_default=False)
]
Ca = Annotated[
    Path | None,
    typer.Option("--ca-file", help="PEM of the webhook's CA; default: gate.webhook_ca_file", show_default=False, dir_okay=False),
]


@rbac.command("generate")
def generate(
    context: typer.Context,
    legacy: Annotated[
        bool, typer.Option("--legacy", help="for Kubernetes before 1.36, which cannot limit impersonation to requests")
    ] = False,
) -> None:
    """The RBAC documents for your grants, as YAML. `-n NAME,NAME` binds inside these namespaces only."""
    from runtime.services import guarding

    session = begin(context)
    grants = guarding.in_force(session.settings)
    _print(session, guarding.rights(grants, namespaces=session.flags.namespaces or session.settings.gate.managed, legacy=legacy))


@rbac.command("explain")
def explain(context: typer.Context, what: Annotated[str, typer.Argument(help="an action kind, or an agent", metavar="KIND|AGENT")]) -> None:
    """Which rights a kind of action needs, or an agent holds, and why."""
    from interfaces.rendering import records
    from runtime.services import guarding

    session = begin(context)
    found = guarding.explained(what, guarding.in_force(session.settings))
    session.show(records.right_list(found), columns=records.RIGHT_COLUMNS, name="right")


@rbac.command("narrow")
def narrow(
    context: typer.Context,
    account: Annotated[str, typer.Argument(help="whose rights", metavar="NAMESPACE/SERVICEACCOUNT|USER")],
    kube_audit: Annotated[Path, typer.Option("--kube-audit", help="the API server's audit log: the file of its --audit-log-path")],
    source: Annotated[Path | None, typer.Option("--from", help=SOURCE, show_default=False)] = None,
) -> None:
    """The role that observed use allows, as YAML to review and apply; what was never used, and the ways to cluster-admin it closes.

    Nothing is changed. Apply the new role first, take the old bindings away after, and watch for requests that are refused.
    """
    from interfaces.rendering import narrowings
    from runtime.roles import looking

    session = begin(context)
    with session.waiting(f"reading {kube_audit}"):
        found = run(looking.narrowed(session.settings, account, kube_audit, source=source))
    session.show(narrowings.document(found), view=narrowings.view)


@gate.command("manifests")
def manifests(context: typer.Context, url: Url = "", ca_file: Ca = None) -> None:
    """The admission policies and the webhook's registration, as YAML."""
    from runtime.services import guarding

    session = begin(context)
    wanted = session.settings.gate
    _print(session, guarding.guard(url or wanted.webhook_url, ca_file or wanted.webhook_ca_file))


@gate.command("static")
def static(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("-O", "--out", help="folder to write to", file_okay=False)],
    url: Url = "",
    ca_file: Ca = None,
    host_folder: Annotated[
        str, typer.Option("--path", help="where the folder will lie on each API server's host")
    ] = "/etc/kubernetes/day2",
) -> None:
    """The same as files for API servers of your own: not even a cluster-admin removes them through the API."""
    from runtime.services import guarding

    session = begin(context)
    wanted = session.settings.gate
    written = guarding.static(url or wanted.webhook_url, ca_file or wanted.webhook_ca_file, folder, host_folder=host_folder)
    for path in written:
        typer.echo(path)
    flag = f"--admission-control-config-file={host_folder}/admission.yaml"
    session.hint(f"Next: copy {folder} to {host_folder} on each API server's host, and start it with {flag}")


def _print(session: Session, documents: "Sequence[Json]") -> None:
    """YAML for kubectl; with `-o json`, a List as kubectl knows it."""
    from runtime.services import guarding

    listed = {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": list(documents)}
    session.show(listed, view=lambda screen, _: screen.line(guarding.text(documents).rstrip("\n")), name="kind")
