"""Settings as documents: value, and which source won."""

from collections.abc import Sequence

from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.screens import Screen, cell
from interfaces.rendering.tables import Column
from runtime.services.configuring import Setting

COLUMNS = (Column("KEY", "key"), Column("VALUE", "value"), Column("SOURCE", "source"), Column("DESCRIPTION", "description", wide=True))


def listed(found: Sequence[Setting]) -> Json:
    return envelope("SettingList") | {"items": [setting._asdict() for setting in found]}


def document(found: Setting) -> Json:
    return envelope("Setting") | found._asdict()


def view(screen: Screen, found: Json) -> None:
    screen.line(f"{found['key']} = {cell(found['value'])}", "bold")
    screen.wrapped(f"from {found['source']}; default {cell(found['default'])}", indent=2, hang=2)
    screen.wrapped(found["description"], indent=2, hang=2)
    screen.wrapped(f"set it: day2 config set {found['key']} VALUE, or DAY2_{found['key'].upper().replace('.', '__')}", indent=2, hang=2)
