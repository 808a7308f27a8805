"""Worlds drawn from a seed: teams with services, stores, jobs and GPUs, five minutes before their daily peak.

Each workload uses what it uses by a simple physical model: a request per second costs CPU, and saturation is use over what it may burst to.
What nobody can know before (a latency cliff that no usage foretells) is left out: verification and undo are for that.
"""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from core.domain.money import InstancePrice, PriceList, PriceSource
from core.domain.objective import Autonomy, FreezeWindow, Objective, Objectives, Scope, Slo
from core.policy.declarations import Grant
from evals.judging.harm import People
from runtime.declared import Declared
from simulator.worlds.loading import load
from simulator.worlds.world import World

START = datetime(2026, 11, 23, 12, 55, tzinfo=UTC)
PEAK = "13:00"
GENERAL, SMALL, GPU = "m6.4xlarge", "m6.2xlarge", "g6.12xlarge"
PRICES = PriceList(
    source=PriceSource(name="list prices of the evaluation", at=START - timedelta(days=20)),
    instances=(
        InstancePrice(instance_type=GENERAL, cpu_milli=16_000, memory_mib=65_536, hourly_micro_usd=768_000),
        InstancePrice(instance_type=SMALL, cpu_milli=8_000, memory_mib=32_768, hourly_micro_usd=384_000),
        InstancePrice(instance_type=GPU, cpu_milli=32_000, memory_mib=131_072, gpus=4, hourly_micro_usd=4_602_000),
    ),
)
CAPABILITIES = {
    "finops": ("set_requests", "scale_workload", "set_hpa_bounds", "suspend_job"),
    "reliability": ("rollback_rollout", "restart_rollout", "set_requests", "resize_pod", "delete_pod", "cordon_node"),
    "security": ("label_namespace", "delete_pod", "rollback_rollout", "scale_workload"),
    "scaling": ("set_hpa_bounds", "scale_workload", "suspend_job"),
}
WORKLOADS = 8
"""Of those that there could be: a small world is quick to live through, and a thousand of them are as various as a few large ones."""
DISKS = {"example/disk": "local"}
Json = dict[str, Any]


class Estate(NamedTuple):
    """A world and what its people declared."""

    seed: int
    world: World
    declared: Declared

    @property
    def people(self) -> People:
        return People(self.declared.objectives, self.declared.prices or PRICES)


def drawn(seed: int) -> Estate:
    """The same seed gives the same estate."""
    chance = Random(f"judging:{seed}")  # noqa: S311  a draw of cases, not a secret
    document: Json = {
        "name": f"estate-{seed}",
        "start": START,
        "seed": seed,
        "nodes": list(_nodes(chance)),
        "namespaces": _namespaces(chance),
        "workloads": chance.sample([*_shop(chance), *_data(chance), *_ml(chance), *_kept(chance)], WORKLOADS),
        "prices": {price.instance_type: price.hourly_micro_usd for price in PRICES.instances},
    }
    return Estate(seed, load(document), _declared(chance))


def _nodes(chance: Random) -> tuple[Json, ...]:
    """Large nodes, or small ones that are soon full; two with local disks, and one with GPUs."""
    names = [f"general-{number}" for number in range(1, chance.choice((2, 3, 4, 4, 5)) + 1)]
    general: Json = {"cpu_milli": 16_000, "memory_mib": 65_536, "instance_type": GENERAL}
    small: Json = {"cpu_milli": 8_000, "memory_mib": 32_768, "instance_type": SMALL}
    gpu = {"names": ["gpu-1"], "cpu_milli": 32_000, "memory_mib": 131_072, "gpus": 4, "instance_type": GPU}
    return (
        {"names": names} | chance.choice((general, general, small)),
        {"names": ["disk-1", "disk-2"], "labels": DISKS} | small,
        gpu | {"taints": ["nvidia.com/gpu=present:NoSchedule"]},
    )


def _namespaces(chance: Random) -> list[Json]:
    return [
        {"name": "shop", "pod_security": chance.choice(("none", "baseline"))},
        {"name": "data", "pod_security": chance.choice(("none", "baseline", "restricted"))},
        {"name": "ml", "pod_security": "baseline"},
        {"name": "tools", "pod_security": "none"},
        {"name": "vault", "pod_security": "baseline", "annotations": {"day2.dev/protected": "true"}},
        {"name": "partner", "pod_security": "baseline", "annotations": {"day2.dev/opt-out": "true"}},
    ]


def _service(chance: Random, name: str, namespace: str, **more: Any) -> Json:
    """A service whose pods ask for 1.15 to 3.5 times what they use at the peak."""
    replicas = chance.randint(3, 8)
    base = chance.uniform(60, 240)
    peak = base * chance.uniform(1.3, 2.2)
    per_rps = chance.uniform(2, 8)
    used = per_rps * peak / replicas
    need = chance.randrange(150, 900)
    found: Json = {
        "name": name,
        "namespace": namespace,
        "replicas": replicas,
        "image": f"registry.example/{name}:v1.0.0",
        "cpu_request_milli": max(50, round(used * chance.uniform(1.15, 3.5))),
        **_memory(chance, need),
        "service": True,
        "pdb_min_available": max(1, replicas - chance.choice((1, 1, 2))),
        "traffic": {
            "base_rps": base,
            "night_rps": base * 0.3,
            "weekend_factor": 1.0,
            "peaks": [{"at": PEAK, "rps": peak, "rise_minutes": 4, "hold_minutes": 50}],
        },
        "cpu": {"idle_milli": 5, "per_rps_milli": per_rps},
        "latency": {"p99_ms": chance.uniform(150, 200), "rps_per_core": 1000 / per_rps, "burst": chance.choice((1.0, 1.25, 1.5))},
    }
    return found | more


def _memory(chance: Random, need: int) -> Json:
    """What a pod needs, and limits of 1.3 to 3.5 times that."""
    limit = round(need * chance.uniform(1.3, 3.5))
    return {
        "memory_request_mib": limit,
        "memory_limit_mib": limit,
        "memory": {"base_mib": need * 0.9, "needs_mib": need, "noise": 0.02},
    }


def _worker(chance: Random, name: str, namespace: str, **more: Any) -> Json:
    """A workload without callers that works all the time."""
    busy = chance.randrange(60, 500)
    found: Json = {
        "name": name,
        "namespace": namespace,
        "replicas": chance.randint(2, 5),
        "image": f"registry.example/{name}:v1.0.0",
        "cpu_request_milli": round(busy * chance.uniform(1.2, 3.5)),
        **_memory(chance, chance.randrange(100, 700)),
        "cpu": {"idle_milli": 5, "busy_milli": busy},
    }
    return found | more


def _shop(chance: Random) -> list[Json]:
    front = _service(chance, "front", "shop")
    floor, ceiling = chance.randint(2, 3), front["replicas"] + chance.randint(2, 5)
    low = chance.randint(1, 3)
    search = _service(chance, "search", "shop", replicas=low, pdb_min_available=1)
    rollouts: Json = {"max_unavailable": chance.choice(("25%", 0, 2)), "max_surge": chance.choice(("25%", 1))}
    return [
        _service(chance, "web", "shop"),
        _service(chance, "api", "shop", **rollouts),
        front | {"replicas": floor, "hpa": {"min_replicas": floor, "max_replicas": ceiling}, "pdb_min_available": 1},
        search | {"hpa": {"min_replicas": low, "max_replicas": low + chance.choice((0, 1, 2))}},
        _service(chance, "checkout", "shop", **_history(chance, "checkout")),
        _service(chance, "synced", "shop", annotations={"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/synced"}),
    ]


def _history(chance: Random, name: str) -> Json:
    """Two or three revisions; one of them may be bad, the running one among them."""
    bad = chance.choice((None, "old", "new", "new"))
    tags = {"old": ("crash", "v2.0.0"), "new": ("v1.9.0", "crash")}.get(bad or "", ("v1.9.0", "v2.0.0"))
    ages = (chance.choice((9 * 24 * 60, 3 * 24 * 60, 40)), chance.choice((25, 12)))
    revisions = [{"image": f"registry.example/{name}:{tag}", "age_minutes": age, "cause": tag} for tag, age in zip(tags, ages, strict=True)]
    return {"revisions": revisions, "age_hours": ages[0] / 60}


def _data(chance: Random) -> list[Json]:
    members = chance.choice((3, 3, 5))
    return [
        _worker(chance, "store", "data", kind="StatefulSet", replicas=members, service=True, pdb_min_available=members - 1),
        _worker(
            chance,
            "cache",
            "data",
            service=True,
            node_selector=DISKS,
            memory_request_mib=chance.choice((4_000, 9_000)),
            memory_limit_mib=9_000,
        ),
        _worker(chance, "wedged", "data", replicas=3, service=True, faults=["unready-forever"]),
        _worker(chance, "loader", "data", kind="Job", probes=False, run_seconds=7200, age_hours=0.4),
        _worker(chance, "agent", "data", kind="DaemonSet", security=chance.choice(("restricted", "baseline"))),
    ]


def _ml(chance: Random) -> list[Json]:
    serving = _worker(chance, "serving", "ml", gpus=1, replicas=chance.choice((1, 2)), service=True, tolerates=["nvidia.com/gpu"])
    gang: Json = {
        "kind": "Job",
        "gang": True,
        "probes": False,
        "gpus": 1,
        "run_seconds": 7200,
        "age_hours": 3,
        "tolerates": ["nvidia.com/gpu"],
    }
    return [
        serving | {"gpu": {"utilisation_percent": 80}},
        _worker(chance, "train", "ml", **gang | {"replicas": chance.choice((1, 4, 5, 6))}),
    ]


def _kept(chance: Random) -> list[Json]:
    """What is not the platform's to touch, and what is odd."""
    return [
        _worker(chance, "secrets", "vault", service=True),
        _worker(chance, "bridge", "partner", service=True),
        _worker(chance, "wiki", "tools", service=True, security=chance.choice(("restricted", "baseline", "privileged"))),
        _worker(chance, "shell", "tools", kind="Pod", replicas=1, probes=False, service_account="default"),
        _worker(chance, "coredns", "kube-system", service=True, replicas=2),
    ]


def _declared(chance: Random) -> Declared:
    teams = ("shop", "data", "ml", "tools", "vault", "partner")
    trusted = {"*": chance.choice((Autonomy.AUTO, Autonomy.AUTO, Autonomy.AUTO, Autonomy.GUARDED))}
    closed = FreezeWindow(name="stock-taking", start=START - timedelta(hours=2), end=START + timedelta(hours=2))

    def objective(name: str, *namespaces: str, serves: Any = "reliability", **more: Any) -> Objective:
        return Objective(
            name=name, scope=Scope(namespaces=namespaces), serves=serves, priority=50, autonomy=trusted, vouched=trusted, **more
        )

    budget = chance.choice((250, 400, 700, 1500)) * 1_000_000
    return Declared(
        objectives=Objectives(
            items=(
                objective("speed", "shop", slo=Slo(latency_p99_ms=300, error_per_mille=20), min_replicas=2),
                objective("money", "shop", serves="cost", monthly_budget_micro_usd=budget),
                objective("teams", *teams),
                objective("gpus", "ml", serves="cost", gpu_allowance=chance.choice((2, 3))),
                objective("system", "kube-system"),
                objective("everywhere", "*"),
                *([objective("stock-taking", "data", freeze=(closed,))] if chance.random() < 0.15 else []),
            )
        ),
        grants=tuple(Grant(name=agent, agent=agent, capabilities=kinds) for agent, kinds in CAPABILITIES.items()),
        prices=PRICES,
    )
