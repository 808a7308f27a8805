"""A small cluster in memory that counts its effects, and a judge and an executor around one ledger."""

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.actions.cordon_node import CordonNode
from core.actions.delete_pod import DeletePod
from core.actions.scale_workload import ScaleWorkload
from core.cluster.kinds import KINDS, Kind
from core.cluster.snapshot import Snapshot
from core.domain.action import Action
from core.domain.api_request import ApiRequest
from core.domain.approval import Approval
from core.domain.errors import Conflict, OutcomeUnknown, Refused
from core.domain.evidence import observe
from core.domain.facts import Facts
from core.domain.ledger import ActionRow, Ledger
from core.domain.objective import Autonomy, Objective, Objectives, Scope
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import Json
from core.domain.verdict import Decision, RuleResult
from core.policy.declarations import Grant
from gate import approvals, keys
from gate.door import LedgerDoor
from gate.executing.hands import ROLE, Hands
from gate.executing.machine import execute_once, resume
from gate.judging.loop import judge_once
from gate.judging.sources import Bench
from tools.hand_clock import HandClock
from tools.metrics.twin import TableMetrics
from tools.stores.memory import MemoryLedger

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLUSTER = "cluster-1"


class TwinCluster:
    """Objects by kind, namespace and name. Merges patches, bumps generations, and remembers every write that was stored."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.effects: list[tuple[str, ApiRequest]] = []
        self.permits: list[str] = []
        self.forbidden: set[str] = set()
        self.before_reply: Callable[[ApiRequest], None] = lambda _: None
        self.before_store: Callable[[ApiRequest], None] = lambda _: None
        self._versions = itertools.count(100)

    def put(self, item: Json) -> Json:
        item.setdefault("metadata", {})["resourceVersion"] = str(next(self._versions))
        self.objects[item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]] = item
        return item

    def object(self, kind: str, namespace: str, name: str) -> Json:
        return self.objects[kind, namespace, name]

    async def cluster_uid(self) -> str:
        return CLUSTER

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        return copy.deepcopy(self.objects.get((kind.name, namespace, name)))

    async def list(self, kind: Kind, namespace: str = "", *, labels: Mapping[str, str] | None = None) -> Sequence[Json]:
        return [copy.deepcopy(item) for key, item in sorted(self.objects.items()) if key[0] == kind.name and namespace in ("", key[1])]

    async def snapshot(self, kinds: Sequence[str], namespaces: Sequence[str] = ()) -> Snapshot:
        raise NotImplementedError

    async def log(self, namespace: str, pod: str, container: str, *, previous: bool = False, lines: int = 40) -> str:
        return ""

    async def usage(self, namespace: str) -> Sequence[Json]:
        return ()

    async def allowed(self, user: str, verb: str, group: str, resource: str, subresource: str, namespace: str) -> bool:
        return f"{verb} {resource}" not in self.forbidden

    async def preview(self, request: ApiRequest, *, agent: str) -> Json:
        return self._changed(request)

    async def send(self, request: ApiRequest, *, agent: str, permit: str, dry_run: bool = False) -> Json:
        assert permit, "a write without a permit"
        if not dry_run:
            self.before_store(request)
        changed = self._changed(request)
        if dry_run:
            return changed
        kind = next(kind for kind in KINDS.values() if kind.resource == request.resource)
        if request.verb == "delete":
            del self.objects[kind.name, request.namespace, request.name]
        else:
            self.put(changed)
        self.effects.append((agent, request))
        self.permits.append(permit)
        self.before_reply(request)
        return copy.deepcopy(changed)

    def _changed(self, request: ApiRequest) -> Json:
        kind = next(kind for kind in KINDS.values() if kind.resource == request.resource)
        live = self.objects.get((kind.name, request.namespace, request.name))
        if request.makes:
            if live is not None:
                raise Conflict(f"{request.resource}/{request.name} already exists")
            assert isinstance(request.body, dict)
            made = copy.deepcopy(request.body)
            return {**made, "metadata": {**made["metadata"], "uid": f"uid-{request.name}", "generation": 1}}
        if live is None:
            raise Refused((f"{request.resource}/{request.name} is not there any more",))
        body: Any = request.body
        if request.verb == "delete":
            wanted = body.get("preconditions") or {}
            if wanted.get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
                raise Conflict("the uid in the precondition does not match")
            if wanted.get("resourceVersion", live["metadata"]["resourceVersion"]) != live["metadata"]["resourceVersion"]:
                raise Conflict("ResourceVersion in the precondition does not match")
            return copy.deepcopy(live)
        if isinstance(body, list):
            return patched(live, body)
        if body.get("metadata", {}).get("uid", live["metadata"]["uid"]) != live["metadata"]["uid"]:
            raise Conflict("the uid does not match")
        changed = merged(live, body)
        if changed["spec"] != live["spec"] and "generation" in live["metadata"]:
            changed["metadata"]["generation"] = live["metadata"]["generation"] + 1
        return changed


def patched(live: Json, operations: list[Json]) -> Json:
    """A JSON patch, as far as these tests go: `test` and `replace` of fields of maps."""
    found = copy.deepcopy(live)
    for operation in operations:
        *steps, last = operation["path"].strip("/").split("/")
        place = found
        for step in steps:
            place = place[step]
        if operation["op"] == "test" and place[last] != operation["value"]:
            raise Conflict(f"{operation['path']} is another")
        place[last] = operation["value"]
    return found


def merged(old: Any, patch: Any) -> Any:
    """A strategic merge, as far as these tests go: maps merge, lists of named items merge by name, null removes."""
    if isinstance(old, dict) and isinstance(patch, dict):
        found = copy.deepcopy(old)
        for key, value in patch.items():
            if value is None:
                found.pop(key, None)
            else:
                found[key] = merged(old.get(key), value)
        return found
    if isinstance(old, list) and isinstance(patch, list) and all(isinstance(item, dict) and "name" in item for item in [*old, *patch]):
        by_name = {item["name"]: item for item in patch}
        return [merged(item, by_name[item["name"]]) if item["name"] in by_name else item for item in old]
    return copy.deepcopy(patch)


class TableRules:
    """Rules by a table: what each says, always. `seen` are the facts it was given."""

    def __init__(self, decision: Decision = Decision.ALLOW) -> None:
        self.decision = decision
        self.enough = 1
        self.seen: list[Facts] = []
        self.digest = "rules-of-a-test"

    def judge(self, action: Action, facts: Facts) -> tuple[RuleResult, ...]:
        self.seen.append(facts)
        if self.decision is Decision.ALLOW or (self.decision is Decision.NEEDS_APPROVAL and len(facts.approvals) >= self.enough):
            return (RuleResult(rule="table", result="pass", on_fail=Decision.DENY),)
        return (RuleResult(rule="table", result="fail", on_fail=self.decision, message="the table says so"),)


class CountedIds:
    def __init__(self) -> None:
        self._next = itertools.count(1)

    def new(self, prefix: str) -> str:
        return f"{prefix}-{next(self._next):04}"


def deployment(name: str = "cart", replicas: int = 2, namespace: str = "shop") -> Json:
    marks = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", "generation": 1, "labels": dict(marks)},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": marks},
            "template": {
                "metadata": {"labels": marks},
                "spec": {
                    "containers": [
                        {"name": "app", "image": "registry.example/cart:1", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}
                    ]
                },
            },
        },
        "status": {
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": replicas,
            "readyReplicas": replicas,
        },
    }


def pod(name: str, app: str = "cart", namespace: str = "shop", node: str = "node-1") -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "labels": {"app": app},
            "creationTimestamp": "2026-11-23T10:00:00Z",
        },
        "spec": {"nodeName": node, "containers": [{"name": "app", "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}}}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "restartCount": 0}],
        },
    }


def node(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": f"uid-{name}"},
        "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "8", "memory": "32Gi"}},
    }


def settle(cluster: TwinCluster, name: str = "cart") -> None:
    """What the controllers and kubelets do after a write."""
    live = cluster.object("Deployment", "shop", name)
    count = live["spec"]["replicas"]
    live["status"] = {
        "observedGeneration": live["metadata"]["generation"],
        **dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), count),
    }
    for key in [key for key in cluster.objects if key[0] == "Pod" and key[2].startswith(f"{name}-")]:
        del cluster.objects[key]
    for number in range(count):
        cluster.put(pod(f"{name}-{number}", name))


def scale(name: str = "cart", old: int = 2, new: int = 4, action_id: str = "act-scale1") -> ScaleWorkload:
    target = Target(cluster=CLUSTER, group="apps", kind="Deployment", namespace="shop", name=name, uid=f"uid-{name}")
    return ScaleWorkload(id=action_id, target=target, from_replicas=old, to_replicas=new)


def cordon(name: str = "node-1") -> CordonNode:
    return CordonNode(id="act-cordon1", target=Target(cluster=CLUSTER, kind="Node", name=name, uid=f"uid-{name}"))


def delete_pod(name: str = "cart-0") -> DeletePod:
    target = Target(cluster=CLUSTER, kind="Pod", namespace="shop", name=name, uid=f"uid-{name}")
    return DeletePod(id="act-delete1", target=target, from_owner="")


def proposal(action: Action, **changes: Any) -> Proposal:
    told = {
        "action": action,
        "agent": "scaling",
        "run": "run-1",
        "why": "traffic grows",
        "evidence": (observe("metric", action.target, "rate", "12", START),),
        "effect": Effect(summary="enough copies"),
        "expires_at": START + timedelta(hours=2),
    }
    return Proposal(**told | changes)  # type: ignore[arg-type]


def lose_the_reply(_: ApiRequest) -> None:
    raise OutcomeUnknown("the connection broke after the request was sent")


@dataclass
class Gate:
    """One judge, one executor, one door, on one ledger and one cluster."""

    cluster: TwinCluster
    ledger: Ledger
    clock: HandClock
    rules: TableRules
    bench: Bench
    hands: Hands
    door: LedgerDoor
    person: keys.Signer
    _ids: CountedIds = field(default_factory=CountedIds)

    scale = staticmethod(scale)
    cordon = staticmethod(cordon)
    delete_pod = staticmethod(delete_pod)
    proposal = staticmethod(proposal)
    pod = staticmethod(pod)
    deployment = staticmethod(deployment)
    lose_the_reply = staticmethod(lose_the_reply)

    def settle(self, name: str = "cart") -> None:
        settle(self.cluster, name)

    @property
    def replicas(self) -> int:
        return int(self.cluster.object("Deployment", "shop", "cart")["spec"]["replicas"])

    async def submit(self, proposal: Proposal, by: str = "operator") -> str:
        return (await self.door.submit(proposal, by=by)).action_id

    async def judge(self) -> None:
        await judge_once(self.bench)

    async def execute(self) -> None:
        await execute_once(self.hands)

    async def restart(self) -> None:
        """A new executor process on the same ledger."""
        self.hands = replace(self.hands, owner=self._ids.new("executor"))
        await resume(self.hands)

    async def watch(self, seconds: int, step: int = 5) -> None:
        for _ in range(seconds // step):
            self.clock.advance(step)
            await self.execute()

    def row(self, action_id: str) -> ActionRow:
        found = self.ledger.get(action_id)
        assert found is not None
        return found

    def approve(self, action_id: str, by: str, decision: Any = "approved", **changes: Any) -> bool:
        row = self.row(action_id)
        approval = Approval(
            id=self._ids.new("approval"),
            action_id=action_id,
            action_digest=row.digest,
            decision=decision,
            by=by,
            door="cli",
            reason="looked at it",
            at=self.clock.now(),
            expires_at=self.clock.now() + timedelta(hours=8),
        )
        return self.ledger.approve(approvals.sign(approval.model_copy(update=changes), self.person))


def small_cluster() -> TwinCluster:
    """A namespace, four nodes, and a Deployment of two pods."""
    made = TwinCluster()
    made.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "uid": "uid-shop"}, "spec": {}})
    for number in range(1, 5):
        made.put(node(f"node-{number}"))
    made.put(deployment())
    settle(made)
    return made


@pytest.fixture
def cluster() -> TwinCluster:
    return small_cluster()


@pytest.fixture
def ledger() -> Ledger:
    return MemoryLedger()


@pytest.fixture
def gate(cluster: TwinCluster, ledger: Ledger, tmp_path: Path) -> Gate:
    return gated(cluster, ledger, tmp_path / "keys")


def gated(cluster: TwinCluster, ledger: Ledger, folder: Path) -> Gate:
    """A judge and an executor around this cluster, with their keys in the folder; only who has one there signs decisions."""
    clock, rules = HandClock(START), TableRules()
    judge, person = keys.signer(folder, keys.JUDGE), keys.signer(folder, f"{keys.DOOR}cli")
    trust = {"*": Autonomy.GUARDED}
    objective = Objective(name="shop", scope=Scope(namespaces=("shop",)), serves="reliability", priority=1, autonomy=trust, vouched=trust)
    bench = Bench(
        ledger=ledger,
        reader=cluster,
        previewer=cluster,
        metrics=TableMetrics(),
        clock=clock,
        key=judge,
        doors=keys.doors(folder),
        rules=rules,
        ids=CountedIds(),
        objectives=Objectives(items=(objective,)),
        grants=(Grant(name="scaling", agent="scaling", capabilities=("*",)),),
        record_key=judge.verifier,
    )
    hands = Hands(
        ledger=ledger,
        writer=cluster,
        reader=cluster,
        metrics=TableMetrics(),
        clock=clock,
        judge=judge.verifier,
        key=keys.signer(folder, ROLE),
        owner="executor-0",
        settle_seconds=5,
    )
    return Gate(cluster, ledger, clock, rules, bench, hands, LedgerDoor(ledger, clock), person)
