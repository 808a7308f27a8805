"""A door's way to decide on actions: it authenticated the person, so it signs. The judge counts what was signed."""

from datetime import timedelta

from core.domain import people
from core.domain.approval import Approval
from core.domain.clock import Clock
from core.domain.errors import InvalidInput, Refused
from core.domain.ledger import Ledger
from core.domain.outcome import ActionState
from core.domain.values import bounded, identifier
from gate import approvals, keys
from runtime.services.demonstrating import Decide
from runtime.settings import Settings

GOOD_FOR = timedelta(hours=1)


def door(settings: Settings, ledger: Ledger, clock: Clock, *, name: str) -> Decide:
    """`name` is the door's; its key is made at the first use."""
    key = keys.signer(settings.data_dir / "keys", f"{keys.DOOR}{name}", settings.private_dir)
    return signed_with(key, ledger, clock, name=name)


def signed_with(key: keys.Signer, ledger: Ledger, clock: Clock, *, name: str) -> Decide:
    """The same for a key that is held already."""

    def decide(action_id: str, *, by: str, approve: bool, reason: str, groups: tuple[str, ...] = ()) -> Approval:
        row = ledger.get(action_id)
        if row is None:
            raise InvalidInput(f"no action {bounded(action_id, 40)}", mend="day2 approvals")
        if row.state is not ActionState.NEEDS_APPROVAL:
            raise Refused((f"{action_id} is {row.state}, and waits for nobody",), mend=f"day2 action get {action_id}")
        if approve and people.same(by, row.submitted_by):
            raise Refused(("who asked for an action cannot approve it",), mend="another person decides: day2 approvals")
        now = clock.now()
        approval = approvals.sign(
            Approval(
                id=identifier("apr", action_id, by, now),
                action_id=action_id,
                action_digest=row.digest,
                decision="approved" if approve else "denied",
                by=bounded(by, people.LONGEST),
                groups=groups,
                door=name,
                reason=bounded(reason, 400),
                at=now,
                expires_at=now + GOOD_FOR,
            ),
            key,
        )
        if not ledger.approve(approval):
            raise Refused((f"{by} has decided on {action_id} already",))
        return approval

    return decide
