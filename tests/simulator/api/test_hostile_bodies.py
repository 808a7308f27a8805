"""Whatever a client sends, the answer is a Status, and what is refused is not stored."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.resources import resource
from tests.simulator.api.conftest import Box, deployment, make_box, pod

Json = dict[str, Any]
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("a-1", max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["name", "image", "resources", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(each for key, below in inside for each in places(below, (*at, key)))]


def replaced(obj: Json, path: tuple[Any, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(obj))
    if not path:
        return value
    target = changed
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return changed


@pytest.fixture(scope="module")
def shared() -> Box:
    return make_box()


@pytest.mark.parametrize(("path", "made"), [(DEPLOYMENTS, deployment("junk")), ("/api/v1/namespaces/shop/pods", pod("junk"))])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_part_of_a_wrong_shape_is_refused_as_a_client_error(shared: Box, path: str, made: Json, data: st.DataObject) -> None:
    body = replaced(made, data.draw(st.sampled_from(places(made))), data.draw(junk))
    async with shared.client() as client:
        answer = await client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code in (201, 400, 409, 422), answer.text
        if answer.status_code == 201:
            await client.delete(f"{path}/{answer.json()['metadata']['name']}?gracePeriodSeconds=0")
        else:
            assert answer.json()["kind"] == "Status"
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe", b'{"metadata": {"name": "x"}} {}', b'"text"', b""])
async def test_a_body_that_is_no_object_is_a_bad_request(shared: Box, body: bytes) -> None:
    async with shared.client() as client:
        answer = await client.post(DEPLOYMENTS, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, answer.text
        steered = await client.post("/simulator/clock", content=body or b"x")
        assert steered.status_code == 400


async def test_a_patch_of_a_wrong_shape_leaves_the_object_as_it_was(shared: Box) -> None:
    before = shared.store.create(resource("apps", "deployments"), deployment("kept"))
    async with shared.client() as client:
        for patch in (
            {"spec": {"template": {"spec": {"containers": [5]}}}},
            {"spec": 5},
            {"metadata": 5},
            {"spec": {"template": {"spec": 7}}},
        ):
            for kind in ("merge", "strategic-merge"):
                headers = {"Content-Type": f"application/{kind}-patch+json"}
                answer = await client.patch(f"{DEPLOYMENTS}/kept", content=json.dumps(patch), headers=headers)
                assert answer.status_code in (400, 422), (patch, kind, answer.text)
    assert shared.store.get(resource("apps", "deployments"), "shop", "kept") == before
