"""The narrowed role allows what was seen and nothing that was not; what it closes is told by the same paths as the finding."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.cluster import narrowing
from core.cluster.escalation import ADMIN, Identity
from core.cluster.narrowing import Narrowed, Use, allows, narrowed
from core.cluster.objects import Binding, Meta, PolicyRule, Role, RoleRef, Subject
from core.cluster.snapshot import Snapshot

BOT = Identity("ServiceAccount", "shop", "bot")
READ = Use("get", "", "pods", "shop", "web")


def rule(verbs: str, resources: str, group: str = "", names: tuple[str, ...] = ()) -> PolicyRule:
    return PolicyRule(verbs=tuple(verbs.split()), api_groups=(group,), resources=tuple(resources.split()), resource_names=names)


EVERYTHING = rule("*", "*", "*")


def cluster(*rules: PolicyRule, namespace: str = "", others: tuple[Subject, ...] = ()) -> Snapshot:
    """The bot is bound to these rules, everywhere or in one namespace."""
    role = Role(metadata=Meta(name="wide"), rules=rules)
    subject = Subject(kind="ServiceAccount", namespace="shop", name="bot")
    bound = Binding(Meta(name="bot", namespace=namespace), RoleRef(kind="ClusterRole", name="wide"), (subject, *others))
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    return Snapshot("c-1", datetime(2026, 11, 27, tzinfo=UTC), {"ClusterRole": (role,), kind: (bound,)})


def rules(found: Narrowed, namespace: str = "shop") -> list[tuple[Any, ...]]:
    scope = next(scope for scope in found.scopes if scope.namespace == namespace)
    return [(rule.verbs, rule.api_groups, rule.resources, rule.resource_names) for rule in scope.rules]


def test_of_everything_what_was_used_is_left_and_the_way_to_cluster_admin_is_closed() -> None:
    found = narrowed(cluster(EVERYTHING), BOT, [READ, Use("list", "", "pods", "shop", "")])
    assert rules(found) == [(("list",), ("",), ("pods",), ()), (("get",), ("",), ("pods",), ("web",))]
    assert found.before[-1].to == ADMIN
    assert found.after == ()
    assert [(binding.name, binding.role, binding.others) for binding in found.bindings] == [("bot", "ClusterRole wide", 0)]


def test_a_way_that_was_used_stays_and_is_told() -> None:
    found = narrowed(cluster(EVERYTHING), BOT, [READ, Use("impersonate", "", "users", "", "")])
    assert [(step.technique, step.to) for step in found.after] == [("may impersonate users or groups", ADMIN)]


def test_rules_that_nothing_used_and_uses_that_nothing_allows_are_told() -> None:
    found = narrowed(cluster(rule("get list", "pods"), rule("delete", "secrets")), BOT, [READ, Use("get", "", "nodes", "", "n1")])
    assert [grant.rule.resources for grant in found.unused] == [("secrets",)]
    assert [use.resource for use in found.unexplained] == ["nodes"]


def test_a_right_through_a_group_is_not_the_accounts_own() -> None:
    group = Subject(kind="Group", name="system:serviceaccounts")
    role = Role(metadata=Meta(name="public"), rules=(rule("get", "nodes"),))
    bound = Binding(Meta(name="all"), RoleRef(kind="ClusterRole", name="public"), (group,))
    own = cluster(rule("get", "pods"))
    both = {kind: (*own.of(kind), *more) for kind, more in {"ClusterRole": (role,), "ClusterRoleBinding": (bound,)}.items()}
    found = narrowed(Snapshot("c-1", own.taken_at, both), BOT, [READ, Use("get", "", "nodes", "", "n1")])
    assert found.unexplained == ()
    assert [binding.name for binding in found.bindings] == ["bot"]
    assert "nodes" not in str(found.scopes)


def test_more_names_than_a_rule_should_list_are_all_objects() -> None:
    uses = [Use("get", "", "pods", "shop", f"web-{number}") for number in range(narrowing.MOST_NAMES + 1)]
    assert rules(narrowed(cluster(EVERYTHING), BOT, uses[:-1]))[0][3] == tuple(sorted(use.name for use in uses[:-1]))
    assert rules(narrowed(cluster(EVERYTHING), BOT, uses)) == [(("get",), ("",), ("pods",), ())]


def test_an_account_that_works_in_many_namespaces_gets_one_rule_for_all() -> None:
    uses = [Use("list", "", "pods", f"ns-{number}", "") for number in range(narrowing.MOST_NAMESPACES + 1)]
    assert {scope.namespace for scope in narrowed(cluster(EVERYTHING), BOT, uses[:-1]).scopes} == {use.namespace for use in uses[:-1]}
    assert [scope.namespace for scope in narrowed(cluster(EVERYTHING), BOT, uses).scopes] == [""]


def test_manifests_bind_the_account_where_it_worked() -> None:
    made = list(narrowing.documents(narrowed(cluster(EVERYTHING), BOT, [READ, Use("get", "", "nodes", "", "n1")])))
    assert [document["kind"] for document in made] == ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]
    assert made[3]["subjects"] == [{"kind": "ServiceAccount", "name": "bot", "namespace": "shop"}]
    assert made[3]["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "narrowed:shop:bot"}


NAMES = st.sampled_from(("a", "b", "c"))
USES = st.builds(
    Use,
    verb=st.sampled_from(("get", "list", "watch", "create", "update", "patch", "delete")),
    group=st.sampled_from(("", "apps")),
    resource=st.sampled_from(("pods", "pods/log", "deployments", "deployments/scale")),
    namespace=st.sampled_from(("", "shop", "pay", "x1", "x2", "x3", "x4", "x5")),
    name=st.one_of(st.just(""), NAMES),
)


@given(st.sets(USES, max_size=30), st.sets(USES, max_size=10))
def test_what_was_seen_is_allowed_and_nothing_of_a_kind_that_was_not(seen: set[Use], others: set[Use]) -> None:
    found = narrowed(cluster(EVERYTHING), BOT, seen)
    assert all(allows(found.scopes, use) for use in seen)
    asked = {(use.verb, use.group, use.resource) for use in seen}
    assert not any(allows(found.scopes, use) for use in others if (use.verb, use.group, use.resource) not in asked)


@given(st.sets(USES, max_size=20))
def test_no_rule_is_wider_than_what_is_held(seen: set[Use]) -> None:
    held = cluster(rule("get list", "pods pods/log"), rule("*", "deployments", "apps", ("a",)), namespace="shop")
    found = narrowed(held, BOT, seen)
    assert {scope.namespace for scope in found.scopes} <= {"shop"}
    for use in seen:
        assert not allows(found.scopes, use) or use not in found.unexplained
