"""Facts about the target itself: who owns it, who manages it, what people marked, which rights are missing."""

from dataclasses import replace
from typing import Any

import pytest

from core.actions.label_namespace import LabelNamespace, LevelChange
from core.domain.errors import NotAuthorised
from core.domain.target import Target
from core.domain.values import digest
from core.policy.declarations import Grant
from gate.judging import facts

Json = dict[str, Any]


async def judged(gate: Any, action: Any = None, **told: Any) -> Any:
    await gate.submit(gate.proposal(action or gate.scale(), **told))
    await gate.judge()
    return gate.rules.seen[-1]


def cart(gate: Any) -> Json:
    return dict(gate.cluster.object("Deployment", "shop", "cart"))


def label(name: str = "shop") -> LabelNamespace:
    target = Target(cluster="cluster-1", kind="Namespace", name=name, uid=f"uid-{name}")
    return LabelNamespace(id="act-label1", target=target, levels=(LevelChange(mode="enforce", to_level="baseline"),))


async def test_the_controller_among_several_owners_is_the_owner(gate: Any) -> None:
    owners = [{"kind": "Backup", "name": "b"}, {"kind": "Rollout", "name": "cart", "controller": True}]
    cart(gate)["metadata"]["ownerReferences"] = owners
    assert (await judged(gate)).owner_kind == "Rollout"


@pytest.mark.parametrize("owners", [None, [], [{"kind": "Backup"}], [{"controller": True}]], ids=str)
async def test_without_a_controller_that_says_its_kind_there_is_none(gate: Any, owners: Any) -> None:
    cart(gate)["metadata"]["ownerReferences"] = owners
    assert (await judged(gate)).owner_kind == ""


async def test_the_object_is_told_by_its_uid_generation_and_version(gate: Any) -> None:
    live = cart(gate)["metadata"]
    live["generation"] = 7
    found = await judged(gate)
    assert (found.uid, found.uid_matches, found.generation, found.resource_version) == ("uid-cart", True, 7, live["resourceVersion"])
    assert found.labels == {"app": "cart"}


async def test_what_names_no_generation_has_none(gate: Any) -> None:
    assert (await judged(gate, gate.cordon())).generation == 0


@pytest.mark.parametrize("place", ["labels", "annotations"])
@pytest.mark.parametrize(
    ("value", "marked"), [("true", True), ("", True), ("yes", True), ("false", False), ("False", False), (None, True)], ids=str
)
async def test_a_mark_counts_unless_it_says_false(gate: Any, place: str, value: Any, *, marked: bool) -> None:
    cart(gate)["metadata"].setdefault(place, {})["day2.dev/protected"] = value
    found = await judged(gate)
    assert (found.protected, found.opted_out) == (marked, False)


async def test_a_mark_on_the_namespace_counts_for_all_in_it_and_one_elsewhere_does_not(gate: Any) -> None:
    gate.cluster.object("Namespace", "", "shop")["metadata"]["annotations"] = {"day2.dev/opt-out": "true", "other.dev/protected": "true"}
    found = await judged(gate)
    assert (found.opted_out, found.protected) == (True, False)


async def test_a_namespace_is_marked_and_stopped_by_itself(gate: Any) -> None:
    gate.cluster.object("Namespace", "", "shop")["metadata"]["annotations"] = {"day2.dev/protected": "true", "day2.dev/stop": "an incident"}
    found = await judged(gate, label())
    assert (found.protected, found.stop) == (True, "the namespace says day2.dev/stop")


async def test_a_stop_in_the_ledger_is_told_before_that_of_the_namespace_and_without_one_there_is_none(gate: Any) -> None:
    assert (await judged(gate)).stop == ""
    gate.cluster.object("Namespace", "", "shop")["metadata"]["annotations"] = {"day2.dev/stop": ""}
    assert (await judged(gate, gate.scale(action_id="act-scale2", new=5))).stop == ""


async def test_a_namespace_of_the_system_is_protected(gate: Any) -> None:
    gate.cluster.put({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "uid-kube-system"}, "spec": {}})
    assert (await judged(gate, label("kube-system"))).protected


async def test_a_namespace_that_is_gone_is_a_fact(gate: Any) -> None:
    del gate.cluster.objects["Namespace", "", "shop"]
    assert not (await judged(gate, label())).exists
    found = await judged(gate)
    assert (found.exists, found.stop) == (True, "")


@pytest.mark.parametrize(
    ("annotations", "labels", "managers", "owner"),
    [
        ({"argocd.argoproj.io/tracking-id": "shop:cart"}, {}, (), "shop:cart"),
        ({}, {"kustomize.toolkit.fluxcd.io/name": "apps"}, ("helm-controller",), "apps"),
        ({"argocd.argoproj.io/instance": ""}, {}, (), ""),
        (None, {}, ("kubectl", "helm-controller"), "helm-controller"),
        (None, {}, ("kubectl",), ""),
    ],
)
async def test_who_keeps_it_in_a_repository_is_told(gate: Any, annotations: Any, labels: Json, managers: Any, owner: str) -> None:
    meta = cart(gate)["metadata"]
    meta["annotations"] = annotations
    meta["labels"] |= labels
    meta["managedFields"] = [{"manager": name} for name in managers] or None
    assert (await judged(gate)).gitops_owner == owner


async def test_only_the_write_on_the_targets_own_resource_is_a_right_that_it_needs(gate: Any) -> None:
    asked: list[tuple[str, ...]] = []

    async def allowed(*right: str) -> bool:
        asked.append(right)
        return True

    gate.cluster.allowed = allowed
    assert (await judged(gate)).rights_ok
    assert asked == [("day2:agent:scaling", "patch", "apps", "deployments", "", "shop")] or asked == [
        ("day2:agent:scaling", "patch", "apps", "deployments", "scale", "shop")
    ]


async def test_a_right_that_is_missing_and_rights_that_cannot_be_known_are_no_rights(gate: Any) -> None:
    gate.cluster.forbidden = {"patch deployments"}
    found = await judged(gate)
    assert found.rights_ok is False
    assert len(found.rights_missing) == 1

    async def unknown(*_: str) -> bool:
        raise NotAuthorised("not allowed to create subjectaccessreviews", right="create subjectaccessreviews", mend="")

    gate.cluster.allowed = unknown
    found = await judged(gate, gate.scale(action_id="act-scale2", new=5))
    assert found.rights_ok is False
    assert found.rights_missing[0].startswith("not known: not allowed to create")


@pytest.mark.parametrize(("letters", "kept"), [(510, True), (511, False)])
async def test_a_value_that_is_too_large_to_keep_is_told_by_its_digest(gate: Any, letters: int, *, kept: bool) -> None:
    """512 bytes of JSON, with its quotes."""
    text = "x" * letters
    changed = cart(gate) | {"spec": cart(gate)["spec"] | {"note": text}}
    (change,) = facts._changes(cart(gate), changed)
    assert (change.path, change.old, change.new) == ("spec.note", None, text if kept else {"digest": digest(text)})


async def test_a_grant_counts_for_its_agent_capability_and_namespace(gate: Any) -> None:
    cases = [
        (Grant(name="a", agent="scaling", capabilities=("scale_workload",), namespaces=("shop",)), True),
        (Grant(name="a", agent="scaling", capabilities=("delete_pod",)), False),
        (Grant(name="a", agent="finops", capabilities=("*",)), False),
        (Grant(name="a", agent="scaling", capabilities=("*",), namespaces=("payments",)), False),
    ]
    for number, (grant, granted) in enumerate(cases):
        gate.bench = replace(gate.bench, grants=(grant,))
        gate.rules.decision = "deny"
        found = await judged(gate, gate.scale(action_id=f"act-scale{number}", new=5 + number))
        assert found.capability_granted is granted
