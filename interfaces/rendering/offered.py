"""The document of each service's answer: what API, MCP and console show of it. One row per service; a test holds the table whole."""

from collections.abc import Callable, Mapping
from typing import Any

from interfaces.rendering import actions, approvals, findings, incidents, mutes, plans, records, rules, scheduled, trust, webhooks
from interfaces.rendering.envelopes import Json, envelope, plain
from runtime.services.offering import Ports
from runtime.services.offers.actions import Explained
from runtime.services.offers.cluster import Gpus, Outlook, Topology
from runtime.services.offers.events import Page
from runtime.services.offers.findings import Held, Looked
from runtime.services.offers.plans import Saved, Submitted
from runtime.services.offers.policies import Autonomy, InForce, Wishes
from runtime.services.offers.runs import Shown
from runtime.services.offers.schedules import Shown as ShownSchedule
from runtime.services.running import Run
from runtime.services.surveying import Costs, Distances


def _approvals(found: Any, ports: Ports) -> Json:
    return approvals.listed(found, per_hour=ports.cards_per_hour)


def _decided(found: Any, _ports: Ports) -> Json:
    return approvals.decided(found)


def _runs(found: Any, _ports: Ports) -> Json:
    return records.run_list(found)


def _run(found: Shown, _ports: Ports) -> Json:
    return envelope("RunReport", run=_whole(found.run) if found.run else None, asked=plain(found.asked), answer=found.answer)


def _whole(run: Run) -> Json:
    document = records.run_document(run)
    return {name: value for name, value in document.items() if name not in ("apiVersion", "kind", "metadata")}


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


def _plan(found: Any, _ports: Ports) -> Json:
    return plans.document(found)


def _submitted(found: Submitted, _ports: Ports) -> Json:
    return actions.listed(found.rows) | {"held": plans.document(found.plan)["held"]}


def _savings(found: list[Saved], _ports: Ports) -> Json:
    return envelope("SavingList", items=[actions.item(row.row) | {"stage": row.stage, "saving": plain(row.saving)} for row in found])


def _topology(found: Topology, _ports: Ports) -> Json:
    return envelope("Topology", items=found.nodes, metadata={"cluster": found.cluster}, unread=found.unread)


def _gpus(found: Gpus, _ports: Ports) -> Json:
    return envelope("GpuList", items=found.nodes, waiting=found.waiting, unmeasured=found.unmeasured)


def _costs(found: Costs, _ports: Ports) -> Json:
    why = "" if found.source else "no PriceList among the documents of policy.objectives"
    metadata = {
        "source": found.source,
        "unpriced": found.unpriced,
        "nodes_monthly_micro_usd": found.nodes_monthly_micro_usd,
        "unknown": why,
    }
    return envelope("CostList", items=found.rows, metadata=metadata)


def _latency(found: Distances, _ports: Ports) -> Json:
    return envelope("LatencyList", items=found.nodes, zones=found.zones, unknown=found.why)


def _workload(found: Outlook, _ports: Ports) -> Json:
    item = found.workload.item
    containers = [
        {"name": one.name, "image": one.image, "requests": dict(one.resources.requests), "limits": dict(one.resources.limits)}
        for one in item.spec.template.spec.containers
    ]
    place = {"kind": found.workload.kind, "namespace": item.metadata.namespace, "name": item.metadata.name, "uid": item.metadata.uid}
    return envelope(
        "WorkloadOutlook",
        workload=place,
        replicas=found.workload.replicas,
        pods=[pod.metadata.name for pod in found.workload.pods],
        containers=containers,
        used=found.used,
        low=found.low,
        high=found.high,
        memory_bytes=found.memory_bytes,
        memory_peak_bytes=found.memory_peak_bytes,
        unknown=found.unknown,
    )


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


def _card(found: Any, _ports: Ports) -> Json:
    return actions.carded(found)


def _edited(found: Any, _ports: Ports) -> Json:
    return envelope("Edited", id=found)


def _events(found: Page, _ports: Ports) -> Json:
    return envelope("EventList", metadata={"next": found.next}) | {"items": [event.cloud("day2ops") for event in found.events]}


def _taken(found: Any, _ports: Ports) -> Json:
    return incidents.taken(found)


def _incidents(found: Any, _ports: Ports) -> Json:
    return incidents.listed(found)


def _incident(found: Any, _ports: Ports) -> Json:
    return incidents.document(found)


def _webhooks(found: Any, _ports: Ports) -> Json:
    return webhooks.listed(found)


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
    "plans.preview": _plan,
    "plans.submit": _submitted,
    "savings.list": _savings,
    "topology.get": _topology,
    "gpus.list": _gpus,
    "costs.list": _costs,
    "latency.list": _latency,
    "workloads.get": _workload,
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
    "cards.get": _card,
    "actions.edit": _edited,
    "events.list": _events,
    "alerts.receive": _taken,
    "incidents.list": _incidents,
    "incidents.get": _incident,
    "webhooks.list": _webhooks,
    "webhooks.add": _webhooks,
    "webhooks.remove": _webhooks,
}
