"""What a terminal can show: columns, colour, and whether it has more than ASCII. Every state has a word and a glyph, never colour alone."""

import locale
import sys
from typing import TextIO

from core.domain.values import bounded

GLYPHS = {
    "pass": "✓", "ok": "✓", "allow": "✓", "verified": "✓", "approved": "✓", "warn": "!", "escalated": "!", "fail": "✗", "error": "✗",
    "deny": "✗", "denied": "✗", "failed": "✗", "skip": "–", "expired": "–", "cancelled": "–", "needs_approval": "?", "rolled_back": "↺",
}  # fmt: skip
_ASCII = {
    "✓": "+", "✗": "x", "–": "-", "—": "-", "↺": "<", "→": "->", "…": "...", "“": '"', "”": '"', "‘": "'", "’": "'", "·": "-", "─": "-",
    "×": "x", "≤": "<=", "≥": ">=", "•": "*",
}  # fmt: skip
_TABLE = str.maketrans(_ASCII)
_CODES = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "bold": "1", "dim": "2"}
STYLES = {
    **dict.fromkeys(("critical", "high", "deny", "denied", "fail", "error", "escalated", "failed"), "red"),
    **dict.fromkeys(("medium", "warn", "needs_approval", "rolled_back"), "yellow"),
    **dict.fromkeys(("allow", "verified", "pass", "ok", "approved"), "green"),
}
WIDTH_OF_A_PIPE = 0
NARROWEST = 20


class Screen:
    """One output stream. `width` 0 means unlimited: a pipe gets every character."""

    def __init__(self, stream: TextIO, *, color: bool = False, ascii_only: bool = False, width: int = WIDTH_OF_A_PIPE) -> None:
        self.stream = stream
        self.color = color
        self.ascii_only = ascii_only
        self.width = width

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line; `style` is a word of `STYLES` or a colour."""
        self.stream.write(self.painted(self.fitting(text), style) + "\n")

    def painted(self, text: str, style: str) -> str:
        code = _CODES.get(STYLES.get(style, style))
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and code and text else text

    def fitting(self, text: str) -> str:
        """The text in the characters that this stream has."""
        return text.translate(_TABLE).encode("ascii", "replace").decode() if self.ascii_only else text

    def glyph(self, word: str) -> str:
        return GLYPHS.get(word, " ")

    def wrapped(self, text: str, *, indent: int = 0, hang: int = 0, lead: str = "", style: str = "") -> None:
        """One paragraph within the width; further lines are indented by `hang` more. `lead` stands before the text, in its own style."""
        room = max(NARROWEST, self.width - indent) if self.width else 10**6
        before = self.fitting(lead)
        for number, part in enumerate(_parts(before + self.fitting(text), room, max(NARROWEST, room - hang))):
            shown = self.painted(before, style) + part[len(before) :] if not number and part.startswith(before) else part
            self.line(" " * (indent + (hang if number else 0)) + shown)


def _parts(text: str, first: int, further: int) -> list[str]:
    """The text in lines of at most `first`, then `further` characters. Runs of blanks inside a line stay as they are."""
    lines: list[str] = []
    while len(text) > (room := further if lines else first):
        at = text.rfind(" ", 1, room + 1)
        at = at if at > room // 4 else room  # a name without a blank goes on in the next line: nothing is lost
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]


def speaks_ascii_only(stream: TextIO) -> bool:
    """True for the C locale, and for streams of another encoding than UTF."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower()
    return not encoding.startswith("utf") or locale.setlocale(locale.LC_CTYPE) in ("C", "POSIX")


def screen_on(stream: TextIO, *, color: str, wants_color: bool, plain: bool, columns: int | None) -> Screen:
    """`color` is the flag, `wants_color` what the environment says, `columns` what it asks for."""
    terminal = stream.isatty()
    colored = color == "always" or (color == "auto" and terminal and wants_color and not plain)
    width = columns or (_terminal_columns() if terminal else WIDTH_OF_A_PIPE)
    return Screen(stream, color=colored, ascii_only=plain or speaks_ascii_only(stream), width=width)


def _terminal_columns() -> int:
    import os

    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 80


def cell(value: object) -> str:
    """A value as text of one line: hostile characters are taken out."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict) and set(value) >= {"amount", "currency"}:
        return f"{value['amount']} {value['currency']}"
    if isinstance(value, list | tuple):
        return bounded(",".join(str(item) for item in value) or "-", 400)
    return bounded(str(value), 400)
