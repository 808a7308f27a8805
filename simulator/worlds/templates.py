"""From a workload of the world to the Kubernetes objects that somebody applied for it. Pure; called by populating."""

from typing import Any

from core.cluster import quantities
from simulator.controllers.cluster import PREFIX
from simulator.controllers.fates import GANG
from simulator.worlds.world import Revision, Workload

Json = dict[str, Any]
NAME = "app.kubernetes.io/name"
_API = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1"}


def revisions(workload: Workload) -> tuple[Revision, ...]:
    """The templates that the workload had, oldest first; one at least."""
    return workload.revisions or (Revision(image=workload.image, age_minutes=workload.age_hours * 60),)


def labels(workload: Workload) -> dict[str, str]:
    return {NAME: workload.name, "app.kubernetes.io/part-of": workload.namespace, **workload.labels}


def selector(workload: Workload) -> dict[str, str]:
    return {NAME: workload.name}


def workload_object(workload: Workload, revision: Revision) -> Json:
    """The object of the workload's kind with this revision's template."""
    meta = _meta(workload, annotations=_annotations(workload, revision))
    head = {"apiVersion": _API[workload.kind], "kind": workload.kind, "metadata": meta}
    if workload.kind == "Pod":
        template = pod_template(workload, revision)
        meta["annotations"] = {**meta.get("annotations", {}), **template["metadata"].get("annotations", {})}
        return {**head, "spec": template["spec"]}
    return {**head, "spec": _SPECS[workload.kind](workload, revision)}


def _meta(workload: Workload, *, name: str = "", annotations: dict[str, str] | None = None) -> Json:
    meta: Json = {"name": name or workload.name, "namespace": workload.namespace, "labels": labels(workload)}
    return {**meta, "annotations": annotations} if annotations else meta


def _annotations(workload: Workload, revision: Revision) -> dict[str, str]:
    cause = {"kubernetes.io/change-cause": revision.cause} if revision.cause else {}
    gang = {GANG: str(workload.replicas)} if workload.gang else {}
    return {**workload.annotations, **cause, **gang}


# -- specs ------------------------------------------------------------------------------------------------------------


def _deployment(workload: Workload, revision: Revision) -> Json:
    rolling = {"maxUnavailable": workload.max_unavailable, "maxSurge": workload.max_surge}
    return {
        "replicas": workload.replicas,
        "selector": {"matchLabels": selector(workload)},
        "template": pod_template(workload, revision),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }


def _stateful_set(workload: Workload, revision: Revision) -> Json:
    return {
        "replicas": workload.replicas,
        "selector": {"matchLabels": selector(workload)},
        "serviceName": workload.name,
        "template": pod_template(workload, revision),
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "revisionHistoryLimit": 10,
    }


def _daemon_set(workload: Workload, revision: Revision) -> Json:
    return {
        "selector": {"matchLabels": selector(workload)},
        "template": pod_template(workload, revision),
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
        "revisionHistoryLimit": 10,
    }


def _job(workload: Workload, revision: Revision) -> Json:
    template = pod_template(workload, revision)
    template["spec"]["restartPolicy"] = "Never"
    count = {"parallelism": workload.replicas, "completions": workload.replicas}
    return {**count, "backoffLimit": 6, "suspend": False, "completionMode": "NonIndexed", "template": template}


def _cron_job(workload: Workload, revision: Revision) -> Json:
    job = _job(workload, revision)
    return {
        "schedule": workload.schedule,
        "concurrencyPolicy": "Forbid",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {"metadata": {"labels": labels(workload)}, "spec": job},
    }


_SPECS = {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set, "Job": _job, "CronJob": _cron_job}


# -- pods -------------------------------------------------------------------------------------------------------------


def pod_template(workload: Workload, revision: Revision) -> Json:
    notes = {f"{PREFIX}ready-seconds": str(workload.ready_seconds)} if workload.ready_seconds != 3 else {}
    if workload.run_seconds:
        notes[f"{PREFIX}run-seconds"] = str(workload.run_seconds)
    if workload.gang:
        notes[GANG] = str(workload.replicas)
    meta = {"labels": labels(workload), "annotations": {**workload.template_annotations, **notes}}
    return {"metadata": {key: value for key, value in meta.items() if value}, "spec": _pod_spec(workload, revision)}


def _pod_spec(workload: Workload, revision: Revision) -> Json:
    spec: Json = {
        "containers": [_container(workload, revision)],
        "serviceAccountName": account_name(workload),
        "automountServiceAccountToken": False,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
    }
    if workload.security == "restricted":
        spec["securityContext"] = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}
    if workload.security == "privileged-hostpid":
        spec["hostPID"] = True
    if workload.node_selector:
        spec["nodeSelector"] = dict(workload.node_selector)
    if workload.tolerates:
        spec["tolerations"] = [_toleration(each) for each in workload.tolerates]
    return spec


def _toleration(text: str) -> Json:
    """`*`, or a key: any value and effect."""
    return {"operator": "Exists"} if text == "*" else {"key": text, "operator": "Exists"}


def account_name(workload: Workload) -> str:
    return workload.name if workload.service_account is None else workload.service_account


def _container(workload: Workload, revision: Revision) -> Json:
    container: Json = {
        "name": workload.name,
        "image": revision.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": _resources(workload),
        "securityContext": _security(workload),
    }
    variables = {**workload.env, **revision.env}
    if variables:
        container["env"] = [{"name": name, "value": value} for name, value in sorted(variables.items())]
    if workload.config_map:
        container["envFrom"] = [{"configMapRef": {"name": workload.config_map}}]
    if workload.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        container["ports"] = [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]
        if workload.probes:
            container |= {"readinessProbe": _probe("/ready", 5), "livenessProbe": _probe("/live", 10)}
    return container


def _probe(path: str, period: int) -> Json:
    return {
        "httpGet": {"path": path, "port": "http", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 1,
        "failureThreshold": 3,
        "successThreshold": 1,
    }


def _resources(workload: Workload) -> Json:
    requests = {"cpu": quantities.cpu_text(workload.cpu_request_milli), "memory": quantities.memory_text(workload.memory_request_mib)}
    limits: dict[str, str] = {}
    if workload.cpu_limit_milli:
        limits["cpu"] = quantities.cpu_text(workload.cpu_limit_milli)
    if workload.memory_limit_mib:
        limits["memory"] = quantities.memory_text(workload.memory_limit_mib)
    if workload.gpus:
        requests["nvidia.com/gpu"] = limits["nvidia.com/gpu"] = str(workload.gpus)
    return {"requests": requests, "limits": limits} if limits else {"requests": requests}


def _security(workload: Workload) -> Json:
    if workload.security.startswith("privileged"):
        return {"privileged": True}
    if workload.security == "baseline":
        return {"allowPrivilegeEscalation": True}
    return {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}


# -- companions -------------------------------------------------------------------------------------------------------


def service_account(workload: Workload) -> Json:
    meta = _meta(workload, name=account_name(workload))
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False}


def service(workload: Workload) -> Json:
    port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    spec: Json = {"selector": selector(workload), "ports": [port], "type": "ClusterIP"}
    if workload.kind == "StatefulSet":
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(workload), "spec": spec}


def disruption_budget(workload: Workload) -> Json:
    spec = {"minAvailable": workload.pdb_min_available, "selector": {"matchLabels": selector(workload)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _meta(workload), "spec": spec}


def autoscaler(workload: Workload) -> Json:
    assert workload.hpa is not None  # noqa: S101  the caller asks only for workloads that have one
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": workload.hpa.target_cpu_percent}},
    }
    spec = {
        "scaleTargetRef": {"apiVersion": _API[workload.kind], "kind": workload.kind, "name": workload.name},
        "minReplicas": workload.hpa.min_replicas,
        "maxReplicas": workload.hpa.max_replicas,
        "metrics": [metric],
    }
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": _meta(workload), "spec": spec}


def cluster_admin_binding(workload: Workload) -> Json:
    """The fault: the workload's own account may do everything."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{workload.namespace}-{workload.name}-admin", "labels": labels(workload)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": account_name(workload), "namespace": workload.namespace}],
    }


def network_policies(namespace: str) -> list[Json]:
    """Nothing comes in but from the same namespace and the ingress."""
    head = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    peers: list[Json] = [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "platform"}}}]
    return [
        {
            **head,
            "metadata": {"name": "default-deny-ingress", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
        },
        {
            **head,
            "metadata": {"name": "allow-namespace", "namespace": namespace},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": peers}]},
        },
    ]
