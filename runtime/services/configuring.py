"""Settings as people see them: every value with the source that won, and changing one in a file. Behind `day2 config`."""

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import SecretStr

from core.domain.errors import InvalidInput
from runtime import settings
from runtime.replacing import replace
from runtime.settings import Loaded


class Setting(NamedTuple):
    """`value` is plain; a secret shows as dots."""

    key: str
    value: Any
    source: str
    description: str
    default: Any


def view(loaded: Loaded) -> list[Setting]:
    return [_setting(loaded, row.key) for row in loaded.sources]


def get(loaded: Loaded, key: str) -> Setting:
    """Raises InvalidInput with the nearest key."""
    settings.described(key)
    return _setting(loaded, key)


def change(path: Path, key: str, text: str) -> None:
    """Write one value into a settings file, all or nothing. Raises InvalidInput before anything is written where the value does not fit.

    Comments of the file are lost; a file that has some is refused.
    """
    settings.described(key)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if any(line.lstrip().startswith("#") for line in before.splitlines()):
        raise InvalidInput(f"{path} has comments, which would be lost", mend=f"write it by hand: {key}: {text}")
    tree = (yaml.safe_load(before) if before else None) or {}
    if not isinstance(tree, dict):
        raise InvalidInput(f"{path} should be a mapping", mend=f"move it aside: mv {path} {path}.bad")
    _put(tree, key, yaml.safe_load(text))
    after = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    _try(after, path)
    _replace(path, after)


def _setting(loaded: Loaded, key: str) -> Setting:
    source = next(row.source for row in loaded.sources if row.key == key)
    return Setting(
        key,
        _plain(settings.value_at(loaded.settings, key)),
        source,
        settings.described(key),
        _plain(settings.value_at(settings.Settings(), key)),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "••••" if value.get_secret_value() else ""
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *groups, last = key.split(".")
    for group in groups:
        inner = tree.setdefault(group, {})
        if not isinstance(inner, dict):
            raise InvalidInput(f"{group} is not a group in the file", mend="write it by hand")
        tree = inner
    tree[last] = value


def _try(text: str, path: Path) -> None:
    """Load the new file alone, as if it were in force."""
    with tempfile.TemporaryDirectory(prefix="day2-") as folder:
        trial = Path(folder, path.name)
        trial.write_text(text, encoding="utf-8")
        settings.load(environment={}, files=(trial,))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace(path, text.encode())
