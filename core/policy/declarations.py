"""What people declare beside objectives and policies: who may do what. Made by `documents`. What runs by itself is in `schedules`."""

from pydantic import Field

from core.domain.values import Value


class Grant(Value):
    """An agent's capabilities, given by configuration. An agent cannot grant itself one."""

    name: str
    agent: str = Field(pattern=r"^[a-z][a-z0-9-]{0,38}$")
    capabilities: tuple[str, ...] = Field(min_length=1, description="action kinds, or `*` for the whole catalogue")
    namespaces: tuple[str, ...] = Field(default=("*",), min_length=1)
    owner: str = Field(default="", max_length=200, description="person or `group:NAME` behind the agent: alone, its approval is not enough")

    def allows(self, agent: str, capability: str, namespace: str) -> bool:
        return (
            agent == self.agent
            and (capability in self.capabilities or "*" in self.capabilities)
            and (namespace in self.namespaces or "*" in self.namespaces)
        )
