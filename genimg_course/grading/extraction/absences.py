"""Say why there is no answer to an exercise in a notebook."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from genimg_course.grading.extraction.definitions import uses
from genimg_course.grading.intake.magics import parse, without_magics
from genimg_course.grading.intake.manifest import Item, Lesson, exercise_of
from genimg_course.grading.intake.notebook import LARGEST_CELL, Cell

__all__ = ["Problem", "absent", "broken_cell"]


@dataclass(frozen=True)
class Problem:
    """Why there is nothing to run.

    Args:
        status: ``"not_attempted"`` or ``"error"``.
        diagnosis: one word, such as ``"syntax"``, ``"deleted"`` or ``"starter"``.
        message: one or two sentences to the student, unescaped.
    """

    status: str
    diagnosis: str
    message: str


def absent(item: Item, cells: tuple[Cell, ...], lesson: Lesson) -> Problem:
    """Say why no definition of an exercise was found."""
    if broken := broken_cell(item, cells, lesson):
        return broken
    where = f"the cell of {item.id} (function {item.function})"
    for cell in cells:
        mine = cell.id == item.cell or _mentions(cell.source, item)
        if cell.id == item.cell and cell.oversized:
            return Problem("error", "size", f"{where} has more than {LARGEST_CELL:,} characters")
        if mine and cell.kind != "code":
            kind = "Markdown" if cell.kind == "markdown" else "a raw cell"
            return Problem(
                "not_attempted", "cell_type", f"{where} is {kind} now: turn it into a code cell"
            )
        if mine and (language := without_magics(cell.source).language):
            return Problem(
                "not_attempted", "magic", f"{where} begins with {language}, so it is not Python"
            )
        if mine and cell.kind == "code":
            if kind := _hidden(cell, item):
                return Problem(
                    "error", "nested", f"in {where} the function stands inside {kind}: move it out"
                )
            if cell.source.strip():
                return Problem(
                    "not_attempted", "renamed", f"{where} defines no {item.function}: keep the name"
                )
            return Problem("not_attempted", "empty", f"{where} is empty")
    return Problem("not_attempted", "deleted", f"{where} is not in the notebook")


def _mentions(source: str, item: Item) -> bool:
    marked = rf"""exercise\(\s*(?:id\s*=\s*)?["']{re.escape(item.id)}["']"""
    return bool(re.search(rf"{marked}|\bdef\s+{item.function}\b", source))


def broken_cell(item: Item, cells: tuple[Cell, ...], lesson: Lesson) -> Problem | None:
    """Describe the syntax error of a cell that was to answer the exercise, if there is one."""
    others = [one for one in lesson.exercises if one.id != item.id]
    for cell in reversed(cells):
        if cell.kind != "code" or not (cell.id == item.cell or _mentions(cell.source, item)):
            continue
        if not _mentions(cell.source, item) and any(_mentions(cell.source, o) for o in others):
            continue  # the cell was put to another use
        python = without_magics(cell.source)
        try:
            if python.error is not None:
                raise python.error
            uses(python.text)  # finds what parsing does not, such as two arguments of one name
        except SyntaxError as error:
            return _syntax_problem(error, python.text)
    return None


def _syntax_problem(error: SyntaxError, text: str) -> Problem:
    lines, number = text.split("\n"), error.lineno or 0
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    said = error.msg[:200]
    where = f"syntax error in line {number}: {line[:120]}: {said}" if line else said
    return Problem("error", "syntax", where)


def _hidden(cell: Cell, item: Item) -> str:
    """Return inside what a cell defines the function, if not at top level."""
    python = without_magics(cell.source)
    if python.error is not None:
        return ""
    for node in parse(python.text).body:
        for part in _inside(node):
            if getattr(part, "name", None) == item.function or exercise_of(part) == item.id:
                return _KINDS.get(type(node).__name__, "another statement")
    return ""


_KINDS = {
    "ClassDef": "a class",
    "FunctionDef": "another function",
    "AsyncFunctionDef": "another function",
    "If": "an if",
    "For": "a loop",
    "While": "a loop",
    "With": "a with block",
    "Try": "a try block",
}


def _inside(node: ast.stmt) -> Iterator[ast.stmt]:
    for part in ast.walk(node):
        if part is not node and isinstance(part, ast.stmt):
            yield part
