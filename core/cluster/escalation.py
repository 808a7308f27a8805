"""Who can become whom by RBAC alone: techniques as rows, closed to a fixpoint, with the path that proves it. Used by the security agent.

Sources of the techniques: the RBAC good practices of https://kubernetes.io/docs/concepts/security/rbac-good-practices/, the list of
https://github.com/PaloAltoNetworks/rbac-police (docs/policies.md), and the checks of KubiScan. Pure; an identity is a service account, a
user or a group. What admission refuses afterwards is not weighed: rights that only a policy holds back are told as well.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from core.cluster.objects import Binding, Pod, PolicyRule, Role, Subject
from core.cluster.snapshot import Snapshot

MASTERS = "system:masters"
_RBAC = "rbac.authorization.k8s.io"
_WRITE = ("update", "patch")
_MAKE = ("create", "update", "patch")
_CONTROLLERS = {
    "apps": ("deployments", "daemonsets", "statefulsets", "replicasets"),
    "batch": ("jobs", "cronjobs"),
    "": ("replicationcontrollers",),
}


class Identity(NamedTuple):
    """`namespace` is empty for users and groups. `ADMIN` is whoever may do everything."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


ADMIN = Identity("Group", "", MASTERS)


class Grant(NamedTuple):
    """One rule that an identity holds, in one namespace or, with an empty one, everywhere; `role` is where it stands."""

    namespace: str
    rule: PolicyRule
    role: str


class Step(NamedTuple):
    """One link of a path: by which technique, with which rule of which role, somebody becomes `to`."""

    technique: str
    role: str
    to: Identity


class Need(NamedTuple):
    """A right: any of these verbs on any of these resources."""

    verbs: tuple[str, ...]
    group: str
    resources: tuple[str, ...]


class Technique(NamedTuple):
    """`needs` must all be held, in one namespace or everywhere; `gains` then gives who is reached there: empty for everywhere."""

    name: str
    needs: tuple[Need, ...]
    gains: Callable[["Rights", str], Iterable[Identity]]
    cluster_only: bool = False


class Rights:
    """All grants of one snapshot by identity, and who lives where."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._steps: dict[Identity, tuple[Step, ...]] = {}

    @cached_property
    def grants(self) -> Mapping[Identity, tuple[Grant, ...]]:
        found: dict[Identity, list[Grant]] = defaultdict(list)
        for kind in ("ClusterRoleBinding", "RoleBinding"):
            for binding in self._snapshot.of(kind):
                for grant in self._of(kind, binding):
                    for subject in binding.subjects:
                        found[_identity(subject, binding.metadata.namespace)].append(grant)
        return {identity: tuple(grants) for identity, grants in found.items()}

    @cached_property
    def accounts(self) -> Mapping[str, tuple[Identity, ...]]:
        """Service accounts by namespace: those that exist, and those that pods or bindings name."""
        found: dict[str, dict[Identity, None]] = defaultdict(dict)
        for item in self._snapshot.of("ServiceAccount"):
            found[item.metadata.namespace][Identity("ServiceAccount", item.metadata.namespace, item.metadata.name)] = None
        for identity in self.grants:
            if identity.kind == "ServiceAccount":
                found[identity.namespace][identity] = None
        for pod in self._snapshot.pods:
            identity = account_of(pod)
            found[identity.namespace][identity] = None
        return {namespace: tuple(names) for namespace, names in found.items()}

    @cached_property
    def running(self) -> Mapping[str, tuple[Identity, ...]]:
        """Service accounts whose token is in a pod now, by namespace."""
        found: dict[str, dict[Identity, None]] = defaultdict(dict)
        for pod in self._snapshot.pods:
            if pod.status.phase not in ("Succeeded", "Failed"):
                found[pod.metadata.namespace][account_of(pod)] = None
        return {namespace: tuple(names) for namespace, names in found.items()}

    def in_place(self, of: Mapping[str, tuple[Identity, ...]], namespace: str) -> Iterator[Identity]:
        """Those of one namespace; all of them for an empty one."""
        if namespace:
            yield from of.get(namespace, ())
        else:
            for names in of.values():
                yield from names

    def held(self, identity: Identity) -> tuple[Grant, ...]:
        """Its own, and those of the groups that every service account is in."""
        own = self.grants.get(identity, ())
        if identity.kind != "ServiceAccount":
            return own
        groups = ("system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{identity.namespace}")
        return own + tuple(grant for group in groups for grant in self.grants.get(Identity("Group", "", group), ()))

    def steps(self, identity: Identity) -> tuple[Step, ...]:
        """As `steps`, found once: many paths pass through the same accounts."""
        if identity not in self._steps:
            self._steps[identity] = tuple(steps(self, identity))
        return self._steps[identity]

    def _of(self, kind: str, binding: Binding) -> Iterator[Grant]:
        ref, namespace = binding.role_ref, binding.metadata.namespace if kind == "RoleBinding" else ""
        role: Role | None = self._snapshot.find(ref.kind, namespace if ref.kind == "Role" else "", ref.name)
        for rule in role.rules if role is not None else ():
            yield Grant(namespace, rule, f"{ref.kind} {ref.name}")


def account_of(pod: Pod) -> Identity:
    return Identity("ServiceAccount", pod.metadata.namespace, pod.spec.service_account_name or "default")


def _identity(subject: Subject, namespace: str) -> Identity:
    if subject.kind == "ServiceAccount":
        return Identity("ServiceAccount", subject.namespace or namespace, subject.name)
    return Identity(subject.kind, "", subject.name)


def _admin(_: Rights, __: str) -> Iterable[Identity]:
    return (ADMIN,)


def _accounts(rights: Rights, namespace: str) -> Iterable[Identity]:
    return rights.in_place(rights.accounts, namespace)


def _admin_of_the_control_plane(_: Rights, namespace: str) -> Iterable[Identity]:
    """Who nodes and users are stands in kube-system in many clusters; DNS does in all."""
    return (ADMIN,) if namespace in ("", "kube-system") else ()


def _running(rights: Rights, namespace: str) -> Iterable[Identity]:
    return rights.in_place(rights.running, namespace)


def _accounts_or_admin(rights: Rights, namespace: str) -> Iterable[Identity]:
    """Everywhere is everything; so is the namespace where the control plane keeps its own."""
    return (ADMIN,) if namespace in ("", "kube-system") else _accounts(rights, namespace)


def _needs(*verbs: str, group: str = "", of: str) -> Need:
    return Need(verbs, group, tuple(of.split()))


_CERTIFICATES, _ADMISSION = "certificates.k8s.io", "admissionregistration.k8s.io"
_BINDINGS = _needs("create", "update", "patch", group=_RBAC, of="rolebindings clusterrolebindings")
_CLUSTER_BINDINGS = _needs("create", "update", "patch", group=_RBAC, of="clusterrolebindings")

TECHNIQUES: tuple[Technique, ...] = (
    Technique("may do everything", (Need(("*",), "*", ("*",)),), _admin, cluster_only=True),
    Technique("may impersonate users or groups", (_needs("impersonate", of="users groups"),), _admin, cluster_only=True),
    Technique("may impersonate service accounts", (_needs("impersonate", of="serviceaccounts"),), _accounts),
    Technique("may issue tokens of service accounts", (_needs("create", of="serviceaccounts/token"),), _accounts),
    Technique("may read secrets, tokens among them", (_needs("get", "list", "watch", of="secrets"),), _accounts_or_admin),
    Technique("may create pods under any service account", (_needs("create", of="pods"),), _accounts),
    *(
        Technique(f"may create or change {name} under any service account", (_needs(*_MAKE, group=group, of=name),), _accounts)
        for group, names in _CONTROLLERS.items()
        for name in names
    ),
    Technique("may run commands in pods", (_needs("create", "get", of="pods/exec"),), _running),
    Technique("may attach to pods", (_needs("create", "get", of="pods/attach"),), _running),
    Technique("may add containers to running pods", (_needs(*_WRITE, of="pods/ephemeralcontainers"),), _running),
    Technique("may change the image of running pods", (_needs(*_WRITE, of="pods"),), _running),
    Technique("may speak to kubelets past the API server", (_needs("get", "create", of="nodes/proxy"),), _running, cluster_only=True),
    Technique(
        "may write rights that it does not have (escalate)",
        (_needs("escalate", group=_RBAC, of="clusterroles"), _needs(*_MAKE, group=_RBAC, of="clusterroles")),
        _admin,
        cluster_only=True,
    ),
    Technique(
        "may write rights of a namespace that it does not have (escalate)",
        (_needs("escalate", group=_RBAC, of="roles"), _needs(*_MAKE, group=_RBAC, of="roles")),
        _accounts_or_admin,
    ),
    Technique(
        "may bind any cluster role to itself (bind)",
        (_needs("bind", group=_RBAC, of="clusterroles"), _CLUSTER_BINDINGS),
        _admin,
        cluster_only=True,
    ),
    Technique(
        "may bind any role to itself in a namespace (bind)",
        (_needs("bind", group=_RBAC, of="clusterroles roles"), _BINDINGS),
        _accounts_or_admin,
    ),
    Technique(
        "may approve certificates in anybody's name",
        (
            _needs("create", group=_CERTIFICATES, of="certificatesigningrequests"),
            _needs(*_WRITE, group=_CERTIFICATES, of="certificatesigningrequests/approval"),
            _needs("approve", group=_CERTIFICATES, of="signers"),
        ),
        _admin,
        cluster_only=True,
    ),
    Technique(
        "may sign certificates in anybody's name",
        (
            _needs("create", group=_CERTIFICATES, of="certificatesigningrequests"),
            _needs(*_WRITE, group=_CERTIFICATES, of="certificatesigningrequests/status"),
            _needs("sign", group=_CERTIFICATES, of="signers"),
        ),
        _admin,
        cluster_only=True,
    ),
    *(
        Technique(
            f"may change or read what everybody writes ({name})", (_needs(*_MAKE, group=_ADMISSION, of=name),), _admin, cluster_only=True
        )
        for name in ("mutatingwebhookconfigurations", "mutatingadmissionpolicies", "validatingwebhookconfigurations")
    ),
    Technique("may answer for an API", (_needs(*_MAKE, group="apiregistration.k8s.io", of="apiservices"),), _admin, cluster_only=True),
    Technique("may change the configuration of the control plane", (_needs(*_WRITE, of="configmaps"),), _admin_of_the_control_plane),
    Technique(
        "may mount any directory of a node into a pod",
        (_needs("create", of="persistentvolumes"), _needs("create", of="pods")),
        _running,
        cluster_only=True,
    ),
    Technique(
        "may take away what keeps pods confined (labels of namespaces)",
        (_needs(*_WRITE, of="namespaces"), _needs("create", of="pods")),
        _running,
        cluster_only=True,
    ),
)
"""Rights that lead to another identity."""


def steps(rights: Rights, identity: Identity) -> Iterator[Step]:
    """Who an identity can become at once. Rights to single objects by name are not weighed: what those are is not known here."""
    grants = [grant for grant in rights.held(identity) if not grant.rule.resource_names]
    for namespace in sorted({grant.namespace for grant in grants}):
        there = [grant for grant in grants if grant.namespace in ("", namespace)]
        for technique in TECHNIQUES:
            if technique.cluster_only and namespace:
                continue
            used = [next((grant for grant in there if _allows(grant.rule, need)), None) for need in technique.needs]
            if any(grant is None for grant in used) or all(grant is not None and grant.namespace != namespace for grant in used):
                continue  # not held, or held everywhere and told there
            roles = ", ".join(dict.fromkeys(grant.role for grant in used if grant is not None))
            for to in technique.gains(rights, namespace):
                if to != identity:
                    yield Step(technique.name, roles, to)


def _allows(rule: PolicyRule, need: Need) -> bool:
    verbs = "*" in rule.verbs or any(verb in rule.verbs for verb in need.verbs)
    groups = "*" in rule.api_groups or need.group in rule.api_groups
    return verbs and groups and any(covers_resource(rule.resources, resource) for resource in need.resources)


def covers_resource(allowed: tuple[str, ...], resource: str) -> bool:
    """`*` is everything, subresources too; `*/scale` a subresource of everything."""
    return "*" in allowed or resource in allowed or ("/" in resource and f"*/{resource.partition('/')[2]}" in allowed)


def path_to_admin(rights: Rights, start: Identity) -> tuple[Step, ...]:
    """The shortest path to everything; empty where there is none."""
    ahead: deque[tuple[Identity, tuple[Step, ...]]] = deque([(start, ())])
    passed = {start}
    while ahead:
        identity, way = ahead.popleft()
        for step in rights.steps(identity):
            if step.to == ADMIN:
                return (*way, step)
            if step.to not in passed:
                passed.add(step.to)
                ahead.append((step.to, (*way, step)))
    return ()
