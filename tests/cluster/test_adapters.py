"""The adapters' contract on the real control plane: the same class as on the simulator."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.access import identities
from tests.contracts.adapters import GRANTS, AdapterContract, Cluster

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane


@pytest.fixture(scope="module")
def kubeconfigs(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return identities(control_plane, tmp_path_factory.mktemp("identities"), GRANTS)


class TestOnControlPlane(AdapterContract):
    @pytest.fixture
    def cluster(self, kubeconfigs: dict[str, Path], namespace: str) -> Cluster:
        return Cluster(kubeconfigs, namespace)
