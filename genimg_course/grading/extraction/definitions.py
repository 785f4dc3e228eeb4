"""What the code cells of a notebook define at top level.

Imports, functions, classes, assignments, ``if`` and ``try`` around such, and what fills a list or
dictionary (``TABLE[1] = 2``, a loop that appends to it). Nothing is compiled or run.
"""

from __future__ import annotations

import ast
import itertools
import symtable
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from genimg_course.grading.intake.magics import parse, without_magics
from genimg_course.grading.intake.manifest import exercise_of, is_exercise_mark
from genimg_course.grading.intake.notebook import Cell

__all__ = ["Definition", "definitions", "uses"]

_CONTAINERS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_CONTAINER_TYPES = {"list", "dict", "set", "defaultdict", "Counter", "OrderedDict"}
_MOST_STATEMENTS, _MOST_DEFINITIONS = 2_000, 20_000  # of a cell, and of a notebook


@dataclass(frozen=True)
class Definition:
    """A statement at top level.

    Args:
        place: number of the cell, then of the statement, then of the name within an import.
        text: its source, without an ``@exercise``; the lines keep their distances.
        line: of its first line in the cell.
        cell: the cell's id.
        node: what kind of statement it is, ``"FunctionDef"``.
        names: what it binds.
        fills: names of lists and dictionaries that it changes.
        at_once: names that it needs when it is run.
        later: names that its functions need when they are called.
        exercise: the id in its ``@exercise``, or empty.
        is_container: it binds a list, a dictionary or a set, which later lines may fill.
        future: it is an import from ``__future__``.
    """

    place: tuple[int, int, int]
    text: str
    line: int
    cell: str
    node: str
    names: frozenset[str]
    fills: frozenset[str] = frozenset()
    at_once: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    exercise: str = ""
    is_container: bool = False
    future: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """All names from outside."""
        return self.at_once | self.later


def uses(text: str, bound: frozenset[str] = frozenset()) -> tuple[frozenset[str], frozenset[str]]:
    """Return the global names that a text needs when it is run, and when its functions are called.

    Args:
        text: Python.
        bound: names that it binds for others; what else it binds, it does not need from others.

    Raises:
        SyntaxError: if it is no program.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(text, "<cell>", "exec")
    except (RecursionError, MemoryError):
        raise SyntaxError("the code is nested too deeply to be read") from None
    except SyntaxError:
        raise
    except ValueError:
        raise SyntaxError("the code holds a character that no program may hold") from None
    symbols = table.get_symbols()
    at_once = {item.get_name() for item in symbols if item.is_referenced()}
    at_once -= {item.get_name() for item in symbols if item.is_assigned()} - bound
    later: set[str] = set()
    waiting = list(table.get_children())
    while waiting:
        inner = waiting.pop()
        named = {item.get_name() for item in inner.get_symbols() if item.is_global()}
        # a class runs its body at once, and so does a comprehension
        runs = inner.get_type() == "class" or inner.get_name() in _COMPREHENSIONS
        (at_once if runs else later).update(named)
        waiting += inner.get_children()
    return frozenset(at_once), frozenset(later)


_COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}


def definitions(cells: Iterable[Cell]) -> list[Definition]:
    """Return what the code cells define; a cell that is no Python defines nothing.

    Of thousands of statements only the last ones are looked at.
    """
    numbered = reversed(list(enumerate(cells)))
    found = itertools.chain.from_iterable(_of_cell(number, cell) for number, cell in numbered)
    return sorted(itertools.islice(found, _MOST_DEFINITIONS), key=lambda item: item.place)


def _of_cell(number: int, cell: Cell) -> Iterator[Definition]:
    if cell.kind != "code" or not cell.source.strip():
        return
    python = without_magics(cell.source)
    if python.error is not None:
        return
    text, body = python.text, parse(python.text).body
    lines = text.split("\n")
    for index, node in list(enumerate(body))[-_MOST_STATEMENTS:]:
        try:
            yield from _of_statement(node, lines, cell.id, (number, index))
        except (SyntaxError, RecursionError):  # "return" outside a function, and the like
            continue


def _of_statement(
    node: ast.stmt, lines: list[str], cell: str, place: tuple[int, int]
) -> Iterator[Definition]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from _of_import(node, cell, place)
        return
    names, fills = _bound(node), _filled(node)
    if not names and not fills:
        return
    text, line = _source(node, lines)
    at_once, later = uses(text, frozenset(names))
    yield Definition(
        place=(*place, 0),
        text=text,
        line=line,
        cell=cell,
        node=type(node).__name__,
        names=frozenset(names),
        fills=frozenset(fills - names),
        at_once=at_once,
        later=later,
        exercise=exercise_of(node),
        is_container=_is_container(node),
    )


def _of_import(
    node: ast.Import | ast.ImportFrom, cell: str, place: tuple[int, int]
) -> Iterator[Definition]:
    """Yield one definition for each name: what is imported beside it may not be there to import."""
    for number, alias in enumerate(node.names[:_MOST_STATEMENTS]):
        one: ast.stmt
        if isinstance(node, ast.Import):
            one, bound = ast.Import([alias]), alias.asname or alias.name.partition(".")[0]
        else:
            one = ast.ImportFrom(node.module, [alias], node.level)
            bound = alias.asname or alias.name
        yield Definition(
            place=(*place, number),
            text=ast.unparse(one),
            line=node.lineno,
            cell=cell,
            node=type(node).__name__,
            names=frozenset([bound]),
            future=isinstance(node, ast.ImportFrom) and node.module == "__future__",
        )


def _source(node: ast.stmt, lines: list[str]) -> tuple[str, int]:
    """Return the text of a statement without its ``@exercise``, and its first line."""
    marks = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(mark.lineno for mark in marks)])
    last = node.end_lineno or node.lineno
    taken = lines[first - 1 : last]
    taken[-1] = taken[-1].encode()[: node.end_col_offset].decode()  # columns count bytes
    if node.col_offset and first == node.lineno:  # a second statement on one line
        taken[0] = taken[0].encode()[node.col_offset :].decode()
    for mark in marks:
        if is_exercise_mark(mark):
            for number in range(mark.lineno, (mark.end_lineno or mark.lineno) + 1):
                taken[number - first] = ""
    return "\n".join(taken), first


def _bound(node: ast.stmt) -> set[str]:
    """Return the names that a statement binds, if it is of a kind that is taken along."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {name for target in node.targets for name in _targets(target)}
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return set(_targets(node.target))
    if isinstance(node, ast.If | ast.Try):
        return _bound_inside(node)
    return set()


def _bound_inside(node: ast.If | ast.Try) -> set[str]:
    parts = [*node.body, *node.orelse]
    if isinstance(node, ast.Try):
        parts += [*node.finalbody, *(item for part in node.handlers for item in part.body)]
    names: set[str] = set()
    for part in parts:
        if isinstance(part, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in part.names}
        elif not isinstance(part, ast.Pass | ast.Raise):
            found = _bound(part)
            if not found:
                return set()  # it does more than define
            names |= found
    return names


def _targets(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _targets(item)
    elif isinstance(target, ast.Starred):
        yield from _targets(target.value)


def _filled(node: ast.stmt) -> set[str]:
    """Return the names whose lists or dictionaries a statement changes."""
    if not isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.For | ast.Delete):
        return set()
    if isinstance(node, ast.Expr):
        call = node.value
        method = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        return {_root(call.func.value)} - {""} if method else set()  # type: ignore[attr-defined]
    if isinstance(node, ast.AugAssign):
        return {_root(node.target)} - {""}
    if isinstance(node, ast.Assign | ast.Delete):
        items = [item for item in node.targets if isinstance(item, ast.Subscript)]
        return {_root(item) for item in items} - {""}
    return {name for part in _statements(node) for name in _filled(part)}


def _statements(node: ast.For) -> Iterator[ast.stmt]:
    """Yield the statements inside a loop, at any depth, without those of functions."""
    waiting: list[ast.stmt] = [*node.body, *node.orelse]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, ast.For):
            yield item
        for name in ("body", "orelse", "finalbody"):
            waiting += getattr(item, name, [])


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_container(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    if isinstance(value, ast.Call):
        called = value.func
        name = getattr(called, "id", getattr(called, "attr", ""))
        return name in _CONTAINER_TYPES
    return isinstance(value, (*_CONTAINERS, ast.Constant))
