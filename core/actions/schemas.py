"""JSON Schemas of actions and proposals, for those who write them. Called by `day2 schema`, the pages and the doors."""

from core.actions.catalogue import CATALOGUE, Wire, known
from core.domain.values import Json


def schema(kind: str) -> Json:
    """The JSON Schema of one kind. Raises InvalidInput for a kind that is not in the table."""
    known(kind)
    return CATALOGUE[kind].model_json_schema()


def proposal_schema() -> Json:
    """The JSON Schema of a proposal, with every kind of action."""
    return {**Wire.model_json_schema(), "title": "Proposal"}
