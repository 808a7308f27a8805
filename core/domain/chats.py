"""What the chats must remember over a restart: events that were taken, messages that show a record, and what a thread was about.

Nothing here allows anything: the ledger is asked again at every press. `tools/stores/front/chats.py` keeps it, and has the twin.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """Where something is said. `thread` is empty at the top of a conversation."""

    product: str
    conversation: str
    thread: str = ""

    @property
    def name(self) -> str:
        """How the intake knows it."""
        return f"{self.conversation}/{self.thread}" if self.thread else self.conversation


class Shows(StrEnum):
    """What a message shows."""

    CARD = "card"
    RUN = "run"
    INBOX = "inbox"


class Ref(NamedTuple):
    """One message that shows a record. `message` is the product's id of it, empty until it was posted; `shown` is the digest of what it
    shows; `told` is the last phase that its thread was told; `reminded` is how many per cent of its time were over at the last reminder."""

    id: int
    shows: Shows
    subject: str
    place: Place
    message: str
    shown: str
    told: str
    reminded: int
    open: bool
    at: datetime


class Taken(NamedTuple):
    """An event that arrived. `body` is what is needed to work on it again."""

    product: str
    event: str
    body: str
    at: datetime


class Topic(NamedTuple):
    """What a thread was about last, for `and in payments?` and `why?`."""

    intent: str = ""
    text: str = ""
    namespace: str = ""
    run: str = ""
    action: str = ""


class Snooze(NamedTuple):
    action: str
    by: str
    place: Place
    until: datetime


class Line(NamedTuple):
    """One message of a conversation that is kept here, because no product keeps it: the web chat's. `body` is JSON."""

    id: int
    place: Place
    by: str
    body: str
    at: datetime


class Chats(Protocol):
    def take(self, event: Taken) -> bool:
        """False where this event arrived before: nothing was changed."""

    def done(self, product: str, event: str) -> None: ...

    def undone(self, product: str, limit: int = 200) -> list[Taken]:
        """Taken and not worked to the end, oldest first."""

    def forget(self, before: datetime) -> int:
        """Events that are done and snoozes that are over; how many."""

    def reserve(self, shows: Shows, subject: str, place: Place, at: datetime) -> Ref | None:
        """A place for a message that shall show this. None where this place has an open one: it is to be edited, not repeated."""

    def posted(self, ref: int, message: str) -> None: ...

    def showing(self, ref: int, *, before: str, shown: str, told: str, still_open: bool) -> bool:
        """False where it shows something else than `before` by now: another process was first."""

    def reminded(self, ref: int, percent: int) -> bool:
        """False where that much was reminded of already."""

    def refs(self, *, subject: str = "", product: str = "", only_open: bool = True) -> list[Ref]:
        """Oldest first."""

    def topic(self, place: Place) -> Topic: ...

    def about(self, place: Place, topic: Topic, at: datetime) -> None: ...

    def snooze(self, item: Snooze) -> None: ...

    def snoozed(self) -> list[Snooze]: ...

    def wake(self, action: str, by: str) -> bool:
        """False where it was woken already."""

    def say(self, place: Place, by: str, body: str, at: datetime) -> int: ...

    def resay(self, line: int, body: str) -> None: ...

    def lines(self, place: Place, after: int = 0, limit: int = 200) -> list[Line]:
        """Oldest first, of the newest `limit`; private ones have the reader's name in their place's thread."""

    def kept(self, name: str) -> str:
        """A small thing that must be known after a restart, such as the day of the last digest. Empty where it was never kept."""

    def keep(self, name: str, value: str) -> None: ...
