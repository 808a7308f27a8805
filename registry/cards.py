"""An agent's card: the shape of an A2A 1.0 agent card (https://a2a-protocol.org, AgentCard) with one Kubernetes-capability extension.

Addressed by its digest; a version only grows. Made from the agent's own table, so it cannot promise what the code does not do.
"""

from typing import Any

from pydantic import Field

from core.actions.catalogue import CATALOGUE
from core.domain.values import Value, digest

EXTENSION = "day2.dev/k8s-capabilities/v1"


class Capability(Value):
    """One action kind that an agent may propose."""

    id: str
    risk: str
    reversible: bool
    rights: tuple[str, ...]


class Card(Value):
    """What an agent says of itself. `version` is compared as numbers: 1.10 is later than 1.9."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    description: str
    version: str = Field(pattern=r"^\d+(\.\d+){0,2}$")
    url: str = ""
    words: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    capabilities: tuple[Capability, ...] = ()

    def digest(self) -> str:
        return digest(self)

    def later_than(self, other: "Card") -> bool:
        return _numbers(self.version) > _numbers(other.version)

    def agent_card(self) -> dict[str, Any]:
        """The A2A form, for `/.well-known/agent-card.json` and `day2 agent card`."""
        offered = [item.model_dump(mode="json") for item in self.capabilities]
        tags = list(self.words[:8])
        return {
            "name": self.name,
            "description": self.description,
            "version": self.version,
            "supportedInterfaces": [{"url": self.url, "protocolBinding": "day2-tasks", "protocolVersion": "1.0"}] if self.url else [],
            "capabilities": {
                "streaming": False,
                "pushNotifications": False,
                "extensions": [{"uri": EXTENSION, "required": False, "params": {"capabilities": offered}}],
            },
            "defaultInputModes": ["application/json"],
            "defaultOutputModes": ["application/json"],
            "skills": [{"id": check, "name": check, "description": f"runs check {check}", "tags": tags} for check in self.checks],
        }


def capability(kind: str) -> Capability:
    """The card's row for one action kind of the catalogue."""
    action = CATALOGUE[kind]
    return Capability(id=kind, risk=action.risk.value, reversible=action.reversible, rights=tuple(str(right) for right in action.rights))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
