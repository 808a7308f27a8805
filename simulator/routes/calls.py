"""One request as the handlers see it, and one answer. Made by `app`, taken and given by every file beside this one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from simulator import errors, protobuf
from simulator.authn import User
from simulator.authz import Authorizer
from simulator.resources import Resource, resource
from simulator.store import Store

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_ACCOUNTS = resource("", "serviceaccounts")
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON_TYPES = ("application/json", "text/json", "")


class Usage(Protocol):
    """The numbers behind metrics.k8s.io. Answers are items of a NodeMetricsList or PodMetricsList."""

    def pods(self, namespace: str | None) -> list[Json]: ...
    def nodes(self) -> list[Json]: ...


class Logs(Protocol):
    """The text of a container's log; `tail` is a number of lines from the end, None for all. Raises KeyError for an unknown container."""

    def __call__(self, namespace: str, pod: str, container: str, previous: bool, tail: int | None) -> str: ...


@dataclass(frozen=True, slots=True)
class Cluster:
    """What handlers work with."""

    store: Store
    authorizer: Authorizer
    usage: Usage
    logs: Logs
    tokens: Mapping[str, User] = field(default_factory=dict)
    issued: dict[str, tuple[User, datetime]] = field(default_factory=dict)
    """Tokens of service accounts: whose, and until when."""

    def holder(self, token: str) -> User | None:
        """Whose a bearer token is; None for one that is unknown, over, or of an account that is gone."""
        if token in self.tokens:
            return self.tokens[token]
        user, expires = self.issued.get(token, (None, None))
        if user is None or expires is None or expires <= self.store.clock.now():
            return None
        _, _, namespace, name = user.name.split(":")
        account = self.store.peek(_ACCOUNTS, namespace, name)
        return user if account is not None and account["metadata"]["uid"] == user.uid else None


@dataclass(frozen=True, slots=True)
class Call:
    """One permitted request. `namespace` and `name` are "" where the path has none; `query` holds the last value of each parameter."""

    cluster: Cluster
    resource: Resource
    verb: str
    user: User
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""
    accept: str = ""
    user_agent: str = ""

    @property
    def store(self) -> Store:
        return self.cluster.store

    @property
    def manager(self) -> str:
        """The field manager: as named, else the program part of the user agent."""
        return self.query.get("fieldManager") or self.user_agent.partition("/")[0] or "unknown"

    @property
    def dry_run(self) -> bool:
        """Raises ApiError 422 for anything but `All`."""
        asked = self.query.get("dryRun")
        if asked is None:
            return False
        kinds = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
        return require_dry_run([asked], kinds.get(self.verb, "DeleteOptions"))

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in ("true", "1")

    def number(self, name: str) -> int | None:
        """A whole number out of the query; 400 for anything else."""
        text = self.query.get(name)
        if text is None or not text:
            return None
        if not text.lstrip("-").isdecimal():
            raise errors.bad_request(f'strconv.ParseInt: parsing "{text[:40]}": invalid syntax')
        return int(text)

    def json_body(self) -> Json:
        """The body as an object: JSON, or YAML where the content type says so. 400 and 415 as the API server answers."""
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind == "application/yaml" or kind.endswith("+yaml"):
            return _object(_yaml(self.body))
        if kind == PROTOBUF:
            return _unpacked(self.body)
        if kind not in JSON_TYPES and not kind.endswith("+json"):
            raise errors.unsupported_media(kind[:80], ["application/json", "application/yaml"])
        value = parse_json(self.body, self.resource.kind)
        if isinstance(value, list):
            why = "couldn't get version/kind; json parse error: json: cannot unmarshal array into Go value"
            raise errors.bad_request(f"the object provided is unrecognized (must be of type {self.resource.kind}): {why}")
        return _object(value)

    def required(self) -> Json:
        """A copy of the stored object that the path names. 404 when it is not there."""
        found = self.store.get(self.resource, self.namespace, self.name)
        if found is None:
            raise errors.not_found(self.resource.group, self.resource.plural, self.name)
        return found


class Answer(NamedTuple):
    """What is sent back."""

    code: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    parts: tuple[bytes, ...] = ()
    """A long body in pieces, instead of `body`: joined it would lie in memory twice."""


def answer(value: Any, code: int = 200) -> Answer:
    return Answer(code, _encode(value))


def require_dry_run(asked: list[Any], options: str = "DeleteOptions") -> bool:
    """True for ["All"], False for []. 422 for anything else; `options` is the kind that carried it."""
    if not asked:
        return False
    if asked != ["All"]:
        text = f'Unsupported value: {json.dumps(asked)[:80]}: supported values: "All"'
        raise errors.invalid("meta.k8s.io", options, "", [errors.Cause("FieldValueNotSupported", text, "dryRun")])
    return True


def parse_json(body: bytes, kind: str = "") -> Any:
    """The JSON value of a body; 400 when it is none. `kind` is what it should have been."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        wanted = f"the object provided is unrecognized (must be of type {kind}): " if kind else ""
        raise errors.bad_request(f"{wanted}couldn't get version/kind; json parse error: {broken}") from broken


def _unpacked(body: bytes) -> Json:
    try:
        return protobuf.decode(body)
    except KeyError:
        raise errors.unsupported_media(PROTOBUF, ["application/json", "application/yaml"]) from None
    except ValueError as broken:
        raise errors.bad_request(f"the body cannot be decoded: {broken}") from broken


def _yaml(body: bytes) -> Any:
    import yaml  # kept off the path of every other request

    try:
        value = yaml.safe_load(body)
    except yaml.YAMLError as broken:
        raise errors.bad_request(f"error decoding YAML: {str(broken)[:200]}") from broken
    return json.loads(json.dumps(value, default=str))


def _object(value: Any) -> Json:
    if not isinstance(value, dict):
        raise errors.bad_request("the body is not an object")
    return value
