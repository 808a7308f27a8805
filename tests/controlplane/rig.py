"""A real Kubernetes control plane on loopback, without containers: etcd, API server, controllers, scheduler, played nodes, Prometheus.

    with ControlPlane.running(folder, nodes=4) as cluster:
        cluster.kubectl("get", "nodes")

Real: the API server and everything behind it, scheduling, controllers, quotas, disruption budgets, admission. Played: the nodes (see
`stages`), so usage is what an annotation says and there are no images, no network and no logs. One per pytest session, a namespace
per test. `python -m tests.controlplane.rig` starts one to look at, until Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from tests.controlplane import build, certificates, programs, stages
from tests.controlplane.history import Past, Usage, instants, write_blocks
from tests.controlplane.processes import Child, PortTakenError, Processes, clean

ATTEMPTS: Final = 3
NEEDED: Final = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
NODE: Final = {"cpu": "16", "memory": "64Gi", "pods": "110", "ephemeral-storage": "100Gi"}
MERGE: Final = "application/merge-patch+json"


class Identity(NamedTuple):
    """Who may knock, by a token of its own; an empty group is none. Only the rig's own programs are masters; the product's get what RBAC
    gives them."""

    name: str
    user: str
    group: str


IDENTITIES: Final = (
    Identity("admin", "admin", "system:masters"),
    Identity("controller-manager", "system:kube-controller-manager", "system:masters"),
    Identity("scheduler", "system:kube-scheduler", "system:masters"),
    Identity("kwok", "kwok", "system:masters"),
    Identity("metrics", "metrics", "system:masters"),
    Identity("reader", "day2:reader", "day2:readers"),
    Identity("judge", "day2:judge", "day2:judges"),
    Identity("executor", "day2:executor", "day2:executors"),
    # users that should have no credentials: what an attacker may do who made some
    Identity("agent", "day2:agent:scaling", ""),
    Identity("preview", "day2:preview:scaling", ""),
)


class NotBuiltError(RuntimeError):
    """Programs are missing; the text says which and what to do."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"{', '.join(names)} not found: run `make control-plane` (about 12 minutes, once), or set KUBEBUILDER_ASSETS")
        self.names = names


def found(name: str) -> Path:
    program = build.find(name)
    if program is None:
        raise NotBuiltError([name])
    return program


class ControlPlane:
    """A running control plane; made by `running`, which also ends it."""

    def __init__(self, layout: programs.Layout, processes: Processes) -> None:
        self.layout = layout
        self._processes = processes
        self._tokens = {identity.name: secrets.token_hex(16) for identity in IDENTITIES}
        self._children: dict[str, Child] = {}
        self._http = httpx.Client()

    @classmethod
    @contextlib.contextmanager
    def running(
        cls,
        folder: Path,
        *,
        nodes: int = 4,
        prometheus: bool = True,
        metrics_server: bool = False,
        feature_gates: tuple[str, ...] = (),
        runtime_config: tuple[str, ...] = (),
        admission: Path | None = None,
        ports: Callable[[], programs.Ports] = programs.free_ports,
    ) -> Iterator[ControlPlane]:
        """Up with `nodes` Ready nodes; down whatever happens. `folder` is taken whole: it is emptied first. `admission` is the API server's
        own configuration of admission, outside of it.

        Enter it in a thread that outlives it, the main one at best: Linux ties its programs to the life of that thread.
        Raises NotBuiltError without programs, DiedError with a log's end when one does not start.
        """
        wanted = (*NEEDED, *(["prometheus", "promtool"] if prometheus else []), *(["metrics-server"] if metrics_server else []))
        if absent := build.missing(wanted):
            raise NotBuiltError(absent)
        with contextlib.ExitStack() as stack:

            def layout() -> programs.Layout:
                return programs.Layout(folder.resolve(), ports(), feature_gates, runtime_config, admission)

            plane = cls._started(layout, stack, prometheus=prometheus)
            plane.add_nodes(nodes)
            if metrics_server:
                plane._start_metrics_server()
            yield plane

    @classmethod
    def _started(cls, layout: Callable[[], programs.Layout], stack: contextlib.ExitStack, *, prometheus: bool) -> ControlPlane:
        """Again with other ports when somebody was quicker; the last time, that is the caller's error too."""
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(PortTakenError):
                return cls._once(layout(), stack, prometheus=prometheus)
        return cls._once(layout(), stack, prometheus=prometheus)

    @classmethod
    def _once(cls, layout: programs.Layout, stack: contextlib.ExitStack, *, prometheus: bool) -> ControlPlane:
        shutil.rmtree(layout.folder, ignore_errors=True)
        layout.folder.mkdir(mode=0o700, parents=True)
        with contextlib.ExitStack() as mine:
            plane = cls(layout, Processes(layout.folder))
            mine.callback(plane.close)
            plane._start(prometheus=prometheus)
            stack.push(mine.pop_all())
        return plane

    # -------------------------------------------------------------- start and stop
    def _start(self, *, prometheus: bool) -> None:
        self._write_files()
        context = ssl.create_default_context(cafile=self.layout.pki("ca.crt"))
        # Loopback only: neither a proxy nor a netrc of the machine may come between.
        self._http.close()
        self._http = httpx.Client(base_url=self.layout.url, verify=context, trust_env=False, timeout=30)
        self._spawn("etcd", programs.etcd(self.layout))
        if prometheus:
            self._start_exporter()
            self._spawn("prometheus", programs.prometheus(self.layout))
        self._spawn("kube-apiserver", programs.apiserver(self.layout))
        self._wait("kube-apiserver", f"{self.layout.url}/readyz")
        self._spawn("kube-controller-manager", programs.controller_manager(self.layout))
        self._spawn("kube-scheduler", programs.scheduler(self.layout))
        # Its home is our folder, so that no configuration of the machine's user is read.
        self._spawn("kwok", programs.kwok(self.layout), environ={**clean(), "HOME": str(self.layout.folder)})
        ports = self.layout.ports
        self._wait("kube-controller-manager", f"https://{programs.HOST}:{ports.controller_manager}/healthz")
        self._wait("kube-scheduler", f"https://{programs.HOST}:{ports.scheduler}/healthz")
        self._wait("kwok", f"http://{programs.HOST}:{ports.kwok}/healthz")
        if prometheus:
            self._wait("prometheus", f"{self.layout.prometheus_url}/-/ready")

    def _write_files(self) -> None:
        certificates.write(self.layout.folder / "pki")
        self.layout.audit_policy.write_text(json.dumps(programs.AUDIT_POLICY), encoding="utf-8")
        self._write_secret(self.layout.tokens, "".join(self._token_row(who) for who in IDENTITIES))
        for who in IDENTITIES:
            self._write_secret(self.layout.kubeconfig(who.name), json.dumps(self._kubeconfig(who.name)))
        logs = self.layout.folder / "logs"
        logs.mkdir()
        self.write_logs("listening on :8080", previous="panic: the process ended with code 1")
        stages.write(self.layout.folder / "kwok.yaml", logs)
        programs.write_prometheus_config(self.layout)

    def _token_row(self, who: Identity) -> str:
        """Without a group the column is left out: an empty one would be a group of no name."""
        groups = f',"{who.group}"' if who.group else ""
        return f"{self._tokens[who.name]},{who.user},{who.name}{groups}\n"

    @staticmethod
    def _write_secret(path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text)

    def _kubeconfig(self, identity: str) -> dict[str, Any]:
        cluster = {"server": self.layout.url, "certificate-authority": str(self.layout.pki("ca.crt"))}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "rig",
            "clusters": [{"name": "rig", "cluster": cluster}],
            "users": [{"name": identity, "user": {"token": self._tokens[identity]}}],
            "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": identity}}],
        }

    def _spawn(self, name: str, arguments: list[str], environ: Mapping[str, str] | None = None) -> None:
        self._children[name] = self._processes.start(name, found(name), *arguments, environ=environ)

    def _start_exporter(self) -> None:
        self._children["exporter"] = self._processes.start("exporter", Path(sys.executable), *programs.exporter(self.layout))

    def _wait(self, name: str, url: str) -> None:
        self._processes.wait(self._children[name], lambda: self._answers(url))

    def _answers(self, url: str) -> bool:
        try:
            return self._http.get(url, headers=self._bearer("admin"), timeout=2).is_success
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._http.close()
        self._processes.stop_all()

    def _start_metrics_server(self) -> None:
        self._spawn("metrics-server", programs.metrics_server(self.layout))
        for path, body in programs.metrics_service(self.layout):
            self.request("POST", path, body).raise_for_status()

    # -------------------------------------------------------------- what tests ask of it
    @property
    def url(self) -> str:
        return self.layout.url

    @property
    def prometheus_url(self) -> str:
        return self.layout.prometheus_url

    @property
    def certificate_authority(self) -> Path:
        return self.layout.pki("ca.crt")

    def pids(self) -> dict[str, int]:
        return self._processes.pids()

    def token(self, identity: str = "admin") -> str:
        return self._tokens[identity]

    def kubeconfig(self, identity: str = "admin") -> Path:
        return self.layout.kubeconfig(identity)

    def environ(self, identity: str = "admin") -> dict[str, str]:
        """For a child process: our kubectl first on the PATH, the kubeconfig of `identity`, no proxies."""
        path = os.pathsep.join([str(found("kubectl").parent), os.environ.get("PATH", os.defpath)])
        return {**clean(), "PATH": path, "KUBECONFIG": str(self.kubeconfig(identity))}

    def kubectl(self, *arguments: str, text: str | None = None, identity: str = "admin") -> str:
        """What it printed; `text` goes to its input. Raises CalledProcessError with its words in `stderr`."""
        line = [str(found("kubectl")), "--request-timeout=20s", *arguments]
        return subprocess.run(line, input=text, env=self.environ(identity), check=True, capture_output=True, text=True).stdout

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        content_type: str = "application/json",
        identity: str = "admin",
        headers: Sequence[tuple[str, str]] = (),
    ) -> httpx.Response:
        headers = [*self._bearer(identity).items(), ("Content-Type", content_type), *headers]
        return self._http.request(method, path, content=None if body is None else json.dumps(body), headers=headers)

    def get(self, path: str, identity: str = "admin") -> dict[str, Any]:
        answer = self.request("GET", path, identity=identity).raise_for_status()
        item: dict[str, Any] = answer.json()
        return item

    def _bearer(self, identity: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[identity]}"}

    def until(self, holds: Callable[[], bool], what: str, timeout_seconds: float = 30) -> None:
        """Raises TimeoutError naming `what`. Lookups of what is not there yet count as no."""
        end = time.monotonic() + timeout_seconds
        while True:
            with contextlib.suppress(LookupError, TypeError, httpx.HTTPStatusError):
                if holds():
                    return
            if time.monotonic() > end:
                raise TimeoutError(f"not in {timeout_seconds:.0f} s: {what}")
            time.sleep(0.1)

    # -------------------------------------------------------------- namespaces and nodes
    @contextlib.contextmanager
    def namespace(self, labels: Mapping[str, str] | None = None) -> Iterator[str]:
        """A fresh one with a random name, its default service account ready; deleted afterwards without waiting."""
        name = f"test-{secrets.token_hex(5)}"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}
        self.request("POST", "/api/v1/namespaces", body).raise_for_status()
        try:
            account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
            self.until(lambda: self.request("GET", account).is_success, f"service account of {name}")
            yield name
        finally:
            self.request("DELETE", f"/api/v1/namespaces/{name}")

    def add_nodes(
        self, count: int, prefix: str = "node", *, capacity: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None
    ) -> list[str]:
        """Their names, when all are Ready. `capacity` adds to 16 CPUs, 64Gi and 110 pods."""
        names = [f"{prefix}-{number}" for number in range(1, count + 1)]
        for number, name in enumerate(names):
            body = node(name, zone=f"zone-{'abc'[number % 3]}", capacity=capacity or {}, labels=labels or {})
            self.request("POST", "/api/v1/nodes", body).raise_for_status()
        for name in names:
            self.until(lambda name=name: ready(self.get(f"/api/v1/nodes/{name}")), f"node {name} Ready")  # type: ignore[misc]
        return names

    def remove_nodes(self, names: list[str]) -> None:
        for name in names:
            self.request("DELETE", f"/api/v1/nodes/{name}")

    def write_logs(self, *current: str, previous: str = "") -> None:
        """What every container says from now on, a line each, and what it said in its run before this one."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000000Z")
        for name, lines in (("current", current), ("previous", previous.splitlines())):
            text = "".join(f"{now} stdout F {line}\n" for line in lines)
            (self.layout.folder / "logs" / f"{name}.log").write_text(text)

    # -------------------------------------------------------------- metrics
    def query(self, promql: str) -> list[dict[str, Any]]:
        """The result vector of an instant query at Prometheus."""
        answer = self._http.get(f"{self.prometheus_url}/api/v1/query", params={"query": promql}).raise_for_status()
        result: list[dict[str, Any]] = answer.json()["data"]["result"]
        return result

    def history(
        self,
        usages: Mapping[tuple[str, str, str], tuple[float, float]],
        *,
        days: float = 8,
        step_seconds: int = 60,
        until: datetime | None = None,
    ) -> None:
        """Gives containers a past: {(namespace, pod, container): (CPU in cores, memory in bytes)}, `days` long.

        It ends `until` (now), and for a pod that exists at the latest with its creation: its past and what is scraped of it are then one
        series. Pods need not exist. Prometheus restarts, a second or two, and forgets what it scraped before the past's end.
        """
        end = until or datetime.now(UTC)
        pasts = [self._past(of, Usage(*usage), end, days, step_seconds) for of, usage in usages.items()]
        work = self.layout.folder / f"history-{secrets.token_hex(4)}"
        blocks = write_blocks(found("promtool"), work, pasts)
        self._processes.stop(self._children["prometheus"])
        for block in blocks:
            block.rename(self.layout.prometheus_data / block.name)
        self._spawn("prometheus", programs.prometheus(self.layout))
        self._wait("prometheus", f"{self.prometheus_url}/-/ready")
        shutil.rmtree(work)

    def _past(self, of: tuple[str, str, str], usage: Usage, end: datetime, days: float, step_seconds: int) -> Past:
        """Labelled as the scrape labels it: the node by the pod, where there is such a pod."""
        namespace, pod, container = of
        answer = self.request("GET", f"/api/v1/namespaces/{namespace}/pods/{pod}")
        live = answer.json() if answer.is_success else None
        where = live["spec"].get("nodeName", "") if live else ""
        last = min(end, datetime.fromisoformat(live["metadata"]["creationTimestamp"])) if live else end
        labels = {"namespace": namespace, "pod": pod, "container": container, "node": where, "instance": where, "job": "kubelet"}
        return Past(labels, usage, instants(last, days, step_seconds))


def node(name: str, *, zone: str, capacity: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, Any]:
    label, value = stages.MANAGED
    known = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": zone,
        "node.kubernetes.io/instance-type": "m6.4xlarge",
        label: value,
    }
    # metrics-server finds the node's numbers by this annotation
    path = {"metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource"}
    resources = {**NODE, **capacity}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {**known, **labels}, "annotations": path},
        "status": {"capacity": resources, "allocatable": resources},
    }


def ready(item: Mapping[str, Any]) -> bool:
    """Whether a node or a pod says that it is."""
    conditions = item.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="day2ops-rig-"))
    with ControlPlane.running(folder, metrics_server=build.find("metrics-server") is not None) as plane:
        print(f"API {plane.url}\nPrometheus {plane.prometheus_url}\nexport KUBECONFIG={plane.kubeconfig()}\nCtrl-C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
