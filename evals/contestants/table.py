"""All contestants by name, the product first."""

from collections.abc import Callable, Mapping

from core.domain.errors import InvalidInput
from evals.contestants.baselines import Nothing, Reactive, Restarting, Unjudged
from evals.contestants.contestant import Contestant
from evals.contestants.product import Product

CONTESTANTS: Mapping[str, Callable[[], Contestant]] = {each.name: each for each in (Product, Nothing, Reactive, Restarting, Unjudged)}


def named(name: str) -> Contestant:
    """Raises InvalidInput."""
    if name not in CONTESTANTS:
        raise InvalidInput(f"no contestant {name[:40]!r}", mend=f"one of: {', '.join(CONTESTANTS)}")
    return CONTESTANTS[name]()
