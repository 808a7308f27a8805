"""Findings that a person wants to hear no more of for a while: the document `Mute`, and which findings it covers.

A mute always has a reason, somebody who wanted it, and an end. Read by the command line and by runs; the judge knows nothing of it, so it
can hide a finding and can open nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import yaml
from pydantic import Field, field_validator

from core.domain.errors import InvalidInput
from core.domain.finding import Finding
from core.domain.values import Moment, Value, identifier
from core.policy import documents
from core.policy.documents import API_VERSION
from core.policy.forms import Form, Kind

KIND = "Mute"
LONGEST = timedelta(days=30)
FINDING = r"^fnd-[0-9a-f]{10}$"
CODE = r"^(FIN|REL|SEC|SCA|DAY)-[0-9]{3}$"


class Mute(Value):
    """One of `finding` and `code` is given; `namespaces` limits a code, and empty means all. `ended_by` is who ended it early."""

    id: str
    finding: str
    code: str
    namespaces: tuple[str, ...]
    reason: str
    by: str
    at: Moment
    until: Moment
    ended_by: str = ""

    @property
    def about(self) -> str:
        """`fnd-3fa9c2d1e0`, or `REL-101 in shop`."""
        return self.finding or (f"{self.code} in {', '.join(self.namespaces)}" if self.namespaces else self.code)

    def holds(self, now: datetime) -> bool:
        return self.at <= now < self.until

    def covers(self, identity: str, code: str, namespace: str) -> bool:
        """Whether a finding is meant. Of a code, findings of the whole cluster only where no namespace is named."""
        if self.finding:
            return identity == self.finding
        return code == self.code and (not self.namespaces or namespace in self.namespaces)


class MuteForm(Form):
    finding: str = Field(default="", pattern=f"^$|{FINDING}")
    code: str = Field(default="", pattern=f"^$|{CODE}")
    namespaces: tuple[str, ...] = ()
    reason: str = Field(min_length=1, max_length=300)
    by: str = Field(min_length=1, max_length=300)
    at: Moment
    until: Moment
    ended_by: str = Field(default="", max_length=300)

    @field_validator("reason")
    @classmethod
    def _said(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("a reason says something")
        return reason

    def value(self, name: str) -> Mute:
        if bool(self.finding) == bool(self.code):
            raise ValueError("a mute is of a `finding` or of a `code`: one of them")
        if self.finding and self.namespaces:
            raise ValueError("a finding is in one namespace already: `namespaces` limits a `code`")
        if self.until <= self.at and not self.ended_by:
            raise ValueError("`until` must be later than `at`")
        if self.until - self.at > LONGEST:
            raise ValueError(f"a mute lasts at most {LONGEST.days} days")
        return Mute(id=name, **self.model_dump())


KINDS: Mapping[str, Kind] = {KIND: Kind(MuteForm, MuteForm.value)}


def read(text: str, file: str) -> tuple[Mute, ...]:
    """Every mute of one file. Raises InvalidDocument at the first mistake."""
    return documents.of_kind(documents.read(text, file, KINDS), Mute)


def written(mute: Mute) -> str:
    """The document, as `read` takes it."""
    spec = MuteForm.model_construct(**mute.model_dump(exclude={"id"})).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    whole = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": mute.id}, "spec": spec}
    return str(yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120))


def made(*, what: str, namespaces: Sequence[str], reason: str, by: str, at: datetime, lasts: timedelta) -> Mute:
    """A new one. Raises InvalidInput with what is wrong."""
    if not timedelta(0) < lasts <= LONGEST:
        raise InvalidInput(f"a mute lasts more than nothing and at most {LONGEST.days} days", mend="such as --for 7d")
    if not reason.strip():
        raise InvalidInput("a mute needs a reason", mend='--reason "known, ticket 4711"')
    finding = what if what.startswith("fnd-") else ""
    start = at.replace(microsecond=0)
    return Mute(
        id=identifier("mute", what, *sorted(namespaces), by, at.isoformat()),
        finding=finding,
        code="" if finding else what,
        namespaces=() if finding else tuple(namespaces),
        reason=reason.strip(),
        by=by,
        at=start,
        until=start + lasts,
    )


class Muted(NamedTuple):
    """A finding that is there, and the mute that covers it."""

    finding: Finding
    mute: Mute


def covering(mutes: Sequence[Mute], identity: str, code: str, namespace: str, now: datetime) -> Mute | None:
    """Of several mutes the one that holds longest."""
    found = [mute for mute in mutes if mute.holds(now) and mute.covers(identity, code, namespace)]
    return max(found, key=lambda mute: (mute.until, mute.id), default=None)
