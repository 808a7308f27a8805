"""RBAC documents, generated from the catalogue: what people install once. Plain manifests; nothing here talks to a cluster.

Reader, judge and executor are service accounts that hold no write verb. Executor and judge impersonate users without credentials:
`day2:agent:<name>` writes what its granted kinds need, `day2:preview:<name>` is the same set for the judge's dry-runs. Reading is not among
it: judge and executor read as themselves. The webhook needs no right, and the notifier creates events.

Constrained impersonation (Kubernetes 1.36 and later) names both who may be impersonated and for which verbs. `legacy` gives the older form
for earlier servers; never install both, because the server falls back to the older one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from core.actions.catalogue import CATALOGUE
from core.cluster.kinds import ENDPOINT_SLICE, GUARD_KINDS, KINDS
from core.cluster.observed import OBSERVED
from core.domain.api_request import Right
from core.domain.values import Json

NAMESPACE = "day2-system"
READER, JUDGE, EXECUTOR, WEBHOOK, NOTIFIER = "reader", "judge", "executor", "webhook", "notifier"
PERMIT_EXTRA = "userextras/day2.dev/permit"
ACCOUNTS = (READER, JUDGE, EXECUTOR, WEBHOOK, NOTIFIER)
_RBAC = "rbac.authorization.k8s.io"
_IDENTITY = "authentication.k8s.io"
_READ = ("get", "list", "watch")
_CLUSTER_WIDE = frozenset(kind.resource for kind in KINDS.values() if not kind.namespaced)
_LABELS = {"app.kubernetes.io/part-of": "day2ops"}


def manifests(grants: Mapping[str, Sequence[str]], *, namespaces: Sequence[str] = (), legacy: bool = False) -> tuple[Json, ...]:
    """Everything, in the order in which it is installed. `grants` gives each agent its action kinds; no namespaces means all of them."""
    return (
        labelled("v1", "Namespace", NAMESPACE),
        *({**labelled("v1", "ServiceAccount", name), "metadata": _meta(name, NAMESPACE)} for name in ACCOUNTS),
        *reader_role(),
        *observer_role(),
        *agent_roles(grants, namespaces=namespaces),
        *executor_role(tuple(grants), namespaces=namespaces, legacy=legacy),
        *judge_role(tuple(grants), namespaces=namespaces, legacy=legacy),
        *notifier_role(namespaces=namespaces),
    )


def reader_role(accounts: Sequence[str] = (READER, JUDGE, EXECUTOR)) -> tuple[Json, ...]:
    """Reads of every kind that we look at, logs and pod metrics. No secrets, and nothing that a GET could act through (exec, proxy).

    The guard and the roles are among it: whoever writes compares them first.
    """
    by_group: dict[str, set[str]] = defaultdict(set)
    for kind in (*KINDS.values(), *GUARD_KINDS.values(), ENDPOINT_SLICE):
        by_group[kind.group].add(kind.resource)
    rules = [_rule(group, sorted(resources), _READ) for group, resources in sorted(by_group.items())]
    rules += [_rule("", ["pods/log"], ("get",)), _rule("metrics.k8s.io", ["pods", "nodes"], ("get", "list"))]
    return _bound("day2-reader", rules, [_account(name) for name in accounts], ())


def observer_role() -> tuple[Json, ...]:
    """Reads of what only explains a fault: for the agents, not for those who write."""
    by_group: dict[str, set[str]] = defaultdict(set)
    for name in sorted(OBSERVED.keys() - KINDS.keys()):
        by_group[OBSERVED[name].group].add(OBSERVED[name].resource)
    rules = [_rule(group, sorted(resources), _READ) for group, resources in sorted(by_group.items())]
    return _bound("day2-observer", rules, [_account(READER)], ())


def executor_role(
    agents: Sequence[str], *, namespaces: Sequence[str] = (), legacy: bool = False, account: str = EXECUTOR
) -> tuple[Json, ...]:
    """May be the agents, with a permit in the extras, for the verbs of the catalogue; has no write verb of its own."""
    users = [f"day2:agent:{agent}" for agent in sorted(agents)]
    rules = [*_impersonation(users, legacy=legacy), _permit_rule(legacy=legacy)]
    return (*_bound("day2-executor-identity", rules, [_account(account)], ()), *_on("day2-executor-on", account, namespaces, legacy=legacy))


def judge_role(agents: Sequence[str], *, namespaces: Sequence[str] = (), legacy: bool = False, account: str = JUDGE) -> tuple[Json, ...]:
    """May be the preview users, and may ask what somebody is allowed to do."""
    users = [f"day2:preview:{agent}" for agent in sorted(agents)]
    rules = [*_impersonation(users, legacy=legacy), _rule("authorization.k8s.io", ["subjectaccessreviews"], ("create",))]
    return (*_bound("day2-judge-identity", rules, [_account(account)], ()), *_on("day2-judge-on", account, namespaces, legacy=legacy))


def agent_roles(grants: Mapping[str, Sequence[str]], *, namespaces: Sequence[str] = ()) -> tuple[Json, ...]:
    """What each agent's granted kinds need, for its own user and its preview user: what is previewed is what the agent may do."""
    found: list[Json] = []
    for agent, kinds in sorted(grants.items()):
        needed = {right for kind in kinds for right in CATALOGUE[kind].rights if right.verb not in _READ}
        subjects = [_user(f"day2:agent:{agent}"), _user(f"day2:preview:{agent}")]
        found.extend(_split(f"day2-agent-{agent}", needed, subjects, namespaces))
    return tuple(found)


def notifier_role(*, namespaces: Sequence[str] = (), account: str = NOTIFIER) -> tuple[Json, ...]:
    """Creates events, nothing else. Those about nodes stand in `default`."""
    spaces = sorted({*namespaces, "default"}) if namespaces else ()
    return _bound("day2-notifier", [_rule("events.k8s.io", ["events"], ("create",))], [_account(account)], spaces)


def _on(name: str, account: str, namespaces: Sequence[str], *, legacy: bool) -> tuple[Json, ...]:
    """For which requests impersonation is allowed. The older form cannot say."""
    if legacy:
        return ()
    writes = {right for kind in CATALOGUE.values() for right in kind.rights if right.verb not in _READ}
    needed = {right.model_copy(update={"verb": f"impersonate-on:user-info:{right.verb}"}) for right in writes}
    return _split(name, needed, [_account(account)], namespaces)


def _impersonation(users: list[str], *, legacy: bool) -> list[Json]:
    if not users:  # an empty list of names would mean all of them
        return []
    group, verb = ("", "impersonate") if legacy else (_IDENTITY, "impersonate:user-info")
    return [{**_rule(group, ["users"], (verb,)), "resourceNames": users}]


def _permit_rule(*, legacy: bool) -> Json:
    """The permit's value is new at each write, so its name is all that can be granted; admission looks at the value."""
    return _rule(_IDENTITY, [PERMIT_EXTRA], ("impersonate",) if legacy else ("impersonate:user-info",))


def _split(name: str, needed: Iterable[Right], subjects: list[Json], namespaces: Sequence[str]) -> tuple[Json, ...]:
    """Cluster-wide resources need a cluster-wide binding; everything else stays inside the managed namespaces."""
    everything = sorted(needed, key=str)
    wide = [right for right in everything if right.resource in _CLUSTER_WIDE]
    inside = [right for right in everything if right.resource not in _CLUSTER_WIDE]
    found: tuple[Json, ...] = _bound(name, _rules(inside), subjects, namespaces) if inside else ()
    rules = [_only(rule, namespaces) for rule in _rules(wide)]
    return (*found, *_bound(f"{name}-cluster", rules, subjects, ())) if wide else found


def _rules(needed: Iterable[Right]) -> list[Json]:
    by_resource: dict[tuple[str, str], list[str]] = defaultdict(list)
    for right in needed:
        full = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
        by_resource[right.group, full].append(right.verb)
    return [_rule(group, [resource], tuple(sorted(verbs))) for (group, resource), verbs in sorted(by_resource.items())]


def _only(rule: Json, namespaces: Sequence[str]) -> Json:
    """Of the namespaces, only those that are managed may be changed."""
    return {**rule, "resourceNames": sorted(namespaces)} if namespaces and rule["resources"] == ["namespaces"] else rule


def _bound(name: str, rules: list[Json], subjects: list[Json], namespaces: Sequence[str]) -> tuple[Json, ...]:
    """A ClusterRole with its binding: everywhere, or once per namespace."""
    reference = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
    role = {**labelled(f"{_RBAC}/v1", "ClusterRole", name), "rules": rules}
    binding = {"roleRef": reference, "subjects": subjects}
    if not namespaces:
        return role, {**labelled(f"{_RBAC}/v1", "ClusterRoleBinding", name), **binding}
    inside = ({**labelled(f"{_RBAC}/v1", "RoleBinding", name), "metadata": _meta(name, space), **binding} for space in sorted(namespaces))
    return role, *inside


def _rule(group: str, resources: list[str], verbs: Sequence[str]) -> Json:
    return {"apiGroups": [group], "resources": resources, "verbs": list(verbs)}


def _account(name: str) -> Json:
    return {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}


def _user(name: str) -> Json:
    return {"kind": "User", "name": name, "apiGroup": _RBAC}


def labelled(version: str, kind: str, name: str) -> Json:
    """The beginning of a document of ours."""
    return {"apiVersion": version, "kind": kind, "metadata": _meta(name)}


def _meta(name: str, namespace: str = "") -> Json:
    return {"name": name, **({"namespace": namespace} if namespace else {}), "labels": dict(_LABELS)}
