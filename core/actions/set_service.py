"""Point a Service at other pods or other ports of them: what a drifted selector or target port is corrected with."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core.actions import checks, states
from core.actions.aiming import CatalogueAction, possible, rights, seen
from core.domain.action import Change, Guards, Live, Risk
from core.domain.api_request import ApiRequest
from core.domain.check import Check, Expectation, Signal
from core.domain.values import Json, Value

Port = Annotated[int, Field(ge=1, le=65535)] | Annotated[str, Field(max_length=63)]
Selector = dict[str, str]


class PortChange(Value):
    """One port of the Service by its number, and where it sends, by name or number of a container's port."""

    port: int = Field(ge=1, le=65535)
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    from_target: Port
    to_target: Port


class SetService(CatalogueAction):
    """Correct a Service's selector, the target ports of its ports, or both.

    Undone by the old ones. A Service that chooses no pods by labels is refused.
    """

    kind: Literal["set_service"] = "set_service"
    from_selector: Selector = Field(min_length=1, max_length=20, description="labels that the proposer saw it choose by")
    to_selector: Selector = Field(min_length=1, max_length=20)
    ports: tuple[PortChange, ...] = Field(default=(), max_length=20, description="one entry per port that changes")

    targets: ClassVar = ("Service",)
    risk: ClassVar = Risk.MEDIUM
    reversible: ClassVar = True
    rights: ClassVar = rights("patch", ("", "services"))
    moves_generation: ClassVar = False

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if len({(item.port, item.protocol) for item in self.ports}) != len(self.ports):
            raise ValueError("a port is named twice")
        if any(item.from_target == item.to_target for item in self.ports) or (not self.ports and self.from_selector == self.to_selector):
            raise ValueError("nothing would change")
        return self

    def request(self, live: Live) -> ApiRequest:
        spec = self.standing(live).get("spec") or {}
        possible(spec.get("type") != "ExternalName", "it chooses no pods: it is a name for another host")
        seen("the selector", self.from_selector, spec.get("selector"))
        for item in self.ports:
            place = _place(spec, item)
            seen(f"the target of port {item.port}", item.from_target, spec["ports"][place].get("targetPort", item.port))
        return self._patched(spec, self.to_selector, {item: item.to_target for item in self.ports})

    def inverse(self, live: Live) -> ApiRequest:
        return self._patched(live.object["spec"], self.from_selector, {item: item.from_target for item in self.ports})

    def changes(self, live: Live) -> tuple[Change, ...]:
        spec = live.object["spec"]
        ports = [dict(port) for port in spec.get("ports") or ()]
        for item in self.ports:
            ports[_place(spec, item)]["targetPort"] = item.to_target
        after = {"selector": self.to_selector} | ({"ports": ports} if self.ports else {})
        return tuple(Change(**leaf._asdict()) for leaf in states.delta({"spec": spec}, {"spec": spec | after}))

    @override
    def check(self, live: Live, guards: Guards) -> Check:
        return checks.check(self.target, Expectation(signal=Signal.ENDPOINTS_READY, bound=1), guards=guards, settle=15, watch=300)

    @override
    def pods_touched(self, live: Live) -> int:
        return 0

    def sentence(self) -> str:
        chosen = ",".join(f"{key}={value}" for key, value in sorted(self.to_selector.items())) if self._selects else ""
        sent = ", ".join(f"port {item.port} to {item.to_target} instead of {item.from_target}" for item in self.ports)
        return f"let {self.target.qualified} {' and '.join(filter(None, (chosen and f'choose {chosen}', sent and f'send {sent}')))}"

    @property
    def _selects(self) -> bool:
        return self.from_selector != self.to_selector

    def _patched(self, spec: Json, selector: Selector, targets: dict[PortChange, Port]) -> ApiRequest:
        places = {item: f"/spec/ports/{_place(spec, item)}" for item in targets}
        held = [{"op": "test", "path": f"{place}/port", "value": item.port} for item, place in places.items()]
        moved = [{"op": "add", "path": f"{places[item]}/targetPort", "value": target} for item, target in targets.items()]
        chosen = [{"op": "replace", "path": "/spec/selector", "value": selector}] if self._selects else []
        return self.json_patch([*held, *chosen, *moved])


def _place(spec: Json, item: PortChange) -> int:
    """Which entry of the Service's list it is. Raises Refused where the Service has no such port."""
    ports = spec.get("ports") or ()
    found = [at for at, port in enumerate(ports) if (port.get("port"), port.get("protocol", "TCP")) == (item.port, item.protocol)]
    possible(found, f"the Service has no port {item.port}/{item.protocol}")
    return found[0]
