"""The API server of the simulated world, small and honest: uids, resource versions, generations, preconditions, dry runs, impersonation.

It keeps every version of every object and every write with its writer: that log is what the promises are checked against. Where a seed
says so it also does what the admission webhook does: refuse a permit that is forged, expired, used, made for another request, or whose
change would not be the one that was judged.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from core.actions import states
from core.cluster.kinds import KINDS
from evals.simulation import tokens
from runtime.roles.simulated import Answered, Asked

Json = dict[str, Any]
Key = tuple[str, str, str]
"""Resource, namespace, name."""

PERMIT = "impersonate-extra-day2.dev%2fpermit"
USER = "impersonate-user"
AGENT, PREVIEW = "day2:agent:", "day2:preview:"
BY_RESOURCE = {kind.resource: kind for kind in KINDS.values()}
UID = "cluster-1"


class Version(NamedTuple):
    """An object as it stood from `at` on; None once it was deleted."""

    at: float
    item: Json | None


class Write(NamedTuple):
    """One stored change. `by` is a user of the API; `permit` came with it. `stored` is False for a write that changed nothing."""

    at: float
    by: str
    key: Key
    before: Json | None
    after: Json | None
    permit: str = ""
    request: str = ""
    stored: bool = True


class Refusal(NamedTuple):
    """A write with a permit that the server refused."""

    at: float
    permit: str
    message: str


class Cluster:
    """`now` gives the true time, which only the server has; `public` is the judge's key for admission, empty without admission."""

    def __init__(self, now: Callable[[], float], admission: bytes = b"") -> None:
        self._now = now
        self._admission = admission
        self._versions = 100
        self._uids = 0
        self.history: dict[Key, list[Version]] = {}
        self.writes: list[Write] = []
        self.refusals: list[Refusal] = []
        self.arrived: Callable[[str], None] = lambda _: None
        self.stored: Callable[[Write], None] = lambda _: None
        self._used: dict[str, float] = {}

    def live(self, key: Key) -> Json | None:
        return self.history[key][-1].item if key in self.history else None

    def all(self, resource: str, namespace: str = "", *, behind: float = 0.0) -> Iterator[Json]:
        """Objects as they stood `behind` seconds ago."""
        for key in sorted(self.history):
            if key[0] == resource and namespace in ("", key[1]) and (item := self.at(key, behind)) is not None:
                yield item

    def at(self, key: Key, behind: float) -> Json | None:
        moment = self._now() - behind
        found = next((version for version in reversed(self.history.get(key, ())) if version.at <= moment), None)
        return found.item if found else None

    def new_uid(self, name: str) -> str:
        self._uids += 1
        return f"uid-{name}-{self._uids}"

    def put(self, item: Json, by: str) -> None:
        """Create or replace, as a writer other than day2."""
        kind, meta = KINDS[item["kind"]], item["metadata"]
        self._store((kind.resource, str(meta.get("namespace", "")), meta["name"]), item, by)

    def edit(self, key: Key, by: str, change: Callable[[Json], None]) -> None:
        """Change a live object, as a writer other than day2. What is gone is left alone."""
        live = self.live(key)
        if live is not None:
            item = _copied(live)
            change(item)
            self._store(key, item, by)

    def delete(self, key: Key, by: str) -> None:
        if self.live(key) is not None:
            self._store(key, None, by)

    def answer(self, asked: Asked, *, behind: float = 0.0) -> Answered:
        """One request, at once. `behind`: a read is answered as it stood so many seconds ago."""
        parts = [unquote(part) for part in asked.path.split("/") if part]
        if "subjectaccessreviews" in parts:
            return _said(200, {"status": {"allowed": True}})
        scope = _namespace_at(parts)
        place = next((number for number, part in enumerate(parts) if part in BY_RESOURCE and number != scope), None)
        if place is None:
            return _said(404, {"message": "not served", "code": 404})
        namespace = parts[scope + 1] if scope >= 0 else ""
        key = (parts[place], namespace, parts[place + 1] if len(parts) > place + 1 else "")
        if asked.method == "GET":
            return self._read(key, behind)
        return self._write(key, asked)

    def _read(self, key: Key, behind: float) -> Answered:
        if key[2]:
            found = self.at(key, behind)
            return _said(200, found) if found is not None else _said(404, {"message": "not found", "code": 404})
        kind = BY_RESOURCE[key[0]]
        items = list(self.all(key[0], key[1], behind=behind))
        return _said(200, {"kind": f"{kind.name}List", "metadata": {"resourceVersion": str(self._versions)}, "items": items})

    def _write(self, key: Key, asked: Asked) -> Answered:
        user, permit = asked.headers.get(USER, ""), asked.headers.get(PERMIT, "")
        body = msgspec.json.decode(asked.body)
        dry = asked.query.get("dryRun") == "All" or (asked.method == "DELETE" and body.get("dryRun") == ["All"])
        request = _request(key, asked, body)
        if not dry:
            self.arrived(permit)
        refusal = self._refused(user, permit, request, dry=dry) or self._impossible(key, asked.method, body)
        if refusal is not None:
            return self._refuse(refusal, permit, dry=dry)
        live = self.live(key)
        assert live is not None  # noqa: S101  _impossible has seen to it
        after = live if asked.method == "DELETE" else self._changed(key, merged(live, body), user)
        if self._admission and user.startswith(AGENT):
            refusal = self._not_admitted(permit, live, {} if asked.method == "DELETE" else after, dry=dry)
            if refusal is not None:
                return self._refuse(refusal, permit, dry=dry)
        if dry:
            return _said(200, after)
        if asked.method != "DELETE" and after["spec"] == live["spec"]:
            self._seen(Write(self._now(), user, key, live, live, permit, request, stored=False))
            return _said(200, live)
        self._store(key, None if asked.method == "DELETE" else after, user, permit, request)
        return _said(200, self.live(key) or after)

    def _refuse(self, answer: Answered, permit: str, *, dry: bool) -> Answered:
        if not dry:
            self.refusals.append(Refusal(self._now(), permit, msgspec.json.decode(answer.body)["message"]))
        return answer

    def _refused(self, user: str, permit: str, request: str, *, dry: bool) -> Answered | None:
        """RBAC and, where this world has it, what admission sees of the permit."""
        allowed = (user.startswith(PREVIEW) and dry) or (user.startswith(AGENT) and permit)
        if not allowed:
            return _said(403, {"message": f"{user} may not, and sent {permit}", "code": 403})
        if not self._admission or user.startswith(PREVIEW):
            return None
        claims = tokens.claims(permit, self._admission)
        if claims is None or claims["exp"] <= self._now() or claims["request"] != request or user != f"{AGENT}{claims['agent']}":
            return _denied(f"permit {permit}")
        return None

    def _not_admitted(self, permit: str, live: Json, after: Json, *, dry: bool) -> Answered | None:
        """What admission sees of the change itself: the same two definitions as the real webhook. A delete is told by its preconditions."""
        claims = tokens.claims(permit, self._admission) or {}
        if claims["use"] == "forward":
            if after and states.post_hash("patch", {}, live, after) != claims["post"]:
                return _denied("the change is not the one that was judged")
            if not dry and permit in self._used:
                return _denied("the permit was used")
        elif not states.undo_matches(claims["inverse"], live, after):
            return _denied("the change is not the inverse of ours")
        if not dry:
            self._used[permit] = self._now()
        return None

    def _impossible(self, key: Key, method: str, body: Json) -> Answered | None:
        live = self.live(key)
        if live is None:
            return _said(404, {"message": f"{key[0]} {key[2]} not found", "code": 404})
        wanted = (body.get("preconditions") or {}) if method == "DELETE" else body.get("metadata", {})
        for field in ("uid", "resourceVersion"):
            if wanted.get(field, live["metadata"][field]) != live["metadata"][field]:
                return _said(409, {"message": f"Precondition failed: {field} does not match", "code": 409})
        return None

    def _changed(self, key: Key, item: Json, by: str) -> Json:
        """What the server stamps: a generation per changed spec, and who wrote."""
        live = self.live(key)
        meta = dict(item["metadata"])
        item = {**item, "metadata": meta}
        if live is not None and item.get("spec") != live.get("spec"):
            if "generation" in meta:
                meta["generation"] = live["metadata"].get("generation", 0) + 1
            fields: Json = {f"f:{name}": {} for name in item["spec"] if item["spec"][name] != live["spec"].get(name)}
            entry = {"manager": by, "operation": "Update", "time": f"{int(self._now())}", "fieldsV1": {"f:spec": fields}}
            kept = [entry for entry in meta.get("managedFields") or () if entry["manager"] != by]
            meta["managedFields"] = [*kept, entry]
        return item

    def _store(self, key: Key, item: Json | None, by: str, permit: str = "", request: str = "") -> None:
        before = self.live(key)
        if item is not None:
            item = self._changed(key, _copied(item), by)
            self._versions += 1
            item["metadata"]["resourceVersion"] = str(self._versions)
        self.history.setdefault(key, []).append(Version(self._now(), item))
        self._seen(Write(self._now(), by, key, before, item, permit, request))

    def _seen(self, write: Write) -> None:
        self.writes.append(write)
        self.stored(write)


def merged(old: Any, patch: Any) -> Any:
    """A strategic merge as far as the simulated actions go: maps merge, null removes, all else replaces."""
    if not (isinstance(old, dict) and isinstance(patch, dict)):
        return patch
    found = dict(old)
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(old.get(name, {} if isinstance(value, dict) else None), value)
    return found


def _namespace_at(parts: list[str]) -> int:
    """Where the path says `namespaces/NAME/...`; -1 where the namespace itself is meant, or none."""
    place = parts.index("namespaces") if "namespaces" in parts else -1
    return place if place >= 0 and len(parts) > place + 2 else -1


def _request(key: Key, asked: Asked, body: Json) -> str:
    """The digest of the request as it arrived, by the design's definition."""
    kind = BY_RESOURCE[key[0]]
    return tokens.sha256(
        {
            "verb": {"PATCH": "patch", "DELETE": "delete", "POST": "create"}[asked.method],
            "group": kind.group,
            "version": kind.version,
            "resource": kind.resource,
            "subresource": "",
            "namespace": key[1],
            "name": key[2],
            "content_type": asked.headers.get("content-type", ""),
            "body": {name: value for name, value in body.items() if name != "dryRun"},
        }
    )


def _denied(why: str) -> Answered:
    return _said(403, {"message": f"admission webhook day2.dev denied the request: {why}", "code": 403})


def _said(status: int, body: Json) -> Answered:
    return Answered(status, msgspec.json.encode(body))


def _copied(item: Json) -> Json:
    found: Json = msgspec.json.decode(msgspec.json.encode(item))
    return found
