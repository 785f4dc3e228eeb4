"""Small slips in the references of the exercises: each makes an answer that a check must reject.

The slips in expressions are those of ``tests/mutation``; here the judge is the exercise's own
check, not a proof. Slips in statements are added: one forgotten, two swapped, a keyword left out.
Pieces that a check never enters, and defaults, which come with the starter, are no part of an
answer.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import inspect
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "mutation"))
from mutants import Mutant, defined_name, mutants

from genimg_course.exercises import Specification, check
from genimg_course.exercises.checking import Verdict
from genimg_course.maths import optimisers

__all__ = ["answer", "fingerprint", "first_verdict", "limited", "slips", "source_of"]

PATIENCE = 20
"""Seconds for one check; an answer that hangs is not accepted either."""

KEYWORDS = {"dim", "keepdim", "create_graph", "generator", "correction", "inputs"}
"""Keywords that a reader may forget."""

ELSEWHERE: dict[str, ModuleType] = {"networks.adam_step": optimisers}
"""References that only give names to the results of a function of the same name elsewhere."""

Piece = tuple[int, str]


def source_of(specification: Specification) -> Path:
    """Return the file in which the mathematics of the reference stands."""
    if specification.id in ELSEWHERE:
        return Path(ELSEWHERE[specification.id].__file__ or "")
    return _home(specification)


def _home(specification: Specification) -> Path:
    return Path(inspect.getsourcefile(inspect.unwrap(specification.reference)) or "")


def fingerprint(paths: set[Path]) -> str:
    """Return a hash of the code of files: comments, layout and longer texts do not count."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: (path.parent.name, path.name)):
        tree = _WithoutTexts().visit(ast.parse(path.read_text(encoding="utf-8")))
        whole.update(f"{path.name}\n{ast.unparse(tree)}\n".encode())
    return whole.hexdigest()[:16]


class _WithoutTexts(ast.NodeTransformer):
    """Empty the texts; the interpreters write those with braces in different ways."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        long = isinstance(node.value, str) and len(node.value) > 20
        return ast.Constant("") if long else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant("")


def slips(specification: Specification) -> list[Mutant]:
    """Return the slips in the reference and in what it enters of its own module."""
    path = source_of(specification)
    places = _places(path, specification.reference.__name__)
    entered = _entered(specification, path)
    return [
        mutant
        for mutant in (*mutants(path), *_statement_slips(path))
        if mutant.place in places and _asked(mutant, path, entered)
    ]


def _asked(mutant: Mutant, path: Path, entered: set[Piece]) -> bool:
    """Tell whether a line belongs to no function, or to the body of one that was entered."""
    around = [piece for piece in _pieces(path) if mutant.line in piece[0]]
    if not around:
        return True
    _, body, piece = min(around, key=lambda each: len(each[0]))
    return piece in entered and mutant.line >= body


@cache
def _pieces(path: Path) -> list[tuple[range, int, Piece]]:
    """Return of each function and lambda of a file: its lines, where its body begins, its key."""
    found: list[tuple[range, int, Piece]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            key = (first, node.name)
            found.append((_lines(node, first), node.body[0].lineno, key))
        if isinstance(node, ast.Lambda):
            found.append((_lines(node, node.lineno), node.lineno, (node.lineno, "<lambda>")))
    return found


def _lines(node: ast.FunctionDef | ast.Lambda, first: int) -> range:
    return range(first, (node.end_lineno or node.lineno) + 1)


@cache
def _places(path: Path, name: str) -> frozenset[str]:
    """Return the top-level names of a module that a function needs, itself among them."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    defined = {found: node for node in body if (found := defined_name(node))}
    needed, waiting = set(), [name]
    while waiting:
        place = waiting.pop()
        if place in defined and place not in needed:
            needed.add(place)
            used = (node for node in ast.walk(defined[place]) if isinstance(node, ast.Name))
            waiting += [node.id for node in used]
    return frozenset(needed)


def _entered(specification: Specification, path: Path) -> set[Piece]:
    """Return the functions and lambdas of a file that a check of the reference enters."""
    found: set[Piece] = set()

    def watch(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename == str(path):
            found.add((frame.f_code.co_firstlineno, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        check(specification, specification.reference)
    finally:
        sys.setprofile(before)
    return found


@cache
def _statement_slips(path: Path) -> tuple[Mutant, ...]:
    """Return the slips in statements, keywords and tables of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, Mutant] = {}
    count: Counter[tuple[str, str]] = Counter()
    for statement in tree.body:
        place = defined_name(statement)
        if place is None or place.startswith("_check"):
            continue
        for line, text, undo in _changed_in_place(statement):
            code = ast.unparse(tree)
            undo()
            if code not in found:
                count[place, text] += 1
                found[code] = Mutant(path, place, line, text, code, count[place, text])
    return tuple(replace(mutant) for mutant in found.values())


Change = tuple[int, str, Callable[[], None]]


def _changed_in_place(top: ast.stmt) -> Iterator[Change]:
    """Change one thing below a statement at a time; the caller takes each change back."""
    for node in ast.walk(top):
        if isinstance(node, ast.Call) and not _refusal(node):
            yield from _without_keyword(node)
        if isinstance(node, ast.Dict) and all(node.keys) and len(node.keys) > 1:
            yield from _swapped(node.values, "values of a dictionary")
        if isinstance(node, ast.If) and not all(isinstance(x, ast.Raise) for x in node.body):
            yield from _negated(node)
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                yield from _forgotten(statements)


def _without_keyword(call: ast.Call) -> Iterator[Change]:
    for number, keyword in enumerate(call.keywords):
        if keyword.arg in KEYWORDS:
            before = ast.unparse(call)
            del call.keywords[number]

            def undo(place: int = number, back: ast.keyword = keyword) -> None:
                call.keywords.insert(place, back)

            yield call.lineno, f"{before} -> {ast.unparse(call)}", undo


def _swapped(items: list[Any], what: str) -> Iterator[Change]:
    for number in range(len(items) - 1):
        one, other = items[number : number + 2]
        if ast.unparse(one) == ast.unparse(other):
            continue
        items[number : number + 2] = other, one

        def undo(place: int = number, back: tuple[Any, Any] = (one, other)) -> None:
            items[place : place + 2] = back

        yield one.lineno, f"{what} swapped: {ast.unparse(one)}, {ast.unparse(other)}", undo


def _negated(node: ast.If) -> Iterator[Change]:
    test = node.test
    node.test = ast.UnaryOp(ast.Not(), copy.copy(test))

    def undo() -> None:
        node.test = test

    yield node.lineno, f"if {ast.unparse(test)} -> if not", undo


def _forgotten(body: list[Any]) -> Iterator[Change]:
    """Leave out a statement without which the rest still runs, or swap two calls."""
    for number, statement in enumerate(body):
        if not _may_go(statement):
            continue
        text = ast.unparse(statement)
        kept = statement.body if isinstance(statement, ast.With) else [ast.Pass()]
        body[number : number + 1] = kept

        def undo(place: int = number, length: int = len(kept), back: Any = statement) -> None:
            body[place : place + length] = [back]

        yield statement.lineno, f"{text.splitlines()[0]} -> forgotten", undo
    calls = [isinstance(each, ast.Expr) and _may_go(each) for each in body]
    for number in range(len(body) - 1):
        if calls[number] and calls[number + 1]:
            one, other = body[number : number + 2]
            body[number : number + 2] = other, one

            def restore(place: int = number, back: tuple[Any, Any] = (one, other)) -> None:
                body[place : place + 2] = back

            text = f"{ast.unparse(one)}; {ast.unparse(other)} -> swapped"
            yield one.lineno, text, restore


def _may_go(statement: Any) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call) and not _refusal(statement.value)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        used = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
        return statement.targets[0].id in used
    return isinstance(statement, ast.AugAssign | ast.With)


def _refusal(call: ast.Call) -> bool:
    name = getattr(call.func, "id", "")
    return "check" in name or "refuse" in name


def answer(specification: Specification, mutant: Mutant) -> Callable[..., Any]:
    """Return the reference as it would be with this slip.

    Raises:
        Exception: if the changed module cannot be run.
    """
    scope: dict[str, Any] = {"__name__": "slip", "__file__": str(mutant.path)}
    exec(compile(mutant.code, "<slip>", "exec"), scope)
    if specification.id in ELSEWHERE:  # the reference calls it as an attribute of its module
        changed = SimpleNamespace(**scope)
        scope = {"__name__": "slip"}
        code = compile(_home(specification).read_text(encoding="utf-8"), "<slip>", "exec")
        exec(code, scope)
        scope[mutant.path.stem] = changed
    found: Callable[..., Any] = scope[specification.reference.__name__]
    return found


def first_verdict(
    specification: Specification, function: Callable[..., Any], *, seeds: range = range(2)
) -> Verdict:
    """Return the first verdict that is not right, else the last one."""
    for seed in seeds:
        try:
            with limited():
                verdict = check(specification, function, seed=seed)
        except TimeoutError:
            return Verdict("wrong", "timeout", "")
        if verdict.status != "right":
            break
    return verdict


class _Late(BaseException):
    """Passes through everything that an answer or a check may catch."""


@contextmanager
def limited(seconds: int = PATIENCE) -> Iterator[None]:
    """End a block after some seconds with ``TimeoutError``, where the system has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    except _Late:
        raise TimeoutError from None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
