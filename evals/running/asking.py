"""Actions that a case has somebody ask for, made of what stands in the cluster. Each is judged; `carried` ones go the whole way."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from core.actions.catalogue import parse_action
from core.cluster import quantities
from core.cluster.kinds import KINDS
from core.domain.errors import Day2Error
from core.domain.evidence import observe
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from core.domain.values import bounded, identifier
from evals.cases.case import Asked
from evals.contestants import product
from evals.running.stages import Stage, said
from evals.running.trial import Judged
from simulator.controllers.cluster import REPLICA_SETS

Json = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
_GOOD = timedelta(hours=2)


async def judged(stage: Stage, number: int, asked: Asked) -> Judged:
    """What the judge said. Raises RuntimeError where the object is not there, or the arguments are no such action's."""
    proposal = await _proposal(stage, number, asked)
    try:
        decision, packs = said(await stage.court.judge(proposal))
    except Day2Error as refused:
        return Judged(asked.kind, asked.target, "deny", ("gate",), asked.verdict, ended=bounded(str(refused), 200))
    ended = ""
    if asked.carried and decision != "deny":
        await product.carried(stage, [proposal])
        ended = stage.actions[-1].ended
    return Judged(asked.kind, asked.target, decision, packs, asked.verdict, ended=ended, asked=decision == "needs_approval")


async def _proposal(stage: Stage, number: int, asked: Asked) -> Proposal:
    item = await _object(stage, asked.target)
    home = await stage.get("Namespace", "", "kube-system")
    meta, kind = item["metadata"], KINDS[item["kind"]]
    target = Target(
        cluster=str(home["metadata"]["uid"]) if home else "",
        group=kind.group,
        kind=kind.name,
        namespace=meta.get("namespace", ""),
        name=meta["name"],
        uid=meta["uid"],
    )
    found = _FOUND[asked.kind](stage, item, asked.arguments) if asked.kind in _FOUND else {}
    body = {
        "id": identifier("act", stage.case.id, stage.scene.seed, number),
        "kind": asked.kind,
        "target": target.model_dump(mode="json"),
        **asked.arguments,
        **found,
    }
    try:
        action = parse_action(body)
    except Day2Error as wrong:
        raise RuntimeError(f"asks.{number}: {wrong}") from wrong
    now, version = stage.scene.running.clock.now(), meta["resourceVersion"]
    seen = observe("object", target, "metadata.resourceVersion", version, now, resource_version=version)
    return Proposal(
        action=action,
        agent=asked.agent,
        run=f"run-{stage.case.id}-{stage.scene.seed}-{number}",
        why=bounded(asked.why, 400),
        evidence=(seen,),
        effect=Effect(summary="as the action says"),
        expires_at=stage.court.bench.clock.now().replace(microsecond=0) + _GOOD,
    )


async def _object(stage: Stage, on: str) -> Json:
    kind, *rest = on.split("/")
    namespace, name = (rest[0], rest[1]) if len(rest) > 1 else ("", rest[0])
    for item in await stage.listed(kind, namespace):
        if fnmatchcase(item["metadata"]["name"], name):
            return {**item, "kind": kind}
    raise RuntimeError(f"there is no {on} in the world of {stage.case.id}")


# -- what a proposer sees ----------------------------------------------------------------------------------------------

_Found = Callable[[Stage, Json, Json], Json]


def _sizings(_: Stage, item: Json, told: Json) -> Json:
    """`container` sizes by name of the case become sizings with what the container asks for now."""
    containers = {each["name"]: each for each in item["spec"]["template"]["spec"]["containers"]}
    found = []
    for sizing in told.get("sizings", ()):
        name = sizing.get("container") or next(iter(containers))
        resources = containers[name].get("resources", {})
        now = {
            "cpu_milli": quantities.cpu_milli(resources.get("requests", {}).get("cpu", 0)),
            "memory_mib": quantities.memory_mib(resources.get("requests", {}).get("memory", 0)),
            "memory_limit_mib": quantities.memory_mib(resources.get("limits", {}).get("memory", 0)),
        }
        found.append({"container": name, "from_sizes": {key: now[key] for key in sizing["to_sizes"]}, "to_sizes": sizing["to_sizes"]})
    return {"sizings": found}


def _levels(_: Stage, item: Json, told: Json) -> Json:
    labels = item["metadata"].get("labels", {})
    return {
        "levels": [{**level, "from_level": labels.get(f"pod-security.kubernetes.io/{level['mode']}")} for level in told.get("levels", ())]
    }


def _owner(_: Stage, item: Json, __: Json) -> Json:
    owners = item["metadata"].get("ownerReferences", ())
    return {"from_owner": next((f"{each['kind']}/{each['name']}" for each in owners if each.get("controller")), "")}


def _revision(stage: Stage, item: Json, _: Json) -> Json:
    """The revision before."""
    owned = stage.scene.running.cluster.owned(REPLICA_SETS, item["metadata"]["uid"])
    ordered = sorted(owned, key=lambda each: int(each["metadata"]["annotations"][REVISION]))
    if len(ordered) < 2:
        raise RuntimeError(f"{item['metadata']['name']} has no revision to go back to")
    older, newest = ordered[-2]["metadata"], ordered[-1]["metadata"]
    return {
        "from_revision": int(newest["annotations"][REVISION]),
        "to_revision": int(older["annotations"][REVISION]),
        "replica_set": older["name"],
        "replica_set_uid": older["uid"],
    }


_FOUND: Mapping[str, _Found] = {
    "scale_workload": lambda _, item, __: {"from_replicas": item["spec"]["replicas"]},
    "set_hpa_bounds": lambda _, item, __: {"from_min": item["spec"].get("minReplicas", 1), "from_max": item["spec"]["maxReplicas"]},
    "suspend_job": lambda _, item, __: {"from_parallelism": item["spec"].get("parallelism", 1)},
    "set_requests": _sizings,
    "label_namespace": _levels,
    "delete_pod": _owner,
    "rollback_rollout": _revision,
}
