"""Which workload of the world a pod belongs to, by owner and name. Used by the kubelets' fates and the load model."""

from typing import Any

from simulator.worlds.world import Workload, World

Json = dict[str, Any]


class Roster:
    """Looks up workloads by the names of their pods: `<workload>`, `<workload>-<hash>-<suffix>`, `<workload>-<n>`."""

    def __init__(self, world: World) -> None:
        self._by_namespace: dict[str, list[Workload]] = {}
        for workload in world.workloads:
            self._by_namespace.setdefault(workload.namespace, []).append(workload)
        for group in self._by_namespace.values():
            group.sort(key=lambda each: -len(each.name))
        self._seen: dict[tuple[str, str], Workload | None] = {}

    def of_pod(self, pod: Json) -> Workload | None:
        meta = pod["metadata"]
        owners = meta.get("ownerReferences") or [{"name": meta["name"]}]
        return self.of_name(meta["namespace"], owners[0]["name"])

    def of_name(self, namespace: str, name: str) -> Workload | None:
        """The workload with the longest name that `name` is or begins with."""
        place = (namespace, name)
        if place not in self._seen:
            group = self._by_namespace.get(namespace, ())
            self._seen[place] = next((each for each in group if name == each.name or name.startswith(f"{each.name}-")), None)
        return self._seen[place]

    def all(self, namespace: str) -> list[Workload]:
        return self._by_namespace.get(namespace, [])
