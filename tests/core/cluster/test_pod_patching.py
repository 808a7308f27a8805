"""The patch of a pod makes its violations vanish and adds none; nothing in it is too much. On pods of every shade, by seed."""

import copy
from collections.abc import Iterator

import msgspec
import pytest

from core.cluster.objects import Pod
from core.cluster.pod_patching import patch
from core.cluster.pod_security import NEWEST, OLDEST, violations
from core.domain.values import Json
from simulator.patching import strategic
from tests.cluster.generated_pods import pod

SEEDS = range(400)


def decoded(body: Json) -> Pod:
    return msgspec.convert(body, Pod)


def leaves(body: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The settings of a patch; names and port numbers only say where."""
    for key, value in body.items():
        if key in ("name", "containerPort"):
            continue
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        elif isinstance(value, list) and value and isinstance(value[0], dict) and key != "sysctls":
            for number, each in enumerate(value):
                yield from leaves(each, (*path, key, number))
        else:
            yield (*path, key)


def without(body: Json, path: tuple[str | int, ...]) -> Json:
    left = copy.deepcopy(body)
    inner = left
    for step in path[:-1]:
        inner = inner[step]  # type: ignore[index]
    del inner[path[-1]]  # type: ignore[arg-type]
    return left


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_what_is_broken_is_mended_or_left_to_a_person_and_nothing_new_breaks(level: str) -> None:
    mended = 0
    for seed in SEEDS:
        minor = OLDEST + seed % (NEWEST - OLDEST + 1)
        body = pod(seed)
        found = patch(decoded(body), level, minor)
        after = violations(decoded(strategic.merge(body, found.body)), level, minor)
        assert set(after) == set(found.left), (body, found)
        assert {item.check for item in after} <= {"hostPathVolumes", "restrictedVolumes"}
        mended += bool(found.body)
    assert mended > len(SEEDS) // 4


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_every_line_of_the_patch_is_needed(level: str) -> None:
    for seed in SEEDS:
        body = pod(seed)
        found = patch(decoded(body), level)
        for path in leaves(found.body):
            after = violations(decoded(strategic.merge(body, without(found.body, path))), level)
            assert len(after) > len(found.left), (path, found.body)


def test_a_pod_that_passes_needs_no_patch() -> None:
    for seed in SEEDS:
        body = decoded(pod(seed))
        if not violations(body, "restricted"):
            assert patch(body, "restricted") == ({}, ())
