"""Sizes of containers: found by name, compared by amount, never above their limit, and told in words."""

from typing import Any

import pytest
from pydantic import ValidationError

from core.actions import containers
from core.actions.containers import Sizes, Sizing
from core.domain.errors import Conflict, Refused


def container(name: str = "api", requests: Any = None, limits: Any = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"requests": requests, "limits": limits}, **more}


def sizing(name: str = "api", seen: dict[str, int] | None = None, **to: int) -> tuple[Sizing, ...]:
    return (Sizing(container=name, from_sizes=Sizes(**(seen or {})), to_sizes=Sizes(**to)),)


POD: dict[str, Any] = {
    "containers": [container("api", {"cpu": "2"}, {"cpu": "4"}), container("log")],
    "initContainers": [container("mesh", {"cpu": "100m"}, restartPolicy="Always"), container("setup")],
}


@pytest.mark.parametrize(("name", "section"), [("api", "containers"), ("log", "containers"), ("mesh", "initContainers")])
def test_a_container_or_a_sidecar_is_found_by_its_name(name: str, section: str) -> None:
    place = containers.find(POD, name)
    assert (place.section, place.container["name"]) == (section, name)


@pytest.mark.parametrize(
    ("pod", "name"), [(POD, "gone"), (POD, "setup"), ({"containers": None, "initContainers": None}, "api"), ({}, "api")]
)
def test_what_ends_before_the_pod_runs_or_is_not_there_is_a_conflict(pod: dict[str, Any], name: str) -> None:
    with pytest.raises(Conflict, match=f"no container {name}"):
        containers.find(pod, name)


def test_a_sidecar_is_changed_where_it_stands_and_nothing_else_is() -> None:
    wanted = sizing("mesh", cpu_milli=50, memory_mib=64)
    after = containers.resized(POD, wanted)
    assert after["containers"] == POD["containers"]
    assert after["initContainers"][1] == POD["initContainers"][1]
    assert after["initContainers"][0]["resources"]["requests"] == {"cpu": "50m", "memory": "64Mi"}
    assert POD["initContainers"][0]["resources"]["requests"] == {"cpu": "100m"}
    assert containers.patch(POD, wanted) == {
        "initContainers": [{"name": "mesh", "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}}]
    }


def test_a_container_without_any_resources_gets_the_wanted_ones() -> None:
    after = containers.resized({"containers": [{"name": "api", "resources": None}]}, sizing(cpu_milli=100))
    assert after["containers"][0]["resources"] == {"requests": {"cpu": "100m"}}


@pytest.mark.parametrize(
    ("to", "possible"),
    [
        ({"cpu_milli": 4000}, True),
        ({"cpu_milli": 4001}, False),
        ({"cpu_limit_milli": 2000}, True),
        ({"cpu_limit_milli": 1999}, False),
        ({"memory_mib": 9}, True),
        ({"memory_limit_mib": 9}, True),
        ({"memory_mib": 10, "memory_limit_mib": 9}, False),
        ({"memory_mib": 9, "memory_limit_mib": 9}, True),
    ],
)
def test_no_request_stands_above_its_limit(to: dict[str, int], *, possible: bool) -> None:
    if possible:
        containers.in_order(POD, sizing(**to))
    else:
        with pytest.raises(Refused, match="would be above its limit"):
            containers.in_order(POD, sizing(**to))


@pytest.mark.parametrize(("seen", "fits"), [({"cpu_milli": 2000}, True), ({"cpu_milli": 2001}, False), ({}, False)])
def test_what_the_proposer_saw_must_stand(seen: dict[str, int], *, fits: bool) -> None:
    if fits:
        containers.as_seen(POD, sizing(seen=seen, cpu_milli=100))
    else:
        with pytest.raises(Conflict, match=r"api: requests\.cpu"):
            containers.as_seen(POD, sizing(seen=seen, cpu_milli=100))


def test_text_that_is_no_quantity_is_a_conflict_that_names_the_container() -> None:
    with pytest.raises(Conflict, match="container api"):
        containers.as_seen({"containers": [container("api", {"cpu": "plenty"})]}, sizing(cpu_milli=100))


def test_only_what_differs_in_amount_is_a_change() -> None:
    pod = {"containers": [container("api", {"cpu": "2000m", "memory": "1Gi"})]}
    (change,) = containers.changes(pod, sizing(cpu_milli=2000, memory_mib=2048), "spec")
    assert (change.path, change.old, change.new) == ("spec.containers[api].resources.requests.memory", "1Gi", "2Gi")


def test_a_sentence_tells_each_step_and_what_was_not_set() -> None:
    wanted = sizing(seen={"cpu_milli": 2000}, cpu_milli=600, memory_limit_mib=768) + sizing("log", cpu_milli=10)
    assert containers.said(wanted) == "api cpu 2 -> 600m, memory limit unset -> 768Mi; log cpu unset -> 10m"


def test_a_sizing_moves_something() -> None:
    with pytest.raises(ValidationError, match="nothing would change"):
        sizing(seen={"cpu_milli": 5, "memory_mib": 5}, cpu_milli=5)
    with pytest.raises(ValidationError, match="0 is no size"):
        sizing(cpu_milli=0)
    with pytest.raises(ValueError, match="named twice"):
        containers.distinct(sizing(cpu_milli=1) + sizing(cpu_milli=2))
    containers.distinct(sizing(cpu_milli=1) + sizing("log", cpu_milli=2))


BOTH = {"cpu": "1", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("pod", "quality"),
    [
        ({"containers": None}, "BestEffort"),
        ({"containers": [container(requests={"cpu": "0"})]}, "BestEffort"),
        ({"containers": [container(requests=BOTH, limits=BOTH)]}, "Guaranteed"),
        ({"containers": [container(requests=BOTH, limits=BOTH), container("log")]}, "Burstable"),
        ({"containers": [container(requests=BOTH, limits=BOTH)], "initContainers": [container("setup", BOTH)]}, "Burstable"),
        ({"containers": [container(requests=BOTH, limits=BOTH)], "initContainers": None}, "Guaranteed"),
        ({"containers": [container(requests={"cpu": "1"}, limits={"cpu": "1"})]}, "Burstable"),
        ({"containers": [container(requests=BOTH, limits=BOTH | {"cpu": "2"})]}, "Burstable"),
        ({"containers": [container()], "resources": {"requests": BOTH, "limits": BOTH}}, "Guaranteed"),
        ({"containers": [container(requests=BOTH, limits=BOTH)], "resources": {"requests": BOTH}}, "Burstable"),
    ],
)
def test_the_quality_of_service_is_the_api_servers(pod: dict[str, Any], quality: str) -> None:
    assert containers.qos_class(pod) == quality
