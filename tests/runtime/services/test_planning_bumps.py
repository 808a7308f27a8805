"""What `day2 plan --bump` takes, and what it says where nothing can be planned."""

import pytest

from agents.desk import Desk
from core.domain.errors import InvalidInput
from runtime.services import planning
from tests.agents.reliability.conditions.objects import NOW, cluster
from tests.agents.security.test_image_bumps import NEW, OLD, runs


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("app:1", "no image and its successor"),
        ("=app@sha256:1", "no image and its successor"),
        (f"{OLD}=", "no image and its successor"),
        (f"{OLD}=registry.example/app:2", "no image by digest"),
        (f"{OLD}=registry.example/app@sha256:beef", "no image by digest"),
    ],
)
def test_a_successor_is_an_image_by_its_whole_digest(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        planning.successor(text)


def test_old_and_new_are_told_apart() -> None:
    assert planning.successor(f"{OLD}={NEW}") == (OLD, NEW)


def test_an_image_that_nobody_names_comes_with_the_nearest() -> None:
    with pytest.raises(InvalidInput) as told:
        planning.bumped(Desk(cluster(runs("web")), NOW, "run-1"), "registry.example/app:7", NEW)
    assert OLD in told.value.mend


def test_a_first_one_that_is_not_up_holds_the_others_back() -> None:
    with pytest.raises(InvalidInput, match="does not run it whole yet"):
        planning.bumped(Desk(cluster(runs("web"), runs("api", NEW, whole=False)), NOW, "run-1"), OLD, NEW)


def test_what_is_planned_has_no_findings() -> None:
    found = planning.bumped(Desk(cluster(runs("web")), NOW, "run-1"), OLD, NEW)
    assert found.findings == ()
    assert len(found.proposals) == 1
