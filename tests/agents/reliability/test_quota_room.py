"""A quota is raised by what the missing pods need, and by no more; where it cannot be helped, there is no plan."""

from typing import Any

import pytest

from core.actions.raise_quota import RaiseQuota
from core.domain.values import Json
from tests.agents.reliability.conditions.objects import condition, looked_at, made, merged, pod, replica_set, workload

REFUSED = 'pods "web-x" is forbidden: exceeded quota: team, requested: requests.cpu=100m, used: requests.cpu=950m, limited: requests.cpu=1'


def quota(hard: Json, used: Json, **spec: Any) -> Json:
    return made("ResourceQuota", "team", spec={"hard": hard, **spec}, status={"hard": hard, "used": used})


def short(*quotas: Json, replicas: int = 3) -> RaiseQuota | None:
    """One of `replicas` pods is there; the others are refused for the quota. Each asks for 100m and 64Mi."""
    web = workload(replicas=replicas)
    failing = condition("ReplicaFailure", "True", "FailedCreate", REFUSED)
    own = merged(replica_set(web, replicas=replicas), {"status": {"conditions": [failing]}})
    answer = looked_at([web, own, pod(own), *quotas])
    assert "REL-130" in {finding.code for finding in answer.findings}
    found = answer.proposals[0].action if answer.proposals else None
    assert found is None or isinstance(found, RaiseQuota)
    return found


def amounts(action: RaiseQuota | None) -> dict[str, tuple[str, str]]:
    assert action is not None
    return {item.resource: (item.from_hard, item.to_hard) for item in action.amounts}


def test_it_is_raised_by_what_the_missing_pods_need() -> None:
    tight = quota({"requests.cpu": "1", "requests.memory": "1Gi"}, {"requests.cpu": "950m", "requests.memory": "256Mi"})
    assert amounts(short(tight)) == {"requests.cpu": ("1", "1200m")}


def test_every_resource_that_is_short_is_raised_at_once() -> None:
    tight = quota({"cpu": "1", "memory": "300Mi", "pods": "2"}, {"cpu": "900m", "memory": "200Mi", "pods": "2"})
    assert amounts(short(tight)) == {"cpu": ("1", "1100m"), "memory": ("300Mi", "384Mi"), "pods": ("2", "4")}


def test_it_is_not_more_than_doubled_by_amount_or_by_use() -> None:
    tight = quota({"pods": "1"}, {"pods": "1"})
    assert amounts(short(tight, replicas=2)) == {"pods": ("1", "2")}
    assert short(tight, replicas=3) is None
    below = quota({"pods": "1"}, {"pods": "10"})
    assert amounts(short(below, replicas=2)) == {"pods": ("1", "11")}


@pytest.mark.parametrize(
    "useless",
    [
        quota({"requests.cpu": "10"}, {"requests.cpu": "950m"}),
        quota({"requests.storage": "10Gi"}, {"requests.storage": "10Gi"}),
        quota({"pods": "1"}, {"pods": "1"}, scopes=["BestEffort"]),
        quota({"pods": "lots"}, {"pods": "1"}),
        quota({"pods": "1"}, {"pods": "1"}) | {"metadata": {"name": "team", "namespace": "other", "uid": "q"}},
    ],
    ids=["not short", "of another resource", "of some pods only", "unreadable", "of another namespace"],
)
def test_a_quota_that_is_not_what_is_short_stays(useless: Json) -> None:
    assert short(useless) is None
