"""Every service that the doors offer."""

from typing import Any

from runtime.services.offering import Offer
from runtime.services.offers import approvals, operations, runs

OFFERS: tuple[Offer[Any], ...] = (*approvals.OFFERS, *runs.OFFERS, *operations.OFFERS)
