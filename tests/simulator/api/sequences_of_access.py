"""Who may do what, as the real API server and the simulator must answer it: RBAC and both kinds of impersonation."""

from typing import Any

from tests.simulator.api.sequences import deployment
from tests.simulator.api.steps import CLUSTER_RBAC, CORE, DEPLOYMENTS, JSON, MERGE, RBAC, WEB, Step

_AGENT = ("Impersonate-User", "day2:agent:finops")
_PERMIT = ("Impersonate-Extra-day2.dev%2Fpermit", "a.b.c")
_BOTH = (_AGENT, _PERMIT)
_LABEL = {"metadata": {"labels": {"x": "y"}}}


def _bound(kind: str, name: str, user: str) -> dict[str, Any]:
    reference = {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    subject = {"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}
    return {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}


def _rules(name: str, *rules: tuple[str, str, str, str]) -> dict[str, Any]:
    """A role of rules (group, resource, verb, name or "")."""
    listed = [{"apiGroups": [group], "resources": [plural], "verbs": [verb]} for group, plural, verb, _ in rules]
    named = [rule[3] for rule in rules]
    return {
        "metadata": {"name": name},
        "rules": [{**rule, **({"resourceNames": [one]} if one else {})} for rule, one in zip(listed, named, strict=True)],
    }


def _as(name: str, method: str, path: str, body: Any = None, *, headers: tuple[tuple[str, str], ...] = _BOTH, whole: bool = False) -> Step:
    return Step(name, method, path, body, MERGE if method == "PATCH" else JSON, whole, "executor", headers)


_IDENTITY = ("authentication.k8s.io", "users", "impersonate:user-info", "day2:agent:finops")
_EXTRA = ("authentication.k8s.io", "userextras/day2.dev/permit", "impersonate:user-info", "")
_ON = ("apps", "deployments", "impersonate-on:user-info:patch", "")
_DRY = WEB + "?dryRun=All"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"

ACCESS: tuple[Step, ...] = (
    Step("access: deployment", "POST", DEPLOYMENTS, deployment()),
    _as("access: list in the cluster", "GET", "/api/v1/pods", headers=()),
    _as("access: list in a namespace", "GET", CORE + "/pods", headers=()),
    _as("access: get a subresource", "GET", WEB + "/scale", headers=()),
    _as("access: get a namespace", "GET", CORE, headers=()),
    _as("access: watch", "GET", CORE + "/pods?watch=1", headers=()),
    _as("access: delete a collection", "DELETE", CORE + "/pods", headers=()),
    _as("access: an absent resource", "GET", "/apis/apps/v1/namespaces/{ns}/gadgets", headers=()),
    _as("access: a path", "GET", "/metrics", headers=()),
    _as("access: discovery is open", "GET", "/apis", headers=()),
    _as("access: without any right to impersonate", "PATCH", _DRY, _LABEL),
    Step("access: identity role", "POST", CLUSTER_RBAC + "/clusterroles", _rules("{web}-identity", _IDENTITY, _EXTRA)),
    Step(
        "access: identity binding", "POST", CLUSTER_RBAC + "/clusterrolebindings", _bound("ClusterRole", "{web}-identity", "day2:executor")
    ),
    Step("access: agent role", "POST", RBAC + "/roles", _rules("agent", ("apps", "deployments", "patch", ""))),
    Step("access: agent binding", "POST", RBAC + "/rolebindings", _bound("Role", "agent", "day2:agent:finops")),
    Step("access: settled", "GET", WEB),
    _as("access: identity without a verb", "PATCH", _DRY, _LABEL),
    Step("access: verb role", "POST", RBAC + "/roles", _rules("on", _ON)),
    Step("access: verb binding", "POST", RBAC + "/rolebindings", _bound("Role", "on", "day2:executor")),
    Step("access: settled again", "GET", WEB),
    _as("access: identity and verb", "PATCH", _DRY, _LABEL),
    _as("access: another verb", "GET", WEB),
    _as("access: another subresource", "PATCH", WEB + "/scale", {"spec": {"replicas": 1}}),
    _as("access: another user", "PATCH", _DRY, _LABEL, headers=(("Impersonate-User", "day2:agent:zzz"), _PERMIT)),
    _as("access: masters", "PATCH", _DRY, _LABEL, headers=(*_BOTH, ("Impersonate-Group", "system:masters"))),
    _as("access: a group", "PATCH", _DRY, _LABEL, headers=(*_BOTH, ("Impersonate-Group", "others"))),
    _as("access: a uid", "PATCH", _DRY, _LABEL, headers=(*_BOTH, ("Impersonate-Uid", "1"))),
    _as("access: an extra without a slash", "PATCH", _DRY, _LABEL, headers=(_AGENT, ("Impersonate-Extra-permit", "a"))),
    _as(
        "access: a foreign extra",
        "PATCH",
        _DRY,
        _LABEL,
        headers=(*_BOTH, ("Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id", "x")),
    ),
    _as("access: an empty extra", "PATCH", _DRY, _LABEL, headers=(_AGENT, ("Impersonate-Extra-day2.dev%2Fpermit", ""))),
    _as("access: no extra", "PATCH", _DRY, _LABEL, headers=(_AGENT,)),
    _as("access: a service account", "PATCH", _DRY, _LABEL, headers=(("Impersonate-User", "system:serviceaccount:{ns}:default"),)),
    _as("access: a node", "PATCH", _DRY, _LABEL, headers=(("Impersonate-User", "system:node:n1"),)),
    _as("access: only a group", "PATCH", _DRY, _LABEL, headers=(("Impersonate-Group", "others"),)),
    _as("access: only an extra", "PATCH", _DRY, _LABEL, headers=(_PERMIT,)),
    Step("access: who am I as another", "POST", _WHO, {}, JSON, whole=True, headers=(*_BOTH, ("Impersonate-Group", "people"))),
    Step(
        "access: who is a service account",
        "POST",
        _WHO,
        {},
        JSON,
        whole=True,
        headers=(("Impersonate-User", "system:serviceaccount:{ns}:default"),),
    ),
    Step("access: admin as one who may", "PATCH", _DRY, _LABEL, MERGE, headers=(("Impersonate-User", "day2:agent:finops"),)),
    Step("access: admin as one who may not", "DELETE", WEB, None, JSON, headers=(("Impersonate-User", "day2:agent:finops"),)),
    Step("access: clean up the binding", "DELETE", CLUSTER_RBAC + "/clusterrolebindings/{web}-identity"),
    Step("access: clean up the role", "DELETE", CLUSTER_RBAC + "/clusterroles/{web}-identity"),
)
