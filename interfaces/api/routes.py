"""Which service has which path: the whole API on one screen. A test holds it against the table of services."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from interfaces.rendering.envelopes import Json

BASE = "/api/v1"
Place = Callable[[Json], tuple[Any, ...]]
"""Where an item of a list stands among the others. A cursor holds it, so that what is added or goes meanwhile moves nothing."""


@dataclass(frozen=True)
class Route:
    """`kind` is the document that answers. A list has its `place`; `descending` where the service gives the largest first. Under
    `named_by_key` the idempotency key also names what is made, so that not even a crash between both makes it twice.
    What comes `at_once` has all that the service takes in its body, which is read straight into that form: a tenth of what FastAPI asks."""

    offer: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    kind: str
    status: int = 200
    place: Place | None = None
    descending: bool = False
    named_by_key: bool = False
    unmetered: bool = False
    at_once: bool = False

    @property
    def tag(self) -> str:
        return self.path.split("/")[1]


def by(*names: str) -> Place:
    return lambda item: tuple(item[name] for name in names)


def _urgency(item: Json) -> tuple[Any, ...]:
    return (-("low", "medium", "high").index(item["risk"]), item["expiresAt"], item["id"])


def _gravity(item: Json) -> tuple[Any, ...]:
    return (("critical", "high", "medium", "low", "info").index(item["severity"]), item["id"])


ROUTES = (
    Route(
        "alerts.receive", "POST", "/alerts/alertmanager", "AlertsTaken", status=202, unmetered=True, at_once=True
    ),  # first: it comes most
    Route("approvals.list", "GET", "/approvals", "ApprovalList", place=_urgency),
    Route("actions.approve", "POST", "/actions/{action}/approve", "Approval"),
    Route("actions.deny", "POST", "/actions/{action}/deny", "Approval"),
    Route("runs.list", "GET", "/runs", "RunList", place=by("startedAt", "id"), descending=True),
    Route("runs.start", "POST", "/runs", "Asked", status=202, named_by_key=True),
    Route("runs.get", "GET", "/runs/{run}", "RunReport"),
    Route("questions.ask", "POST", "/questions", "Asked", status=202, named_by_key=True),
    Route("stops.list", "GET", "/stops", "StopList", place=by("scope")),
    Route("writes.stop", "POST", "/stops", "StopList"),
    Route("writes.resume", "POST", "/stops/resume", "StopList"),
    Route("agents.list", "GET", "/agents", "AgentList", place=by("name")),
    Route("actions.list", "GET", "/actions", "ActionList", place=by("submittedAt", "id"), descending=True),
    Route("actions.get", "GET", "/actions/{action}", "Action"),
    Route("actions.explain", "GET", "/actions/{action}/explanation", "Explanation"),
    Route("actions.cancel", "POST", "/actions/{action}/cancel", "Action"),
    Route("findings.list", "GET", "/findings", "FindingList", place=_gravity),
    Route("findings.scan", "POST", "/findings/scan", "FindingList"),
    Route("mutes.list", "GET", "/mutes", "MuteList", place=by("at", "id"), descending=True),
    Route("findings.mute", "POST", "/mutes", "MuteList"),
    Route("mutes.expire", "POST", "/mutes/{mute}/expire", "MuteList"),
    Route("audit.list", "GET", "/audit", "AuditList", place=by("place")),
    Route("audit.verify", "GET", "/audit/verification", "AuditReport"),
    Route("audit.get", "GET", "/audit/records/{record:path}", "AuditRecord"),
    Route("policies.list", "GET", "/policies", "RuleList", place=by("rule")),
    Route("policies.get", "GET", "/policies/{rule}", "Rule"),
    Route("policies.try", "POST", "/policies/try", "Evaluation"),
    Route("objectives.list", "GET", "/objectives", "ObjectiveList"),
    Route("autonomy.list", "GET", "/autonomy", "AutonomyList"),
    Route("plans.preview", "POST", "/plans/preview", "Plan"),
    Route("plans.submit", "POST", "/plans", "ActionList"),
    Route("savings.list", "GET", "/savings", "SavingList", place=by("submittedAt", "id"), descending=True),
    Route("topology.get", "GET", "/topology", "Topology"),
    Route("gpus.list", "GET", "/gpus", "GpuList"),
    Route("costs.list", "GET", "/costs", "CostList"),
    Route("latency.list", "GET", "/latency", "LatencyList"),
    Route("workloads.get", "GET", "/workloads/{namespace}/{name}", "WorkloadOutlook"),
    Route("incidents.list", "GET", "/incidents", "IncidentList", place=by("openedAt", "id"), descending=True),
    Route("incidents.get", "GET", "/incidents/{incident}", "Incident"),
    Route("webhooks.list", "GET", "/webhooks", "WebhookList", place=by("name")),
    Route("webhooks.add", "POST", "/webhooks", "WebhookList"),
    Route("webhooks.remove", "DELETE", "/webhooks/{name}", "WebhookList"),
    Route("approvals.batch", "POST", "/approvals/batch", "BatchDecision"),
    Route("gate.health", "GET", "/gate", "GateHealth"),
    Route("policies.simulate", "POST", "/policies/simulate", "Simulation"),
    Route("actions.edit", "POST", "/actions/{action}/edit", "Edited"),
    Route("cards.get", "GET", "/actions/{action}/card", "ActionCard"),
    Route("schedules.list", "GET", "/schedules", "ScheduleList", place=by("name")),
    Route("schedules.put", "POST", "/schedules", "ScheduleStatus"),
    Route("schedules.get", "GET", "/schedules/{schedule}", "ScheduleStatus"),
    Route("schedules.remove", "DELETE", "/schedules/{schedule}", "ScheduleList"),
    Route("schedules.run", "POST", "/schedules/{schedule}/run", "Tick", status=202),
    Route("schedules.pause", "POST", "/schedules/{schedule}/pause", "ScheduleStatus"),
    Route("schedules.resume", "POST", "/schedules/{schedule}/resume", "ScheduleStatus"),
    Route("reports.list", "GET", "/reports", "ReportList", place=by("tick", "run"), descending=True),
    Route("reports.weekly", "GET", "/reports/weekly", "WeeklyDigest"),
    Route("reports.get", "GET", "/reports/{run}", "Report"),
    Route("events.list", "GET", "/events/recent", "EventList"),
)
STREAM = "/events"
"""The same events as `events.list`, as they happen."""
