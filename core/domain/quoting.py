"""Text of the cluster as a model is shown it. Apart from the model port: who only judges needs no model."""

from typing import NamedTuple


class Quoted(NamedTuple):
    """Hostile text with its evidence id; the adapter puts it between delimiters that it cannot contain."""

    id: str
    text: str
