"""The API server's own audit log, read: what `--audit-log-path` writes (audit.k8s.io/v1, one JSON event a line, level Metadata or more).

Behind `day2 audit reconcile`, which joins it with our chains, and `day2 rbac narrow`, which counts what rights were used for.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from core.domain.errors import InvalidInput
from core.domain.values import bounded

COMPLETE = ("ResponseComplete", "Panic")
"""The stages at which a request is over: each has one of them."""


class User(msgspec.Struct):
    username: str = ""
    extra: dict[str, list[str]] | None = None


class Status(msgspec.Struct):
    code: int = 0


class Reference(msgspec.Struct, rename="camel"):
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""


class Event(msgspec.Struct, rename="camel"):
    kind: str
    stage: str
    verb: str
    request_received_timestamp: datetime
    request_u_r_i: str = msgspec.field(default="", name="requestURI")
    user: User = msgspec.field(default_factory=User)
    impersonated_user: User | None = None
    object_ref: Reference | None = None
    response_status: Status | None = None

    @property
    def acting(self) -> User:
        """As whom it was done."""
        return self.impersonated_user or self.user

    @property
    def code(self) -> int:
        """The HTTP status; 0 where the event has none."""
        return self.response_status.code if self.response_status else 0


def events(path: Path) -> Iterator[Event]:
    """Raises InvalidInput with the line. The last line may be cut off: the server is writing it."""
    decoder = msgspec.json.Decoder(Event)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip() or not line.endswith(b"\n"):
                    continue
                try:
                    yield decoder.decode(line)
                except msgspec.DecodeError as error:
                    raise InvalidInput(
                        f"{path}:{number}: no event of audit.k8s.io: {bounded(str(error), 120)}",
                        mend="give the file of --audit-log-path, in its JSON form",
                    ) from error
    except OSError as error:
        raise InvalidInput(
            f"cannot read {path}: {error.strerror}", mend="give the file that the API server's --audit-log-path names"
        ) from error
