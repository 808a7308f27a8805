"""The simulated API server as one ASGI application. `serving` runs it, tests mount it in process.

A request goes through: scripted failures, authentication, the path, impersonation, authorization, the handler, the audit list.
"""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator import authn, control, discovery, errors, openapi, tables
from simulator.alertmanager import Alertmanager
from simulator.authn import User
from simulator.authz import Attributes, Authorizer, bootstrap
from simulator.clock import VirtualClock, micro_stamp
from simulator.errors import ApiError
from simulator.routes import asking, paths, watching, writing
from simulator.routes.calls import Answer, Call, Cluster, Logs, Usage, answer
from simulator.routes.catalogue import handler
from simulator.schemas.kinds import Kinds
from simulator.store import Store

Json = dict[str, Any]
LARGEST_BODY = 3 * 1024 * 1024
_GZIP_FROM = 128 * 1024
_UNACCEPTABLE = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf"
_HEALTH = ("/healthz", "/livez", "/readyz")
_READ_METHODS = ("GET", "HEAD", "OPTIONS")


def build(store: Store, clock: VirtualClock, tokens: Mapping[str, User], usage: Usage, metrics_app: ASGIApp, logs: Logs) -> Starlette:
    """The application: the Kubernetes API, /prometheus (from `metrics_app`), /alertmanager and /simulator (time, failures, audit)."""
    bootstrap(store)
    api = ApiServer(Cluster(store, Authorizer(store), usage, logs, tokens), clock)
    return Starlette(
        routes=[
            Route("/simulator/clock", api.clock_route, methods=["GET", "POST"]),
            Route("/simulator/faults", api.faults_route, methods=["GET", "POST", "DELETE"]),
            Route("/simulator/audit", api.audit_route, methods=["GET"]),
            Mount("/prometheus", app=metrics_app),
            Mount("/alertmanager", app=Alertmanager(clock).app()),
            Mount("/", app=api),
        ]
    )


class _Asked:
    """A request on its way: what the audit list will say about it."""

    __slots__ = ("attributes", "constraint", "dry_run", "impersonated", "user")

    def __init__(self) -> None:
        self.user: User | None = None
        self.impersonated: User | None = None
        self.constraint = ""
        self.attributes: Attributes | None = None
        self.dry_run = False


class ApiServer:
    """The Kubernetes API over one cluster."""

    def __init__(self, cluster: Cluster, clock: VirtualClock) -> None:
        self._cluster = cluster
        self._clock = clock
        self._faults = control.Faults()
        self._audit = control.Audit()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        asked = _Asked()
        target = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
        fault = self._faults.take(request.method, target)
        if fault and fault.action == "delay":
            await asyncio.sleep(fault.seconds)
        if fault and fault.action == "drop":
            self._note(request, asked, 0)
            raise control.DroppedError("scripted loss of the connection")
        try:
            if fault and fault.action == "status":
                raise fault.refusal()
            response = self._respond(request, await _body(request), asked)
        except ApiError as refused:
            response = _refusal(refused)
        self._note(request, asked, response.status_code)
        if fault and fault.action == "after_apply_drop":
            raise control.DroppedError("scripted loss of the answer")
        await response(scope, receive, send)

    # -- the Kubernetes API ------------------------------------------------------------------------------------------------

    def _respond(self, request: Request, body: bytes, asked: _Asked) -> Response:
        path = request.url.path
        if path in _HEALTH or path.startswith(tuple(f"{each}/" for each in _HEALTH)):
            return Response("ok", media_type="text/plain")
        user = asked.user = authn.authenticate(request.headers.get("authorization", ""), self._cluster.holder)
        target = paths.parse(path)
        query = dict(request.query_params.multi_items())
        if target is None:
            asked.attributes = Attributes(request.method.lower(), path=path)
            self._permit(request, user, asked)
            if _nowhere(path, self._cluster.store.kinds):
                return _no_page()
            return _sent(request, _document(path, request.headers.get("accept", ""), self._cluster.store.kinds))
        verb = paths.verb(request.method, target, watch=query.get("watch", "").lower() in ("true", "1"))
        asked.attributes = _attributes(target, verb, query)
        asked.dry_run = "dryRun" in query
        user = self._permit(request, user, asked)
        kinds = self._cluster.store.kinds
        if not discovery.serves(target.group, target.version, kinds.rows()):
            if discovery.known(target.group, kinds.rows()):
                raise errors.no_such_path()
            return _no_page()
        try:
            row = kinds.find(target.group, target.plural, target.version)
        except KeyError:
            raise errors.no_such_path() from None
        if row.namespaced and not target.namespace and verb not in ("list", "watch", "deletecollection"):
            raise errors.no_such_path() if target.name else errors.method_not_allowed()
        if not row.namespaced and target.namespace:
            raise errors.no_such_path()
        call = Call(
            self._cluster,
            row,
            verb,
            user,
            target.namespace,
            target.name,
            target.subresource,
            query,
            body,
            request.headers.get("content-type", ""),
            request.headers.get("accept", ""),
            request.headers.get("user-agent", ""),
        )
        if verb in ("get", "list") and not target.subresource and not tables.acceptable(call.accept):
            raise errors.ApiError(406, "NotAcceptable", _UNACCEPTABLE)
        if verb == "watch" and "watch" in row.verbs:
            asking.require(call)
            return StreamingResponse(_watched(call), media_type="application/json")
        answered = _handled(call)
        if request.method == "DELETE":
            asked.dry_run = writing.dry(call)
        return _sent(request, answered)

    def _permit(self, request: Request, user: User, asked: _Asked) -> User:
        """The user the request goes on as, after impersonation and authorization."""
        wanted = asked.attributes
        assert wanted is not None  # noqa: S101  set by the only caller, a line earlier
        impersonation = authn.impersonation(request.headers.items())
        if impersonation is not None:
            user, asked.constraint = self._cluster.authorizer.impersonate(user, impersonation, wanted)
            asked.impersonated = user
        self._cluster.authorizer.require(user, wanted)
        return user

    def _note(self, request: Request, asked: _Asked, code: int) -> None:
        """One line of the audit list. `code` 0 is a request that got no answer."""
        wanted = asked.attributes or Attributes("", path=request.url.path)
        entry: Json = {
            "time": micro_stamp(self._clock.now()),
            "user": asked.user.name if asked.user else "",
            "verb": wanted.verb or request.method.lower(),
            "group": wanted.group,
            "resource": wanted.resource,
            "namespace": wanted.namespace,
            "name": wanted.name,
            "path": request.url.path,
            "dryRun": asked.dry_run,
            "code": code,
        }
        if asked.impersonated:
            entry["impersonatedUser"] = asked.impersonated.json()
            entry["impersonationConstraint"] = asked.constraint
        self._audit.note(entry)

    # -- steering ----------------------------------------------------------------------------------------------------------

    async def clock_route(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(control.time_of(self._clock))
        try:
            return JSONResponse(await control.advance(self._clock, await _told(request)))
        except ApiError as refused:
            return _refusal(refused)

    async def faults_route(self, request: Request) -> Response:
        try:
            if request.method == "DELETE":
                self._faults.clear()
            elif request.method == "POST":
                self._faults.add(await _told(request))
        except ApiError as refused:
            return _refusal(refused)
        return JSONResponse(self._faults.json())

    async def audit_route(self, request: Request) -> Response:
        """Query: `since` (an id) and `limit`."""
        since, limit = request.query_params.get("since", "0"), request.query_params.get("limit", "1000")
        if not since.isdecimal() or not limit.isdecimal():
            return _refusal(errors.bad_request("since and limit are whole numbers"))
        return JSONResponse({"items": self._audit.since(int(since), int(limit))})


def _no_page() -> Response:
    """What is no path of the API at all."""
    return Response("404 page not found\n", 404, media_type="text/plain")


def _nowhere(path: str, kinds: Kinds) -> bool:
    """True below no root of the API: another word, a group that is not served, or a custom group's version that is not."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["apis"] and len(parts) > 1:
        custom = any(row.group == parts[1] for row in kinds.rows())
        known = discovery.known(parts[1], kinds.rows())
        return not known or (custom and len(parts) > 2 and not discovery.serves(parts[1], parts[2], kinds.rows()))
    return parts[:1] not in ([], ["api"], ["apis"], ["openapi"], ["version"])


def _attributes(target: paths.Target, verb: str, query: Mapping[str, str]) -> Attributes:
    """What RBAC is asked. A namespace counts as being inside itself; a list of one name counts as that name."""
    namespace, name = target.namespace, target.name
    if target.plural == "namespaces" and not target.group:
        namespace = name
    if not name and (only := query.get("fieldSelector", "")).startswith("metadata.name="):
        name = only.removeprefix("metadata.name=") if "," not in only else ""
    return Attributes(verb, target.group, target.plural, target.subresource, namespace, name)


def _document(path: str, accept: str, kinds: Kinds) -> Answer:
    """Version, discovery and OpenAPI."""
    if path.rstrip("/") == "/version":
        return answer(discovery.VERSION)
    if path == "/openapi/v2":
        if "application/json" not in accept and "*/*" not in accept and accept:
            raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")
        return answer(openapi.whole())
    if path == "/openapi/v3":
        return answer(openapi.index(kinds))
    if path.startswith("/openapi/v3/"):
        return answer(openapi.group_version(path.removeprefix("/openapi/v3/"), kinds))
    if path == "/":
        return answer({"paths": ["/api", "/api/v1", "/apis", *_HEALTH, "/openapi/v2", "/openapi/v3", "/version"]})
    found = discovery.document(path, accept, kinds.rows())
    if found is None:
        raise errors.no_such_path()
    return answer(found)._replace(content_type=discovery.media_type(accept, path))


def _sent(request: Request, given: Answer) -> Response:
    headers = dict(given.headers)
    zipped = "gzip" in request.headers.get("accept-encoding", "")
    if given.parts and not zipped:
        return StreamingResponse(_each(given.parts), given.code, headers, media_type=given.content_type)
    body = b"".join(given.parts) or given.body
    if len(body) > _GZIP_FROM and zipped:
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers |= {"content-encoding": "gzip", "vary": "Accept-Encoding"}
    if request.url.path in ("/api", "/apis"):
        headers["content-type"] = discovery.media_type(request.headers.get("accept", ""), request.url.path)
    return Response(body, given.code, headers, media_type=given.content_type)


async def _each(parts: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def _refusal(refused: ApiError) -> Response:
    retry = refused.details.get("retryAfterSeconds")
    headers = {"retry-after": str(retry)} if retry is not None else None
    return Response(msgspec.json.encode(refused.status()), refused.code, headers, media_type="application/json")


def _handled(call: Call) -> Answer:
    """The answer of the call's handler. An object whose parts have shapes that no kind has is the writer's fault: 400, nothing stored."""
    act = handler(call.resource, call.subresource, call.verb)
    try:
        return act(call)
    except (AttributeError, TypeError, KeyError, IndexError, ValueError, RecursionError) as broken:
        if call.verb not in ("create", "update", "patch"):
            raise
        row = call.resource
        why = f"the simulator cannot read it ({type(broken).__name__}: {str(broken)[:200]})"
        raise errors.bad_request(f'{row.kind} in version "{row.version}" cannot be handled as a {row.kind}: {why}') from broken


async def _watched(call: Call) -> AsyncIterator[bytes]:
    """A watch whose refusal (a selector that cannot be read) arrives as an ERROR event, because the answer has begun."""
    try:
        async for line in watching.stream(call):
            yield line
    except ApiError as refused:
        yield json.dumps({"type": "ERROR", "object": refused.status()}).encode() + b"\n"


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {LARGEST_BODY}")
        parts.append(part)
    return b"".join(parts)


async def _told(request: Request) -> Json:
    """The JSON object of a steering request; 400 for anything else."""
    try:
        told = json.loads(await _body(request) or b"{}")
    except (ValueError, RecursionError) as broken:
        raise errors.bad_request("the body is not JSON") from broken
    if not isinstance(told, dict):
        raise errors.bad_request("the body is not an object")
    return told
