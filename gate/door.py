"""The gate as the flow sees it, over the ledger: submit, look, cancel. Used by the controller; nothing here can execute."""

import asyncio
from datetime import timedelta
from typing import Any

from core.domain.clock import Clock
from core.domain.errors import InvalidInput
from core.domain.ledger import ActionRow, Ledger
from core.domain.outcome import ActionState
from core.domain.proposal import Proposal
from core.domain.submitting import Standing
from core.domain.values import bounded, canonical
from core.domain.verdict import Verdict

CANCELLABLE = (ActionState.SUBMITTED, ActionState.NEEDS_APPROVAL, ActionState.APPROVED, ActionState.PERMITTED)
LONGEST_WISH = timedelta(hours=24)


class LedgerDoor:
    """Implements `core.domain.submitting.GateDoor`."""

    def __init__(self, ledger: Ledger, clock: Clock, *, poll_seconds: float = 0.1) -> None:
        self._ledger = ledger
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def submit(self, proposal: Proposal, *, by: str) -> Standing:
        row = self._row(proposal, by)
        if self._ledger.submit(row):
            return standing(row)
        note = "the same wish is open already, or this very action was submitted before"
        return Standing(row.action_id, ActionState.CANCELLED, "", note, ())

    async def standing(self, action_id: str) -> Standing:
        return standing(self._found(action_id))

    async def until(self, action_id: str, *left: ActionState) -> Standing:
        while (row := self._found(action_id)).state in left:  # noqa: ASYNC110  other processes move the row
            await asyncio.sleep(self._poll_seconds)  # real time: a simulated clock may stand still until this action has moved
        return standing(row)

    async def cancel(self, action_id: str, *, by: str, reason: str) -> Standing:
        row = self._found(action_id)
        if row.state in CANCELLABLE:
            event = {"by": by, "reason": bounded(reason, 200)}
            note = f"cancelled by {by}: {bounded(reason, 200)}"
            self._ledger.move(action_id, row.state, ActionState.CANCELLED, role="door", at=self._clock.now(), event=event, note=note)
        return standing(self._found(action_id))

    def _found(self, action_id: str) -> ActionRow:
        if row := self._ledger.get(action_id):
            return row
        raise InvalidInput(f"no action {action_id[:40]!r}", mend="day2 action list")

    def _row(self, proposal: Proposal, by: str) -> ActionRow:
        now = self._clock.now()
        action = proposal.action
        texts: dict[str, Any] = dict.fromkeys(ActionRow._fields, "")
        return ActionRow(
            **texts
            | {
                "action_id": action.id,
                "digest": action.digest(),
                "intent_key": action.intent_key(),
                "run_id": proposal.run,
                "agent": proposal.agent,
                "kind": action.kind,
                "target_uid": action.target.uid,
                "namespace": action.target.namespace,
                "proposal": canonical(proposal).decode(),
                "state": ActionState.SUBMITTED,
                "submitted_by": bounded(by, 200),
                "submitted_at": now,
                "changed_at": now,
                "expires_at": min(proposal.expires_at, now + LONGEST_WISH),
                "next_look_at": None,
                "deadline": None,
                "epoch": 0,
                "attempts": 0,
            }
        )


def standing(row: ActionRow) -> Standing:
    if not row.verdict:
        return Standing(row.action_id, row.state, "", row.note, ())
    verdict = Verdict.model_validate_json(row.verdict)
    reasons = tuple(f"{result.rule}: {result.message}" for result in verdict.reasons())
    return Standing(row.action_id, row.state, verdict.decision.value, row.note, reasons)
