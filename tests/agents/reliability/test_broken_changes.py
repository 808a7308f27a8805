"""A fault that the last rollout brought goes back with it; one that the revision before would have as well does not."""

import pytest

from agents.reliability import broken_changes
from agents.rolling_back import MIGRATION
from core.domain.proposal import Proposal
from core.domain.values import Json
from tests.agents.reliability.conditions.cases import CASES, Case
from tests.agents.reliability.conditions.objects import ago, container, looked_at, merged, owned_by, replica_set

OTHER = {
    "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "other"}}],
    "containers": [container(image="registry.example/app:0", envFrom=[{"configMapRef": {"name": "other"}}], livenessProbe={"exec": {}})],
    "nodeSelector": {"disk": "other"},
    "serviceAccountName": "other",
    "dnsPolicy": "Default",
}
"""A template that differs in every part; containers are replaced whole, so its requests differ too."""
OTHER["containers"][0]["resources"] = {"requests": {"cpu": "7m"}}
ON_PODS = frozenset(("REL-155",))
"""Planted there on pods that no revision owns."""
PLANNED = [case for case in CASES if case.code in broken_changes.PARTS and "/deployment/" in case.subject and case.code not in ON_PODS]
CRASHES = "REL-101"
"""What an init container that fails is told as where a rollout is the suspect."""


def deployment(case: Case) -> Json:
    name = case.subject.rpartition("/")[2]
    return next(item for item in case.fault if item["kind"] == "Deployment" and item["metadata"]["name"] == name)


def family(case: Case, older: Json, *, days: float = 9, **marks: str) -> list[Json]:
    """The case's objects, its rollout an hour old, and before it a revision with the template `older`."""
    owner = deployment(case)
    spec = {"template": {"spec": older}}
    before = merged(replica_set(owner, replicas=0), {"metadata": {"name": "older", "uid": "replicaset-older"}})
    before["spec"] = {**before["spec"], "template": {**before["spec"]["template"], **spec["template"]}}
    before["metadata"] |= {"creationTimestamp": ago(days=days), "annotations": {"deployment.kubernetes.io/revision": "1"}}
    now = {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "2"}, "creationTimestamp": ago(hours=1)}}
    own = owned_by(owner)["ownerReferences"]
    mine = [item["metadata"].get("ownerReferences") == own for item in case.fault]
    found = [merged(item, now) if yes and item["kind"] == "ReplicaSet" else item for yes, item in zip(mine, case.fault, strict=True)]
    return [*(merged(item, {"metadata": {"annotations": marks}}) if item is owner else item for item in found), before]


def plan(objects: list[Json], code: str) -> Proposal | None:
    answer = looked_at(objects)
    finding = next(item for item in answer.findings if item.code in (code, CRASHES))
    return next((item for item in answer.proposals if finding.id in item.findings), None)


@pytest.mark.parametrize("case", PLANNED, ids=lambda case: f"{case.code}-{case.name}")
def test_a_rollout_that_changed_the_part_goes_back(case: Case) -> None:
    proposal = plan(family(case, OTHER), case.code)
    assert proposal is not None
    assert proposal.action.kind == "rollback_rollout"


@pytest.mark.parametrize(
    "case", [case for case in PLANNED if case.code not in broken_changes.HIDDEN], ids=lambda case: f"{case.code}-{case.name}"
)
def test_a_revision_with_the_same_part_mends_nothing(case: Case) -> None:
    same = deployment(case)["spec"]["template"]["spec"]
    assert plan(family(case, same), case.code) is None


def test_a_revision_that_migrated_data_stays() -> None:
    case = next(case for case in PLANNED if case.code == "REL-110")
    assert plan(family(case, OTHER, **{MIGRATION: "schema-42"}), case.code) is None
    assert plan(family(case, OTHER, **{MIGRATION: "false"}), case.code) is not None


def test_a_revision_that_never_proved_itself_is_no_way_back() -> None:
    case = next(case for case in PLANNED if case.code == "REL-110")
    assert plan(family(case, OTHER, days=1 / 24 + 0.01), case.code) is None


def test_every_part_is_tried_here() -> None:
    assert {case.code for case in PLANNED} | ON_PODS == set(broken_changes.PARTS)
