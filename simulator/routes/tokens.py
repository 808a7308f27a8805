"""POST serviceaccounts/token: a bearer token for an account, good until its time is over or its account is gone."""

from datetime import timedelta
from typing import Any

from simulator import errors
from simulator.authn import User
from simulator.clock import stamp
from simulator.errors import Cause
from simulator.resources import resource
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]
_AUDIENCE = "https://kubernetes.default.svc"
_HOUR, _SHORTEST = 3600, 600
_BOUND = {"Pod": resource("", "pods"), "Secret": resource("", "secrets"), "Node": resource("", "nodes")}


def create(call: Call) -> Answer:
    """201 with the token and when it ends. 404 for an absent account or an absent object to bind to, 422 for too short a time."""
    body = call.json_body() if call.body.strip() else {}
    spec: Json = dict(body.get("spec") or {})
    seconds = spec.setdefault("expirationSeconds", _HOUR)
    if not isinstance(seconds, int) or seconds < _SHORTEST:
        text = f"Invalid value: {seconds}: may not specify a duration less than 10 minutes"
        cause = Cause("FieldValueInvalid", text, "spec.expirationSeconds")
        if call.store.peek(call.resource, call.namespace, call.name) is not None:
            raise errors.invalid("authentication.k8s.io", "TokenRequest", "", [cause])
    account = call.required()
    _require_bound(call, spec.get("boundObjectRef"))
    spec = {"audiences": spec.get("audiences") or [_AUDIENCE], "boundObjectRef": None, **spec}
    moment = call.store.clock.now()
    expires = moment + timedelta(seconds=seconds)
    meta = {field: account["metadata"][field] for field in ("name", "namespace")}
    uid = account["metadata"]["uid"]
    token = call.store.secret(f"token of {uid}")
    if not call.dry_run:
        user = User(f"system:serviceaccount:{call.namespace}:{call.name}", (), uid)
        call.cluster.issued[token] = (user, expires)
    fields: Json = {"f:spec": {f"f:{field}": {} for field in sorted(body.get("spec") or {})}}
    entry: Json = {"manager": call.manager, "operation": "Update", "apiVersion": "authentication.k8s.io/v1", "time": stamp(moment)}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": fields, "subresource": "token"}
    shown: Json = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1"}
    shown["metadata"] = {**meta, "uid": uid, "creationTimestamp": stamp(moment), "managedFields": [entry] if body.get("spec") else []}
    return answer({**shown, "spec": spec, "status": {"token": token, "expirationTimestamp": stamp(expires)}}, 201)


def _require_bound(call: Call, reference: Json | None) -> None:
    if not reference:
        return
    row = _BOUND.get(str(reference.get("kind")))
    if row is None:
        raise errors.bad_request(f"cannot bind token for serviceaccount to object of type {reference.get('kind')}")
    namespace = call.namespace if row.namespaced else None
    if call.store.peek(row, namespace, str(reference.get("name"))) is None:
        raise errors.not_found(row.group, row.plural, str(reference.get("name")))
