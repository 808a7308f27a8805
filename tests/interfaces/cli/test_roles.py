"""Who may call what at the command line is what the services say and nothing else: each role, each command, each way to call it."""

import inspect
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.access import RIGHTS, Caller, Right, Role
from core.domain.errors import NotAuthorised
from interfaces.api.routes import ROUTES
from interfaces.cli import sessions, translating
from interfaces.cli.helping import EXAMPLES
from interfaces.cli.scopes import NO_DRY_RUN
from interfaces.cli.translating import CLI, ELSEWHERE, Alone, Machine, Offered
from runtime.roles.identifying import account, local
from runtime.services.offers.table import OFFERS
from runtime.settings import Settings, load
from tests.interfaces.cli import lines
from tests.interfaces.cli.test_helping import COMMANDS

Day2 = Callable[..., Any]
HERE: list[Role | None] = [None, *Role]
ROWS = [path for path in CLI if path]
ASKING = [path for path in ROWS if not isinstance(CLI[path], Machine)]


def words(example: str) -> list[str]:
    return shlex.split(example.partition(" > ")[0].partition(" 2>")[0])[1:]


def given(monkeypatch: pytest.MonkeyPatch, role: Role | None) -> Caller:
    """This account gets this role alone, by name; none is by the setting that says so."""
    if role is None:
        monkeypatch.setenv("DAY2_ACCESS__LOCAL", "none")
    else:
        monkeypatch.setenv(f"DAY2_ACCESS__{role.upper()}", account())
    return Caller(account(), frozenset({role} if role else ()), "cli")


def service(path: str, line: str) -> str:
    """What a command line is a translation of, by the table."""
    row = CLI[path]
    assert isinstance(row, Offered)
    return row.of({"dry_run": "client" if "--dry-run" in line else "none", "status": "--status" in words(line)})


def expected(path: str, line: str, caller: Caller) -> bool:
    """By the rights of a role alone, without the listing that is tested."""
    row = CLI[path]
    if isinstance(row, Alone):
        return caller.may(row.right)
    return caller.may(next(offer.right for offer in OFFERS if offer.name == service(path, line)))


def test_every_command_has_its_row_and_every_row_its_command() -> None:
    assert set(ROWS) == set(COMMANDS)


def test_every_service_has_its_command_or_a_reason_why_it_has_none() -> None:
    translated = {name for row in CLI.values() if isinstance(row, Offered) for name in row.names}
    assert translated | set(ELSEWHERE) == {offer.name for offer in OFFERS}
    assert translated & set(ELSEWHERE) == set()
    assert all(ELSEWHERE.values())


def answers(function: Any, deep: int = 1) -> bool:
    """Whether a command asks its session for the answer of a service, itself or in a function of its module."""
    text = inspect.getsource(function)
    inner = [item for name, item in inspect.getmembers(inspect.getmodule(function), inspect.isfunction) if f" {name}(" in text]
    return "session.answer(" in text or (deep > 0 and any(answers(item, deep - 1) for item in inner if item is not function))


@pytest.mark.parametrize("path", [path for path in ROWS if isinstance(CLI[path], Offered)])
def test_a_command_has_its_answer_of_its_service_or_says_what_it_has_besides(path: str) -> None:
    row = CLI[path]
    assert isinstance(row, Offered)
    assert answers(COMMANDS[path].callback.__wrapped__) != bool(row.beside)


def test_what_looks_only_is_no_service_that_writes() -> None:
    """A command that would write may be called to look; none that looks asks for less than its service would."""
    writes = {offer.name for offer in OFFERS if offer.writes}
    for path, row in CLI.items():
        if isinstance(row, Offered):
            assert {name for _, name in row.instead} & writes == set(), path
            assert {option for option, _ in row.instead} <= {"dry_run", "status"}, path


def test_what_writes_asks_for_more_than_to_look() -> None:
    """By another table and by hand: what has no dry run writes, but files of its caller."""
    files = {"snapshot save", "eval capture"}
    more = {"apply", "action rollback", "schedule add", "schedule remove", "schedule pause", "schedule resume", "schedule run-now"}
    writes = {offer.name for offer in OFFERS if offer.writes}
    for path in (set(NO_DRY_RUN) | more | {"token add", "token revoke"}) - files:
        row = CLI[path]
        assert isinstance(row, Machine) or (row.name in writes if isinstance(row, Offered) else row.right is not Right.READ), path
    assert {path for path, row in CLI.items() if isinstance(row, Offered) and row.name in writes} <= {*NO_DRY_RUN, *more, "ask", "route"}


def test_rows_without_a_service_say_why() -> None:
    assert all(row.why for row in CLI.values() if isinstance(row, Alone | Machine))


@pytest.mark.parametrize("role", HERE)
def test_what_whoami_lists_is_what_may_be_called_and_what_the_api_lists(
    day2: Day2, monkeypatch: pytest.MonkeyPatch, role: Role | None
) -> None:
    caller = given(monkeypatch, role)
    told = day2("whoami", "-o", "json").json
    listed = {row["command"].removeprefix("day2 "): set(row["services"]) for row in told["commands"]}
    assert told["roles"] == ([role.value] if role else [])
    assert set(told["rights"]) == {right.value for right in Right if role and right in RIGHTS[role]}
    api = {route.offer for route in ROUTES} & {offer.name for offer in translating.services().listed(caller)}
    for path, row in CLI.items():
        if isinstance(row, Offered) and path:
            assert listed.get(path, set()) == set(row.names) & api, path
        elif path:
            assert (path in listed) == (isinstance(row, Machine) or expected(path, "", caller)), path


@pytest.mark.parametrize("role", HERE)
def test_each_command_begins_or_is_refused_as_its_role_says(
    day2: Day2, monkeypatch: pytest.MonkeyPatch, role: Role | None, tmp_path: Path
) -> None:
    """Every example of every help screen. What is refused is run whole: it ends with 4 before it reads or writes anything."""
    caller = given(monkeypatch, role)
    for path in ASKING:
        for line in EXAMPLES[path]:
            if expected(path, line, caller):
                begun(line)
                continue
            said = day2(*words(line))
            assert (said.code, said.out) == (4, ""), (line, said)
            assert f"{account()} may not call " in said.err, line
            assert "mend:  ask for one of the roles " in said.err, line
    assert list(tmp_path.iterdir()) == []


def begun(line: str) -> None:
    """As far as every command goes before its own work. Raises NotAuthorised where it may not."""
    sessions.begin(lines.parsed(words(line)))


def test_the_check_is_seen_where_a_command_begins(day2: Day2, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, Role.VIEWER)
    with pytest.raises(NotAuthorised):
        begun('day2 stop --reason "x"')
    begun("day2 stop --status")


def test_without_a_word_and_without_a_role_nothing_of_the_record_is_shown(
    day2: Day2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAY2_STORE__DATA_DIR", str(tmp_path / "data"))
    assert day2("stop", "--reason", "a drill").code == 0
    assert "a drill" in day2().out
    given(monkeypatch, None)
    said = day2()
    assert said.code == 0
    assert "a drill" not in said.out
    assert "day2 demo" in said.out


def settings(**access: Any) -> Settings:
    return load({f"access.{name}": value for name, value in access.items()}, environment={}, files=()).settings


def roles(**access: Any) -> set[str]:
    return {role.value for role in local(settings(**access), "cli").roles}


def test_the_account_that_owns_the_data_folder_is_admin_until_somebody_says_otherwise() -> None:
    assert roles() == {"admin"}
    assert roles(viewer="oidc:ana@example.org") == {"admin"}, "lists of others lock nobody out of their own folder"
    assert roles(local="operator") == {"operator"}
    assert roles(local="none") == set()


def test_a_list_that_names_the_account_speaks_instead() -> None:
    assert roles(viewer=account()) == {"viewer"}
    assert roles(viewer=account().upper()) == {"viewer"}
    assert roles(approver=account(), operator=account()) == {"approver", "operator"}
    assert roles(viewer="*", local="none") == {"viewer"}
    assert roles(viewer="*") == {"viewer", "admin"}
