"""Every known way past the gate, tried on a real API server: with API policies only, and with the guard as files.

Refused means that the answer is an error by somebody who is there to refuse, and that not one key of the store was written.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.actions.admission import REPORTER
from tests.cluster.bypass import matrix
from tests.cluster.bypass.attempts import MODES, SHAPED, Attempt, Call, refused_by
from tests.cluster.bypass.matrix import APPS, CORE, EVENTS, WRITES, Write
from tests.cluster.bypass.rows import ROWS, SKEWED, Seen, looked_at
from tests.cluster.bypass.table import TABLE
from tests.cluster.bypass.victims import event
from tests.cluster.guarded import only

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground

pytestmark = pytest.mark.timeout(300)
AGENT, USER, PREVIEW = "scaling", "day2:agent:scaling", "day2:preview:scaling"
GROUPS = {
    (mode, name): tuple(attempt for attempt in found if mode in attempt.modes)
    for name, found in ((name, tuple(found)) for name, found in itertools.groupby(TABLE, lambda attempt: attempt.group) if name)
    for mode in MODES
}
CONTROL = "untouched"
NOTHING_WRITTEN = {"failed", "submitted", "escalated", "expired", "needs_approval", "approved", "rolled_back"}
"""How a row by hand may end. Rolled back: what it says was done stands there undone."""
in_both_modes = pytest.mark.parametrize("ground", MODES, indirect=True)


def rows(modes: tuple[str, ...]) -> list[Any]:
    return [pytest.param(attempt, id=attempt.id) for attempt in TABLE if attempt.modes == modes]


# ------------------------------------------------------------------ the table
def test_there_are_180_distinct_attempts_and_30_from_a_seed() -> None:
    assert len({attempt.id for attempt in TABLE}) == len(TABLE)
    for mode in MODES:
        distinct = {attempt.signature for attempt in TABLE if mode in attempt.modes}
        assert len(distinct) >= 180
        assert len({attempt.signature for attempt in TABLE if attempt.generated and mode in attempt.modes}) >= 30


def test_every_kind_of_attempt_is_among_them() -> None:
    assert {attempt.family for attempt in TABLE} == {
        "rights", "misgranted", "headers", "direct", "preview", "notifier", "bindings", "permit", "forged", "swapped", "replayed", "undo",
        "deletion", "generated", "outage",
    }  # fmt: skip


# ------------------------------------------------------------------ what is judged passes
@in_both_modes
def test_a_rightly_judged_write_passes_and_is_taken_back(ground: "Ground") -> None:
    ground.entitle(everything=False)
    there, back = (ground.request("other", {"spec": {"replicas": number}}) for number in (2, 1))
    forward, old, new = ground.spent(there)
    assert ground.get(there.path)["spec"]["replicas"] == 2
    undo = ground.guard.undo(back, forward, old, new)
    ground.sent(back, USER, ground.minted(undo)).raise_for_status()
    assert ground.get(there.path)["spec"]["replicas"] == 1
    ground.plane.until(lambda: len(ground.get(f"{CORE}/pods")["items"]) == 4, "the copies as before")


@in_both_modes
def test_a_rightly_judged_deletion_passes(ground: "Ground") -> None:
    ground.entitle(everything=False)
    pods = [item for item in ground.get(f"{CORE}/pods")["items"] if item["metadata"]["name"].startswith("other-")]
    meta = pods[0]["metadata"]
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {key: meta[key] for key in ("uid", "resourceVersion")}}
    told = {"verb": "delete", "group": "", "resource": "pods", "content_type": "application/json"}
    request, agent = ground.request(meta["name"], options, **told), only("delete_pod")
    answer = ground.sent(request, f"day2:agent:{agent}", ground.minted(ground.guard.permit(request, agent, pods[0], {})))
    assert answer.status_code == 200, answer.text
    ground.recovered()


@in_both_modes
def test_the_previews_look_and_the_notifier_tells(ground: "Ground") -> None:
    ground.entitle(everything=False)
    ground.mark()
    seen = ground.sent(ground.request("web", {"spec": {"replicas": 9}}), PREVIEW, who="judge", dry_run=True)
    assert (seen.status_code, seen.json()["spec"]["replicas"], ground.moved()) == (200, 9, [])
    told = ground.call(Call("notifier", "POST", EVENTS, event("bypass-own", reportingController=REPORTER)))
    assert told.status_code == 201
    assert [key.rpartition("/")[2] for key in ground.moved()] == ["bypass-own"]
    ground.admin("DELETE", f"{EVENTS}/bypass-own")


# ------------------------------------------------------------------ what is not judged does not
@in_both_modes
@pytest.mark.parametrize("attempt", rows(MODES))
def test_nothing_gets_through(ground: "Ground", attempt: Attempt) -> None:
    refused(ground, attempt)


@pytest.mark.parametrize("ground", ["api"], indirect=True)
@pytest.mark.parametrize("attempt", rows(("api",)))
def test_nobody_of_ours_has_the_right(ground: "Ground", attempt: Attempt) -> None:
    refused(ground, attempt)


@pytest.mark.parametrize("ground", ["static"], indirect=True)
@pytest.mark.parametrize("attempt", rows(("static",)))
def test_files_hold_what_policies_of_the_api_cannot(ground: "Ground", attempt: Attempt) -> None:
    """With policies of the API alone these would pass: docs/gate.md says what holds them there."""
    refused(ground, attempt)


def refused(ground: "Ground", attempt: Attempt) -> None:
    ground.entitle(everything=attempt.misgranted)
    answer, moved = grouped(ground, attempt) if attempt.group else alone(ground, attempt)
    assert moved == []
    assert refused_by(answer) in attempt.stopped_by, f"{answer.status_code} {answer.text[:600]}"


def alone(ground: "Ground", attempt: Attempt) -> tuple[Any, list[str]]:
    ground.mark()
    answer = attempt.act(ground)
    return answer, ground.moved()


def grouped(ground: "Ground", attempt: Attempt) -> tuple[Any, list[str]]:
    """All of the group at the first of them: one look at the store for all."""
    from tests.cluster.bypass.ground import Together

    if attempt.group not in ground.together:
        ground.mark()
        answers = {each.id: each.act(ground) for each in GROUPS[ground.mode, attempt.group]}
        ground.together[attempt.group] = Together(answers, ground.moved())
    found = ground.together[attempt.group]
    return found.answers[attempt.id], found.moved


# ------------------------------------------------------------------ and all of it could
PASSING: dict[str, Call] = {
    "a write with every right": Call("reader", "PATCH", f"{CORE}/configmaps/web", {"data": {"a": "3"}}, matrix.MERGE),
    "a new secret": Call("webhook", "POST", f"{CORE}/secrets", {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "through"}}),
    "a deletion": Call("judge", "DELETE", f"{CORE}/secrets/through"),
    "a forged permit": Call("executor", "PATCH", f"{APPS}/deployments/idle", {"spec": {"minReadySeconds": 8}}, matrix.MERGE).impersonating(
        USER, SHAPED
    ),
    "a preview that keeps": Call(
        "judge", "PATCH", f"{APPS}/deployments/idle", {"spec": {"minReadySeconds": 9}}, matrix.MERGE
    ).impersonating(PREVIEW),
    "a direct user": Call("direct agent", "PATCH", f"{APPS}/deployments/idle", {"spec": {"minReadySeconds": 0}}, matrix.MERGE),
    "a certificate": Call("certificate agent", "PATCH", f"{CORE}/configmaps/web", {"data": {"a": "1"}}, matrix.MERGE),
    "a notifier that lies": Call("notifier", "POST", EVENTS, event("bypass-lie")),
    "a notifier that hides": Call("notifier", "DELETE", f"{EVENTS}/bypass-lie"),
}


@pytest.mark.parametrize("ground", ["api"], indirect=True)
def test_without_the_guard_each_write_is_well_formed_and_what_passes_is_noticed(ground: "Ground") -> None:
    """The other side of every refusal above: with all rights given and the guard away, the same writes are taken."""
    ground.entitle(everything=True)
    ground.guard.remove()
    try:
        ground.plane.until(lambda: refused_by(ground.call(tried("web"))) == "nobody", "the guard gone")
        ground.mark()
        refused = {
            write.name: answer.text[:200] for write in WRITES if not write.actual and not (answer := ground.call(dry(write))).is_success
        }
        assert (refused, ground.moved()) == ({}, [])
        for name, call in PASSING.items():
            ground.mark()
            answer = ground.call(call)
            assert refused_by(answer) == "nobody", f"{name}: {answer.text}"
            assert ground.moved(), name
            ground.stir()
    finally:
        ground.plane.request("DELETE", ground.filled(f"{CORE}/secrets/through"))
        ground.plane.request("DELETE", ground.filled(f"{EVENTS}/bypass-lie"))
        ground.guard.install()
        ground.entitle(everything=False)


def dry(write: Write) -> Call:
    """The same without effect, by an account with every right."""
    joint = "&" if "?" in write.path else "?"
    return write.by("reader")._replace(path=f"{write.path}{joint}dryRun=All")


def tried(name: str) -> Call:
    return Call("reader", "PATCH", f"{APPS}/deployments/{name}?dryRun=All", {"spec": {"replicas": 9}}, matrix.MERGE)


# ------------------------------------------------------------------ a ledger that somebody else wrote into
@pytest.fixture(scope="module")
def seen(ground: "Ground") -> Seen:
    ground.entitle(everything=False)
    return looked_at(ground, {**ROWS, CONTROL: lambda ground, made: {}}, first=1, clock="system")


@pytest.fixture(scope="module")
def skewed(ground: "Ground", seen: Seen) -> Iterator[Seen]:
    from tests.cluster.test_guarded_runs import Clock

    clock = Clock()
    clock.ahead = -timedelta(hours=1)
    try:
        yield looked_at(ground, SKEWED, first=1 + len(ROWS) + 1, clock=clock.url)
    finally:
        clock.close()


@in_both_modes
def test_an_untouched_row_is_executed(ground: "Ground", seen: Seen) -> None:
    assert seen.ends[CONTROL][0] == "verified", seen.ends[CONTROL]


@in_both_modes
def test_nothing_else_is_written(ground: "Ground", seen: Seen, skewed: Seen) -> None:
    control = f"/row-{len(ROWS) + 1}"
    assert [key for key in seen.moved if control not in key] == []
    assert seen.moved, "not even what was judged"
    assert skewed.moved == []


@in_both_modes
@pytest.mark.parametrize("name", ROWS)
def test_a_row_by_hand_is_refused(ground: "Ground", seen: Seen, name: str) -> None:
    state, note = seen.ends[name]
    assert state in NOTHING_WRITTEN, note
    assert name.endswith(", unsigned") == ("no executor signed" in note), note
    assert row_of(ground, 1 + list(ROWS).index(name)) == 0


@in_both_modes
@pytest.mark.parametrize("name", SKEWED)
def test_a_wrong_clock_opens_nothing(ground: "Ground", skewed: Seen, name: str) -> None:
    state, note = skewed.ends[name]
    assert state == "failed", note
    assert "expired" in note


def row_of(ground: "Ground", number: int) -> Any:
    """What the change would have set, as it stands."""
    return ground.get(f"/apis/apps/v1/namespaces/{{ns}}/deployments/row-{number}")["spec"].get("minReadySeconds", 0)
