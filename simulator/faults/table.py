"""All faults, one row each, by what they are done to. Read by evaluations and by tests on a real control plane."""

from collections.abc import Mapping

from simulator.faults import keeping, odd, paths, placing, pods
from simulator.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (*pods.FAULTS, *placing.FAULTS, *paths.FAULTS, *keeping.FAULTS, *odd.FAULTS)
BY_ID: Mapping[str, Fault] = {fault.id: fault for fault in FAULTS}
