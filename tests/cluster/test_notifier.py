"""A sudden GPU request over the FinOps allowance on a real API server: intercepted, logged, blocked, and the platform team alerted.

The processes are those of `day2 serve`, under the whole guard; the alert goes to a receiver of Alertmanager's API v2 in this test.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from core.actions.scale_workload import ScaleWorkload
from core.domain.evidence import observe
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import TERMINAL, ActionState
from core.domain.proposal import Effect, Proposal
from core.domain.target import Target
from gate.audit import verify_ledger
from gate.door import LedgerDoor
from runtime import serving
from runtime.roles import everything
from runtime.services import alert_rules, alerting
from runtime.settings import (
    AlertSettings,
    FlowSettings,
    GateSettings,
    KubernetesSettings,
    PolicySettings,
    Settings,
    StoreSettings,
    TelemetrySettings,
)
from tests.cluster.access import kubeconfigs
from tests.cluster.guarded import Guarded, guarded
from tests.contracts.events import PLACES, TAKEN, WRONG, event
from tests.contracts.receivers import Receiver
from tools.clocks import SystemClock

if TYPE_CHECKING:
    from tests.controlplane.rig import ControlPlane

pytestmark = pytest.mark.timeout(300)
ALLOWANCE = 2


@pytest.fixture(scope="module")
def guard(control_plane: "ControlPlane", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("notifier")
    with guarded(control_plane, folder) as found:
        found.files |= kubeconfigs(control_plane, folder, ("notifier",))
        yield found


def settings_of(guard: Guarded, namespace: str, folder: Path, address: str) -> Settings:
    spec = {"scope": {"namespaces": [namespace]}, "serves": "cost", "priority": 60, "gpuAllowance": ALLOWANCE, "autonomy": {"*": "auto"}}
    documents: list[dict[str, Any]] = [{"kind": "Objective", "metadata": {"name": "gpus"}, "spec": spec}]
    documents.append({"kind": "Grant", "metadata": {"name": "scaling"}, "spec": {"agent": "scaling", "capabilities": ["scale_workload"]}})
    path = folder / "documents.yaml"
    path.write_text(yaml.safe_dump_all({"apiVersion": "day2.dev/v1alpha1", **item} for item in documents))
    return Settings(
        kubernetes=KubernetesSettings(
            kubeconfig=guard.files["reader"],
            judge_kubeconfig=guard.files["judge"],
            executor_kubeconfig=guard.files["executor"],
            notifier_kubeconfig=guard.files["notifier"],
        ),
        store=StoreSettings(data_dir=guard.folder),
        policy=PolicySettings(objectives=path),
        flow=FlowSettings(poll_seconds=0.05),
        gate=GateSettings(webhook_url=guard.url, webhook_ca_file=guard.ca),
        alerts=AlertSettings(alertmanager=(address,), again_seconds=5),
        telemetry=TelemetrySettings(notifier_listen="", controller_listen=""),
    )


def train(plane: "ControlPlane", namespace: str) -> str:
    """A Deployment whose pods want one GPU each; its path."""
    container = {"name": "train", "image": "app:1", "resources": {"limits": {"nvidia.com/gpu": "1", "memory": "64Mi"}}}
    template = {"metadata": {"labels": {"app": "train"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "train"}}, "template": template}
    collection = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "train"}, "spec": spec}
    plane.request("POST", collection, body).raise_for_status()
    return f"{collection}/train"


def sudden(plane: "ControlPlane", path: str, namespace: str, action_id: str) -> Proposal:
    """From one GPU to eight."""
    now = datetime.now(UTC)
    cluster = str(plane.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    target = Target(
        cluster=cluster, group="apps", kind="Deployment", namespace=namespace, name="train", uid=plane.get(path)["metadata"]["uid"]
    )
    return Proposal(
        action=ScaleWorkload(id=action_id, target=target, from_replicas=1, to_replicas=8),
        agent="scaling",
        run="run-1",
        why="a sudden wish for GPUs",
        evidence=(observe("metric", target, "queue", "70", now),),
        effect=Effect(summary="eight at once"),
        expires_at=now + timedelta(hours=2),
    )


async def ended(ledger: Ledger, action_id: str) -> ActionRow:
    for _ in range(1200):
        row = ledger.get(action_id)
        if row is not None and row.state in TERMINAL:
            return row
        await asyncio.sleep(0.1)
    raise AssertionError(f"{row}")


async def test_a_sudden_gpu_request_over_the_budget_is_intercepted_logged_blocked_and_the_team_alerted(
    guard: Guarded, namespace: str, tmp_path: Path
) -> None:
    path = await asyncio.to_thread(train, guard.plane, namespace)
    before = (await asyncio.to_thread(guard.plane.get, path))["spec"]
    with Receiver() as receiver:
        settings = settings_of(guard, namespace, tmp_path, receiver.url)
        with everything.ledger(settings) as ledger:
            async with serving.children() as family:
                for role in ("judge", "executor", "notifier"):
                    await everything.start_role(family, role, settings)
                wish = await asyncio.to_thread(sudden, guard.plane, path, namespace, "act-gpusudden")
                await LedgerDoor(ledger, SystemClock()).submit(wish, by="somebody@example.com")
                row = await ended(ledger, "act-gpusudden")
                # intercepted, with the numbers
                assert row.state is ActionState.DENIED
                assert row.note.startswith("gpu-allowance: the namespace would hold"), row.note
                # alerted, again and again while it stands
                await asyncio.to_thread(receiver.until, lambda: len(receiver.alerts("Day2BudgetIntercepted")) >= 2)
                alert = receiver.alerts("Day2BudgetIntercepted")[-1]
                assert alert["labels"]["action"] == "act-gpusudden"
                assert (alert["labels"]["team"], alert["labels"]["severity"]) == ("platform", "critical")
                assert alert["labels"]["namespace"] == namespace
                assert "GPUs and its allowance is 2" in alert["annotations"]["description"]
                # on the object, by an identity that can nothing else
                found = await asyncio.to_thread(events_of, guard, namespace)
                (told,) = [item for item in found if item["metadata"]["name"] == "act-gpusudden.denied"]
                assert (told["regarding"]["name"], told["reason"], told["reportingController"]) == (
                    "train",
                    "Day2Denied",
                    "day2.dev/notifier",
                )
            # logged
            chain = [(link.role, link.event) for link in ledger.chain() if link.subject == "act-gpusudden"]
            assert chain[:2] == [("door", "submitted"), ("judge", "denied")]
            assert ("notifier", "alert.sent") in chain
            assert ("notifier", "event.written") in chain
            assert verify_ledger(ledger).whole
    # blocked
    assert (await asyncio.to_thread(guard.plane.get, path))["spec"] == before


def events_of(guard: Guarded, namespace: str) -> list[dict[str, Any]]:
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"

    def ours() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = guard.plane.get(path)["items"]
        return [item for item in items if item.get("reportingController") == "day2.dev/notifier"]

    guard.plane.until(lambda: bool(ours()), "an Event of the notifier")
    return ours()


async def test_a_killed_notifier_goes_on_where_it_was_and_writes_no_event_twice(guard: Guarded, namespace: str, tmp_path: Path) -> None:
    path = await asyncio.to_thread(train, guard.plane, namespace)
    with Receiver() as receiver:
        settings = settings_of(guard, namespace, tmp_path, receiver.url)
        receiver.code = 503
        with everything.ledger(settings) as ledger:
            async with serving.children() as family:
                for role in ("judge", "notifier"):
                    await everything.start_role(family, role, settings)
                wish = await asyncio.to_thread(sudden, guard.plane, path, namespace, "act-gpukilled")
                await LedgerDoor(ledger, SystemClock()).submit(wish, by="somebody@example.com")
                assert (await ended(ledger, "act-gpukilled")).state is ActionState.DENIED  # a dead Alertmanager stops nothing
                await asyncio.to_thread(events_of, guard, namespace)
                child = family.named("notifier")
                child.process.kill()
                await child.process.wait()
                family.running.remove(child)
                receiver.code = 200
                await everything.start_role(family, "notifier", settings)
                mine = lambda: [  # noqa: E731
                    item for item in receiver.alerts("Day2BudgetIntercepted") if item["labels"]["action"] == "act-gpukilled"
                ]
                await asyncio.to_thread(receiver.until, mine)
            records = [link.event for link in ledger.chain(role=alerting.ROLE) if link.subject == "act-gpukilled"]
    assert records.count("event.written") == records.count("alert.sent") == 1
    found = await asyncio.to_thread(events_of, guard, namespace)
    assert [item["metadata"]["name"] for item in found] == ["act-gpukilled.denied"]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_real_api_server_refuses_the_events_that_the_simulator_refuses(guard: Guarded, namespace: str, wrong: dict[str, Any]) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    answer = guard.plane.request("POST", path, event(namespace, **wrong))
    assert (answer.status_code, answer.json()["reason"]) == (422, "Invalid"), answer.text


@pytest.mark.parametrize("right", TAKEN)
def test_the_real_api_server_takes_the_events_that_the_simulator_takes(guard: Guarded, namespace: str, right: dict[str, Any]) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    assert guard.plane.request("POST", path, event(namespace, **right)).status_code == 201


@pytest.mark.parametrize("space", PLACES)
def test_where_the_real_api_server_takes_events_about_objects_without_a_namespace(guard: Guarded, space: str) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{space}/events"
    about = event(space, metadata={"name": guard.ids.new("node")}, regarding={"kind": "Node", "name": "n1", "uid": "u"})
    assert guard.plane.request("POST", path, about).status_code == 201


ELSEWHERE = (
    ("POST", "/api/v1/namespaces/{0}/pods"),
    ("POST", "/api/v1/namespaces/{0}/events"),
    ("POST", "/api/v1/namespaces/{0}/configmaps"),
    ("POST", "/api/v1/namespaces/{0}/serviceaccounts/default/token"),
    ("PATCH", "/apis/apps/v1/namespaces/{0}/deployments/train"),
    ("PATCH", "/apis/events.k8s.io/v1/namespaces/{0}/events/act-1.verified"),
    ("PUT", "/apis/events.k8s.io/v1/namespaces/{0}/events/act-1.verified"),
    ("DELETE", "/apis/events.k8s.io/v1/namespaces/{0}/events/act-1.verified"),
    ("DELETE", "/apis/events.k8s.io/v1/namespaces/{0}/events"),
    ("GET", "/apis/events.k8s.io/v1/namespaces/{0}/events"),
    ("GET", "/api/v1/namespaces/{0}/secrets"),
    ("GET", "/api/v1/namespaces/{0}/pods"),
)


def test_the_notifier_creates_events_and_nothing_else(guard: Guarded, namespace: str) -> None:
    events = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    kind = {"Content-Type": "application/merge-patch+json"}
    assert guard.raw("POST", events, event(namespace), {}, identity="notifier").status_code == 201
    for method, path in ELSEWHERE:
        body = event(namespace) if method != "GET" else None
        headers = kind if method == "PATCH" else {}
        answer = guard.raw(method, path.format(namespace), body, headers, identity="notifier")
        assert answer.status_code == 403, f"{method} {path}: {answer.text}"
    stranger = event(namespace, metadata={"name": "other"}, reportingController="kubelet")
    assert guard.raw("POST", events, stranger, {}, identity="notifier").status_code == 403
    for name in ("day2:agent:scaling", "day2:preview:scaling", "admin"):
        answer = guard.raw("POST", events, event(namespace, metadata={"name": "as"}), {"Impersonate-User": name}, identity="notifier")
        assert answer.status_code == 403, name
    live = guard.plane.get(events)["items"]
    assert [item["metadata"]["name"] for item in live] == ["act-1.verified"]


def test_the_api_servers_own_count_of_refusals_is_what_the_rule_asks_for(guard: Guarded, namespace: str) -> None:
    stranger = event(namespace, metadata={"name": "other"}, reportingController="kubelet")
    guard.raw("POST", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", stranger, {}, identity="notifier")
    lines = guard.plane.request("GET", "/metrics").text.splitlines()
    denied = [line for line in lines if line.startswith(alert_rules.OF_THE_API_SERVER) and 'enforcement_action="deny"' in line]
    assert [line for line in denied if 'policy="day2-guard"' in line], json.dumps(denied)
