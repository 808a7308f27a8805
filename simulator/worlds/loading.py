"""Reads worlds: a bundled name, a path, or a dict that a test made. Raises WorldError with the place of what is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from simulator.worlds import faults
from simulator.worlds.world import World

_HERE = Path(__file__).parent


class WorldError(ValueError):
    """A world document that cannot be used."""


def bundled() -> list[str]:
    """The names that need no path."""
    return sorted(path.stem for path in _HERE.glob("*.yaml"))


def load(source: str | Path | Mapping[str, Any]) -> World:
    """The world of a bundled name, a YAML file or a dict, with its fault recipes worked in."""
    document = dict(source) if isinstance(source, Mapping) else _read(Path(source))
    try:
        return faults.apply(World.model_validate(document))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the document"
        raise WorldError(f"world {document.get('name', source)!s:.80}: {place}: {first['msg']}") from error


def _read(path: Path) -> dict[str, Any]:
    file = path if path.suffix in (".yaml", ".yml") else _HERE / f"{path}.yaml"
    if not file.is_file():
        raise WorldError(f"there is no world {str(path)!r}: known are {', '.join(bundled())}, or give the path of a YAML file")
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise WorldError(f"{file}: {error}") from error
    if not isinstance(document, dict):
        raise WorldError(f"{file}: a world is a mapping")
    return document
