"""Who makes machines: objects of the Cluster API, read; and an own webhook, asked under a signature over a real socket's protocol."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from core.cluster.objects import Meta, Node, NodeSpec, Taint
from core.domain.errors import Refused, Unavailable
from tools.hand_clock import HandClock
from tools.machines.cluster_api import MACHINE, NAMESPACE, ClusterApiMachines
from tools.machines.webhook import WebhookMachines

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECRET = b"between-us"
NODE = Node(
    metadata=Meta(name="n1", uid="uid-n1", labels={"pool": "a"}, annotations={MACHINE: "m1", NAMESPACE: "capi"}),
    spec=NodeSpec(provider_id="aws:///eu-1a/i-1"),
)


def machine(ready: str, reason: str = "", uid: str = "uid-n1") -> dict[str, Any]:
    return {
        "metadata": {"name": "m1", "namespace": "capi", "uid": "uid-m1"},
        "status": {"nodeRef": {"uid": uid}, "conditions": [{"type": "InfrastructureReady", "status": ready, "reason": reason}]},
    }


class Reader:
    def __init__(self, found: dict[str, Any] | None) -> None:
        self.found = found

    async def get(self, kind: Any, namespace: str, name: str) -> dict[str, Any] | None:
        assert (kind.name, namespace, name) == ("Machine", "capi", "m1")
        return self.found


@pytest.mark.parametrize(
    ("found", "power"),
    [
        (machine("True"), "on"),
        (machine("False", "InstanceStopped"), "off"),
        (machine("False", "InstanceTerminated"), "off"),
        (machine("False", "InstanceNotReady"), "unknown"),
        (machine("Unknown", "InstanceStopped"), "unknown"),
    ],
)
async def test_a_machine_is_off_only_where_its_provider_says_stopped_or_terminated(found: dict[str, Any], power: str) -> None:
    seen = await ClusterApiMachines(Reader(found)).behind("c-1", NODE)  # type: ignore[arg-type]
    assert seen is not None
    assert seen.power == power
    assert seen.target is not None
    assert (seen.target.uid, seen.target.namespace) == ("uid-m1", "capi")


async def test_a_machine_of_another_node_says_nothing_about_this_one() -> None:
    machines = ClusterApiMachines(Reader(machine("False", "InstanceStopped", uid="uid-of-before")))  # type: ignore[arg-type]
    assert await machines.behind("c-1", NODE) is None


async def test_the_cloud_controllers_taint_speaks_for_a_node_without_a_machine() -> None:
    bare = Node(metadata=Meta(name="n1", uid="uid-n1"), spec=NodeSpec(taints=(Taint(key="node.cloudprovider.kubernetes.io/shutdown"),)))
    machines = ClusterApiMachines(Reader(None))  # type: ignore[arg-type]
    seen = await machines.behind("c-1", bare)
    assert seen is not None
    assert (seen.power, seen.target) == ("off", None)
    with pytest.raises(Refused):
        await machines.replace("c-1", bare, "heal-0001")


class Provider:
    """The other side, as its documentation says that it checks: signature, age, and one replacement per key."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.says: Callable[[str, dict[str, Any]], httpx.Response] = self.usual

    def __call__(self, request: httpx.Request) -> httpx.Response:
        parts = dict(part.split("=") for part in request.headers["Day2-Signature"].split(","))
        good = hmac.new(SECRET, f"{parts['t']}.".encode() + request.content, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(good, parts["v1"]) or abs(int(parts["t"]) - int(NOON.timestamp())) > 300:
            return httpx.Response(401)
        body = json.loads(request.content)
        if request.url.path == "/machines/replace":
            self.kept.setdefault(request.headers["Idempotency-Key"], body["node"])
        return self.says(request.url.path.rpartition("/")[2], body)

    def usual(self, verb: str, body: dict[str, Any]) -> httpx.Response:
        assert body == {
            "cluster": "c-1", "node": "n1", "uid": "uid-n1", "providerID": "aws:///eu-1a/i-1", "labels": {"pool": "a"}
        }  # fmt: skip
        return httpx.Response(200, json={"power": "off", "said": "stopped"} if verb == "power" else {"accepted": True, "said": "ticket 7"})


@pytest.fixture
def provider() -> Provider:
    return Provider()


def asking(provider: Provider, secret: bytes = SECRET) -> WebhookMachines:
    client = httpx.AsyncClient(transport=httpx.MockTransport(provider))
    return WebhookMachines(client, "https://machines.example/machines/", secret, HandClock(NOON))


async def test_power_and_replacement_are_asked_signed_and_a_key_asks_once(provider: Provider) -> None:
    machines = asking(provider)
    seen = await machines.behind("c-1", NODE)
    assert seen is not None
    assert (seen.power, seen.said, seen.target) == ("off", "stopped", None)
    assert [await machines.replace("c-1", NODE, "heal-0001") for _ in range(2)] == ["ticket 7", "ticket 7"]
    assert provider.kept == {"heal-0001": "n1"}


async def test_another_secret_is_refused_and_nothing_is_believed(provider: Provider) -> None:
    with pytest.raises(Refused, match="401"):
        await asking(provider, b"guessed").behind("c-1", NODE)


ODD = {
    "no JSON": (httpx.Response(200, text="<html>"), Refused),
    "another power": (httpx.Response(200, json={"power": "maybe"}), Refused),
    "too long": (httpx.Response(200, json={"power": "on", "said": "x" * 70_000}), Refused),
    "an error of theirs": (httpx.Response(503), Unavailable),
    "too many": (httpx.Response(429), Unavailable),
    "a redirect": (httpx.Response(302, headers={"Location": "https://other.example"}), Refused),
}


@pytest.mark.parametrize("answer", ODD)
async def test_an_odd_answer_is_no_power_at_all(provider: Provider, answer: str) -> None:
    response, error = ODD[answer]
    provider.says = lambda _verb, _body: response
    with pytest.raises(error):
        await asking(provider).behind("c-1", NODE)


async def test_an_unknown_machine_is_none_and_a_no_is_a_no(provider: Provider) -> None:
    provider.says = lambda _verb, _body: httpx.Response(404)
    assert await asking(provider).behind("c-1", NODE) is None
    provider.says = lambda _verb, _body: httpx.Response(200, json={"accepted": False, "said": "frozen until Monday"})
    with pytest.raises(Refused, match="frozen"):
        await asking(provider).replace("c-1", NODE, "heal-0001")
