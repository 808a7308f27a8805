"""Every service that the doors offer."""

from typing import Any

from runtime.services.offering import Offer
from runtime.services.offers import actions, approvals, audit, cards, cluster, findings, operations, plans, policies, runs

OFFERS: tuple[Offer[Any], ...] = (
    *approvals.OFFERS,
    *actions.OFFERS,
    *runs.OFFERS,
    *findings.OFFERS,
    *operations.OFFERS,
    *audit.OFFERS,
    *policies.OFFERS,
    *plans.OFFERS,
    *cluster.OFFERS,
    *cards.OFFERS,
)
