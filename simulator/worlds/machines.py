"""The machines of a pool as Node objects. Used where a world is populated, and where the market gives a machine back."""

from collections.abc import Mapping, Sequence
from typing import Any

from simulator.controllers.cluster import NODES, PREFIX
from simulator.worlds.world import NodePool

Json = dict[str, Any]
LIFECYCLE = "node.kubernetes.io/lifecycle"
"""Label by which spot machines are told from others."""


def node(pool: NodePool, name: str, index: int, slot: int) -> Json:
    """The node as its kubelet registers it; `index` is its place in the pool, `slot` that among all machines of the world."""
    zone = pool.zones[index % len(pool.zones)]
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        "node.kubernetes.io/instance-type": pool.instance_type,
        "topology.kubernetes.io/region": "sim-1",
        "topology.kubernetes.io/zone": f"sim-1{zone}",
        **({LIFECYCLE: "spot"} if pool.market else {}),
        **pool.labels,
    }
    meta: Json = {"name": name, "labels": labels}
    if name in pool.faults:
        meta["annotations"] = {f"{PREFIX}node": pool.faults[name]}
    spec: Json = {"podCIDR": f"10.{64 + slot // 256}.{slot % 256}.0/24", "providerID": f"sim:///{zone}/{name}"}
    if pool.taints:
        spec["taints"] = [_taint(each) for each in pool.taints]
    return {"apiVersion": "v1", "kind": NODES.kind, "metadata": meta, "spec": spec, "status": _node_status(pool, name, slot)}


def slots(pools: Sequence[NodePool]) -> Mapping[str, int]:
    """The place of each machine among all of the world, by its first name. What the market gives back stands where the one before stood."""
    return {name: slot for slot, name in enumerate(name for pool in pools for name in pool.names)}


def address(slot: int) -> str:
    """The node's own in the machines' network; no two slots share one."""
    return f"10.{slot // 50_000}.{slot // 200 % 250}.{10 + slot % 200}"


def _taint(text: str) -> Json:
    pair, _, effect = text.rpartition(":")
    key, _, value = pair.partition("=")
    return {"key": key, "value": value, "effect": effect} if value else {"key": key, "effect": effect}


def _node_status(pool: NodePool, name: str, slot: int) -> Json:
    def listed(cpu_milli: int, memory_mib: int, gpus: int = pool.gpus) -> Json:
        amounts = {
            "cpu": f"{cpu_milli}m" if cpu_milli % 1000 else str(cpu_milli // 1000),
            "memory": f"{memory_mib * 1024}Ki",
            "pods": str(pool.max_pods),
        }
        return {**amounts, "nvidia.com/gpu": str(gpus)} if pool.gpus else amounts

    return {
        "capacity": listed(pool.cpu_milli, pool.memory_mib),
        "allocatable": listed(pool.cpu_milli - 80, pool.memory_mib - 1024, pool.gpus - (pool.faults.get(name) == "gpu-lost")),
        "addresses": [{"type": "InternalIP", "address": address(slot)}, {"type": "Hostname", "address": name}],
        "nodeInfo": {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "kubeletVersion": "v1.37.2",
            "kubeProxyVersion": "",
            "containerRuntimeVersion": "containerd://2.2.0",
            "kernelVersion": "6.12.0",
            "osImage": "Simulated Linux",
            "bootID": "",
            "machineID": "",
            "systemUUID": "",
        },
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "conditions": [],
    }
