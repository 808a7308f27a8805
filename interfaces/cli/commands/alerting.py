"""`day2 alerts`: what people must know now, who was told, and the rules for those who have a Prometheus. They only print."""

import typer

from interfaces.cli.sessions import begin

alerts = typer.Typer(help="Alerts: what must not wait, and who was told of it.", rich_markup_mode=None, no_args_is_help=True)


@alerts.command("list")
def list_alerts(context: typer.Context) -> None:
    """What stands now by the ledger, with the channels that were told."""
    from interfaces.rendering import telling
    from runtime.roles import console

    session = begin(context)
    found = console.alerts(session.settings)
    session.show(telling.listed(found), columns=telling.COLUMNS, name="key")
    if not found:
        session.hint("nothing stands")


@alerts.command("rules")
def rules(context: typer.Context) -> None:
    """The PrometheusRule for day2's own metrics, as YAML."""
    from runtime.services import alert_rules

    session = begin(context)
    session.show(alert_rules.document(), view=lambda screen, _: screen.line(alert_rules.text().rstrip("\n")), name="kind")
