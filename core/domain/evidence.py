"""One re-checkable observation. Made by detectors and investigators; shown beside every claim."""

from typing import Literal

from pydantic import Field

from core.domain.target import Target
from core.domain.values import Moment, Value, bounded, identifier

Source = Literal["object", "metric", "log", "event", "derived", "outside"]


class Evidence(Value):
    """`query` says how to look again (a PromQL text, a field path, a log request); `value` is what was seen, bounded and made printable.

    `quoted` marks text that somebody else wrote (logs, events, outside tools): it is shown between quotation marks and never obeyed.
    """

    id: str
    source: Source
    subject: Target
    query: str = Field(max_length=1024)
    value: str = Field(max_length=512)
    at: Moment
    resource_version: str = ""
    quoted: bool = False


def observe(source: Source, subject: Target, query: str, value: str, at: Moment, *, resource_version: str = "") -> Evidence:
    """Evidence with its stable id; text from logs, events and outside tools is marked as quoted."""
    shown = bounded(value, 512)
    return Evidence(
        id=identifier("ev", source, subject.uid, query, shown),
        source=source,
        subject=subject,
        query=bounded(query, 1024),
        value=shown,
        at=at,
        resource_version=resource_version,
        quoted=source in ("log", "event", "outside"),
    )
