"""POST pods/eviction: deletion of a pod as far as its disruption budgets allow."""

from typing import Any

from simulator import errors
from simulator.clock import stamp
from simulator.errors import Cause
from simulator.merging import grace_of
from simulator.resources import resource
from simulator.routes.calls import Answer, Call, answer, require_dry_run
from simulator.routes.selecting import label_selector

Json = dict[str, Any]
_BUDGETS = resource("policy", "poddisruptionbudgets")
_SUCCESS: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def create(call: Call) -> Answer:
    """201 when the pod goes; 429 with cause DisruptionBudget when a budget forbids it, also for a dry-run."""
    body = call.json_body() if call.body.strip() else {}
    if (body.get("metadata") or {}).get("name", call.name) != call.name:
        raise errors.bad_request("name in URL does not match name in Eviction object")
    options = body.get("deleteOptions") or {}
    dry_run = require_dry_run(options.get("dryRun") or []) or call.dry_run
    pod = call.required()
    preconditions = options.get("preconditions") or {}
    wanted_uid, wanted_version = preconditions.get("uid"), preconditions.get("resourceVersion")
    if not _unprotected(pod):
        call.store.delete(call.resource, call.namespace, call.name, uid=wanted_uid, version=wanted_version, dry_run=True)
        _spend_budget(call, pod, dry_run=dry_run)
    asked = options.get("gracePeriodSeconds")
    grace = grace_of(call.resource, pod) if asked is None else int(asked)
    call.store.delete(
        call.resource,
        call.namespace,
        call.name,
        uid=wanted_uid,
        version=wanted_version,
        grace_seconds=grace if pod["spec"].get("nodeName") else 0,
        dry_run=dry_run,
    )
    return answer(_SUCCESS, 201)


def _unprotected(pod: Json) -> bool:
    """True for a pod whose end disturbs nobody: not started, over, or already going."""
    return pod.get("status", {}).get("phase") in ("Pending", "Succeeded", "Failed") or "deletionTimestamp" in pod["metadata"]


def _spend_budget(call: Call, pod: Json, *, dry_run: bool) -> None:
    own = pod["metadata"].get("labels") or {}
    budgets = [each for each in call.store.list(_BUDGETS, call.namespace) if label_selector(each["spec"].get("selector"))(own)]
    if not budgets:
        return
    if len(budgets) > 1:
        message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.ApiError(500, "InternalError", message)
    budget = budgets[0]
    if _may_leave_unready(pod, budget):
        return
    _require_room(budget)
    if dry_run:
        return
    status = dict(budget["status"])
    status["disruptionsAllowed"] -= 1
    status["disruptedPods"] = {**(status.get("disruptedPods") or {}), call.name: stamp(call.store.clock.now())}
    call.store.update(_BUDGETS, {**budget, "status": status}, subresource="status", manager="kube-apiserver")


def _require_room(budget: Json) -> None:
    name, status = budget["metadata"]["name"], budget.get("status", {})
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        cause = Cause("DisruptionBudget", f"The disruption budget {name} is still being processed by the server.")
        raise errors.too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", [cause])
    if status.get("disruptionsAllowed", 0) <= 0:
        healthy = f"needs {status.get('desiredHealthy', 0)} healthy pods and has {status.get('currentHealthy', 0)} currently"
        cause = Cause("DisruptionBudget", f"The disruption budget {name} {healthy}")
        raise errors.too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", [cause])


def _may_leave_unready(pod: Json, budget: Json) -> bool:
    """A pod that is not ready may go where the budget's policy says so."""
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in pod.get("status", {}).get("conditions") or ())
    if ready:
        return False
    status = budget.get("status", {})
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)
