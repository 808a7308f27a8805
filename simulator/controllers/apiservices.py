"""Aggregated APIs: available while the service behind them has somebody to answer, as the API aggregator reports it."""

from datetime import datetime

from simulator.controllers import pods
from simulator.controllers.cluster import PODS, SERVICES, Cluster, Json
from simulator.controllers.conditions import put
from simulator.resources import resource

API_SERVICES = resource("apiregistration.k8s.io", "apiservices")


def reconcile(cluster: Cluster) -> datetime | None:
    return cluster.each(cluster.all(API_SERVICES), _one)


def _one(cluster: Cluster, api: Json) -> None:
    service = api.get("spec", {}).get("service")
    if not service:
        return
    status, reason, message = availability(cluster, service)
    conditions = api.get("status", {}).get("conditions", [])
    cluster.set_status(API_SERVICES, api, {"conditions": put(conditions, "Available", status, cluster.now, reason=reason, message=message)})


def availability(cluster: Cluster, service: Json) -> tuple[str, str, str]:
    """Status, reason and message of the condition Available."""
    namespace, name = service["namespace"], service["name"]
    found = cluster.store.peek(SERVICES, namespace, name)
    if found is None:
        return "False", "ServiceNotFound", f'service/{name} in "{namespace}" is not present'
    selector = found["spec"].get("selector") or {}
    behind = [pod for pod in cluster.store.list(PODS, namespace) if selector.items() <= pod["metadata"].get("labels", {}).items()]
    if not any(pods.is_ready(pod) for pod in behind):
        return "False", "MissingEndpoints", f'endpoints for service/{name} in "{namespace}" have no addresses with port name ""'
    return "True", "Passed", "all checks passed"
