"""Letters of others on a page: what would hide, turn or colour the text around it is shown as its number. Templates print by it."""

import unicodedata
from typing import Any

from markupsafe import Markup


def shown(value: Any) -> Any:
    """What a template prints. Text of others keeps its letters; nothing is printed for None, and markup of ours stays as it is."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value if value.isprintable() else "".join(map(_visible, value))
    return value


def _visible(char: str) -> str:
    if char in "\n\t" or char.isprintable():
        return char
    return f"⟨U+{ord(char):04X}⟩" if unicodedata.category(char) != "Zs" else " "
