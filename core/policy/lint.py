"""Finds what is wrong with rules before a judge loads them: `lint(documents)` returns problems, each with file and line.

The typed half uses the engine's own checker: every fact is declared with its type, so `facts.namespce`, a number compared with a
text, or a `when` that is no truth value is a problem here and not an error at three in the morning.
"""

import re
import types
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from cel_expr_python import cel

from core.domain.action import Action
from core.domain.errors import InvalidDocument
from core.domain.facts import Facts
from core.domain.target import Target
from core.policy import documents, engine, expressions, policies, testing

_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_ACTION_FIELD = re.compile(r"\baction\.([A-Za-z_][A-Za-z0-9_]*)")
_TARGET_FIELD = re.compile(r"\baction\.target\.([A-Za-z_][A-Za-z0-9_]*)")
_FACT = re.compile(r"\bfacts\.([A-Za-z_][A-Za-z0-9_]*)")
_TRUTHS = frozenset({"BOOL", "bool_wrapper", "DYN"})
_WORDS = frozenset({"STRING", "string_wrapper", "DYN"})
_WRAPPED = {int: "google.protobuf.Int64Value", bool: "google.protobuf.BoolValue", str: "google.protobuf.StringValue"}
_PLAIN = {int: cel.Type.INT, bool: cel.Type.BOOL, str: cel.Type.STRING}

KindFields = Mapping[str, frozenset[str]]
"""Argument names of each action kind."""


class Problem(NamedTuple):
    file: str
    line: int
    rule: str
    message: str
    level: Literal["error", "note"] = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


def lint_text(text: str, file: str, kinds: KindFields | None = None) -> tuple[Problem, ...]:
    """As `lint`, from a file's text; a document that cannot be read is a problem too."""
    try:
        found = documents.unique(documents.read(text, file))
    except InvalidDocument as error:
        return (Problem(error.file, error.line, "", str(error).partition(": ")[2]),)
    return lint(found, kinds)


def lint(found: Iterable[documents.Document], kinds: KindFields | None = None) -> tuple[Problem, ...]:
    """Problems of every ActionPolicy, in reading order. Without `kinds`, action kinds and their arguments are not looked at."""
    return tuple(problem for document in found if document.kind == "ActionPolicy" for problem in _of_rule(document, kinds))


def facts_read(policy: policies.ActionPolicy) -> tuple[str, ...]:
    """The facts that a rule reads, in the order of their names."""
    return tuple(sorted(set(_FACT.findall(_code(policy.when) + " " + _code(policy.message)))))


def _of_rule(document: documents.Document, kinds: KindFields | None) -> Iterable[Problem]:
    policy = document.value
    assert isinstance(policy, policies.ActionPolicy)  # noqa: S101 - `kind` says so
    broken = [*_expression(document, policy, "when", _TRUTHS), *_expression(document, policy, "message", _WORDS)]
    yield from broken
    yield from _target_fields(document, policy)
    yield from _fields(document, policy, kinds)
    yield from _tests(document, policy, run=not broken)


def _expression(document: documents.Document, policy: policies.ActionPolicy, field: str, wanted: frozenset[str]) -> Iterable[Problem]:
    source = getattr(policy, field)
    try:
        expressions.Expression(source)
        answer = expressions.compiled(source, _typed()).return_type().name()
    except expressions.ExpressionError as error:
        yield _problem(document, f"`{field}`: {error}", field)
        return
    if answer not in wanted:
        kind = "true or false" if field == "when" else "a text"
        yield _problem(document, f"`{field}` must answer {kind}, and answers {answer}", field)


def _fields(document: documents.Document, policy: policies.ActionPolicy, kinds: KindFields | None) -> Iterable[Problem]:
    if kinds is None:
        return
    for position, kind in enumerate(policy.applies_to):
        if kind != "*" and kind not in kinds:
            yield _problem(document, f"there is no action kind `{kind}` (yet)", "appliesTo", position, level="note")
    covered = [kinds[kind] for kind in kinds if policy.covers(kind)]
    known = {"kind", "risk", "reversible", *Action.model_fields}.union(*covered)
    for field in ("when", "message"):
        for name in _ACTION_FIELD.findall(_code(getattr(policy, field))):
            if name not in known:
                yield _problem(document, f"no action it applies to has `action.{name}`", field)


def _target_fields(document: documents.Document, policy: policies.ActionPolicy) -> Iterable[Problem]:
    for field in ("when", "message"):
        for name in _TARGET_FIELD.findall(_code(getattr(policy, field))):
            if name not in Target.model_fields:
                yield _problem(document, f"a target has no `action.target.{name}`", field)


def _tests(document: documents.Document, policy: policies.ActionPolicy, *, run: bool) -> Iterable[Problem]:
    expected = {test.expect for test in policy.tests}
    if not expected & {"pass", "skip"}:
        yield _problem(document, "no test shows what the rule lets through", "tests")
    if policy.decision not in expected:
        yield _problem(document, f"no test expects `{policy.decision}`, so nothing shows that the rule ever speaks", "tests")
    if run:
        for position, result in enumerate(testing.run([policy]).results):
            if not result.ok:
                said = f" ({result.said})" if result.said else ""
                yield _problem(document, f"test `{result.test}` expects {result.expected} and got {result.got}{said}", "tests", position)


def _problem(document: documents.Document, message: str, *place: str | int, level: Literal["error", "note"] = "error") -> Problem:
    return Problem(document.file, document.marked.line(("spec", *place)), document.name, message, level)


def _code(source: str) -> str:
    """The expression without its text literals, so that words in a message are not taken for names."""
    return _TEXTS.sub("''", source)


@cache
def _typed() -> Any:
    declared = {f"facts.{name}": _type(field.annotation) for name, field in Facts.model_fields.items()}
    of_action = {
        "action.id": cel.Type.STRING,
        "action.kind": cel.Type.STRING,
        "action.risk": cel.Type.STRING,
        "action.reversible": cel.Type.BOOL,
    }
    return cel.NewEnv(variables={"action": cel.Type.DYN, **of_action, **declared})


def _type(annotation: Any) -> Any:
    """The engine's type of a fact. Facts that can be null become the wrapper types, which compare with null."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        plain = next(part for part in parts if part is not type(None))
        return cel.Type(_WRAPPED[plain]) if plain in _WRAPPED else cel.Type.DYN
    if origin is tuple:
        return cel.Type.List(_PLAIN.get(parts[0], cel.Type.Map(cel.Type.STRING, cel.Type.DYN)))
    if origin is dict:
        return cel.Type.Map(_type(parts[0]), _type(parts[1]))
    return _PLAIN.get(annotation, cel.Type.STRING)


def kind_fields(kinds: Mapping[str, type[Action]]) -> KindFields:
    """Argument names from a table of action kinds, such as the catalogue's."""
    return {name: frozenset(kind.model_fields) for name, kind in kinds.items()}


def builtin(kinds: KindFields | None = None) -> tuple[Problem, ...]:
    return lint(documents.read_path(engine.BUILTIN), kinds)
