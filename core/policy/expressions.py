"""CEL as the rules use it: compiled once, evaluated without I/O, and an error is a value that never counts as an answer.

The only module that imports the CEL engine. Its environment holds two variables, `action` and `facts`, and the language's own
functions: nothing reads a file, a clock or the network. Iterations are bounded by the engine (its comprehension budget).
"""

from typing import Any, NamedTuple

from cel_expr_python import cel

from core.domain.values import Json, bounded

MAX_SOURCE = 4096
_DYNAMIC = {"action": cel.Type.DYN, "facts": cel.Type.DYN}
_ENVIRONMENT = cel.NewEnv(variables=_DYNAMIC)


class ExpressionError(ValueError):
    """The text is no CEL, or names what does not exist."""


class Answer(NamedTuple):
    """`value` is meaningful only where `error` is empty."""

    value: Any
    error: str = ""


_TRUE, _FALSE = Answer(True), Answer(False)  # almost every rule answers one of these two


class Inputs:
    """One action and its facts, converted for the engine once and shared by all rules."""

    def __init__(self, action: Json, facts: Json) -> None:
        self.activation = _ENVIRONMENT.Activation({"action": action, "facts": facts})


class Expression:
    """A compiled CEL text. Raises ExpressionError with the engine's own words."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_SOURCE:
            raise ExpressionError(f"the expression is longer than {MAX_SOURCE} characters")
        self.source = source
        self._program = compiled(source, _ENVIRONMENT)

    def truth(self, inputs: Inputs) -> Answer:
        """True or false and nothing else: a number, a text or null is an error, never "truthy"."""
        found, error = self._evaluate(inputs)
        if found is None:
            return Answer(None, error)
        value = found.value()
        # only CEL's bool comes out as Python's; an error comes out as its text, which is truthy, so truth is compared by identity
        return _TRUE if value is True else _FALSE if value is False else Answer(None, _not_an_answer(found))

    def text(self, inputs: Inputs) -> Answer:
        found, error = self._evaluate(inputs)
        if found is None:
            return Answer(None, error)
        return Answer(found.value()) if found.type() == cel.Type.STRING else Answer(None, _not_an_answer(found))

    def _evaluate(self, inputs: Inputs) -> tuple[Any, str]:
        """A value or, where the engine gave up (its budget is spent), why."""
        try:
            return self._program.eval(inputs.activation), ""
        except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError, RecursionError) as error:
            return None, _words(error)


def _not_an_answer(found: Any) -> str:
    return _words(found.value()) if found.type() == cel.Type.ERROR else f"the rule answered {found.type().name()}"


def compiled(source: str, environment: Any) -> Any:
    try:
        return environment.compile(source)
    except (RuntimeError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0].removeprefix("INVALID_ARGUMENT: ").removeprefix("ERROR: ")
        raise ExpressionError(bounded(first, 300)) from error


def _words(error: object) -> str:
    return bounded(str(error), 200) or "no reason given"
