"""Which service each command is a translation of, and the one place where a command asks whether its caller may.

The check itself is the one of all doors (`runtime.services.offering`). Called by `sessions.begin`, before anything is read or written.
`CLI` is a table of data, so that help stays quick; what checks is imported where a command needs it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from core.domain.access import Right

if TYPE_CHECKING:
    from core.domain.access import Caller
    from runtime.services.offering import Listing
    from runtime.settings import Settings

DOOR = "cli"


class Offered(NamedTuple):
    """A translation of the service `name`; of another one where an option is given that makes the command look only.

    The service answers, unless `beside` says what the command has besides, for which it calls what is behind the service.
    """

    name: str
    instead: tuple[tuple[str, str], ...] = ()
    beside: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *(name for _, name in self.instead))

    def of(self, options: Mapping[str, Any]) -> str:
        return next((name for option, name in self.instead if options.get(option) not in (None, False, "", "none")), self.name)


class Alone(NamedTuple):
    """A service that no other door has, with the right it asks for, and why it is here alone."""

    right: Right
    why: str


class Machine(NamedTuple):
    """Of the machine itself: it reads or writes what lies in files of whoever types, or starts processes. No service, so no right."""

    why: str


Row = Offered | Alone | Machine

_FILES = Machine("works on files that its caller names")
_STARTS = Machine("starts processes of this account")
_SAYS = Machine("says what this program is, and reads nothing of anybody")
_GENERATES = Machine("prints what people install, from the program and its settings file")
_SETTINGS = Machine("the settings file is of whoever may write it")
_MEASURES = Machine("measures the program on worlds of its own")
_LOOKS = Alone(Right.READ, "a look that no other door has yet")
_REGISTRY = Alone(Right.MANAGE, "moves a process of the registry, which runs on this machine")

CLI: Mapping[str, Row] = {
    "": Offered("actions.list", beside="`day2` alone: one screen of what stands"),
    "demo": _STARTS,
    "init": _SETTINGS,
    "doctor": Machine("checks this machine, and names no object of anybody"),
    "scan": Offered("findings.scan", beside="files, labels, baselines, and following"),
    "explain": Offered("findings.scan", beside="a finding with all that belongs to it, also of files; a check's page"),
    "vulnerabilities": _LOOKS,
    "ask": Offered("questions.ask", beside="answered here and at once, by no controller"),
    "chat": Machine("a door of its own, where every word is a call of a service"),
    "route": Offered("questions.ask", beside="says only who would be asked"),
    "plan": Offered("plans.preview", beside="labels, and successors of images"),
    "apply": Offered("plans.submit", (("dry_run", "plans.preview"),), beside="saved plans, followed to their end"),
    "approve": Offered("actions.approve"),
    "deny": Offered("actions.deny"),
    "approvals": Offered("approvals.list"),
    "stop": Offered("writes.stop", (("status", "stops.list"),), beside="makes the ledger where there is none, and pauses approvers"),
    "resume": Offered("writes.resume"),
    "serve": _STARTS,
    "sim": _MEASURES,
    "schema": _SAYS,
    "version": _SAYS,
    "whoami": Machine("says what the caller may do, also to whom that is nothing"),
    "help": _SAYS,
    "mute add": Offered("findings.mute", beside="spans that are no whole hours"),
    "mute list": Offered("mutes.list", beside="those that ended"),
    "mute expire": Offered("mutes.expire"),
    "snapshot save": _LOOKS,
    "snapshot load": _FILES,
    "network policies": _LOOKS,
    "nodes list": _LOOKS,
    "nodes heal": Alone(Right.PROPOSE, "healings of nodes begin by themselves, or here"),
    "nodes episodes": _LOOKS,
    "action list": Offered("actions.list", beside="a span of time, and following"),
    "action get": Offered("actions.get"),
    "action diff": Offered("actions.get"),
    "action explain": Offered("actions.explain"),
    "action watch": Offered("actions.get", beside="following"),
    "action cancel": Offered("actions.cancel"),
    "action edit": Offered("actions.edit"),
    "action rollback": Offered("plans.submit", (("dry_run", "plans.preview"),), beside="the way back of one action, followed to its end"),
    "autonomy show": Offered("autonomy.list"),
    "policy list": Offered("policies.list"),
    "policy lint": _FILES,
    "policy test": _FILES,
    "policy explain": Offered("policies.get"),
    "policy eval": Offered("policies.try", beside="a file, by whose name its mistakes are told"),
    "policy diff": _FILES,
    "policy simulate": Offered("policies.simulate", beside="all verdicts of a time, and rules of its caller's folder"),
    "policy agreement": _LOOKS,
    "run list": Offered("runs.list", beside="a span of time, and following"),
    "run get": Offered("runs.get", beside="the record alone, also where its checkpoints are gone"),
    "schedule list": Offered("schedules.list"),
    "schedule get": Offered("schedules.get"),
    "schedule next": Offered("schedules.get"),
    "schedule run-now": Offered("schedules.run"),
    "schedule pause": Offered("schedules.pause"),
    "schedule resume": Offered("schedules.resume"),
    "schedule add": Offered("schedules.put", (("dry_run", "schedules.list"),)),
    "schedule remove": Offered("schedules.remove"),
    "report list": Offered("reports.list"),
    "report get": Offered("reports.get"),
    "report weekly": Offered("reports.weekly"),
    "chaos validate": _LOOKS,
    "chaos run": Alone(Right.PROPOSE, "an experiment is begun by a person who sits there and watches it"),
    "chaos list": _LOOKS,
    "chaos show": _LOOKS,
    "chaos stop": Alone(Right.STOP, "stops what was begun at this machine"),
    "agent list": Offered("agents.list"),
    "agent get": Offered("agents.list"),
    "agent card": Offered("agents.list"),
    "agent drain": _REGISTRY,
    "agent suspend": _REGISTRY,
    "agent resume": _REGISTRY,
    "agent serve": _STARTS,
    "alerts list": _LOOKS,
    "alerts rules": _GENERATES,
    "audit list": Offered("audit.list", beside="a span of time, and the whole chain"),
    "audit get": Offered("audit.get"),
    "audit verify": Offered("audit.verify"),
    "audit export": Offered("audit.list", beside="the whole chain"),
    "audit reconcile": Offered("audit.verify", beside="a log of the API server"),
    "mcp serve": Machine("a door of its own, where every tool is a service"),
    "mcp tools": Machine("asks the servers that the settings file names"),
    "rbac generate": _GENERATES,
    "rbac explain": _GENERATES,
    "rbac narrow": _LOOKS,
    "gate manifests": _GENERATES,
    "gate static": _GENERATES,
    "eval run": _MEASURES,
    "eval compare": _FILES,
    "eval gate": _FILES,
    "eval report": _FILES,
    "eval assess": Offered("runs.get", beside="the run judged anew"),
    "eval capture": Offered("runs.get", beside="the run judged anew, without names"),
    "config view": _SETTINGS,
    "config get": _SETTINGS,
    "config explain": _SETTINGS,
    "config set": _SETTINGS,
    "token add": Alone(Right.MANAGE, "a secret that is shown once is shown to nobody over a network"),
    "token list": Alone(Right.READ, "beside the commands that make and end tokens"),
    "token revoke": Alone(Right.MANAGE, "beside the command that makes tokens"),
    "incident list": Offered("incidents.list"),
    "incident get": Offered("incidents.get"),
}
"""Every command by its words. A test holds it against the commands that there are, and each row against what a role may."""

ELSEWHERE: Mapping[str, str] = {
    "alerts.receive": "machines hand alerts in",
    "approvals.batch": "the console's inbox: a terminal decides card by card, each with its own look",
    "cards.get": "a chat's card: day2 action get has the same in the form of a terminal",
    "costs.list": "the console and MCP draw it; a scan says what costs too much",
    "events.list": "a stream for programs: day2 run list -w and its like follow",
    "findings.list": "what the last runs found: a terminal scans anew",
    "gate.health": "the console draws it: day2 doctor and day2 audit verify look themselves",
    "gpus.list": "the console and MCP draw it",
    "latency.list": "the console and MCP draw it",
    "objectives.list": "people's own documents: day2 config explain policy.objectives says where",
    "runs.start": "runs are carried out by a controller: at a terminal day2 plan and day2 apply do it at once",
    "savings.list": "the console draws it",
    "topology.get": "the console and MCP draw it",
    "webhooks.add": "of the API's own machines",
    "webhooks.list": "of the API's own machines",
    "webhooks.remove": "of the API's own machines",
    "workloads.get": "the console and MCP draw it",
}
"""Services that no command translates, each with the reason."""


class Permitted(NamedTuple):
    """Who may, and the service that the command is a translation of here and now; empty where no door offers it."""

    caller: "Caller"
    service: str


def permit(command: str, options: Mapping[str, Any], settings: "Callable[[], Settings]") -> Permitted | None:
    """None for what is of the machine itself. Raises NotAuthorised where the caller may not.

    The cluster is asked who they are only where their account alone does not suffice. `settings` are read only where a right is asked for.
    """
    row = CLI[command]
    if isinstance(row, Machine):
        return None
    import asyncio

    from core.domain.errors import Day2Error, NotAuthorised
    from runtime.roles import identifying

    known, service = settings(), row.of(options) if isinstance(row, Offered) else ""
    try:
        return _checked(row, command, Permitted(identifying.local(known, DOOR), service))
    except NotAuthorised as refused:
        try:
            caller = asyncio.run(identifying.caller(known, DOOR))
        except Day2Error:
            raise refused from None
        return _checked(row, command, Permitted(caller, service))


def _checked(row: Offered | Alone, command: str, asked: Permitted) -> Permitted:
    from runtime.services import offering

    if isinstance(row, Alone):
        offering.check(asked.caller, row.right, f"day2 {command}")
    else:
        services().check(asked.caller, asked.service)
    return asked


def services() -> "Listing":
    """All services, without ports."""
    from runtime.services.offering import Listing
    from runtime.services.offers.table import OFFERS

    return Listing(OFFERS)


class Allowed(NamedTuple):
    """A command that the caller may call, with the services that it may be a translation of for them: none where it has none."""

    command: str
    services: tuple[str, ...]


def listed(caller: "Caller") -> list[Allowed]:
    """What this caller may call, by the listing that every door has."""
    open_to = {row.name for row in services().listed(caller)}
    found = []
    for command, row in CLI.items():
        if isinstance(row, Offered):
            names = tuple(name for name in row.names if name in open_to)
            found += [Allowed(command, names)] if names else []
        elif isinstance(row, Machine) or caller.may(row.right):
            found.append(Allowed(command, ()))
    return [row for row in found if row.command]
