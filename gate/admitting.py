"""The webhook's decision: does this permit open exactly this request, now, once? On record before it is said; called by `webhook`.

Admission sees the object before and after the write and never the request, so a permit names its line (verb and path), the uid, the
generation where there is one, and the hash of the change, in which the old values stand. Whatever is not proven is refused.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from core.actions import states
from core.domain.admissions import Admissions, Admitted
from core.domain.api_request import ApiRequest, Verb
from core.domain.errors import PermitRefused
from core.domain.permit import EXTRA, Permit
from core.domain.values import Json, bounded
from gate import permits, stopping
from gate.keys import Verifier

UNDO_WINDOW_SECONDS = 10
"""How long an undo may come again where its write moves no generation: the API server asks anew when its compare-and-swap failed."""
_USER = re.compile(r"day2:(agent|preview):([a-z][a-z0-9-]{0,40})")
_VERBS: dict[tuple[str, bool], Verb] = {
    ("CREATE", False): "create",
    ("CREATE", True): "create",
    ("UPDATE", False): "patch",
    ("DELETE", False): "delete",
}
"""By operation, and whether it is an eviction: an eviction is only ever created."""


class Review(NamedTuple):
    """What the API server asks. `verb` and `line` are as in `ApiRequest`; `options` are those of a delete."""

    uid: str
    user: str
    groups: tuple[str, ...]
    extra: Mapping[str, Any]
    verb: str
    line: str
    namespace: str
    old: Json
    new: Json
    options: Json
    dry_run: bool


class Admission(NamedTuple):
    """Yes. `warning` is for the judge, who previews."""

    annotations: Mapping[str, str]
    warning: str = ""


def read(document: Json) -> Review:
    """An AdmissionReview (admission.k8s.io/v1). Raises PermitRefused for what is not complete, or no operation of ours."""
    try:
        asked, user = document["request"], document["request"]["userInfo"]
        where, namespace, name = asked["resource"], asked.get("namespace") or "", asked.get("name") or ""
        request = ApiRequest(
            verb=_VERBS[asked["operation"], asked.get("subResource") == "eviction"],
            group=where["group"],
            version=where["version"],
            resource=where["resource"],
            subresource=asked.get("subResource") or "",
            namespace="" if where["resource"] == "namespaces" else namespace,  # a namespace is said to be in itself
            name=name,
            content_type="application/json",
        )
        old, options = asked.get("oldObject"), asked.get("options") or {}
        if request.subresource == "eviction":  # it names the pod that it would delete, which admission does not see
            options = asked["object"]["deleteOptions"]
            old = {"metadata": options["preconditions"]}
        return Review(
            uid=asked["uid"],
            user=user["username"],
            groups=tuple(user.get("groups") or ()),
            extra=user.get("extra") or {},
            verb="delete" if request.removes else request.verb,
            line=request.line,
            namespace=namespace,
            old={} if request.makes else dict(old),
            new=dict(asked["object"] if request.makes else asked.get("object") or {}),
            options=dict(options),
            dry_run=asked.get("dryRun") is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PermitRefused(("only changes and deletions of one object are ever permitted",)) from error


def admit(asked: Review, *, registration: str, judge: Verifier, book: Admissions, now: int) -> Admission:
    """`now` in Unix seconds. Raises PermitRefused with the reason, which never has the permit in it; or what the ledger raises."""
    who = _USER.fullmatch(asked.user)
    if who is None or set(asked.groups) - {"system:authenticated"}:
        raise PermitRefused(("only agents and their previews write",))
    if who[1] == "preview":
        return _previewed(asked)
    permit = _presented(asked, judge)
    _check(permit, asked, who[2], now)
    undo = permit.use == "undo"
    if stop := stopping.reason_to_stop(book, agent=permit.agent, namespace=asked.namespace, undo=undo):
        raise PermitRefused((f"stopped: {stop}",))
    if undo:
        _check_undo(permit, asked, book.admitted(registration, permit.forward))
    else:
        _check_forward(permit, asked)
    notes = {"action": permit.action_id, "permit": permit.jti, "use": permit.use}
    if not asked.dry_run:
        _put_on_record(_row(permit, asked, registration, now), asked, book)
    return Admission(notes)


def _put_on_record(row: Admitted, asked: Review, book: Admissions) -> None:
    """Commit before yes. Where the ledger has this permit already, this may be the API server's own retry, or a replay."""
    if book.admit(row):
        return
    first = book.admitted(row.registration, row.jti)
    if first is None or not _stored_nothing(first, row, asked):
        raise PermitRefused(("the permit was used before",))


def _previewed(asked: Review) -> Admission:
    if asked.extra or not asked.dry_run:
        raise PermitRefused(("preview users only dry-run, and carry no extra",))
    return Admission({}, warning=f"day2-post {states.post_hash(asked.verb, asked.options, asked.old, asked.new)}")


def _presented(asked: Review, judge: Verifier) -> Permit:
    values = asked.extra.get(EXTRA)
    if set(asked.extra) != {EXTRA} or not isinstance(values, list) or len(values) != 1 or not isinstance(values[0], str):
        raise PermitRefused(("exactly one permit is needed, and no other extra",))
    return permits.read(values[0], judge)


def _check(permit: Permit, asked: Review, agent: str, now: int) -> None:
    wanted: dict[str, Any] = {"iss": permits.ISSUER, "agent": agent, "line": asked.line}
    if asked.verb == "patch" or (asked.verb == "delete" and permit.use == "forward"):  # what is made has no uid when it is judged
        wanted["uid"] = _meta(asked.old).get("uid")
    for name, value in wanted.items():
        if getattr(permit, name) != value:
            raise PermitRefused((f"the permit's {name} is not this request's",))
    permits.check_times(permit, now)
    meta = _meta(asked.old)
    if asked.verb == "delete" and asked.options.get("preconditions") != {key: meta.get(key) for key in ("uid", "resourceVersion")}:
        raise PermitRefused(("a delete must name the uid and the resourceVersion that it means",))


def _check_forward(permit: Permit, asked: Review) -> None:
    meta = _meta(asked.old)
    if permit.generation and meta.get("generation") != permit.generation:
        raise PermitRefused(("the object changed since it was judged",))
    if states.post_hash(asked.verb, asked.options, asked.old, asked.new) != permit.post:
        raise PermitRefused(("the change is not the one that was judged",))


def _check_undo(permit: Permit, asked: Review, forward: Admitted | None) -> None:
    if forward is None or forward.use != "forward":
        raise PermitRefused(("nothing was done that this permit takes back",))
    line = forward.line.replace("create ", "delete ", 1)
    if (line, forward.uid, forward.inverse) != (asked.line, _meta(asked.old).get("uid"), permit.inverse):
        raise PermitRefused(("this permit takes something else back",))
    if not states.undo_matches(permit.inverse, asked.old, asked.new):
        raise PermitRefused(("the change is not the inverse of ours: a field of ours was moved since, or more is touched",))


def _row(permit: Permit, asked: Review, registration: str, now: int) -> Admitted:
    meta = _meta(asked.old)
    inverse = "" if asked.verb == "delete" else states.inverse_hash(asked.old, asked.new)
    return Admitted(
        registration,
        permit.jti,
        permit.use,
        asked.line,
        str(_meta(asked.old or asked.new).get("uid") or permit.uid),
        bounded(str(meta.get("resourceVersion") or ""), 64),
        int(meta.get("generation") or 0),
        inverse,
        now,
    )


def _stored_nothing(first: Admitted, again: Admitted, asked: Review) -> bool:
    """Whether the first use provably changed nothing, so that this is the API server's own retry and no replay.

    At most one write wins from one resourceVersion; a delete has one in its preconditions. A write that moves the generation has not
    happened while it stands. Where nothing proves it, an undo has a short window: its delta names our values, so a second effect needs
    another writer who puts them back in that time. A forward permit has none; the judge mints afresh.
    """
    old, new = _meta(asked.old), _meta(asked.new)
    if first.resource_version == old.get("resourceVersion"):
        return True
    before = int(old.get("generation") or 0)
    moves = int(new.get("generation") or 0) == before + 1
    if before and moves:
        return first.generation == before
    return again.use == "undo" and again.at - first.at <= UNDO_WINDOW_SECONDS


def _meta(item: Json) -> Json:
    found: Json = item.get("metadata") or {}
    return found
