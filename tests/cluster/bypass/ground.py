"""Where the attempts take place: a guarded control plane, a namespace full of objects worth taking, and every identity of ours.

`guard` is the real guard with the real webhook process behind it; the judge's key lies here too, because an attempt may be a permit that is
truly signed and opens something else.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from core.actions.roles import ACCOUNTS, NAMESPACE
from core.domain.api_request import ApiRequest
from core.domain.permit import Permit
from core.domain.values import Json
from gate import permits
from tests.cluster.access import kubeconfigs
from tests.cluster.bypass.attempts import MERGE, Call, until
from tests.cluster.bypass.credentials import certificate, forged_tokens
from tests.cluster.bypass.store import Store, moved
from tests.cluster.bypass.victims import MISGRANT, victims
from tests.cluster.guarded import STRATEGIC, Guarded, broken_glass, path_of
from tests.controlplane.rig import ControlPlane

AGENT = "scaling"
USER = f"day2:agent:{AGENT}"
PREVIEW = f"day2:preview:{AGENT}"
CATALOGUE_METHODS = {"patch": "PATCH", "delete": "DELETE"}


class Together(NamedTuple):
    """Attempts that share one look at the store: their answers by id, and what moved."""

    answers: dict[str, httpx.Response]
    moved: list[str]


@dataclass
class Ground:
    """`names` fill the braces of paths, bodies and headers."""

    guard: Guarded
    mode: str
    namespace: str
    store: Store
    tokens: dict[str, str]
    certificates: dict[str, httpx.Client]
    http: httpx.Client
    names: dict[str, str]
    folder: Path
    together: dict[str, Together] = field(default_factory=dict)
    _before: dict[str, str] = field(default_factory=dict)
    _found: list[str] = field(default_factory=list)
    _previews: dict[tuple[str, str, str], Json] = field(default_factory=dict)
    _stirred: bool = True
    _entitled: bool = False

    @property
    def plane(self) -> ControlPlane:
        return self.guard.plane

    # -------------------------------------------------------------- the comparison
    def mark(self) -> None:
        """From here on nothing may move. Waits for what earlier writes of ours set going."""
        if self._stirred:
            self.plane.until(self._caught_up, "controllers at rest")
            self._before, self._stirred = self.store.settled(), False

    def moved(self) -> list[str]:
        """Which keys of the store moved since the mark, or since they were asked for last."""
        before, self._before = self._before, self.store.look()
        found, self._found = [*self._found, *moved(before, self._before)], []
        return found

    def rest(self, restore: Callable[[], Any]) -> None:
        """The end of what may not move anything; then `restore` may."""
        self._found = moved(self._before, self.store.look())
        restore()
        self.mark()

    def stir(self) -> None:
        """Something was written with consequences that come later."""
        self._stirred = True

    def recovered(self) -> None:
        """Pods that went are back."""
        self._stirred = True
        self.plane.until(lambda: _all_run(self), "the victims at rest")

    def _caught_up(self) -> bool:
        apps = "/apis/apps/v1/namespaces/{ns}"
        items = [item for kind in ("deployments", "replicasets") for item in self.get(f"{apps}/{kind}")["items"]]
        return all(item["status"].get("observedGeneration") == item["metadata"]["generation"] for item in items)

    # -------------------------------------------------------------- rights
    def entitle(self, *, everything: bool) -> None:
        """Give our accounts every right that there is, or take it away again."""
        if everything == self._entitled:
            return
        for document in MISGRANT:
            path = path_of(document)
            if everything:
                self.plane.request("POST", path.rpartition("/")[0], document).raise_for_status()
            else:
                broken_glass(self.plane, path).raise_for_status()
        read = Call("reader", "GET", "/api/v1/namespaces/{ns}/secrets")
        until(lambda: self.call(read).is_success == everything, lambda: "the rights in force")
        self._entitled = everything
        self._stirred = True

    # -------------------------------------------------------------- calls
    def call(self, call: Call) -> httpx.Response:
        client = self.certificates.get(call.who, self.http)
        content = None if call.body is None else self.filled(json.dumps(call.body)).encode()
        told = [(name, self.filled(value).encode("utf-8")) for name, value in call.headers]
        headers = [*self._bearer(call.who), ("Content-Type", call.content_type.encode()), *told]
        return client.request(call.method, self.filled(call.path), content=content, headers=headers)

    def filled(self, text: str) -> str:
        """`{permit}` is a good one, made now: it lives for two minutes."""
        if "{permit}" in text:
            permit, _, _ = self.judged(self.request("web", {"spec": {"replicas": 9}}))
            text = text.replace("{permit}", self.minted(permit))
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _bearer(self, who: str) -> list[tuple[str, bytes]]:
        return [("Authorization", f"Bearer {self.tokens[who]}".encode())] if self.tokens.get(who) else []

    def admin(self, method: str, path: str, body: Any = None, content_type: str = MERGE) -> Json:
        """Raises for a refusal: what an attempt needs must be there."""
        self._stirred = True
        answer: Json = self.plane.request(method, self.filled(path), body, content_type=content_type).raise_for_status().json()
        return answer

    def get(self, path: str) -> Json:
        return self.plane.get(self.filled(path))

    # -------------------------------------------------------------- permits
    def request(self, name: str, body: Json, *, namespace: str = "", **more: Any) -> ApiRequest:
        """A patch of a Deployment."""
        told = {"verb": "patch", "group": "apps", "version": "v1", "resource": "deployments", "content_type": STRATEGIC}
        return ApiRequest.model_validate(told | {"namespace": namespace or self.namespace, "name": name, "body": body} | more)

    def judged(self, request: ApiRequest, agent: str = AGENT, **changes: Any) -> tuple[Permit, Json, Json]:
        """A good permit, from what stands and from the judge's preview; with both. While the object stands, its preview does too."""
        old = self.get(request.path.removesuffix(f"/{request.subresource}") if request.subresource else request.path)
        asked = (agent, request.digest(), str(old["metadata"]["resourceVersion"]))
        if asked not in self._previews:
            answer = self.sent(request, f"day2:preview:{agent}", who="judge", dry_run=True)
            self._previews[asked] = answer.raise_for_status().json()
        new = self._previews[asked]
        return self.guard.permit(request, agent, old, new, **changes), old, new

    def sent(
        self, request: ApiRequest, user: str, *tokens: str, who: str = "executor", dry_run: bool = False, query: str = ""
    ) -> httpx.Response:
        """As `who` in the name of `user`, with these permits."""
        dry = "dryRun=All" if dry_run else ""
        path = f"{request.path}?{'&'.join(filter(None, (dry, query)))}"
        call = Call(who, CATALOGUE_METHODS[request.verb], path, request.body, request.content_type)
        return self.call(call.impersonating(user, *tokens))

    def minted(self, permit: Permit) -> str:
        return permits.mint(permit, self.guard.judge)

    def spent(self, request: ApiRequest, agent: str = AGENT) -> tuple[Permit, Json, Json]:
        """A judged write, done."""
        permit, old, new = self.judged(request, agent)
        self._stirred = True
        self.sent(request, f"day2:agent:{agent}", self.minted(permit)).raise_for_status()
        return permit, old, new


@contextmanager
def standing(guard: Guarded, mode: str, folder: Path) -> Iterator[Ground]:
    """The ground on a plane where the guard is in force."""
    with ExitStack() as stack:
        namespace = stack.enter_context(guard.plane.namespace())
        store = Store(guard.plane, namespace)
        stack.callback(store.close)
        context = ssl.create_default_context(cafile=guard.plane.certificate_authority)
        http = stack.enter_context(httpx.Client(base_url=guard.plane.url, verify=context, trust_env=False, timeout=30))
        guard.files |= kubeconfigs(guard.plane, folder, ACCOUNTS)
        tokens = {name: json.loads(path.read_text())["users"][0]["user"]["token"] for name, path in guard.files.items()}
        tokens |= {"nobody": "", "direct agent": guard.plane.token("agent"), "direct preview": guard.plane.token("preview")}
        names = {"ns": namespace, "system": NAMESPACE, "node": str(guard.plane.get("/api/v1/nodes")["items"][0]["metadata"]["name"])}
        ground = Ground(guard, mode, namespace, store, tokens, {}, http, names, folder)
        ground.tokens |= forged_tokens(ground)
        for who, told in certificate(ground).items():
            ground.certificates[who] = stack.enter_context(told)
        stack.callback(_swept, ground)
        stack.callback(ground.entitle, everything=False)
        _peopled(ground)
        ground.mark()
        yield ground


def _peopled(ground: Ground) -> None:
    for path, body in victims():
        answer = ground.plane.request("POST", ground.filled(path), json.loads(ground.filled(json.dumps(body))))
        assert answer.status_code in (201, 409), (path, answer.text)
    ground.plane.until(lambda: _all_run(ground), "the victims at rest", timeout_seconds=90)


def _all_run(ground: Ground) -> bool:
    items = ground.get("/api/v1/namespaces/{ns}/pods")["items"]
    running = [item for item in items if item["status"].get("phase") == "Running" and "deletionTimestamp" not in item["metadata"]]
    return (len(items), len(running)) == (4, 3)


def _swept(ground: Ground) -> None:
    """What stands outside of the namespace."""
    for path, body in victims():
        if "/namespaces/{ns}/" not in path:
            ground.plane.request("DELETE", f"{path}/{body['metadata']['name']}")
