"""The model port: it classifies, ranks and explains; it never adds facts and never acts. Its absence is an answer that callers must say."""

from typing import NamedTuple, Protocol, TypeVar

from pydantic import BaseModel

from core.domain.quoting import Quoted

T = TypeVar("T", bound=BaseModel)


class Question(NamedTuple):
    """`instruction` is ours, `text` is a person's, `evidence` is the cluster's."""

    purpose: str
    instruction: str
    text: str = ""
    evidence: tuple[Quoted, ...] = ()


class Usage(NamedTuple):
    """What a run used so far."""

    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    micro_usd: int = 0


class Model(Protocol):
    @property
    def usage(self) -> Usage: ...

    async def ask(self, question: Question, schema: type[T]) -> T:
        """The answer in the schema. Raises Unavailable when the endpoint fails or answers nonsense.

        Raises BudgetSpent when the run may not ask more.
        """
