"""Whether a run has a model: only where people enabled one, and never in the demo."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import InvalidInput
from core.domain.request import Request, RunBudget
from runtime.roles import modelling
from runtime.settings import ModelSettings, Settings


def request(tokens: int = 1000) -> Request:
    budget = RunBudget(tokens=tokens, model_calls=1, micro_usd=1000)
    return Request(id="run-1", trigger="chat", by="ann", text="x", budget=budget, at=datetime(2026, 1, 5, tzinfo=UTC))


def settings(**model: Any) -> Settings:
    return Settings(model=ModelSettings(**model))


async def test_without_consent_there_is_no_model(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("sk-x")
    async with modelling.opened(settings(name="m", base_url="http://127.0.0.1:1/v1", api_key_file=key), request()) as model:
        assert model is None


async def test_the_demo_has_no_model_whatever_is_set() -> None:
    wanted = Settings(profile="demo", model=ModelSettings(enabled=True, name="m"))
    async with modelling.opened(wanted, request()) as model:
        assert model is None
    assert modelling.budget(wanted).tokens == 0


async def test_a_run_without_tokens_has_no_model() -> None:
    async with modelling.opened(settings(enabled=True, name="m"), request(tokens=0)) as model:
        assert model is None


async def test_an_enabled_model_is_opened_and_has_used_nothing() -> None:
    async with modelling.opened(settings(enabled=True, name="m", base_url="http://127.0.0.1:1/v1"), request()) as model:
        assert model is not None
        assert model.usage.calls == 0


@pytest.mark.parametrize("model", [{"enabled": True}, {"enabled": True, "name": "m", "api_key_file": Path("/nonexistent/key")}])
async def test_an_enabled_model_that_cannot_be_configured_says_how(model: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        async with modelling.opened(settings(**model), request()):
            pass
    assert "model." in caught.value.mend


def test_the_budget_is_that_of_the_settings() -> None:
    budget = modelling.budget(settings(enabled=True, name="m", tokens_per_run=5, calls_per_run=2, micro_usd_per_run=7))
    assert (budget.tokens, budget.model_calls, budget.micro_usd) == (5, 2, 7)
    assert modelling.budget(settings()).tokens == 0
