"""A proposal for what a repository owns is written down as a change of the manifest there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Change
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.proposal import Effect, Proposal
from core.domain.verdict import Decision, Verdict
from runtime.services import repository

AT = datetime(2026, 11, 27, tzinfo=UTC)
TARGET = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "cart", "uid": "u-1"}
SCALE = {"id": "act-0001", "kind": "scale_workload", "target": TARGET, "from_replicas": 4, "to_replicas": 2}


def proposal(*changes: tuple[str, Any]) -> Proposal:
    action = parse_action(SCALE)
    moved = tuple(Change(path=path, old=None, new=new) for path, new in changes)
    evidence = observe("object", action.target, "spec.replicas", "4", AT)
    return Proposal(
        action=action,
        agent="finops",
        run="run-1",
        why="too many",
        evidence=(evidence,),
        effect=Effect(summary="less"),
        changes=moved,
        expires_at=AT,
    )


def verdict(owner: str) -> Verdict:
    facts = Facts(read_at=AT, cluster="c-1", exists=True, gitops_owner=owner)
    return Verdict.model_construct(decision=Decision.DENY, facts=facts)


def patched(*changes: tuple[str, Any]) -> dict[str, Any]:
    found = repository.written(proposal(*changes), verdict("argocd/shop"))
    assert found is not None
    assert (found.owner, found.advice) == ("argocd/shop", "")
    return found.patch


def test_the_patch_names_the_manifest_and_holds_what_changes() -> None:
    metadata = {"name": "cart", "namespace": "shop"}
    expected = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2}}
    assert patched(("spec.replicas", 2)) == expected


def test_items_of_lists_are_named_and_keys_with_dots_stay_whole() -> None:
    found = patched(
        ("spec.template.spec.containers[api].resources.requests.cpu", "600m"),
        ("spec.template.spec.containers[api].resources.limits[example.com/gpu]", "1"),
        ("spec.template.spec.containers[log].resources.requests.cpu", "10m"),
        ("metadata.labels[pod-security.kubernetes.io/enforce]", "baseline"),
    )
    api = {"name": "api", "resources": {"requests": {"cpu": "600m"}, "limits": {"example.com/gpu": "1"}}}
    log = {"name": "log", "resources": {"requests": {"cpu": "10m"}}}
    assert found["spec"]["template"]["spec"]["containers"] == [api, log]
    assert found["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "baseline"}


@pytest.mark.parametrize("changes", [(("spec.template", "revision 6"),), ()], ids=["a whole template", "nothing told"])
def test_what_cannot_be_written_as_a_patch_is_a_commit_to_revert(changes: tuple[tuple[str, Any], ...]) -> None:
    found = repository.written(proposal(*changes), verdict("flux/apps"))
    assert found is not None
    assert found.patch == {}
    assert "revert" in found.advice
    assert "flux/apps" in found.advice


def test_what_no_repository_owns_is_not_written_for_one() -> None:
    assert repository.written(proposal(("spec.replicas", 2)), verdict("")) is None
    assert repository.written(proposal(("spec.replicas", 2)), None) is None
