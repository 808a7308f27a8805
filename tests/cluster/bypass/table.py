"""Every attempt, in one table."""

from tests.cluster.bypass import claims, generated, identities, matrix, outages
from tests.cluster.bypass.attempts import Attempt

TABLE: tuple[Attempt, ...] = (
    *matrix.as_granted(),
    *identities.headers(),
    *identities.direct(),
    *identities.previews(),
    *identities.notifier(),
    *identities.bindings(),
    *claims.attempts(),
    *generated.attempts(),
    *outages.attempts(),
    *matrix.misgranted(),
)
