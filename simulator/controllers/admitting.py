"""What the API server asks of a controller's pod before it stores it, in its order and its words: account, priority, limits, webhooks,
security, quota. Called by the controllers that make pods.
"""

from collections.abc import Callable
from typing import Any

from simulator.controllers import admission, limits
from simulator.controllers.cluster import NAMESPACES, PODS, SERVICE_ACCOUNTS, SERVICES, Cluster, Json
from simulator.controllers.pods import is_ready
from simulator.resources import resource

PRIORITIES = resource("scheduling.k8s.io", "priorityclasses")
_ADMISSION = "admissionregistration.k8s.io"
_WEBHOOKS = (resource(_ADMISSION, "mutatingwebhookconfigurations"), resource(_ADMISSION, "validatingwebhookconfigurations"))
_BUILT_IN = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}


class PodRefusedError(ValueError):
    """Admission does not let this pod in; the message is the API server's."""


def create_pod(cluster: Cluster, pod: Json) -> Json:
    """Create a controller's pod. Raises PodRefusedError."""
    meta = pod["metadata"]
    pod = {**pod, "spec": {**pod["spec"], "priority": _priority(cluster, pod)}}
    named = meta.get("name") or meta["generateName"] + "*"
    for asked in (_OF_PARTS, _OF_THE_WHOLE):
        if why := next((why for ask in asked if (why := ask(cluster, pod))), ""):
            raise PodRefusedError(f'pods "{named}" is forbidden: {why}')
        if asked is _OF_PARTS and (why := _called(cluster, pod)):
            raise PodRefusedError(f"Internal error occurred: {why}")
    return cluster.create(PODS, pod)


def _priority(cluster: Cluster, pod: Json) -> int:
    name = pod["spec"].get("priorityClassName", "")
    found = cluster.store.peek(PRIORITIES, None, name) if name else None
    return int(found["value"]) if found is not None else _BUILT_IN.get(name, 0)


def _class(cluster: Cluster, pod: Json) -> str:
    name = pod["spec"].get("priorityClassName", "")
    known = not name or name in _BUILT_IN or cluster.store.peek(PRIORITIES, None, name) is not None
    return "" if known else f"no PriorityClass with name {name} was found"


def _account(cluster: Cluster, pod: Json) -> str:
    namespace, name = pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName") or "default"
    if cluster.store.peek(SERVICE_ACCOUNTS, namespace, name) is not None:
        return ""
    return f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'


def _security(cluster: Cluster, pod: Json) -> str:
    return admission.refusal(cluster.store.peek(NAMESPACES, None, pod["metadata"]["namespace"]), pod)


_Ask = Callable[[Cluster, Json], str]
_OF_PARTS: tuple[_Ask, ...] = (_class, limits.outside, _account)
_OF_THE_WHOLE: tuple[_Ask, ...] = (_security, limits.exceeded)
"""Webhooks are called between the two."""


# -- webhooks ---------------------------------------------------------------------------------------------------------


def _called(cluster: Cluster, pod: Json) -> str:
    """A webhook that must answer and whose service has nobody to answer; those that answer let everything pass."""
    for row in _WEBHOOKS:
        for configuration in cluster.all(row):
            for webhook in configuration.get("webhooks", ()):
                service = webhook.get("clientConfig", {}).get("service")
                must = service and webhook.get("failurePolicy", "Fail") == "Fail" and _asked(cluster, webhook, pod)
                if must and (why := _unanswered(cluster, service)):
                    return f'failed calling webhook "{webhook["name"]}": failed to call webhook: {why}'
    return ""


def _asked(cluster: Cluster, webhook: Json, pod: Json) -> bool:
    namespace = cluster.store.peek(NAMESPACES, None, pod["metadata"]["namespace"]) or {"metadata": {}}
    selected = _matches(webhook.get("namespaceSelector") or {}, namespace["metadata"].get("labels", {}))
    chosen = _matches(webhook.get("objectSelector") or {}, pod["metadata"].get("labels", {}))
    return selected and chosen and any(_covers(rule) for rule in webhook.get("rules") or ())


def _covers(rule: Json) -> bool:
    return (
        bool({"CREATE", "*"} & set(rule.get("operations", ())))
        and bool({"", "*"} & set(rule.get("apiGroups", ())))
        and bool({"pods", "*", "*/*"} & set(rule.get("resources", ())))
    )


def _matches(selector: Json, labels: dict[str, str]) -> bool:
    wanted: dict[str, str] = selector.get("matchLabels") or {}
    return wanted.items() <= labels.items() and all(_expressed(each, labels) for each in selector.get("matchExpressions") or ())


def _expressed(expression: Json, labels: dict[str, str]) -> bool:
    value, operator = labels.get(expression["key"]), expression["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    return (value in (expression.get("values") or ())) is (operator == "In")


def _unanswered(cluster: Cluster, service: dict[str, Any]) -> str:
    namespace, name = service["namespace"], service["name"]
    found = cluster.store.peek(SERVICES, namespace, name)
    address = f"https://{name}.{namespace}.svc:{service.get('port', 443)}{service.get('path', '/')}?timeout=10s"
    if found is None:
        return f'Post "{address}": service "{name}" not found'
    selector = found["spec"].get("selector") or {}
    behind = (pod for pod in cluster.store.list(PODS, namespace) if selector.items() <= pod["metadata"].get("labels", {}).items())
    ready = not selector or any(is_ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in behind)
    return "" if ready else f'Post "{address}": no endpoints available for service "{name}"'
