"""Redis taken over, an agent taken over, clocks and processes that fail: against the whole flow on a real API server, nothing is written
that the judge did not permit, and what is rightly judged is done all the while.
"""

import re
from typing import TYPE_CHECKING

import pytest

from tests.cluster.bypass.taken import BENT, CONTROLS, DISTURBED, DOWN, FORGED, PROPOSALS, QUEUED, REGISTRY, SKEWED, WRITTEN, Seen, played

if TYPE_CHECKING:
    from tests.cluster.bypass.ground import Ground

pytestmark = pytest.mark.timeout(300)
IN_ONE_MODE = pytest.mark.parametrize("ground", ["api"], indirect=True)
NOBODY = "nobody and nothing new"
NOT_AN_ANSWER = "agent scaling is unavailable (its answer is not understood"
IN_ANOTHER_NAME = "agent scaling is unavailable (it answered in the name of"
BY_THE_JUDGE = {
    "a kind that it was not granted": "the agent was not granted cordon_node",
    "a protected namespace": "kube-system",
    "our own namespace": "day2-system",
    "another object's uid": "denied: ",
    "another cluster": "denied: target-uid",
    "another state before": "denied: ",
    "more than there may be": "denied: pods-added-limit",
    "evidence of another namespace": "denied: cross-tenant",
    "a crowd": "denied: ",
}
"""What the agent's good seal leaves to the judge, and what it says."""


@pytest.fixture(scope="module")
def seen(ground: "Ground") -> Seen:
    ground.entitle(everything=False)
    return played(ground)


def test_there_are_forty_distinct_attempts_and_ten_from_a_seed() -> None:
    names = [*FORGED, *BENT, *PROPOSALS, *(act.__name__ for act in REGISTRY), *QUEUED, *DOWN, *SKEWED, *DISTURBED]
    assert len(set(names)) == len(names) >= 40
    assert len(BENT) >= 10


@IN_ONE_MODE
@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_rightly_judged_is_done_all_the_while(ground: "Ground", seen: Seen, name: str) -> None:
    assert seen.judged[name].state.value in WRITTEN, seen.judged[name].note
    assert ground.get(f"/apis/apps/v1/namespaces/{{ns}}/deployments/{name}")["spec"]["replicas"] == 1
    assert [key for key in seen.moved if key.endswith(f"/{name}")]


@IN_ONE_MODE
def test_nothing_else_is_written(ground: "Ground", seen: Seen) -> None:
    counted = ground.filled("/registry/resourcequotas/{ns}/web")  # by the quota: the pods of what is rightly done
    assert [key for key in seen.moved if "/control" not in key and key != counted] == []


@IN_ONE_MODE
@pytest.mark.parametrize("name", [*FORGED, *BENT])
def test_an_answer_of_somebody_else_is_no_answer(ground: "Ground", seen: Seen, name: str) -> None:
    assert "somebody else answered in its place" in seen.told[name]
    assert "submitted" not in seen.told[name]


@IN_ONE_MODE
@pytest.mark.parametrize("name", PROPOSALS)
def test_an_agent_that_is_taken_over_gets_nothing_past_the_judge(ground: "Ground", seen: Seen, name: str) -> None:
    wanted = (BY_THE_JUDGE[name],) if name in BY_THE_JUDGE else (NOT_AN_ANSWER, IN_ANOTHER_NAME, "nothing was submitted")
    assert any(words in seen.told[name] for words in wanted), seen.told[name]
    assert not any(line.startswith((*WRITTEN, "permitted", "needs_approval")) for line in seen.told[name].splitlines())


@IN_ONE_MODE
@pytest.mark.parametrize("name", [act.__name__ for act in REGISTRY])
def test_what_is_written_into_the_registry_invites_nobody(ground: "Ground", seen: Seen, name: str) -> None:
    assert seen.told[name] == NOBODY


@IN_ONE_MODE
@pytest.mark.parametrize("name", QUEUED)
def test_a_task_of_somebody_else_is_not_begun_and_ends_no_agent(ground: "Ground", seen: Seen, name: str) -> None:
    assert seen.told[name] == "not begun"


@IN_ONE_MODE
@pytest.mark.parametrize("name", [*DOWN, *SKEWED])
def test_without_a_judge_a_webhook_or_the_time_nothing_is_written(ground: "Ground", seen: Seen, name: str) -> None:
    assert re.match(r"failed|denied|expired|cancelled|submitted", seen.told[name]), seen.told[name]


@IN_ONE_MODE
@pytest.mark.parametrize("name", DISTURBED)
def test_a_run_comes_to_its_end(ground: "Ground", seen: Seen, name: str) -> None:
    assert seen.told[name].startswith("the run ended")
