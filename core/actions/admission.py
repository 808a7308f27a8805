"""Admission documents, generated from the catalogue: the API server itself refuses what no permit opens. Plain manifests, as in `roles`.

Three locks, none of which others notice: `day2-guard` says what our principals may ask at all, `day2-permit` sends their writes to the
webhook, `day2-rbac` keeps our principals on our roles. `static` gives the same as files that the API server reads itself (KEP-5793), and a
fourth lock that keeps even a cluster-admin from taking the others away. Fields that the API server would fill in are written out, so that
what is installed can be compared with what is generated.
"""

import base64
from collections.abc import Mapping

from core.actions.catalogue import rights
from core.actions.roles import NAMESPACE, NOTIFIER, labelled
from core.cluster.kinds import REPORTER
from core.domain.api_request import Right
from core.domain.permit import EXTRA
from core.domain.values import Json

GUARD, BINDINGS, PERMIT, TAMPER = "day2-guard", "day2-rbac", "day2-permit", "day2-tamper"
STATIC = ".static.k8s.io"
"""How the API server wants names of files to end; nothing made through the API may end so."""
STOP = "day2.dev/stop"
BREAK_GLASS = "platform-break-glass"
"""The group that may change the guard under the static lock. Its name must not begin as ours do."""
PROTECTED = ("kube-system", "kube-public", "kube-node-lease", NAMESPACE)
LONGEST_PERMIT = 4096
TIMEOUT_SECONDS = 3
API_PATH, STATIC_PATH = "/verify", "/verify-static"
"""Each registration has a path, because it has a record of spent permits of its own: with both installed, each write asks twice."""
SERVICE: Json = {"service": {"namespace": NAMESPACE, "name": "day2-webhook", "path": API_PATH, "port": 443}}

_GROUP = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_OPERATIONS = {"patch": "UPDATE", "create": "CREATE", "delete": "DELETE"}
_ANY = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"], "scope": "*"}
_ALL_OBJECTS: Json = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}}
_ACCOUNTS = f"system:serviceaccount:{NAMESPACE}:"
_ACCOUNT_GROUP = f"system:serviceaccounts:{NAMESPACE}"
_NOT_BREAK_GLASS = f"!(has(request.userInfo.groups) && request.userInfo.groups.exists(g, g == '{BREAK_GLASS}'))"


def client(url: str, ca: bytes) -> Json:
    """The webhook's `clientConfig`: at the address HOST:PORT, or without one behind the Service of the chart. `ca` is PEM."""
    return {"caBundle": base64.b64encode(ca).decode(), **({"url": url.rstrip("/") + API_PATH} if url else SERVICE)}


def operations() -> tuple[str, ...]:
    """The allow-list, `group/resource[/sub]:OPERATION`, of what the kinds of the catalogue write."""
    return tuple(filter(None, (operation(right) for right in rights())))


def operation(right: Right) -> str:
    """What admission calls it; empty for a read, which admission never sees."""
    full = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
    return f"{right.group}/{full}:{_OPERATIONS[right.verb]}" if right.verb in _OPERATIONS else ""


def manifests(client: Json) -> tuple[Json, ...]:
    """For the API, in the order in which they are installed. `client` is the webhook's `clientConfig`."""
    return (*_policy(GUARD, _guard()), *_policy(BINDINGS, _bindings()), webhook(client))


def static(client: Json) -> Mapping[str, tuple[Json, ...]]:
    """File name to documents. `client` has a URL that each API server reaches: files know no services. Names end as the server wants it."""
    policies = {"guard": _policy(GUARD + STATIC, _guard()), "rbac": _policy(BINDINGS + STATIC, _bindings())}
    policies["tamper"] = _policy(TAMPER + STATIC, _tamper())
    files = {f"policies/{name}.yaml": documents for name, documents in policies.items()}
    own = client | {"url": client["url"].removesuffix(API_PATH) + STATIC_PATH}
    return {**files, "webhooks/permit.yaml": (webhook(own, PERMIT + STATIC),)}


def static_configuration(folder: str) -> Json:
    """What `--admission-control-config-file` names; `folder` is where the files lie on the API server's host."""
    version = "apiserver.config.k8s.io/v1"
    parts = (
        ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyConfiguration", "policies"),
        ("ValidatingAdmissionWebhook", "WebhookAdmissionConfiguration", "webhooks"),
    )
    plugins = [
        {"name": name, "configuration": {"apiVersion": version, "kind": kind, "staticManifestsDir": f"{folder}/{place}"}}
        for name, kind, place in parts
    ]
    return {"apiVersion": version, "kind": "AdmissionConfiguration", "plugins": plugins}


def webhook(client: Json, name: str = PERMIT) -> Json:
    """Every write of our users goes to the permit webhook, and fails where it does not answer; nobody else's does."""
    hook = {
        "name": "permit.day2.dev",
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "failurePolicy": "Fail",
        "matchConditions": [{"name": "day2-user", "expression": "request.userInfo.username.startsWith('day2:')"}],
        "rules": [_ANY],
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": TIMEOUT_SECONDS,
        **_ALL_OBJECTS,
    }
    return {**labelled(f"{_GROUP}/v1", "ValidatingWebhookConfiguration", name), "webhooks": [hook]}


def _policy(name: str, spec: Json) -> tuple[Json, Json]:
    binding = {"policyName": name, "validationActions": ["Deny", "Audit"]}
    return (
        {**labelled(f"{_GROUP}/v1", "ValidatingAdmissionPolicy", name), "spec": {"failurePolicy": "Fail", **spec}},
        {**labelled(f"{_GROUP}/v1", "ValidatingAdmissionPolicyBinding", name), "spec": binding},
    )


def _rule(expression: str, message: str) -> Json:
    """`message` is CEL where it is put together of parts."""
    key = "messageExpression" if message.startswith("'") else "message"
    return {"expression": expression, key: message, "reason": "Forbidden"}


def _guard() -> Json:
    """What our principals may ask of the API server; whether it was judged is the webhook's question."""
    return {
        "matchConstraints": {"resourceRules": [_ANY], **_ALL_OBJECTS},
        "matchConditions": [{"name": "day2-principal", "expression": _PRINCIPAL}],
        "variables": [{"name": name, "expression": expression} for name, expression in _VARIABLES.items()],
        "validations": [*_who(), *_what(), *_stops()],
        "auditAnnotations": [{"key": "dry-run", "valueExpression": "string(variables.dry)"}],
    }


_PRINCIPAL = (
    f"request.userInfo.username.startsWith('day2:') || request.userInfo.username.startsWith('{_ACCOUNTS}') || "
    f"(has(request.userInfo.groups) && request.userInfo.groups.exists(g, g.startsWith('day2:') || g == '{_ACCOUNT_GROUP}')) || "
    "(has(request.userInfo.extra) && request.userInfo.extra.exists(k, k.startsWith('day2.dev/')))"
)
_VARIABLES = {
    "agent": "request.userInfo.username.matches('^day2:agent:[a-z][a-z0-9-]{0,40}$')",
    "preview": "request.userInfo.username.matches('^day2:preview:[a-z][a-z0-9-]{0,40}$')",
    "virtual": "variables.agent || variables.preview",
    "notifier": f"request.userInfo.username == '{_ACCOUNTS}{NOTIFIER}'",
    "dry": "has(request.dryRun) && request.dryRun == true",
    "extra": "has(request.userInfo.extra) ? request.userInfo.extra : {}",
    "what": "request.resource.group + '/' + request.resource.resource + "
    "(has(request.subResource) && request.subResource != '' ? '/' + request.subResource : '') + ':' + request.operation",
}


def _who() -> list[Json]:
    """Only users without credentials write: agents with a permit, previews without keeping anything; and the notifier its events."""
    return [
        _rule(
            "variables.virtual || (variables.notifier && variables.what == 'events.k8s.io/events:CREATE')",
            "'day2: ' + request.userInfo.username + ' may not write (' + variables.what + '): only judged actions through the executor'",
        ),
        _rule(
            "!variables.virtual || !('authentication.kubernetes.io/credential-id' in variables.extra)",
            "day2: such users have no credentials; this request was authenticated directly",
        ),
        _rule(
            "!variables.virtual || (has(request.userInfo.groups) && request.userInfo.groups.all(g, g == 'system:authenticated'))",
            "day2: such users are in no group",
        ),
        _rule(
            f"!variables.agent || (variables.extra.all(k, k == '{EXTRA}') && '{EXTRA}' in variables.extra && "
            f"variables.extra['{EXTRA}'].size() == 1 && variables.extra['{EXTRA}'][0].size() <= {LONGEST_PERMIT} && "
            f"variables.extra['{EXTRA}'][0].matches('^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+$'))",
            "day2: no permit on this write",
        ),
        _rule(
            "!variables.preview || (variables.dry && request.operation != 'CONNECT' && variables.extra.size() == 0)",
            "day2: preview users may only dry-run, and carry no extra",
        ),
        _rule(
            f"!variables.notifier || (has(object.reportingController) && object.reportingController == '{REPORTER}' && "
            "!has(object.metadata.finalizers) && !has(object.metadata.ownerReferences))",
            "day2: the notifier reports under its own name only, without finalizers or owners",
        ),
    ]


def _what() -> list[Json]:
    """The catalogue's operations, on named objects, outside the namespaces that the cluster and we ourselves live in."""
    listed = ", ".join(f"'{operation}'" for operation in operations())
    protected = ", ".join(f"'{name}'" for name in PROTECTED)
    return [
        _rule(f"!variables.virtual || variables.what in [{listed}]", "'day2: ' + variables.what + ' is not in the allow-list'"),
        # for a namespace itself, request.namespace is its own name
        _rule(f"!has(request.namespace) || !(request.namespace in [{protected}])", "day2: protected namespace"),
        _rule(
            "!variables.virtual || request.operation != 'DELETE' || (has(request.name) && request.name != '')",
            "day2: a collection is never deleted",
        ),
    ]


def _stops() -> list[Json]:
    """The annotation on the object's namespace, or on the namespace that is written. `forward` leaves the decision to the webhook, which
    can tell an undo. Other cluster-wide objects have no namespace: there the ledger's row, read by the webhook, is the only stop."""
    said = f"day2: stopped by the annotation {STOP} on this namespace"
    return [
        _rule(f"!variables.agent || namespaceObject == null || {_going('namespaceObject')}", said),
        _rule(f"!variables.agent || request.resource.resource != 'namespaces' || oldObject == null || {_going('oldObject')}", said),
        _rule(
            f"request.resource.resource != 'namespaces' || !variables.virtual || {_value('object')} == {_value('oldObject')}",
            f"day2: only a person changes {STOP}",
        ),
    ]


def _going(item: str) -> str:
    return f"{_value(item)} in ['', 'forward']"


def _value(item: str) -> str:
    return (
        f"({item} != null && has({item}.metadata.annotations) && '{STOP}' in {item}.metadata.annotations "
        f"? {item}.metadata.annotations['{STOP}'] : '')"
    )


def _bindings() -> Json:
    """Bindings that name one of our principals lead to our roles. Bindings that name none of them are never looked at."""
    named = (
        f"(s.kind == 'User' && (s.name.startsWith('day2:') || s.name.startsWith('{_ACCOUNTS}'))) || "
        f"(s.kind == 'ServiceAccount' && has(s.namespace) && s.namespace == '{NAMESPACE}') || "
        f"(s.kind == 'Group' && (s.name.startsWith('day2:') || s.name == '{_ACCOUNT_GROUP}'))"
    )
    resources = ["rolebindings", "clusterrolebindings"]
    rule = {"apiGroups": [_RBAC], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": resources, "scope": "*"}
    return {
        "matchConstraints": {"resourceRules": [rule], **_ALL_OBJECTS},
        "matchConditions": [
            {"name": "names-us", "expression": f"has(object.subjects) && object.subjects.exists(s, {named})"},
            {"name": "not-break-glass", "expression": _NOT_BREAK_GLASS},
        ],
        "validations": [_rule("object.roleRef.name.startsWith('day2-')", "day2: its principals may only be bound to day2-* roles")],
    }


def _tamper() -> Json:
    """Only as a file. By the object's own name: a request to delete a collection names none."""
    rules = [
        {"apiGroups": [group], "apiVersions": ["*"], "operations": ["UPDATE", "DELETE"], "resources": ["*"], "scope": "*"}
        for group in (_GROUP, _RBAC)
    ]
    return {
        "matchConstraints": {"resourceRules": rules, **_ALL_OBJECTS},
        "matchConditions": [
            {"name": "our-object", "expression": "oldObject != null && oldObject.metadata.name.startsWith('day2-')"},
            {"name": "not-break-glass", "expression": _NOT_BREAK_GLASS},
        ],
        # what lives in a namespace goes with it
        "validations": [
            _rule(
                "namespaceObject != null && has(namespaceObject.metadata.deletionTimestamp)",
                f"day2: the guard changes only through the group {BREAK_GLASS}",
            )
        ],
    }
