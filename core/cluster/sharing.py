"""Pods of one page share what is equal in them: replicas are copies of each other, and ten thousand copies of one probe are 30 MiB.

The heavy fields are left as raw JSON by the decoder, and each distinct text is decoded once per page. The objects are frozen; their maps
are shared too, so nobody may write into them. Frozen data makes no cycles, so the garbage collector need not follow any of it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, field
from msgspec.structs import force_setattr

from core.cluster import objects

_NONE = Raw(b"")
"""An absent map. Other fields have their plain default: only for maps the decoder would make an empty one for every object."""


class _Meta(objects.Meta, frozen=True, gc=False):
    labels: Raw = _NONE  # type: ignore[assignment]
    annotations: Raw = _NONE  # type: ignore[assignment]
    owner_references: Raw = ()  # type: ignore[assignment]


class _Container(objects.Container, frozen=True, gc=False):
    image: Raw = ""  # type: ignore[assignment]
    resources: Raw = objects.ResourceRequirements()  # type: ignore[assignment]
    env: Raw = ()  # type: ignore[assignment]
    env_from: Raw = ()  # type: ignore[assignment]
    ports: Raw = ()  # type: ignore[assignment]
    security_context: Raw = None  # type: ignore[assignment]
    liveness_probe: Raw = None  # type: ignore[assignment]
    readiness_probe: Raw = None  # type: ignore[assignment]
    startup_probe: Raw = None  # type: ignore[assignment]
    lifecycle: Raw = None  # type: ignore[assignment]
    resize_policy: Raw = ()  # type: ignore[assignment]


class _Volume(objects.Volume, frozen=True, gc=False):
    projected: Raw = None  # type: ignore[assignment]
    config_map: Raw = None  # type: ignore[assignment]


class _PodSpec(objects.PodSpec, frozen=True, gc=False):
    containers: tuple[_Container, ...] = ()
    init_containers: tuple[_Container, ...] = ()
    volumes: tuple[_Volume, ...] = ()
    node_selector: Raw = _NONE  # type: ignore[assignment]
    tolerations: Raw = ()  # type: ignore[assignment]
    affinity: Raw = None  # type: ignore[assignment]
    dns_policy: Raw = ""  # type: ignore[assignment]
    dns_config: Raw = None  # type: ignore[assignment]
    security_context: Raw = None  # type: ignore[assignment]
    node_name: Raw = ""  # type: ignore[assignment]
    service_account_name: Raw = ""  # type: ignore[assignment]


class _Condition(objects.Condition, frozen=True, gc=False):
    type: Raw = ""  # type: ignore[assignment]


class _ContainerStatus(objects.ContainerStatus, frozen=True, gc=False):
    image: Raw = ""  # type: ignore[assignment]
    image_id: Raw = field(default="", name="imageID")  # type: ignore[assignment]
    state: Raw = objects.ContainerState()  # type: ignore[assignment]
    last_state: Raw = objects.ContainerState()  # type: ignore[assignment]
    resources: Raw = None  # type: ignore[assignment]


class _PodStatus(objects.PodStatus, frozen=True, gc=False):
    conditions: tuple[_Condition, ...] = ()
    container_statuses: tuple[_ContainerStatus, ...] = ()
    init_container_statuses: tuple[_ContainerStatus, ...] = ()


class SharedPod(objects.Pod, frozen=True, gc=False):
    """A pod as it comes from the decoder: not to be used before `Sharing.settle`."""

    metadata: _Meta = field(default_factory=_Meta)
    spec: _PodSpec = field(default_factory=_PodSpec)
    status: _PodStatus = field(default_factory=_PodStatus)


class _Field(NamedTuple):
    """A field that is shared: what it has been decoded to so far by its text, the decoder, and what stands there when it is absent."""

    name: str
    known: dict[bytes, Any]
    decode: Callable[[bytes], Any]
    absent: Any


def _fields(wire: type[msgspec.Struct], real: type[msgspec.Struct]) -> tuple[_Field, ...]:
    raw = {info.name for info in msgspec.structs.fields(wire) if info.type is Raw}
    empty = real()
    return tuple(
        _Field(info.name, {}, msgspec.json.Decoder(info.type).decode, getattr(empty, info.name))
        for info in msgspec.structs.fields(real)
        if info.name in raw
    )


_META = _fields(_Meta, objects.Meta)
_CONTAINER = _fields(_Container, objects.Container)
_VOLUME = _fields(_Volume, objects.Volume)
_SPEC = _fields(_PodSpec, objects.PodSpec)
_CONDITION = _fields(_Condition, objects.Condition)
_STATUS = _fields(_ContainerStatus, objects.ContainerStatus)


class Sharing:
    """What one page has decoded so far, by field and text."""

    def __init__(self) -> None:
        self._meta, self._spec, self._container, self._volume, self._condition, self._status = (
            tuple(each._replace(known={}) for each in fields) for fields in (_META, _SPEC, _CONTAINER, _VOLUME, _CONDITION, _STATUS)
        )

    def settle(self, pod: SharedPod) -> None:
        """Put the decoded values where the raw ones are. Raises msgspec's errors for text that is not of the field's type."""
        spec, status = pod.spec, pod.status
        _each(pod.metadata, self._meta)
        _each(spec, self._spec)
        for container in spec.containers:
            _each(container, self._container)
        for container in spec.init_containers:
            _each(container, self._container)
        for volume in spec.volumes:
            _each(volume, self._volume)
        for condition in status.conditions:
            _each(condition, self._condition)
        for reported in status.container_statuses:
            _each(reported, self._status)
        for reported in status.init_container_statuses:
            _each(reported, self._status)


def _each(item: msgspec.Struct, fields: tuple[_Field, ...]) -> None:
    """Plain loops and one look-up a field: some sixty are settled for each of ten thousand pods."""
    for name, known, decode, absent in fields:
        raw = getattr(item, name)
        if raw.__class__ is Raw:
            text = bytes(raw)
            try:
                value = known[text]
            except KeyError:
                value = known[text] = decode(text) if text else absent
            force_setattr(item, name, value)
