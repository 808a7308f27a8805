"""What one run may spend on a model, checked before each call and settled after it."""

from core.domain.errors import BudgetSpent
from core.domain.model import Usage
from core.domain.request import RunBudget


class Meter:
    """Counts against a budget. A call is refused when what is left cannot hold its largest answer."""

    def __init__(self, budget: RunBudget, *, micro_usd_per_1k_tokens: int) -> None:
        self._budget = budget
        self._price = micro_usd_per_1k_tokens
        self.usage = Usage()

    def admit(self, prompt_tokens: int, answer_tokens: int) -> None:
        """Raises BudgetSpent naming what is used up."""
        tokens = self.usage.tokens + prompt_tokens + answer_tokens
        checks = (
            ("model calls", self.usage.calls + 1, self._budget.model_calls),
            ("tokens", tokens, self._budget.tokens),
            ("seconds of the model", int(self.usage.seconds), self._budget.seconds),
            ("micro-dollars", self._cost(tokens), self._budget.micro_usd),
        )
        for name, would_be, limit in checks:
            if would_be > limit:
                raise BudgetSpent(f"the run may use {limit} {name}", mend="raise model.* in the settings, or go on without the model")

    def settle(self, tokens: int, seconds: float) -> None:
        total = self.usage.tokens + tokens
        self.usage = Usage(self.usage.calls + 1, total, self.usage.seconds + seconds, self._cost(total))

    def _cost(self, tokens: int) -> int:
        return -(-tokens * self._price // 1000)
