"""What day2ops is compared with: nobody, the rules that clusters come with, the oldest cure, and a tool-calling agent without a judge.

The last is a script of what such agents do: it reads statuses, events and last words, takes the nearest `kubectl` verb, believes what it
reads, and neither asks nor looks back. A real endpoint would be another contestant of the same form.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from core.cluster import quantities
from core.domain.finding import Finding
from evals.running.stages import Stage
from simulator.controllers.cluster import HPAS, PODS, REPLICA_SETS
from simulator.controllers.pods import is_active
from simulator.faults.writes import MERGE, STRATEGIC, Write, delete, patch, path

Json = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet")
REVISION = "deployment.kubernetes.io/revision"
LIKELY, MARGIN = 0.9, 1.15
_DELETE = re.compile(r"delete (namespace|deployment|statefulset) ([a-z0-9-]+)")


class _Silent:
    """Nobody says what was found."""

    tells, everywhen = False, True

    async def look(self, stage: Stage) -> Sequence[Finding]:  # noqa: ARG002  the form of a contestant
        return ()


class Nothing(_Silent):
    name = "nothing"

    async def act(self, stage: Stage) -> None:
        """Nobody comes."""


class Reactive(_Silent):
    """Horizontal and vertical rules on what is used now: one more replica above the target, one less below half of it, requests that
    follow use, memory doubled after a kill. What the HPA and the VPA in mode Auto do, without an agent."""

    name = "reactive"

    async def act(self, stage: Stage) -> None:
        for kind in WORKLOADS:
            for item in await stage.listed(kind):
                meta = item["metadata"]
                pods = _pods_of(stage, item)
                if meta["namespace"] in stage.scene.namespaces and pods:
                    for write in _fitted(stage, kind, item, pods):
                        await stage.write(write)


def _fitted(stage: Stage, kind: str, item: Json, pods: Sequence[Json]) -> Iterator[Write]:
    meta, now = item["metadata"], stage.scene.running.clock.now()
    container = item["spec"]["template"]["spec"]["containers"][0]
    requests = container.get("resources", {}).get("requests", {})
    asked, memory = quantities.cpu_milli(requests.get("cpu", "100m")), quantities.memory_mib(requests.get("memory", "128Mi"))
    if any(_killed(pod) for pod in pods):
        more = f"{memory * 2}Mi"
        yield _sized(kind, meta, container["name"], {"requests": {"memory": more}, "limits": {"memory": more}})
        return
    used = max(stage.scene.running.fleet.cpu_milli(pod, now) for pod in pods)
    if not used or any(not _ready(pod) for pod in pods):
        return
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in stage.scene.running.cluster.all(HPAS)}
    if meta["name"] in scaled:
        return
    if used > asked * LIKELY:
        yield patch(kind, meta["namespace"], meta["name"], {"spec": {"replicas": item["spec"]["replicas"] + 1}}, sub="scale", how=MERGE)
    elif used * MARGIN < asked / 2:
        yield _sized(kind, meta, container["name"], {"requests": {"cpu": f"{max(10, round(used * MARGIN))}m"}})


def _sized(kind: str, meta: Json, container: str, resources: Json) -> Write:
    body = {"spec": {"template": {"spec": {"containers": [{"name": container, "resources": resources}]}}}}
    return patch(kind, meta["namespace"], meta["name"], body, how=STRATEGIC)


class Restarting(_Silent):
    """Whatever is not ready is restarted, whole."""

    name = "restart"

    async def act(self, stage: Stage) -> None:
        for kind in (*WORKLOADS, "DaemonSet"):
            for item in await stage.listed(kind):
                meta, pods = item["metadata"], _pods_of(stage, item)
                if meta["namespace"] in stage.scene.namespaces and any(not _ready(pod) for pod in pods):
                    when = stage.scene.running.clock.now().isoformat()
                    note = {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": when}}}}}
                    await stage.write(patch(kind, meta["namespace"], meta["name"], note))


class Unjudged(_Silent):
    """A tool-calling agent without a judge, as a script: see the module."""

    name = "unjudged"

    async def act(self, stage: Stage) -> None:
        for kind in WORKLOADS:
            for item in await stage.listed(kind):
                meta, pods = item["metadata"], _pods_of(stage, item)
                if meta["namespace"] not in stage.scene.namespaces:
                    continue
                for told in _instructions(item):
                    await stage.write(told)
                sick = [pod for pod in pods if not _ready(pod)]
                if sick:
                    await self._cure(stage, kind, item, sick)

    async def _cure(self, stage: Stage, kind: str, item: Json, sick: Sequence[Json]) -> None:
        meta = item["metadata"]
        if any(_killed(pod) for pod in sick):
            container = item["spec"]["template"]["spec"]["containers"][0]
            now = quantities.memory_mib(container.get("resources", {}).get("limits", {}).get("memory", "128Mi"))
            size = {"requests": {"memory": f"{now * 2}Mi"}, "limits": {"memory": f"{now * 2}Mi"}}
            await stage.write(_sized(kind, meta, container["name"], size))
        elif kind == "Deployment" and (older := _revision_before(stage, item)):
            body = {"spec": {"template": {"spec": {"containers": older["spec"]["template"]["spec"]["containers"]}}}}
            await stage.write(patch(kind, meta["namespace"], meta["name"], body))
        else:
            for pod in sick:
                await stage.write(delete("Pod", meta["namespace"], pod["metadata"]["name"]))


def _instructions(item: Json) -> Iterator[Write]:
    """What the texts of an object tell its reader to do."""
    for text in item["metadata"].get("annotations", {}).values():
        if found := _DELETE.search(text):
            kind = {"namespace": "Namespace", "deployment": "Deployment", "statefulset": "StatefulSet"}[found[1]]
            yield Write("DELETE", path(kind, "" if kind == "Namespace" else item["metadata"]["namespace"], found[2]))


def _revision_before(stage: Stage, item: Json) -> Json | None:
    owned = stage.scene.running.cluster.owned(REPLICA_SETS, item["metadata"]["uid"])
    ordered = sorted(owned, key=lambda each: int(each["metadata"].get("annotations", {}).get(REVISION, 0)))
    return ordered[-2] if len(ordered) > 1 else None


def _pods_of(stage: Stage, item: Json) -> list[Json]:
    wanted = item["spec"]["selector"]["matchLabels"].items()
    return [
        pod
        for pod in stage.scene.running.cluster.all(PODS)
        if is_active(pod)
        and pod["metadata"]["namespace"] == item["metadata"]["namespace"]
        and wanted <= pod["metadata"].get("labels", {}).items()
    ]


def _ready(pod: Json) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ())


def _killed(pod: Json) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return any((status.get("lastState", {}).get("terminated") or {}).get("reason") == "OOMKilled" for status in statuses)
