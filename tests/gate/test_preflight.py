"""Before a write the executor looks: at the guard as installed, at its own rights, and whether the lock holds against a forged permit."""

import copy
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.actions import admission, roles
from core.cluster.kinds import GUARD_KINDS, Kind
from core.domain.api_request import ApiRequest, Right
from core.domain.errors import Conflict, NotAuthorised, Refused, Unavailable
from core.domain.outcome import ActionState
from core.domain.values import Json
from gate.executing.preflight import FORGED, NEVER, Expected, Preflight, differs, problems
from runtime.services.guarding import writes
from tools.hand_clock import HandClock
from tools.stores.memory import MemoryLedger

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GRANTS = {"scaling": ("scale_workload",), "reliability": ("delete_pod", "cordon_node")}
REQUEST = ApiRequest(
    verb="patch",
    group="apps",
    version="v1",
    resource="deployments",
    namespace="shop",
    name="cart",
    content_type="application/strategic-merge-patch+json",
)


def documents(legacy: bool = False) -> Sequence[Json]:
    return (*admission.manifests(admission.client("https://127.0.0.1:9443", b"ca")), *roles.manifests(GRANTS, legacy=legacy))


EXPECTED = Expected(constrained=tuple(documents()), legacy=tuple(documents(legacy=True)), writes=writes())


class Installed:
    """A cluster with everything installed as the server returns it: with a uid, and the defaults that it fills in."""

    def __init__(self) -> None:
        self.version = 37
        self.held: set[str] = set()
        self.objects = {
            (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): stored(item) for item in documents()
        }
        self.asked = 0

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        self.asked += 1
        return self.objects.get((kind.name, namespace, name))

    async def may(self, right: Right, *, namespace: str = "", name: str = "") -> bool:
        return str(right) in self.held or f"{right} in {namespace}" in self.held

    async def minor(self) -> int:
        return self.version

    def policy(self, name: str = admission.GUARD) -> Json:
        return self.objects["ValidatingAdmissionPolicy", "", name]


def stored(item: Json) -> Json:
    found: Json = copy.deepcopy(item)
    found["metadata"] |= {"uid": "u", "resourceVersion": "1", "managedFields": []}
    if found["kind"] == "ValidatingAdmissionPolicy":
        found["status"] = {"observedGeneration": 1}
    return found


class Lock:
    """The API server with the webhook behind it: a forged permit is refused with the webhook's words."""

    def __init__(self) -> None:
        self.answer: Exception | None = NotAuthorised(
            'admission webhook "permit.day2.dev" denied the request: day2 permit: not the judge\'s'
        )
        self.sent: list[tuple[str, bool]] = []

    async def send(self, request: ApiRequest, *, agent: str, permit: str, dry_run: bool = False) -> Json:
        self.sent.append((permit, dry_run))
        if self.answer:
            raise self.answer
        return {}


class Look:
    def __init__(self) -> None:
        self.cluster, self.lock, self.ledger, self.clock = Installed(), Lock(), MemoryLedger(), HandClock(START)
        self.alerts: list[str] = []
        self.preflight = Preflight(self.cluster, self.lock, self.ledger, self.clock, EXPECTED, alert=self.alerts.append)

    async def __call__(self) -> None:
        await self.preflight(REQUEST, "scaling")

    def events(self) -> list[str]:
        return [row.event for row in self.ledger.chain()]


@pytest.fixture
def look() -> Look:
    return Look()


async def test_a_whole_guard_lets_write_and_the_lock_was_tried_as_a_dry_run(look: Look) -> None:
    await look()
    assert look.lock.sent == [(FORGED, True)]
    assert (look.alerts, look.events()) == ([], [])


def loosened(spec: Json) -> None:
    spec["failurePolicy"] = "Ignore"


def emptied(spec: Json) -> None:
    spec["validations"] = spec["validations"][1:]


def excluded(spec: Json) -> None:
    spec["matchConstraints"]["excludeResourceRules"] = [{"resources": ["deployments"]}]


def narrowed(spec: Json) -> None:
    spec["matchConstraints"]["namespaceSelector"] = {"matchLabels": {"day2": "on"}}


def conditioned(spec: Json) -> None:
    spec["matchConditions"].append({"name": "never", "expression": "false"})


@pytest.mark.parametrize("alter", [loosened, emptied, excluded, narrowed, conditioned])
async def test_an_altered_policy_stops_writing_is_on_record_and_alerts(look: Look, alter: Any) -> None:
    alter(look.cluster.policy()["spec"])
    with pytest.raises(Refused, match="ValidatingAdmissionPolicy day2-guard differs"):
        await look()
    assert look.lock.sent == []
    assert look.events() == ["guard.altered"]
    assert len(look.alerts) == 1


COMPARED = [item for item in documents() if item["kind"] in GUARD_KINDS]


@pytest.mark.parametrize("item", COMPARED, ids=lambda item: f"{item['kind']}-{item['metadata']['name']}")
async def test_each_missing_document_is_named(look: Look, item: Json) -> None:
    meta = item["metadata"]
    del look.cluster.objects[item["kind"], meta.get("namespace", ""), meta["name"]]
    with pytest.raises(Refused, match=f"{item['kind']} {meta['name']} is missing"):
        await look()


async def test_a_webhook_that_leads_elsewhere_and_a_role_with_more_rights_are_seen(look: Look) -> None:
    hook = look.cluster.objects["ValidatingWebhookConfiguration", "", admission.PERMIT]["webhooks"][0]
    hook["clientConfig"]["caBundle"] = "b3RoZXI="
    look.cluster.objects["ClusterRole", "", "day2-agent-scaling"]["rules"].append({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    found = await problems(look.cluster, EXPECTED)
    assert any("ValidatingWebhookConfiguration day2-permit differs in webhooks" in item for item in found)
    assert any("ClusterRole day2-agent-scaling differs in rules" in item for item in found)


async def test_a_guard_that_is_being_deleted_counts_as_gone(look: Look) -> None:
    look.cluster.policy()["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    with pytest.raises(Refused, match="being deleted"):
        await look()


@pytest.mark.parametrize("right", [*map(str, NEVER), "patch apps/deployments", "delete pods", "patch apps/deployments in shop"])
async def test_an_executor_that_may_itself_do_what_it_must_not_does_nothing(look: Look, right: str) -> None:
    look.cluster.held.add(right)
    with pytest.raises(Refused, match="the executor itself may"):
        await look()


async def test_a_server_that_takes_a_forged_permit_gets_no_real_one(look: Look) -> None:
    look.lock.answer = None
    with pytest.raises(Refused, match="forged permit"):
        await look()
    assert look.events() == ["guard.altered"]


async def test_a_refusal_by_others_is_no_proof_of_the_lock(look: Look) -> None:
    for answer in (NotAuthorised("cannot impersonate"), Conflict("the uid does not match"), Unavailable("the API server")):
        look.lock.answer = answer
        with pytest.raises(type(answer)):
            await look()


async def test_what_stays_altered_is_said_once_and_what_is_mended_too(look: Look) -> None:
    spec = look.cluster.policy()["spec"]
    spec["failurePolicy"] = "Ignore"
    for _ in range(3):
        with pytest.raises(Refused):
            await look()
    spec["failurePolicy"] = "Fail"
    await look()
    assert look.events() == ["guard.altered", "guard.restored"]
    assert len(look.alerts) == 1


async def test_documents_are_read_again_after_ten_seconds_and_not_for_each_write(look: Look) -> None:
    await look()
    asked = look.cluster.asked
    await look()
    assert look.cluster.asked == asked
    look.clock.advance(10)
    await look()
    assert look.cluster.asked == 2 * asked


async def test_an_old_server_is_said_and_one_before_constrained_impersonation_wants_the_older_roles(look: Look) -> None:
    look.cluster.version = 29
    assert await problems(look.cluster, EXPECTED) == ["Kubernetes 1.29 is older than 1.30"]
    look.cluster.version = 35
    assert any("day2-executor-identity differs" in item for item in await problems(look.cluster, EXPECTED))
    look.cluster.objects |= {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): stored(item) for item in documents(legacy=True)
    }
    assert await problems(look.cluster, EXPECTED) == []


async def test_the_oldest_version_and_the_first_with_constrained_impersonation_count_as_such(look: Look) -> None:
    look.cluster.version = 36
    assert await problems(look.cluster, EXPECTED) == []
    look.cluster.objects = {
        (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): stored(item) for item in documents(legacy=True)
    }
    look.cluster.version = 30
    assert await problems(look.cluster, EXPECTED) == []


@pytest.mark.parametrize(("words", "whole"), [("day2 permit: used", True), ("day2: no permit", True), ("permit: used", False)])
async def test_the_lock_is_known_by_our_own_words(look: Look, words: str, *, whole: bool) -> None:
    look.lock.answer = NotAuthorised(f'admission webhook "x" denied the request: {words}')
    if whole:
        await look()
    else:
        with pytest.raises(NotAuthorised):
            await look()


async def test_what_was_found_is_looked_for_again_at_the_next_write(look: Look) -> None:
    await look()
    look.lock.answer = None
    with pytest.raises(Refused, match="forged permit"):
        await look()
    look.lock.answer = NotAuthorised("day2 permit: not the judge's")
    asked = look.cluster.asked
    await look()
    assert look.cluster.asked > asked


def test_what_is_empty_is_as_good_as_absent_and_nothing_else_is() -> None:
    wanted = {
        "kind": "X",
        "metadata": {"name": "x"},
        "spec": {"a": {}, "b": [], "c": "", "d": None, "e": {"f": {"g": []}}, "h": 0, "i": False},
    }
    assert differs(wanted, {"kind": "X", "metadata": None, "spec": {"h": 0, "i": False}}) == ""
    assert differs(wanted, {"kind": "X", "spec": {"h": 1, "i": False}}) == "differs in spec.h"
    assert differs(wanted, {"kind": "X", "spec": {"h": 0}}) == "differs in spec.i"
    assert differs({"spec": [{"a": []}]}, {"spec": [{}]}) == ""


def test_what_the_server_adds_is_no_difference() -> None:
    wanted = admission.manifests(admission.client("", b"ca"))[0]
    assert differs(wanted, stored(wanted)) == ""
    assert differs(wanted, None) == "is missing"


def test_without_a_hook_the_alert_is_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    look = Look()
    plain = Preflight(look.cluster, look.lock, look.ledger, look.clock, EXPECTED)
    with caplog.at_level(logging.ERROR):
        plain.alert("the guard is not in force: x")
    assert "not in force" in caplog.text


# ------------------------------------------------------------------ in the machine
async def broken(_request: ApiRequest, _agent: str) -> None:
    raise Refused(("the guard is not in force: x",))


async def test_no_write_and_no_dry_run_is_sent_without_the_guard(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    gate.hands = replace(gate.hands, guard=broken)
    await gate.execute()
    row = gate.row(action)
    assert (row.state, gate.cluster.effects) == (ActionState.FAILED, [])
    assert "the guard is not in force" in row.note


async def test_an_undo_waits_until_the_guard_is_whole_again(gate: Any) -> None:
    action = await gate.submit(gate.proposal(gate.scale()))
    await gate.judge()
    await gate.execute()
    assert gate.row(action).state is ActionState.APPLIED
    whole, gate.hands = gate.hands, replace(gate.hands, guard=broken)
    await gate.watch(900)  # the pods never come: it misses
    assert gate.row(action).state is ActionState.APPLIED
    gate.hands = whole
    await gate.execute()
    assert gate.row(action).state is ActionState.ROLLED_BACK
