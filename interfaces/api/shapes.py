"""JSON Schemas of what the API answers: those of `day2 schema`, and those of documents that only doors show."""

from interfaces.rendering import schemas
from interfaces.rendering.envelopes import API_VERSION, Json
from interfaces.rendering.schemas import ANY, FLAG, NULL, OPEN, TEXT, TIME, WHOLE, either, listing, many, metadata, shape, words

STAGE = words("waiting", "begun", "ended", "failed", "cancelled")
EVENT = shape(specversion=TEXT, id=TEXT, source=TEXT, type=TEXT, subject=TEXT, time=TIME, datacontenttype=TEXT, data=OPEN)
RUN = either(shape(**schemas.RUN), NULL)
INCIDENT = {
    **dict.fromkeys(("id", "cluster", "namespace", "workload", "title", "run"), TEXT),
    **dict.fromkeys(("alerts", "firing", "reopened", "truncated", "lapsed"), WHOLE),
    "state": words("open", "lapsed", "resolved"),
    "severity": words("critical", "high", "medium", "low"),
    "openedAt": TIME,
    "closedAt": either(TIME, NULL),
    "changedAt": TIME,
}
ALERT = shape(
    name=TEXT, state=TEXT, severity=TEXT, startsAt=TIME, endsAt=either(TIME, NULL), summary=TEXT, labels=OPEN, quoted={"const": True}
)
WEBHOOK = shape(
    **dict.fromkeys(("name", "host", "secret", "by", "said"), TEXT),
    **dict.fromkeys(("failingSince", "nextAt", "deliveredAt"), either(TIME, NULL)),
    state=words("active", "failing", "dead"),
    types=many(TEXT),
    madeAt=TIME,
    cursor=WHOLE,
    failures=WHOLE,
)
KINDS: dict[str, Json] = {
    "RunReport": {"metadata": metadata(), "run": RUN, "asked": either(OPEN, NULL), "answer": either(OPEN, NULL)},
    "Asked": {"metadata": metadata(), "id": TEXT, "stage": STAGE, "text": TEXT, "act": FLAG, "at": TIME},
    "AlertsTaken": {"metadata": metadata(), "new": WHOLE, "resolved": WHOLE, "repeated": WHOLE, "incidents": many(TEXT)},
    "IncidentList": listing(shape(**INCIDENT)),
    "Incident": {"metadata": metadata()}
    | INCIDENT
    | {
        "heldBack": FLAG,
        "alertsShown": many(ALERT),
        "timeline": many(shape(at=TIME, event=TEXT, subject=TEXT)),
        "asked": either(OPEN, NULL),
        "investigation": RUN,
        "findings": many(OPEN),
        "causes": many(many(TEXT)),
    },
    "WebhookList": listing(WEBHOOK),
    "FindingList": listing(OPEN, metadata(runs=OPEN)) | {"coverage": OPEN},
    "BatchDecision": listing(OPEN) | {"left": many(shape(action=TEXT, why=TEXT))},
    "GateHealth": {
        "metadata": metadata(),
        "guard": shape(state=words("whole", "altered", "unknown"), at=either(TIME, NULL), found=TEXT),
        "rules": either(shape(digest=TEXT, at=TIME, refused=TEXT), NULL),
        "audit": shape(records=WHOLE, anchoredAt=either(TIME, NULL)),
        "canaries": shape(seenThrough=WHOLE, approved=WHOLE, approvedAt=either(TIME, NULL)),
        "care": shape(
            **dict.fromkeys(("decisions", "people", "hasty", "asked", "expired"), WHOLE),
            mostADay=schemas.NUMBER,
            waitSeconds=either(schemas.NUMBER, NULL),
            waits=many(shape(wait=TEXT, decisions=WHOLE)),
        ),
    },
    "EventList": listing(EVENT, metadata(next=WHOLE)),
}


def schema(kind: str, *, paged: bool = False) -> Json:
    """One of a kind that nobody described is any document of that kind."""
    fields = KINDS.get(kind) or schemas.KINDS.get(kind, ("", {"metadata": ANY}))[1]
    more = {"next": either(TEXT, NULL)} if paged else {}
    return {"title": kind} | shape(apiVersion={"const": API_VERSION}, kind={"const": kind}, **fields, **more)
