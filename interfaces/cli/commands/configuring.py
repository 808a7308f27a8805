"""`day2 config`: every setting with its source."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.sessions import begin

config = typer.Typer(help="Settings, with the source of each.", rich_markup_mode=None, no_args_is_help=True)
Key = Annotated[str, typer.Argument(help="such as flow.consult_seconds", metavar="KEY")]


@config.command("view")
def view_settings(context: typer.Context) -> None:
    """Every setting, its value, and where it came from."""
    from interfaces.rendering import settings
    from runtime.services import configuring

    session = begin(context)
    session.show(settings.listed(configuring.view(session.loaded)), columns=settings.COLUMNS, name="key")


@config.command("get")
def get_setting(context: typer.Context, key: Key) -> None:
    """The value alone."""
    from interfaces.rendering import settings
    from interfaces.rendering.screens import cell
    from runtime.services import configuring

    session = begin(context)
    document = settings.document(configuring.get(session.loaded, key))
    session.show(document, view=lambda screen, found: screen.line(cell(found["value"])), name="key")


@config.command("explain")
def explain_setting(context: typer.Context, key: Key) -> None:
    """The value, which source won, the default, and what it is for."""
    from interfaces.rendering import settings
    from runtime.services import configuring

    session = begin(context)
    session.show(settings.document(configuring.get(session.loaded, key)), view=settings.view, name="key")


@config.command("set")
def set_setting(
    context: typer.Context,
    key: Key,
    value: Annotated[str, typer.Argument(help="the new value", metavar="VALUE")],
    file: Annotated[Path, typer.Option("--file", help="settings file to change")] = Path("day2.yaml"),
) -> None:
    """Write one value into a settings file, checked before."""
    from interfaces.rendering import settings
    from runtime.services import configuring

    session = begin(context)
    configuring.change(file, key, value)
    session.say(f"Saved {file}")
    document = settings.document(configuring.get(begin(context).loaded, key))
    session.show(document, view=settings.view, name="key")
