"""A guarded control plane: the generated RBAC and admission documents installed, and the real webhook process behind them.

For tests that act as the gate's own parts or as an attacker: `judge` signs permits, `send` is the executor's writer, `raw` anything.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from agents.catalogue import AGENTS
from core.actions import admission, roles, states
from core.actions.catalogue import CATALOGUE
from core.cluster.kinds import GUARD_KINDS, KINDS
from core.domain.api_request import ApiRequest
from core.domain.permit import FORWARD_SECONDS, UNDO_MARGIN_SECONDS, Permit
from core.domain.values import Json
from gate import keys, permits
from runtime.ids import RandomIds
from runtime.roles.deciders import RoleSettings, WebhookSettings
from tests.cluster.access import kubeconfigs
from tests.controlplane import certificates
from tests.controlplane.rig import ControlPlane
from tools.kubernetes import config, transport
from tools.kubernetes.reader import HttpReader
from tools.kubernetes.writer import ImpersonatingWriter, PreviewWriter
from tools.stores import migrating

STRATEGIC = "application/strategic-merge-patch+json"
ROOT = Path(__file__).resolve().parents[2]


def only(kind: str) -> str:
    """The agent that is granted nothing but this kind."""
    return f"only-{kind.replace('_', '-')}"


GRANTS: dict[str, Sequence[str]] = {agent.name: agent.capabilities for agent in AGENTS} | {only(kind): (kind,) for kind in CATALOGUE}


@dataclass
class Webhook:
    """One webhook process; several may stand behind one address at different times."""

    settings: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        line = [sys.executable, "-m", "runtime.roles.webhook", "--settings", str(self.settings)]
        with self.settings.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=log, cwd=ROOT)
        assert self.process.stdout is not None
        assert self.process.stdout.readline(), self.settings.with_suffix(".log").read_text()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(90)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None


@dataclass
class Guarded:
    """`folder` is the data folder of the gate: its ledger and keys. `files` are kubeconfigs by identity."""

    plane: ControlPlane
    files: dict[str, Path]
    folder: Path
    url: str
    ca: Path
    webhook: Webhook
    judge: keys.Signer
    ids: RandomIds = field(default_factory=RandomIds)

    @property
    def ledger_url(self) -> str:
        return f"sqlite:///{self.folder / 'ledger.db'}"

    # -------------------------------------------------------------- what is installed
    def documents(self) -> tuple[Json, ...]:
        return (*admission.manifests(admission.client(self.url, self.ca.read_bytes())), *roles.manifests(GRANTS))

    def install(self) -> None:
        for document in self.documents():
            put(self.plane, document)
        self.plane.until(self.in_force, "the guard in force", timeout_seconds=60)

    def admissions(self) -> list[Json]:
        return [item for item in self.documents() if "admissionregistration" in item["apiVersion"]]

    def remove(self) -> None:
        """The admission documents; others share the control plane."""
        for document in self.admissions():
            broken_glass(self.plane, path_of(document))

    def in_force(self) -> bool:
        """A write of an agent without a permit, and one with a forged one, are refused by policy and by webhook."""
        body = {"metadata": {"labels": {"probe": "1"}}}
        node = str(self.plane.get("/api/v1/nodes")["items"][0]["metadata"]["name"])
        request = ApiRequest(verb="patch", version="v1", resource="nodes", name=node, content_type=STRATEGIC, body=body)
        return "day2 permit" in self.said(request, only("cordon_node"), "e30.e30.e30")

    def webhook_calls(self) -> int:
        """How often the API server has asked a webhook, by its own count."""
        lines = self.plane.request("GET", "/metrics").text.splitlines()
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if line.startswith("apiserver_admission_webhook_request_total{"))

    # -------------------------------------------------------------- permits, as the judge makes them
    def permit(self, request: ApiRequest, agent: str, old: Json, new: Json, **changes: Any) -> Permit:
        now, meta = int(time.time()), old["metadata"]
        moves = new.get("metadata", {}).get("generation", 0) != meta.get("generation", 0)
        told: dict[str, Any] = {
            "jti": self.ids.new("permit"),
            "use": "forward",
            "iss": permits.ISSUER,
            "agent": agent,
            "action_id": "act-test0001",
            "action_digest": "a" * 64,
            "verdict_digest": "b" * 64,
            "cluster": "c-1",
            "uid": meta["uid"],
            "generation": meta.get("generation", 0) if moves else 0,
            "request": request.digest(),
            "line": request.line,
            "post": states.post_hash(request.verb, request.body, old, {} if request.removes else new),
            "iat": now,
            "exp": now + FORWARD_SECONDS,
        }
        return Permit(**told | changes)

    def undo(self, request: ApiRequest, forward: Permit, old: Json, new: Json, /, **changes: Any) -> Permit:
        told = {"jti": self.ids.new("permit"), "use": "undo", "forward": forward.jti, "inverse": states.inverse_hash(old, new), "post": ""}
        told |= {
            "generation": 0,
            "request": request.digest(),
            "line": request.line,
            "exp": forward.iat + FORWARD_SECONDS + UNDO_MARGIN_SECONDS,
        }
        return forward.model_copy(update=told | changes)

    def judged(self, request: ApiRequest, agent: str, **changes: Any) -> tuple[Permit, Json, Json]:
        """A good permit for a request, from what stands and what the API server previews; with both."""
        old = self.plane.get(request.path.removesuffix(f"/{request.subresource}") if request.subresource else request.path)
        new = self.preview(request, agent)
        return self.permit(request, agent, old, new, **changes), old, new

    # -------------------------------------------------------------- calls, each as its own process would make it
    def send(self, request: ApiRequest, agent: str, permit: Permit | str, *, dry_run: bool = False) -> Json:
        """As the executor. Raises what its writer raises."""
        token = permits.mint(permit, self.judge) if isinstance(permit, Permit) else permit

        async def call() -> Json:
            async with transport.connect(config.load(self.files["executor"])) as client:
                return await ImpersonatingWriter(client).send(request, agent=agent, permit=token, dry_run=dry_run)

        return asyncio.run(call())

    def said(self, request: ApiRequest, agent: str, token: str, *, dry_run: bool = True) -> str:
        """What the executor's write is answered: empty for yes."""
        try:
            self.send(request, agent, token, dry_run=dry_run)
        except Exception as error:  # noqa: BLE001  every refusal is an answer here
            return str(error)
        return ""

    def preview(self, request: ApiRequest, agent: str) -> Json:
        """As the judge."""

        async def call() -> Json:
            async with transport.connect(config.load(self.files["judge"])) as client:
                return await PreviewWriter(client).preview(request, agent=agent)

        return asyncio.run(call())

    def raw(self, method: str, path: str, body: object, headers: Mapping[str, str], *, identity: str = "executor") -> httpx.Response:
        """Any request with any headers, as one of our identities."""

        async def call() -> httpx.Response:
            async with transport.connect(config.load(self.files[identity])) as client:
                return await client.request(method, path, json=body, headers=headers)

        return asyncio.run(call())

    @contextlib.asynccontextmanager
    async def reader(self, identity: str) -> Any:
        async with transport.connect(config.load(self.files[identity])) as client:
            yield HttpReader(client)


@contextlib.contextmanager
def guarded(plane: ControlPlane, folder: Path) -> Iterator[Guarded]:
    """Install everything, start the webhook, and take the guard away again: other tests share the control plane."""
    made = entered(plane, folder, prepared(folder))
    made.webhook.start()
    try:
        made.install()
        yield made
    finally:
        made.remove()
        made.webhook.stop()


class Prepared(NamedTuple):
    """What there is before the control plane: files of the API server name the webhook's address and CA."""

    folder: Path
    url: str
    ca: Path
    webhook: Webhook
    judge: keys.Signer


def entered(plane: ControlPlane, folder: Path, known: Prepared) -> Guarded:
    """With the generated rights, and kubeconfigs of our accounts; no guard is installed yet."""
    for document in roles.manifests(GRANTS):
        put(plane, document)
    return Guarded(plane, files=kubeconfigs(plane, folder), **known._asdict())


def prepared(folder: Path) -> Prepared:
    """Ledger, keys, CA and settings of a webhook that is not started."""
    data = folder / "data"
    migrating.migrate(f"sqlite:///{data / 'ledger.db'}")
    judge = keys.signer(data / "keys", keys.JUDGE)
    certificates.save(folder, "webhook-ca", *certificates.new_authority("webhook-ca"))
    port = free_port()
    wanted = WebhookSettings(
        listen=f"127.0.0.1:{port}", url=f"https://127.0.0.1:{port}", ca=folder / "webhook-ca.crt", ca_key=folder / "webhook-ca.key"
    )
    settings = RoleSettings(data_dir=data, ledger_url=f"sqlite:///{data / 'ledger.db'}", guard=None, webhook=wanted)
    path = folder / "webhook.settings.json"
    path.write_text(settings.model_dump_json())
    return Prepared(data, wanted.url, folder / "webhook-ca.crt", Webhook(path), judge)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def path_of(document: Json) -> str:
    kinds = {**KINDS, **GUARD_KINDS}
    return kinds[document["kind"]].path(document["metadata"].get("namespace", ""), document["metadata"]["name"])


def broken_glass(plane: ControlPlane, path: str) -> httpx.Response:
    """Deleted by the only ones who may where the guard stands in files."""
    headers = [("Impersonate-User", "keeper"), ("Impersonate-Group", admission.BREAK_GLASS), ("Impersonate-Group", "system:masters")]
    return plane.request("DELETE", path, headers=headers)


def put(plane: ControlPlane, document: Json) -> None:
    """Create it, or bring what is there to this form."""
    path = path_of(document)
    plain = json.loads(json.dumps(document))
    answer = plane.request("POST", path.rpartition("/")[0], plain)
    if answer.status_code == 409 and document["kind"] not in ("Namespace", "ServiceAccount"):
        version = plane.get(path)["metadata"]["resourceVersion"]
        answer = plane.request("PUT", path, {**plain, "metadata": {**plain["metadata"], "resourceVersion": version}})
        assert answer.is_success, answer.text
    else:
        assert answer.is_success or answer.status_code == 409, answer.text
