"""How far agents may go by themselves, and by which record. Behind `day2 autonomy show`; the judge decides from the same functions."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from core.actions.catalogue import CATALOGUE, parse_proposal
from core.domain.errors import InvalidInput
from core.domain.ledger import Ledger
from core.policy.autonomy import Outcome, Standing, standing
from runtime.declared import Declared

Outcomes = Callable[[tuple[str, str], str], Sequence[Outcome]]
"""Of a kind in a namespace, on a cluster."""


class Trust(NamedTuple):
    """One capability in one scope. `agents` are those that were granted it there."""

    capability: str
    namespace: str
    agents: tuple[str, ...]
    standing: Standing


def trust(
    declared: Declared, outcomes: Outcomes, *, cluster: str, namespaces: Sequence[str] = (), capability: str = ""
) -> tuple[Trust, ...]:
    """Every capability that some agent was granted where some objective speaks. Raises InvalidInput for a capability that is none."""
    if capability and capability not in CATALOGUE:
        raise InvalidInput(f"there is no action kind {capability[:40]!r}", mend=f"the kinds are {', '.join(CATALOGUE)}")
    found = []
    for namespace in sorted(_scopes(declared) if not namespaces else set(namespaces)):
        for kind in CATALOGUE if not capability else (capability,):
            agents = tuple(sorted({grant.agent for grant in declared.grants if grant.allows(grant.agent, kind, namespace)}))
            if agents:
                record = outcomes((kind, "" if kind == "label_namespace" else namespace), cluster)
                found.append(Trust(kind, namespace, agents, standing(record, declared.objectives.granted(namespace, kind))))
    return tuple(found)


def cluster_of(ledger: Ledger) -> str:
    """That of the newest action; empty where there is none, and then there is no record either."""
    for row in ledger.search(limit=1):
        return parse_proposal(row.proposal).action.target.cluster
    return ""


def _scopes(declared: Declared) -> set[str]:
    named: Iterable[str] = (name for item in declared.objectives.items for name in item.scope.namespaces)
    return set(named)
