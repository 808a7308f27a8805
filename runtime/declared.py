"""The documents in force: objectives, grants and prices, read once from the configured file or folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from core.domain.errors import InvalidInput
from core.domain.money import PriceList
from core.domain.objective import Objective, Objectives
from core.policy import documents
from core.policy.declarations import Grant
from core.policy.forms import KINDS, Kind


class Declared(NamedTuple):
    """What people declared. Without documents nothing is granted: agents look and propose, the judge allows nothing by itself."""

    objectives: Objectives = Objectives()
    grants: tuple[Grant, ...] = ()
    prices: PriceList | None = None


def read(path: Path | None) -> Declared:
    """Raises InvalidDocument with file and line, InvalidInput for a path that is not there."""
    found = documents_at(path)
    prices = documents.of_kind(found, PriceList)
    return Declared(
        objectives=Objectives(items=documents.of_kind(found, Objective)),
        grants=documents.of_kind(found, Grant),
        prices=prices[0] if prices else None,
    )


def documents_at(path: Path | None, kinds: Mapping[str, Kind] = KINDS) -> tuple[documents.Document, ...]:
    """Raises as `read`."""
    if path is None:
        return ()
    if not path.expanduser().exists():
        raise InvalidInput(
            f"no documents at {path}",
            mend="set policy.objectives to a file or folder of day2.dev/v1alpha1 documents: day2 config explain policy.objectives",
        )
    return documents.read_path(path.expanduser(), kinds)
