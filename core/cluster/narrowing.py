"""The role that observed use allows: of what an account may do, what it did. Used behind `day2 rbac narrow`.

Kubernetes only adds rights up, so a narrower role beside the old one changes nothing: the old bindings go. The principle is that of
https://kubernetes.io/docs/concepts/security/rbac-good-practices/ (least privilege). Pure; what is not seen in the time that the log covers
is not among the kept rights, and a right that is used once a month is not seen in a week.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from core.cluster.escalation import Grant, Identity, Rights, Step, covers_resource, path_to_admin
from core.cluster.objects import Binding, Meta, PolicyRule, Role, RoleRef, Subject
from core.cluster.snapshot import Snapshot

BY_NAME = frozenset(("get", "update", "patch", "delete"))
"""Verbs that RBAC can hold to single objects; a list, a watch and a create name none."""
MOST_NAMES = 10
MOST_NAMESPACES = 5
"""Of uses in more namespaces than this, one rule for all of them is made: an account that works everywhere."""
_BINDINGS = ("ClusterRoleBinding", "RoleBinding")


class Use(NamedTuple):
    """One allowed request. `resource` has its subresource behind a slash; `namespace` is empty for the whole cluster, `name` for many."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Scope(NamedTuple):
    """The rules that are needed in one namespace, or, with an empty one, everywhere."""

    namespace: str
    rules: tuple[PolicyRule, ...]


class Held(NamedTuple):
    """A binding that gives the account something now. `others` are further subjects of it, who keep what they have."""

    kind: str
    namespace: str
    name: str
    role: str
    others: int


class Narrowed(NamedTuple):
    """`unused` are rules that no use touched; `unexplained` uses that no rule of today's bindings allows. The paths lead to cluster-admin,
    before and afterwards."""

    identity: Identity
    scopes: tuple[Scope, ...]
    bindings: tuple[Held, ...]
    unused: tuple[Grant, ...]
    unexplained: tuple[Use, ...]
    before: tuple[Step, ...]
    after: tuple[Step, ...]


def narrowed(snapshot: Snapshot, identity: Identity, uses: Iterable[Use]) -> Narrowed:
    """What the account itself is bound to, cut down to `uses`. What it holds as a member of a group stays: others hold it too."""
    rights = Rights(snapshot)
    own = rights.grants.get(identity, ())
    every = sorted(set(uses))
    through_groups = [grant for grant in rights.held(identity) if grant not in own]
    needed = [use for use in every if any(_covers(grant, use) for grant in own)]
    scopes = tuple(_scopes(needed))
    return Narrowed(
        identity,
        scopes,
        tuple(_bindings(snapshot, identity)),
        tuple(grant for grant in own if not any(_covers(grant, use) for use in every)),
        tuple(use for use in every if use not in needed and not any(_covers(grant, use) for grant in through_groups)),
        path_to_admin(rights, identity),
        path_to_admin(Rights(_afterwards(snapshot, identity, scopes)), identity),
    )


def allows(scopes: Sequence[Scope], use: Use) -> bool:
    """Whether the narrowed role allows a request: the replay of what was seen must be all true."""
    return any(_covers(Grant(scope.namespace, rule, ""), use) for scope in scopes for rule in scope.rules)


def _covers(grant: Grant, use: Use) -> bool:
    """As the API server's authorizer decides (`rbac.RuleAllows`)."""
    rule = grant.rule
    return (
        grant.namespace in ("", use.namespace)
        and _has(rule.verbs, use.verb)
        and _has(rule.api_groups, use.group)
        and covers_resource(rule.resources, use.resource)
        and (not rule.resource_names or use.name in rule.resource_names)
    )


def _has(allowed: Sequence[str], wanted: str) -> bool:
    return "*" in allowed or wanted in allowed


def _scopes(uses: Sequence[Use]) -> Iterator[Scope]:
    """By namespace; what was asked of the whole cluster, or of too many namespaces, everywhere."""
    spread: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for use in uses:
        spread[use.verb, use.group, use.resource].add(use.namespace)
    places: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        seen = spread[use.verb, use.group, use.resource]
        places["" if "" in seen or len(seen) > MOST_NAMESPACES else use.namespace].append(use)
    for namespace in sorted(places):
        yield Scope(namespace, tuple(_rules(places[namespace])))


def _rules(uses: Iterable[Use]) -> Iterator[PolicyRule]:
    """Verbs on one resource with the same names in one rule, and resources of one group with the same verbs and names in one."""
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for use in uses:
        names[use.group, use.resource, use.verb].add(use.name)
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    for (group, resource, verb), found in names.items():
        single = verb in BY_NAME and "" not in found and len(found) <= MOST_NAMES
        verbs[group, resource, tuple(sorted(found)) if single else ()].add(verb)
    resources: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, only), asked in verbs.items():
        resources[group, only, tuple(sorted(asked))].append(resource)
    for (group, only, asked_for), same in sorted(resources.items()):
        yield PolicyRule(verbs=asked_for, api_groups=(group,), resources=tuple(sorted(same)), resource_names=only)


def _bindings(snapshot: Snapshot, identity: Identity) -> Iterator[Held]:
    for kind in _BINDINGS:
        for binding in snapshot.of(kind):
            others = [subject for subject in binding.subjects if not _is(subject, binding, identity)]
            if len(others) < len(binding.subjects):
                meta, role = binding.metadata, f"{binding.role_ref.kind} {binding.role_ref.name}"
                yield Held(kind, meta.namespace, meta.name, role, len(others))


def _is(subject: Subject, binding: Binding, identity: Identity) -> bool:
    if subject.kind != "ServiceAccount":
        return (subject.kind, subject.name) == (identity.kind, identity.name)
    return (subject.kind, subject.namespace or binding.metadata.namespace, subject.name) == identity


def _afterwards(snapshot: Snapshot, identity: Identity, scopes: Sequence[Scope]) -> Snapshot:
    """The snapshot with the narrowed roles in place of the account's bindings."""
    objects: dict[str, tuple[object, ...]] = dict(snapshot.objects)
    for kind in _BINDINGS:
        objects[kind] = tuple(_without(binding, identity) for binding in snapshot.of(kind))
    for scope in scopes:
        role, binding = ("Role", "RoleBinding") if scope.namespace else ("ClusterRole", "ClusterRoleBinding")
        meta = Meta(name=role_name(identity), namespace=scope.namespace)
        subject = Subject(kind=identity.kind, namespace=identity.namespace, name=identity.name)
        objects[role] = (*objects.get(role, ()), Role(metadata=meta, rules=scope.rules))
        bound = Binding(metadata=meta, role_ref=RoleRef(kind=role, name=meta.name), subjects=(subject,))
        objects[binding] = (*objects[binding], bound)
    return replace(snapshot, objects=objects)


def _without(binding: Binding, identity: Identity) -> Binding:
    kept = tuple(subject for subject in binding.subjects if not _is(subject, binding, identity))
    return Binding(metadata=binding.metadata, role_ref=binding.role_ref, subjects=kept)


def role_name(identity: Identity) -> str:
    """What the narrowed role and its binding are called; names of other namespaces' accounts do not collide."""
    return ":".join(filter(None, ("narrowed", identity.namespace, identity.name)))


def documents(found: Narrowed) -> Iterator[Mapping[str, object]]:
    """The narrowed roles with their bindings, as manifests."""
    api = "rbac.authorization.k8s.io/v1"
    subject: dict[str, str] = {"kind": found.identity.kind, "name": found.identity.name}
    subject |= {"namespace": found.identity.namespace} if found.identity.namespace else {"apiGroup": "rbac.authorization.k8s.io"}
    for scope in found.scopes:
        kind = "Role" if scope.namespace else "ClusterRole"
        metadata = {"name": role_name(found.identity)} | ({"namespace": scope.namespace} if scope.namespace else {})
        yield {"apiVersion": api, "kind": kind, "metadata": metadata, "rules": [_written(rule) for rule in scope.rules]}
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": metadata["name"]}
        yield {"apiVersion": api, "kind": f"{kind}Binding", "metadata": metadata, "roleRef": reference, "subjects": [subject]}


def _written(rule: PolicyRule) -> dict[str, list[str]]:
    names = {"resourceNames": list(rule.resource_names)} if rule.resource_names else {}
    return {"apiGroups": list(rule.api_groups), "resources": list(rule.resources), "verbs": list(rule.verbs)} | names
