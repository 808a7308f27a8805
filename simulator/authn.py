"""Who asks: bearer tokens and the impersonation headers. Whether an impersonation is allowed is `authz`'s business."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from simulator import errors

Json = dict[str, Any]
AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_EXTRA = "impersonate-extra-"


@dataclass(frozen=True, slots=True)
class User:
    """A principal as the API server knows it. `extra` maps a key to its values."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def json(self) -> Json:
        """The UserInfo of reviews and of the audit list."""
        answer: Json = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            answer["uid"] = self.uid
        if self.extra:
            answer["extra"] = {key: list(values) for key, values in self.extra.items()}
        return answer


@dataclass(frozen=True, slots=True)
class Impersonation:
    """What the headers ask for. Without a `name` the rest is a refusal."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def user(self) -> User:
        """The user the request goes on as."""
        groups = self.groups
        if not groups and is_service_account(self.name):
            groups = service_account_groups(self.name)
        if AUTHENTICATED not in groups and self.name != "system:anonymous":
            groups = (*groups, AUTHENTICATED)
        return User(self.name, groups, self.uid, self.extra)


def authenticate(authorization: str, holder: Callable[[str], User | None]) -> User:
    """The user of a bearer token; `holder` knows whose a token is. Raises ApiError 401 for none or an unknown one."""
    scheme, _, token = authorization.partition(" ")
    found = holder(token.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        raise errors.unauthorized()
    return authenticated(found)


def authenticated(found: User) -> User:
    """With the groups that everybody who is known has."""
    groups = found.groups + (service_account_groups(found.name) if is_service_account(found.name) else ())
    return User(found.name, tuple(dict.fromkeys((*groups, AUTHENTICATED))), found.uid, found.extra)


def is_service_account(name: str) -> bool:
    return name.startswith(_SERVICE_ACCOUNT) and name.count(":") == 3


def service_account_groups(name: str) -> tuple[str, ...]:
    return ("system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}")


def impersonation(headers: Iterable[tuple[str, str]]) -> Impersonation | None:
    """The impersonation that the headers ask for, None when they ask for none. Header names are lower case.

    As the API server has it, an empty name or uid is none: alone it is ignored, and the request runs as its caller.
    """
    name = ""
    groups: list[str] = []
    uid = ""
    extra: dict[str, tuple[str, ...]] = {}
    for header, value in headers:
        if header == "impersonate-user":
            name = name or value
        elif header == "impersonate-group":
            groups.append(value)
        elif header == "impersonate-uid":
            uid = value
        elif header.startswith(_EXTRA):
            key = unquote(header.removeprefix(_EXTRA)).lower()
            extra[key] = (*extra.get(key, ()), value)
    if not name and not groups and not uid and not extra:
        return None
    return Impersonation(name, tuple(groups), uid, extra)
