"""Admitting: what the webhook costs per write of ours, and that it costs others nothing.

The app is the one that is served (its ASGI, its threads, its ledger on this machine's disk); each call brings a permit of its own, signed
and unused, and is admitted: verified, decided, committed. That others pay nothing is shown by what the API server itself evaluates before
it calls: the condition of the generated registration, asked of both CEL engines for each of the other users below. It must be false for
every one of them, and true for ours; where it is false, the API server sends no request at all.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import cel
import httpx
from cel_expr_python import cel as embedded

from core.actions import admission, states
from core.domain.permit import EXTRA, FORWARD_SECONDS, Permit
from core.domain.values import Json
from gate import keys, permits
from gate.keys import Signer
from gate.webhook import Webhook, application
from tools.clocks import SystemClock
from tools.stores.admissions import SqlAdmissions
from tools.stores.migrating import migrate

GOAL_MS = 5.0
ROUNDS, CALLS = 5, 80
OTHERS = (
    "system:admin", "kubernetes-admin", "system:kube-controller-manager", "system:kube-scheduler", "system:node:node-1",
    "system:serviceaccount:kube-system:replicaset-controller", "system:serviceaccount:argocd:argocd-application-controller",
    "system:serviceaccount:shop:day2", "ann", "not-day2:agent:scaling", "Day2:agent:scaling", "day2", "",
)  # fmt: skip
OURS = ("day2:agent:scaling", "day2:preview:scaling")


def run() -> list[str]:
    """Two lines. The run stops where a permit is refused, or where the API server would ask us about somebody else's write."""
    registration = admission.webhook(admission.client("https://127.0.0.1:9443", b""))["webhooks"][0]
    asked = sum(_is_asked(registration, user) for user in OTHERS)
    if asked or not all(_is_asked(registration, user) for user in OURS):
        raise AssertionError("the registration's condition does not tell our users from others")
    with tempfile.TemporaryDirectory(prefix="day2-bench-") as name:
        url = f"sqlite:///{Path(name) / 'ledger.db'}"
        migrate(url)
        book = SqlAdmissions(url)
        cpu, wall = asyncio.run(_measured(book, Path(name)))
        book.close()
    word = "met" if cpu <= GOAL_MS else "short"
    return [
        f"WEBHOOK (a signed permit admitted, CPU-ms a call): ours {cpu:.2f} ({wall:.2f} ms of the wall), goal <= {GOAL_MS:g}: {word}",
        f"WEBHOOK_OTHERS ({len(OTHERS)} other users by both CEL engines, calls): ours {asked}, goal 0: met",
    ]


def _is_asked(registration: Json, user: str) -> bool:
    """Whether the API server would send us a write of this user: every condition holds, on both engines alike."""
    request = {"userInfo": {"username": user}, "operation": "UPDATE"}
    found = [
        (_embedded(condition["expression"], request), cel.evaluate(condition["expression"], {"request": request}))
        for condition in registration["matchConditions"]
    ]
    if any(one is not other for one, other in found):
        raise AssertionError(f"the engines disagree about {user!r}")
    return all(one for one, _ in found)


def _embedded(expression: str, request: Json) -> bool:
    environment = embedded.NewEnv(variables={"request": embedded.Type.DYN})
    found: bool = environment.compile(expression).eval(environment.Activation({"request": request})).value()
    return found


async def _measured(book: SqlAdmissions, folder: Path) -> tuple[float, float]:
    """CPU and wall milliseconds a call in the best of some rounds, because neighbours on the machine only ever slow it down. The client's
    own part is in it: it stands where the API server's connection would."""
    key, now = keys.signer(folder, keys.JUDGE), int(time.time())
    webhook = Webhook(book, lambda: keys.verifier(folder, keys.JUDGE), SystemClock())  # read at each call, as where it is served
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(webhook)), base_url="http://webhook") as client:
        await client.get("/healthz")
        numbers = [range(start, start + CALLS) for start in range(0, ROUNDS * CALLS, CALLS)]
        return min([await _round(client, [_review(key, number, now) for number in each]) for each in numbers])


async def _round(client: httpx.AsyncClient, documents: list[Json]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    for document in documents:
        answer = await client.post("/verify", json=document)
        if not answer.json()["response"]["allowed"]:
            raise AssertionError(f"a good permit was refused: {answer.text}")
    return (time.process_time() - cpu) * 1000 / CALLS, (time.perf_counter() - wall) * 1000 / CALLS


def _review(key: Signer, number: int, now: int) -> Json:
    """A node that is cordoned: its object of a usual size before and after, under a permit for exactly that."""
    labels = {f"example.com/label-{place}": "x" * 40 for place in range(30)}
    old: Json = {
        "kind": "Node",
        "metadata": {"name": f"node-{number}", "uid": f"uid-{number}", "resourceVersion": "1", "labels": labels},
        "spec": {},
        "status": {"images": [{"names": [f"registry.example/app-{place}@sha256:{'0' * 64}"], "sizeBytes": 10**8} for place in range(50)]},
    }
    new = {**old, "spec": {"unschedulable": True}}
    digest = "a" * 64
    permit = Permit(
        jti=f"permit-{number}", use="forward", iss=permits.ISSUER, agent="reliability", action_id=f"act-{number:08}", cluster="c",
        action_digest=digest, verdict_digest=digest, request=digest, uid=f"uid-{number}", line=f"patch /api/v1/nodes/node-{number}",
        post=states.post_hash("patch", {}, old, new), iat=now, exp=now + FORWARD_SECONDS,
    )  # fmt: skip
    user = {"username": "day2:agent:reliability", "groups": ["system:authenticated"], "extra": {EXTRA: [permits.mint(permit, key)]}}
    resource = {"group": "", "version": "v1", "resource": "nodes"}
    request = {"uid": f"r-{number}", "operation": "UPDATE", "resource": resource, "name": f"node-{number}", "userInfo": user}
    return {"request": request | {"oldObject": old, "object": new, "options": {}}}
