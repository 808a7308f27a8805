"""A release from its installation to its removal, on a real API server: what each mode adds, and what is taken away again."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.cluster.charted import ACT, CHART, RELEASE, emptied, in_cluster, left, merged

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

PROPOSE = merged(ACT, {"mode": "propose"})
LOCKS = ("validatingadmissionpolic", "validatingwebhookconfiguration")


@pytest.fixture
def plane(control_plane: "ControlPlane") -> Iterator["ControlPlane"]:
    with emptied(control_plane):
        yield control_plane


def rights(plane: "ControlPlane") -> set[str]:
    return {name.partition("/")[2] for name in left(plane) if name.startswith("clusterrole.")}


def test_a_release_from_read_only_to_act_and_back_to_nothing(plane: "ControlPlane") -> None:
    """Modes are upgrades of one release: each takes its rights away again."""
    in_cluster(plane, "install", RELEASE, str(CHART))
    assert rights(plane) == {"day2-reader"}
    assert not [name for name in left(plane) if name.startswith(LOCKS)]

    in_cluster(plane, "upgrade", RELEASE, str(CHART), values=PROPOSE)
    assert rights(plane) == {"day2-reader", "day2-agent-scaling", "day2-judge-identity", "day2-judge-on", "day2-notifier"} | wide(plane)
    assert len([name for name in left(plane) if name.startswith(LOCKS)]) == 5

    in_cluster(plane, "upgrade", RELEASE, str(CHART), values=ACT)
    assert {"day2-executor-identity", "day2-executor-on"} <= rights(plane)
    assert "deployment.apps/day2-executor" in left(plane)

    in_cluster(plane, "upgrade", RELEASE, str(CHART), values={"mode": "readOnly"})
    assert rights(plane) == {"day2-reader"}
    assert not [name for name in left(plane) if name.startswith(LOCKS)]
    assert {name for name in left(plane) if name.startswith("deployment")} == {"deployment.apps/day2-controller"}

    in_cluster(plane, "uninstall", RELEASE)
    plane.until(lambda: not [name for name in left(plane) if not name.startswith(("persistentvolumeclaim", "replicaset"))], "all gone", 60)
    assert "persistentvolumeclaim/day2-data" in left(plane), "the audit chains stay"


def wide(plane: "ControlPlane") -> set[str]:
    """Rights on what lives in no namespace."""
    return {name for name in rights(plane) if name.endswith("-cluster")}
