"""Equal parts of stored objects kept once: pods of one template differ in little. Safe, because nothing stored is changed in place.

Called by the store at each write.
"""

from typing import Any

import msgspec

Json = dict[str, Any]
LARGEST = 20_000
"""Parts remembered; past it the table starts anew, and what is stored already stays shared."""
_WHOLE = ("tolerations", "affinity", "template")
_BY_PART = ("containers", "initContainers", "volumes")
_STATUS = ("conditions", "containerStatuses", "initContainerStatuses")
_encode = msgspec.json.Encoder().encode


class Shared:
    """The parts that are known, by their JSON."""

    def __init__(self) -> None:
        self._known: dict[bytes, Any] = {}

    def put(self, obj: Json) -> None:
        """Replace the large parts of `obj`, which belongs to the caller, by equal ones that are kept already."""
        meta = obj["metadata"]
        if entries := meta.get("managedFields"):
            meta["managedFields"] = [self._shared_fields(entry) for entry in entries]
        for field in ("labels", "ownerReferences"):
            if meta.get(field):
                meta[field] = self._one(meta[field])
        for section, whole, by_part in (("spec", _WHOLE, _BY_PART), ("status", (), _STATUS)):
            found = obj.get(section)
            if isinstance(found, dict):
                obj[section] = {field: self._field(field, value, whole, by_part) for field, value in found.items()}

    def _field(self, field: str, value: Any, whole: tuple[str, ...], by_part: tuple[str, ...]) -> Any:
        if field in whole:
            return self._one(value)
        if field in by_part and isinstance(value, list):
            return [self._parts(each) for each in value]
        return value

    def _parts(self, item: Any) -> Any:
        """An item of a list, its own parts shared: what names a pod's own token keeps the rest of it from being alike."""
        if not isinstance(item, dict):
            return item
        return {field: self._one(value) if isinstance(value, dict | list) else value for field, value in item.items()}

    def _shared_fields(self, entry: Json) -> Json:
        return {**entry, "fieldsV1": self._one(entry["fieldsV1"])} if entry.get("fieldsV1") else entry

    def _one(self, value: Any) -> Any:
        if len(self._known) >= LARGEST:
            self._known.clear()
        return self._known.setdefault(_encode(value), value)
