"""The command line of each program of the control plane, as data: what runs, with which flags, and why."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

from tests.controlplane import stages

HOST = "127.0.0.1"
LEASE_SECONDS = 12
GRACE_SECONDS = 8
"""A node is lost after the grace. KWOK renews a lease each quarter of its length, which must stay well under the grace."""
SCRAPE = "2s"


class Ports(NamedTuple):
    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int
    scheduler: int
    kwok: int
    exporter: int
    prometheus: int
    metrics_server: int


def free_ports() -> Ports:
    """Free at this moment. All are held until all are known, so that none comes twice."""
    sockets = [socket.socket() for _ in Ports._fields]
    try:
        for held in sockets:
            held.bind((HOST, 0))
        return Ports(*(held.getsockname()[1] for held in sockets))
    finally:
        for held in sockets:
            held.close()


class Layout(NamedTuple):
    """One control plane's folder and ports; every path that two programs share is named here."""

    folder: Path
    ports: Ports
    feature_gates: tuple[str, ...] = ()
    runtime_config: tuple[str, ...] = ()
    admission: Path | None = None

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.ports.apiserver}"

    @property
    def prometheus_url(self) -> str:
        return f"http://{HOST}:{self.ports.prometheus}"

    @property
    def prometheus_data(self) -> Path:
        return self.folder / "prometheus-data"

    @property
    def tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def audit_policy(self) -> Path:
        return self.folder / "audit-policy.json"

    @property
    def audit_log(self) -> Path:
        """Every write, as the API server itself records it: who, impersonated as whom with which extras, and what it was answered."""
        return self.folder / "audit.log"

    def pki(self, name: str) -> Path:
        return self.folder / "pki" / name

    def kubeconfig(self, identity: str) -> Path:
        return self.folder / f"{identity}.kubeconfig"

    def gates(self) -> list[str]:
        return [f"--feature-gates={','.join(self.feature_gates)}"] if self.feature_gates else []


def etcd(layout: Layout) -> list[str]:
    client, peer = (f"http://{HOST}:{port}" for port in (layout.ports.etcd, layout.ports.etcd_peer))
    return [
        f"--data-dir={layout.folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",  # the data does not outlive the tests
        "--log-level=warn",
    ]


AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts:observed"]},
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
    ],
}


def apiserver(layout: Layout) -> list[str]:
    config = [f"--runtime-config={','.join(layout.runtime_config)}"] if layout.runtime_config else []
    return [
        f"--etcd-servers=http://{HOST}:{layout.ports.etcd}",
        f"--bind-address={HOST}",
        f"--secure-port={layout.ports.apiserver}",
        *serving(layout),
        f"--client-ca-file={layout.pki('ca.crt')}",
        f"--token-auth-file={layout.tokens}",
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={layout.pki('service-accounts.pub')}",
        f"--service-account-signing-key-file={layout.pki('service-accounts.key')}",
        "--endpoint-reconciler-type=none",  # loopback addresses are refused in endpoints
        f"--requestheader-client-ca-file={layout.pki('front-proxy-ca.crt')}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={layout.pki('front-proxy.crt')}",
        f"--proxy-client-key-file={layout.pki('front-proxy.key')}",
        f"--audit-policy-file={layout.audit_policy}",
        f"--audit-log-path={layout.audit_log}",
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
        *([f"--admission-control-config-file={layout.admission}"] if layout.admission else []),
        *layout.gates(),
        *config,
    ]


def controller_manager(layout: Layout) -> list[str]:
    """Faster than in a cluster where it only waits: node health each second, autoscaling every two."""
    return [
        *client(layout, "controller-manager", layout.ports.controller_manager),
        f"--service-account-private-key-file={layout.pki('service-accounts.key')}",
        f"--root-ca-file={layout.pki('ca.crt')}",
        f"--cluster-signing-cert-file={layout.pki('ca.crt')}",
        f"--cluster-signing-key-file={layout.pki('ca.key')}",
        "--use-service-account-credentials=false",
        "--controllers=*,-bootstrap-signer-controller,-token-cleaner-controller,-node-ipam-controller",
        "--node-monitor-period=1s",
        f"--node-monitor-grace-period={GRACE_SECONDS}s",
        "--horizontal-pod-autoscaler-sync-period=2s",
        "--horizontal-pod-autoscaler-downscale-stabilization=10s",
        "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
        "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
        *layout.gates(),
    ]


def scheduler(layout: Layout) -> list[str]:
    return [*client(layout, "scheduler", layout.ports.scheduler), *layout.gates()]


def client(layout: Layout, identity: str, port: int) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig(identity)}",
        "--leader-elect=false",
        f"--bind-address={HOST}",
        f"--secure-port={port}",
        *serving(layout),
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]


def serving(layout: Layout) -> list[str]:
    return [f"--tls-cert-file={layout.pki('server.crt')}", f"--tls-private-key-file={layout.pki('server.key')}"]


def kwok(layout: Layout) -> list[str]:
    label, value = stages.MANAGED
    return [
        f"--kubeconfig={layout.kubeconfig('kwok')}",
        f"--manage-nodes-with-label-selector={label}={value}",
        f"--config={layout.folder / 'kwok.yaml'}",
        f"--server-address={HOST}:{layout.ports.kwok}",
        f"--node-ip={HOST}",
        f"--node-port={layout.ports.kwok}",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        "--cidr=10.64.0.0/10",
        *serving(layout),
    ]


def exporter(layout: Layout) -> list[str]:
    """For the Python interpreter that runs `exporter.py`."""
    script = str(Path(__file__).with_name("exporter.py"))
    return ["-I", script, str(layout.kubeconfig("metrics")), str(layout.ports.exporter)]


def prometheus(layout: Layout) -> list[str]:
    return [
        f"--config.file={layout.folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={layout.prometheus_data}",
        "--storage.tsdb.retention.time=40d",
        f"--web.listen-address={HOST}:{layout.ports.prometheus}",
        "--log.level=warn",
    ]


def prometheus_config(layout: Layout) -> dict[str, Any]:
    """Usage from the nodes that KWOK plays (it lists them itself), object states from the exporter."""
    nodes = {
        "job_name": "kubelet",
        "http_sd_configs": [{"url": f"http://{HOST}:{layout.ports.kwok}/discovery/prometheus", "refresh_interval": "2s"}],
        "relabel_configs": [
            {"source_labels": ["__metrics_path__"], "regex": "/metrics/nodes/([^/]+)/.*", "target_label": "node"},
            {"source_labels": ["node"], "target_label": "instance"},
            {"regex": "metrics_name", "action": "labeldrop"},
        ],
    }
    states = {
        "job_name": "kube-state",
        "honor_labels": True,
        "static_configs": [{"targets": [f"{HOST}:{layout.ports.exporter}"]}],
    }
    return {"global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE}, "scrape_configs": [nodes, states]}


def metrics_server(layout: Layout) -> list[str]:
    kubeconfig = layout.kubeconfig("metrics")
    return [
        *(f"--{use}kubeconfig={kubeconfig}" for use in ("", "authentication-", "authorization-")),
        f"--bind-address={HOST}",
        f"--secure-port={layout.ports.metrics_server}",
        *serving(layout),
        "--kubelet-use-node-status-port",
        "--kubelet-preferred-address-types=InternalIP",
        "--deprecated-kubelet-completely-insecure",
        "--metric-resolution=10s",  # the least it takes
        "--kubelet-request-timeout=5s",
    ]


def metrics_service(layout: Layout) -> list[tuple[str, dict[str, Any]]]:
    """Paths and objects that join metrics-server to the API. ExternalName, because loopback is refused in endpoints."""
    port = layout.ports.metrics_server
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "metrics-server", "namespace": "kube-system"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": "metrics-server", "namespace": "kube-system", "port": port},
        },
    }
    return [("/api/v1/namespaces/kube-system/services", service), ("/apis/apiregistration.k8s.io/v1/apiservices", api)]


def write_prometheus_config(layout: Layout) -> None:
    (layout.folder / "prometheus.yaml").write_text(json.dumps(prometheus_config(layout)))
    layout.prometheus_data.mkdir(exist_ok=True)
