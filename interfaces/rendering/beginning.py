"""What `day2 init` wrote, and what comes next."""

from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen
from runtime.services.beginning import Begun


def document(done: Begun) -> Json:
    kept = [str(path) for path in done.kept]
    return envelope("Beginning", settings=str(done.settings), manifest=str(done.manifest), documents=str(done.documents), kept=kept)


def view(screen: Screen, found: Json) -> None:
    for name, says in (
        ("settings", "settings"),
        ("documents", "what you want and forbid: objectives, grants, prices, schedules"),
        ("manifest", "rights for reading, no secrets; for a pod of its own: kubectl apply -f"),
    ):
        was = ", was there and is as it was" if found[name] in found["kept"] else ""
        screen.line(f"{found[name]:<24} {says}{was}")
