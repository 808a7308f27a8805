"""The claims of a permit: the only thing that opens the gate, for exactly one request, once, for at most 120 s (an undo: longer)."""

from typing import Literal

from core.domain.values import Value

EXTRA = "day2.dev/permit"
"""The user extra in which a permit travels."""
FORWARD_SECONDS = 120
UNDO_MARGIN_SECONDS = 600


class Permit(Value):
    """Times are Unix seconds, as in a JWT (RFC 7519). Hashes are SHA-256 hex of canonical JSON.

    `request` is the digest of the API request; `line` its verb and path, for the webhook, which never sees the request itself. `pre` pins
    the values that the kind pins, `post` what the object's change must be, `inverse` what an undo's change must be. An undo permit
    names its forward one and opens only if that one was spent.
    """

    jti: str
    use: Literal["forward", "undo"]
    forward: str = ""
    iss: str
    agent: str
    action_id: str
    action_digest: str
    verdict_digest: str
    cluster: str
    uid: str
    generation: int = 0
    request: str
    line: str
    pre: str = ""
    post: str = ""
    inverse: str = ""
    iat: int
    exp: int
