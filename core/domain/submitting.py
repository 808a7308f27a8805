"""The gate as the flow sees it: submit, look, cancel. Nothing here can execute."""

from typing import NamedTuple, Protocol

from core.domain.outcome import ActionState
from core.domain.proposal import Proposal


class Standing(NamedTuple):
    """Where an action stands now. `decision` is the last verdict's, empty before there is one."""

    action_id: str
    state: ActionState
    decision: str
    note: str
    reasons: tuple[str, ...]


class GateDoor(Protocol):
    async def submit(self, proposal: Proposal, *, by: str) -> Standing:
        """Put the proposal before the judge. A duplicate of an open intent answers with a note and state CANCELLED; nothing is stored."""

    async def standing(self, action_id: str) -> Standing: ...

    async def until(self, action_id: str, *left: ActionState) -> Standing:
        """Wait until the action has left these states."""

    async def cancel(self, action_id: str, *, by: str, reason: str) -> Standing: ...
