"""Small defects: every one that can be put into a module, one at a time, by changing its syntax tree.

They are those that a slip of the pen makes: another comparison, a condition turned round or left out, a statement, a case or a return
left out, a number by one, a handler that does not handle. Sentences for people are left alone: no test should know them by heart.
So are lines of a log, how long a text may be before it is cut, and how many seconds a watch takes. What is inside a `raise` stays too (a
mutant leaves the whole `raise` out), and so do annotations and f-strings.
"""

import ast
import copy
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

VERSION = 1
"""Of the rules below: what was found by others does not count."""
MODULE = "<module>"
"""The unit of what runs when a module is imported: constants, tables, defaults of arguments."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
WATCH = ("settle", "watch", "every")
"""Arguments that say for how many seconds something is watched: one more or less is no defect."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    unit: str  # the outermost function or method, or MODULE
    first_line: int  # of that function with its decorators: two of one name (a property and its setter) are told apart
    line: int  # of the statement
    lines: tuple[int, ...]  # of the statement's own expressions, not of the statements inside it
    number: int  # its place among all of the module
    text: str

    @property
    def name(self) -> str:
        return f"{self.unit}: {self.text}"


@dataclass(frozen=True)
class Site:
    parent: ast.AST
    field: str
    place: int | None  # in a list
    new: ast.AST
    text: Callable[[], str]  # asked only when mutants are listed, for it costs more than the change
    statement: ast.stmt

    def alter(self) -> None:
        if self.place is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.place] = self.new


def mutants(source: str) -> list[Mutant]:
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    number = 0
    for unit, node in units(ast.parse(source)):
        for site in sites(node):
            text = " ".join(site.text().split())
            key = f"{unit}: {text}"
            seen[key] = seen.get(key, 0) + 1
            again = f" ({seen[key]})" if seen[key] > 1 else ""
            own = own_lines(site.statement)
            found.append(Mutant(unit, first_line(node), site.statement.lineno, own, number, text[:240] + again))
            number += 1
    return found


def altered(source: str, number: int) -> ast.Module:
    """The module with that one defect; lines stay where they were."""
    tree = ast.parse(source)
    every = [site for _, node in units(tree) for site in sites(node)]
    every[number].alter()
    return ast.fix_missing_locations(tree)


def units(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each outermost function and method by its qualified name, then the module as it is imported."""
    yield from functions(tree.body, "")
    yield MODULE, tree


def functions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.AST]]:
    for node in body:
        if isinstance(node, FUNCTIONS):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node.body, f"{prefix}{node.name}.")


def digests(source: str) -> dict[str, str]:
    """What each unit is, without lines and comments: a unit with the same digest has the same mutants."""
    found: dict[str, list[str]] = {}
    for unit, node in units(without_text(ast.parse(source))):
        found.setdefault(unit, []).append(ast.dump(shell(node) if isinstance(node, ast.Module) else node))
    return {unit: hashlib.sha256(f"{VERSION}{dumps}".encode()).hexdigest()[:12] for unit, dumps in found.items()}


def without_text(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not is_text(child)]
    return tree


def shell(tree: ast.Module) -> ast.Module:
    """The module without the bodies of its functions."""
    bare = copy.deepcopy(tree)
    for node in ast.walk(bare):
        if isinstance(node, FUNCTIONS):
            node.body = []
    return bare


def first_line(node: ast.AST) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) if isinstance(node, FUNCTIONS) else 0


def own_lines(statement: ast.stmt) -> tuple[int, ...]:
    if not isinstance(getattr(statement, "body", None), list):
        return tuple(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    ends = [
        child.end_lineno or child.lineno
        for child in ast.iter_child_nodes(statement)
        if isinstance(child, ast.expr | ast.withitem) and hasattr(child, "lineno")
    ]
    return tuple(range(statement.lineno, max([statement.lineno, *ends]) + 1))


def sites(unit: ast.AST) -> Iterator[Site]:
    if isinstance(unit, FUNCTIONS):
        for place, child in enumerate(unit.body):
            yield from in_statement(unit, "body", place, child)
    elif isinstance(unit, ast.Module):
        yield from imported(unit)


def imported(node: ast.Module | ast.ClassDef) -> Iterator[Site]:
    """What runs at import: assigned values and the defaults of arguments; not calls that declare, not decorators."""
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from imported(child)
        elif isinstance(child, FUNCTIONS):
            for field in ("defaults", "kw_defaults"):
                for place, default in enumerate(getattr(child.args, field)):
                    if default is not None:
                        yield from in_expression(child.args, field, place, default, child)
        elif isinstance(child, ast.Assign | ast.AnnAssign) and child.value is not None:
            yield from in_expression(child, "value", None, child.value, child)


def in_statement(parent: ast.AST, field: str, place: int, node: ast.stmt) -> Iterator[Site]:
    gone = Site(parent, field, place, ast.Pass(lineno=node.lineno, col_offset=node.col_offset), lambda: f"without {short(node)}", node)

    if is_text(node) or is_log(node) or isinstance(node, (ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Pass)):
        return
    if isinstance(node, ast.Raise):
        if short(node) != "raise NotImplementedError":  # of a base class, which every kind replaces
            yield gone
        return
    if (
        (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Yield | ast.YieldFrom | ast.Constant))
        or isinstance(node, ast.AugAssign)
        or (isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple))
        or isinstance(node, ast.Continue | ast.Break)
    ):
        yield gone
    elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield Site(node, "value", None, ast.Constant(None), lambda: f"{short(node)} → return None", node)
    elif isinstance(node, ast.Match) and len(node.cases) > 1:
        for number, case in enumerate(node.cases):
            if not (isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None):
                never = ast.match_case(case.pattern, ast.Constant(False), case.body)
                yield Site(node, "cases", number, never, partial(without_case, case), node)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params", "decorator_list", "op"):
            continue
        for number, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            yield from in_child(node, name, number, child, node)


def without_case(case: ast.match_case) -> str:
    return f"without case {short(case.pattern)}"


def in_child(parent: ast.AST, field: str, place: int | None, child: object, statement: ast.stmt) -> Iterator[Site]:
    if isinstance(child, ast.stmt):
        yield from in_statement(parent, field, place or 0, child)
    elif isinstance(child, ast.ExceptHandler):
        if not (len(child.body) == 1 and isinstance(child.body[0], ast.Raise)):
            again = copy.copy(child)
            again.body = [ast.Raise()]
            yield Site(parent, field, place, again, lambda: f"{short(child.type) or 'nothing'} is not handled", child.body[0])
        for number, inner in enumerate(child.body):
            yield from in_statement(child, "body", number, inner)
    elif isinstance(child, ast.match_case):
        if child.guard is not None:
            yield from in_expression(child, "guard", None, child.guard, statement)
        for number, inner in enumerate(child.body):
            yield from in_statement(child, "body", number, inner)
    elif isinstance(child, ast.withitem):
        yield from in_expression(child, "context_expr", None, child.context_expr, statement)
    elif isinstance(child, ast.expr):
        yield from in_expression(parent, field, place, child, statement)


def in_expression(parent: ast.AST, field: str, place: int | None, node: ast.expr, statement: ast.stmt) -> Iterator[Site]:
    if isinstance(node, ast.JoinedStr) or (isinstance(parent, ast.Call) and is_length_of_text(parent, node)):
        return
    others = list(instead(node))
    if is_condition(parent, field) and not isinstance(node, ast.Compare | ast.BoolOp | ast.Constant | ast.UnaryOp):
        others.append(ast.UnaryOp(ast.Not(), node))
    for other in others:
        yield Site(parent, field, place, other, partial(from_to, node, other), statement)
    if isinstance(parent, ast.comprehension) and field == "ifs":
        yield Site(parent, field, place, ast.Constant(True), lambda: f"without if {short(node)}", statement)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "op", "ops", "ctx", "format_spec"):
            continue
        for number, child in enumerate(value) if isinstance(value, list) else ((None, value),):
            yield from below(node, name, number, child, statement)


def instead(node: ast.expr) -> Iterator[ast.expr]:
    """What could stand there by mistake."""
    match node:
        case ast.Compare():
            for number, operator in enumerate(node.ops):
                if type(operator) in COMPARISONS:
                    yield changed(node, ops=[*node.ops[:number], COMPARISONS[type(operator)](), *node.ops[number + 1 :]])
        case ast.BoolOp():
            for number in range(len(node.values)):
                rest = [*node.values[:number], *node.values[number + 1 :]]
                yield rest[0] if len(rest) == 1 else changed(node, values=rest)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield changed(node, op=ARITHMETIC[type(node.op)]())
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)


def from_to(old: ast.expr, new: ast.expr) -> str:
    return f"{short(old)} → {short(new)}"


def below(parent: ast.AST, field: str, place: int | None, child: object, statement: ast.stmt) -> Iterator[Site]:
    if isinstance(child, ast.expr):
        yield from in_expression(parent, field, place, child, statement)
    elif isinstance(child, ast.comprehension):
        yield from in_expression(child, "iter", None, child.iter, statement)
        for number, condition in enumerate(child.ifs):
            yield from in_expression(child, "ifs", number, condition, statement)
    elif isinstance(child, ast.keyword) and child.arg not in WATCH:
        yield from in_expression(child, "value", None, child.value, statement)


def changed(node: ast.expr, **fields: object) -> ast.expr:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def is_condition(parent: ast.AST, field: str) -> bool:
    return (
        field == "test"
        or (isinstance(parent, ast.comprehension) and field == "ifs")
        or (isinstance(parent, ast.match_case) and field == "guard")
    )


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_log(node: ast.AST) -> bool:
    """What is only logged is a sentence for people."""
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith("log.")


def is_length_of_text(call: ast.Call, node: ast.expr) -> bool:
    """How long a sentence may get before it is cut: one letter more or less is no defect."""
    return isinstance(call.func, ast.Name) and call.func.id == "bounded" and len(call.args) > 1 and node is call.args[1]


def short(node: ast.AST | None) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))) if node is not None else ""
