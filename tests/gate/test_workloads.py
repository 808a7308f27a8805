"""What a workload's status says of its rollout."""

from typing import Any

import pytest

from gate import workloads


def deployment(reason: str, *, updated: int = 1, seen: int = 4) -> dict[str, Any]:
    progressing = {"type": "Progressing", "status": "False" if reason == "ProgressDeadlineExceeded" else "True", "reason": reason}
    return {
        "kind": "Deployment",
        "metadata": {"generation": 4},
        "spec": {"replicas": 3},
        "status": {
            "observedGeneration": seen,
            "replicas": 4,
            "updatedReplicas": updated,
            "availableReplicas": 3,
            "conditions": [progressing],
        },
    }


@pytest.mark.parametrize(
    ("live", "rolling", "stuck"),
    [
        (deployment("ReplicaSetUpdated"), True, False),
        (deployment("ProgressDeadlineExceeded"), True, True),
        (deployment("ProgressDeadlineExceeded", seen=3), True, False),
        ({"kind": "StatefulSet", "metadata": {"generation": 1}, "spec": {"replicas": 1}, "status": {}}, True, False),
        (
            {"kind": "Node", "metadata": {}, "status": {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}},
            None,
            False,
        ),
    ],
    ids=["on its way", "out of time", "a newer template that nobody saw yet", "no word about time", "no rollout at all"],
)
def test_a_rollout_is_stuck_when_its_controller_gave_it_up(live: dict[str, Any], *, rolling: bool | None, stuck: bool) -> None:
    assert (workloads.rolling(live), workloads.stuck(live)) == (rolling, stuck)
