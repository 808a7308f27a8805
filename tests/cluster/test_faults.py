"""The proof on the rig: each fault whose cause and cure come from real controllers or the pod's spec is found, explained, mended, verified.

All faults stand side by side on one control plane of this module's own; what is tested of each is what came of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator.faults.table import FAULTS

if TYPE_CHECKING:
    from tests.cluster.faulted import Outcome, Proof

ON_RIG = [fault for fault in FAULTS if fault.on_rig]
YOUNG = frozenset(("port-of-container-moved", "dns-policy-default"))
"""Rollouts that come up whole: the revision before serves no more, and none here is an hour old, so nobody may go back to it. They are
mended on simulated clusters, which have a past."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    # Not at the top: a run that deselects these tests should not pay for what only they import.
    from tests.cluster import faulted
    from tests.cluster.conftest import absent
    from tests.controlplane.rig import ControlPlane, NotBuiltError

    folder = tmp_path_factory.mktemp("faults")
    try:
        with ControlPlane.running(folder / "rig", nodes=0) as plane:
            proof = faulted.Proof(plane, faulted.cases(ON_RIG))
            faulted.lay(plane, proof.found)
            yield asyncio.run(_lived(proof, folder, faulted.rights(plane, folder)))
    except NotBuiltError as error:
        absent(error.names, str(error))


async def _lived(proof: Proof, folder: Path, kubeconfigs: Mapping[str, Path]) -> dict[str, Outcome]:
    from tests.cluster import faulted

    async with faulted.court(proof.plane, folder / "keys", proof.clock, kubeconfigs) as court:
        return await proof.lived(court)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", [fault.id for fault in ON_RIG])
def test_a_fault_is_found_with_its_cause_and_mended(name: str, outcomes: dict[str, Outcome]) -> None:
    from evals.faults import trials
    from simulator.faults.table import BY_ID

    fault, came = BY_ID[name], outcomes[name]
    assert not came.broke
    assert came.quiet == ()
    assert came.diagnosis is not None
    assert came.diagnosis.right, came.diagnosis
    assert came.diagnosis.elsewhere == ()
    if name in YOUNG:
        assert came.kinds == ()
    elif trials.mending(fault):
        assert came.kinds
        assert set(came.ended) == {"verified"}, came.ended
        assert came.ills == ()
        assert came.harmed == ()


def test_at_least_twenty_are_proved_here() -> None:
    assert len(ON_RIG) >= 20
