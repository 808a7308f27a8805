"""All contestants by name, the product first."""

from collections.abc import Callable, Mapping

from core.domain.errors import InvalidInput
from evals.contestants import talking
from evals.contestants.baselines import Nothing, Reactive, Restarting, Unjudged
from evals.contestants.contestant import Contestant
from evals.contestants.product import Product
from evals.contestants.talking import PlainModel
from runtime.settings import ModelSettings

CONTESTANTS: Mapping[str, Callable[[], Contestant]] = {each.name: each for each in (Product, Nothing, Reactive, Restarting, Unjudged)}
"""Those that need nothing but the world."""
SPEAKING: Mapping[str, Callable[[ModelSettings | None], Contestant]] = {PlainModel.name: talking.configured}
"""Those that speak with the endpoint of the settings."""


def named(name: str, model: ModelSettings | None = None) -> Contestant:
    """Raises InvalidInput."""
    if name in SPEAKING:
        return SPEAKING[name](model)
    if name not in CONTESTANTS:
        raise InvalidInput(f"no contestant {name[:40]!r}", mend=f"one of: {', '.join((*CONTESTANTS, *SPEAKING))}")
    return CONTESTANTS[name]()
