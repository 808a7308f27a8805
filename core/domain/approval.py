"""A person's decision on one action, bound to its digest, and signed by the door that authenticated the person."""

from typing import Literal

from pydantic import Field

from core.domain.people import LONGEST
from core.domain.values import Moment, Value


class Approval(Value):
    """`by` is the authenticated subject (`core.domain.people`), `groups` what the API server said of it.

    `token` is the door's signature (EdDSA JWT) over every other field; the judge checks it.
    """

    id: str
    action_id: str
    action_digest: str
    decision: Literal["approved", "denied"]
    by: str = Field(min_length=1, max_length=LONGEST)
    groups: tuple[str, ...] = Field(default=(), max_length=1000)
    door: str
    reason: str = Field(min_length=1, max_length=400)
    at: Moment
    expires_at: Moment
    token: str = ""
