"""The chart of `deploy/` on the real helm, and its pods as processes: what a kubelet would mount and start, without containers.

`rendered` asks helm for the documents. `Pods` starts the processes of Deployments that stand in an API server: their ConfigMaps and Secrets
as files, tokens of their own accounts from TokenRequest, the one claim as a folder that all share. Absolute paths of the image get a
folder of the test in front; nothing else of what the chart says is changed.
"""

import base64
import contextlib
import functools
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from core.domain.values import Json
from tests.cluster.conftest import absent
from tests.controlplane import build
from tests.controlplane.rig import ControlPlane

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "chart"
NAMESPACE = "day2-system"
RELEASE = "day2"
CA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
GRANT: Json = {
    "apiVersion": "day2.dev/v1alpha1",
    "kind": "Grant",
    "metadata": {"name": "scaling"},
    "spec": {"agent": "scaling", "capabilities": ["scale_workload"]},
}
ACT: Json = {
    "mode": "act",
    "documents": [GRANT],
    "webhook": {"caSecret": "day2-webhook-ca", "caBundle": CA},
    "networkPolicy": {"apiServer": {"cidrs": ["10.0.0.2/32"]}},
}
"""The least that mode `act` needs."""
PLACES = re.compile(r"(?<![\w./-])(?=/(?:etc/day2|var/lib/day2|var/run/secrets/day2|tmp)\b)")
PYTHONS = ("/opt/day2/.venv-run/bin/python", "/opt/day2/.venv-executor/bin/python")
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"
"""Where a process of the image finds `day2`, here."""
READY_SECONDS = 60.0
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def merged(base: Json, change: Json) -> Json:
    """Both, deeply; the change wins."""
    found = dict(base)
    for key, value in change.items():
        found[key] = merged(found[key], value) if isinstance(value, dict) and isinstance(found.get(key), dict) else value
    return found


def helm(*arguments: str, values: Json | None = None) -> subprocess.CompletedProcess[str]:
    """The real one. Ends the session where it is not built, as the control plane does."""
    program = build.find("helm")
    if program is None:
        absent(["helm"], "helm not found: run `make control-plane`")
    line = [str(program), *arguments, *(["--values", "-"] if values is not None else [])]
    environment = {"PATH": os.environ["PATH"], "HOME": str(ROOT / ".cache" / "helm")}
    said = yaml.safe_dump(values) if values is not None else ""
    return subprocess.run(line, input=said, env=environment, capture_output=True, text=True, timeout=120, check=False)


def rendered(values: Json | None = None, *flags: str) -> list[Json]:
    """Every document that would be installed, tests of the release too."""
    return [document for document in yaml.load_all(_text(json.dumps(values or {}), flags), Loader=LOADER) if document]


@functools.cache
def _text(values: str, flags: tuple[str, ...]) -> str:
    """Half a second each; many tests look at the same."""
    said = helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *flags, values=json.loads(values))
    assert said.returncode == 0, said.stderr
    return said.stdout


def refused(values: Json, *flags: str) -> str:
    """Why helm does not render it."""
    said = helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *flags, values=values)
    assert said.returncode != 0, "it was rendered"
    return said.stderr


def of_kind(documents: Sequence[Json], *kinds: str) -> list[Json]:
    return [document for document in documents if document["kind"] in kinds]


def named(documents: Sequence[Json], kind: str, name: str) -> Json:
    return next(document for document in of_kind(documents, kind) if document["metadata"]["name"] == name)


@dataclass
class Pods:
    """Processes of the pods of Deployments that are installed. `folder` holds a root for each, and the claim that they share."""

    plane: ControlPlane
    folder: Path
    running: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The claim."""
        return self.folder / "claim"

    def root(self, role: str) -> Path:
        return self.folder / role

    def start(self, role: str) -> Json:
        """Its init containers to their end, then its process, until that says that it is ready: the line that it said."""
        spec = self.spec(role)
        self._mount(role, spec)
        for container in spec.get("initContainers", ()):
            done = self._run(role, container)
            assert done.returncode == 0, f"{container['name']}: {done.stderr}"
        (container,) = spec["containers"]
        log = (self.folder / f"{role}.log").open("a", encoding="utf-8")
        with log:
            process = subprocess.Popen(
                self._line(role, container["command"]), cwd=self._place(role, container["workingDir"]),
                env=self._environment(role, container), stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        self.running[role] = process
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said, self.log(role)
        ready: Json = json.loads(said)
        return ready

    def exec(self, role: str, *command: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """As `kubectl exec -i deploy/day2-ROLE -- COMMAND` does, with `said` on its input."""
        spec = self.spec(role)
        (container,) = spec["containers"]
        return self._run(role, {**container, "command": list(command)}, said)

    def log(self, role: str) -> str:
        return (self.folder / f"{role}.log").read_text(encoding="utf-8")

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            process.wait(90)
            assert process.stdout is not None
            process.stdout.close()
        self.running.clear()

    # ------------------------------------------------------------------ what a kubelet does
    def spec(self, role: str) -> Json:
        found = self.plane.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/day2-{role}")
        spec: Json = found["spec"]["template"]["spec"]
        return spec

    def _mount(self, role: str, spec: Json) -> None:
        sources = {volume["name"]: volume for volume in spec["volumes"]}
        mounts = [mount for container in (*spec.get("initContainers", ()), *spec["containers"]) for mount in container["volumeMounts"]]
        for mount in sorted(mounts, key=lambda item: len(item["mountPath"])):
            source, place = sources[mount["name"]], self._place(role, mount["mountPath"])
            if "persistentVolumeClaim" in source:
                self._share(place, self.data / mount["subPath"])
                continue
            place.mkdir(parents=True, exist_ok=True)
            for file, content in self._content(role, spec, source).items():
                (place / file).touch(0o600)
                (place / file).write_text(content, encoding="utf-8")

    @staticmethod
    def _share(place: Path, target: Path) -> None:
        """A part of the claim at a place; one within another mount of it is there already. Read-only is not shown here."""
        if place.resolve() == target.resolve():
            return
        target.mkdir(parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def _content(self, role: str, spec: Json, source: Json) -> dict[str, str]:
        if "emptyDir" in source:
            return {}
        if "secret" in source:
            return self._secret(source["secret"])
        if "configMap" in source:
            return {name: self._moved(role, text) for name, text in self._config(source["configMap"]["name"]).items()}
        found: dict[str, str] = {}
        for part in source["projected"]["sources"]:
            if "configMap" in part:
                found |= {item["path"]: self._config(part["configMap"]["name"])[item["key"]] for item in part["configMap"]["items"]}
            else:
                wanted = part["serviceAccountToken"]
                found[wanted["path"]] = self.token(spec["serviceAccountName"], wanted["expirationSeconds"])
        return found

    def token(self, account: str, seconds: int = 3600) -> str:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
        answer = self.plane.request("POST", f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{account}/token", body)
        return str(answer.json()["status"]["token"])

    def _config(self, name: str) -> Mapping[str, str]:
        found: Mapping[str, str] = self.plane.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/{name}")["data"]
        return found

    def _secret(self, wanted: Json) -> dict[str, str]:
        data = self.plane.get(f"/api/v1/namespaces/{NAMESPACE}/secrets/{wanted['secretName']}")["data"]
        return {name: base64.b64decode(text).decode() for name, text in data.items()}

    def _run(self, role: str, container: Json, said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._line(role, container["command"]), cwd=self._place(role, container["workingDir"]),
            env=self._environment(role, container), input=said, capture_output=True, text=True, timeout=READY_SECONDS, check=False,
        )  # fmt: skip

    def _environment(self, role: str, container: Json) -> dict[str, str]:
        """What the container says, in an image whose PATH finds `day2`. Kubernetes tells each pod where the API server is."""
        known = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.plane.layout.ports.apiserver)}
        found = {"PATH": PATH, **known}
        for item in container.get("env", ()):
            if kept := item.get("valueFrom", {}).get("secretKeyRef"):
                found[item["name"]] = self._secret({"secretName": kept["name"]})[kept["key"]]
                continue
            text = re.sub(r"\$\((\w+)\)", lambda hit: known[hit.group(1)], item.get("value", ""))
            found[item["name"]] = self._moved(role, text)
        return found

    def _line(self, role: str, command: Sequence[str]) -> list[str]:
        first = sys.executable if command[0] in PYTHONS else shutil.which(command[0], path=PATH)
        assert first, command[0]
        return [first, *(self._moved(role, word) for word in command[1:])]

    def _place(self, role: str, path: str) -> Path:
        return Path(self._moved(role, path))

    def _moved(self, role: str, text: str) -> str:
        return PLACES.sub(str(self.root(role)), text)


# ------------------------------------------------------------------ releases on a control plane
RESTRICTED = "pod-security.kubernetes.io/enforce"
OWNED = "app.kubernetes.io/part-of=day2ops"
CLUSTER_WIDE = (
    "clusterroles",
    "clusterrolebindings",
    "rolebindings",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "validatingwebhookconfigurations",
)
INSIDE = (
    "deployments,pods,replicasets,services,networkpolicies,configmaps,serviceaccounts,poddisruptionbudgets,persistentvolumeclaims,secrets"
)


@contextlib.contextmanager
def emptied(plane: ControlPlane) -> Iterator[None]:
    """The namespace of the chart at the restricted level, with nothing of ours in the cluster; afterwards as other tests expect it."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    plane.request("POST", "/api/v1/namespaces", body)
    level = {"metadata": {"labels": {RESTRICTED: "restricted"}}}
    plane.request("PATCH", f"/api/v1/namespaces/{NAMESPACE}", level, content_type="application/merge-patch+json").raise_for_status()
    sweep(plane)
    try:
        yield
    finally:
        sweep(plane)
        level["metadata"]["labels"][RESTRICTED] = None  # type: ignore[assignment]
        plane.request("PATCH", f"/api/v1/namespaces/{NAMESPACE}", level, content_type="application/merge-patch+json")


def sweep(plane: ControlPlane) -> None:
    """Takes away everything of ours, whoever made it."""
    plane.kubectl("delete", ",".join(CLUSTER_WIDE), "-A", "-l", OWNED, "--ignore-not-found", "--wait=false")
    plane.kubectl("delete", INSIDE, "-n", NAMESPACE, "-l", f"{OWNED}", "--ignore-not-found", "--wait=false", "--grace-period=0", "--force")
    plane.kubectl("delete", "secrets", "-n", NAMESPACE, "-l", "owner=helm", "--ignore-not-found", "--wait=false")


def left(plane: ControlPlane) -> set[str]:
    """What there is of ours, as KIND/NAME, but for pods that are going."""
    said = plane.kubectl("get", ",".join((*CLUSTER_WIDE, INSIDE.replace("pods,", ""))), "-A", "-l", OWNED, "-o", "name")
    return set(said.split())


def in_cluster(plane: ControlPlane, *arguments: str, values: Json | None = None) -> str:
    """helm against this API server, as its administrator: what it printed."""
    said = helm(*arguments, "--namespace", NAMESPACE, "--kubeconfig", str(plane.kubeconfig()), values=values)
    assert said.returncode == 0, said.stderr
    return said.stdout


@contextlib.contextmanager
def volume(plane: ControlPlane) -> Iterator[str]:
    """Room for the claim, as a cluster's storage would make it."""
    name = f"day2-{secrets.token_hex(4)}"
    spec = {
        "capacity": {"storage": "5Gi"},
        "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
        "persistentVolumeReclaimPolicy": "Delete",
        "hostPath": {"path": "/nowhere"},
        "claimRef": {"namespace": NAMESPACE, "name": "day2-data"},
    }
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    plane.request("POST", "/api/v1/persistentvolumes", body).raise_for_status()
    try:
        yield name
    finally:
        plane.request("DELETE", f"/api/v1/persistentvolumes/{name}")
