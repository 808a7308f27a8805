"""Who may do what: RBAC over the stored roles and bindings, and the two kinds of impersonation.

Constrained impersonation is asked first (`impersonate:user-info` for the identity and `impersonate-on:user-info:<verb>` for the
request), the older unconstrained verb `impersonate` last, as the API server does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from simulator import errors
from simulator.authn import MASTERS, Impersonation, User, is_service_account
from simulator.errors import ApiError
from simulator.resources import resource
from simulator.store import Store

Json = dict[str, Any]
_RBAC = "rbac.authorization.k8s.io"
_AUTHENTICATION = "authentication.k8s.io"
_ROLES = resource(_RBAC, "roles")
_ROLE_BINDINGS = resource(_RBAC, "rolebindings")
_CLUSTER_ROLES = resource(_RBAC, "clusterroles")
_CLUSTER_ROLE_BINDINGS = resource(_RBAC, "clusterrolebindings")


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is asked for. `path` is set instead of a resource for non-resource requests."""

    verb: str
    group: str = ""
    plural: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def resource(self) -> str:
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural


class Decision(NamedTuple):
    """Allowed or not, and the rule's origin in the API server's words."""

    allowed: bool
    reason: str


class Authorizer:
    """Answers from the RBAC objects as they are stored at the moment of the question."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def decide(self, user: User, wanted: Attributes) -> Decision:
        if MASTERS in user.groups:
            return Decision(True, "")
        for rule, reason in self.rules(user, wanted.namespace):
            if _covers(rule, wanted):
                return Decision(True, reason)
        return Decision(False, "")

    def require(self, user: User, wanted: Attributes) -> None:
        """Raises ApiError 403 in the API server's words."""
        if not self.decide(user, wanted).allowed:
            raise _refusal(user, wanted)

    def rules(self, user: User, namespace: str) -> Iterator[tuple[Json, str]]:
        """Every rule that holds for `user` in `namespace`, with the sentence that names its binding."""
        for binding in self._store.list(_CLUSTER_ROLE_BINDINGS):
            yield from self._granted(binding, user, "", "ClusterRoleBinding")
        if namespace:
            for binding in self._store.list(_ROLE_BINDINGS, namespace):
                yield from self._granted(binding, user, namespace, "RoleBinding")

    def _granted(self, binding: Json, user: User, namespace: str, kind: str) -> Iterator[tuple[Json, str]]:
        subject = next((each for each in binding.get("subjects") or () if _is_subject(each, user, namespace)), None)
        if subject is None:
            return
        reference = binding["roleRef"]
        name = binding["metadata"]["name"]
        shown = f"{name}/{namespace}" if namespace else name
        reason = f'RBAC: allowed by {kind} "{shown}" of {reference["kind"]} "{reference["name"]}" to {_subject_text(subject)}'
        for rule in self._role_rules(reference, namespace):
            yield rule, reason

    def _role_rules(self, reference: Json, namespace: str) -> Iterable[Json]:
        cluster = reference["kind"] == "ClusterRole"
        role = self._store.peek(_CLUSTER_ROLES if cluster else _ROLES, None if cluster else namespace, reference["name"])
        return (role or {}).get("rules") or ()

    # -- impersonation -----------------------------------------------------------------------------------------------------

    def impersonate(self, user: User, asked: Impersonation, wanted: Attributes) -> tuple[User, str]:
        """The user the request goes on as, and the constraint that allowed it ("" for the unconstrained kind).

        400 without a name, 403 without the right.
        """
        if not asked.name:
            raise _nameless(asked)
        try:
            constraint = self._constrained(user, asked, wanted)
        except ApiError as refused:
            if all(self.decide(user, each).allowed for each in _unconstrained_attributes(asked)):
                return asked.user(), ""
            raise refused from None
        return asked.user(), constraint

    def _constrained(self, user: User, asked: Impersonation, wanted: Attributes) -> str:
        """The constraint that holds: the verb first, then each part of the identity. Raises ApiError 403 with the first that fails."""
        mode, plural = _mode(asked.name)
        if MASTERS in user.groups:
            raise _refusal(user, wanted)  # masters hold every right, so only the unconstrained kind says something
        self.require(user, replace(wanted, verb=f"impersonate-on:{mode}:{wanted.verb}"))
        verb = f"impersonate:{mode}"
        namespace, name = asked.name.split(":")[2:] if plural == "serviceaccounts" else ("", asked.name)
        self.require(user, Attributes(verb, _AUTHENTICATION, plural, namespace=namespace, name=name))
        for group in asked.groups:
            attributes = Attributes(verb, _AUTHENTICATION, "groups", name=group)
            if group == MASTERS:
                raise _refusal(user, attributes, ": impersonating the system:masters group is not allowed")
            self.require(user, attributes)
        if asked.uid:
            self.require(user, Attributes(verb, _AUTHENTICATION, "uids", name=asked.uid))
        for attributes in _extra_attributes(user, asked, verb):
            self.require(user, attributes)
        return verb


def _mode(name: str) -> tuple[str, str]:
    """The kind of constrained impersonation that a name needs, and the resource its identity is granted on."""
    if is_service_account(name):
        return "serviceaccount", "serviceaccounts"
    if name.startswith("system:node:"):
        return "arbitrary-node", "nodes"
    return "user-info", "users"


def _extra_attributes(user: User, asked: Impersonation, verb: str) -> Iterator[Attributes]:
    for key, values in asked.extra.items():
        plain = Attributes(verb, _AUTHENTICATION, "userextras")
        if "/" not in key:
            why = f'extra.key: Invalid value: "{key}": must be a domain-prefixed path (such as "acme.io/foo")'
            raise _refusal(user, plain, f": impersonating an invalid key in extra is not allowed: {why}")
        for value in values:
            if not value:
                raise _refusal(user, plain, ": impersonating the empty string value in extra is not allowed")
            yield Attributes(verb, _AUTHENTICATION, "userextras", key, name=value)


def _unconstrained_attributes(asked: Impersonation) -> Iterator[Attributes]:
    verb = "impersonate"
    if is_service_account(asked.name):
        _, _, namespace, name = asked.name.split(":")
        yield Attributes(verb, "", "serviceaccounts", namespace=namespace, name=name)
    else:
        yield Attributes(verb, "", "users", name=asked.name)
    yield from (Attributes(verb, "", "groups", name=group) for group in asked.groups)
    if asked.uid:
        yield Attributes(verb, _AUTHENTICATION, "uids", name=asked.uid)
    for key, values in asked.extra.items():
        yield from (Attributes(verb, _AUTHENTICATION, "userextras", key, name=value) for value in values)


def _nameless(asked: Impersonation) -> ApiError:
    """400 for groups, a uid or extras without a user."""
    groups = "[]string{" + ", ".join(f'"{group}"' for group in asked.groups) + "}" if asked.groups else "[]string(nil)"
    pairs = ", ".join(
        f'"{key}":[]string{{{", ".join(f"{chr(34)}{value}{chr(34)}" for value in values)}}}' for key, values in asked.extra.items()
    )
    extra = f"map[string][]string{{{pairs}}}" if pairs else "map[string][]string(nil)"
    shown = f'&user.DefaultInfo{{Name:"", UID:"{asked.uid}", Groups:{groups}, Extra:{extra}}}'
    return errors.bad_request(f"requested {shown} without impersonating a user name")


def _refusal(user: User, wanted: Attributes, because: str = "") -> ApiError:
    if wanted.path:
        return ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"')
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {wanted.verb} resource "{wanted.resource}" in API group "{wanted.group}" {where}{because}'
    return errors.forbidden(wanted.group, wanted.plural, wanted.name, why)


def _is_subject(subject: Json, user: User, namespace: str) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    account = f"system:serviceaccount:{subject.get('namespace') or namespace}:{name}"
    return kind == "ServiceAccount" and account == user.name


def _subject_text(subject: Json) -> str:
    kind, name = subject["kind"], subject["name"]
    return f'{kind} "{name}/{subject.get("namespace", "")}"' if kind == "ServiceAccount" else f'{kind} "{name}"'


def _covers(rule: Json, wanted: Attributes) -> bool:
    if not _has(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_path_matches(each, wanted.path) for each in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames") or ()
    return (
        _has(rule.get("apiGroups"), wanted.group)
        and _has_resource(rule.get("resources") or (), wanted)
        and (not names or wanted.name in names)
    )


def _has(listed: list[str] | None, value: str) -> bool:
    return listed is not None and ("*" in listed or value in listed)


def _has_resource(listed: Iterable[str], wanted: Attributes) -> bool:
    each = set(listed)
    return "*" in each or wanted.resource in each or (bool(wanted.subresource) and f"*/{wanted.subresource}" in each)


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))


def _rule(groups: str, plurals: str, verbs: str) -> Json:
    return {"apiGroups": groups.split(","), "resources": plurals.split(), "verbs": verbs.split()}


_READ = "get list watch"
_VIEWED = (
    _rule("", "configmaps endpoints events persistentvolumeclaims pods pods/log pods/status replicationcontrollers", _READ),
    _rule("", "services resourcequotas serviceaccounts limitranges namespaces", _READ),
    _rule("apps", "controllerrevisions daemonsets deployments deployments/scale replicasets statefulsets statefulsets/scale", _READ),
    _rule("autoscaling,batch,policy,networking.k8s.io,discovery.k8s.io,metrics.k8s.io,events.k8s.io", "*", _READ),
)
_PUBLIC: Json = {"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]}
_DISCOVERED = ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_PUBLIC["nonResourceURLs"]]
_DISCOVERY: Json = {"nonResourceURLs": _DISCOVERED, "verbs": ["get"]}
_SELF = (
    _rule("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
    _rule("authentication.k8s.io", "selfsubjectreviews", "create"),
)
_WRITE = "create delete deletecollection patch update " + _READ
BOOTSTRAP: tuple[tuple[str, tuple[Json, ...], tuple[str, ...]], ...] = (
    ("cluster-admin", (_rule("*", "*", "*"), {"nonResourceURLs": ["*"], "verbs": ["*"]}), ("system:masters",)),
    ("admin", (_rule("*", "*", "*"),), ()),
    ("edit", (_rule(",apps,autoscaling,batch,policy,networking.k8s.io", "*", _WRITE),), ()),
    ("view", _VIEWED, ()),
    ("system:basic-user", _SELF, ("system:authenticated",)),
    ("system:discovery", (_DISCOVERY,), ("system:authenticated",)),
    ("system:public-info-viewer", (_PUBLIC,), ("system:authenticated", "system:unauthenticated")),
)
"""Cluster roles every API server makes at its first start: name, rules, groups bound to it."""


def bootstrap(store: Store) -> None:
    """Create the roles and bindings of `BOOTSTRAP` that are missing."""
    labels = {"kubernetes.io/bootstrapping": "rbac-defaults"}
    for name, rules, groups in BOOTSTRAP:
        meta: Json = {"name": name, "labels": labels}
        if store.peek(_CLUSTER_ROLES, None, name) is None:
            store.create(_CLUSTER_ROLES, {"metadata": meta, "rules": list(rules)}, manager="kube-apiserver")
        if groups and store.peek(_CLUSTER_ROLE_BINDINGS, None, name) is None:
            subjects = [{"kind": "Group", "apiGroup": _RBAC, "name": group} for group in groups]
            reference = {"kind": "ClusterRole", "apiGroup": _RBAC, "name": name}
            store.create(_CLUSTER_ROLE_BINDINGS, {"metadata": meta, "roleRef": reference, "subjects": subjects}, manager="kube-apiserver")
