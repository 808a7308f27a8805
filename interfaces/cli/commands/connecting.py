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


@mcp.command("tools")
def outside_tools(context: typer.Context) -> None:
    """Tools of others in outside.file: what each server says of them now, its pin, and to which agent it is granted.

    A grant holds for the pin that a person read. A server that says something else about its tool has another tool, which nobody granted.
    """
    from interfaces.rendering import outside as rendering
    from runtime.roles import outside

    session = begin(context)
    found = run(outside.offered(session.settings))
    session.show(rendering.listed(found), columns=rendering.COLUMNS, name="name")
    if not found:
        session.hint("no server is configured: docs/mcp.md, outside.file")
