"""The webhook's decision: a permit opens exactly one change, once; an undo exactly its inverse; the API server's own retry is no replay."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from joserfc.jwk import OKPKey

from core.actions import states
from core.domain.admissions import Admitted
from core.domain.errors import PermitRefused, Unavailable
from core.domain.ledger import StopRow
from core.domain.permit import EXTRA, FORWARD_SECONDS, UNDO_MARGIN_SECONDS, Permit
from core.domain.values import Json
from gate import permits
from gate.admitting import UNDO_WINDOW_SECONDS, Admission, admit, read
from gate.keys import Signer
from tools.stores.memory import MemoryAdmissions

pytestmark = pytest.mark.bypass
KEY = Signer(OKPKey.generate_key("Ed25519"))
STRANGER = Signer(OKPKey.generate_key("Ed25519"))
NOW = 1_795_000_000
PATH = "/apis/apps/v1/namespaces/shop/deployments/cart"


def deployment(replicas: int, *, generation: int = 3, version: str = "100", **labels: str) -> Json:
    meta = {"name": "cart", "namespace": "shop", "uid": "uid-1", "generation": generation, "resourceVersion": version, "labels": labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas},
    }


def node(unschedulable: bool, version: str) -> Json:
    meta = {"name": "node-1", "uid": "uid-n", "resourceVersion": version}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"unschedulable": True} if unschedulable else {}}


POD: Json = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "cart-0", "namespace": "shop", "uid": "uid-p", "resourceVersion": "7", "generation": 1},
    "spec": {"nodeName": "node-1", "terminationGracePeriodSeconds": 30},
}
OPTIONS = {"preconditions": {"uid": "uid-p", "resourceVersion": "7"}}


class Write(NamedTuple):
    """One write as the API server sees it."""

    group: str
    resource: str
    old: Json
    new: Json | None
    operation: str = "UPDATE"
    options: Json | None = None

    @property
    def line(self) -> str:
        meta = self.old["metadata"]
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
        return f"{'delete' if self.operation == 'DELETE' else 'patch'} {root}{space}/{self.resource}/{meta['name']}"


UP = Write("apps", "deployments", deployment(2), deployment(4, generation=4))
CORDON = Write("", "nodes", node(False, "100"), node(True, "100"))
DELETE = Write(
    "", "pods", POD, None, "DELETE", {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1", **OPTIONS, "gracePeriodSeconds": 30}
)


EVICTION: Json = {
    "apiVersion": "policy/v1",
    "kind": "Eviction",
    "metadata": {"name": "cart-0", "namespace": "shop", "creationTimestamp": None},
    "deleteOptions": {"kind": "DeleteOptions", "apiVersion": "v1", **OPTIONS},
}


def eviction(**options: Any) -> Json:
    """What an API server asks of an eviction: no pod is in it, only what is asked of the pod's deletion."""
    body = {**EVICTION, "deleteOptions": {**EVICTION["deleteOptions"], **options}}
    write = Write("", "pods", POD, body, "CREATE", {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"})
    return review(write, permits.mint(evicting(), KEY), subResource="eviction", oldObject=None)


def evicting(**changes: Any) -> Permit:
    line = "create /api/v1/namespaces/shop/pods/cart-0/eviction"
    judged = EVICTION | {"metadata": {"name": "cart-0", "namespace": "shop"}}
    return permit_for(DELETE, **{"line": line, "generation": 0, "post": states.post_hash("create", judged, POD, {})} | changes)


def review(write: Write, token: str | None, *, agent: str = "scaling", dry_run: bool = False, **changes: Any) -> Json:
    meta = write.old["metadata"]
    extra = {EXTRA: [token]} if token is not None else {}
    request = {
        "uid": "review-1",
        "operation": write.operation,
        "resource": {"group": write.group, "version": "v1", "resource": write.resource},
        "name": meta["name"],
        "namespace": meta.get("namespace", ""),
        "userInfo": {"username": f"day2:agent:{agent}", "groups": ["system:authenticated"], "extra": extra},
        "oldObject": write.old,
        "object": write.new,
        "options": write.options or {"kind": "PatchOptions"},
        "dryRun": dry_run,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request | changes}


def permit_for(write: Write, **changes: Any) -> Permit:
    verb = write.line.split(" ")[0]
    meta = write.old["metadata"]
    options = write.options or {}
    told: dict[str, Any] = {
        "jti": "permit-1",
        "use": "forward",
        "iss": permits.ISSUER,
        "agent": "scaling",
        "action_id": "act-0001",
        "action_digest": "a" * 64,
        "verdict_digest": "b" * 64,
        "cluster": "cluster-1",
        "uid": meta["uid"],
        "generation": meta.get("generation", 0),
        "request": "c" * 64,
        "line": write.line,
        "post": states.post_hash(verb, options, write.old, write.new or {}),
        "iat": NOW,
        "exp": NOW + FORWARD_SECONDS,
    }
    return Permit(**told | changes)


def undo_of(write: Write, **changes: Any) -> Permit:
    assert write.new is not None
    inverse = states.inverse_hash(write.old, write.new)
    told = {"jti": "permit-2", "use": "undo", "forward": "permit-1", "inverse": inverse, "post": "", "generation": 0}
    return permit_for(write, **told | {"exp": NOW + FORWARD_SECONDS + UNDO_MARGIN_SECONDS} | changes)


def back(write: Write, **old: Any) -> Write:
    """The way back of a write, from where it left the object."""
    assert write.new is not None
    start = copy.deepcopy(write.new)
    start["metadata"] |= {"resourceVersion": "101"} | old
    end = copy.deepcopy(write.old)
    if "generation" in start["metadata"]:
        end["metadata"] |= {"generation": start["metadata"]["generation"] + 1}
    return write._replace(old=start, new=end)


class Hook:
    """The decision over the twin's rows."""

    def __init__(self) -> None:
        self.book = MemoryAdmissions()

    def __call__(
        self, write: Write, permit: Permit | str | None, *, now: int = NOW, key: Signer = KEY, registration: str = "api", **changes: Any
    ) -> Admission:
        token = permits.mint(permit, key) if isinstance(permit, Permit) else permit
        return admit(read(review(write, token, **changes)), registration=registration, judge=KEY.verifier, book=self.book, now=now)


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.mark.parametrize("write", [UP, CORDON, DELETE], ids=["patch", "cluster-wide", "delete"])
def test_a_permit_opens_its_write_and_is_on_record_before_the_answer(hook: Hook, write: Write) -> None:
    found = hook(write, permit_for(write))
    assert found.annotations == {"action": "act-0001", "permit": "permit-1", "use": "forward"}
    assert hook.book.rows["api", "permit-1"].line == write.line


def test_a_permit_opens_the_eviction_of_one_pod_at_one_version(hook: Hook) -> None:
    def asked(document: Json) -> Admission:
        return admit(read(document), registration="api", judge=KEY.verifier, book=hook.book, now=NOW)

    assert asked(eviction()).annotations["action"] == "act-0001"
    assert hook.book.rows["api", "permit-1"].line == "create /api/v1/namespaces/shop/pods/cart-0/eviction"
    assert asked(eviction()), "the API server asks again: the version that is named lets at most one deletion win"
    for changed, reason in (
        ({"preconditions": {"uid": "uid-p", "resourceVersion": "8"}}, "judged"),
        ({"preconditions": {"uid": "uid-q", "resourceVersion": "7"}}, "uid"),
        ({"preconditions": {"uid": "uid-p"}}, "must name"),
        ({"preconditions": None}, "uid"),
        ({"gracePeriodSeconds": 0}, "judged"),
        ({"propagationPolicy": "Orphan"}, "judged"),
    ):
        with pytest.raises(PermitRefused, match=reason):
            asked(eviction(**changed))
    with pytest.raises(PermitRefused, match="line"):
        hook(DELETE, evicting(jti="permit-9"))
    for other in ({"subResource": "binding"}, {"subResource": ""}, {"object": None}, {"object": {"deleteOptions": None}}):
        with pytest.raises(PermitRefused, match=r"only changes|line is not"):
            asked({**eviction(), "request": eviction()["request"] | other})


def test_a_dry_run_is_checked_as_hard_and_spends_nothing(hook: Hook) -> None:
    hook(UP, permit_for(UP), dry_run=True)
    assert hook.book.rows == {}
    with pytest.raises(PermitRefused, match="not the one that was judged"):
        hook(UP._replace(new=deployment(9, generation=4)), permit_for(UP), dry_run=True)


OTHERS: dict[str, tuple[Write, str]] = {
    "another-value": (UP._replace(new=deployment(5, generation=4)), "judged"),
    "one-field-more": (UP._replace(new=deployment(4, generation=4, smuggled="1")), "judged"),
    "another-start": (UP._replace(old=deployment(3)), "judged"),
    "another-uid": (UP._replace(old={**UP.old, "metadata": {**UP.old["metadata"], "uid": "uid-2"}}), "uid"),
    "another-generation": (UP._replace(old=deployment(2, generation=5), new=deployment(4, generation=6)), "changed since"),
    "another-name": (UP._replace(old={**UP.old, "metadata": {**UP.old["metadata"], "name": "pay"}}), "line"),
    "another-namespace": (UP._replace(old={**UP.old, "metadata": {**UP.old["metadata"], "namespace": "bank"}}), "line"),
    "another-resource": (UP._replace(resource="statefulsets"), "line"),
    "another-group": (UP._replace(group="extensions"), "line"),
    "a-delete": (UP._replace(operation="DELETE", new=None), "line"),
}


@pytest.mark.parametrize(("write", "reason"), OTHERS.values(), ids=OTHERS)
def test_a_permit_opens_nothing_else(hook: Hook, write: Write, reason: str) -> None:
    with pytest.raises(PermitRefused, match=reason):
        hook(write, permit_for(UP))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"subResource": "scale"}, "line"),
        ({"subResource": "status"}, "line"),
        ({"operation": "CREATE", "oldObject": None}, "line"),
        ({"operation": "CREATE", "oldObject": None, "subResource": "eviction"}, "only changes"),
        ({"operation": "CONNECT"}, "only changes"),
        ({"oldObject": None}, "only changes"),
        ({"agent": "finops"}, "agent"),
    ],
    ids=["scale", "status", "create", "subresource", "connect", "nothing-there", "another-agent"],
)
def test_a_permit_opens_no_other_operation(hook: Hook, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(PermitRefused, match=reason):
        hook(UP, permit_for(UP), **changes)


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ({}, NOW + FORWARD_SECONDS),
        ({"iat": NOW + 6, "exp": NOW + 66}, NOW),
        ({"exp": NOW + FORWARD_SECONDS + 1}, NOW),
        ({"exp": NOW + 3600}, NOW),
        ({"exp": NOW - 1}, NOW - 2),
        ({"iss": "day2:executor"}, NOW),
    ],
    ids=["expired", "not-yet", "a-second-too-long", "an-hour", "backwards", "another-issuer"],
)
def test_a_permit_of_the_judge_lives_two_minutes(hook: Hook, changes: dict[str, Any], now: int) -> None:
    with pytest.raises(PermitRefused):
        hook(UP, permit_for(UP, **changes), now=now)


def edited(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{signature}"


TOKENS: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "empty": lambda: "",
    "shaped": lambda: "e30.e30.e30",
    "another-key": lambda: permits.mint(permit_for(UP), STRANGER),
    "another-type": lambda: KEY.sign(permit_for(UP).model_dump(mode="json"), typ="day2-approval+jwt"),
    "a-claim-more": lambda: KEY.sign(permit_for(UP).model_dump(mode="json") | {"admin": True}, typ=permits.TYPE),
    "edited": lambda: edited(permits.mint(permit_for(UP), KEY)),
    "too-long": lambda: permits.mint(permit_for(UP), KEY) + "A" * 4096,
    "unsigned": lambda: permits.mint(permit_for(UP), KEY).rpartition(".")[0] + ".",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_what_the_judge_did_not_sign_opens_nothing_and_is_not_repeated(hook: Hook, token: Callable[[], Any]) -> None:
    made = token()
    with pytest.raises(PermitRefused) as refused:
        hook(UP, made)
    assert not made or made not in str(refused.value)


@pytest.mark.parametrize(
    "user",
    [
        {"username": "day2:executor"},
        {"username": "system:serviceaccount:day2-system:executor"},
        {"username": "day2:agent:scaling:x"},
        {"username": "day2:agent:"},
        {"username": "day2:agent:scaling", "groups": ["system:authenticated", "system:masters"]},
        {"username": "day2:agent:scaling", "groups": ["system:authenticated"], "extra": {}},
    ],
    ids=["executor", "account", "longer", "nameless", "in-a-group", "no-extra"],
)
def test_only_agents_with_a_permit_alone_write(hook: Hook, user: Json) -> None:
    given = {"groups": ["system:authenticated"], "extra": {EXTRA: [permits.mint(permit_for(UP), KEY)]}}
    with pytest.raises(PermitRefused):
        hook(UP, None, userInfo=given | user)


def test_two_permits_or_a_further_extra_are_refused(hook: Hook) -> None:
    token = permits.mint(permit_for(UP), KEY)
    for extra in ({EXTRA: [token, token]}, {EXTRA: [token], "authentication.kubernetes.io/credential-id": ["x"]}, {EXTRA: token}):
        with pytest.raises(PermitRefused, match="exactly one"):
            hook(UP, None, userInfo={"username": "day2:agent:scaling", "extra": extra})


# ------------------------------------------------------------------ once
def test_a_replay_after_the_write_is_refused(hook: Hook) -> None:
    permit = permit_for(UP)
    hook(UP, permit)
    with pytest.raises(PermitRefused):
        hook(back(back(UP)), permit)  # others put the old state back: generation 5


def test_the_retry_of_a_write_that_lost_its_compare_and_swap_passes(hook: Hook) -> None:
    permit = permit_for(UP)
    hook(UP, permit)
    status_moved = UP._replace(old=deployment(2, version="101"))
    for _ in range(3):
        hook(status_moved, permit)


def test_from_one_version_at_most_one_write_wins_so_the_same_version_may_ask_again(hook: Hook) -> None:
    permit = permit_for(CORDON)
    hook(CORDON, permit)
    hook(CORDON, permit)


def test_a_forward_permit_without_a_generation_is_not_offered_over_another_version(hook: Hook) -> None:
    permit = permit_for(CORDON)
    hook(CORDON, permit)
    with pytest.raises(PermitRefused, match="used before"):
        hook(CORDON._replace(old=node(False, "101")), permit)


def test_a_delete_may_be_offered_again_because_its_preconditions_allow_one_effect(hook: Hook) -> None:
    permit = permit_for(DELETE)
    hook(DELETE, permit)
    hook(DELETE, permit)
    touched = {**POD, "metadata": {**POD["metadata"], "resourceVersion": "8"}}
    with pytest.raises(PermitRefused, match="resourceVersion"):
        hook(DELETE._replace(old=touched), permit)


@pytest.mark.parametrize("preconditions", [None, {}, {"uid": "uid-p"}, {"resourceVersion": "7"}, {"uid": "uid-x", "resourceVersion": "7"}])
def test_a_delete_must_say_which_pod_it_means(hook: Hook, preconditions: Json | None) -> None:
    write = DELETE._replace(options={"preconditions": preconditions, "gracePeriodSeconds": 30})
    with pytest.raises(PermitRefused, match="must name"):
        hook(write, permit_for(write))


def test_a_delete_with_less_grace_is_another_one(hook: Hook) -> None:
    with pytest.raises(PermitRefused, match="judged"):
        hook(DELETE._replace(options={**OPTIONS, "gracePeriodSeconds": 0}), permit_for(DELETE))


def test_each_registration_spends_for_itself(hook: Hook) -> None:
    permit = permit_for(UP)
    hook(UP, permit, registration="api")
    hook(UP, permit, registration="static")
    assert {key[0] for key in hook.book.rows} == {"api", "static"}


# ------------------------------------------------------------------ undo
def test_an_undo_opens_for_exactly_the_inverse_after_its_forward(hook: Hook) -> None:
    with pytest.raises(PermitRefused, match="nothing was done"):
        hook(back(UP), undo_of(UP))
    hook(UP, permit_for(UP))
    assert hook(back(UP), undo_of(UP)).annotations["use"] == "undo"


def test_an_undo_leaves_what_others_moved_meanwhile(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    way = back(UP)
    assert way.new is not None
    labelled = way._replace(
        old={**way.old, "metadata": {**way.old["metadata"], "labels": {"theirs": "1"}}},
        new={**way.new, "metadata": {**way.new["metadata"], "labels": {"theirs": "1"}}},
    )
    hook(labelled, undo_of(UP))


WRONG_WAYS: dict[str, Write] = {
    "our-field-was-moved": UP._replace(old=deployment(7, generation=5), new=deployment(2, generation=6)),
    "to-another-value": UP._replace(old=deployment(4, generation=4), new=deployment(3, generation=5)),
    "one-field-more": UP._replace(old=deployment(4, generation=4), new=deployment(2, generation=5, smuggled="1")),
    "forward-again": UP,
    "nothing": UP._replace(old=deployment(4, generation=4), new=deployment(4, generation=4)),
}


@pytest.mark.parametrize("write", WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_an_undo_opens_no_other_change(hook: Hook, write: Write) -> None:
    hook(UP, permit_for(UP))
    with pytest.raises(PermitRefused, match="inverse"):
        hook(write, undo_of(UP))


def test_permits_do_not_stand_in_for_each_other(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    way = back(UP)
    for permit in (
        permit_for(UP, jti="permit-9"),
        undo_of(UP, forward="permit-2"),
        undo_of(UP, inverse="d" * 64),
        undo_of(UP, agent="finops"),
    ):
        with pytest.raises(PermitRefused):
            hook(way, permit)
    hook(way, undo_of(UP))
    with pytest.raises(PermitRefused):  # an undo of an undo
        hook(UP, undo_of(UP, jti="permit-3", forward="permit-2"))


def test_an_undo_of_another_object_is_refused(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    hook.book.rows["api", "permit-1"] = hook.book.rows["api", "permit-1"]._replace(uid="uid-2")
    with pytest.raises(PermitRefused, match="something else"):
        hook(back(UP), undo_of(UP))


def test_an_undo_over_a_generation_opens_once(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    hook(back(UP), undo_of(UP))
    hook(back(UP, resourceVersion="102"), undo_of(UP))  # its compare-and-swap failed
    with pytest.raises(PermitRefused, match="used before"):
        hook(back(UP, generation=6, resourceVersion="105"), undo_of(UP))  # others put our value back


def test_an_undo_without_a_generation_may_come_again_for_a_short_time(hook: Hook) -> None:
    hook(CORDON, permit_for(CORDON))
    hook(back(CORDON), undo_of(CORDON))
    later = back(CORDON, resourceVersion="103")
    hook(later, undo_of(CORDON), now=NOW + UNDO_WINDOW_SECONDS)
    with pytest.raises(PermitRefused, match="used before"):
        hook(later, undo_of(CORDON), now=NOW + UNDO_WINDOW_SECONDS + 1)


def test_an_undo_takes_back_a_forward_write_and_no_undo(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    hook.book.rows["api", "permit-1"] = hook.book.rows["api", "permit-1"]._replace(use="undo")
    with pytest.raises(PermitRefused, match="nothing was done"):
        hook(back(UP), undo_of(UP))


def stamped(write: Write, old: int | None, new: int | None, version: str) -> Write:
    """The write over an object with these generations before and after."""
    before, after = copy.deepcopy(write.old), copy.deepcopy(write.new or {})
    for item, generation in ((before, old), (after, new)):
        item["metadata"] |= {"resourceVersion": version} | ({} if generation is None else {"generation": generation})
    return write._replace(old=before, new=after)


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, 1), (3, 3), (3, 5), (3, None)],
    ids=["a generation that begins", "one that stands", "one that jumps", "one that is gone"],
)
def test_only_a_generation_that_a_write_moves_by_one_proves_that_it_did_not_happen(hook: Hook, old: int | None, new: int | None) -> None:
    permit = permit_for(CORDON, generation=0)
    hook(stamped(CORDON, old, new, "100"), permit)
    with pytest.raises(PermitRefused, match="used before"):
        hook(stamped(CORDON, old, new, "101"), permit)


def test_an_object_that_names_no_version_and_no_generation_is_kept_as_such(hook: Hook) -> None:
    bare = copy.deepcopy(CORDON.old)
    bare["metadata"] |= {"resourceVersion": None, "generation": None}
    hook(CORDON._replace(old=bare), permit_for(CORDON, generation=0))
    row = hook.book.rows["api", "permit-1"]
    assert (row.resource_version, row.generation) == ("", 0)


# ------------------------------------------------------------------ stop
@pytest.mark.parametrize("scope", ["all", "agent=scaling", "namespace=shop"])
def test_a_stop_refuses_the_next_call(hook: Hook, scope: str) -> None:
    hook.book.stopped.append(StopRow(scope, "all", "person", "look", None))  # type: ignore[arg-type]  the time is not read here
    for dry_run in (False, True):
        with pytest.raises(PermitRefused, match="stopped"):
            hook(UP, permit_for(UP), dry_run=dry_run)


def test_a_stop_of_what_goes_forward_lets_undo_through(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    hook.book.stopped.append(StopRow("all", "forward", "person", "look", None))  # type: ignore[arg-type]
    with pytest.raises(PermitRefused, match="stopped"):
        hook(UP, permit_for(UP, jti="permit-7"))
    hook(back(UP), undo_of(UP))


def test_a_ledger_that_cannot_be_read_stops(hook: Hook) -> None:
    hook.book.down = Unavailable("the ledger", 1.0)
    with pytest.raises(PermitRefused, match="stopped"):
        hook(UP, permit_for(UP))


# ------------------------------------------------------------------ previews
def test_a_preview_answers_with_the_hash_that_a_permit_would_name(hook: Hook) -> None:
    user = {"username": "day2:preview:scaling", "groups": ["system:authenticated"]}
    found = hook(UP, None, dry_run=True, userInfo=user)
    assert found.warning == f"day2-post {permit_for(UP).post}"
    with pytest.raises(PermitRefused, match="only dry-run"):
        hook(UP, None, userInfo=user)
    with pytest.raises(PermitRefused, match="only dry-run"):
        hook(UP, None, dry_run=True, userInfo=user | {"extra": {EXTRA: ["e30.e30.e30"]}})


@pytest.mark.parametrize(
    "broken", [{"userInfo": None}, {"resource": "deployments"}, {"operation": 7}, {"oldObject": "x"}, {"name": None, "uid": 7}]
)
def test_a_review_that_is_not_whole_is_refused(hook: Hook, broken: dict[str, Any]) -> None:
    with pytest.raises(PermitRefused):
        hook(UP, permit_for(UP), **broken)


@pytest.mark.parametrize("values", ["x", "e30.e30.e30", [7], [None], [], None, {}, [["a"]]], ids=repr)
def test_an_extra_that_is_no_list_of_one_text_is_no_permit(hook: Hook, values: Any) -> None:
    user = {"username": "day2:agent:scaling", "groups": [], "extra": {EXTRA: values}}
    with pytest.raises(PermitRefused, match="exactly one permit"):
        hook(UP, None, userInfo=user)


def test_what_a_review_says_is_null_is_absent_and_a_subresource_is_part_of_the_line() -> None:
    nothing = {"userInfo": {"username": "u", "groups": None, "extra": None}, "options": None, "object": None, "subResource": None}
    asked = read(review(UP, None, **nothing))
    assert (asked.groups, asked.extra, asked.options, asked.new, asked.line) == ((), {}, {}, {}, f"patch {PATH}")
    asked = read(review(UP, None, subResource="scale", userInfo={"username": "u", "groups": ["a", "b"], "extra": {"k": ["v"]}}))
    assert (asked.groups, asked.extra, asked.line) == (("a", "b"), {"k": ["v"]}, f"patch {PATH}/scale")


def test_a_namespace_is_stopped_by_its_own_name() -> None:
    space: Json = {"metadata": {"name": "shop", "uid": "u"}}
    write = Write("", "namespaces", space, space)
    asked = read(review(write, "a.b.c", namespace="shop"))
    assert (asked.line, asked.namespace) == ("patch /api/v1/namespaces/shop", "shop")


def test_a_row_says_what_an_undo_needs(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    assert UP.new is not None
    assert hook.book.rows["api", "permit-1"] == Admitted(
        "api", "permit-1", "forward", f"patch {PATH}", "uid-1", "100", 3, states.inverse_hash(UP.old, UP.new), NOW
    )


# ------------------------------------------------------------------ what is made, and deleted as exactly that
POLICY: Json = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "day2-cut", "namespace": "shop", "uid": "uid-made", "generation": 1},
    "spec": {"podSelector": {"matchLabels": {"app": "cart"}}, "policyTypes": ["Ingress"]},
}
STORED = {**POLICY, "metadata": {**POLICY["metadata"], "resourceVersion": "8"}}
LINE = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/day2-cut"
MAKE = Write("networking.k8s.io", "networkpolicies", POLICY, POLICY, "CREATE")
UNMAKE = Write(
    "networking.k8s.io", "networkpolicies", STORED, None, "DELETE", {"preconditions": {"uid": "uid-made", "resourceVersion": "8"}}
)


def making(**changes: Any) -> Permit:
    told = {"line": f"create {LINE}", "uid": "uid-target", "generation": 0, "post": states.post_hash("create", {}, {}, POLICY)}
    return permit_for(MAKE, **told | changes)


def unmaking(**changes: Any) -> Permit:
    told = {
        "jti": "permit-2",
        "use": "undo",
        "forward": "permit-1",
        "inverse": states.inverse_hash({}, POLICY),
        "post": "",
        "generation": 0,
    }
    return permit_for(MAKE, **told | {"line": f"delete {LINE}", "uid": "uid-target", "exp": NOW + FORWARD_SECONDS + 600} | changes)


def test_a_permit_opens_the_making_of_exactly_its_object_once(hook: Hook) -> None:
    hook(MAKE, making(), oldObject=None)
    assert hook.book.rows["api", "permit-1"].uid == "uid-made"
    with pytest.raises(PermitRefused, match="used before"):
        hook(MAKE, making(), oldObject=None)


@pytest.mark.parametrize(
    "other",
    [
        {**POLICY, "spec": {**POLICY["spec"], "policyTypes": ["Egress"]}},
        {**POLICY, "spec": {**POLICY["spec"], "podSelector": {}}},
        {**POLICY, "metadata": {**POLICY["metadata"], "finalizers": ["x"]}},
    ],
    ids=["another-direction", "all-pods", "a-finalizer"],
)
def test_a_permit_to_make_opens_no_other_object(hook: Hook, other: Json) -> None:
    with pytest.raises(PermitRefused, match="judged"):
        hook(MAKE._replace(new=other), making(), oldObject=None)


def test_what_was_made_may_be_deleted_and_nothing_else_of_its_name(hook: Hook) -> None:
    hook(MAKE, making(), oldObject=None)
    again = {**STORED, "metadata": {**STORED["metadata"], "uid": "uid-again"}}
    options = {"preconditions": {"uid": "uid-again", "resourceVersion": "8"}}
    with pytest.raises(PermitRefused, match="something else"):
        hook(UNMAKE._replace(old=again, options=options), unmaking())
    touched = {**STORED, "spec": {**STORED["spec"], "policyTypes": ["Ingress", "Egress"]}}
    with pytest.raises(PermitRefused, match="inverse"):
        hook(UNMAKE._replace(old=touched), unmaking())
    with pytest.raises(PermitRefused, match="must name the uid"):
        hook(UNMAKE._replace(options={}), unmaking())
    assert hook(UNMAKE, unmaking()).annotations["use"] == "undo"


def test_nothing_is_deleted_that_this_permit_did_not_make(hook: Hook) -> None:
    with pytest.raises(PermitRefused, match="nothing was done"):
        hook(UNMAKE, unmaking())


def test_a_permit_that_takes_a_change_back_deletes_nothing(hook: Hook) -> None:
    hook(UP, permit_for(UP))
    options = {"preconditions": {"uid": "uid-1", "resourceVersion": "100"}}
    gone = UP._replace(old=deployment(4, generation=4), new=None, operation="DELETE", options=options)
    with pytest.raises(PermitRefused):
        hook(gone, undo_of(UP, line=gone.line))
