"""Judge, executor and webhook in this process: what each makes, keeps and leaves behind between its start and its end."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import runpy
import socket
import ssl
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import uvicorn

from core.domain.errors import Busy, Corrupt, InvalidInput
from core.domain.outcome import ActionState
from gate import audit, keys
from gate.certificates import Rotation, issue
from runtime.roles import deciders, executor, judge, webhook
from runtime.roles.deciders import RoleSettings, WebhookSettings
from tests.runtime.roles.conftest import House
from tools.stores.ledger import SqlLedger
from tools.stores.locks import RoleLock
from tools.stores.migrating import migrate
from tools.stores.opening import Database
from tools.stores.sink import Sink

S = ActionState
Run = Callable[[RoleSettings, asyncio.Event], Coroutine[Any, Any, None]]
Output = pytest.CaptureFixture[str]
RUNS: dict[str, Run] = {"judge": judge.run, "executor": executor.run}
SECONDS = 20.0
"""Of real time, after which nothing will come any more."""


@pytest.fixture(autouse=True)
def judged(tmp_path: Path) -> None:
    """The judge has made its key."""
    keys.signer(tmp_path / "keys", keys.JUDGE)


@pytest.fixture
def dying() -> Iterator[None]:
    """What a role that does not begin leaves to the end of its process goes with its test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


def settings_of(house: House, role: str, **changes: Any) -> RoleSettings:
    return deciders.read(house.settings_of(role, **changes), RoleSettings)


@contextlib.asynccontextmanager
async def running(run: Run, settings: RoleSettings, capsys: Output) -> AsyncIterator[dict[str, Any]]:
    """What it said when it was ready. It is told to stop at the end, and has to."""
    stop = asyncio.Event()
    async with begun(run(settings, stop), capsys) as (task, said):
        yield said
        stop.set()
        await asyncio.wait_for(task, SECONDS)


@contextlib.asynccontextmanager
async def begun(run: Coroutine[Any, Any, None], capsys: Output) -> AsyncIterator[tuple[asyncio.Task[None], dict[str, Any]]]:
    task = asyncio.create_task(run)
    try:
        async with asyncio.timeout(SECONDS):
            while not (said := capsys.readouterr().out) and not task.done():  # noqa: ASYNC110  a line on standard output is no event
                await asyncio.sleep(0.005)
        yield task, json.loads(said) if said else {}
    finally:
        task.cancel()
        with contextlib.suppress(BaseException):
            await task


async def ended_by(damage: Callable[[], object], run: Run, settings: RoleSettings, capsys: Output) -> Corrupt:
    """The error with which it ended, as whoever looks at what went wrong keeps it."""
    async with begun(run(settings, asyncio.Event()), capsys) as (task, said):
        assert said
        damage()
        with pytest.raises(Corrupt) as caught:
            await asyncio.wait_for(task, SECONDS)
    return caught.value


async def comes(holds: Callable[[], bool]) -> bool:
    end = asyncio.get_running_loop().time() + SECONDS
    while not holds():
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.01)
    return True


async def carried_out(house: House, action: str) -> bool:
    return await house.until(lambda: house.row(action).state is S.VERIFIED, real_seconds=SECONDS)


def signed(house: House, role: str) -> list[Any]:
    found, problems = audit.signed_heads(house.folder, house.folder / "keys")
    assert problems == []
    return [head for head in found if head.role == role]


async def test_an_executor_carries_out_and_keeps_its_heads(house: House, capsys: Output) -> None:
    action = await house.submit()
    async with running(executor.run, settings_of(house, "executor"), capsys) as said:
        assert (said["role"], said["pid"]) == ("executor", os.getpid())
        with pytest.raises(Busy, match="is already the executor here"):
            await executor.run(settings_of(house, "executor"), asyncio.Event())
        assert await carried_out(house, action), house.row(action)
        assert len(house.server.effects) == 1
        assert await comes(lambda: bool(signed(house, "executor"))), "it signs while it runs"
        house.ledger.record(role="executor", event="event", subject="", body={}, at=house.server.now)
    assert house.ledger.head()["executor"] in signed(house, "executor"), "and as it ends"
    RoleLock(house.folder, "executor").take().release()


async def test_a_judge_permits_and_keeps_its_heads(house: House, capsys: Output) -> None:
    action = await house.submit()
    async with running(judge.run, settings_of(house, "judge"), capsys) as said:
        assert (said["role"], said["pid"]) == ("judge", os.getpid())
        with pytest.raises(Busy, match="is already the judge here"):
            await judge.run(settings_of(house, "judge"), asyncio.Event())
        assert await comes(lambda: house.row(action).state is S.PERMITTED), house.row(action)
        assert await comes(lambda: bool(signed(house, "judge"))), "it signs while it runs"
        house.ledger.record(role="judge", event="event", subject="", body={}, at=house.server.now)
    assert house.ledger.head()["judge"] in signed(house, "judge"), "and as it ends"
    RoleLock(house.folder, "judge").take().release()


@pytest.mark.parametrize("role", RUNS)
@pytest.mark.parametrize("place", ["elsewhere.jsonl", None])
async def test_a_role_writes_the_second_sink_that_its_settings_name_or_the_one_of_its_folder(
    house: House, capsys: Output, role: str, place: str | None
) -> None:
    path = house.folder / (place or "audit.jsonl")
    (house.folder / "audit.jsonl").unlink()
    settings = settings_of(house, role, audit_sink=str(path) if place else None)
    async with running(RUNS[role], settings, capsys):
        pass
    assert path.exists()
    assert (house.folder / "audit.jsonl").exists() == (place is None)
    assert list(Sink(path).rows()) == house.ledger.chain()


@pytest.mark.parametrize("role", RUNS)
async def test_a_role_that_ends_with_an_error_holds_nothing_any_more(house: House, capsys: Output, role: str) -> None:
    def moved() -> None:
        (house.folder / "ledger.db").rename(house.folder / "moved.db")

    kept = await ended_by(moved, RUNS[role], settings_of(house, role), capsys)
    assert "moved or replaced" in str(kept)
    RoleLock(house.folder, role).take().release()


@pytest.fixture
def shared(postgres: str) -> Iterator[str]:
    """A ledger of the newest form on Postgres, for this test alone."""
    database = Database(postgres)

    def emptied() -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")

    emptied()
    migrate(postgres)
    yield postgres
    emptied()
    database.close()


@pytest.mark.usefixtures("dying")
@pytest.mark.parametrize("role", RUNS)
async def test_where_machines_share_a_ledger_a_second_one_of_a_role_is_refused(house: House, shared: str, role: str) -> None:
    first = SqlLedger(Database(shared))
    first.hold(role)
    with pytest.raises(Busy, match=f"another process is already the {role}"):
        await asyncio.wait_for(RUNS[role](settings_of(house, role, ledger_url=shared), asyncio.Event()), SECONDS)
    first.close()


@pytest.mark.parametrize("role", RUNS)
async def test_where_machines_share_a_ledger_a_role_is_held_until_it_ends(house: House, shared: str, capsys: Output, role: str) -> None:
    second, admin = SqlLedger(Database(shared)), Database(shared)

    def dropped() -> None:
        with pytest.raises(Busy):
            second.hold(role)
        with admin.writing() as connection:
            connection.exec_driver_sql("DROP TABLE actions")

    def taken() -> bool:
        with contextlib.suppress(Busy):
            second.hold(role)
            return True
        return False

    kept = await ended_by(dropped, RUNS[role], settings_of(house, role, ledger_url=shared), capsys)
    assert await comes(taken), "the server notes a moment later that the connection was ended"
    assert kept.mend
    second.close()
    admin.close()


async def test_an_executor_gives_back_what_the_one_before_had_only_claimed(house: House, capsys: Output) -> None:
    action = await house.submit()
    await house.judge_here()
    assert house.row(action).state is S.PERMITTED
    house.ledger.claim(action, "the one before", house.server.now)
    async with running(executor.run, settings_of(house, "executor"), capsys):
        assert await comes(lambda: house.row(action).state is S.SUBMITTED), house.row(action)


def unread(what: str, _moment: str) -> None:
    if what == "read deployments":
        raise RuntimeError("the API server fails")


async def test_an_executor_asks_seldom_while_something_waits(house: House, capsys: Output, caplog: pytest.LogCaptureFixture) -> None:
    action = await house.submit()
    house.server.pace = lambda: timedelta(seconds=0)
    async with running(executor.run, settings_of(house, "executor", poll_seconds=0.001), capsys):
        assert await house.until(lambda: house.row(action).state is S.APPLIED, real_seconds=SECONDS), house.row(action)
        house.server.meddle, house.server.pace = unread, lambda: timedelta(seconds=50)
        assert await comes(lambda: "waits" in caplog.text)
        caplog.clear()
        await asyncio.sleep(0.6)
        assert caplog.text.count("waits") <= 1


async def test_a_judge_asks_seldom_while_something_waits(house: House, capsys: Output, caplog: pytest.LogCaptureFixture) -> None:
    house.server.meddle = unread
    await house.submit()
    async with running(judge.run, settings_of(house, "judge", poll_seconds=0.001), capsys):
        assert await comes(lambda: "waits for the judge" in caplog.text)
        caplog.clear()
        await asyncio.sleep(0.6)
        assert caplog.text.count("waits for the judge") <= 1


@pytest.mark.parametrize(("concern", "state"), [("none", S.PERMITTED), ("blast_radius", S.NEEDS_APPROVAL)])
async def test_a_judge_with_a_model_judge_hears_it_and_ends_it(
    house: House, capsys: Output, reviewer: Path, concern: str, state: ActionState
) -> None:
    reviewer.write_text(json.dumps([{"review": {"concern": concern, "cites": ["change-1"]}}] * 2), encoding="utf-8")  # it waits for more
    action = await house.submit()
    async with running(judge.run, settings_of(house, "judge", reviewer=str(reviewer)), capsys):
        assert await comes(lambda: house.row(action).state is not S.SUBMITTED)
        assert house.row(action).state is state, house.row(action).note
    (asked,) = reviewer.with_suffix(".log").read_text(encoding="utf-8").splitlines()
    assert not Path(f"/proc/{json.loads(asked)[0]}").exists()


@pytest.mark.usefixtures("dying")
async def test_a_judge_does_not_begin_with_rules_that_nobody_can_read(house: House) -> None:
    policies = house.folder / "policies"
    policies.mkdir()
    (policies / "ours.yaml").write_text("kind: [", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"ours\.yaml"):
        await asyncio.wait_for(judge.run(settings_of(house, "judge", policies=str(policies)), asyncio.Event()), 60)


@pytest.mark.parametrize("role", RUNS)
async def test_a_role_with_nothing_to_do_leaves_its_clock_alone(house: House, capsys: Output, role: str) -> None:
    looks = []

    def looked() -> timedelta:
        looks.append(1)
        return timedelta()

    async with running(RUNS[role], settings_of(house, role, poll_seconds=0.001), capsys):
        house.server.pace = looked
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(0.4)
        assert len(looks) <= 2 + asyncio.get_running_loop().time() - begun


@pytest.mark.parametrize("main", [judge.main, executor.main, webhook.main])
def test_a_role_whose_settings_cannot_be_read_ends_with_one(main: Callable[[list[str]], int], tmp_path: Path, capsys: Output) -> None:
    assert main(["--settings", str(tmp_path / "none.json")]) == 1
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.parametrize("role", [judge, executor, webhook])
def test_a_roles_module_is_its_program(role: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Output) -> None:
    monkeypatch.setattr(sys, "argv", ["role", "--settings", str(tmp_path / "none.json")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(role.__file__), run_name="__main__")
    assert ended.value.code == 1
    assert "cannot read" in capsys.readouterr().err


@pytest.mark.parametrize("role", RUNS)
async def test_a_role_with_a_source_of_metrics_that_is_away_works_and_ends(house: House, capsys: Output, role: str) -> None:
    settings = settings_of(house, role).model_copy(update={"prometheus_url": "http://127.0.0.1:9"})
    async with running(RUNS[role], settings, capsys) as said:
        assert said["role"] == role


@pytest.fixture
def wanted(ledger: SqlLedger, tmp_path: Path, ca: tuple[Path, Path]) -> RoleSettings:
    """A webhook with a leaf of the people's CA, on a free port."""
    listening = WebhookSettings(listen="127.0.0.1:0", url="https://localhost:9443", ca=ca[0], ca_key=ca[1])
    return RoleSettings(data_dir=tmp_path, ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}", guard=None, webhook=listening)


def but(settings: RoleSettings, **changes: Any) -> RoleSettings:
    return settings.model_copy(update={"webhook": settings.webhook.model_copy(update=changes)})


async def asked(port: int, ca: Path, path: str = "/healthz", body: Any = None) -> httpx.Response:
    context = ssl.create_default_context(cafile=ca)
    async with httpx.AsyncClient(verify=context, trust_env=False, timeout=30) as client:
        url = f"https://localhost:{port}{path}"
        return await (client.get(url) if body is None else client.post(url, content=json.dumps(body)))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that is logged, also by the server."""
    logging.getLogger("uvicorn.access").propagate = True
    caplog.set_level(logging.INFO)
    return caplog


async def test_a_webhook_answers_without_a_word_of_itself_until_it_ends(
    wanted: RoleSettings, ca: tuple[Path, Path], capsys: Output, told: pytest.LogCaptureFixture
) -> None:
    async with running(webhook.run, wanted, capsys) as said:
        assert (said["role"], said["pid"]) == ("webhook", os.getpid())
        healthy = await asked(said["port"], ca[0])
        review = {"request": {"uid": "r-1", "operation": "UPDATE", "userInfo": {"username": "day2:agent:scaling"}}}
        answer = (await asked(said["port"], ca[0], "/verify", review)).json()["response"]
    assert (healthy.text, "server" in healthy.headers) == ("ok\n", False)
    assert (answer["uid"], answer["allowed"]) == ("r-1", False)
    assert not [record for record in told.records if record.name == "uvicorn.access"], "requests are no news"
    with pytest.raises(httpx.ConnectError):
        await asked(said["port"], ca[0])
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("own", [True, False])
async def test_the_leaf_of_a_webhook_lies_with_its_private_files(wanted: RoleSettings, capsys: Output, tmp_path: Path, own: bool) -> None:
    private = tmp_path / "private"
    async with running(webhook.run, wanted.model_copy(update={"private_dir": private if own else None}), capsys):
        pass
    leaf = (private if own else tmp_path / "keys") / "webhook-0.pem"
    assert leaf.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys" / "webhook-0.pem").exists() != own


async def test_a_certificate_of_others_is_served_only_with_its_key(
    wanted: RoleSettings, ca: tuple[Path, Path], capsys: Output, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.pem"
    issue(*ca, ["localhost"], theirs, datetime.now(UTC))
    served = [
        await first_certificate(but(wanted, certificate=certificate, key=key), capsys)
        for certificate, key in ((theirs, theirs), (theirs, None), (None, theirs))
    ]
    mine = (tmp_path / "keys" / "webhook-0.pem").read_text()
    assert [pem in theirs.read_text() for pem in served] == [True, False, False]
    assert all(pem in mine for pem in served[1:])


async def first_certificate(settings: RoleSettings, capsys: Output) -> str:
    async with running(webhook.run, settings, capsys) as said:
        return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", said["port"]))


@pytest.mark.parametrize("missing", ["ca", "ca_key", "both"])
async def test_without_a_whole_ca_a_webhook_does_not_begin_and_says_what_to_set(wanted: RoleSettings, missing: str) -> None:
    changes = {name: None for name in ("ca", "ca_key") if missing in (name, "both")}
    with pytest.raises(InvalidInput, match="has no certificate") as caught:
        await asyncio.wait_for(webhook.run(but(wanted, **changes), asyncio.Event()), SECONDS)
    assert "webhook_ca_key_file" in caught.value.mend


async def test_a_webhook_with_a_file_that_is_no_certificate_is_never_ready(wanted: RoleSettings, capsys: Output, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nothing", encoding="utf-8")
    with pytest.raises((Corrupt, ssl.SSLError)):
        await asyncio.wait_for(webhook.run(but(wanted, certificate=nonsense, key=nonsense), asyncio.Event()), SECONDS)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("listen", ["{}", "nowhere", "127.0.0.1:http", "no.such.host.invalid:1"])
async def test_a_webhook_that_cannot_listen_says_where(wanted: RoleSettings, listen: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = listen.format(f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(InvalidInput, match=f"cannot listen on {place}") as caught:
            await asyncio.wait_for(webhook.run(but(wanted, listen=place), asyncio.Event()), SECONDS)
    assert "HOST:PORT" in caught.value.mend


@pytest.mark.parametrize(("listen", "host"), [(":0", "127.0.0.1"), ("127.0.0.1:0", "127.0.0.1"), ("127.0.0.2:0", "127.0.0.2")])
def test_a_webhook_listens_to_this_machine_alone_where_no_host_is_named(listen: str, host: str) -> None:
    with webhook._listener(WebhookSettings(listen=listen)) as found:
        assert found.getsockname()[0] == host
        assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "each answer to the API server would wait 40 ms"


async def test_a_certificate_that_cannot_be_served_leaves_the_one_before(
    ca: tuple[Path, Path], tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    leaf = tmp_path / "leaf.pem"
    issue(*ca, ["localhost"], leaf, datetime.now(UTC))
    rotation = Rotation(leaf, leaf, None, ())
    config = uvicorn.Config(lambda: None, log_config=None, ssl_certfile=leaf, ssl_keyfile=leaf)
    config.load()
    webhook._refresh(rotation, config)
    webhook._refresh(rotation, config)
    assert told.text.count(f"serving with {leaf}") == 1, "it is said where something changed"
    leaf.write_text("nothing", encoding="utf-8")
    webhook._refresh(rotation, config)
    assert "the certificate stays as it was" in told.text
    leaf.unlink()
    webhook._refresh(rotation, config)
    assert told.text.count("the certificate stays as it was") == 2
