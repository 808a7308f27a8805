"""`day2 autonomy show`: each level is explained by what people granted and by the outcomes that the judge would count."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.outcome import ActionState as S
from core.domain.permit import Permit
from gate import keys, permits
from gate.door import LedgerDoor
from interfaces.cli.sessions import run
from runtime.roles import console

Day2 = Callable[..., Any]
DOCUMENTS = """\
apiVersion: day2.dev/v1alpha1
kind: Objective
metadata: {name: money}
spec:
  scope: {namespaces: [shop]}
  serves: cost
  priority: 40
  autonomy: {scale_workload: auto, set_requests: guarded}
  vouched: {set_requests: guarded}
---
apiVersion: day2.dev/v1alpha1
kind: Grant
metadata: {name: finops}
spec: {agent: finops, capabilities: [scale_workload, set_requests]}
"""


@pytest.fixture
def here(day2: Day2, past: Any, tmp_path: Path) -> Day2:
    (tmp_path / "documents.yaml").write_text(DOCUMENTS, encoding="utf-8")
    (tmp_path / "day2.yaml").write_text(f"policy: {{objectives: {tmp_path / 'documents.yaml'}}}\n", encoding="utf-8")
    return lambda *words: day2(*words, "--data-dir", str(past.folder))


def ended(past: Any, first: int, *ends: tuple[S, ...]) -> None:
    """Actions, each on a target of its own, that the judge of this folder permitted, with the last states of their ways."""
    judge = keys.signer(past.folder / "keys", keys.JUDGE)
    with console.record(past.settings, create=True) as kept:
        door = LedgerDoor(kept.ledger, kept.clock)
        for number, end in enumerate(ends, first):
            target = {"cluster": "c-1", "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "uid": f"u-{number}"}
            made = past.proposal(f"act-past{number:03}", target=target)
            run(door.submit(made, by="somebody"))
            row = kept.ledger.get(made.action.id)
            assert row is not None
            columns = {"permit": permits.mint(PERMIT.model_copy(update={"action_digest": row.digest}), judge)}
            for old, new in itertools.pairwise((S.SUBMITTED, S.PERMITTED, S.CLAIMED, S.SENDING, S.APPLIED, *end)):
                assert kept.ledger.move(row.action_id, old, new, role="test", at=kept.clock.now(), event={}, **columns)


PERMIT = Permit(
    jti="jti-1",
    use="forward",
    iss=permits.ISSUER,
    agent="finops",
    action_id="act-past",
    action_digest="",
    verdict_digest="",
    cluster="c-1",
    uid="u-1",
    request="",
    line="",
    iat=0,
    exp=1,
)
"""Long expired, as permits of the past are."""


def rows(here: Day2, *words: str) -> dict[str, Any]:
    return {item["capability"]: item for item in here("autonomy", "show", *words, "-o", "json").json["items"]}


def test_before_there_is_a_record_people_vouch_or_agents_suggest(here: Day2) -> None:
    found = rows(here)
    assert {kind: (item["level"], item["ceiling"], item["next"]) for kind, item in found.items()} == {
        "scale_workload": ("suggest", "auto", "guarded after 25 more hits without a miss (bound 0.90)"),
        "set_requests": ("guarded", "guarded", "people grant no more"),
    }


def test_hits_raise_and_a_miss_lowers_and_the_record_is_told(here: Day2, past: Any) -> None:
    ended(past, 0, *[(S.VERIFIED,)] * 25)
    (item,) = rows(here, "scale_workload").values()
    assert (item["level"], item["verified"], item["missed"], item["bound"]) == ("guarded", 25, 0, "0.902")
    assert item["next"] == "auto after 27 more hits without a miss (bound 0.95)"
    ended(past, 99, (S.UNDOING, S.ROLLED_BACK))
    (item,) = rows(here, "scale_workload").values()
    assert (item["level"], item["verified"], item["missed"]) == ("suggest", 25, 1)
    shown = here("autonomy", "show", "-o", "wide").out
    assert all(word in shown for word in ("CEILING", "NEXT STEP", "finops"))


def test_a_capability_that_is_none_is_refused(here: Day2) -> None:
    said = here("autonomy", "show", "fly")
    assert (said.code, "scale_workload" in said.err) == (1, True)


def test_elsewhere_nothing_was_granted(here: Day2) -> None:
    assert rows(here, "-n", "other")["scale_workload"]["level"] == "observe"
