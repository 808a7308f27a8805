"""What the judge holds: its ports, keys, rules and what people declared. Made by the composition root, passed to every step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from core.cluster.reading import Metrics, ObjectReader
from core.domain.action import Action
from core.domain.clock import Clock
from core.domain.facts import Facts
from core.domain.ledger import Ledger
from core.domain.money import PriceList
from core.domain.objective import Objectives
from core.domain.review import Reviewer
from core.domain.verdict import RuleResult
from core.domain.writing import Previewer
from core.policy.declarations import Grant
from gate.keys import Signer, Verifier


class Rules(Protocol):
    """`core.policy.engine.Engine` is one; a test's table is another."""

    @property
    def digest(self) -> str: ...

    def judge(self, action: Action, facts: Facts) -> tuple[RuleResult, ...]: ...


class NewIds(Protocol):
    def new(self, prefix: str) -> str: ...


@dataclass(frozen=True)
class Bench:
    """`doors` are the keys that may sign approvals. Without grants nothing is granted; without objectives every agent only looks.

    `record_key` proves the permits of past outcomes: without it none counts for autonomy. One of `canary_every` cards, by chance, is
    followed by one that nobody should approve; 0 for none.
    """

    ledger: Ledger
    reader: ObjectReader
    previewer: Previewer
    metrics: Metrics | None
    clock: Clock
    key: Signer
    doors: Mapping[str, Verifier]
    rules: Rules
    ids: NewIds
    objectives: Objectives = field(default_factory=Objectives)
    grants: Sequence[Grant] = ()
    prices: PriceList | None = None
    approval_time: timedelta = timedelta(hours=24)
    execution_time: timedelta = timedelta(hours=1)
    denial_holds: timedelta = timedelta(hours=1)
    cards_per_hour: int = 20
    canary_every: int = 0
    record_key: Verifier | None = None
    reviewer: Reviewer | None = None
