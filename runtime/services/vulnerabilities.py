"""Files of scanners, VEX documents, KEV and EPSS, read for `day2 vulnerabilities`: bounded, and each mistake with the name of its file."""

import gzip
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from core.cluster import vulnerabilities
from core.cluster.patching import Cluster, Patch, Ranking, Signals, patches, ranked
from core.cluster.snapshot import Snapshot
from core.cluster.vulnerabilities import LARGEST, Problem, Read
from core.domain.errors import InvalidInput

PLACES = ("Namespace", "Service", "Ingress", "NetworkPolicy")
"""Without these an image may seem less exposed than it is."""


class Source(NamedTuple):
    """A file that was read: what it is, how many records or entries it has, and of which day it is, where it says so."""

    file: str
    form: str
    entries: int
    day: str = ""
    age_days: int | None = None


class Files(NamedTuple):
    """`reads` are the reports and VEX documents, in the order in which they were given."""

    reads: tuple[Read, ...]
    signals: Signals
    sources: tuple[Source, ...]


class Weighed(NamedTuple):
    ranking: Ranking
    patches: tuple[Patch, ...]
    problems: tuple[Problem, ...]
    skipped: int


def read(reports: Sequence[Path], vex: Sequence[Path], kev: Path | None, epss: Path | None, today: date) -> Files:
    """Raises InvalidInput for a file that is not what it should be. A record that cannot be read is told with the others."""
    reads: list[Read] = []
    sources: list[Source] = []
    for path in (*reports, *vex):
        found = vulnerabilities.decode(_bytes(path), str(path))
        if path in vex and path not in reports and not found.statements and found.form not in ("openvex", "cyclonedx"):
            raise InvalidInput(f"{path} is a report of {found.form}, and no VEX document", mend="give it with --report")
        reads.append(found)
        sources.append(Source(str(path), found.form, len(found.records) + len(found.statements)))
    known, day = vulnerabilities.decode_kev(_bytes(kev), str(kev)) if kev else ({}, "")
    scores, scored = vulnerabilities.decode_epss(_bytes(epss), str(epss)) if epss else ({}, "")
    if kev:
        sources.append(Source(str(kev), "kev", len(known), day, vulnerabilities.age_days(day, today)))
    if epss:
        sources.append(Source(str(epss), "epss", len(scores), scored, vulnerabilities.age_days(scored, today)))
    return Files(tuple(reads), Signals(known, scores), tuple(sources))


def _bytes(path: Path) -> bytes:
    """Of a plain or a gzipped file, up to the largest that is read."""
    try:
        with path.expanduser().open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with gzip.open(file) if packed else file as opened:
                body = opened.read(LARGEST + 1)
    except (OSError, EOFError) as error:
        raise InvalidInput(f"cannot read {path}: {getattr(error, 'strerror', None) or error}", mend="give a file that is there") from error
    if len(body) > LARGEST:
        raise InvalidInput(f"{path} is larger than {LARGEST >> 20} MiB", mend="give one report for each image")
    return body


def weighed(files: Files, snapshot: Snapshot | None) -> Weighed:
    """Without a snapshot, or without its pods, by the reports alone."""
    problems = [problem for found in files.reads for problem in found.problems]
    cluster = Cluster(snapshot) if snapshot is not None and "Pod" not in snapshot.unread else None
    if snapshot is not None and cluster is None:
        problems.append(Problem("the cluster", f"pods could not be read, so what runs is not known: {snapshot.unread['Pod']}"))
    elif snapshot is not None and (lost := [kind for kind in PLACES if kind in snapshot.unread]):
        problems.append(Problem("the cluster", f"{', '.join(lost)} could not be read: images may be more exposed than is said"))
    found = ranked(
        (record for one in files.reads for record in one.records),
        [statement for one in files.reads for statement in one.statements],
        files.signals,
        cluster,
    )
    return Weighed(found, patches(found.rows), tuple(problems), sum(one.skipped for one in files.reads))
