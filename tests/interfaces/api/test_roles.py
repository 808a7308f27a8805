"""Who may call what, over HTTP, is what the services say and nothing else: each role, each route."""

import re

import pytest

from core.domain.access import Role
from interfaces.api.routes import BASE, ROUTES, STREAM, Route
from runtime.services.offers.table import OFFERS
from tests.interfaces.api.conftest import Api, caller

VALUES = {"record": "judge/12"}


def path(route: Route) -> str:
    return BASE + re.sub(r"{(\w+)(:path)?}", lambda found: VALUES.get(found[1], f"{found[1]}-none"), route.path)


PLAIN = sorted({(route.method, path(route)) for route in ROUTES})


def test_every_service_has_its_route_and_every_route_its_service() -> None:
    assert sorted(route.offer for route in ROUTES) == sorted(offer.name for offer in OFFERS)
    assert len(PLAIN) == len(ROUTES), "two services under one method and path"


def test_a_get_never_decides_anything() -> None:
    writes = {offer.name for offer in OFFERS if offer.writes}
    assert {route.offer for route in ROUTES if route.method == "GET"} & writes == set()


@pytest.mark.parametrize("role", [None, *Role])
async def test_what_is_listed_for_a_role_is_what_the_api_lets_it_call(api: Api, role: Role | None) -> None:
    """What may be called may still be wrong (400, 404, 422) or refused; what may not is 403 and named."""
    roles = (role,) if role else ()
    client = api.of(*roles)
    listed = {offer.name for offer in api.offers.listed(caller(*roles))}
    for route in ROUTES:
        answer = await client.request(route.method, path(route), json=None if route.method == "GET" else body(route.offer))
        if role is None:
            assert answer.status_code == 401, route
            continue
        said = answer.json().get("title")
        assert (said != "NotAuthorised") == (route.offer in listed), (route, answer.text)
        assert answer.status_code != 422, (route, answer.text)
        assert answer.status_code < 500 or answer.json()["title"] == "Unavailable", (route, answer.text)


@pytest.mark.parametrize("role", [None, *Role])
async def test_the_stream_and_the_description_have_their_rights_too(api: Api, role: Role | None) -> None:
    client = api.of(*((role,) if role else ()))
    described = await client.get(f"{BASE}/openapi.json")
    assert described.status_code == (401 if role is None else 200)
    if role in (None, Role.SENDER):
        streamed = await client.get(f"{BASE}{STREAM}")
        assert streamed.status_code == (401 if role is None else 403)


def body(offer: str) -> dict[str, object]:
    """The least that the service takes."""
    found: dict[str, dict[str, object]] = {
        "actions.approve": {"reason": "why"},
        "actions.deny": {"reason": "why"},
        "writes.stop": {"reason": "why"},
        "writes.resume": {"reason": "why"},
        "runs.start": {"text": "scan shop"},
        "actions.cancel": {"reason": "why"},
        "actions.edit": {"changes": ["to_replicas=2"]},
        "schedules.pause": {"reason": "why"},
        "schedules.put": {"document": "kind: Schedule"},
        "findings.mute": {"what": "REL-101", "reason": "why", "hours": 1},
        "policies.try": {"action": {}},
        "approvals.batch": {"actions": ["act-none"], "reason": "why"},
        "plans.submit": {"findings": ["fnd-none"]},
        "alerts.receive": {"version": "4", "groupKey": "{}", "alerts": []},
        "webhooks.add": {"name": "n", "url": "https://x.example", "secret": "none"},
        "questions.ask": {"text": "what is wrong in shop?"},
    }
    return found.get(offer, {})
