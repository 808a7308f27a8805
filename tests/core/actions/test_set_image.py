"""Images are given by digest to containers that run what was seen."""

from typing import Any

import pytest

from core.actions.catalogue import parse_action
from core.domain.action import Live
from core.domain.errors import Conflict, Day2Error, Refused
from core.domain.values import Json

NEW = f"registry.example/cart@sha256:{'a' * 64}"


def test_a_paused_rollout_would_reach_no_pod(documents: dict[str, Json], cases: Any) -> None:
    live = cases["set_image"].live
    with pytest.raises(Refused, match="paused"):
        parse_action(documents["set_image"]).request(Live({**live.object, "spec": {**live.object["spec"], "paused": True}}, {}))


def test_the_image_that_runs_already_changes_nothing(documents: dict[str, Json], cases: Any) -> None:
    live = cases["set_image"].live
    template = live.object["spec"]["template"]
    containers = [{**each, "image": NEW} if each["name"] == "api" else each for each in template["spec"]["containers"]]
    there = {**live.object, "spec": {**live.object["spec"], "template": {**template, "spec": {"containers": containers}}}}
    same = documents["set_image"] | {"images": [{"container": "api", "from_image": NEW, "to_image": NEW}]}
    with pytest.raises(Refused, match="already runs"):
        parse_action(same).request(Live(there, {}))
    with pytest.raises(Conflict):
        parse_action(documents["set_image"]).request(Live(there, {}))


@pytest.mark.parametrize("spec", [{}, {"template": {}}, {"template": {"spec": None}}])
def test_a_workload_without_the_container_is_no_place_for_an_image(spec: Json, documents: dict[str, Json], cases: Any) -> None:
    live = cases["set_image"].live
    with pytest.raises(Day2Error):
        parse_action(documents["set_image"]).request(Live({**live.object, "spec": spec}, {}))
