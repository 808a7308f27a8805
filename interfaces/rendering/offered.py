"""The document of each service's answer: what API, MCP and console show of it. One row per service; a test holds the table whole."""

from collections.abc import Callable, Mapping
from typing import Any

from interfaces.rendering import approvals, records
from interfaces.rendering.envelopes import Json, envelope, plain
from runtime.services.offering import Ports
from runtime.services.offers.runs import Shown


def _approvals(found: Any, ports: Ports) -> Json:
    return approvals.listed(found, per_hour=ports.cards_per_hour)


def _decided(found: Any, _ports: Ports) -> Json:
    return approvals.decided(found)


def _runs(found: Any, _ports: Ports) -> Json:
    return records.run_list(found)


def _run(found: Shown, _ports: Ports) -> Json:
    return envelope("RunReport", run=records.run_item(found.run) if found.run else None, asked=plain(found.asked), answer=found.answer)


def _asked(found: Any, _ports: Ports) -> Json:
    return envelope(
        "Asked", id=found.request.id, stage=found.stage.value, text=found.request.text, act=found.request.act, at=found.changed_at
    )


def _stops(found: Any, _ports: Ports) -> Json:
    return records.stop_list(found)


def _agents(found: Any, _ports: Ports) -> Json:
    return records.agent_list(found.members, source=found.source)


DOCUMENTS: Mapping[str, Callable[[Any, Ports], Json]] = {
    "approvals.list": _approvals,
    "actions.approve": _decided,
    "actions.deny": _decided,
    "runs.list": _runs,
    "runs.get": _run,
    "questions.ask": _asked,
    "runs.start": _asked,
    "stops.list": _stops,
    "writes.stop": _stops,
    "writes.resume": _stops,
    "agents.list": _agents,
}
