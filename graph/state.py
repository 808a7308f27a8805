"""What the flows remember between steps: ids, words and versioned JSON, never classes, snapshots or permission.

`schema` is the version of this module's shapes; a stored state of another version is refused at resume, not guessed.
"""

import operator
from typing import Annotated, Any, TypedDict

SCHEMA = 1

Plain = dict[str, Any]
"""JSON of a `core.domain` value."""


class RunState(TypedDict, total=False):
    """One pass over one request. The thread id is the run id."""

    schema: int
    request: Plain  # Request
    chosen: list[Plain]  # Choice: agent and why
    absent: list[Plain]  # Choice: who would have been asked but takes no work, and why
    usage: Plain  # Usage: what the model cost
    nobody: str  # why no agent fits, in words for the asker
    consultations: Annotated[list[Plain], operator.add]  # one per agent: agent, findings, proposals, coverage, seconds
    winners: list[Plain]  # Proposal
    held: list[Plain]  # Held: proposal, by, reason
    submitted: list[Plain]  # action_id, state, note
    response: Plain


class ConsultTask(TypedDict):
    """What `Send` hands to one consultation."""

    agent: str
    request: Plain


class ActionState(TypedDict, total=False):
    """One action's way. The thread id is the action id; the ledger has the truth, this has where to go next."""

    schema: int
    action_id: str
    standing: str  # ActionState value of the ledger as last seen
    note: str
    answer: Plain  # what a person was heard to say; never trusted, the ledger is asked


class HealingState(TypedDict, total=False):
    """One node's healing. The thread id is the episode's id; what was submitted for it is in the ledger."""

    schema: int
    episode: Plain  # Episode
