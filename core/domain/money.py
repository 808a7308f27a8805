"""Money in integer micro-dollars, with where the price came from. Renderers divide; nothing else does."""

from pydantic import Field

from core.domain.values import Moment, Value

MICRO = 1_000_000
HOURS_PER_MONTH = 730


class PriceSource(Value):
    """Where a price came from and how old it is."""

    name: str
    at: Moment


class Saving(Value):
    """Micro-USD per month. `paper` is the requested capacity given back, priced; `realisable` counts only nodes that could really go.

    Negative values are cost. `low`..`high` bounds paper by the uncertainty of the usage it rests on.
    """

    paper_micro_usd: int
    realisable_micro_usd: int = 0
    low_micro_usd: int = 0
    high_micro_usd: int = 0
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    source: PriceSource | None = None


class InstancePrice(Value):
    """On-demand price of one machine type."""

    instance_type: str
    cpu_milli: int = Field(gt=0)
    memory_mib: int = Field(gt=0)
    gpus: int = Field(default=0, ge=0)
    hourly_micro_usd: int = Field(ge=0)


class PriceList(Value):
    """Prices with their source. Unknown instance types have no price: a saving on them is not claimed."""

    source: PriceSource
    instances: tuple[InstancePrice, ...] = ()
    gpu_weight: int = Field(
        default=30_052, description="price of one GPU over one CPU core in thousandths (OpenCost defaults: 0.95 / 0.031611)"
    )
    memory_weight: int = Field(default=134, description="price of one GiB over one CPU core in thousandths (0.004237 / 0.031611)")

    def of(self, instance_type: str) -> InstancePrice | None:
        return next((price for price in self.instances if price.instance_type == instance_type), None)
