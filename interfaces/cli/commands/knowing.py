"""`day2 whoami`: as whom commands are called here, and which of them may be."""

import typer

from interfaces.cli import translating
from interfaces.cli.sessions import begin, run


def whoami(context: typer.Context) -> None:
    """Who you are to day2, your roles, and what you may call with them. The cluster of your kubeconfig is asked for your name."""
    from interfaces.rendering import callers
    from runtime.roles import identifying

    session = begin(context)
    known = run(identifying.person(session.settings))
    me = identifying.local(session.settings, translating.DOOR, known)
    allowed = [callers.Row(row.command, row.services) for row in translating.listed(me)]
    session.show(callers.document(me, allowed, account=identifying.account()), view=callers.view, name="by")
    if known.why_local:
        session.say(f"No cluster said who this is: {known.why_local}", "dim")
    if not me.roles:
        session.hint("no role here: whoever keeps the settings adds you to access.viewer or its like")
