"""`day2 snapshot`: a look at a cluster as a file, to be looked at again anywhere."""

from pathlib import Path
from typing import Annotated

import typer

from interfaces.cli.sessions import begin, run

snapshot = typer.Typer(help="Snapshots: one look at a cluster as a file, for scan --from.", rich_markup_mode=None, no_args_is_help=True)


@snapshot.command("save")
def save(context: typer.Context, file: Annotated[Path, typer.Argument(help="where to; an older file of that name is replaced")]) -> None:
    """All that checks read of a cluster, in one file for you alone (mode 0600), written whole or not at all.

    Never in it: Secrets, values of ConfigMaps, logs and metrics. Values of variables, probes, annotations and messages that look secret are
    taken out; what does not look secret stays, so treat the file as you treat the cluster. With -n only those namespaces; what may not be
    read is named in the file, and stays unread whoever scans it.
    """
    from interfaces.rendering import snapshots
    from runtime.roles import looking
    from runtime.services import snapshotting

    session = begin(context)
    with session.waiting("reading the cluster"):
        saved = run(looking.saved(session.settings, session.flags.namespaces))
    size = snapshotting.save(file, saved)
    document = snapshots.document(snapshotting.contents_of(saved, str(file)), size=size)
    session.show(document, columns=snapshots.COLUMNS, view=snapshots.view, name="kind")
    session.hint(f"next: day2 scan --from {file}")


@snapshot.command("load")
def load(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="a saved snapshot, or anything else that scan --from takes")]
) -> None:
    """What is in a file: kinds with their counts, its time and cluster, and what could not be read. Nothing is kept or looked at.

    A damaged file is refused as a whole, and so is one that a newer day2 saved. Manifests do not say of when they are; a must-gather does.
    """
    from interfaces.rendering import snapshots
    from runtime.roles import looking

    session = begin(context)
    with session.waiting(f"reading {file}"):
        found = looking.contents(file)
    session.show(snapshots.document(found), columns=snapshots.COLUMNS, view=snapshots.view, name="kind")
    session.hint(f"next: day2 scan --from {file}")
