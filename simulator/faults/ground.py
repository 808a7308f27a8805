"""The healthy cluster that faults are done to, drawn from a seed: three teams with services that call one another, stores, workers, jobs,
budgets, claims and autoscalers, on nodes of two sorts. The same seed gives the same names and sizes.

`world` is for the simulator; `manifests` are the same objects for any API server. Workloads differ in what they have, so that each fault
finds one that it can befall.
"""

from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from simulator.faults.writes import made
from simulator.worlds import templates
from simulator.worlds.loading import load
from simulator.worlds.world import Workload, World

Json = dict[str, Any]
START = datetime(2026, 11, 23, 12, 24, tzinfo=UTC)
INSTANCE, LARGE = "m6.4xlarge", "m6.8xlarge"
AGE_HOURS = 24 * 40.0
_TEAMS = ("shop", "media", "billing", "search", "travel", "games", "maps", "mail")
_FRONTS = ("web", "portal", "site", "gateway")
_MIDDLES = ("api", "catalog", "basket", "prices")
_TAKERS = ("orders", "bookings", "tickets", "claims")
_STORES = ("store", "ledger", "index", "cache")
_WORKERS = ("worker", "mailer", "encoder", "importer")
_FILES = ("files", "uploads", "archive", "exports")


class Home(NamedTuple):
    """A workload by its place. `container` is the name of its only container."""

    kind: str
    namespace: str
    name: str
    container: str
    image: str
    replicas: int

    @property
    def repository(self) -> str:
        return self.image.rpartition(":")[0]


class Ground(NamedTuple):
    """What is there. `front` calls `middle`, which calls `taker` and `store`; `files` has a claim; `batch` stands on nodes of its own."""

    seed: int
    world: World
    manifests: tuple[Json, ...]
    front: Home
    middle: Home
    taker: Home
    store: Home
    worker: Home
    files: Home
    batch: Home
    agent: Home
    nightly: Home
    nodes: tuple[str, ...]
    pool: tuple[str, ...]
    suffix: str

    @property
    def namespaces(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(home.namespace for home in self.homes))

    @property
    def homes(self) -> tuple[Home, ...]:
        return self.front, self.middle, self.taker, self.store, self.worker, self.files, self.batch, self.agent


def drawn(seed: int, *, suffix: str = "", autoscaled: bool = True) -> Ground:
    """`suffix` ends the names of namespaces and of what has none, for a cluster that others use too."""
    chance = Random(f"faults:{seed}")  # noqa: S311  a draw of cases, not a secret
    one, two, three = (f"{name}{suffix}" for name in chance.sample(_TEAMS, 3))
    front = _service(chance, chance.choice(_FRONTS), one, replicas=2)
    front |= {"hpa": {"min_replicas": 2, "max_replicas": 8}} if autoscaled else {}
    middle = _service(chance, chance.choice(_MIDDLES), one, replicas=3)
    taker = _service(chance, chance.choice(_TAKERS), one, replicas=chance.choice((2, 3)))
    store = _steady(chance, chance.choice(_STORES), one, kind="StatefulSet", replicas=3, service=True, pdb_min_available=1)
    worker = _steady(chance, chance.choice(_WORKERS), two, replicas=chance.choice((2, 3)))
    files = _steady(chance, chance.choice(_FILES), two, replicas=1, service=True)
    batch = _steady(chance, "batch", three, replicas=2, node_selector={"pool": f"batch{suffix}"}, tolerates=(f"batch{suffix}",))
    agent = _steady(chance, "agent", three, kind="DaemonSet")
    nightly = {
        "name": "nightly",
        "namespace": three,
        "kind": "CronJob",
        "probes": False,
        "run_seconds": 40,
        "image": "registry.example/nightly:v1.0.0",
        "age_hours": AGE_HOURS,
        "schedule": "*/10 * * * *",
        "cpu_request_milli": 100,
    }
    calls = {
        front["name"]: {"CATALOG_URL": _url(middle)},
        middle["name"]: {"ORDERS_URL": _url(taker), "STORE_URL": _url(store)},
    }
    documents = [front, middle, taker, store, worker, files, batch, agent, nightly]
    for document in documents:
        document["env"] = calls.get(document["name"], {})
    _wired(front, middle, taker, store)
    general = tuple(f"node-{number}" for number in range(1, 7))
    pool = (f"batch-1{suffix}", f"batch-2{suffix}")
    bare: Json = {
        "name": f"ground-{seed}",
        "start": START,
        "seed": seed,
        "nodes": [
            {"names": general, "cpu_milli": 16_000, "memory_mib": 65_536, "instance_type": INSTANCE, "zones": ["a", "b", "c"]},
            {
                "names": pool,
                "cpu_milli": 8_000,
                "memory_mib": 32_768,
                "instance_type": LARGE,
                "labels": {"pool": f"batch{suffix}"},
                "taints": [f"batch{suffix}=only:NoSchedule"],
            },
        ],
        "namespaces": [{"name": name, "age_hours": 2400} for name in (one, two, three)],
        "workloads": [*documents, _DNS],
        "prices": {INSTANCE: 768_000, LARGE: 384_000},
        "images": {image(taker): {"behaviour": "crash", "unless_env": "DATABASE_URL", "last_words": ["panic: DATABASE_URL is not set"]}},
    }
    manifests = _manifests(load(bare), taker, files, suffix)
    extras: list[Json] = [{"age_hours": AGE_HOURS + 2 - index / 100, "object": item} for index, item in enumerate(manifests)]
    known = [item for item in extras if item["object"]["kind"] != "Namespace"]
    world = load({**bare, "objects": known})
    roles = ("front", "middle", "taker", "store", "worker", "files", "batch", "agent", "nightly")
    homes = dict(zip(roles, map(_home, documents), strict=True))
    return Ground(seed=seed, world=world, manifests=tuple(manifests), nodes=general, pool=pool, suffix=suffix, **homes)


DNS = Home("Deployment", "kube-system", "coredns", "coredns", "registry.example/coredns:v1.12.0", 2)
_DNS: Json = {
    "name": "coredns",
    "namespace": "kube-system",
    "replicas": 2,
    "image": "registry.example/coredns:v1.12.0",
    "labels": {"k8s-app": "kube-dns"},
    "cpu_request_milli": 100,
    "cpu": {"busy_milli": 80},
    "memory_request_mib": 170,
    "memory_limit_mib": 170,
    "memory": {"base_mib": 130},
    "age_hours": AGE_HOURS,
}


def _wired(front: Json, middle: Json, taker: Json, store: Json) -> None:
    """Calls between them: most of what reaches `middle` and `taker` comes from the one before, altogether as much as was drawn."""
    for caller, callee in ((middle, taker), (front, middle)):
        calls, own = callee["traffic"]["base_rps"] * _CALLED, callee["traffic"]
        callee["traffic"] = {name: rps * (1 - _CALLED) for name, rps in own.items()}
        caller.setdefault("calls", []).append({"to": callee["name"], "per_request": calls / _asked(caller)})
    middle["calls"].append({"to": store["name"], "per_request": 0.5})


def _asked(document: Json) -> float:
    """Requests per second of a document whose traffic was not split yet."""
    found: float = document["traffic"]["base_rps"]
    return found


_CALLED = 0.6


def image(document: Json) -> str:
    found: str = document["image"]
    return found


def _home(document: Json) -> Home:
    name = document["name"]
    return Home(document.get("kind", "Deployment"), document["namespace"], name, name, document["image"], document.get("replicas", 1))


def _url(document: Json) -> str:
    return f"http://{document['name']}.{document['namespace']}.svc.cluster.local:80/"


def _service(chance: Random, name: str, namespace: str, **more: Any) -> Json:
    """It serves, and asks for a little more than it uses."""
    rps = chance.choice((80, 90, 100))
    per_rps = 300 * 0.8 / (rps / 3)
    found = _steady(chance, name, namespace, service=True)
    traffic = {"base_rps": rps, "night_rps": rps * 0.45}
    served = {"cpu_request_milli": 300, "traffic": traffic, "cpu": {"idle_milli": 10, "per_rps_milli": round(per_rps, 2)}}
    found |= served | {"latency": {"p99_ms": 80, "rps_per_core": 300}, **more}
    return found | {"pdb_min_available": max(1, found["replicas"] - 1)}


def _steady(chance: Random, name: str, namespace: str, **more: Any) -> Json:
    busy, need = chance.randrange(160, 360, 20), chance.choice((256, 384, 512))
    return {
        "name": name,
        "namespace": namespace,
        "image": f"registry.example/{name}:v{chance.randint(1, 4)}.{chance.randint(0, 9)}.0",
        "age_hours": AGE_HOURS,
        "cpu_request_milli": round(busy * 1.25),
        "cpu": {"idle_milli": 5, "busy_milli": busy},
        "memory_request_mib": need,
        "memory_limit_mib": need,
        "memory": {"base_mib": round(need * 0.81), "needs_mib": round(need * 0.85), "noise": 0.01},
        "template_annotations": {"rig.day2.dev/restart-ms": "300ms", "rig.day2.dev/needs-mi": str(round(need * 0.85))},
        **more,
    }


# -- manifests --------------------------------------------------------------------------------------------------------


def _manifests(world: World, taker: Json, files: Json, suffix: str) -> list[Json]:
    """In the order in which somebody would apply them."""
    found: list[Json] = []
    for namespace in world.namespaces:
        labels = {"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "restricted"}
        labels["pod-security.kubernetes.io/audit"] = "restricted"
        found.append(made("Namespace", namespace.name, metadata={"labels": labels}))
        found += templates.network_policies(namespace.name)
    found += list(_around(taker, files, suffix))
    for workload in world.workloads:
        found += _of(workload, taker, files)
    return found


def _around(taker: Json, files: Json, suffix: str) -> list[Json]:
    """What workloads refer to, a way in from outside, and the cluster's DNS."""
    place, volume = files["namespace"], f"{files['name']}-disk{suffix}"
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
        "storageClassName": "by-hand",
        "volumeName": volume,
    }
    disk = {"capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "by-hand"}
    disk["persistentVolumeReclaimPolicy"] = "Retain"
    disk["hostPath"] = {"path": "/srv/disk"}
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 8080}]
    dns = {"selector": {"k8s-app": "kube-dns"}, "ports": ports}
    return [
        made("ConfigMap", f"{taker['name']}-config", taker["namespace"], data={"LOG_LEVEL": "info", "REGION": "north"}),
        made("Secret", f"{taker['name']}-database", taker["namespace"], stringData={"url": "postgres://store"}, type="Opaque"),
        made("PersistentVolume", volume, spec=disk),
        made("PersistentVolumeClaim", f"{files['name']}-data", place, spec={**claim, "volumeName": volume}),
        made("Service", "kube-dns", "kube-system", metadata={"labels": {"k8s-app": "kube-dns"}}, spec=dns),
        made("IngressClass", f"edge{suffix}", spec={"controller": "example.com/edge"}),
    ]


def _of(workload: Workload, taker: Json, files: Json) -> list[Json]:
    """The workload's object and its companions."""
    found: list[Json] = []
    if workload.namespace != "kube-system":
        found.append(templates.service_account(workload))
    body = templates.workload_object(workload, templates.revisions(workload)[0])
    spec = body["spec"].get("template", {}).get("spec")
    if workload.namespace == "kube-system":
        spec["serviceAccountName"] = "default"
        body["spec"]["template"]["metadata"]["labels"] = {**templates.labels(workload)}
    if workload.name == taker["name"] and workload.namespace == taker["namespace"]:
        reference = {"secretKeyRef": {"name": f"{workload.name}-database", "key": "url"}}
        spec["containers"][0]["env"] = [{"name": "DATABASE_URL", "valueFrom": reference}]
        spec["containers"][0]["envFrom"] = [{"configMapRef": {"name": f"{workload.name}-config"}}]
    if workload.name == files["name"] and workload.namespace == files["namespace"]:
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": f"{workload.name}-data"}}]
        spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        body["spec"]["strategy"] = {"type": "Recreate"}
    found.append(body)
    if workload.service:
        found.append(templates.service(workload))
    if workload.pdb_min_available is not None:
        found.append(templates.disruption_budget(workload))
    if workload.hpa is not None:
        found.append(templates.autoscaler(workload))
    return found
