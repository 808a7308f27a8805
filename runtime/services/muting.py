"""Findings that people muted: kept as documents in a folder of the data folder, left out of scans and of what runs propose.

One file each, for its owner alone (files 0600, folder 0700). A mute that ended moves to `ended/` once somebody was told.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.domain.clock import Clock
from core.domain.errors import Day2Error, InvalidInput
from core.domain.request import Request
from core.domain.values import bounded
from core.policy import mutes
from core.policy.mutes import Mute, Muted, covering
from graph.context import Consulting
from runtime.replacing import replace
from runtime.services import describing
from runtime.services.scanning import Scan

Plain = dict[str, Any]
log = logging.getLogger(__name__)
ENDED = "ended"


@dataclass(frozen=True)
class MuteFolder:
    """`path` need not be there: then nothing is muted, and reading makes nothing."""

    path: Path

    def all(self) -> tuple[Mute, ...]:
        """Those that hold, and those of whose end nobody was told yet. Raises InvalidDocument for one that a person wrote wrongly."""
        return _read(self.path)

    def ended(self) -> tuple[Mute, ...]:
        return _read(self.path / ENDED)

    def add(self, mute: Mute) -> None:
        self._make(self.path)
        replace(self.path / f"{mute.id}.yaml", mutes.written(mute).encode())

    def end(self, mute: Mute) -> None:
        """Moved to those that ended, as it is given."""
        self._make(self.path / ENDED)
        replace(self.path / ENDED / f"{mute.id}.yaml", mutes.written(mute).encode())
        (self.path / f"{mute.id}.yaml").unlink(missing_ok=True)

    def expire(self, name: str, *, by: str, now: datetime) -> Mute:
        """Ended now, by a person. Raises InvalidInput for one that is not there."""
        found = next((mute for mute in self.all() if mute.id == name), None)
        if found is None:
            raise InvalidInput(f"no mute {bounded(name, 40)!r} holds", mend="day2 mute list")
        over = found.model_copy(update={"until": min(found.until, now.replace(microsecond=0)), "ended_by": by})
        self.end(over)
        return over

    def _make(self, folder: Path) -> None:
        """With the data folder above it: each for its owner alone."""
        for needed in (self.path.parent, self.path, folder):
            needed.mkdir(parents=True, exist_ok=True, mode=0o700)


def folder_of(data_dir: Path) -> MuteFolder:
    return MuteFolder(data_dir / "mutes")


def wished(what: str, namespaces: Sequence[str], *, reason: str, by: str, at: datetime, lasts: timedelta) -> Mute:
    """A mute of a finding by its id, or of a check by its code. Raises InvalidInput."""
    if what.startswith("fnd-"):
        describing.finding_word(what)
        if namespaces:
            raise InvalidInput("a finding is in one namespace already", mend="leave -n away, or mute a code there")
    else:
        what = describing.check(what).code
    return mutes.made(what=what, namespaces=namespaces, reason=reason, by=by, at=at, lasts=lasts)


def apart(result: Scan, held: Sequence[Mute], now: datetime) -> Scan:
    """The scan without what is muted and what would mend it; symptoms of what is muted stay, for they are other findings."""
    hidden = tuple(Muted(finding, mute) for finding in result.findings if (mute := _of(finding, held, now)) is not None)
    names = {row.finding.id for row in hidden}
    return result._replace(
        findings=tuple(finding for finding in result.findings if finding.id not in names),
        proposals=tuple(proposal for proposal in result.proposals if not proposal.findings or set(proposal.findings) - names),
        muted=hidden,
        ended=tuple(mute for mute in held if mute.until <= now),
    )


def tell_ended(folder: MuteFolder, ended: Sequence[Mute]) -> None:
    """They were told: from now on they are not. A folder that cannot be written is told again, and costs nobody the scan."""
    for mute in ended:
        try:
            folder.end(mute)
        except OSError as error:
            log.warning("mute %s stays where it is: %s", mute.id, error.strerror)


def _of(finding: Any, held: Sequence[Mute], now: datetime) -> Mute | None:
    return covering(held, finding.id, finding.code, finding.subject.namespace, now)


@dataclass(frozen=True)
class Unmuted:
    """Answers of agents without the findings that are muted when they answer, and without the proposals for these alone."""

    asking: Consulting
    held: Callable[[], Sequence[Mute]]
    clock: Clock

    async def consult(self, agent: str, request: Request) -> Plain:
        answer = await self.asking.consult(agent, request)
        held = self._held()
        return _without(answer, held, self.clock.now()) if held else answer

    def _held(self) -> Sequence[Mute]:
        """A document that cannot be read mutes nothing: what should be quiet is then proposed. The other way would hide faults."""
        try:
            return self.held()
        except (Day2Error, OSError) as error:
            log.warning("nothing is muted: %s", error)
            return ()


def _without(answer: Plain, held: Sequence[Mute], now: datetime) -> Plain:
    try:
        names = {row["id"] for row in answer["findings"] if _covered(row, held, now)}
        findings = [row for row in answer["findings"] if row["id"] not in names]
        kept = [row for row in answer["proposals"] if not row["findings"] or set(row["findings"]) - names]
    except (KeyError, TypeError):  # no answer of version 1: the flow refuses it, and says so
        return answer
    return answer | {"findings": findings, "proposals": kept}


def _covered(row: Plain, held: Sequence[Mute], now: datetime) -> bool:
    return covering(held, row["id"], row["code"], row["subject"]["namespace"], now) is not None


def _read(folder: Path) -> tuple[Mute, ...]:
    try:
        files = sorted(folder.glob("*.yaml"))
        found = tuple(mute for file in files for mute in mutes.read(file.read_text(encoding="utf-8", errors="replace"), str(file)))
    except OSError as error:
        raise InvalidInput(f"cannot read mutes in {folder}: {error.strerror}", mend="check the folder's owner and mode") from error
    return tuple(sorted(found, key=lambda mute: (mute.until, mute.id)))
