"""Faults between pods that should talk: services, ports, selectors, ingresses, network policies, DNS, webhooks, aggregated APIs."""

from typing import Any

from simulator.faults.fault import Cause, Fault, accuses, bare_pod, blames, restarted, rollout, scaled
from simulator.faults.ground import DNS, Ground, Home
from simulator.faults.pods import BACK
from simulator.faults.writes import Write, create, delete, made, patch

Json = dict[str, Any]
_APP = "app.kubernetes.io/name"
BEHIND = ("middle", "taker")
"""Services that another one calls."""
SERVICE = ("set_service",)


def _service(**spec: Any) -> Any:
    return lambda _, home: (patch("Service", home.namespace, home.name, {"spec": spec}),)


def _ports(target: int | str, port: int = 80) -> Json:
    return {"ports": [{"name": "http", "port": port, "targetPort": target, "protocol": "TCP"}]}


def _deleted(_: Ground, home: Home) -> tuple[Write, ...]:
    return (delete("Service", home.namespace, home.name),)


def _callers(*codes: str) -> Any:
    """Of a service that is gone: those who call it."""

    def cause(ground: Ground, home: Home) -> tuple[Cause, ...]:
        caller = ground.front if home == ground.middle else ground.middle
        return (Cause(caller.kind, caller.namespace, caller.name, codes),)

    return cause


def _away(_: Ground, home: Home) -> tuple[Write, ...]:
    return (scaled(home, 0),)


def _ingress(service: str = "", port: int = 80, kind: str = "") -> Any:
    def inject(ground: Ground, home: Home) -> tuple[Write, ...]:
        backend = {"service": {"name": service or home.name, "port": {"number": port}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        known = ground.suffix
        spec = {"ingressClassName": kind or f"edge{known}", "rules": [{"host": "www.example.com", "http": {"paths": paths}}]}
        return (create(made("Ingress", "door", home.namespace, spec=spec)),)

    return inject


def _policy(*ingress: Json) -> Any:
    """Alone over the victim's pods: the policy that let the namespace in is narrowed to the others."""

    def inject(_: Ground, home: Home) -> tuple[Write, ...]:
        others = {"podSelector": {"matchExpressions": [{"key": _APP, "operator": "NotIn", "values": [home.name]}]}}
        spec = {"podSelector": {"matchLabels": {_APP: home.name}}, "policyTypes": ["Ingress"], "ingress": list(ingress)}
        narrowed = patch("NetworkPolicy", home.namespace, "allow-namespace", {"spec": others})
        return narrowed, create(made("NetworkPolicy", "closed", home.namespace, spec=spec))

    return inject


def _policies(*codes: str) -> Any:
    """Which of the policies that isolate the pods is named is nobody's matter, as none lets the caller in."""

    def cause(_: Ground, home: Home) -> tuple[Cause, ...]:
        return (Cause("NetworkPolicy", home.namespace, "*", codes),)

    return cause


def _dropped(_: Ground, home: Home) -> tuple[Write, ...]:
    return (delete("NetworkPolicy", home.namespace, "allow-namespace"),)


def _dns(**spec: Any) -> Any:
    return lambda _, home: (rollout(home, pod=spec),)


def _dns_down(_: Ground, __: Home) -> tuple[Write, ...]:
    return (scaled(DNS, 0),)


def _dns_moved(_: Ground, __: Home) -> tuple[Write, ...]:
    return (patch("Service", "kube-system", "kube-dns", {"spec": {"selector": {"k8s-app": "coredns"}}}),)


def _dns_itself(_: Ground, __: Home) -> tuple[Cause, ...]:
    return (Cause("Service", "kube-system", "kube-dns", ("REL-156",)),)


def _webhook(ground: Ground, service: Json, *, excludes: tuple[str, ...] = ("kube-system",)) -> Json:
    """A webhook that must answer for each new pod."""
    tail = ground.suffix
    spaces = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": list(ground.namespaces)}]}
    if excludes:
        spaces["matchExpressions"].append({"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(excludes)})
    rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}
    one = {
        "name": f"pods.policy{tail}.example.com",
        "clientConfig": {"service": {**service, "path": "/validate", "port": 443}},
        "failurePolicy": "Fail",
        "namespaceSelector": spaces,
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 2,
    }
    return made("ValidatingWebhookConfiguration", f"policy{tail}", webhooks=[one])


def _webhook_lost(ground: Ground, home: Home) -> tuple[Write, ...]:
    hook = _webhook(ground, {"namespace": home.namespace, "name": "policy"})
    return create(hook), restarted(home, after=5)


def _webhook_starved(ground: Ground, home: Home) -> tuple[Write, ...]:
    """Its service is there, and the pods behind it cannot be pulled."""
    labels = {_APP: "policy"}
    template = {"metadata": {"labels": labels}, "spec": bare_pod("registry.example/policy:missing")}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    door = {"selector": labels, "ports": [{"port": 443, "targetPort": 8443}]}
    return (
        create(made("Deployment", "policy", home.namespace, spec=spec)),
        create(made("Service", "policy", home.namespace, spec=door)),
        create(_webhook(ground, {"namespace": home.namespace, "name": "policy"}, excludes=(home.namespace,)), after=60),
        restarted(ground.middle, after=5),
    )


def _hook(ground: Ground, _: Home) -> tuple[Cause, ...]:
    tail = ground.suffix
    return (Cause("ValidatingWebhookConfiguration", "", f"policy{tail}", ("REL-173",)),)


def _policy_pods(_: Ground, home: Home) -> tuple[Cause, ...]:
    return (Cause("Deployment", home.namespace, "policy", ("REL-105",)),)


def _self_guard(ground: Ground, home: Home) -> tuple[Write, ...]:
    """It is answered by a service of the namespace that it guards: well today, and locked out after the next restart."""
    return (create(_webhook(ground, {"namespace": home.namespace, "name": home.name}, excludes=())),)


def _self_guarded(ground: Ground, _: Home) -> tuple[Cause, ...]:
    tail = ground.suffix
    return (Cause("ValidatingWebhookConfiguration", "", f"policy{tail}", ("REL-174",)),)


def _api(_: Ground, home: Home) -> tuple[Write, ...]:
    spec = {
        "group": "metrics.example.com",
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": home.namespace, "name": "adapter", "port": 443},
    }
    return (create(made("APIService", "v1.metrics.example.com", spec=spec)),)


def _api_itself(_: Ground, __: Home) -> tuple[Cause, ...]:
    return (Cause("APIService", "", "v1.metrics.example.com", ("REL-176",)),)


FAULTS = (
    Fault(
        id="port-moved",
        family="port",
        befalls=BEHIND,
        inject=_service(**_ports(9090)),
        cause=accuses("Service", "REL-148"),
        mends=SERVICE,
        on_rig=True,
    ),
    Fault(
        id="port-of-unknown-name",
        family="port",
        befalls=BEHIND,
        inject=_service(**_ports("grpc")),
        cause=accuses("Service", "REL-148"),
        mends=SERVICE,
        on_rig=True,
    ),
    Fault(
        id="port-of-container-moved",
        family="port",
        befalls=BEHIND,
        inject=lambda _, home: (rollout(home, ports=[{"$patch": "replace"}, {"name": "http", "containerPort": 9090}]),),
        cause=accuses("Service", "REL-148"),
        mends=(*BACK, *SERVICE),
        on_rig=True,
    ),
    Fault(
        id="selector-moved",
        family="selector",
        befalls=BEHIND,
        inject=lambda _, home: (patch("Service", home.namespace, home.name, {"spec": {"selector": {_APP: f"{home.name}-v2"}}}),),
        cause=accuses("Service", "REL-145"),
        mends=SERVICE,
        on_rig=True,
    ),
    Fault(
        id="selector-too-narrow",
        family="selector",
        befalls=BEHIND,
        inject=_service(selector={"release": "stable"}),
        cause=accuses("Service", "REL-145"),
        mends=SERVICE,
        on_rig=True,
    ),
    Fault(id="service-deleted", family="selector", befalls=BEHIND, inject=_deleted, cause=_callers("REL-147"), on_rig=True),
    Fault(
        id="service-of-set-deleted",
        family="selector",
        befalls=("store",),
        inject=_deleted,
        cause=lambda ground, home: (Cause("StatefulSet", home.namespace, home.name, ("REL-137",)), *_callers("REL-147")(ground, home)),
        on_rig=True,
    ),
    Fault(
        id="scaled-to-zero",
        family="selector",
        befalls=BEHIND,
        inject=_away,
        cause=blames("REL-146"),
        on_rig=True,
    ),
    Fault(
        id="ingress-to-unknown-service",
        family="ingress",
        befalls=("front",),
        inject=_ingress(service="wbe"),
        cause=accuses("Ingress", "REL-152", name="door"),
        on_rig=True,
    ),
    Fault(
        id="ingress-to-unknown-port",
        family="ingress",
        befalls=("front",),
        inject=_ingress(port=8081),
        cause=accuses("Ingress", "REL-152", name="door"),
        on_rig=True,
    ),
    Fault(
        id="ingress-of-unknown-class",
        family="ingress",
        befalls=("front",),
        inject=_ingress(kind="nginx-old"),
        cause=accuses("Ingress", "REL-153", name="door"),
        on_rig=True,
    ),
    Fault(
        id="load-balancer-that-does-not-come",
        family="ingress",
        befalls=("front",),
        inject=_service(type="LoadBalancer"),
        cause=accuses("Service", "REL-151"),
        on_rig=True,
    ),
    Fault(id="policy-lets-nobody-in", family="network policy", befalls=BEHIND, inject=_policy(), cause=_policies("REL-154"), on_rig=True),
    Fault(
        id="policy-lets-others-in",
        family="network policy",
        befalls=BEHIND,
        inject=_policy({"from": [{"podSelector": {"matchLabels": {_APP: "frontend"}}}]}),
        cause=_policies("REL-154"),
        on_rig=True,
    ),
    Fault(
        id="policy-that-allowed-deleted",
        family="network policy",
        befalls=("middle",),
        inject=_dropped,
        cause=_policies("REL-154"),
        on_rig=True,
    ),
    Fault(
        id="dns-policy-default",
        family="DNS",
        befalls=("front", "middle"),
        inject=_dns(dnsPolicy="Default"),
        cause=blames("REL-155"),
        mends=BACK,
        on_rig=True,
    ),
    Fault(
        id="dns-policy-none",
        family="DNS",
        befalls=("front", "middle"),
        inject=_dns(dnsPolicy="None", dnsConfig={"searches": ["svc.cluster.local"], "nameservers": ["192.0.2.53"]}),
        cause=blames("REL-155"),
        mends=BACK,
    ),
    Fault(id="dns-scaled-to-zero", family="DNS", befalls=("middle",), inject=_dns_down, cause=_dns_itself),
    Fault(id="dns-selects-nothing", family="DNS", befalls=("middle",), inject=_dns_moved, cause=_dns_itself),
    Fault(id="webhook-without-service", family="webhook", befalls=("worker", "middle"), inject=_webhook_lost, cause=_hook, on_rig=True),
    Fault(
        id="webhook-without-pods",
        family="webhook",
        befalls=("worker",),
        inject=_webhook_starved,
        cause=_policy_pods,
        on_rig=True,
        moves=lambda ground, home: (ground.middle, home),
    ),
    Fault(id="webhook-guards-itself", family="webhook", befalls=("middle",), inject=_self_guard, cause=_self_guarded, on_rig=True),
    Fault(id="api-without-service", family="webhook", befalls=("worker",), inject=_api, cause=_api_itself, on_rig=True),
)
