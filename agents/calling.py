"""Who calls whom, as far as the pods' variables say it. Called by checks of paths, and by the search for causes.

Host names of the form `<service>.<namespace>.svc` in literal values only: values in ConfigMaps and Secrets are not read.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from agents.desk import Desk
from agents.recalling import once
from agents.workloads import SYSTEM_NAMESPACES, leaving
from core.cluster.objects import Container, Pod

_LONGEST = 2048
_HOST = re.compile(r"(?<![\w.-])(?P<name>[a-z]([a-z0-9-]{0,61}[a-z0-9])?)\.(?P<namespace>[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)\.svc(?![\w-])")


class Call(NamedTuple):
    """`user` is namespace and name of the workload; `pod` is one of its pods that is told so."""

    user: str
    pod: Pod
    namespace: str
    service: str


@once
def calls(desk: Desk) -> Iterator[Call]:
    """Each pair of workload and service once, outside the cluster's own namespaces."""
    told: set[tuple[str, str, str]] = set()
    for pod in desk.snapshot.pods:
        if pod.metadata.namespace in SYSTEM_NAMESPACES or leaving(pod):
            continue
        for container in pod.spec.containers:
            for match in _hosts(container):
                home = desk.snapshot.workload_of(pod)
                user = f"{pod.metadata.namespace}/{home[1].metadata.name if home else pod.metadata.name}"
                if (call := (user, match["namespace"], match["name"])) not in told:
                    told.add(call)
                    yield Call(user, pod, match["namespace"], match["name"])


def _hosts(container: Container) -> Iterator[re.Match[str]]:
    for variable in container.env:
        if ".svc" in variable.value:
            yield from _HOST.finditer(variable.value[:_LONGEST])
