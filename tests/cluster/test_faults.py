"""The proof on the rig: the same cases as on simulated clusters, wherever real controllers or the pod's spec make cause and cure.

All of them stand side by side on one control plane of this module's own; what is tested of each is what came of it: that nothing its case
expects was missed, and that it was told, judged and ended as in the stored trial of the same case and seed on a simulated cluster.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evals.cases import reading
from evals.running.lives import lived
from evals.running.trial import Trial
from evals.scoring import results

if TYPE_CHECKING:
    from tests.cluster.faulted import Came, Proof

SEED = 1
CASES = {case.id: case for case in reading.read() if case.is_real_too}
YOUNG = frozenset(("port-of-container-moved", "dns-policy-default"))
"""Rollouts that come up whole: the revision before serves no more, and none here is an hour old, so nobody may go back to it. They are
mended on simulated clusters, which have a past."""


@pytest.fixture(scope="module")
def came(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Came, Trial]]]:
    # Not at the top: a run that deselects these tests should not pay for what only they import.
    from tests.cluster import faulted
    from tests.cluster.conftest import absent
    from tests.controlplane.rig import ControlPlane, NotBuiltError

    folder = tmp_path_factory.mktemp("faults")
    try:
        with ControlPlane.running(folder / "rig", nodes=0) as plane:
            proof = faulted.Proof(plane, faulted.stands(tuple(CASES.values()), SEED))
            faulted.lay(plane, proof.found)
            found = asyncio.run(_lived(proof, folder, faulted.rights(plane, folder)))
            yield {stand.case.id: (found[stand.case.id], found[stand.case.id].trial(stand)) for stand in proof.found}
    except NotBuiltError as error:
        absent(error.names, str(error))


async def _lived(proof: Proof, folder: Path, kubeconfigs: Mapping[str, Path]) -> dict[str, Came]:
    from tests.cluster import faulted

    async with faulted.court(proof.plane, folder / "keys", proof.clock, kubeconfigs) as court:
        return await proof.lived(court)


@pytest.fixture(scope="module")
def simulated() -> dict[str, Trial]:
    """Of the stored run; what it has no trial of is lived through now."""
    stored = {(trial.case, trial.seed): trial for trial in results.read(results.STORED).trials if trial.contestant == "day2ops"}
    return {name: stored.get((name, SEED)) or lived(case, SEED, "day2ops") for name, case in CASES.items()}


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", CASES)
def test_nothing_that_a_case_expects_is_missed_on_a_real_control_plane(name: str, came: dict[str, tuple[Came, Trial]]) -> None:
    found, trial = came[name]
    assert not found.broke
    assert found.quiet == ()
    if name in YOUNG:
        assert trial.actions == ()
        assert [miss for miss in trial.misses if not miss.startswith("not well:")] == []
    else:
        assert trial.misses == ()
        assert trial.harmed == ()


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("name", sorted(CASES.keys() - YOUNG))
def test_findings_verdicts_and_outcomes_are_those_of_the_simulated_trial(
    name: str, came: dict[str, tuple[Came, Trial]], simulated: dict[str, Trial]
) -> None:
    real, other = came[name][1], simulated[name]
    assert essence(real) == essence(other)
    assert incidents(real) <= incidents(other)  # it is looked at once here, and more often there


def essence(trial: Trial) -> dict[str, Any]:
    """What must agree: the causes, what the judge said of each action and how it ended, and what was left."""
    return {
        "causes": (trial.found, trial.wanted, trial.top, trial.extra),
        "actions": sorted((each.kind, place(each.on), each.said, each.ended) for each in trial.actions),
        "well": not trial.ills,
        "unharmed": not trial.harmed,
    }


def incidents(trial: Trial) -> set[tuple[str, str]]:
    return {(each.code, place(each.on)) for each in trial.told}


def place(on: str) -> str:
    """Without the suffix of the ground; pods have names that nobody chose."""
    kind, *rest = on.split("/")
    return kind if kind == "Pod" else "/".join((kind, *(re.sub(r"-f\d+(?=-|$)", "", part) for part in rest)))


def test_at_least_twenty_are_lived_in_both() -> None:
    assert len(CASES) >= 20
