"""Options that several commands share. Their values arrive from wherever the flag stands: see `interfaces.cli.flags`."""

from typing import Annotated

import typer

Selector = Annotated[
    str, typer.Option("-l", "--selector", help="only objects with such labels: app=web,tier!=db or 'env in (prod,staging)'")
]
Since = Annotated[str, typer.Option("--since", help="such as 2h or 7d")]
Watch = Annotated[bool, typer.Option("-w", "--watch", help="then what is new or changed, until Ctrl-C or --timeout")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="wait for people to approve; without it exit 8 when they are needed")]
DryRun = Annotated[
    str,
    typer.Option(
        "--dry-run", metavar="none|client|server", help="client: show what would be submitted; server: judge it too; store nothing"
    ),
]
