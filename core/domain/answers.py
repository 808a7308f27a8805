"""Answers that were given under an idempotency key: who asks again with the same key gets the same answer, and nothing happens twice."""

from datetime import datetime
from typing import NamedTuple, Protocol


class Answer(NamedTuple):
    """`status` 0: somebody is at it. `digest` is of what was asked."""

    digest: str
    status: int
    body: str
    at: datetime


class Answers(Protocol):
    def begin(self, by: str, key: str, digest: str, *, at: datetime, stale_before: datetime, forget_before: datetime) -> Answer | None:
        """Take the key: None where it is ours now. What is there is given back, unless it is older than `forget_before`, or nobody is at it
        any more since `stale_before`: then it is ours too, where the digest is the same."""

    def keep(self, by: str, key: str, *, status: int, body: str) -> None: ...

    def drop(self, by: str, key: str) -> None:
        """Nothing was done: the key is free again."""
