"""The write port. Only the gate may import this module; agents never (a contract proves it)."""

from typing import Protocol

from core.domain.api_request import ApiRequest
from core.domain.values import Json


class ClusterWriter(Protocol):
    """Sends one request as one principal. `permit` travels in the impersonation extra `day2.dev/permit`; there is no call without one."""

    async def send(self, request: ApiRequest, *, agent: str, permit: str, dry_run: bool = False) -> Json:
        """The object as the API server answered. Raises Refused, NotAuthorised, Conflict, Unavailable (nothing was sent or stored)
        or OutcomeUnknown (the reply was lost)."""


class Previewer(Protocol):
    """The judge's dry-run as `day2:preview:<agent>`, which may do nothing else."""

    async def preview(self, request: ApiRequest, *, agent: str) -> Json:
        """What the object would be. Raises Refused with the API server's message, Conflict or Unavailable."""
