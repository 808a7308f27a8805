"""Permits that are forged, late, replayed, swapped or edited; permits of the judge's own hand for something else; and undo permits."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from core.actions.admission import PROTECTED
from core.domain.api_request import ApiRequest
from core.domain.permit import FORWARD_SECONDS, Permit
from core.domain.values import Json
from gate import keys, permits
from tests.cluster.bypass.attempts import JSON, MERGE, Attempt, playing
from tests.cluster.bypass.victims import workload
from tests.cluster.guarded import only

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground

WEBHOOK = frozenset({"webhook"})
LOCKS = frozenset({"webhook", "policy"})
AGENT, USER = "scaling", "day2:agent:scaling"
NINE: Json = {"spec": {"replicas": 9}}
QUIET: Json = {"spec": {"minReadySeconds": 7}}
"""A change for those that are really made: nothing but the object moves."""
ZEROS = "00000000-0000-0000-0000-000000000000"


def web(ground: Ground, body: Json = NINE, name: str = "web") -> ApiRequest:
    return ground.request(name, body)


# ------------------------------------------------------------------ the judge's own hand, for something else
SIGNED: dict[str, Callable[[Permit], dict[str, Any]]] = {
    "of another agent": lambda permit: {"agent": "finops"},
    "of another issuer": lambda permit: {"iss": "day2:executor"},
    "of another uid": lambda permit: {"uid": ZEROS},
    "of no uid": lambda permit: {"uid": ""},
    "of an older generation": lambda permit: {"generation": permit.generation + 1},
    "of another change": lambda permit: {"post": "0" * 64},
    "of no change": lambda permit: {"post": ""},
    "of another verb": lambda permit: {"line": permit.line.replace("patch", "delete")},
    "of another object": lambda permit: {"line": permit.line.replace("/web", "/other")},
    "of another namespace": lambda permit: {"line": permit.line.replace("/namespaces/", "/namespaces/x-")},
    "of another resource": lambda permit: {"line": permit.line.replace("deployments", "statefulsets")},
    "of a subresource": lambda permit: {"line": f"{permit.line}/scale"},
    "of another version": lambda permit: {"line": permit.line.replace("/v1/", "/v1beta1/")},
    "that ran out": lambda permit: {"iat": permit.iat - 200, "exp": permit.iat - 80},
    "that ran out a second ago": lambda permit: {"iat": permit.iat - 100, "exp": permit.iat - 1},
    "that is not valid yet": lambda permit: {"iat": permit.iat + 60, "exp": permit.iat + 120},
    "of next year": lambda permit: {"iat": permit.iat + 31_536_000, "exp": permit.iat + 31_536_120},
    "that lives too long": lambda permit: {"exp": permit.iat + FORWARD_SECONDS + 1},
    "that lives for ever": lambda permit: {"exp": 4_102_444_800},
    "that ends before it begins": lambda permit: {"iat": permit.iat + 4, "exp": permit.iat + 4},
    "for an undo of nothing": lambda permit: {"use": "undo", "forward": "permit-none"},
    "for an undo of itself": lambda permit: {"use": "undo", "forward": permit.jti},
}


def signed(name: str) -> Callable[[Ground], httpx.Response]:
    def act(ground: Ground) -> httpx.Response:
        request = web(ground)
        permit, _, _ = ground.judged(request)
        return ground.sent(request, USER, ground.minted(permit.model_copy(update=SIGNED[name](permit))))

    return act


def protected(namespace: str) -> Callable[[Ground], httpx.Response]:
    """A permit of the judge's own hand for a namespace in which the cluster or we ourselves live."""

    def act(ground: Ground) -> httpx.Response:
        agent = only("label_namespace")
        told = {"group": "", "resource": "namespaces", "namespace": "", "name": namespace}
        request = web(ground, {"metadata": {"labels": {"taken": "1"}}}).model_copy(update=told)
        old = ground.plane.get(request.path)
        new = {**old, "metadata": {**old["metadata"], "labels": {**old["metadata"]["labels"], "taken": "1"}}}
        return ground.sent(request, f"day2:agent:{agent}", ground.minted(ground.guard.permit(request, agent, old, new)))

    return act


# ------------------------------------------------------------------ another hand, or another text
def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _foreign(permit: Permit, ground: Ground, *, typ: str = permits.TYPE, kid: str = "") -> str:
    key = OKPKey.generate_key("Ed25519")
    header = {"alg": keys.ALGORITHM, "kid": kid or key.thumbprint(), "typ": typ}
    return str(jwt.encode(header, permit.model_dump(mode="json"), key, algorithms=[keys.ALGORITHM]))


def _by_public_key(permit: Permit, ground: Ground) -> str:
    """The judge's public key taken for a shared secret (algorithm confusion)."""
    text = (ground.guard.folder / "keys" / "judge.pub.json").read_text()
    header = {"alg": "HS256", "kid": ground.guard.judge.id, "typ": permits.TYPE}
    return str(jwt.encode(header, permit.model_dump(mode="json"), OctKey.import_key(text), algorithms=["HS256"]))


def _by_another_role(role: str) -> Callable[[Permit, Ground], str]:
    return lambda permit, ground: permits.mint(permit, keys.signer(ground.guard.folder / "keys", role))


def _edited(**changes: Any) -> Callable[[Permit, Ground], str]:
    def token(permit: Permit, ground: Ground) -> str:
        head, _, signature = ground.minted(permit).split(".")
        return f"{head}.{part(permit.model_copy(update=changes).model_dump(mode='json'))}.{signature}"

    return token


def _headed(**changes: Any) -> Callable[[Permit, Ground], str]:
    def token(permit: Permit, ground: Ground) -> str:
        _, body, signature = ground.minted(permit).split(".")
        header = {"alg": keys.ALGORITHM, "kid": ground.guard.judge.id, "typ": permits.TYPE}
        return f"{part(header | changes)}.{body}.{signature}"

    return token


def _unclaimed(name: str) -> Callable[[Permit, Ground], str]:
    """Signed by the judge, without one claim."""
    return lambda permit, ground: ground.guard.judge.sign(
        {key: value for key, value in permit.model_dump(mode="json").items() if key != name}, typ=permits.TYPE
    )


def _halves(permit: Permit, ground: Ground) -> str:
    """The signature of one good permit under the text of another."""
    first, second = ground.minted(permit).split("."), ground.minted(permit.model_copy(update={"jti": "permit-second"})).split(".")
    return f"{first[0]}.{first[1]}.{second[2]}"


TOKENS: dict[str, Callable[[Permit, Ground], str]] = {
    "nobody's": lambda permit, ground: "e30.e30.e30",
    "shapeless": lambda permit, ground: "let me in",
    "two parts": lambda permit, ground: ".".join(ground.minted(permit).split(".")[:2]),
    "four parts": lambda permit, ground: ground.minted(permit) + ".e30",
    "very long": lambda permit, ground: f"e30.{'A' * 5000}.e30",
    "unsigned": lambda permit, ground: ".".join([*ground.minted(permit).split(".")[:2], "AA"]),
    "another key": lambda permit, ground: _foreign(permit, ground),
    "another key under the judge's id": lambda permit, ground: _foreign(permit, ground, kid=ground.guard.judge.id),
    "the public key as a secret": _by_public_key,
    "the executor's key": _by_another_role("executor"),
    "a door's key": _by_another_role("door-bypass"),
    "an approval's type": lambda permit, ground: ground.guard.judge.sign(permit.model_dump(mode="json"), typ="day2-approval+jwt"),
    "no algorithm": _headed(alg="none"),
    "an old name of the algorithm": _headed(alg="EdDSA"),
    "another id of the key": _headed(kid="x"),
    "a key in the header": _headed(jwk={"kty": "OKP"}),
    "a critical header": _headed(crit=["x"]),
    "edited agent": _edited(agent="finops"),
    "edited change": _edited(post="0" * 64),
    "edited end": _edited(exp=4_102_444_800),
    "edited id": _edited(jti="permit-fresh"),
    "edited use": _edited(use="undo"),
    "halves of two": _halves,
    **{f"without {name}": _unclaimed(name) for name in ("jti", "use", "iss", "agent", "uid", "line", "iat", "exp")},
    "one claim more": lambda permit, ground: ground.guard.judge.sign(permit.model_dump(mode="json") | {"admin": True}, typ=permits.TYPE),
}


def tokened(name: str) -> Callable[[Ground], httpx.Response]:
    def act(ground: Ground) -> httpx.Response:
        request = web(ground)
        permit, _, _ = ground.judged(request)
        return ground.sent(request, USER, TOKENS[name](permit, ground))

    return act


# ------------------------------------------------------------------ a good permit on another request
def swapped(**changes: Any) -> Callable[[Ground], httpx.Response]:
    """The good permit for NINE on `web`, sent with a request that differs."""

    def act(ground: Ground) -> httpx.Response:
        request = web(ground)
        permit, _, _ = ground.judged(request)
        wanted = {"namespace": ground.names["system"]} if changes.get("namespace") == "system" else changes
        return ground.sent(request.model_copy(update=wanted), USER, ground.minted(permit))

    return act


IMAGE: Json = {"spec": {"replicas": 9, "template": {"spec": {"containers": [{"name": "web", "image": "evil:1"}]}}}}
SIDECAR: Json = {"spec": {"replicas": 9, "template": {"spec": {"containers": [{"name": "more", "image": "evil:1"}]}}}}
ROBOT: Json = {"spec": {"replicas": 9, "template": {"spec": {"serviceAccountName": "robot"}}}}
SWAPS: dict[str, dict[str, Any]] = {
    "another value": {"body": {"spec": {"replicas": 8}}},
    "nothing changed": {"body": {}},
    "an image too": {"body": IMAGE},
    "a container too": {"body": SIDECAR},
    "an account too": {"body": ROBOT},
    "a label too": {"body": NINE | {"metadata": {"labels": {"x": "1"}}}},
    "a finalizer too": {"body": NINE | {"metadata": {"finalizers": ["a.dev/b"]}}},
    "an owner too": {"body": NINE | {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "lone", "uid": ZEROS}]}}},
    "a pause too": {"body": {"spec": {"replicas": 9, "paused": True}}},
    "another object": {"name": "other"},
    "another kind": {"resource": "statefulsets"},
    "the scale": {"subresource": "scale", "content_type": MERGE},
    "the status": {"subresource": "status", "body": {"status": {"replicas": 9}}},
    "a deletion": {"verb": "delete", "body": {"kind": "DeleteOptions", "apiVersion": "v1"}, "content_type": JSON},
}


# ------------------------------------------------------------------ again
def used_twice(ground: Ground) -> httpx.Response:
    """Used, put back by another, used again."""
    _put_back(ground)
    request = web(ground, QUIET, "idle")
    permit, _, _ = ground.spent(request)
    _put_back(ground)
    ground.mark()
    return ground.sent(request, USER, ground.minted(permit))


def used_twice_at_once(ground: Ground) -> httpx.Response:
    """Used again before anybody else wrote: nothing more may happen, not even the same once more."""
    _put_back(ground)
    request = web(ground, QUIET, "idle")
    permit, _, _ = ground.spent(request)
    ground.mark()
    return ground.sent(request, USER, ground.minted(permit))


def used_twice_where_no_generation_moves(ground: Ground) -> httpx.Response:
    """A namespace's label, set, taken away by another, set again: only the record of uses can tell."""
    agent = only("label_namespace")
    told = {"group": "", "resource": "namespaces", "namespace": "", "name": ground.namespace}
    request = web(ground, {"metadata": {"labels": {"again": "1"}}}).model_copy(update=told)
    permit, _, _ = ground.spent(request, agent)
    ground.admin("PATCH", request.path, {"metadata": {"labels": {"again": None}}})
    ground.mark()
    return ground.sent(request, f"day2:agent:{agent}", ground.minted(permit))


def used_by_another_agent(ground: Ground) -> httpx.Response:
    """Another agent that may do the same takes a permit that was not its own."""
    request = web(ground)
    permit, _, _ = ground.judged(request)
    return ground.sent(request, f"day2:agent:{only('scale_workload')}", ground.minted(permit))


def used_on_a_namesake(ground: Ground) -> httpx.Response:
    """The object is deleted and made again under its name."""
    collection = "/apis/apps/v1/namespaces/{ns}/deployments"
    made = workload("Deployment", "reborn", replicas=0)
    ground.admin("POST", collection, made, JSON)
    ground.store.settled()
    request = web(ground, QUIET, "reborn")
    permit, _, _ = ground.judged(request)
    ground.admin("DELETE", f"{collection}/reborn")
    ground.admin("POST", collection, made, JSON)
    ground.store.settled()
    ground.mark()
    return ground.sent(request, USER, ground.minted(permit))


def used_after_a_change(ground: Ground) -> httpx.Response:
    """Somebody else changed the object after it was judged."""
    _put_back(ground)
    request = web(ground, QUIET, "idle")
    permit, _, _ = ground.judged(request)
    ground.admin("PATCH", "/apis/apps/v1/namespaces/{ns}/deployments/idle", {"spec": {"progressDeadlineSeconds": 500 + permit.iat % 90}})
    ground.mark()
    return ground.sent(request, USER, ground.minted(permit))


def _put_back(ground: Ground) -> None:
    ground.admin("PATCH", "/apis/apps/v1/namespaces/{ns}/deployments/idle", {"spec": {"minReadySeconds": 0}})


# ------------------------------------------------------------------ undo
def undone(**changes: Any) -> Callable[[Ground], httpx.Response]:
    """A forward that was done, and its undo permit with some claims changed by the judge's own key."""

    def act(ground: Ground) -> httpx.Response:
        _put_back(ground)
        there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
        forward, old, new = ground.spent(there)
        undo = ground.guard.undo(back, forward, old, new, **changes)
        ground.mark()
        return ground.sent(back, USER, ground.minted(undo))

    return act


def undo_before_its_forward(ground: Ground) -> httpx.Response:
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.judged(there)
    ground.mark()
    return ground.sent(back, USER, ground.minted(ground.guard.undo(back, forward, old, new)))


def undo_with_more(ground: Ground) -> httpx.Response:
    """One field more than the inverse."""
    return _undo(ground, {"spec": {"minReadySeconds": 0, "paused": True}})


def undo_to_another_value(ground: Ground) -> httpx.Response:
    return _undo(ground, {"spec": {"minReadySeconds": 3}})


def undo_of_another_object(ground: Ground) -> httpx.Response:
    _put_back(ground)
    forward, old, new = ground.spent(web(ground, QUIET, "idle"))
    back = web(ground, {"spec": {"minReadySeconds": 1}}, "other")
    ground.mark()
    return ground.sent(back, USER, ground.minted(ground.guard.undo(back, forward, old, new)))


def undo_twice(ground: Ground) -> httpx.Response:
    """Undone, done again by somebody else, undone again."""
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.spent(there)
    token = ground.minted(ground.guard.undo(back, forward, old, new))
    ground.sent(back, USER, token).raise_for_status()
    ground.admin("PATCH", "/apis/apps/v1/namespaces/{ns}/deployments/idle", QUIET)
    ground.mark()
    return ground.sent(back, USER, token)


def undo_after_another_moved_our_field(ground: Ground) -> httpx.Response:
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.spent(there)
    ground.admin("PATCH", "/apis/apps/v1/namespaces/{ns}/deployments/idle", {"spec": {"minReadySeconds": 5}})
    ground.mark()
    return ground.sent(back, USER, ground.minted(ground.guard.undo(back, forward, old, new)))


def undo_of_an_undo(ground: Ground) -> httpx.Response:
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.spent(there)
    undo = ground.guard.undo(back, forward, old, new)
    ground.sent(back, USER, ground.minted(undo)).raise_for_status()
    again = ground.guard.undo(there, undo, new, old)
    ground.mark()
    return ground.sent(there, USER, ground.minted(again))


def forward_sent_as_its_own_undo(ground: Ground) -> httpx.Response:
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, _, _ = ground.spent(there)
    ground.mark()
    return ground.sent(back, USER, ground.minted(forward))


def undo_by_another_agent(ground: Ground) -> httpx.Response:
    _put_back(ground)
    there, back = web(ground, QUIET, "idle"), web(ground, {"spec": {"minReadySeconds": 0}}, "idle")
    forward, old, new = ground.spent(there)
    ground.mark()
    return ground.sent(back, f"day2:agent:{only('scale_workload')}", ground.minted(ground.guard.undo(back, forward, old, new)))


def _undo(ground: Ground, body: Json) -> httpx.Response:
    _put_back(ground)
    back = web(ground, body, "idle")
    forward, old, new = ground.spent(web(ground, QUIET, "idle"))
    ground.mark()
    return ground.sent(back, USER, ground.minted(ground.guard.undo(back, forward, old, new)))


UNDONE: dict[str, Callable[[Ground], httpx.Response]] = {
    "of another forward": undone(forward="permit-none"),
    "of no forward": undone(forward=""),
    "of another inverse": undone(inverse="0" * 64),
    "of no inverse": undone(inverse=""),
    "of another uid": undone(uid=ZEROS),
    "of another agent": undone(agent="finops"),
    "of another line": undone(line="patch /api/v1/nodes/x"),
    "that ran out": undone(iat=1_600_000_000, exp=1_600_000_900),
    "that lives for ever": undone(exp=4_102_444_800),
}


# ------------------------------------------------------------------ deletions
def deletion(options: Json) -> Callable[[Ground], httpx.Response]:
    """A judged deletion of one pod by uid and resourceVersion, sent with other options."""

    def act(ground: Ground) -> httpx.Response:
        pod = ground.get("/api/v1/namespaces/{ns}/pods/lone")
        meta = pod["metadata"]
        good = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {key: meta[key] for key in ("uid", "resourceVersion")}}
        told = {"verb": "delete", "group": "", "resource": "pods", "content_type": JSON}
        agent = only("delete_pod")
        permit = ground.guard.permit(ground.request("lone", good, **told), agent, pod, {})
        return ground.sent(ground.request("lone", good | options, **told), f"day2:agent:{agent}", ground.minted(permit))

    return act


DELETIONS: dict[str, Json] = {
    "at once": {"gracePeriodSeconds": 0},
    "with another grace": {"gracePeriodSeconds": 5},
    "without preconditions": {"preconditions": {}},
    "without the version": {"preconditions": {"uid": ZEROS}},
    "orphaning": {"propagationPolicy": "Orphan"},
    "in the foreground": {"propagationPolicy": "Foreground"},
}


def attempts() -> Iterator[Attempt]:
    for name in SIGNED:
        yield playing("permit", signed(name), name, stopped_by=WEBHOOK)
    for name in PROTECTED:
        yield playing("permit", protected(name), f"for {name}", stopped_by=frozenset({"policy"}))
    for name in TOKENS:
        yield playing("forged", tokened(name), name, stopped_by=LOCKS)
    for name, changes in SWAPS.items():
        yield playing("swapped", swapped(**changes), name, stopped_by=LOCKS | {"rbac", "api"})
    for act in (
        used_twice, used_twice_at_once, used_twice_where_no_generation_moves, used_by_another_agent, used_on_a_namesake,
        used_after_a_change,
    ):  # fmt: skip
        yield playing("replayed", act, stopped_by=WEBHOOK)
    for act in (
        undo_before_its_forward, undo_with_more, undo_to_another_value, undo_of_another_object, undo_twice,
        undo_after_another_moved_our_field, undo_of_an_undo, forward_sent_as_its_own_undo, undo_by_another_agent,
    ):  # fmt: skip
        yield playing("undo", act, stopped_by=WEBHOOK)
    for name, act in UNDONE.items():
        yield playing("undo", act, name, stopped_by=WEBHOOK)
    for name, options in DELETIONS.items():
        yield playing("deletion", deletion(options), name, stopped_by=WEBHOOK | {"api"})
