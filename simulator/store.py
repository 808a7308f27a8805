"""The objects of the simulated cluster, with versions, history and owners. The routes and all controllers write through it.

Stored objects are never changed in place: each write puts a new one in their place. What `list` and `peek` return may therefore be
kept and read for ever, but never written to; `get` returns a copy to change and hand to `update`.

Two conventions for controllers. `delete` with a grace period only marks a pod: the kubelet ends it by `delete(grace_seconds=0)`.
A namespace is marked Terminating by `delete` and goes when its last `spec.finalizers` entry is removed by `update(subresource="finalize")`.
"""

from bisect import bisect_left
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, Literal

from simulator import defaults, errors
from simulator.clock import VirtualClock, stamp
from simulator.dependents import Dependents, Place
from simulator.history import Change, History, Stored
from simulator.merging import copy, finished, grace_of, merged, moves_generation, same
from simulator.patching import managed_fields
from simulator.resources import RESOURCES, Resource
from simulator.schemas import shaping
from simulator.schemas.kinds import DEFINITIONS, Kinds
from simulator.sharing import Shared

Json = dict[str, Any]
Propagation = Literal["Background", "Foreground", "Orphan"]
__all__ = ["Change", "Check", "Propagation", "Store", "Stored", "copy", "grace_of"]

Check = Callable[[Json | None, Json], None]
Objects = list[Json]
Versions = list[Stored]
Changes = list[Change]

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_FOREGROUND, _ORPHAN = "foregroundDeletion", "orphan"
_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_FINALIZERS = {"Foreground": _FOREGROUND, "Orphan": _ORPHAN}
_BY_KEY = {row.key: row for row in reversed(RESOURCES) if not row.storage[1]}


class Store:
    """Everything the cluster holds. One writer at a time: call it from one thread."""

    def __init__(self, clock: VirtualClock, seed: int) -> None:
        self.clock = clock
        self.seed = seed
        self._version = 1
        self._issued = 0
        self._kept: dict[tuple[str, str], dict[Place, Stored]] = {}
        self._order: dict[tuple[str, str], list[Place]] = {}
        self._history = History()
        self._dependents = Dependents()
        self._shared = Shared()
        self._late: dict[tuple[str, str], Callable[[], None]] = {}
        self.kinds = Kinds()

    # -- reading -----------------------------------------------------------------------------------------------------------

    def version(self) -> int:
        """The resourceVersion of the last write."""
        return self._version

    def get(self, resource: Resource, namespace: str | None, name: str) -> Json | None:
        """A copy the caller may change."""
        found = self.stored(resource, namespace, name)
        return None if found is None else _copied(found.obj)

    def peek(self, resource: Resource, namespace: str | None, name: str) -> Json | None:
        """The stored object itself: read only."""
        found = self.stored(resource, namespace, name)
        return None if found is None else found.obj

    def stored(self, resource: Resource, namespace: str | None, name: str) -> Stored | None:
        """The stored version with its cached JSON."""
        self._catch_up(resource)
        return self._kept.get(resource.key, {}).get((namespace or "", name))

    def list(self, resource: Resource, namespace: str | None = None) -> Objects:
        """All objects (of a namespace), by namespace and name: read-only views."""
        return [each.obj for each in self.list_stored(resource, namespace)]

    def list_stored(self, resource: Resource, namespace: str | None = None) -> Versions:
        """As `list`, with the cached JSON of each."""
        self._catch_up(resource)
        kept = self._kept.get(resource.key)
        if not kept:
            return []
        order = self._order.get(resource.key)
        if order is None:
            order = self._order[resource.key] = sorted(kept)
        if not namespace:
            return [kept[place] for place in order]
        first, last = bisect_left(order, (namespace, "")), bisect_left(order, (namespace + "\0", ""))
        return [kept[place] for place in order[first:last]]

    def before_reading(self, resource: Resource, write: Callable[[], None]) -> None:
        """Call `write` once, before this resource is next read: for what is written often and looked at seldom."""
        self._late[resource.key] = write

    def _catch_up(self, resource: Resource) -> None:
        if self._late and (write := self._late.pop(resource.key, None)) is not None:
            write()

    @property
    def is_watched(self) -> bool:
        """Whether anybody is told of each write as it happens."""
        return self._history.is_watched

    def watch(self, resource: Resource, since: int) -> Changes:
        """The changes after version `since`, oldest first. Raises ApiError 410 when they are no longer remembered."""
        return self._history.after(resource.key, since)

    def floor(self, resource: Resource) -> int:
        """The version below which nothing is remembered: pages and watches from before it have expired."""
        return self._history.floor(resource.key)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each write; returns what ends it."""
        return self._history.subscribe(listener)

    def forget_changes(self) -> None:
        """Drop the remembered changes, as a compaction does: older watches and pages get 410."""
        self._history.forget(self._version)

    # -- writing -----------------------------------------------------------------------------------------------------------

    def create(
        self,
        resource: Resource,
        obj: Json,
        *,
        manager: str = "simulator",
        dry_run: bool = False,
        check: Check | None = None,
        admit: Callable[[Json], None] | None = None,
    ) -> Json:
        """Store a new object and return a copy. 409 AlreadyExists. `check(None, new)` may refuse what would be stored.

        `admit` may add to it, as nobody's, or refuse it.

        A uid, creationTimestamp, managedFields or status that the object brings is kept, so that a world can be given a past;
        the HTTP routes remove them first.
        """
        new = {"apiVersion": resource.api_version, "kind": resource.kind, **copy(obj)}
        issued = self._issued
        meta: Json = new.setdefault("metadata", {})
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + self._suffix()
        place = self._place(resource, meta)
        if "uid" not in meta:
            meta["uid"] = self._uid()
        meta.setdefault("creationTimestamp", stamp(self.clock.now()))
        meta.pop("resourceVersion", None)
        if resource.generations:
            meta.setdefault("generation", 1)
        self._fill(resource, new)
        if "managedFields" not in meta:
            moment = stamp(self.clock.now())
            meta["managedFields"] = managed_fields.record(
                None, new, self.kinds.node(resource), manager=manager, subresource="", moment=moment
            )
        if not meta["managedFields"]:
            del meta["managedFields"]
        defaults.admit(resource, new)
        if admit and place not in self._kept.get(resource.key, {}):
            admit(new)
        if check:
            check(None, new)
        if place in self._kept.get(resource.key, {}):
            raise errors.already_exists(resource.group, resource.plural, place[1])
        if dry_run:
            self._issued = issued
            return new
        return _copied(self._commit(resource, place, new, "ADDED"))

    def update(
        self,
        resource: Resource,
        obj: Json,
        *,
        subresource: str = "",
        manager: str = "simulator",
        owners: Objects | None = None,
        dry_run: bool = False,
        check: Check | None = None,
    ) -> Json:
        """Replace an object and return a copy. 404; 409 Conflict when its resourceVersion or uid is not the stored one.

        `check(old, new)` sees what would be stored, defaults included, and may refuse it by raising.

        A main update keeps the stored status; subresource "status" keeps the stored spec; "binding" writes both. A write that
        changes nothing keeps its version, as the API server does. `owners` are the managedFields of an apply, which knows them already.
        """
        meta: Json = obj.get("metadata", {})
        place = self._place(resource, meta)
        old = self._kept.get(resource.key, {}).get(place)
        if old is None:
            raise errors.not_found(resource.group, resource.plural, place[1])
        self._check_preconditions(resource, old, meta, dry_run=dry_run)
        new = merged(resource, old.obj, copy(obj), subresource)
        if subresource != "status" or resource.definition:
            self._fill(resource, new)
            defaults.admit(resource, new)
        if same(old.obj, new) and (owners is None or _untimed(owners) == _untimed(old.obj["metadata"].get("managedFields", []))):
            return _copied(old.obj)
        if moves_generation(resource, old.obj, new):
            new["metadata"]["generation"] = old.obj["metadata"].get("generation", 0) + 1
        if owners is None:
            node, moment = self.kinds.node(resource), stamp(self.clock.now())
            owners = managed_fields.record(old.obj, new, node, manager=manager, subresource=subresource, moment=moment)
        new["metadata"]["managedFields"] = owners
        if not owners:
            del new["metadata"]["managedFields"]
        if check:
            check(old.obj, new)
        if dry_run:
            return new
        if finished(resource, new):
            self._remove(resource, place, new)
            return _copied(new)
        return _copied(self._commit(resource, place, new, "MODIFIED"))

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        version: str | None = None,
        grace_seconds: int = 0,
        propagation: Propagation = "Background",
        dry_run: bool = False,
    ) -> Json | None:
        """Delete an object; returns its last state (marked, when grace or finalizers hold it), None when there was none.

        409 Conflict when `uid` or `version` is not the stored one. Dependents follow by `propagation`.
        """
        place = (namespace or "", name)
        old = self._kept.get(resource.key, {}).get(place)
        if old is None:
            return None
        self._check_delete(resource, old, uid, version)
        marked = self._marked(resource, old.obj, grace_seconds, propagation)
        if dry_run:
            return marked
        if finished(resource, marked):
            self._remove(resource, place, old.obj)
        elif not same(old.obj, marked):
            self._commit(resource, place, marked, "MODIFIED")
            self._propagate(place, marked)
        return _copied(marked)

    # -- inside ------------------------------------------------------------------------------------------------------------

    def _fill(self, resource: Resource, new: Json) -> None:
        """The defaults of a kind."""
        if resource.definition:
            shaping.fill_defaults(self.kinds.node(resource), new)
        defaults.fill(resource, new)

    def _row(self, key: tuple[str, str]) -> Resource:
        return self.kinds.by_key(key) or _BY_KEY[key]

    def _place(self, resource: Resource, meta: Json) -> Place:
        if not meta.get("name"):
            cause = errors.Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
            raise errors.invalid(resource.group, resource.kind, "", [cause])
        return (meta.get("namespace") or "" if resource.namespaced else "", meta["name"])

    def _digest(self) -> str:
        self._issued += 1
        return sha256(f"{self.seed}:{self._issued}".encode()).hexdigest()

    def _uid(self) -> str:
        digest = self._digest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"

    def secret(self, about: str) -> str:
        """A text that nobody guesses and that follows from the seed."""
        return sha256(f"{self.seed}:{about}:{self._digest()}".encode()).hexdigest()

    def _suffix(self) -> str:
        number = int(self._digest()[:16], 16)
        letters = []
        for _ in range(5):
            number, index = divmod(number, len(_SUFFIX))
            letters.append(_SUFFIX[index])
        return "".join(letters)

    def _commit(self, resource: Resource, place: Place, new: Json, kind: Literal["ADDED", "MODIFIED", "DELETED"]) -> Json:
        self._version += 1
        new["metadata"]["resourceVersion"] = str(self._version)
        kept = self._kept.setdefault(resource.key, {})
        previous = kept.get(place)
        self._shared.put(new)
        stored = Stored(new, self._version)
        if kind == "DELETED":
            kept.pop(place, None)
        else:
            kept[place] = stored
        if kind != "MODIFIED":
            self._order.pop(resource.key, None)
        if resource is DEFINITIONS:
            self.kinds.forget(place[1]) if kind == "DELETED" else self.kinds.learn(new)
        self._dependents.note(resource.key, place, previous.obj if previous else None, None if kind == "DELETED" else new)
        self._history.remember(resource.key, Change(self._version, kind, stored, previous))
        return new

    def _check_preconditions(self, resource: Resource, old: Stored, asked: Json, *, dry_run: bool) -> None:
        meta, uid, version = old.obj["metadata"], asked.get("uid"), asked.get("resourceVersion")
        if uid and uid != meta["uid"]:
            key = "/".join(("" if dry_run else "/registry", _STORED_AS.get(resource.plural, resource.plural), *_path(meta)))
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
            shown = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {why}"
            raise errors.conflict(resource.group, resource.plural, meta["name"], shown)
        if version and not version.isdecimal():
            raise errors.ApiError(500, "", f'strconv.ParseUint: parsing "{version[:80]}": invalid syntax')
        if version and version != meta["resourceVersion"]:
            raise errors.conflict(resource.group, resource.plural, meta["name"])

    def _check_delete(self, resource: Resource, old: Stored, uid: str | None, version: str | None) -> None:
        meta = old.obj["metadata"]
        asked = (
            ("UID", uid, meta["uid"], "deleted and then recreated"),
            ("ResourceVersion", version, meta["resourceVersion"], "modified"),
        )
        for label, wanted, live, what in asked:
            if wanted and wanted != live:
                why = f"the {label} in the precondition ({wanted}) does not match the {label} in record ({live})."
                raise errors.conflict(resource.group, resource.kind, meta["name"], f"{why} The object might have been {what}")

    def _marked(self, resource: Resource, old: Json, grace_seconds: int, propagation: Propagation) -> Json:
        """`old` with its deletion marks."""
        new: Json = {**old, "metadata": dict(old["metadata"])}
        meta = new["metadata"]
        if "deletionTimestamp" not in meta:
            meta["deletionTimestamp"] = stamp(self.clock.now() + timedelta(seconds=grace_seconds))
            if resource.plural not in ("namespaces", "customresourcedefinitions"):
                meta["deletionGracePeriodSeconds"] = grace_seconds
            if meta.get("generation") and resource is not DEFINITIONS:
                meta["generation"] += 1
            if propagation in _FINALIZERS:
                meta["finalizers"] = [*meta.get("finalizers", []), _FINALIZERS[propagation]]
            if resource is DEFINITIONS:
                meta["finalizers"] = [*meta.get("finalizers", []), _CLEANUP]
        elif grace_seconds < meta.get("deletionGracePeriodSeconds", 0):
            meta["deletionTimestamp"] = stamp(self.clock.now() + timedelta(seconds=grace_seconds))
            meta["deletionGracePeriodSeconds"] = grace_seconds
        if resource.plural == "namespaces":
            new["status"] = {**old.get("status", {}), "phase": "Terminating"}
        return new

    def _remove(self, resource: Resource, place: Place, last: Json) -> None:
        uid = last["metadata"]["uid"]
        self._commit(resource, place, {**last, "metadata": dict(last["metadata"])}, "DELETED")
        self._cascade(uid)
        for reference in last["metadata"].get("ownerReferences", []):
            self._release(reference["uid"], _FOREGROUND)

    def _cascade(self, uid: str) -> None:
        """Delete what the owner `uid` leaves behind; what has other owners only loses the reference."""
        for key, place in self._dependents.of(uid):
            row = self._row(key)
            obj = self._kept[key][place].obj
            owners = obj["metadata"].get("ownerReferences", [])
            others = [each for each in owners if each["uid"] != uid and self._dependents.lives(each["uid"])]
            if others:
                self._set_owners(row, place, others)
            else:
                self.delete(row, place[0], place[1], grace_seconds=grace_of(row, obj))

    def _propagate(self, place: Place, marked: Json) -> None:
        """What the garbage collector does for a marked owner: end or let go its dependents, then take its finalizer away."""
        held, uid = marked["metadata"].get("finalizers", []), marked["metadata"]["uid"]
        if _FOREGROUND in held:
            self._cascade(uid)
            self._release(uid, _FOREGROUND)
        if _ORPHAN in held:
            self._orphan(uid)
            self._release(uid, _ORPHAN)
        if _CLEANUP in held:
            for row in self.kinds.rows():
                if row.definition == place[1]:
                    for obj in self.list(row):
                        self.delete(row, obj["metadata"].get("namespace"), obj["metadata"]["name"])
            self._release(uid, _CLEANUP)

    def _orphan(self, uid: str) -> None:
        for key, place in self._dependents.of(uid):
            owners = self._kept[key][place].obj["metadata"]["ownerReferences"]
            self._set_owners(self._row(key), place, [each for each in owners if each["uid"] != uid])

    def _set_owners(self, row: Resource, place: Place, owners: Objects) -> None:
        obj = copy(self._kept[row.key][place].obj)
        obj["metadata"]["ownerReferences"] = owners
        if not owners:
            del obj["metadata"]["ownerReferences"]
        self._commit(row, place, obj, "MODIFIED")

    def _release(self, uid: str, finalizer: str) -> None:
        """Take a finalizer of the server from an owner; that of a foreground deletion once nothing depends on it that blocks."""
        found = self._dependents.place_of(uid)
        if found is None or (finalizer == _FOREGROUND and self._dependents.of(uid)):
            return
        key, place = found
        obj = self._kept[key][place].obj
        if finalizer not in obj["metadata"].get("finalizers", []):
            return
        new = copy(obj)
        new["metadata"]["finalizers"].remove(finalizer)
        row = self._row(key)
        if finished(row, new):
            self._remove(row, place, new)
        else:
            self._commit(row, place, new, "MODIFIED")


_STORED_AS = {"ingresses": "ingress", "services": "services/specs", "endpoints": "services/endpoints", "nodes": "minions"}
"""Where the API server keeps a kind, when not under its plural."""


def _path(meta: Json) -> list[str]:
    return [meta[field] for field in ("namespace", "name") if meta.get(field)]


def _untimed(entries: Objects) -> Objects:
    return [{field: value for field, value in entry.items() if field != "time"} for entry in entries]


def _copied(obj: Json) -> Json:
    fresh: Json = copy(obj)
    return fresh
