"""Who owns what, by uid: the index behind cascading deletion. Kept by the store."""

from typing import Any

Json = dict[str, Any]
Place = tuple[str, str]
"""(namespace, name); the namespace is "" for cluster-scoped objects."""
Address = tuple[tuple[str, str], Place]
"""(resource key, place)."""


class Dependents:
    """Addresses of objects by their own uid and by their owners' uids."""

    def __init__(self) -> None:
        self._owned: dict[str, set[Address]] = {}
        self._places: dict[str, Address] = {}

    def note(self, key: tuple[str, str], place: Place, before: Json | None, after: Json | None) -> None:
        """Follow one write: `before` and `after` are the object on both sides, None where it does not exist."""
        old, new = _owners(before), _owners(after)
        for uid in old - new:
            self._owned.get(uid, set()).discard((key, place))
        for uid in new - old:
            self._owned.setdefault(uid, set()).add((key, place))
        if after is None and before is not None:
            self._places.pop(before["metadata"]["uid"], None)
        elif after is not None and before is None:
            self._places[after["metadata"]["uid"]] = (key, place)

    def of(self, uid: str) -> list[Address]:
        """What names `uid` as an owner, in a stable order."""
        return sorted(self._owned.get(uid, ()))

    def lives(self, uid: str) -> bool:
        return uid in self._places

    def place_of(self, uid: str) -> Address | None:
        return self._places.get(uid)


def _owners(obj: Json | None) -> set[str]:
    return {each["uid"] for each in obj["metadata"].get("ownerReferences", ())} if obj else set()
