"""Fault recipes: each turns a healthy workload of a world into one with exactly that fault. Applied before populating.

The healthy twin is the same workload without the recipe. What a recipe cannot write into the workload itself (a wedged pod, a binding, an
edited ConfigMap) is done by `populating`.
"""

from collections.abc import Callable

from simulator.worlds.world import Autoscaler, Cliff, GpuModel, MemoryModel, Peak, Revision, Traffic, Workload, World

MINUTES_SINCE_ROLLOUT = 25.0
HEALTHY_MINUTES = 9 * 24 * 60.0


def apply(world: World) -> World:
    """The world with every workload's recipes worked in."""
    return world.model_copy(update={"workloads": tuple(map(afflicted, world.workloads))})


def afflicted(workload: Workload) -> Workload:
    for fault in workload.faults:
        recipe = RECIPES.get(fault)
        workload = recipe(workload) if recipe else workload
    return workload


def _rolled_to(tag: str) -> Callable[[Workload], Workload]:
    def recipe(workload: Workload) -> Workload:
        if workload.revisions:
            return workload
        good = Revision(image=workload.image, age_minutes=HEALTHY_MINUTES)
        bad = Revision(image=f"{workload.image.rpartition(':')[0]}:{tag}", age_minutes=MINUTES_SINCE_ROLLOUT)
        return workload.model_copy(update={"revisions": (good, bad)})

    return recipe


def _oom(workload: Workload) -> Workload:
    needs = workload.memory_limit_mib * 3 // 2
    return workload.model_copy(update={"memory": workload.memory.model_copy(update={"needs_mib": needs})})


def _overprovisioned(workload: Workload) -> Workload:
    """Five times what it uses, and no harm in giving it back."""
    used = workload.cpu.idle_milli + workload.cpu.busy_milli + _share(workload) * workload.cpu.per_rps_milli
    return workload.model_copy(update={"cpu_request_milli": max(500, int(used * 5)), "cpu_limit_milli": 0})


def _share(workload: Workload) -> float:
    return workload.traffic.base_rps / max(1, workload.replicas) if workload.traffic else 0.0


def _idle(workload: Workload) -> Workload:
    cpu = workload.cpu.model_copy(update={"idle_milli": 1, "busy_milli": 0, "per_rps_milli": 0})
    return workload.model_copy(update={"traffic": None, "cpu": cpu, "cpu_request_milli": 500})


def _burst_cliff(workload: Workload) -> Workload:
    cliff = Cliff(below_cpu_request_milli=workload.cpu_request_milli * 6 // 10, p99_ms=workload.latency.p99_ms * 6.5)
    return workload.model_copy(update={"latency": workload.latency.model_copy(update={"cliffs": (cliff,)})})


def _privileged(workload: Workload) -> Workload:
    return workload.model_copy(update={"security": "privileged"})


def _host_pid(workload: Workload) -> Workload:
    return workload.model_copy(update={"security": "privileged-hostpid"})


def _gang_stuck(workload: Workload) -> Workload:
    changed = {
        "kind": "Job",
        "gang": True,
        "gpus": max(1, workload.gpus),
        "gpu": workload.gpu or GpuModel(utilisation_percent=95),
        "run_seconds": 3600,
    }
    return workload.model_copy(update={**changed, "service": False, "probes": False, "pdb_min_available": None})


def _gpu_idle(workload: Workload) -> Workload:
    return workload.model_copy(update={"gpus": max(1, workload.gpus), "gpu": GpuModel(utilisation_percent=0)})


def _hpa_floor(workload: Workload) -> Workload:
    high = max(8, workload.replicas)
    return workload.model_copy(update={"replicas": high, "hpa": Autoscaler(min_replicas=high, max_replicas=high + 4)})


def _hpa_maxed(workload: Workload) -> Workload:
    """Twice the target's use at the largest size that is allowed."""
    size = max(2, workload.replicas)
    busy = workload.cpu.model_copy(update={"per_rps_milli": 0, "busy_milli": workload.cpu_request_milli * 1.2})
    hpa = Autoscaler(min_replicas=1, max_replicas=size)
    return workload.model_copy(update={"replicas": size, "hpa": hpa, "cpu": busy})


def _cpu_saturated(workload: Workload) -> Workload:
    """Twice the load that its CPU can carry, and a limit that holds it back."""
    traffic = workload.traffic or Traffic(base_rps=100)
    limit = workload.cpu_limit_milli or workload.cpu_request_milli
    capacity = traffic.base_rps / max(1, workload.replicas) / 1.4 / (limit / 1000)
    latency = workload.latency.model_copy(update={"rps_per_core": capacity})
    cpu = workload.cpu.model_copy(update={"busy_milli": limit * 1.1})
    return workload.model_copy(update={"traffic": traffic, "cpu_limit_milli": limit, "latency": latency, "cpu": cpu})


def _memory_near_limit(workload: Workload) -> Workload:
    limit = workload.memory_limit_mib
    return workload.model_copy(update={"memory": MemoryModel(base_mib=limit * 0.95, noise=0.015)})


def _stale_config(workload: Workload) -> Workload:
    changed = {"config_map": workload.config_map or f"{workload.name}-config", "traffic": workload.traffic or Traffic(base_rps=50)}
    return workload.model_copy(update=changed)


def _peak_ahead(workload: Workload) -> Workload:
    """A rise to four times the load that a reactive autoscaler meets too late, because pods take 90 s to become ready."""
    base = workload.traffic.base_rps if workload.traffic else 200.0
    peak = Peak(at="13:00", rps=base * 4, weekdays_only=True)
    traffic = Traffic(base_rps=base, night_rps=base * 0.3, peaks=(peak,), weekend_factor=0.4)
    size = max(2, workload.replicas)
    per_rps = workload.cpu_request_milli * 0.52 / (base / size)
    latency = workload.latency.model_copy(update={"rps_per_core": base / size / 0.6 / (workload.cpu_request_milli / 1000), "burst": 1.0})
    changed = {
        "replicas": size,
        "traffic": traffic,
        "ready_seconds": 90,
        "latency": latency,
        "cpu": workload.cpu.model_copy(update={"per_rps_milli": per_rps}),
    }
    return workload.model_copy(
        update={**changed, "service": True, "hpa": workload.hpa or Autoscaler(min_replicas=size, max_replicas=size * 4)}
    )


RECIPES: dict[str, Callable[[Workload], Workload]] = {
    "crash-after-rollout": _rolled_to("crash"),
    "errors-after-rollout": _rolled_to("errors"),
    "image-missing": _rolled_to("missing"),
    "oom": _oom,
    "overprovisioned": _overprovisioned,
    "idle": _idle,
    "burst-cliff": _burst_cliff,
    "privileged": _privileged,
    "hostpid": _host_pid,
    "gang-stuck": _gang_stuck,
    "gpu-idle": _gpu_idle,
    "hpa-floor-too-high": _hpa_floor,
    "hpa-maxed": _hpa_maxed,
    "cpu-saturated": _cpu_saturated,
    "memory-near-limit": _memory_near_limit,
    "stale-config": _stale_config,
    "peak-ahead": _peak_ahead,
}
"""`unready-forever`, `cluster-admin-sa` and the edit of `stale-config` are done to the populated cluster."""
