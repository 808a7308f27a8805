"""Are the audit chains whole? Finds records that were changed, removed, inserted, put in another order, moved to another chain or cut off
at the end, chains that were replaced or deleted, and anchors and signed heads that say otherwise.

One pass over the ledger in the order of its commits, with the second sink beside it; nothing but where each chain stands is held.
Judge and executor do not load this.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.domain.errors import Corrupt, Day2Error, NotAuthenticated
from core.domain.ledger import ANCHORED, AuditRow, Head, Ledger, chained, genesis
from core.domain.values import digest
from gate import keys
from gate.heads import TYPE

PAGE = 5000
MOST_PROBLEMS = 20
FIRST_FORM = ""
"""The role in a head of the first form, which the judge signed for the one chain of all roles."""

Heads = Mapping[str, Head]


class ChainReport(NamedTuple):
    """One role's chain. `records` counts all of its records, `anchors` those among them that only anchor others."""

    role: str
    records: int
    anchors: int
    head: str


class AuditReport(NamedTuple):
    """`whole` is true when nothing contradicts anything. `records` counts without anchors; `head` is one digest over the heads of all
    chains. `problems` name role and record."""

    whole: bool
    records: int
    head: str
    problems: tuple[str, ...]
    chains: tuple[ChainReport, ...] = ()
    mirrored: int = 0


class _Anchor(msgspec.Struct):
    """The body of a record `anchored`: sequence and hash of each other role's head."""

    heads: dict[str, tuple[int, str]]


class _Pass:
    """What one pass over the records remembers."""

    def __init__(self, origin: str, signed: Sequence[Head]) -> None:
        self.problems: list[str] = []
        self.origin = origin
        self.ends: dict[str, Head | AuditRow] = {}
        self.anchors: dict[str, int] = {}
        self.place = 0
        _, count, self._first_end = (*origin.split("."), "", "")[:3]
        if not count.isdecimal():
            raise Corrupt("the ledger's origin was changed", mend="restore the last backup, compare it with the second sink: day2 doctor")
        self.first_form = int(count)
        self._first = "0" * 64
        self._expected: dict[tuple[str, int], list[str]] = {}
        for head in signed:
            self._expected.setdefault((head.role, head.seq), []).append(head.hash)

    def say(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)

    def take(self, row: AuditRow) -> None:
        """The next record in the order of commits."""
        place, seq, _, role, event, _, _, previous, hash_ = row
        if place != self.place + 1:
            self.say(f"the ledger's record number {self.place + 1} is missing or out of order: {row.name} stands there as number {place}")
        self.place = place
        if place <= self.first_form:
            self._take_first_form(row)
            return
        end = self.ends.get(role) or Head(role, 0, genesis(self.origin, role))
        if seq != end.seq + 1:
            self.say(f"record {role}/{end.seq + 1} is missing or out of order: {row.name} stands in its place")
        if previous != end.hash:
            self.say(f"record {row.name} does not follow {f'{role}/{end.seq}' if end.seq else 'the beginning of its chain'}")
        if chained(row) != hash_:
            self.say(f"record {row.name} was changed")
        elif event == ANCHORED:
            self._compare_anchor(row)
        self.ends[role] = row
        if self._expected:
            self._compare_signed(role, seq, hash_)

    def _take_first_form(self, row: AuditRow) -> None:
        end = self.ends.get(row.role)
        if row.seq != (end.seq if end else 0) + 1:
            self.say(f"record {row.name} is not the next of its role")
        if row.previous != self._first:
            self.say(f"record {row.name} does not follow the record before it")
        if chained_first(row) != row.hash:
            self.say(f"record {row.name} was changed")
        self._first = row.hash
        self._compare_signed(FIRST_FORM, row.place, row.hash)
        self.ends[row.role] = Head(row.role, row.seq, genesis(self.origin, row.role))
        self._compare_signed(row.role, row.seq, self.ends[row.role].hash)
        if row.place == self.first_form and row.hash != self._first_end:
            self.say(f"record {row.name} is not the one with which the first form of the chain ended")

    def _compare_signed(self, role: str, seq: int, hash_: str) -> None:
        if any(found != hash_ for found in self._expected.pop((role, seq), ())):
            self.say(f"{_signer(role)} signed record {role or 'number'}/{seq} with another hash than the chain has")

    def _compare_anchor(self, row: AuditRow) -> None:
        """An anchor is one transaction with what it anchors: the others stood exactly there, in the order of commits."""
        self.anchors[row.role] = self.anchors.get(row.role, 0) + 1
        try:
            said = msgspec.json.decode(row.body, type=_Anchor).heads
        except msgspec.DecodeError:
            self.say(f"{row.name} is no anchor, though it says so")
            return
        for role in sorted({*said, *self.ends} - {row.role}):
            end = self.ends.get(role)
            if role not in said:
                self.say(f"{row.name} anchors no chain {role}, which had records by then")
            elif end is None or end.seq != said[role][0]:
                stood = f"stood at {role}/{end.seq}" if end else "has no record"
                self.say(f"{row.name} anchors {role}/{said[role][0]}, and the chain {role} {stood} then")
            elif end.hash != said[role][1]:
                self.say(f"{row.name} anchors {role}/{end.seq} with another hash than the chain has")

    def close(self) -> None:
        for role, seq in self._expected:
            self.say(f"{_signer(role)} signed record {role or 'number'}/{seq}, which the chain does not have")

    def report(self, mirrored: int = 0) -> AuditReport:
        ends = (self.ends[role] for role in sorted(self.ends))
        chains = tuple(ChainReport(end.role, end.seq, self.anchors.get(end.role, 0), end.hash) for end in ends)
        records = sum(chain.records - chain.anchors for chain in chains)
        head = digest([[chain.role, chain.records, chain.head] for chain in chains]) if chains else ""
        return AuditReport(not self.problems, records, head, tuple(self.problems), chains, mirrored)


def verify(rows: Iterable[AuditRow], *, origin: str, head: Heads | None = None, signed: Sequence[Head] = ()) -> AuditReport:
    """`rows` in the order of their places. `head` says where each chain must end, known from elsewhere: without it, and without signed
    heads, an end that was cut off cannot be seen."""
    seen = _Pass(origin, signed)
    for row in rows:
        seen.take(row)
    seen.close()
    if head is not None:
        _compare_ends(seen, head, head)
    return seen.report()


def verify_ledger(
    ledger: Ledger,
    *,
    head: Heads | None = None,
    sink: Iterable[AuditRow] | None = None,
    signed: Sequence[Head] = (),
) -> AuditReport:
    """All chains of the ledger, page by page, against their heads, the signed heads, and the second sink where there is one.

    `head` was read before, else it is now: others may go on writing meanwhile. Raises Corrupt for a line of the sink that is no record.
    """
    before = ledger.head() if head is None else head
    seen = _Pass(ledger.origin, signed)
    mirror = _Mirror(ledger, sink or (), seen.first_form)
    for row in _all(ledger):
        seen.take(row)
        mirror.compare(row)
    seen.close()
    mirror.close()
    _compare_ends(seen, before, ledger.head())
    for problem in mirror.problems:
        seen.say(problem)
    return seen.report(mirror.records)


class _Mirror:
    """The second sink: the same records in the same order. It may be a little behind."""

    def __init__(self, ledger: Ledger, rows: Iterable[AuditRow], first_form: int) -> None:
        self.problems: list[str] = []
        self.records = 0
        self._ledger = ledger
        self._first_form = first_form
        self._rows = iter(rows)
        self._kept = next(self._rows, None)

    def compare(self, row: AuditRow) -> None:
        while self._kept is not None and self._kept.place <= row.place:
            if self._kept != row:
                self._explain(self._kept, row)
            self._step(self._kept)

    def close(self) -> None:
        """Lines beyond the ledger's last page: others went on writing meanwhile, or the ledger lost its end."""
        while self._kept is not None:
            self._look_for(self._kept)
            self._step(self._kept)

    def _step(self, kept: AuditRow) -> None:
        self.records += 1
        if kept.place != self.records and not self.problems:
            self.problems.append(f"second sink: record number {self.records} is missing or out of order: {kept.name} stands there")
        self._kept = next(self._rows, None)

    def _explain(self, kept: AuditRow, row: AuditRow) -> None:
        first = kept.place <= self._first_form
        if first and kept._replace(seq=row.seq) == row:
            return  # a line of the first form has no sequence of its role
        if (chained_first(kept) if first else chained(kept)) != kept.hash:
            self.problems.append(f"second sink: record {kept.name} was changed")
        else:
            self._look_for(kept)

    def _look_for(self, kept: AuditRow) -> None:
        if not self.problems and [row.hash for row in self._ledger.chain(kept.place, 1)] != [kept.hash]:
            self.problems.append(f"the ledger lacks, or has otherwise, record {kept.name} that the second sink keeps")


def _compare_ends(seen: _Pass, before: Heads, after: Heads) -> None:
    """Others may append during the pass: a chain ends not before its head of then, and not after its head of now."""
    for role in sorted({*before, *after, *seen.ends}):
        end, least, most = seen.ends.get(role), before.get(role), after.get(role)
        if end is None:
            if least is not None:
                seen.say(f"the chain {role} is gone: it should end at record {role}/{least.seq}")
        elif most is None:
            seen.say(f"the chain {role} ends at record {role}/{end.seq}, and its head is gone")
        elif (least and end.seq < least.seq) or end.seq > most.seq:
            seen.say(f"the chain {role} ends at record {role}/{end.seq}, and should end at {role}/{(least or most).seq}")
        elif any(head is not None and head.seq == end.seq and head.hash != end.hash for head in (least, most)):
            seen.say(f"the chain {role} ends at record {role}/{end.seq}, and should end there with another hash")


def chained_first(row: AuditRow) -> str:
    """The hash of a record of the first form, when all roles had one chain."""
    return digest([row.place, row.previous, row.at.isoformat(timespec="microseconds"), row.role, row.event, row.subject, row.body])


def signed_heads(folder: Path, key_folder: Path) -> tuple[list[Head], list[str]]:
    """The heads that each key signed for its role, and what is wrong with other lines and files."""
    files = [(path, path.name.removeprefix("audit.").removesuffix(".heads")) for path in sorted(folder.glob("audit.*.heads"))]
    if (first := folder / "audit.heads").exists():
        files.insert(0, (first, keys.JUDGE))
    heads: list[Head] = []
    problems: list[str] = []
    for path, name in files:
        role = FIRST_FORM if path == first else keys.DOOR.removesuffix("-") if name.startswith(keys.DOOR) else name
        try:
            found, bad = read(path, keys.verifier(key_folder, name), role)
        except Day2Error as error:
            found, bad = [], [f"{path.name} cannot be checked: {error}"]
        heads += found
        problems += bad
    return heads, problems


def read(path: Path, key: keys.Verifier, role: str) -> tuple[list[Head], list[str]]:
    """The heads that this key signed for this role. A last line that a crash cut off is no problem."""
    heads: list[Head] = []
    problems: list[str] = []
    for number, line in enumerate(path.read_text(encoding="ascii", errors="replace").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break
        try:
            claims = key.claims(line.strip(), typ=TYPE)
            if claims.get("role", FIRST_FORM) != role:
                raise NotAuthenticated("signed for another role")
            heads.append(Head(role, int(claims["seq"]), str(claims["hash"])))
        except (NotAuthenticated, KeyError, TypeError, ValueError):
            problems.append(f"{path.name} line {number} is no head that {_signer(role)} signed")
    return heads, problems


def _all(ledger: Ledger) -> Iterator[AuditRow]:
    start = 1
    while page := ledger.chain(start, PAGE):
        yield from page
        start = page[-1].place + 1


def _signer(role: str) -> str:
    return f"the {role or keys.JUDGE}"
