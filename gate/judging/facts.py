"""The judge's own facts. Of a proposal only the action's kind, target and arguments come in; its evidence says where to look again.

Each section is a dict of fields of `Facts`, made by a module of its own; a source that does not answer leaves its fields at None, and the
rules that need them deny. Only what nothing can be judged without (the object itself, the ledger) is raised.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from core.actions import states
from core.actions.catalogue import parse_proposal
from core.cluster.kinds import KINDS
from core.domain.action import Action, Live
from core.domain.api_request import ApiRequest
from core.domain.errors import Conflict, NotAuthorised, Refused
from core.domain.facts import ChangeFact, Facts
from core.domain.ledger import ActionRow
from core.domain.target import Target
from core.domain.values import Json, at_path, bounded, canonical, digest
from gate import stopping, workloads
from gate.approvals import Count
from gate.judging import amounts, evidence, history, revisions, scaling, surroundings, trials, usage
from gate.judging.minting import Reading
from gate.judging.sources import Bench

Fields = dict[str, Any]
SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease", "day2-system", "day2-agents"})
MARKS = "day2.dev/"
_GITOPS_KEYS = (
    "argocd.argoproj.io/instance",
    "argocd.argoproj.io/tracking-id",
    "kustomize.toolkit.fluxcd.io/name",
    "helm.toolkit.fluxcd.io/name",
)
_GITOPS_MANAGERS = ("argocd-controller", "argocd-application-controller", "kustomize-controller", "helm-controller")
_MOST_CHANGES = 500
_LARGEST_CHANGE = 512


async def gather(bench: Bench, row: ActionRow, action: Action, counted: Count) -> Reading:
    """Raises Unavailable while the target cannot be read."""
    cluster = await bench.reader.cluster_uid()
    target = await _read(bench, action.target)
    namespace = await _namespace(bench, action.target, target)
    common: Fields = {
        "read_at": bench.clock.now(),
        "cluster": cluster,
        "namespace": action.target.namespace,
        "name": action.target.name,
        "kind": action.target.kind,
        "stop": _stop(bench, row, namespace),
        "approvals": counted.approved_by,
        "requested_by": row.submitted_by,
        "capability_granted": any(grant.allows(row.agent, row.kind, _scope(action.target)) for grant in bench.grants),
        "autonomy": history.autonomy(bench, row, _scope(action.target), cluster),
        "min_replicas_floor": max((item.min_replicas for item in bench.objectives.of(_scope(action.target))), default=0),
        "evidence_elsewhere": _elsewhere(row, _scope(action.target)),
        "evidence_age_seconds": await evidence.oldest_seconds(bench, row),
        **await trials.facts(bench, row, namespace if action.target.namespace else target or {}),
    }
    if target is None:
        return Reading(Facts(exists=False, **common), None, None, None)
    related = {item.name: found for item in action.related() if (found := await _read(bench, item)) is not None}
    live = Live(target, related)
    request, after, said = await _preview(bench, row, action, live)
    preview, made = after, request is not None and request.makes
    changes = _changes({} if made else target, preview)
    after = target if made else preview  # what the target becomes
    workload = await workloads.scaled_by(bench.reader, target)
    used = await usage.used(bench, target, after, workload)
    before, then = scaling.effect(target, after, workload, used.get("cpu_milli_demand"))
    sections = await asyncio.gather(
        _rights(bench, row, action), surroundings.around(bench, action, namespace, before, then), revisions.earlier(bench, action, live)
    )
    fields: Fields = common | _target(action, target, namespace, workload) | history.past(bench, row, changes) | used
    fields |= amounts.sizes(action, live, before, then) | amounts.levels(target, after)
    for section in sections:
        fields |= section
    dry_run = {"dry_run_ok": preview is not None, "dry_run_message": said, "changes": changes}
    return Reading(Facts(**fields | dry_run), live, request, preview)


async def _read(bench: Bench, target: Target) -> Json | None:
    return await bench.reader.get(KINDS[target.kind], target.namespace, target.name)


async def _namespace(bench: Bench, target: Target, live: Json | None) -> Json:
    if target.kind == "Namespace":
        return live or {}
    return (await bench.reader.get(KINDS["Namespace"], "", target.namespace) or {}) if target.namespace else {}


def _scope(target: Target) -> str:
    """The namespace that objectives and grants speak of; a namespace lies in itself."""
    return target.name if target.kind == "Namespace" else target.namespace


def _elsewhere(row: ActionRow, scope: str) -> tuple[str, ...]:
    """A node or another object of the whole cluster lies in no namespace, and may rest on what was seen in any."""
    seen = {_scope(item.subject) for item in parse_proposal(row.proposal).evidence} if scope else set()
    return tuple(bounded(name, 80) for name in sorted(seen - {scope, ""}))[:10]


def _target(action: Action, live: Json, namespace: Json, workload: Json) -> Fields:
    metadata = live.get("metadata") or {}
    scope = _scope(action.target)
    owner: Json = next((item for item in metadata.get("ownerReferences") or () if item.get("controller")), {})
    return {
        "exists": True,
        "uid": str(metadata.get("uid") or ""),
        "uid_matches": metadata.get("uid") == action.target.uid,
        "generation": int(metadata.get("generation") or 0),
        "resource_version": str(metadata.get("resourceVersion") or ""),
        "deleting": bool(metadata.get("deletionTimestamp")),
        "labels": {bounded(str(key), 80): bounded(str(value), 80) for key, value in list(workloads.labels(live).items())[:50]},
        "protected": scope in SYSTEM or _marked("protected", live, namespace, workload),
        "opted_out": _marked("opt-out", live, namespace, workload),
        "gitops_owner": _gitops(live),
        "owner_kind": bounded(str(owner.get("kind") or ""), 60),
        "privileged": any(at_path(item, "securityContext.privileged") for item in workloads.containers(live)),
        "rollout_in_progress": workloads.rolling(live),
        "rollout_stuck": workloads.stuck(live),
    }


def _marked(mark: str, *objects: Json) -> bool:
    """A label or annotation `day2.dev/<mark>` that does not say false."""
    found = [at_path(item, f"metadata.{place}") or {} for item in objects for place in ("labels", "annotations")]
    return any(str(values.get(MARKS + mark, "false")).lower() != "false" for values in found if isinstance(values, Mapping))


def _gitops(live: Json) -> str:
    marks = {**(at_path(live, "metadata.annotations") or {}), **workloads.labels(live)}
    named = next((str(marks[key]) for key in _GITOPS_KEYS if marks.get(key)), "")
    managers = {str(entry.get("manager")) for entry in at_path(live, "metadata.managedFields") or ()}
    return bounded(named or next((name for name in _GITOPS_MANAGERS if name in managers), ""), 120)


def _stop(bench: Bench, row: ActionRow, namespace: Json) -> str:
    annotated = (at_path(namespace, "metadata.annotations") or {}).get(MARKS + "stop")
    stopped = stopping.reason_to_stop(bench.ledger, agent=row.agent, namespace=row.namespace)
    return bounded(stopped or (f"the namespace says {MARKS}stop" if annotated else ""), 200)


async def _preview(bench: Bench, row: ActionRow, action: Action, live: Live) -> tuple[ApiRequest | None, Json | None, str]:
    """The dry run as the agent's preview principal. What refuses it is a fact; what only fails for now is raised."""
    try:
        request = action.request(live)
        answer = await bench.previewer.preview(request, agent=row.agent)
        return request, live.object if request.removes else answer, ""
    except (Conflict, Refused, NotAuthorised) as error:
        return None, None, bounded(str(error), 300)


def _changes(before: Json, after: Json | None) -> tuple[ChangeFact, ...]:
    if after is None:
        return ()
    leaves = states.delta(states.desired(before), states.desired(after))
    kept = tuple(ChangeFact(path=bounded(leaf.path, 200), old=_kept(leaf.old), new=_kept(leaf.new)) for leaf in leaves[:_MOST_CHANGES])
    if left := len(leaves) - len(kept):  # a path that no rule lets pass: nothing hides behind a crowd
        kept += (ChangeFact(path=f"({left} more)", old=None, new=None),)
    return kept


def _kept(value: Any) -> Any:
    """A value small enough to keep in a verdict; of a larger one, its digest."""
    return value if len(canonical(value)) <= _LARGEST_CHANGE else {"digest": digest(value)}


async def _rights(bench: Bench, row: ActionRow, action: Action) -> Fields:
    """The writes that this action needs on this target, asked of the API server for the agent's own principal."""
    kind = KINDS[action.target.kind]
    writes = [right for right in action.rights if right.verb != "get"]
    needed = [right for right in writes if (right.group, right.resource) == (kind.group, kind.resource)] or writes
    user = f"day2:agent:{row.agent}"
    try:
        answers = [
            await bench.reader.allowed(user, right.verb, right.group, right.resource, right.subresource, action.target.namespace)
            for right in needed
        ]
    except NotAuthorised as error:
        return {"rights_ok": False, "rights_missing": (f"not known: {bounded(str(error), 120)}",)}
    missing = tuple(str(right) for right, allowed in zip(needed, answers, strict=True) if not allowed)
    return {"rights_ok": bool(needed) and not missing, "rights_missing": missing}
