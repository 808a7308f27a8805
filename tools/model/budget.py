"""What one run may spend on a model: reserved before each call, settled after it, so that calls at the same time cannot spend it twice."""

from core.domain.errors import BudgetSpent
from core.domain.model import Usage
from core.domain.request import RunBudget


class Meter:
    """Counts against a budget. A call is refused when what is left cannot hold its largest answer."""

    def __init__(self, budget: RunBudget, *, micro_usd_per_1k_tokens: int) -> None:
        self._budget = budget
        self._price = micro_usd_per_1k_tokens
        self._reserved = 0
        self.usage = Usage()

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._budget.seconds - self.usage.seconds)

    def admit(self, prompt_tokens: int, answer_tokens: int) -> int:
        """The tokens reserved, for `settle`. Raises BudgetSpent naming what is used up; then nothing is reserved."""
        wanted = prompt_tokens + answer_tokens
        tokens = self.usage.tokens + self._reserved + wanted
        checks = (
            ("model calls", self.usage.calls + 1, self._budget.model_calls),
            ("tokens", tokens, self._budget.tokens),
            ("micro-dollars", self._cost(tokens), self._budget.micro_usd),
        )
        for name, would_be, limit in checks:
            if would_be > limit:
                raise _spent(f"{limit} {name}")
        if self.seconds_left <= 0:
            raise _spent(f"{self._budget.seconds} seconds of the model")
        self._reserved += wanted
        self.usage = self.usage._replace(calls=self.usage.calls + 1)
        return wanted

    def settle(self, reserved: int, tokens: int, seconds: float) -> None:
        """After the call, however it ended. `tokens` is what the endpoint counted, or our estimate where it did not."""
        self._reserved -= reserved
        total = self.usage.tokens + tokens
        self.usage = Usage(self.usage.calls, total, self.usage.seconds + seconds, self._cost(total))

    def _cost(self, tokens: int) -> int:
        return -(-tokens * self._price // 1000)


def _spent(limit: str) -> BudgetSpent:
    return BudgetSpent(f"the run may use {limit}", mend="raise model.* in the settings, or go on without the model")
