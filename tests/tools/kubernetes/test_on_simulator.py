"""The adapters' contract on the simulator. The same class runs on the real control plane in tests/cluster."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.adapters import AdapterContract, Cluster, prepared
from tests.contracts.simulated import Simulated, simulated


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    with simulated(tmp_path_factory.mktemp("simulator"), rate=1.0) as running:
        yield running


class TestOnSimulator(AdapterContract):
    @pytest.fixture
    async def cluster(self, simulator: Simulated) -> Cluster:
        return await prepared(Cluster(simulator.kubeconfigs, f"t-{secrets.token_hex(3)}"))


def test_the_kubeconfigs_are_separate_identities(simulator: Simulated) -> None:
    texts = {Path(path).read_text() for path in simulator.kubeconfigs.values()}
    assert len(texts) == 4
