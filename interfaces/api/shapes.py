"""JSON Schemas of what the API answers: those of `day2 schema`, and those of documents that only doors show."""

from interfaces.rendering import schemas
from interfaces.rendering.envelopes import API_VERSION, Json
from interfaces.rendering.schemas import ANY, FLAG, NULL, OPEN, TEXT, TIME, WHOLE, either, listing, metadata, shape, words

STAGE = words("waiting", "begun", "ended", "failed", "cancelled")
EVENT = shape(specversion=TEXT, id=TEXT, source=TEXT, type=TEXT, subject=TEXT, time=TIME, datacontenttype=TEXT, data=OPEN)
RUN = either(shape(**schemas.RUN), NULL)
KINDS: dict[str, Json] = {
    "RunReport": {"metadata": metadata(), "run": RUN, "asked": either(OPEN, NULL), "answer": either(OPEN, NULL)},
    "Asked": {"metadata": metadata(), "id": TEXT, "stage": STAGE, "text": TEXT, "act": FLAG, "at": TIME},
    "EventList": listing(EVENT, metadata(next=WHOLE)),
}


def schema(kind: str, *, paged: bool = False) -> Json:
    """One of a kind that nobody described is any document of that kind."""
    fields = schemas.KINDS[kind][1] if kind in schemas.KINDS else KINDS.get(kind, {"metadata": ANY})
    more = {"next": either(TEXT, NULL)} if paged else {}
    return {"title": kind} | shape(apiVersion={"const": API_VERSION}, kind={"const": kind}, **fields, **more)
