"""The registry's twin: cards and leases that run out in virtual time. The product's own lease keeping (`runtime.leasing`) works on it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from agents.catalogue import AGENTS
from core.domain.errors import Unavailable
from registry.cards import Card
from registry.membership import Member, State
from runtime import leasing

if TYPE_CHECKING:
    from evals.simulation.processes import Process
    from evals.simulation.world import World

LEASE_SECONDS, RENEW_SECONDS = 15.0, 5.0


class _Held(NamedTuple):
    card: Card
    until: float


class Leases:
    """All that the registry holds, and who may look."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._held: dict[tuple[str, str], _Held] = {}
        self._states: dict[str, State] = {}

    def view(self, process: "Process") -> "_View":
        return _View(self, process)

    def members(self, process: "Process") -> tuple[Member, ...]:
        """Everybody who ever registered. Without the registry the controller's own agents, as `runtime.roles.controller` has it."""
        if self._world.cut(process.name, "registry") or not self._held:
            return tuple(Member(name, State.READY, card, card.digest(), ("in-process",), 0) for name, card in cards().items())
        now = self._world.loop.time()
        found = []
        for name, card in cards().items():
            alive = tuple(sorted(instance for (agent, instance), held in self._held.items() if agent == name and held.until > now))
            state = self._states.get(name, State.REGISTERED) if alive else State.EXPIRED
            found.append(Member(name, state, card, card.digest(), alive, 0))
        return tuple(found)

    async def keep(self, process: "Process") -> None:
        """One agent process: enters, renews, and takes a lost lease again."""
        name = process.name.removeprefix("agent-")
        registry: Any = self.view(process)
        held = leasing.Leases(registry, (cards()[name],), f"{name}-{process.new('life')}")
        await held.enter(cards()[name])
        await held.keep(RENEW_SECONDS)


class _View:
    """What `runtime.leasing` needs of `registry.membership.Registry`."""

    def __init__(self, leases: Leases, process: "Process") -> None:
        self._leases = leases
        self._process = process

    async def register(self, card: Card, instance: str) -> str:
        self._reach("register")
        self._leases._held[card.name, instance] = _Held(card, self._end())  # noqa: SLF001  one store, seen from a process
        self._leases._states.setdefault(card.name, State.REGISTERED)  # noqa: SLF001
        return card.digest()

    async def renew(self, name: str, instance: str) -> bool:
        self._reach("renew")
        held = self._leases._held.get((name, instance))  # noqa: SLF001
        if held is None or held.until <= self._process.world.loop.time():
            return False
        self._leases._held[name, instance] = held._replace(until=self._end())  # noqa: SLF001
        return True

    async def members(self) -> tuple[Member, ...]:
        self._reach("members")
        return self._leases.members(self._process)

    async def move(self, name: str, state: State) -> None:
        self._reach("move")
        self._leases._states[name] = state  # noqa: SLF001

    def _end(self) -> float:
        return self._process.world.loop.time() + LEASE_SECONDS

    def _reach(self, what: str) -> None:
        self._process.boundary(f"registry.{what}")
        if self._process.world.cut(self._process.name, "registry"):
            raise Unavailable("the registry", 1.0, reason="the network is cut")


def cards() -> dict[str, Card]:
    return {agent.name: leasing.card_of(agent) for agent in AGENTS}
