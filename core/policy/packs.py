"""The rules in force: the platform's own, and those of an organisation, which adds, overrides and tries out.

An added rule can only tighten. An override stands in the place of one built-in rule, by its name and with a reason. A dry rule decides
nothing, so a dry override stands beside the rule that it may replace one day. What is locked (`engine.LOCKED`) is replaced by nobody.
"""

from collections.abc import Iterable
from pathlib import Path

from core.policy import documents, engine, expressions
from core.policy.policies import ActionPolicy

GATE = "gate-"
"""Names of results that the gate gives beside the rules, such as its two people for high risk."""
_RENAME = "rename it, or where it is to stand in that rule's place, say `overrides` and a `reason`; a dry rule stands beside it"


def in_force(folder: Path | None) -> engine.Engine:
    """The built-in rules with those of a folder. Raises InvalidDocument with file and line; their own tests are for `loading`."""
    return engine.Engine(combined(documents.read_path(folder))) if folder else engine.builtin()


def combined(own: Iterable[documents.Document]) -> tuple[ActionPolicy, ...]:
    """The built-in policies that nobody replaced, then the organisation's."""
    standing = {rule.policy.name: rule.policy for rule in engine.builtin().rules}
    known, added = frozenset(standing), []
    for document in own:
        policy = document.value
        if isinstance(policy, ActionPolicy):
            check_expressions(document)
            _check(document, policy, known, frozenset(standing))
            if policy.mode == "enforce":
                standing.pop(policy.overrides, None)
            added.append(policy)
    return (*standing.values(), *added)


def check_expressions(document: documents.Document) -> None:
    """Raises InvalidDocument at the line of an expression that does not compile."""
    for field in ("when", "message"):
        try:
            expressions.Expression(getattr(document.value, field))
        except expressions.ExpressionError as error:
            raise document.marked.wrong(f"`spec.{field}` is not CEL: {error}", ("spec", field)) from error


def _check(document: documents.Document, policy: ActionPolicy, known: frozenset[str], standing: frozenset[str]) -> None:
    """Raises InvalidDocument where it names what is not its own to name."""
    name, other, dry = policy.name, policy.overrides, policy.mode == "dry"
    if name.startswith(GATE):
        raise document.marked.wrong(f"names that begin with `{GATE}` are the gate's own", ("metadata", "name"), mend="rename it")
    if name in known and (name != other or dry):
        raise document.marked.wrong(f"there is a built-in rule `{name}`", ("metadata", "name"), mend=_RENAME)
    mistake, mend = "", ""
    if other and other not in known:
        mistake, mend = f"there is no built-in rule `{other}`", "day2 policy list names them"
    elif other in engine.LOCKED:
        mistake, mend = f"`{other}` is locked: nothing stands in its place", "add a rule of your own that tightens it"
    elif other and not dry and other not in standing:
        mistake, mend = f"another rule overrides `{other}` already", "keep one of the two, or try one of them out with `mode: dry`"
    if mistake:
        raise document.marked.wrong(mistake, ("spec", "overrides"), mend=mend)
