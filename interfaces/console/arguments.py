"""The arguments of an action as fields of a form, and what somebody changed in them. Behind the form that edits."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from core.domain.action import Action
from runtime.services.editing import FIXED

MOST = 40
SEEN = "from_"
"""What the proposer saw, and no wish: a change there would only make it wrong."""
FIELD = "argument."


class Argument(NamedTuple):
    """`path` as `actions.edit` takes it; `text` as YAML reads it."""

    path: str
    text: str


def of(action: Action) -> list[Argument]:
    """Each single value, at most MOST."""
    plain = action.model_dump(mode="json", exclude=set(FIXED))
    return [found for name, value in plain.items() if not name.startswith(SEEN) for found in _leaves(name, value)][:MOST]


def changed(action: Action, form: Mapping[str, str]) -> list[str]:
    """`path=value` of each field that says something else than the action does."""
    sent = ((row, form.get(f"{FIELD}{row.path}", row.text).strip()) for row in of(action))
    return [f"{row.path}={text}" for row, text in sent if text != row.text]


def _leaves(path: str, value: Any) -> Iterator[Argument]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            if "." not in name:  # a path could not name it
                yield from _leaves(f"{path}.{name}", inner)
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from _leaves(f"{path}.{at}", inner)
    else:
        yield Argument(path, yaml.safe_dump(value, default_flow_style=True, width=10_000).removesuffix("...\n").strip())
