"""What a URL of the Kubernetes API means: group, version, resource, namespace, name, subresource and verb."""

from dataclasses import dataclass

from simulator import errors

_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Target:
    """A resource path, read but not yet looked up."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    watched: bool = False


def parse(path: str) -> Target | None:
    """The target of a resource path, None for anything else (discovery, health, version)."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    watched = rest[0] == "watch" and len(rest) > 1
    if watched:
        rest = rest[1:]
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (group == "" and rest[2] in ("status", "finalize")):
        namespace, rest = rest[1], rest[2:]
    name, below = (rest[1] if len(rest) > 1 else ""), rest[2:]
    if len(below) > 1 and below[0] != "proxy":
        raise errors.no_such_path()
    return Target(group, version, rest[0], namespace, name, below[0] if below else "", watched)


def verb(method: str, target: Target, *, watch: bool) -> str:
    """The verb that RBAC knows. Raises ApiError 405 for a method without one."""
    if method not in _VERBS:
        raise errors.method_not_allowed()
    plain = _VERBS[method]
    if plain == "get" and not target.subresource:
        if target.watched or (watch and not target.name):
            return "watch"
        return "get" if target.name else "list"
    if plain == "delete" and not target.name:
        return "deletecollection"
    if (plain == "create") == bool(target.name) and not target.subresource:
        raise errors.method_not_allowed()
    return plain
