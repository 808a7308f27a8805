"""Every service that the doors offer."""

from typing import Any

from runtime.services.offering import Offer
from runtime.services.offers import (
    actions,
    approvals,
    audit,
    cards,
    cluster,
    events,
    findings,
    gate,
    incidents,
    operations,
    plans,
    policies,
    runs,
    schedules,
    webhooks,
)

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
    *schedules.OFFERS,
    *cards.OFFERS,
    *events.OFFERS,
    *incidents.OFFERS,
    *webhooks.OFFERS,
    *gate.OFFERS,
)
