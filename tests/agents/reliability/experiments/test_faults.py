"""Each fault as actions of the catalogue: the right kinds, marked, with ids that a restart finds again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agents.reliability.experiments import faults
from agents.reliability.experiments.choosing import choose
from core.actions.catalogue import parse_proposal
from core.domain.errors import InvalidInput

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
FAULTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "pod_kill": ({"pods": 2}, ["delete_pod", "delete_pod"]),
    "node_cordon": ({"node": "node-1"}, ["cordon_node"]),
    "node_drain": ({"node": "node-1"}, ["cordon_node", "delete_pod"]),
    "cpu_pressure": ({"cpu": "150m"}, ["set_requests"]),
    "memory_pressure": ({"memory": "128Mi"}, ["set_requests"]),
    "network_cut": ({}, ["cut_network"]),
    "config_corruption": ({"map": "settings", "key": "mode"}, ["edit_config"]),
    "dependency_down": ({"workload": "store"}, ["scale_workload"]),
    "image_pull_failure": ({}, ["set_image"]),
}


def made(shop: Any, kind: str, identity: str = "exp-00000001") -> Any:
    experiment, scene = shop.experiment(fault={"kind": kind, **FAULTS[kind][0]}), shop.scene()
    parts = faults.parts(experiment, scene, choose(experiment, scene), identity)
    return parts, faults.proposals(experiment, parts, identity, NOW)


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_made_of_these_actions_and_each_can_be_written(shop: Any, kind: str) -> None:
    parts, proposals = made(shop, kind)
    assert [part.action.kind for part in parts] == FAULTS[kind][1]
    for part, proposal in zip(parts, proposals, strict=True):
        assert part.action.request(part.live)
        assert proposal.changes
        assert parse_proposal(proposal.model_dump_json()) == proposal
        assert proposal.experiment is not None
        assert (proposal.experiment.id, proposal.experiment.seconds) == ("exp-00000001", 30)


@pytest.mark.parametrize("kind", FAULTS)
def test_the_same_experiment_has_the_same_ids_and_another_one_others(shop: Any, kind: str) -> None:
    first, again, other = (made(shop, kind, name)[0] for name in ("exp-00000001", "exp-00000001", "exp-00000002"))
    assert [part.action.id for part in first] == [part.action.id for part in again]
    assert not {part.action.id for part in first} & {part.action.id for part in other}


@pytest.mark.parametrize("kind", FAULTS)
def test_the_journal_says_how_each_part_goes_back(shop: Any, kind: str) -> None:
    parts, proposals = made(shop, kind)
    rows = faults.journal(proposals)
    assert [row["id"] for row in rows] == [part.action.id for part in parts]
    assert all(row["undo"] for row in rows)


LOW = [({"kind": "cpu_pressure", "cpu": "50m"}, "50m"), ({"kind": "memory_pressure", "memory": "32Mi"}, "32Mi")]


@pytest.mark.parametrize(("fault", "limit"), LOW)
def test_a_limit_under_the_request_is_refused_in_words(shop: Any, fault: Any, limit: str) -> None:
    experiment, scene = shop.experiment(fault=fault), shop.scene()
    with pytest.raises(InvalidInput, match=f"a limit of {limit} would be under that"):
        faults.parts(experiment, scene, choose(experiment, scene), "exp-00000001")
