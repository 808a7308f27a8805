"""The document of each service's answer: what API, MCP and console show of it. One row per service; a test holds the table whole."""

from collections.abc import Callable, Mapping
from typing import Any

from interfaces.rendering import actions, approvals, findings, mutes, records, rules, scheduled, trust
from interfaces.rendering.envelopes import Json, envelope, plain
from runtime.services.offering import Ports
from runtime.services.offers.actions import Explained
from runtime.services.offers.findings import Held, Looked
from runtime.services.offers.policies import Autonomy, InForce, Wishes
from runtime.services.offers.runs import Shown
from runtime.services.offers.schedules import Shown as ShownSchedule


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


def _looked(found: Looked, _ports: Ports) -> Json:
    document = findings.document(found.scan, found.where, show_muted=True)
    document["metadata"]["runs"] = found.runs
    return document


def _mutes(found: Held, _ports: Ports) -> Json:
    return mutes.listed(found.mutes, found.at)


def _actions(found: Any, _ports: Ports) -> Json:
    return actions.listed(found)


def _action(found: Any, _ports: Ports) -> Json:
    return actions.document(found)


def _explained(found: Explained, _ports: Ports) -> Json:
    return actions.explanation(found.recorded, found.explanation)


def _records(found: Any, _ports: Ports) -> Json:
    return records.audit_list(found)


def _record(found: Any, _ports: Ports) -> Json:
    return records.audit_document(found)


def _verified(found: Any, _ports: Ports) -> Json:
    return records.audit_report(found)


def _rules(found: InForce, _ports: Ports) -> Json:
    return rules.listed(found.rules, "", found.running)


def _rule(found: Any, _ports: Ports) -> Json:
    return rules.rule_document(found)


def _tried(found: Any, _ports: Ports) -> Json:
    return rules.evaluated_document(found)


def _wishes(found: Wishes, _ports: Ports) -> Json:
    return envelope("ObjectiveList", items=found.objectives.items, grants=found.grants)


def _autonomy(found: Autonomy, _ports: Ports) -> Json:
    return trust.listed(found.rows, cluster=found.cluster)


def _schedules(found: Any, _ports: Ports) -> Json:
    return scheduled.listed(found)


def _schedule(found: Any, _ports: Ports) -> Json:
    return scheduled.document(found)


def _schedule_shown(found: ShownSchedule, _ports: Ports) -> Json:
    return scheduled.document(found.standing, found.ticks)


def _tick(found: Any, _ports: Ports) -> Json:
    return scheduled.tick_document(found)


def _reports(found: Any, _ports: Ports) -> Json:
    return scheduled.report_list(found)


def _report(found: Any, _ports: Ports) -> Json:
    return scheduled.report_document(found)


def _digest(found: Any, _ports: Ports) -> Json:
    return scheduled.digest(found)


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
    "actions.list": _actions,
    "actions.get": _action,
    "actions.explain": _explained,
    "actions.cancel": _action,
    "findings.list": _looked,
    "findings.scan": _looked,
    "mutes.list": _mutes,
    "findings.mute": _mutes,
    "mutes.expire": _mutes,
    "audit.list": _records,
    "audit.get": _record,
    "audit.verify": _verified,
    "policies.list": _rules,
    "policies.get": _rule,
    "policies.try": _tried,
    "objectives.list": _wishes,
    "autonomy.list": _autonomy,
    "schedules.list": _schedules,
    "schedules.get": _schedule_shown,
    "schedules.run": _tick,
    "schedules.pause": _schedule,
    "schedules.resume": _schedule,
    "schedules.put": _schedule,
    "schedules.remove": _schedules,
    "reports.list": _reports,
    "reports.get": _report,
    "reports.weekly": _digest,
}
