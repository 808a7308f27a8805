"""Requests and limits of containers: what a proposer saw, what it wants, and the patch between. Used by set_requests and resize_pod."""

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from core.actions.aiming import moved, possible, seen
from core.cluster import quantities
from core.domain.action import Change
from core.domain.errors import Conflict
from core.domain.values import Json, Value

_MOST_MILLI = 1_000_000
_MOST_MIB = 16 * 1024 * 1024


class Sizes(Value):
    """Of one container. None where nothing is set (as seen), or where it is left alone (as wanted)."""

    cpu_milli: int | None = Field(default=None, ge=0, le=_MOST_MILLI, description="CPU request in milli-cores")
    memory_mib: int | None = Field(default=None, ge=0, le=_MOST_MIB, description="memory request in MiB")
    cpu_limit_milli: int | None = Field(default=None, ge=0, le=_MOST_MILLI, description="CPU limit in milli-cores")
    memory_limit_mib: int | None = Field(default=None, ge=0, le=_MOST_MIB, description="memory limit in MiB")


class Sizing(Value):
    """New sizes for one container (or sidecar), by its name."""

    container: str = Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    from_sizes: Sizes = Field(description="what the proposer saw; only the fields that `to_sizes` moves are compared")
    to_sizes: Sizes

    @model_validator(mode="after")
    def _moves_something(self) -> Self:
        if all(getattr(self.to_sizes, field.name) in (None, getattr(self.from_sizes, field.name)) for field in FIELDS):
            raise ValueError(f"container {self.container}: nothing would change")
        if any(getattr(self.to_sizes, field.name) == 0 for field in FIELDS):
            raise ValueError(f"container {self.container}: 0 is no size")
        return self

    def moving(self) -> Iterator["Amount"]:
        return (field for field in FIELDS if getattr(self.to_sizes, field.name) is not None)


class Amount(NamedTuple):
    """Where one number of `Sizes` lives in a container's resources."""

    name: str
    section: str
    resource: str

    def amount(self, container: Json) -> int | None:
        """As an integer of our unit; None where it is not set. Raises Conflict for text that is no quantity."""
        raw = self.raw(container)
        try:
            return None if raw is None else _READ[self.resource](raw)
        except ValueError as error:
            raise Conflict(f"container {container.get('name')}: {error}") from error

    def raw(self, container: Json) -> Any:
        return ((container.get("resources") or {}).get(self.section) or {}).get(self.resource)


FIELDS = (
    Amount("cpu_milli", "requests", "cpu"),
    Amount("memory_mib", "requests", "memory"),
    Amount("cpu_limit_milli", "limits", "cpu"),
    Amount("memory_limit_mib", "limits", "memory"),
)
_READ = {"cpu": quantities.cpu_milli, "memory": quantities.memory_mib}
_WRITE = {"cpu": quantities.cpu_text, "memory": quantities.memory_text}


class Place(NamedTuple):
    """A container with the list it stands in."""

    section: str
    container: Json


def find(pod_spec: Json, name: str) -> Place:
    """A container or a sidecar (an init container that keeps running). Raises Conflict when there is none of the name."""
    for container in pod_spec.get("containers") or ():
        if container.get("name") == name:
            return Place("containers", container)
    for container in pod_spec.get("initContainers") or ():
        if container.get("name") == name and container.get("restartPolicy") == "Always":
            return Place("initContainers", container)
    raise Conflict(f"there is no container {name} any more")


def as_seen(pod_spec: Json, sizings: tuple[Sizing, ...]) -> None:
    """Raises Conflict unless every field that would move has the value that the proposer saw."""
    for sizing in sizings:
        container = find(pod_spec, sizing.container).container
        for field in sizing.moving():
            what = f"container {sizing.container}: {field.section}.{field.resource}"
            seen(what, getattr(sizing.from_sizes, field.name), field.amount(container))


def resized(pod_spec: Json, sizings: tuple[Sizing, ...]) -> Json:
    """The pod spec as it would be. The given one is not touched."""
    wanted = {sizing.container: sizing for sizing in sizings}
    sections = {}
    for section in ("containers", "initContainers"):
        if pod_spec.get(section):
            sections[section] = [_sized(item, wanted[item["name"]]) if item.get("name") in wanted else item for item in pod_spec[section]]
    return {**pod_spec, **sections}


def _sized(container: Json, sizing: Sizing) -> Json:
    resources = dict(container.get("resources") or {})
    for field in sizing.moving():
        resources[field.section] = {**(resources.get(field.section) or {}), field.resource: _text(field, sizing)}
    return {**container, "resources": resources}


def in_order(pod_spec: Json, sizings: tuple[Sizing, ...]) -> None:
    """Raises Refused when a request would stand above its limit."""
    after = resized(pod_spec, sizings)
    for sizing in sizings:
        container = find(after, sizing.container).container
        for request, limit in ((FIELDS[0], FIELDS[2]), (FIELDS[1], FIELDS[3])):
            wanted, most = request.amount(container), limit.amount(container)
            amounts = f"{request.resource} request {request.raw(container)} would be above its limit {limit.raw(container)}"
            possible(wanted is None or most is None or wanted <= most, f"container {sizing.container}: the {amounts}")


def patch(pod_spec: Json, sizings: tuple[Sizing, ...], *, back: bool = False) -> Json:
    """The strategic patch of a pod spec. `back` gives the patch that restores what stands there now, byte for byte; null removes."""
    body: dict[str, list[Json]] = {}
    for sizing in sizings:
        section, container = find(pod_spec, sizing.container)
        resources: dict[str, Json] = {}
        for field in sizing.moving():
            resources.setdefault(field.section, {})[field.resource] = field.raw(container) if back else _text(field, sizing)
        body.setdefault(section, []).append({"name": sizing.container, "resources": resources})
    return body


def changes(pod_spec: Json, sizings: tuple[Sizing, ...], prefix: str) -> tuple[Change, ...]:
    found: list[Change] = []
    for sizing in sizings:
        section, container = find(pod_spec, sizing.container)
        for field in sizing.moving():
            path = f"{prefix}.{section}[{sizing.container}].resources.{field.section}.{field.resource}"
            if field.amount(container) != getattr(sizing.to_sizes, field.name):
                found.append(Change(path=path, old=field.raw(container), new=_text(field, sizing)))
    return moved(*found)


def _text(field: Amount, sizing: Sizing) -> str:
    return _WRITE[field.resource](getattr(sizing.to_sizes, field.name))


def said(sizings: tuple[Sizing, ...]) -> str:
    """`api cpu 2 -> 600m, memory 2Gi -> 768Mi`, for sentences."""
    return "; ".join(f"{sizing.container} {', '.join(_steps(sizing))}" for sizing in sizings)


def _steps(sizing: Sizing) -> Iterator[str]:
    for field in sizing.moving():
        old = getattr(sizing.from_sizes, field.name)
        name = field.resource if field.section == "requests" else f"{field.resource} limit"
        yield f"{name} {'unset' if old is None else _WRITE[field.resource](old)} -> {_text(field, sizing)}"


def distinct(sizings: tuple[Sizing, ...]) -> None:
    """Raises ValueError when a container is named twice."""
    names = [sizing.container for sizing in sizings]
    if len(set(names)) != len(names):
        raise ValueError("a container is named twice")


def qos_class(pod_spec: Json) -> str:
    """Guaranteed, Burstable or BestEffort, as the API server derives it from CPU and memory of all containers.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    every = [*(pod_spec.get("containers") or ()), *(pod_spec.get("initContainers") or ())]
    pod_level = pod_spec.get("resources")
    subjects = [{"resources": pod_level}] if pod_level else every
    amounts = [[field.amount(subject) for field in FIELDS] for subject in subjects]
    if not any(amount for row in amounts for amount in row):
        return "BestEffort"
    return "Guaranteed" if all(all(row) and row[:2] == row[2:] for row in amounts) else "Burstable"
