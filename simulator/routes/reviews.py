"""Questions about rights that nothing is stored for: who am I, may I, may they."""

from typing import Any

from simulator import errors
from simulator.authn import User, authenticated
from simulator.authz import Attributes
from simulator.routes.calls import Answer, Call, answer

Json = dict[str, Any]


def create(call: Call) -> Answer:
    """POST of any review kind."""
    body = call.json_body() if call.body.strip() else {}
    handler = _HANDLERS.get(call.resource.kind)
    if handler is None:
        raise errors.not_done(f"{call.verb} of {call.resource.plural} ({call.resource.api_version})")
    spec = body.get("spec") or {}
    shown: Json = {"kind": call.resource.kind, "apiVersion": call.resource.api_version, "metadata": body.get("metadata") or {}}
    if call.resource.group == "authorization.k8s.io" or call.resource.kind == "TokenReview":
        shown["spec"] = spec
    return answer({**shown, "status": handler(call, spec)}, 201)


def _who(call: Call, _spec: Json) -> Json:
    return {"userInfo": call.user.json()}


def _own_access(call: Call, spec: Json) -> Json:
    return _decision(call, call.user, spec)


def _access(call: Call, spec: Json) -> Json:
    if not spec.get("user") and not spec.get("groups"):
        cause = errors.Cause("FieldValueInvalid", 'Invalid value: "": at least one of user or group must be specified', "spec.user")
        raise errors.invalid("authorization.k8s.io", "", "", [cause])
    groups = tuple(spec.get("groups") or ())
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return _decision(call, User(spec.get("user", ""), groups, spec.get("uid", ""), extra), spec)


def _decision(call: Call, user: User, spec: Json) -> Json:
    asked, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (asked is None) == (path is None):
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise errors.invalid("authorization.k8s.io", "", "", [errors.Cause("FieldValueInvalid", f"Invalid value: null: {why}", "spec")])
    path = path or {}
    wanted = Attributes(path.get("verb", ""), path=path.get("path", "")) if asked is None else _attributes(asked)
    allowed, reason = call.cluster.authorizer.decide(user, wanted)
    return {"allowed": allowed, **({"reason": reason} if reason else {})}


def _attributes(asked: Json) -> Attributes:
    plural, _, below = asked.get("resource", "").partition("/")
    return Attributes(
        asked.get("verb", ""),
        asked.get("group", ""),
        plural,
        asked.get("subresource", "") or below,
        asked.get("namespace", ""),
        asked.get("name", ""),
    )


def _own_rules(call: Call, spec: Json) -> Json:
    resources: list[Json] = []
    paths: list[Json] = []
    for rule, _ in call.cluster.authorizer.rules(call.user, spec.get("namespace", "")):
        if rule.get("nonResourceURLs"):
            paths.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
        else:
            kept = {field: rule[field] for field in ("apiGroups", "resources", "resourceNames") if rule.get(field)}
            resources.append({"verbs": rule["verbs"], **kept})
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": False}


def _token(call: Call, spec: Json) -> Json:
    """Whose a token is."""
    found = call.cluster.holder(str(spec.get("token", "")))
    if found is None:
        return {"user": {}, "error": "invalid bearer token"}
    return {
        "authenticated": True,
        "user": authenticated(found).json(),
        "audiences": spec.get("audiences") or ["https://kubernetes.default.svc"],
    }


_HANDLERS = {
    "TokenReview": _token,
    "SelfSubjectReview": _who,
    "SelfSubjectAccessReview": _own_access,
    "SubjectAccessReview": _access,
    "LocalSubjectAccessReview": _access,
    "SelfSubjectRulesReview": _own_rules,
}
