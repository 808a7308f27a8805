"""`-o template=TEXT`: a Jinja template over the document. Its fields are the variables: `{% for f in items %}{{ f.id }}{% endfor %}`.

The template is the reader's, what it prints is the cluster's. So the template sees plain data only: a dot is a field of the document and
never an attribute of a Python object (but a loop's `loop.index`, `loop.last` and their like), so nothing leads from a value to the
interpreter; and what is printed has no control characters but line ends and tabs. docs/decisions/0006 says why it is Jinja.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.domain.errors import InvalidInput
from core.domain.values import bounded
from interfaces.rendering.envelopes import Json

LONGEST = 100_000
_GO = ("{{range", "{{ range .", "{{.", "{{ .", "{{end", "{{ end }}", "{{with", "{{ with .", "{{printf")
_LOOP = frozenset({"index", "index0", "first", "last", "length"})
_MEND = "a Jinja template such as: {% for f in items %}{{ f.id }}{{ '\\n' }}{% endfor %}"


class _Fields(ImmutableSandboxedEnvironment):
    """`a.b` and `a['b']` are both the item `b` of a mapping, or a place in a list; Python's attributes do not exist."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, LoopContext) and argument in _LOOP:
            return getattr(obj, argument)
        if isinstance(obj, Mapping):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        if isinstance(obj, Sequence) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(obj=obj, name=argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002  the sandbox's form
        return False

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002  the sandbox's form
        raise jinja2.exceptions.SecurityError("a template calls nothing; filters are there")


def checked(template: str) -> None:
    """Raises InvalidInput for what is no template, before any work is done."""
    _compiled(template)


def rendered(template: str, document: Json) -> str:
    """The text that the template makes of the document. Raises InvalidInput for a field that is not there."""
    try:
        return _compiled(template).render(document | {"document": document})
    except jinja2.TemplateError as error:
        raise InvalidInput(
            f"template: {bounded(str(error), 200)}", mend="day2 schema KIND names the fields; `| default('')` allows for none"
        ) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise InvalidInput(f"template: {bounded(str(error), 200)}", mend=_MEND) from error


def _compiled(template: str) -> jinja2.Template:
    if len(template) > LONGEST:
        raise InvalidInput("template: too long", mend=_MEND)
    if any(word in template for word in _GO):
        raise InvalidInput("template: this is a Go template; day2 reads Jinja", mend=f"{_MEND}; or -o jsonpath=")
    environment = _Fields(undefined=jinja2.StrictUndefined, autoescape=False, finalize=_printable, keep_trailing_newline=True)
    environment.globals.clear()
    try:
        return environment.from_string(template)
    except (jinja2.TemplateError, RecursionError) as error:
        raise InvalidInput(f"template: {bounded(str(error), 200)}", mend=_MEND) from error


def _printable(value: Any) -> Any:
    """Text that somebody else wrote may not move the reader's cursor."""
    if not isinstance(value, str):
        return value
    return "\n".join("\t".join(bounded(part, len(part) + 1) for part in line.split("\t")) for line in value.split("\n"))
