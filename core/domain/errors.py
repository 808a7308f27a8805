"""What can go wrong, by what the caller must do about it.

    Day2Error
    ├── InvalidInput        fix the input; `mend` says how. Nothing was read or written
    │   ├── InvalidDocument     with file and line
    │   └── NotFound            nothing of this name is there
    ├── NotAuthenticated    log in again, or renew the credential
    ├── NotAuthorised       ask for the right that `mend` names
    ├── Refused             stop: the answer is no, and trying again will not change it
    │   ├── DigestMismatch      what was approved is not what is about to run
    │   ├── PermitRefused       the permit does not open this request
    │   └── Stopped             the emergency stop is on; a person resumes
    ├── Conflict            the object changed under us: read again and judge again
    ├── Unavailable         wait `retry_after` seconds, then try the same call again
    ├── Busy                another process holds this; attach to it or stop it
    ├── BudgetSpent         go on without: the run may not use more of this
    ├── OutcomeUnknown      the request may have been applied: read before any further write
    └── Corrupt             a store is damaged: stop writing, run `day2 doctor`, restore

`mend` is one sentence or command that helps; the doors print it under the message.
"""


class Day2Error(Exception):
    """Base of every error that this platform raises on purpose."""

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.mend = mend


class InvalidInput(Day2Error):
    """What was given cannot be used."""


class InvalidDocument(InvalidInput):
    """A document has a mistake at a place that can be named. `line` counts from 1; 0 means the whole file."""

    def __init__(self, message: str, *, file: str, line: int = 0, mend: str = "") -> None:
        place = f"{file}:{line}" if line else file
        super().__init__(f"{place}: {message}", mend=mend)
        self.file = file
        self.line = line


class NotFound(InvalidInput):
    """Nothing of this name is there."""


class NotAuthenticated(Day2Error):
    """The other side does not know who we are (HTTP 401, an expired certificate)."""


class NotAuthorised(Day2Error):
    """The other side knows us and says no (HTTP 403). `right` is "verb group/resource"."""

    def __init__(self, message: str, *, right: str = "", mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.right = right


class Refused(Day2Error):
    """The action was denied; `reasons` name the rules, in the order a person should read them."""

    def __init__(self, reasons: tuple[str, ...], *, mend: str = "") -> None:
        super().__init__("; ".join(reasons), mend=mend)
        self.reasons = reasons


class DigestMismatch(Refused):
    """An approval or verdict was presented for an action with another digest."""


class PermitRefused(Refused):
    """A permit is forged, expired, spent, or made for another request."""


class Stopped(Refused):
    """The emergency stop covers this."""


class Conflict(Day2Error):
    """The live object is no longer what was judged."""


class Unavailable(Day2Error):
    """A system we depend on did not answer in time."""

    def __init__(self, system: str, retry_after: float = 1.0, *, reason: str = "", mend: str = "") -> None:
        detail = f" ({reason})" if reason else ""
        super().__init__(f"{system} is unavailable{detail}; retry in {retry_after:g} s", mend=mend)
        self.system = system
        self.retry_after = retry_after


class Busy(Day2Error):
    """Another process owns the resource."""


class BudgetSpent(Day2Error):
    """The run's budget of tokens, calls, seconds or money is used up."""


class OutcomeUnknown(Day2Error):
    """The connection broke after the request was sent."""


class Corrupt(Day2Error):
    """Stored data fails its own checks."""
