"""What is in a file that `--from` takes: counts by kind, of when and of which cluster it is, and what could not be read."""

from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from interfaces.rendering.tables import Column, print_table
from runtime.services.snapshotting import Contents

COLUMNS = (Column("KIND", "kind"), Column("OBJECTS", "objects"))
MOST = 20


def document(found: Contents, *, size: int = 0) -> Json:
    """`size` is in bytes, 0 where nothing was written."""
    metadata = {
        "file": found.file,
        "form": found.form,
        "cluster": found.cluster,
        "context": found.context,
        "takenAt": found.at,
        "namespaces": found.namespaces,
        "bytes": size,
        "objects": sum(found.counts.values()),
    }
    items = [{"kind": kind, "objects": count} for kind, count in found.counts.items() if count]
    return envelope("SnapshotContents", items=items, metadata=metadata, unread=found.unread, poisoned=found.poisoned)


def view(screen: Screen, found: Json) -> None:
    metadata = found["metadata"]
    print_table(screen, COLUMNS, found["items"])
    screen.line()
    where = ", ".join(metadata["namespaces"]) or "all namespaces"
    when = f"as of {metadata['takenAt']}" if metadata["takenAt"] else "of no known time"
    size = f", {metadata['bytes']} bytes" if metadata["bytes"] else ""
    screen.wrapped(f"{metadata['file']} ({metadata['form']}{size}): {metadata['objects']} objects in {where}, {when}", hang=2)
    screen.wrapped(f"cluster {metadata['cluster']}", hang=2)
    for word, rows in (("not read", found["unread"]), ("not understood", found["poisoned"])):
        reasons: dict[str, list[str]] = {}
        for row in rows:
            reasons.setdefault(row["reason"], []).append(row["what"])
        for reason, names in list(reasons.items())[:MOST]:
            screen.wrapped(f"{word}: {', '.join(names)}: {reason}", indent=2, hang=2)
        if len(reasons) > MOST:
            screen.line(f"  and {len(reasons) - MOST} more reasons: -o json")
