"""What the executor holds: its ports, the judge's public key, its name. Made by the composition root, passed to every step."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import ValidationError

from core.cluster.kinds import KINDS, Kind
from core.cluster.reading import Metrics, ObjectReader
from core.domain.api_request import ApiRequest
from core.domain.clock import Clock
from core.domain.errors import NotAuthenticated, Refused
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from core.domain.values import Json, bounded, canonical, digest
from core.domain.writing import ClusterWriter
from gate import permits
from gate.executing.preflight import unguarded
from gate.keys import Signer, Verifier

ROLE = "executor"
SENT = "day2-sent+jwt"


@dataclass(frozen=True)
class Hands:
    """`settle_seconds`: how long a write that was not seen may still be on its way.

    `guard` raises Refused where the API server would not hold the gate for this request and agent.
    """

    ledger: Ledger
    writer: ClusterWriter
    reader: ObjectReader
    metrics: Metrics | None
    clock: Clock
    judge: Verifier
    key: Signer
    owner: str
    settle_seconds: float = 30.0
    guard: Callable[[ApiRequest, str], Awaitable[None]] = unguarded

    def move(self, row: ActionRow, to: ActionState, note: str = "", **columns: object) -> bool:
        """The row's next state, if it is still ours."""
        said = bounded(note, 400)
        return self.ledger.move(
            row.action_id,
            row.state,
            to,
            role=ROLE,
            at=self.clock.now(),
            event={"owner": self.owner, "epoch": row.epoch, **({"note": said} if said else {})},
            epoch=row.epoch,
            note=said,
            **columns,
        )

    def keep(self, row: ActionRow, kept: Mapping[str, object]) -> str:
        """The row's text of what is about to be sent, signed: from now on this write is ours to read back, to verify and to undo."""
        return canonical({**kept, "seal": self.key.sign({"sent": digest([row.digest, kept])}, typ=SENT)}).decode()

    def sent(self, row: ActionRow) -> bool:
        """Whether an executor signed that it sends just this write of this action."""
        try:
            kept = json.loads(row.before)
            claims = _claims(self.key, kept.pop("seal"))
        except (NotAuthenticated, ValueError, TypeError, KeyError, AttributeError):
            return False
        return claims == {"sent": digest([row.digest, kept])}

    def fresh(self, row: ActionRow) -> ActionRow | None:
        return self.ledger.get(row.action_id)

    async def live(self, request: ApiRequest) -> Json | None:
        """The object that the request writes, as it stands."""
        return await self.reader.get(kind_of(request), request.namespace, request.name)

    async def opening(self, row: ActionRow, request: ApiRequest, *, undo_of: str = "") -> permits.Opening:
        """What is about to be done, from the ledger's row, the request and the cluster."""
        return permits.Opening(
            use="undo" if undo_of else "forward",
            forward=undo_of,
            iss=permits.ISSUER,
            agent=row.agent,
            action_id=row.action_id,
            action_digest=row.digest,
            verdict_digest=digest(row.verdict),
            cluster=await self.reader.cluster_uid(),
            uid=row.target_uid,
            request=request.digest(),
            line=request.line,
        )


@lru_cache(maxsize=256)
def _claims(key: Signer, seal: str) -> Mapping[str, object]:
    """Asked at each pass over the same few rows. Raises NotAuthenticated."""
    return key.verifier.claims(seal, typ=SENT)


def request_of(text: str) -> ApiRequest:
    """A request as the judge laid it into the ledger. Raises Refused for anything else."""
    try:
        return ApiRequest.model_validate_json(text)
    except ValidationError as error:
        raise Refused(("the ledger's row holds no request",)) from error


def kind_of(request: ApiRequest) -> Kind:
    """Raises Refused for a resource that is none of ours."""
    found = next((kind for kind in KINDS.values() if (kind.group, kind.resource) == (request.group, request.resource)), None)
    if found is None:
        raise Refused((f"{bounded(request.resource, 60)} is no resource that day2 writes",))
    return found
