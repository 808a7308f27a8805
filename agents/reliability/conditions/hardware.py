"""GPUs, their drivers, and the links between machines: what a node's conditions do not say. Called by the table of this agent.

GPU numbers are DCGM's, link numbers the node exporter's; an `instance` is a node where it is its name, with or without a port.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from agents.desk import Desk
from agents.reliability.conditions.signs import Sign, check
from agents.reporting import counted, measured, seen
from core.cluster import quantities
from core.cluster.objects import Node
from core.cluster.queries import Query, Sample, Shape
from core.cluster.snapshot import Snapshot
from core.domain.finding import Severity

WINDOW_SECONDS = 3600
FATAL = {
    48: "double bit ECC error",
    63: "row remapping pending",
    64: "row remapping failed",
    74: "NVLink error",
    79: "fell off the bus",
    92: "high single bit ECC rate",
    94: "contained ECC error",
    95: "uncontained ECC error",
    119: "GSP timeout",
    120: "GSP error",
    140: "unrecovered ECC error",
    143: "initialisation failed",
}
"""Of NVIDIA's XID codes those that a program cannot cause: the others (13, 31, 43, 45) are mostly the workload's own."""
MOST_LOST = 0.001
"""Of received frames; Ethernet is specified for far less than one in a billion."""
GPU_RESOURCES = ("nvidia.com/", "amd.com/", "gpu.intel.com/", "habana.ai/", "rdma/")
_DRIVER = ("nvidia.com/cuda.driver-version.full", "nvidia.com/cuda.driver.major")
_TOOLKIT, _SUPPORTED = "nvidia.com/cuda.runtime.major", "nvidia.com/cuda.runtime-version.major"
_PRODUCT = "nvidia.com/gpu.product"


Queries = Callable[[Snapshot], Iterable[Query]]


class Measured(NamedTuple):
    node: Node
    device: str
    value: float


XID = Query(Shape.GPU_XID, window_seconds=WINDOW_SECONDS)
ECC = Query(Shape.GPU_ECC, window_seconds=WINDOW_SECONDS)
NIC = Query(Shape.NIC_ERRORS)
FABRIC = Query(Shape.FABRIC_DOWNS, window_seconds=WINDOW_SECONDS)


def gpu_queries(query: Query) -> Queries:
    """Asked only where a node has such GPUs."""

    def asked(snapshot: Snapshot) -> Iterable[Query]:
        return (query,) if any(name.startswith("nvidia.com/") for node in snapshot.nodes for name in node.status.capacity) else ()

    return asked


def link_queries(query: Query) -> Queries:
    return lambda snapshot: (query,) if snapshot.nodes else ()


def _values(desk: Desk, query: Query, host: str) -> Iterator[Measured]:
    """By node; what is measured of a machine that is no node is nobody's here."""
    nodes = {node.metadata.name: node for node in desk.snapshot.nodes}
    for sample in sorted(desk.samples.get(query, ()), key=lambda sample: sample.labels):
        node = nodes.get(_host(sample, host))
        if node is not None:
            yield Measured(node, sample.label("gpu"), sample.value)


def _host(sample: Sample, label: str) -> str:
    return sample.label(label).partition(":")[0]


def fatal_xid(desk: Desk) -> Iterator[Sign]:
    for node, gpu, value in _values(desk, XID, "Hostname"):
        if (why := FATAL.get(int(value))) is not None:
            evidence = (measured(desk, desk.snapshot.target("Node", node), XID, f"gpu {gpu}: XID {int(value)}"),)
            yield Sign("Node", node, f"reported XID {int(value)} ({why}) on GPU {gpu}", "What runs on that GPU fails, or will.", evidence)


def uncorrectable(desk: Desk) -> Iterator[Sign]:
    for node, gpu, value in _values(desk, ECC, "Hostname"):
        if value >= 1:
            evidence = (measured(desk, desk.snapshot.target("Node", node), ECC, f"gpu {gpu}: {int(value)} in an hour"),)
            what = f"had {counted(int(value), 'uncorrectable memory error')} on GPU {gpu} within an hour"
            yield Sign(
                "Node", node, what, "Results computed on it are not to be trusted; the process was killed, if all went well.", evidence
            )


def frames_lost(desk: Desk) -> Iterator[Sign]:
    for node, _, value in _values(desk, NIC, "instance"):
        if value > MOST_LOST:
            evidence = (measured(desk, desk.snapshot.target("Node", node), NIC, f"{value:.4f} of the frames"),)
            what = f"receives {value * 100:.2f} % broken frames"
            yield Sign("Node", node, what, "Connections there are slow, and training across nodes waits for its slowest.", evidence)


def links_down(desk: Desk) -> Iterator[Sign]:
    for node, _, value in _values(desk, FABRIC, "instance"):
        if value >= 1:
            evidence = (measured(desk, desk.snapshot.target("Node", node), FABRIC, f"{int(value)} in an hour"),)
            what = f"lost its fabric link {counted(int(value), 'time')} within an hour"
            yield Sign("Node", node, what, "Jobs across nodes that use it fail as a whole.", evidence)


def devices_lost(desk: Desk) -> Iterator[Sign]:
    """What a device plugin offered once and offers no more: its pod died, or a device did."""
    for node in desk.snapshot.nodes:
        for name in sorted(node.status.capacity):
            if not name.startswith(GPU_RESOURCES):
                continue
            has, offers = _count(node.status.capacity[name]), _count(node.status.allocatable.get(name, 0))
            if offers < has:
                evidence = (seen(desk, "Node", node, f"status.allocatable[{name}]", f"{offers} of {has}"),)
                yield Sign(
                    "Node", node, f"offers {offers} of its {has} {name}", "Pods that ask for them wait, though they are paid for.", evidence
                )


def _count(value: object) -> int:
    try:
        return quantities.count(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return 0


def devices_tainted(desk: Desk) -> Iterator[Sign]:
    """What DRA drivers say of their devices: tainted ones, and pools of which not every slice is there."""
    slices = desk.snapshot.of("ResourceSlice")
    pools = Counter((each.spec.driver, each.spec.pool.name, each.spec.pool.generation) for each in slices)
    for each in slices:
        bad = [device for device in each.spec.devices if any(taint.effect in ("NoSchedule", "NoExecute") for taint in device.taints)]
        if bad:
            keys = sorted({taint.key for device in bad for taint in device.taints})
            evidence = (seen(desk, "ResourceSlice", each, "spec.devices[].taints", f"{', '.join(keys)} on {bad[0].name}"),)
            what = f"has {counted(len(bad), 'tainted device')} of {len(each.spec.devices)} ({', '.join(keys)})"
            yield Sign("ResourceSlice", each, what, "No claim gets them; those who hold them may be evicted.", evidence)
        pool = each.spec.pool
        there = pools[each.spec.driver, pool.name, pool.generation]
        if 0 < there < pool.resource_slice_count:
            evidence = (seen(desk, "ResourceSlice", each, "spec.pool.resourceSliceCount", f"{there} of {pool.resource_slice_count}"),)
            matters = "The scheduler gives out nothing of a pool that is not whole."
            yield Sign(
                "ResourceSlice", each, f"is one of {there} of {pool.resource_slice_count} slices of pool {pool.name}", matters, evidence
            )


def driver_skew(desk: Desk) -> Iterator[Sign]:
    """Among nodes with the same GPUs, those whose driver is not the usual one, and those whose toolkit is newer than their driver."""
    groups: dict[str, list[Node]] = {}
    for node in sorted(desk.snapshot.nodes, key=lambda node: node.metadata.name):
        if node.metadata.labels.get(_PRODUCT):
            groups.setdefault(node.metadata.labels[_PRODUCT], []).append(node)
    for product, nodes in groups.items():
        usual, count = Counter(_driver(node) for node in nodes).most_common(1)[0]
        for node in nodes:
            driver, labels = _driver(node), node.metadata.labels
            if usual and driver and driver != usual and count * 2 > len(nodes):
                evidence = (seen(desk, "Node", node, f"metadata.labels[{_DRIVER[0]}]", driver),)
                what = f"has driver {driver}, and {count} of {len(nodes)} nodes with {product} have {usual}"
                yield Sign("Node", node, what, "A job over several nodes sees the difference, and so does nobody else.", evidence)
            toolkit, supported = labels.get(_TOOLKIT, ""), labels.get(_SUPPORTED, "")
            if toolkit.isdigit() and supported.isdigit() and int(toolkit) > int(supported):
                evidence = (seen(desk, "Node", node, f"metadata.labels[{_TOOLKIT}]", f"{toolkit}, the driver runs {supported}"),)
                yield Sign(
                    "Node", node, f"has CUDA {toolkit} on a driver that runs CUDA {supported}", "Its containers do not start.", evidence
                )


def _driver(node: Node) -> str:
    return next((node.metadata.labels[name] for name in _DRIVER if node.metadata.labels.get(name)), "")


_HEAL = "day2 nodes heal NODE drains it; then reset the GPU, or replace the machine."
CHECKS = (
    check(
        "REL-201",
        "GPU with a fatal XID",
        Severity.CRITICAL,
        ("Node",),
        fatal_xid,
        queries=gpu_queries(XID),
        looks="The XID codes that DCGM reported within an hour, of those that no program causes.",
        silent="for codes that are mostly the workload's own (13, 31, 43, 45), and where no node has such GPUs",
        mend=_HEAL,
    ),
    check(
        "REL-202",
        "GPU with uncorrectable memory errors",
        Severity.CRITICAL,
        ("Node",),
        uncorrectable,
        queries=gpu_queries(ECC),
        looks="Double bit ECC errors that DCGM counted within an hour.",
        silent="for corrected errors, and where no node has such GPUs",
        mend=_HEAL,
    ),
    check(
        "REL-203",
        "network card that receives broken frames",
        Severity.HIGH,
        ("Node",),
        frames_lost,
        queries=link_queries(NIC),
        looks="Receive errors of the node exporter against all frames that were received, over five minutes.",
        silent="below one in a thousand, and where the instance is not the node's name",
        mend="Look at cable, transceiver and switch port; day2 nodes heal NODE where the card is it.",
    ),
    check(
        "REL-204",
        "fabric link that goes down",
        Severity.HIGH,
        ("Node",),
        links_down,
        queries=link_queries(FABRIC),
        looks="How often an InfiniBand link of the node went down within an hour, by the node exporter.",
        silent="where nothing is measured, and where the instance is not the node's name",
        mend="Look at cable and switch port; day2 nodes heal NODE before the next large job.",
    ),
    check(
        "REL-205",
        "devices that are not offered any more",
        Severity.HIGH,
        ("Node",),
        devices_lost,
        looks="Extended resources for GPUs and RDMA: what is allocatable against what the node has.",
        silent="for resources that no device plugin offers",
        mend="Look at the device plugin's pod there; where it runs, a device is gone: day2 nodes heal NODE.",
    ),
    check(
        "REL-206",
        "DRA devices that cannot be claimed",
        Severity.HIGH,
        ("ResourceSlice",),
        devices_tainted,
        looks="Devices with a taint that keeps claims away, and pools of which a slice is missing.",
        silent="for taints without an effect, and on clusters that do not serve resource.k8s.io/v1",
        mend="The driver says why in the taint's key; its pods are on the node that the slice names.",
    ),
    check(
        "REL-207",
        "driver of GPUs that is another than its neighbours'",
        Severity.MEDIUM,
        ("Node",),
        driver_skew,
        looks="Labels of GPU feature discovery: driver versions among nodes with the same product, and CUDA of toolkit and driver.",
        silent="without these labels, and where no version is that of more than half",
        mend="Bring the node to the version of the others, or finish the rollout of the driver.",
    ),
)
