"""Exit codes: one table for all commands, shown by `day2 help exit-codes`."""

from collections.abc import Sequence
from enum import IntEnum

from core.domain import errors
from core.domain.outcome import ActionState


class Exit(IntEnum):
    DONE = 0
    ERROR = 1
    DIFFERS = 2
    DENIED = 3
    NOT_AUTHORISED = 4
    ROLLED_BACK = 5
    ROLLBACK_INCOMPLETE = 6
    EXPIRED = 7
    WAITING = 8
    STOPPED = 9
    USAGE = 64
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "done, or nothing to do",
    Exit.ERROR: "error",
    Exit.DIFFERS: "changes or findings exist (only with --detailed-exitcode or --fail-on), or an experiment failed",
    Exit.DENIED: "denied by policy or by a person",
    Exit.NOT_AUTHORISED: "not authenticated or not authorised",
    Exit.ROLLED_BACK: "verification failed, rolled back cleanly",
    Exit.ROLLBACK_INCOMPLETE: "verification failed and the rollback is incomplete: a person must look",
    Exit.EXPIRED: "expired, or --timeout reached",
    Exit.WAITING: "waiting for approval (--no-wait)",
    Exit.STOPPED: "the emergency stop is active",
    Exit.USAGE: "usage error",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
}

_BY_ERROR: tuple[tuple[type[errors.Day2Error], Exit], ...] = (
    (errors.Stopped, Exit.STOPPED),
    (errors.Refused, Exit.DENIED),
    (errors.NotAuthenticated, Exit.NOT_AUTHORISED),
    (errors.NotAuthorised, Exit.NOT_AUTHORISED),
    (errors.Day2Error, Exit.ERROR),
)


def of_error(error: errors.Day2Error) -> Exit:
    """The first row that fits."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))


_WORST_FIRST: tuple[tuple[ActionState, Exit], ...] = (
    (ActionState.ESCALATED, Exit.ROLLBACK_INCOMPLETE),
    (ActionState.ROLLED_BACK, Exit.ROLLED_BACK),
    (ActionState.FAILED, Exit.ERROR),
    (ActionState.DENIED, Exit.DENIED),
    (ActionState.EXPIRED, Exit.EXPIRED),
    (ActionState.CANCELLED, Exit.ERROR),
    (ActionState.NEEDS_APPROVAL, Exit.WAITING),
)


def of_states(states: Sequence[ActionState]) -> Exit:
    """The worst outcome of several actions; 0 where every one was verified."""
    return next((code for state, code in _WORST_FIRST if state in states), Exit.DONE)
