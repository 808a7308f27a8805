"""The form of each document kind as people write it (camelCase, Kubernetes quantities, money with its currency), and the way from
there to the platform's own values. Only `documents` uses it; a wrong field or type raises pydantic's ValidationError, a wrong
quantity or amount a ValueError.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.cluster import quantities
from core.domain.money import MICRO, InstancePrice, PriceList, PriceSource
from core.domain.objective import Autonomy, FreezeWindow, Objective, Scope, Slo
from core.domain.values import Moment, Value
from core.policy.declarations import Grant
from core.policy.policies import ActionPolicy, Spec

_MONEY = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(?: ?USD)?", re.ASCII)
_SPAN = re.compile(r"([0-9]{1,6})(s|m|h|d)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def micro_usd(value: object) -> int:
    """`"500 USD"`, `"0.768"` or 500 as integer micro-dollars. Other currencies are refused: no exchange rate is guessed."""
    match = _MONEY.fullmatch(_number_text(value))
    if not match:
        raise ValueError('an amount is written like "500 USD" or 0.768')
    return int(Decimal(match[1]) * MICRO)


def seconds(value: object) -> int:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise ValueError('a span of time is written like "15m", "1h" or "7d"')
    return int(match[1]) * _SECONDS[match[2]]


def _number_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a number or a text")  # noqa: TRY004 - pydantic reports ValueErrors with their place
    return format(Decimal(str(value)), "f") if isinstance(value, float) else str(value)


def _quantity(read: Callable[[str], int]) -> Callable[[object], int]:
    return lambda value: read(_number_text(value))


Usd = Annotated[int, BeforeValidator(micro_usd)]
Span = Annotated[int, BeforeValidator(seconds)]
CpuMilli = Annotated[int, BeforeValidator(_quantity(quantities.cpu_milli))]
MemoryMib = Annotated[int, BeforeValidator(_quantity(quantities.memory_mib))]


class Form(BaseModel):
    """Strict like `Value`, but in camelCase."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, validate_by_name=False)


class Metadata(Form):
    name: str = Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$")
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class SloForm(Form):
    latency_p99_ms: int = Field(default=0, ge=0, alias="latencyP99Ms")
    error_per_mille: int = Field(default=0, ge=0, le=1000)


class FreezeForm(Form):
    name: str = Field(min_length=1, max_length=100)
    start: Moment
    end: Moment


class ScopeForm(Form):
    namespaces: tuple[str, ...] = Field(min_length=1)


class ObjectiveForm(Form):
    scope: ScopeForm
    serves: Literal["reliability", "cost", "security", "performance"]
    priority: int = Field(ge=0, le=1000)
    slo: SloForm = SloForm()
    monthly_budget: Usd = 0
    gpu_allowance: int | None = Field(default=None, ge=0)
    min_replicas: int = Field(default=0, ge=0)
    pod_security: Literal["", "privileged", "baseline", "restricted"] = ""
    freeze: tuple[FreezeForm, ...] = ()
    autonomy: dict[str, Autonomy] = Field(default_factory=dict)
    vouched: dict[str, Autonomy] = Field(default_factory=dict)
    vouched_since: Moment | None = None

    def value(self, name: str) -> Objective:
        for window in self.freeze:
            if window.end <= window.start:
                raise ValueError(f"the freeze window {window.name} ends before it starts")
        return Objective(
            name=name,
            scope=Scope(namespaces=self.scope.namespaces),
            serves=self.serves,
            priority=self.priority,
            slo=Slo(**self.slo.model_dump()),
            monthly_budget_micro_usd=self.monthly_budget,
            gpu_allowance=self.gpu_allowance,
            min_replicas=self.min_replicas,
            pod_security=self.pod_security,
            freeze=tuple(FreezeWindow(name=window.name, start=window.start, end=window.end) for window in self.freeze),
            autonomy=self.autonomy,
            vouched=self.vouched,
            vouched_since=self.vouched_since,
        )


class PolicyForm(Spec, Form):
    def value(self, name: str) -> ActionPolicy:
        if bool(self.overrides) != bool(self.reason.strip()):
            raise ValueError("`overrides` names a built-in rule, and `reason` says why another one holds here: both or neither")
        return ActionPolicy(name=name, **dict(self))


class GrantForm(Form):
    agent: str
    capabilities: tuple[str, ...] = Field(min_length=1)
    namespaces: tuple[str, ...] = Field(default=("*",), min_length=1)
    owner: str = Field(default="", max_length=200)

    def value(self, name: str) -> Grant:
        return Grant(name=name, **self.model_dump())


class LeftForm(Form):
    """For documents that only others read: the judge needs no schedule, and a wrong one must not stop it."""

    model_config = ConfigDict(extra="ignore")

    def value(self, name: str) -> Value:  # noqa: ARG002 - every form is asked the same way
        return Value()


class InstanceForm(Form):
    instance_type: str = Field(min_length=1, max_length=100)
    cpu: CpuMilli = Field(gt=0)
    memory: MemoryMib = Field(gt=0)
    gpus: int = Field(default=0, ge=0)
    hourly: Usd


class PriceListForm(Form):
    source: str = Field(min_length=1, max_length=200)
    at: Moment
    instances: tuple[InstanceForm, ...] = ()
    gpu_weight: int | None = Field(default=None, ge=0)
    memory_weight: int | None = Field(default=None, ge=0)

    def value(self, name: str) -> PriceList:  # noqa: ARG002 - every form is asked the same way; a price list is named by its source
        weights = {key: weight for key in ("gpu_weight", "memory_weight") if (weight := getattr(self, key)) is not None}
        return PriceList(
            source=PriceSource(name=self.source, at=self.at),
            instances=tuple(
                InstancePrice(
                    instance_type=item.instance_type,
                    cpu_milli=item.cpu,
                    memory_mib=item.memory,
                    gpus=item.gpus,
                    hourly_micro_usd=item.hourly,
                )
                for item in self.instances
            ),
            **weights,
        )


class Kind(NamedTuple):
    form: type[Form]
    value: Callable[[Any, str], Value]


KINDS: Mapping[str, Kind] = {
    "Objective": Kind(ObjectiveForm, ObjectiveForm.value),
    "ActionPolicy": Kind(PolicyForm, PolicyForm.value),
    "Grant": Kind(GrantForm, GrantForm.value),
    "Schedule": Kind(LeftForm, LeftForm.value),
    "PriceList": Kind(PriceListForm, PriceListForm.value),
}
