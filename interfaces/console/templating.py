"""Templates. Everything in them is escaped, always; characters that hide or turn text are made visible first."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from interfaces.console.wording import GLYPHS, TONES
from interfaces.rendering.letters import shown

HERE = Path(__file__).parent
LONGEST = 2000


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=shown,
        auto_reload=False,
    )
    made.filters |= {"left": left, "clock": clock, "day": day, "code": code, "who": who, "glyph": glyph, "tone": tone, "cut": cut}
    made.globals |= {"zip": zip}
    return made


def render(name: str, data: Mapping[str, Any]) -> str:
    return environment().get_template(name).render(data)


def cut(text: Any, most: int = 160) -> str:
    whole = str(text)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def code(value: Any) -> str:
    """A value of a manifest as people write it."""
    if value is None:
        return "(none)"
    return cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True), LONGEST)


def clock(text: str | None) -> str:
    """`2026-11-23T12:20:05Z` as `12:20:05Z`."""
    return text[11:].replace("+00:00", "Z") if text and len(text) > 11 else text or ""


def day(text: str | None) -> str:
    """`2026-11-23 12:20Z`."""
    return f"{text[:10]} {text[11:16]}Z" if text and len(text) > 15 else text or ""


def left(text: str, now: str) -> str:
    """Time until then, in words."""
    return ago(datetime.fromisoformat(text) - datetime.fromisoformat(now))


def ago(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds <= 0:
        return "over"
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def who(by: str) -> str:
    """A person as people say it: the user of a cluster, the account of a machine, the name of a provider."""
    first = by.split(" ")[0]
    return first.split(":", 2)[-1] if first.startswith("kube:") else first.partition(":")[2] or by


def glyph(word: str) -> str:
    return GLYPHS.get(word, "•")


def tone(word: str) -> str:
    """The class of a word: it gives the colour, beside the glyph and the word itself."""
    return TONES.get(word, "plain")
