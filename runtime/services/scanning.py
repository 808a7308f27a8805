"""Look, with the deterministic detectors only: findings and what was not run. Behind `day2 scan`; nothing is proposed to anybody."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from agents.consulting import Consultation
from core.cluster.looking import ClusterReader
from core.cluster.manifests import Manifests, Place
from core.cluster.objects import STRUCTS, LabelSelector
from core.cluster.selecting import matches
from core.cluster.snapshot import Snapshot
from core.domain.errors import InvalidInput
from core.domain.finding import Coverage, Finding, NotRun, Severity
from core.domain.proposal import Proposal
from core.domain.request import Request
from core.domain.target import Target
from core.domain.values import bounded
from core.policy.mutes import Mute, Muted
from runtime.consulting import InProcess


class Gone(NamedTuple):
    """A finding of the baseline that is there no more, as the baseline tells of it."""

    id: str
    code: str
    severity: str
    object: str
    title: str


class Baseline(NamedTuple):
    """An earlier look: which cluster, and what was found."""

    cluster: str
    items: tuple[Gone, ...]
    namespace_of: Mapping[str, str]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(item.id for item in self.items)


class Scan(NamedTuple):
    """Findings worst first; `proposals` in the order of their agents; `known` counts findings that the baseline already had.

    `places` tells by finding id where the subject is written down, for what was read from files. `muted` are there and not shown; `ended`
    are mutes that cover nothing any more. `gone` is what the baseline had; `seen` are the ids of all that was found, shown or not.
    """

    findings: tuple[Finding, ...]
    proposals: tuple[Proposal, ...]
    coverage: Coverage
    known: int = 0
    places: Mapping[str, Place] = {}
    muted: tuple[Muted, ...] = ()
    ended: tuple[Mute, ...] = ()
    gone: tuple[Gone, ...] = ()
    seen: frozenset[str] = frozenset()

    def worst(self) -> Severity | None:
        return min((finding.severity for finding in self.findings), key=list(Severity).index, default=None)

    def at_least(self, severity: Severity) -> bool:
        return any(finding.severity.at_least(severity) for finding in self.findings)


WEIGHTS = {Severity.CRITICAL: 20, Severity.HIGH: 8, Severity.MEDIUM: 3, Severity.LOW: 1, Severity.INFO: 0}


def score(findings: Sequence[Finding]) -> int:
    """0 to 100: 100 less 20, 8, 3 and 1 for each critical, high, medium and low cause. What follows from one of them counts with it."""
    known = {finding.id for finding in findings}
    return max(0, 100 - sum(WEIGHTS[finding.severity] for finding in findings if finding.symptom_of not in known))


def chosen(names: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The agents to ask; all where none is named. Raises InvalidInput."""
    for name in names:
        if name not in known:
            raise InvalidInput(f"no agent {name[:40]!r}", mend=f"one of: {', '.join(known)}")
    return tuple(dict.fromkeys(names)) or tuple(known)


def severity(text: str) -> Severity:
    """Raises InvalidInput."""
    try:
        return Severity(text)
    except ValueError:
        raise InvalidInput(f"{text[:40]!r} is no severity", mend=f"one of: {', '.join(Severity)}") from None


async def scan(consulting: InProcess, request: Request, agents: Sequence[str]) -> Scan:
    """All agents at once. An agent that fails as a whole raises: a scan that saw nothing must not look clean."""
    found = await asyncio.gather(*(consulting.consultation(name, request) for name in agents), return_exceptions=True)
    answers = [_answered(answer) for answer in found]  # after all have ended: none may use a connection that is being closed
    findings = under_causes(sorted((finding for answer in answers for finding in answer.findings), key=_worst_first))
    coverage = Coverage(
        run=tuple(sorted(check for answer in answers for check in answer.coverage.run)),
        not_run=tuple(row for answer in answers for row in answer.coverage.not_run),
    )
    proposals = tuple(proposal for answer in answers for proposal in answer.proposals)
    return Scan(findings, proposals, coverage, seen=frozenset(finding.id for finding in findings))


def under_causes(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """In the same order, each symptom moved to stand right after its cause; one whose cause is not among them stays where it is."""
    known = {finding.id for finding in findings}
    symptoms: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.symptom_of in known:
            symptoms.setdefault(finding.symptom_of, []).append(finding)
    alone = (finding for finding in findings if finding.symptom_of not in known)
    return tuple(each for finding in alone for each in (finding, *symptoms.get(finding.id, ())))


def _answered(answer: Consultation | BaseException) -> Consultation:
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def selected(result: Scan, reader: ClusterReader, selector: LabelSelector, namespaces: Sequence[str]) -> Scan:
    """Only what was found on objects with such labels, and the proposals that mend it. What was checked stays what it was.

    The labels of an object are its own, over those of the pods it makes; of an autoscaler also those of the workload it scales.
    """
    kinds = sorted({finding.subject.kind for finding in result.findings} & STRUCTS.keys())
    if "HorizontalPodAutoscaler" in kinds:
        kinds = sorted({*kinds, *SCALED})
    snapshot = await reader.snapshot(kinds, namespaces)
    findings = tuple(finding for finding in result.findings if matches(selector, labels_of(snapshot, finding.subject)))
    return _only(result, findings)


def without(result: Scan, namespaces: Collection[str]) -> Scan:
    """Without what was found on these namespaces themselves; what was found in them stays."""
    findings = tuple(item for item in result.findings if item.subject.kind != "Namespace" or item.subject.name not in namespaces)
    return _only(result, findings)


def _only(result: Scan, findings: tuple[Finding, ...]) -> Scan:
    """These findings, and the proposals that mend one of them."""
    kept = {finding.id for finding in findings}
    return result._replace(findings=findings, proposals=tuple(item for item in result.proposals if kept & set(item.findings)))


SCALED = ("Deployment", "StatefulSet")


def labels_of(snapshot: Snapshot, subject: Target) -> dict[str, str]:
    """Empty for what the snapshot does not have."""
    return _labels(snapshot, subject.kind, subject.namespace, subject.name)


def _labels(snapshot: Snapshot, kind: str, namespace: str, name: str) -> dict[str, str]:
    item = snapshot.find(kind, namespace, name)
    if item is None:
        return {}
    spec = getattr(item, "spec", None)
    scaled, template = getattr(spec, "scale_target_ref", None), getattr(spec, "template", None)
    below = _labels(snapshot, scaled.kind, namespace, scaled.name) if scaled and scaled.kind in SCALED else {}
    return {**below, **(template.metadata.labels if template else {}), **item.metadata.labels}


def located(result: Scan, manifests: Manifests) -> Scan:
    """The scan of files, with the file and line of each subject that has one."""
    found = {finding.id: (finding.subject.kind, finding.subject.namespace, finding.subject.name) for finding in result.findings}
    return result._replace(places={name: manifests.places[where] for name, where in found.items() if where in manifests.places})


def with_unread(result: Scan, unread: Sequence[tuple[str, str]]) -> Scan:
    """The scan, with what could not be decoded named among what was not looked at."""
    rows = tuple(NotRun(check=place[:200], reason=reason[:300]) for place, reason in unread)
    return result._replace(coverage=result.coverage.model_copy(update={"not_run": (*result.coverage.not_run, *rows)}))


def baseline(path: Path) -> Baseline:
    """An earlier `day2 scan -o json`. Raises InvalidInput."""
    try:
        document = json.loads(path.expanduser().read_text(encoding="utf-8"))
        rows = tuple((_told(item), str((item.get("subject") or {}).get("namespace") or "")) for item in document["items"])
        cluster = str((document.get("metadata") or {}).get("cluster") or "")
    except OSError as error:
        raise InvalidInput(
            f"cannot read the baseline {path}: {error.strerror}", mend="make one: day2 scan -o json > baseline.json"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"{path} is no FindingList", mend="make one: day2 scan -o json > baseline.json") from error
    return Baseline(cluster, tuple(row for row, _ in rows), {row.id: namespace for row, namespace in rows})


def _told(item: Mapping[str, Any]) -> Gone:
    """A finding as documents have it, made safe to print: it may be the text of a file."""
    subject = item.get("subject") or {}
    namespace = f"{subject['namespace']}/" if subject.get("namespace") else ""
    where = f"{namespace}{str(subject.get('kind', '')).lower()}/{subject.get('name', '')}"
    words = (item["id"], item.get("code", ""), item.get("severity", ""), where, item.get("title", ""))
    return Gone(*(bounded(str(word), 200) for word in words))


def remembered(result: Scan, cluster: str) -> Baseline:
    """A look as the baseline of the next one."""
    items = tuple(_told(finding.model_dump(mode="json")) for finding in result.findings)
    return Baseline(cluster, items, {finding.id: finding.subject.namespace for finding in result.findings})


def since(result: Scan, known: Baseline, *, cluster: str = "", namespaces: Sequence[str] = ()) -> Scan:
    """Only what the baseline does not have, and what it had and is gone.

    Gone is what would be seen if it were there: its check ran, and its namespace was looked at. `cluster` is empty where that cannot be
    said; of another cluster nothing is known.
    """
    fresh = tuple(finding for finding in result.findings if finding.id not in known.ids)
    same = bool(cluster) and cluster == known.cluster
    here = tuple(row for row in known.items if same and row.id not in result.seen and row.code in result.coverage.run)
    gone = tuple(row for row in here if not namespaces or known.namespace_of[row.id] in namespaces)
    return result._replace(findings=fresh, known=len(result.findings) - len(fresh), gone=gone)


def _worst_first(finding: Finding) -> tuple[int, str, str]:
    return list(Severity).index(finding.severity), finding.code, finding.id
