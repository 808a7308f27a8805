"""The description is true: whatever fits it, and much that does not, has an answer that it names and no error of ours."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounds
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import content_type_conformance, response_headers_conformance, response_schema_conformance
from schemathesis.specs.openapi.checks import status_code_conformance as documented

from core.domain.access import Role
from interfaces.api.routes import BASE, ROUTES, STREAM
from interfaces.web.app import build
from interfaces.web.callers import LocalToken
from interfaces.web.house import House
from runtime.roles import console
from runtime.services.offering import Offers
from runtime.services.offers.table import OFFERS
from runtime.settings import AccessSettings, Settings
from tests.interfaces.api.conftest import LOCAL, Api, opened
from tools.stores import ledger as ledgers
from tools.stores.front import opening

KNOWN = {"Authorization": f"Bearer {LOCAL}"}
CHECKS: list[CheckFunction] = [documented, content_type_conformance, response_headers_conformance, response_schema_conformance]


@pytest.fixture
def schema(settings: Settings) -> Iterator[Any]:
    with console.record(settings, create=True):
        pass
    with contextlib.ExitStack() as stack:
        ledger = stack.enter_context(contextlib.closing(ledgers.opened(settings.ledger_url, None)))
        database = stack.enter_context(contextlib.closing(opening.opened(settings.front_url)))
        offers = Offers(OFFERS, opened(settings, ledger, database))
        app = build(House(offers, settings, "http://day2.test", (LocalToken(LOCAL, AccessSettings(), "api"),)))
        found = schemathesis.openapi.from_asgi(f"{BASE}/openapi.json", app, headers=KNOWN)
        yield found.exclude(path=f"{BASE}{STREAM}")  # it has no end


BOUNDS = bounds(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_documented_and_none_is_an_error_of_ours(schema: Any, mode: GenerationMode) -> None:
    tried = []
    for found in schema.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @BOUNDS
        def holds(case: Any) -> None:
            answer = case.call(headers=KNOWN)
            tried.append(answer.status_code)
            assert answer.status_code < 500 or answer.json()["title"] == "Unavailable", answer.text
            case.validate_response(answer, checks=CHECKS)

        with contextlib.suppress(Unsatisfiable):  # nothing can be wrong about what takes nothing
            holds()
    assert len(tried) > 10 * len(ROUTES) if mode is GenerationMode.POSITIVE else len(tried) > len(ROUTES)


async def test_the_description_is_openapi_with_every_route_and_its_refusals(api: Api) -> None:
    found = (await api.of(Role.VIEWER).get(f"{BASE}/openapi.json")).json()
    assert found["openapi"].startswith("3.1")
    told = {(path.removeprefix(BASE), method.upper()): row for path, rows in found["paths"].items() for method, row in rows.items()}
    for route in ROUTES:
        row = told[route.path.replace(":path", ""), route.method]
        assert {"400", "401", "403", "404", "422", "429", "503", str(route.status)} <= set(row["responses"]), route
        assert row["responses"]["401"]["content"].keys() == {"application/problem+json"}
    assert len(told) == len(ROUTES) + 1
