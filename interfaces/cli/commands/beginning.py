"""`day2 init`: from nothing to a settings file, in at most four questions."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.sessions import Session, begin

QUESTIONS = {
    "context": "context of your kubeconfig (empty: its current one)",
    "prometheus": "address of Prometheus (empty: checks that need metrics are reported as not run)",
    "data_dir": "folder for ledger, keys and audit (empty: the default)",
    "listen": "HOST:PORT of the console under day2 serve (empty: 127.0.0.1:8080)",
}


def init(
    context: typer.Context,
    file: Annotated[Path, typer.Option("--file", help="settings file to write")] = Path("day2.yaml"),
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT of the console")] = "",
    force: Annotated[bool, typer.Option("--force", help="write over a settings file that is there")] = False,
) -> None:
    """Write a settings file, a folder for your documents, and the one manifest with the rights that reading needs.

    Asks at most four questions; each has a flag: --context, --prometheus, --data-dir, --listen. With --no-input nothing is asked.
    Nothing is contacted, installed or granted: you look at the manifest, and apply it with kubectl.
    """
    from interfaces.rendering import beginning as rendering
    from runtime.services import beginning

    session = begin(context)
    given = {
        "context": session.flags.context,
        "prometheus": session.flags.prometheus,
        "data_dir": str(session.flags.data_dir or ""),
        "listen": listen,
    }
    if not file.exists() or force:
        given = {name: value or _asked(session, QUESTIONS[name]) for name, value in given.items()}
    done = beginning.begin(file, beginning.Choices(**given), force=force)
    session.show(rendering.document(done), view=rendering.view, name="settings")
    session.hint("next: day2 doctor, then day2 scan -A")


def _asked(session: Session, question: str) -> str:
    return str(typer.prompt(question, default="", show_default=False, err=True)).strip() if session.interactive else ""
