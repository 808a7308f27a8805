"""Which function answers which verb on which subresource: one table. What is advertised and not here answers 501 with its name."""

from collections.abc import Callable

from simulator import errors
from simulator.resources import METRICS, REVIEWS, Resource
from simulator.routes import evictions, pods, reading, reviews, scaling, tokens, usage, writing
from simulator.routes.calls import Answer, Call

Handler = Callable[[Call], Answer]

OBJECTS: dict[str, Handler] = {
    "get": reading.get,
    "list": reading.list_,
    "create": writing.create,
    "update": writing.replace,
    "patch": writing.patch,
    "delete": writing.delete,
    "deletecollection": writing.delete_collection,
}

SUBRESOURCES: dict[str, dict[str, Handler]] = {
    "status": {"get": reading.get, "update": writing.replace, "patch": writing.patch},
    "finalize": {"update": writing.replace},
    "scale": {"get": scaling.get, "update": scaling.replace, "patch": scaling.patch},
    "log": {"get": pods.log},
    "binding": {"create": pods.bind},
    "eviction": {"create": evictions.create},
    "resize": {"get": reading.get, "update": writing.replace, "patch": writing.patch},
    "ephemeralcontainers": {"get": reading.get, "update": writing.replace, "patch": writing.patch},
    "token": {"create": tokens.create},
    "approval": {"get": reading.get, "update": writing.replace, "patch": writing.patch},
}

ADVERTISED: dict[str, tuple[str, ...]] = {
    **{name: tuple(sorted(handlers)) for name, handlers in SUBRESOURCES.items()},
    "exec": ("create", "get"),
    "attach": ("create", "get"),
    "portforward": ("create", "get"),
    "proxy": ("create", "delete", "get", "patch", "update"),
}
"""Verbs of subresources in discovery, done or not."""

_REVIEWED: dict[str, Handler] = {"create": reviews.create}
_USED: dict[str, Handler] = {"get": usage.get, "list": usage.list_}


def handler(row: Resource, subresource: str, verb: str) -> Handler:
    """The function for one request. 404 for an unknown subresource, 405 for a verb it does not have, 501 for what is not done."""
    if not subresource:
        if verb not in row.verbs:
            raise errors.method_not_allowed()
        table = _REVIEWED if row in REVIEWS else _USED if row in METRICS else OBJECTS
        return table[verb]
    if subresource not in row.subresources:
        raise errors.no_such_path()
    if verb not in ADVERTISED[subresource]:
        raise errors.method_not_allowed()
    found = SUBRESOURCES.get(subresource, {}).get(verb)
    if found is None:
        raise errors.not_done(f"{verb} of {row.plural}/{subresource}")
    return found
