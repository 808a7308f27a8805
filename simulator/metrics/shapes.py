"""From PromQL text back to what is asked: one of the closed table's shapes, or a plain selector. Anything else is refused by name.

The patterns are made from `core.cluster.queries.TEMPLATES`, so that the table stays written once.
"""

import re
from string import Formatter
from typing import NamedTuple

from core.cluster.queries import TEMPLATES, Query, Shape

_FIELDS = {
    "namespace": r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "quantile": r"[0-9.e-]+",
    "window": r"[0-9]+[smhdw]",
    "step": r"[0-9]+[smhdw]",
    "rate": r"[0-9]+[smhdw]",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SELECTOR = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!=|!~|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
LONGEST = 4096


class UnservedError(ValueError):
    """The simulator does not answer this query."""

    def __init__(self, why: str = "") -> None:
        shapes = ", ".join(shape.value for shape in Shape)
        extra = f": {why}" if why else ""
        super().__init__(f"the simulator answers the closed table of query shapes ({shapes}) and plain selectors{extra}")


class Matcher(NamedTuple):
    label: str
    operator: str
    value: str

    def holds(self, labels: dict[str, str]) -> bool:
        found = labels.get(self.label, "")
        same = found == self.value if self.operator in ("=", "!=") else re.fullmatch(self.value, found) is not None
        return same == (self.operator in ("=", "=~"))


class Selector(NamedTuple):
    """`metric{label="value"}`."""

    metric: str
    matchers: tuple[Matcher, ...]


def parse(text: str) -> Query | Selector:
    """What `text` asks. Raises UnservedError."""
    if len(text) > LONGEST:
        raise UnservedError("the query is too long")
    for shape, pattern in _PATTERNS.items():
        match = pattern.fullmatch(text.strip())
        if match is not None:
            return _query(shape, match.groupdict())
    match = _SELECTOR.fullmatch(text)
    if match is None:
        raise UnservedError
    return Selector(match[1], _matchers(match[2] or ""))


def seconds(text: str) -> int:
    """`300s`, `5m`, `7d` as seconds."""
    return int(text[:-1]) * _UNITS[text[-1]]


def _query(shape: Shape, found: dict[str, str]) -> Query:
    query = Query(shape, namespace=found.get("namespace", ""))
    if "quantile" in found:
        try:
            query = query._replace(quantile=float(found["quantile"]))
        except ValueError:
            raise UnservedError(f"{found['quantile']} is no quantile") from None
    return query._replace(
        window_seconds=_span(found.get("window"), query.window_seconds),
        step_seconds=_span(found.get("step"), query.step_seconds),
        rate_seconds=_span(found.get("rate"), query.rate_seconds),
    )


def _span(text: str | None, default: int) -> int:
    span = default if text is None else seconds(text)
    if not 0 < span <= 90 * 86_400:
        raise UnservedError(f"a span of {text}")
    return span


def _matchers(text: str) -> tuple[Matcher, ...]:
    found: list[Matcher] = []
    position = 0
    while text[position:].strip(" ,"):
        match = _MATCHER.match(text, position)
        if match is None:
            raise UnservedError("the label matchers cannot be read")
        value = match[3].replace('\\"', '"').replace("\\\\", "\\")
        if match[2] in ("=~", "!~") and not _is_harmless(value):
            raise UnservedError(f"the pattern {value[:60]!r}")
        found.append(Matcher(match[1], match[2], value))
        position = match.end()
    return tuple(found)


def _is_harmless(pattern: str) -> bool:
    """Alternatives of plain words with dots and stars: no nested repetition that could run for ever."""
    return len(pattern) <= 256 and re.fullmatch(r"[\w\-./:|]*(?:\.[*+])?[\w\-./:|]*", pattern) is not None


def _pattern(template: str) -> re.Pattern[str]:
    """The template as a regular expression: literal text, and one group per field (repeated fields must be equal)."""
    parts: list[str] = []
    seen: set[str] = set()
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(re.escape(literal))
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{_FIELDS[name]})")
            seen.add(name)
    return re.compile("".join(parts))


_PATTERNS = {shape: _pattern(template) for shape, template in TEMPLATES.items()}
