"""Tools of others: what they are, their pins, and who may use them. Their descriptions are quoted: a stranger wrote them."""

from collections.abc import Sequence

from core.domain.outside import OutsideTool
from core.domain.values import bounded
from interfaces.rendering.envelopes import Json, envelope
from interfaces.rendering.tables import Column

COLUMNS = (
    Column("TOOL", "name"),
    Column("STANDS", "stands"),
    Column("READS ONLY", "readsOnly"),
    Column("PIN", "pin"),
    Column("DESCRIPTION (QUOTED)", "description", wide=True),
)


def listed(found: Sequence[tuple[str, OutsideTool | None, str]]) -> Json:
    return envelope("OutsideToolList", items=[_item(name, tool, stands) for name, tool, stands in found])


def _item(name: str, tool: OutsideTool | None, stands: str) -> Json:
    said = bounded(tool.description, 400) if tool else ""
    reads, pin, schema = (tool.reads_only, tool.pin, tool.schema) if tool else (False, "", {})
    return {"name": bounded(name, 170), "stands": stands, "reads_only": reads, "pin": pin, "description": said, "body": schema}
