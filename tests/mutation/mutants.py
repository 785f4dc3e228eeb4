"""Small slips in the mathematics of the course: what a tired author would write, one at a time.

A mutant is a module with one change in its syntax tree. Texts, annotations, and what only refuses
bad input are left alone: the proofs are about values, the unit tests about refusals.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

__all__ = ["Mutant", "defined_name", "mutants"]

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
METHODS = {
    "sum": "mean",
    "mean": "sum",
    "amin": "amax",
    "amax": "amin",
    "min": "max",
    "max": "min",
    "argmin": "argmax",
    "argmax": "argmin",
    "cumsum": "cumprod",
    "cumprod": "cumsum",
    "minimum": "maximum",
    "maximum": "minimum",
    "sin": "cos",
    "cos": "sin",
    "exp": "expm1",
    "expm1": "exp",
    "log": "log1p",
    "log1p": "log",
}
# a call of these without arguments may be forgotten: x.square() becomes x
FORGOTTEN = {"abs", "detach", "exp", "expm1", "log", "neg", "sqrt", "square"}


@dataclass(frozen=True)
class Mutant:
    """One changed module.

    Args:
        path: file of the module.
        place: name of the function, class or constant at the top level that holds the change.
        line: line of the change.
        text: the changed piece, before and after.
        code: the whole changed module.
        nth: counts equal changes of one place.
    """

    path: Path
    place: str
    line: int
    text: str
    code: str
    nth: int = 1

    @property
    def name(self) -> str:
        """What the change is called in lists; it does not depend on other lines of the file."""
        again = f" (number {self.nth})" if self.nth > 1 else ""
        return f"{self.path.stem}.{self.place}: {self.text}{again}"


@cache
def mutants(path: Path) -> tuple[Mutant, ...]:
    """Return every mutant of a module, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for statement in tree.body:
        name = defined_name(statement)
        if name is None or name.startswith("_check"):
            continue
        for node in _values(statement):
            for changed in _changes(node):
                before, after = ast.unparse(node), ast.unparse(changed)
                if before == after:
                    continue
                code = ast.unparse(_replaced(tree, node, changed))
                found.append(Mutant(path, name, node.lineno, f"{before} -> {after}", code))
    unique = {mutant.code: mutant for mutant in found}
    count: Counter[tuple[str, str]] = Counter()
    numbered = []
    for mutant in sorted(unique.values(), key=lambda mutant: mutant.line):
        count[mutant.place, mutant.text] += 1
        numbered.append(replace(mutant, nth=count[mutant.place, mutant.text]))
    return tuple(numbered)


def defined_name(statement: ast.stmt) -> str | None:
    """Return the name that a top-level statement defines; ``None`` where nothing is computed."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return statement.name
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    name = getattr(targets[0], "id", None)
    return None if name == "__all__" else name


def _values(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions below a node that a mutant may change."""
    if isinstance(node, ast.Raise) or _refuses(node):
        return
    if isinstance(node, ast.expr):
        yield node
    if isinstance(node, ast.Attribute) and node.attr in ("abs", "square"):
        # turned round, the difference has the same square
        node.value.even = isinstance(getattr(node.value, "op", None), ast.Sub)  # type: ignore[attr-defined]
    for field, child in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for each in child if isinstance(child, list) else [child]:
            if isinstance(each, ast.AST):
                yield from _values(each)


def _refuses(node: ast.AST) -> bool:
    """Tell whether a statement only refuses bad input, or is a text."""
    if isinstance(node, ast.If) and not node.orelse:
        return all(isinstance(each, ast.Raise) for each in node.body)
    if isinstance(node, ast.Expr):
        call = node.value
        name = getattr(getattr(call, "func", None), "id", "")
        return isinstance(call, ast.Constant) or "check" in name or "refuse" in name
    return False


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what may stand in the place of an expression."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in OPERATORS:
            yield _with(node, op=OPERATORS[type(node.op)]())
        turns = isinstance(node.op, ast.MatMult | ast.Sub | ast.Div | ast.Pow)
        if turns and not getattr(node, "even", False):
            yield _with(node, left=node.right, right=node.left)
        if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
            yield node.left  # a forgotten term or factor
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
        yield _with(node, ops=[COMPARISONS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.IfExp):
        yield _with(node, body=node.orelse, orelse=node.body)
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node)


def _constants(node: ast.Constant) -> Iterator[ast.expr]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)


def _calls(node: ast.Call) -> Iterator[ast.expr]:
    name = getattr(node.func, "attr", "")
    if name in METHODS and isinstance(node.func, ast.Attribute):
        yield _with(node, func=_with(node.func, attr=METHODS[name]))
    owner = getattr(node.func, "value", None)
    if name in FORGOTTEN and not node.args and owner is not None:
        yield owner
    plain = not any(isinstance(argument, ast.Starred) for argument in node.args)
    if len(node.args) == 2 and plain:
        yield _with(node, args=node.args[::-1])


def _with(node: ast.expr, **fields: object) -> ast.expr:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _replaced(tree: ast.Module, old: ast.expr, new: ast.expr) -> ast.Module:
    """Return the tree with one node exchanged; the others are shared."""

    def visit(node: object) -> object:
        if node is old:
            return new
        if isinstance(node, list):
            return [visit(each) for each in node]
        if not isinstance(node, ast.AST):
            return node
        changed = copy.copy(node)
        for field, child in ast.iter_fields(node):
            setattr(changed, field, visit(child))
        return changed

    result = visit(tree)
    assert isinstance(result, ast.Module)
    return result
