"""Each technique on its own: with its rights somebody else is reached, with all but one of them nobody is; and paths over several steps."""

from typing import Any

import pytest

from core.cluster.escalation import ADMIN, TECHNIQUES, Identity, Need, Rights, Technique, path_to_admin, steps
from core.cluster.snapshot import Snapshot
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import cluster, made, pod

ATTACKER = Identity("ServiceAccount", "apps", "attacker")
VICTIM = Identity("ServiceAccount", "apps", "victim")


def rule(need: Need) -> Json:
    return {"verbs": [need.verbs[0]], "apiGroups": [need.group], "resources": [need.resources[0]]}


def role(name: str, *rules: Json, namespace: str = "") -> Json:
    kind = "Role" if namespace else "ClusterRole"
    return made(kind, name, namespace=namespace or None, rules=list(rules))


def bound(role_item: Json, *subjects: Identity, namespace: str = "") -> Json:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": role_item["kind"], "name": role_item["metadata"]["name"]}
    named = [{"kind": one.kind, "name": one.name} | ({"namespace": one.namespace} if one.namespace else {}) for one in subjects]
    return made(kind, f"{role_item['metadata']['name']}-{kind.lower()}", namespace=namespace or None, roleRef=ref, subjects=named)


def around() -> list[Json]:
    """A victim that runs, and accounts by name."""
    accounts = [made("ServiceAccount", name) for name in ("attacker", "victim")]
    return [*accounts, pod(None, "victim-1", spec={"serviceAccountName": "victim"})]


def rights(*items: Json) -> Rights:
    return Rights(cluster(*around(), *items))


def reached(*rules: Json, namespace: str = "") -> set[Identity]:
    held = role("held", *rules, namespace=namespace)
    return {step.to for step in steps(rights(held, bound(held, ATTACKER, namespace=namespace)), ATTACKER)}


@pytest.mark.parametrize("technique", TECHNIQUES, ids=[technique.name for technique in TECHNIQUES])
def test_with_its_rights_somebody_else_is_reached_and_with_one_less_nobody(technique: Technique) -> None:
    rules = [rule(need) for need in technique.needs]
    held = role("held", *rules)
    found = [step for step in steps(rights(held, bound(held, ATTACKER)), ATTACKER) if step.technique == technique.name]
    assert {step.to for step in found} & {ADMIN, VICTIM}
    assert all(step.role == "ClusterRole held" for step in found)
    for missing in range(len(rules)):
        less = role("held", *rules[:missing], *rules[missing + 1 :])
        assert technique.name not in {step.technique for step in steps(rights(less, bound(less, ATTACKER)), ATTACKER)}


def test_there_are_at_least_twenty_two_techniques() -> None:
    assert len({technique.name for technique in TECHNIQUES}) == len(TECHNIQUES) >= 22


@pytest.mark.parametrize(
    "harmless",
    [
        {"verbs": ["get", "list", "watch"], "apiGroups": ["", "apps"], "resources": ["pods", "deployments", "configmaps", "services"]},
        {"verbs": ["create"], "apiGroups": [""], "resources": ["events", "configmaps"]},
        {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["own"]},
        {"verbs": ["*"], "apiGroups": ["example.com"], "resources": ["*"]},
        {"verbs": ["create"], "apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"]},
    ],
)
def test_rights_that_lead_nowhere(harmless: Json) -> None:
    assert reached(harmless) == set()


def test_a_right_in_a_namespace_reaches_only_who_lives_there() -> None:
    create = {"verbs": ["create"], "apiGroups": [""], "resources": ["pods"]}
    other = made("ServiceAccount", "elsewhere", namespace="other")
    held = role("held", create, namespace="apps")
    found = {step.to for step in steps(rights(other, held, bound(held, ATTACKER, namespace="apps")), ATTACKER)}
    assert VICTIM in found
    assert Identity("ServiceAccount", "other", "elsewhere") not in found


def test_a_cluster_role_bound_in_a_namespace_counts_there_only() -> None:
    secrets = role("held", {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]})
    found = {step.to for step in steps(rights(secrets, bound(secrets, ATTACKER, namespace="apps")), ATTACKER)}
    assert ADMIN not in found
    assert VICTIM in found


def test_what_every_account_may_do_counts_for_each() -> None:
    held = role("held", {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})
    everybody = Identity("Group", "", "system:serviceaccounts")
    assert path_to_admin(rights(held, bound(held, everybody)), ATTACKER)


def chain() -> list[Json]:
    """attacker may run commands in the victim's pod; the victim may bind any role."""
    run = role("run", {"verbs": ["create"], "apiGroups": [""], "resources": ["pods/exec"]}, namespace="apps")
    bind = role(
        "bind",
        {"verbs": ["bind"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"]},
        {"verbs": ["create"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterrolebindings"]},
    )
    return [run, bind, bound(run, ATTACKER, namespace="apps"), bound(bind, VICTIM)]


def test_a_path_over_two_identities_is_told_step_by_step() -> None:
    path = path_to_admin(rights(*chain()), ATTACKER)
    assert [(step.technique, step.to) for step in path] == [
        ("may run commands in pods", VICTIM),
        ("may bind any cluster role to itself (bind)", ADMIN),
    ]
    assert [step.role for step in path] == ["Role run", "ClusterRole bind"]


def test_a_link_that_is_gone_ends_the_path() -> None:
    assert path_to_admin(rights(*chain()[:-1]), ATTACKER) == ()
    idle = Rights(cluster(*[item for item in around() if item["kind"] != "Pod"], *chain()))
    assert path_to_admin(idle, ATTACKER) == ()


def test_accounts_in_a_circle_have_no_path() -> None:
    other = role("other", {"verbs": ["create"], "apiGroups": [""], "resources": ["serviceaccounts/token"]}, namespace="apps")
    assert path_to_admin(rights(other, bound(other, ATTACKER, VICTIM, namespace="apps")), ATTACKER) == ()


def test_five_thousand_bindings_without_a_path_give_none() -> None:
    create = {"verbs": ["create"], "apiGroups": [""], "resources": ["pods"]}
    items: list[Any] = []
    for number in range(1_000):
        space = f"n-{number}"
        held = role("held", create, namespace=space)
        account = Identity("ServiceAccount", space, "runner")
        items += [
            held,
            *(
                bound(held, account, namespace=space)
                | {"metadata": {**bound(held, account, namespace=space)["metadata"], "name": f"b{each}"}}
                for each in range(5)
            ),
        ]
    found: Snapshot = cluster(*items)
    known = Rights(found)
    assert all(path_to_admin(known, Identity("ServiceAccount", f"n-{number}", "runner")) == () for number in range(1_000))
