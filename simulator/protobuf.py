"""Bodies that kubectl sends as Kubernetes protobuf: the small kinds of `kubectl create` and `kubectl auth`. Called by `routes.calls`.

Only what is in `MESSAGES` is read; any other kind is answered 415. Answers are always JSON, which every client accepts.
Format: four bytes `k8s\\0`, then runtime.Unknown; field numbers from the generated.proto files of k8s.io/api.
"""

import base64
from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]
MAGIC = b"k8s\x00"


class Field(NamedTuple):
    """A field of a message: its JSON name and what it holds.

    `kind` is text, bytes, number, flag, texts (map), blobs (map of bytes), amounts (map of quantities), or a message of `MESSAGES`.
    """

    name: str
    kind: str = "text"
    many: bool = False


def _fields(text: str) -> dict[int, Field]:
    """Rows `number name[:kind]`, a kind in brackets repeats."""
    made: dict[int, Field] = {}
    for row in text.split(","):
        number, name = row.split()
        name, _, kind = name.partition(":")
        many = kind.startswith("[")
        made[int(number)] = Field(name, kind.strip("[]") or "text", many)
    return made


MESSAGES: dict[str, dict[int, Field]] = {
    "ObjectMeta": _fields(
        "1 name,2 generateName,3 namespace,5 uid,6 resourceVersion,11 labels:texts,12 annotations:texts,14 finalizers:[text]"
    ),
    "Namespace": _fields("1 metadata:ObjectMeta"),
    "ConfigMap": _fields("1 metadata:ObjectMeta,2 data:texts,3 binaryData:blobs,4 immutable:flag"),
    "Secret": _fields("1 metadata:ObjectMeta,2 data:blobs,3 type,4 stringData:texts,5 immutable:flag"),
    "ServiceAccount": _fields("1 metadata:ObjectMeta,4 automountServiceAccountToken:flag"),
    "ResourceQuota": _fields("1 metadata:ObjectMeta,2 spec:ResourceQuotaSpec"),
    "ResourceQuotaSpec": _fields("1 hard:amounts,2 scopes:[text]"),
    "Role": _fields("1 metadata:ObjectMeta,2 rules:[PolicyRule]"),
    "ClusterRole": _fields("1 metadata:ObjectMeta,2 rules:[PolicyRule]"),
    "PolicyRule": _fields("1 verbs:[text],2 apiGroups:[text],3 resources:[text],4 resourceNames:[text],5 nonResourceURLs:[text]"),
    "RoleBinding": _fields("1 metadata:ObjectMeta,2 subjects:[Subject],3 roleRef:RoleRef"),
    "ClusterRoleBinding": _fields("1 metadata:ObjectMeta,2 subjects:[Subject],3 roleRef:RoleRef"),
    "Subject": _fields("1 kind,2 apiGroup,3 name,4 namespace"),
    "RoleRef": _fields("1 apiGroup,2 kind,3 name"),
    "Eviction": _fields("1 metadata:ObjectMeta,2 deleteOptions:DeleteOptions"),
    "DeleteOptions": _fields(
        "1 gracePeriodSeconds:number,2 preconditions:Preconditions,3 orphanDependents:flag,4 propagationPolicy,5 dryRun:[text]"
    ),
    "Preconditions": _fields("1 uid,2 resourceVersion"),
    "SelfSubjectReview": _fields("1 metadata:ObjectMeta"),
    "SelfSubjectRulesReview": _fields("1 metadata:ObjectMeta,2 spec:RulesSpec"),
    "RulesSpec": _fields("1 namespace"),
    "SelfSubjectAccessReview": _fields("1 metadata:ObjectMeta,2 spec:AccessSpec"),
    "SubjectAccessReview": _fields("1 metadata:ObjectMeta,2 spec:AccessSpec"),
    "LocalSubjectAccessReview": _fields("1 metadata:ObjectMeta,2 spec:AccessSpec"),
    "AccessSpec": _fields("1 resourceAttributes:ResourceAttributes,2 nonResourceAttributes:PathAttributes,3 user,4 groups:[text],6 uid"),
    "ResourceAttributes": _fields("1 namespace,2 verb,3 group,4 version,5 resource,6 subresource,7 name"),
    "PathAttributes": _fields("1 path,2 verb"),
}
"""Messages by name; the ones that are kinds are read at the top of a body."""


def decode(body: bytes) -> Json:
    """The object in a body. Raises KeyError for a kind that is not read here, ValueError for a body that is broken."""
    if not body.startswith(MAGIC):
        raise ValueError("the body does not begin with the mark of Kubernetes protobuf")
    unknown = dict(_wire(body[len(MAGIC) :]))
    marks = {number: value.decode() for number, value in _wire(_blob(unknown.get(1, b""))) if isinstance(value, bytes)}
    version, kind = marks.get(1, ""), marks.get(2, "")
    return {"apiVersion": version, "kind": kind, **_message(_blob(unknown.get(2, b"")), MESSAGES[kind])}


def _message(body: bytes, fields: dict[int, Field]) -> Json:
    """Unknown fields are left out: they are the server's (status, timestamps)."""
    made: Json = {}
    for number, value in _wire(body):
        field = fields.get(number)
        if field is None:
            continue
        if field.kind in ("texts", "blobs", "amounts"):
            made.setdefault(field.name, {}).update(_entry(_blob(value), field.kind))
        elif field.many:
            made.setdefault(field.name, []).append(_value(value, field.kind))
        else:
            made[field.name] = _value(value, field.kind)
    return {name: value for name, value in made.items() if value != ""}


def _value(value: int | bytes, kind: str) -> Any:
    if isinstance(value, int):
        return bool(value) if kind == "flag" else value
    return value.decode() if kind == "text" else _message(value, MESSAGES[kind])


def _entry(body: bytes, kind: str) -> Json:
    """One entry of a map: key 1, value 2."""
    parts = dict(_wire(body))
    key, value = _blob(parts.get(1, b"")).decode(), _blob(parts.get(2, b""))
    if kind == "blobs":
        return {key: base64.b64encode(value).decode()}
    if kind == "amounts":
        return {key: _blob(dict(_wire(value)).get(1, b"")).decode()}
    return {key: value.decode()}


def _blob(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")  # noqa: TRY004  the body is wrong, not the program
    return value


def _wire(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and raw values: varints as int, length-delimited ones as bytes."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        if tag & 7 == 0:
            value, at = _varint(body, at)
            yield tag >> 3, value
            continue
        if tag & 7 != 2:
            raise ValueError(f"wire type {tag & 7} is not used by Kubernetes")
        size, at = _varint(body, at)
        if at + size > len(body):
            raise ValueError("the body ends in the middle of a field")
        yield tag >> 3, body[at : at + size]
        at += size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            raise ValueError("the body ends in the middle of a number")
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
    raise ValueError("a number is too long")
