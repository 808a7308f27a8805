"""Permits: minted by the judge from a verdict, opened by the executor for exactly one request. The only thing that opens the gate.

What a permit says is compared with the ledger's row, the request and the cluster, claim by claim; nothing is taken from it on trust.
"""

from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from core.domain.errors import NotAuthenticated, PermitRefused
from core.domain.permit import FORWARD_SECONDS, UNDO_MARGIN_SECONDS, Permit
from gate.keys import Signer, Verifier

TYPE = "day2-permit+jwt"
ISSUER = "day2:judge"
SKEW_SECONDS = 5
LONGEST_WATCH_SECONDS = 3600
LONGEST_UNDO_SECONDS = FORWARD_SECONDS + LONGEST_WATCH_SECONDS + UNDO_MARGIN_SECONDS
LARGEST = 4096
"""Characters of a token: the admission policy's own limit."""


class Opening(NamedTuple):
    """What the executor is about to do, from its own sources: each field must be what the permit says."""

    use: str
    forward: str
    iss: str
    agent: str
    action_id: str
    action_digest: str
    verdict_digest: str
    cluster: str
    uid: str
    request: str
    line: str


def mint(permit: Permit, key: Signer) -> str:
    return key.sign(permit.model_dump(mode="json"), typ=TYPE)


def opened(token: str, key: Verifier, opening: Opening, now: datetime) -> Permit:
    """The permit, if it opens this. Raises PermitRefused that names the claim."""
    permit = read(token, key)
    for name, wanted in opening._asdict().items():
        if getattr(permit, name) != wanted:
            raise PermitRefused((f"the permit's {name} is not this request's",))
    check_times(permit, int(now.timestamp()))
    return permit


def read(token: str, key: Verifier) -> Permit:
    """The claims, if the judge signed them. Says nothing about what they open. Raises PermitRefused."""
    if len(token) > LARGEST:
        raise PermitRefused(("there is no permit of a possible length",))
    try:
        return Permit.model_validate(key.claims(token, typ=TYPE))
    except NotAuthenticated as error:
        raise PermitRefused((f"the permit is not the judge's: {error}",)) from error
    except ValidationError as error:
        raise PermitRefused(("the permit's claims are not complete",)) from error


def check_times(permit: Permit, now: int) -> None:
    """`now` in Unix seconds. Raises PermitRefused."""
    longest = FORWARD_SECONDS if permit.use == "forward" else LONGEST_UNDO_SECONDS
    if permit.iat > now + SKEW_SECONDS:
        raise PermitRefused(("the permit is not valid yet",))
    if not 0 < permit.exp - permit.iat <= longest:
        raise PermitRefused((f"the permit lives longer than {longest} s",))
    if permit.exp <= now:
        raise PermitRefused(("the permit has expired",))
