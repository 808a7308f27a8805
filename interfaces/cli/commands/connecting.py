"""`day2 mcp`: the tools for clients that speak the Model Context Protocol."""

import typer

from interfaces.cli.sessions import begin, run

mcp = typer.Typer(help="MCP: these services as tools for other programs.", rich_markup_mode=None, no_args_is_help=True)


@mcp.command("serve")
def serve(context: typer.Context) -> None:
    """Speak MCP on standard input and output, as this account, until the client leaves.

    Tools read, or ask for runs and plans; none writes a cluster, and none approves. Over HTTP the same tools are at /mcp of `day2 serve`.
    """
    from interfaces.mcp import stdio

    session = begin(context)
    run(stdio.serve(session.settings))
