"""The document of each service's answer: what API, MCP and console show of it. One row per service; a test holds the table whole."""

from collections.abc import Callable, Mapping
from typing import Any

from interfaces.rendering import actions, approvals, findings, incidents, mutes, plans, records, rules, scheduled, trust, webhooks
from interfaces.rendering.envelopes import Json, envelope, plain
from runtime.services.batching import Batched
from runtime.services.gauging import Health
from runtime.services.offering import Ports
from runtime.services.offers.actions import Explained
from runtime.services.offers.cluster import Gpus, Outlook, Topology
from runtime.services.offers.events import Page
from runtime.services.offers.findings import Held, Looked
from runtime.services.offers.plans import Saved, Submitted
from runtime.services.offers.policies import Autonomy, InForce, Replayed, Wishes
from runtime.services.offers.runs import Shown
from runtime.services.offers.schedules import Shown as ShownSchedule
from runtime.services.running import Run
from runtime.services.surveying import Costs, Distances


def _of(document: Callable[[Any], Json]) -> Callable[[Any, Ports], Json]:
    """A row whose document needs nothing but the answer."""
    return lambda found, _ports: document(found)


def _approvals(found: Any, ports: Ports) -> Json:
    return approvals.listed(found, per_hour=ports.cards_per_hour)


def _run(found: Shown, _ports: Ports) -> Json:
    return envelope("RunReport", run=_whole(found.run) if found.run else None, asked=plain(found.asked), answer=found.answer)


def _whole(run: Run) -> Json:
    document = records.run_document(run)
    return {name: value for name, value in document.items() if name not in ("apiVersion", "kind", "metadata")}


def _asked(found: Any, _ports: Ports) -> Json:
    return envelope(
        "Asked", id=found.request.id, stage=found.stage.value, text=found.request.text, act=found.request.act, at=found.changed_at
    )


def _agents(found: Any, _ports: Ports) -> Json:
    return records.agent_list(found.members, source=found.source)


def _looked(found: Looked, ports: Ports) -> Json:
    return ports.kept.document(found, lambda: _seen(found))


def _seen(found: Looked) -> Json:
    document = findings.document(found.scan, found.where, show_muted=True)
    document["metadata"]["runs"] = found.runs
    return document


def _mutes(found: Held, _ports: Ports) -> Json:
    return mutes.listed(found.mutes, found.at)


def _explained(found: Explained, _ports: Ports) -> Json:
    return actions.explanation(found.recorded, found.explanation)


def _batched(found: Batched, _ports: Ports) -> Json:
    items = [approvals.decided(one) for one in found.decided]
    return envelope("BatchDecision", items=items, left=[{"action": one.action, "why": one.why} for one in found.left])


def _health(found: Health, _ports: Ports) -> Json:
    guard, rules_, canaries, care = found.guard, found.rules, found.canaries, found.care
    return envelope(
        "GateHealth",
        guard={"state": guard.state, "at": guard.at, "found": guard.found},
        rules={"digest": rules_.digest, "at": rules_.at, "refused": rules_.refused} if rules_ else None,
        audit={"records": found.records, "anchoredAt": found.anchored_at},
        canaries={"seenThrough": canaries.seen_through, "approved": canaries.approved, "approvedAt": canaries.approved_at},
        care=care._asdict() | {"waits": [{"wait": name, "decisions": number} for name, number in care.waits]},
    )


def _replayed(found: Replayed, _ports: Ports) -> Json:
    changed = [{"change": row.change, "rule": row.rule.name, "fields": list(row.fields)} for row in found.changes]
    return rules.simulation_document(found.found, found.since) | {"rules": changed}


def _rules(found: InForce, _ports: Ports) -> Json:
    return rules.listed(found.rules, "", found.running)


def _wishes(found: Wishes, _ports: Ports) -> Json:
    return envelope("ObjectiveList", items=found.objectives.items, grants=found.grants)


def _autonomy(found: Autonomy, _ports: Ports) -> Json:
    return trust.listed(found.rows, cluster=found.cluster)


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


def _schedule_shown(found: ShownSchedule, _ports: Ports) -> Json:
    return scheduled.document(found.standing, found.ticks)


def _edited(found: Any, _ports: Ports) -> Json:
    return envelope("Edited", id=found)


def _events(found: Page, _ports: Ports) -> Json:
    return envelope("EventList", metadata={"next": found.next}) | {"items": [event.cloud("day2ops") for event in found.events]}


DOCUMENTS: Mapping[str, Callable[[Any, Ports], Json]] = {
    "approvals.list": _approvals,
    "actions.approve": _of(approvals.decided),
    "actions.deny": _of(approvals.decided),
    "runs.list": _of(records.run_list),
    "runs.get": _run,
    "questions.ask": _asked,
    "runs.start": _asked,
    "stops.list": _of(records.stop_list),
    "writes.stop": _of(records.stop_list),
    "writes.resume": _of(records.stop_list),
    "agents.list": _agents,
    "actions.list": _of(actions.listed),
    "actions.get": _of(actions.document),
    "actions.explain": _explained,
    "actions.cancel": _of(actions.document),
    "findings.list": _looked,
    "findings.scan": _looked,
    "mutes.list": _mutes,
    "findings.mute": _mutes,
    "mutes.expire": _mutes,
    "audit.list": _of(records.audit_list),
    "audit.get": _of(records.audit_document),
    "audit.verify": _of(records.audit_report),
    "policies.list": _rules,
    "policies.get": _of(rules.rule_document),
    "policies.try": _of(rules.evaluated_document),
    "objectives.list": _wishes,
    "autonomy.list": _autonomy,
    "plans.preview": _of(plans.document),
    "plans.submit": _submitted,
    "savings.list": _savings,
    "topology.get": _topology,
    "gpus.list": _gpus,
    "costs.list": _costs,
    "latency.list": _latency,
    "workloads.get": _workload,
    "schedules.list": _of(scheduled.listed),
    "schedules.get": _schedule_shown,
    "schedules.run": _of(scheduled.tick_document),
    "schedules.pause": _of(scheduled.document),
    "schedules.resume": _of(scheduled.document),
    "schedules.put": _of(scheduled.document),
    "schedules.remove": _of(scheduled.listed),
    "reports.list": _of(scheduled.report_list),
    "reports.get": _of(scheduled.report_document),
    "reports.weekly": _of(scheduled.digest),
    "cards.get": _of(actions.carded),
    "actions.edit": _edited,
    "approvals.batch": _batched,
    "gate.health": _health,
    "policies.simulate": _replayed,
    "events.list": _events,
    "alerts.receive": _of(incidents.taken),
    "incidents.list": _of(incidents.listed),
    "incidents.get": _of(incidents.document),
    "webhooks.list": _of(webhooks.listed),
    "webhooks.add": _of(webhooks.listed),
    "webhooks.remove": _of(webhooks.listed),
}
