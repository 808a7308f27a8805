"""Which vulnerabilities to mend first, and how: records of scanners against what runs, what is exposed, and what is known to be used. Pure.

    risk = likelihood x CVSS/10 x exposure x privilege x use

Likelihood is 1 for what CISA knows to be exploited, else FIRST's score, else a tenth. Exposure is 1 for pods that the outside reaches, 0.5
for those that the cluster reaches, 0.2 for those that network policies close. Privilege is 1 below the baseline of the Pod Security
Standards, else a half. Use is 1 where a pod runs that digest, 0.7 where only its name is known to run, 0.2 where nothing runs it. A CVE of
an image counts once, however many packages have it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

from core.cluster.exposure import entrances
from core.cluster.graph import Graph
from core.cluster.network import Endpoint, Network, network_of
from core.cluster.objects import Pod
from core.cluster.pod_security import meets
from core.cluster.snapshot import Snapshot
from core.cluster.vulnerabilities import Image, Known, Level, Record, Statement, about, image_of

Exposure = Literal["outside", "cluster", "closed", "unknown"]
Use = Literal["running", "named", "not running", "unknown"]
Priority = Literal["P0", "P1", "P2", "P3"]
EXPOSURES: Mapping[Exposure, float] = {"outside": 1.0, "cluster": 0.5, "unknown": 0.5, "closed": 0.2}
USES: Mapping[Use, float] = {"running": 1.0, "named": 0.7, "unknown": 0.7, "not running": 0.2}
UNSCORED = 0.1
LIKELY, SEVERE, WORST = 0.1, 7.0, 9.0
DAYS: Mapping[Priority, int] = {"P0": 2, "P1": 7, "P2": 30, "P3": 90}
"""Within how many days each should be mended."""
MOST_WORKLOADS = 20


class Signals(NamedTuple):
    """What is known of vulnerabilities by CVE, from files that a person gave; empty where none was."""

    kev: Mapping[str, Known] = {}
    epss: Mapping[str, float] = {}


class Place(NamedTuple):
    """Where an image runs: the worst of all its pods."""

    use: Use
    exposure: Exposure
    through: str
    privileged: bool
    workloads: tuple[str, ...]
    pods: int
    running: tuple[str, ...]
    """Digests that its pods run now."""


class Ranked(NamedTuple):
    """One CVE in one image. `packages` are as `name installed`, `fixed` the versions that mend them, `why` what made its place."""

    id: str
    image: str
    packages: tuple[str, ...]
    fixed: tuple[str, ...]
    level: Level
    score: float
    exploited: bool
    ransomware: bool
    likelihood: float | None
    place: Place
    priority: Priority
    risk: float
    title: str
    why: str


class Cleared(NamedTuple):
    """What a VEX document took off the list, by whose word and why."""

    id: str
    image: str
    package: str
    status: str
    why: str
    source: str


class Ranking(NamedTuple):
    rows: tuple[Ranked, ...]
    cleared: tuple[Cleared, ...]
    unused: int
    """VEX statements that are about nothing in the reports."""


class Cluster:
    """What one look says of the images that run in it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def place(self, image: Image) -> Place:
        """By digest, then by name and tag. A tag that runs under another digest is another image, which was not scanned."""
        exact = [pod for digest in image.digests for pod in self._by_digest.get(digest, ())]
        named = self._by_name.get((image.repository, image.tag), []) if image.tag else []
        pods = exact or named
        if not pods:
            return Place("not running", "unknown", "", privileged=False, workloads=(), pods=0, running=())
        use: Use = "running" if exact or not image.digests else "named"
        exposure, through = min((self._exposed(pod) for pod in pods), key=lambda each: list(EXPOSURES).index(each[0]))
        names = dict.fromkeys(self._workload(pod) for pod in pods)
        running = dict.fromkeys(
            digest
            for pod in pods
            for name, digest in self._images(pod)
            if digest and (digest in image.digests if exact else (name.repository, name.tag) == (image.repository, image.tag))
        )
        low = any(meets(pod) == "privileged" for pod in pods)
        return Place(use, exposure, through, low, tuple(names)[:MOST_WORKLOADS], len({id(pod) for pod in pods}), tuple(running)[:5])

    def _workload(self, pod: Pod) -> str:
        kind, item = self._snapshot.workload_of(pod) or ("Pod", pod)
        return f"{item.metadata.namespace}/{kind.lower()}/{item.metadata.name}"

    def _exposed(self, pod: Pod) -> tuple[Exposure, str]:
        if (entrance := self._entrances.get(id(pod))) is not None:
            return "outside", entrance
        endpoint = self._network.endpoint(pod)
        if endpoint not in self._reached:
            isolated, _ = self._network.isolated(endpoint)
            self._reached[endpoint] = not isolated or any(source != endpoint for source, _ in self._network.sources(endpoint))
        return ("cluster", "") if self._reached[endpoint] else ("closed", "")

    @cached_property
    def _reached(self) -> dict[Endpoint, bool]:
        return {}

    @cached_property
    def _network(self) -> Network:
        return network_of(self._snapshot)

    @cached_property
    def _entrances(self) -> dict[int, str]:
        found = entrances(self._snapshot, Graph(self._snapshot), self._network)
        return {
            id(entrance.pod): f"{entrance.kind.lower()} {entrance.item.metadata.namespace}/{entrance.item.metadata.name}: {entrance.how}"
            for entrance in found
        }

    @cached_property
    def _living(self) -> list[Pod]:
        return [pod for pod in self._snapshot.pods if pod.status.phase not in ("Succeeded", "Failed")]

    @staticmethod
    def _images(pod: Pod) -> Iterable[tuple[Image, str]]:
        """Each container's image as its spec names it, with the digest that the runtime reports."""
        ids = {status.name: status.image_id for status in (*pod.status.container_statuses, *pod.status.init_container_statuses)}
        for one in (*pod.spec.containers, *pod.spec.init_containers):
            if one.image:
                digests = image_of(ids.get(one.name, "")).digests or image_of(one.image).digests
                yield image_of(one.image), digests[0] if digests else ""

    @cached_property
    def _by_digest(self) -> Mapping[str, list[Pod]]:
        found: dict[str, list[Pod]] = defaultdict(list)
        for pod in self._living:
            for _, digest in self._images(pod):
                if digest:
                    found[digest].append(pod)
        return found

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], list[Pod]]:
        found: dict[tuple[str, str], list[Pod]] = defaultdict(list)
        for pod in self._living:
            for image, _ in self._images(pod):
                found[image.repository, image.tag].append(pod)
        return found


NOWHERE = Place("unknown", "unknown", "", privileged=False, workloads=(), pods=0, running=())
"""Where no cluster was looked at."""


def ranked(records: Iterable[Record], statements: Sequence[Statement], signals: Signals, cluster: Cluster | None) -> Ranking:
    """Worst first. Of statements that speak of the same, the latest counts."""
    by_id: dict[str, list[Statement]] = defaultdict(list)
    for statement in sorted(statements, key=lambda each: each.at):
        for name in statement.ids:
            by_id[name].append(statement)
    groups: dict[tuple[str, Image], list[Record]] = defaultdict(list)
    cleared: dict[Cleared, None] = {}
    used: set[int] = set()
    for record in dict.fromkeys(records):
        spoken = [each for name in record.ids for each in by_id.get(name, ()) if about(each, record)]
        used |= {id(each) for each in spoken}
        last = max(reversed(spoken), key=lambda each: each.at, default=None)
        if last is not None and last.clears:
            cleared[Cleared(record.id, str(record.image), record.package, last.status, last.why, last.source)] = None
        else:
            groups[record.id, record.image].append(record)
    places = {image: cluster.place(image) if cluster else NOWHERE for _, image in groups}
    rows = [_row(group, places[image], signals) for (_, image), group in groups.items()]
    rows.sort(key=lambda row: (row.priority, -row.risk, row.id, row.image))
    return Ranking(tuple(rows), tuple(cleared), sum(1 for each in statements if id(each) not in used))


def _row(group: Sequence[Record], place: Place, signals: Signals) -> Ranked:
    worst = max(group, key=lambda each: each.score)
    ids = dict.fromkeys(name for each in group for name in each.ids)
    known = next((signals.kev[name] for name in ids if name in signals.kev), None)
    likelihood = max((signals.epss[name] for name in ids if name in signals.epss), default=None)
    priority = prioritised(known is not None, likelihood, worst.score, place)
    chance = 1.0 if known else UNSCORED if likelihood is None else likelihood
    risk = chance * worst.score / 10 * EXPOSURES[place.exposure] * (1.0 if place.privileged else 0.5) * USES[place.use]
    return Ranked(
        worst.id,
        str(worst.image),
        tuple(dict.fromkeys(f"{each.package} {each.installed}".strip() for each in group if each.package)),
        tuple(dict.fromkeys(f"{each.package} {each.fixed}".strip() for each in group if each.fixed)),
        worst.level,
        worst.score,
        known is not None,
        known is not None and known.ransomware,
        likelihood,
        place,
        priority,
        round(risk, 4),
        worst.title,
        _why(worst, known, likelihood, place),
    )


def prioritised(exploited: bool, likelihood: float | None, score: float, place: Place) -> Priority:
    """P0: known to be exploited, and the outside reaches a pod that runs it. What nothing runs is never more than P2."""
    if place.use == "not running":
        return "P2" if exploited else "P3"
    if exploited:
        return "P0" if place.exposure == "outside" else "P1"
    if likelihood is not None and likelihood >= LIKELY and score >= SEVERE:
        return "P1"
    return "P2" if score >= WORST else "P3"


def _why(record: Record, known: Known | None, likelihood: float | None, place: Place) -> str:
    said = [f"CVSS {record.score:g}"]
    if known:
        said.append("known to be exploited" + (", by ransomware too" if known.ransomware else ""))
    if likelihood is not None:
        said.append(f"EPSS {likelihood:.3f}")
    if place.use == "unknown":
        return ", ".join(said)
    said.append({"outside": f"open to the outside by {place.through}", "closed": "closed by policies"}.get(place.exposure, ""))
    said.append({"named": "the tag runs under another digest", "not running": "runs nowhere"}.get(place.use, ""))
    said.append("below baseline" if place.privileged else "")
    return ", ".join(filter(None, said))


class Patch(NamedTuple):
    """What one new image mends. `removed` is the risk that goes with it; `steps` are for a person: no action writes images."""

    image: str
    priority: Priority
    days: int
    removed: float
    left: int
    vulnerabilities: tuple[str, ...]
    bumps: tuple[str, ...]
    workloads: tuple[str, ...]
    steps: tuple[str, ...]


def patches(rows: Sequence[Ranked]) -> tuple[Patch, ...]:
    """One for each image that has something mendable; most risk removed first, within a priority."""
    by_image: dict[str, list[Ranked]] = defaultdict(list)
    for row in rows:
        by_image[row.image].append(row)
    found = [_patch(image, group) for image, group in by_image.items() if any(row.fixed for row in group)]
    return tuple(sorted(found, key=lambda patch: (patch.priority, -patch.removed, patch.image)))


def _patch(image: str, rows: Sequence[Ranked]) -> Patch:
    mended = [row for row in rows if row.fixed]
    place, priority = mended[0].place, min(row.priority for row in mended)
    bumps = tuple(dict.fromkeys(bump for row in mended for bump in row.fixed))
    return Patch(
        image,
        priority,
        DAYS[priority],
        round(sum(row.risk for row in mended), 4),
        len(rows) - len(mended),
        tuple(row.id for row in mended),
        bumps,
        place.workloads,
        steps(image, bumps, place),
    )


def steps(image: str, bumps: Sequence[str], place: Place) -> tuple[str, ...]:
    """In order: build, prove, one replica, watch, roll out or go back."""
    more = f" and {len(bumps) - 3} more" if len(bumps) > 3 else ""
    build = f"Build or take a successor of {image} with {', '.join(bumps[:3])}{more} or later, under a tag of its own."
    prove = "Scan the successor: these are gone, and nothing critical or high came with it. Note its digest, and name the image by it."
    if not place.workloads:
        return (build, prove, "No pod of this look runs the image: replace it where it is kept, and wherever templates name it.")
    before = f"digest {place.running[0]}" if place.running else "the image of today"
    return (
        build,
        prove,
        f"The smallest workload first, verified, and taken back where it misses: day2 plan --bump {image}=NEW@sha256:... -O plan.json",
        "Watch it for 30 minutes beside the others: ready, no restart, no more errors, no higher latency.",
        f"Where it is as good, the same command plans the rest of {', '.join(place.workloads[:5])}; where not, go back to {before}.",
        "Look again with a report of the new image: day2 vulnerabilities.",
    )
