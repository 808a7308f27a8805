"""The same clients live through the same on the real control plane: what the simulator is held to is true of it."""

import pytest

from tests.controlplane import build
from tests.controlplane.rig import ControlPlane
from tests.simulator.users import stories
from tests.simulator.users.stories import Kubectl


@pytest.fixture
def run(control_plane: ControlPlane, namespace: str) -> Kubectl:
    return Kubectl(str(build.find("kubectl")), control_plane.kubeconfig(), namespace)


def test_kubectl(run: Kubectl) -> None:
    assert stories.kubectl_story(run) == stories.KUBECTL


def test_the_watch_of_the_official_client(control_plane: ControlPlane, namespace: str) -> None:
    assert stories.watch_story(control_plane.kubeconfig(), namespace) == stories.WATCHED


def test_a_controller_written_on_kopf(run: Kubectl, control_plane: ControlPlane, namespace: str) -> None:
    assert stories.operator_story(run, control_plane.kubeconfig(), namespace) == stories.OPERATED
