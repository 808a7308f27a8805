"""The library itself: every row can be told apart, every family is there, and no check of reliability is without a planted fault."""

from collections import Counter

from agents.reliability.table import AGENT
from simulator.faults import ground as grounds
from simulator.faults.fault import Fault
from simulator.faults.table import FAULTS
from simulator.faults.writes import path
from tests.agents.reliability.conditions.cases import CASES
from tests.agents.test_planted_faults import CASES as PLANTED

FAMILIES = {
    *("env", "image", "command", "port", "selector", "probe", "resources", "quota", "affinity", "taint", "network policy", "DNS"),
    *("secret", "config", "storage", "HPA", "PDB", "webhook", "node", "preemption", "GPU hold", "injected text", "partial", "double"),
    *("red herring", "heals", "init", "jobs", "ingress", "admission", "finalizer", "rollout"),
}
GROUND = grounds.drawn(5, suffix="-x")
IN_TESTS_OF_THEIR_OWN = {"REL-104", "REL-108", *(f"REL-20{number}" for number in range(1, 5))}
"""The first two are planted in tests/agents/test_planted_faults.py beside the table there, those of hardware also by what is measured:
tests/agents/reliability/test_hardware.py."""


def test_every_fault_has_an_id_of_its_own_and_there_are_enough() -> None:
    assert [name for name, count in Counter(fault.id for fault in FAULTS).items() if count > 1] == []
    assert len(FAULTS) >= 70
    assert sum(fault.on_rig for fault in FAULTS) >= 20


def test_every_family_is_there() -> None:
    assert {fault.family for fault in FAULTS} == FAMILIES


def test_each_check_of_reliability_has_a_planted_fault_and_a_healthy_twin() -> None:
    """Twins are beside the cases there; the twin of a fault here is the ground before it."""
    here = {code for fault in FAULTS for cause in fault.cause(GROUND, fault.victim(GROUND)) for code in cause.codes}
    there = {case.code for case in (*CASES, *PLANTED)} | IN_TESTS_OF_THEIR_OWN
    assert {row.code for row in AGENT.detectors} - here - there == set()


def test_a_fault_names_its_cause_unless_it_passes_by_itself() -> None:
    assert {fault.id for fault in FAULTS if not fault.cause(GROUND, fault.victim(GROUND))} == {fault.id for fault in FAULTS if fault.heals}


def test_what_is_done_differs_by_seed_and_is_the_same_for_one() -> None:
    def names(fault: Fault, seed: int) -> tuple[str, str]:
        home = fault.victim(grounds.drawn(seed))
        return home.namespace, home.name

    assert all(len({names(fault, seed) for seed in range(12)}) > 1 for fault in FAULTS)
    assert all(names(fault, 3) == names(fault, 3) for fault in FAULTS)
    assert grounds.drawn(3) == grounds.drawn(3)


def test_on_a_cluster_that_others_use_a_fault_touches_what_is_its_own() -> None:
    """Namespaces end with the suffix, and so does what has none, but for the one aggregated API."""
    for fault in (fault for fault in FAULTS if fault.on_rig):
        for write in fault.inject(GROUND, fault.victim(GROUND)):
            name = write.path if write.body is None or write.method == "PATCH" else str(write.body["metadata"])
            assert GROUND.suffix in write.path or GROUND.suffix in name or write.path == path("APIService"), fault.id
