"""The webhook as `day2 serve` starts it: HTTPS with a leaf of the people's CA, changed without a restart, ended with its parent."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.domain.errors import Unavailable
from gate import keys
from gate.certificates import issue
from runtime import serving
from runtime.roles import everything
from runtime.settings import GateSettings, Settings, StoreSettings
from tools.stores import migrating

pytestmark = pytest.mark.slow


def settings_of(folder: Path, **gate: Any) -> Settings:
    wanted = GateSettings(webhook_listen="127.0.0.1:0", webhook_url="https://localhost:9443", **gate)
    return Settings(profile="demo", store=StoreSettings(data_dir=folder), gate=wanted)


@pytest.fixture
async def family() -> AsyncIterator[serving.Children]:
    async with serving.children() as found:
        yield found


async def started(family: serving.Children, settings: Settings) -> str:
    """Its address."""
    migrating.migrate(settings.ledger_url)
    keys.signer(settings.data_dir / "keys", keys.JUDGE)
    await everything.start_role(family, "webhook", settings)
    return f"https://localhost:{family.named('webhook').ready['port']}"


async def asked(url: str, ca: Path, path: str = "/healthz", body: Any = None) -> httpx.Response:
    context = ssl.create_default_context(cafile=ca)
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as client:
        return await (client.get(url + path) if body is None else client.post(url + path, content=json.dumps(body)))


async def test_it_answers_under_a_leaf_of_the_ca_and_refuses_without_a_permit(
    family: serving.Children, ca: tuple[Path, Path], tmp_path: Path
) -> None:
    url = await started(family, settings_of(tmp_path, webhook_ca_file=ca[0], webhook_ca_key_file=ca[1]))
    assert (await asked(url, ca[0])).text == "ok\n"
    review = {"request": {"uid": "r-1", "operation": "UPDATE", "userInfo": {"username": "day2:agent:scaling"}}}
    answer = (await asked(url, ca[0], "/verify", review)).json()["response"]
    assert (answer["uid"], answer["allowed"]) == ("r-1", False)
    with pytest.raises(httpx.ConnectError):
        await asked(url.replace("localhost", "127.0.0.1"), ca[0])  # the leaf is for the registered name


async def test_a_certificate_that_others_keep_fresh_is_changed_without_a_restart(
    family: serving.Children, ca: tuple[Path, Path], tmp_path: Path
) -> None:
    leaf = tmp_path / "leaf.pem"
    issue(*ca, ["localhost"], leaf, datetime.now(UTC))
    url = await started(family, settings_of(tmp_path / "data", webhook_certificate_file=leaf, webhook_key_file=leaf))
    pid = family.named("webhook").process.pid
    port = int(url.rpartition(":")[2])
    before = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
    issue(*ca, ["localhost"], leaf, datetime.now(UTC))
    end = asyncio.get_running_loop().time() + 60
    while await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port)) == before:
        assert asyncio.get_running_loop().time() < end, "the new certificate is not served"
        await asyncio.sleep(0.2)
    assert (await asked(url, ca[0])).status_code == 200
    assert family.named("webhook").process.pid == pid


async def test_without_a_certificate_it_does_not_start_and_says_what_to_set(family: serving.Children, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="has no certificate"):
        await started(family, settings_of(tmp_path))


async def test_a_moved_ledger_makes_it_unready_and_every_answer_a_no(
    family: serving.Children, ca: tuple[Path, Path], tmp_path: Path
) -> None:
    url = await started(family, settings_of(tmp_path, webhook_ca_file=ca[0], webhook_ca_key_file=ca[1]))
    (tmp_path / "ledger.db").rename(tmp_path / "elsewhere.db")
    assert (await asked(url, ca[0])).status_code == 503


def test_serve_starts_a_webhook_only_where_it_can_have_a_certificate(ca: tuple[Path, Path], tmp_path: Path) -> None:
    assert not settings_of(tmp_path, webhook_ca_file=ca[0]).gate.serves
    assert settings_of(tmp_path, webhook_ca_file=ca[0], webhook_ca_key_file=ca[1]).gate.serves
