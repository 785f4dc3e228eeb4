"""What there is to answer: the exercises of each lesson, as the course's own notebooks have them.

Points, ids and cells come from here and never from a submission.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from genimg_course.grading.intake.files import read_file
from genimg_course.grading.intake.magics import without_magics
from genimg_course.grading.intake.notebook import Cell, read_notebook

__all__ = ["Item", "Lesson", "exercise_of", "manifest"]


@dataclass(frozen=True)
class Item:
    """One exercise.

    Args:
        id: ``"vae.gaussian_kl"``.
        function: the name that the course's notebook gives it, ``"gaussian_kl"``.
        cell: id of the cell that is to be filled in.
        points: what it is worth.
    """

    id: str
    function: str
    cell: str
    points: float = 1.0


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Args:
        number: ``"06"``.
        slug: ``"variational_autoencoder"``.
        exercises: in the order of the notebook.
        cells: of the course's own notebook, which lends names that a submission has lost.
    """

    number: str
    slug: str
    exercises: tuple[Item, ...]
    cells: tuple[Cell, ...] = ()

    @property
    def name(self) -> str:
        """The name of its notebook without ``.ipynb``."""
        return f"{self.number}_{self.slug}"


def manifest(notebooks: Path) -> dict[str, Lesson]:
    """Return the lessons by number.

    Args:
        notebooks: the course's own folder of that name, with files ``NN_slug.ipynb``.

    Raises:
        ValueError: if there are none, or one of them cannot be read.
    """
    lessons = {}
    for path in sorted(notebooks.glob("[0-9][0-9]_*.ipynb")):
        cells = read_notebook(read_file(path).data)
        number, _, slug = path.stem.partition("_")
        if number in lessons:
            raise ValueError(f"{notebooks}: two lessons have the number {number}")
        lessons[number] = Lesson(number, slug, tuple(_items(cells)), cells)
    if not lessons:
        raise ValueError(f"{notebooks} holds no notebook of the course (NN_slug.ipynb)")
    return lessons


def _items(cells: tuple[Cell, ...]) -> list[Item]:
    items = []
    for cell in cells:
        if cell.kind != "code":
            continue
        for node in ast.parse(without_magics(cell.source).text).body:
            if isinstance(node, ast.FunctionDef) and (id := exercise_of(node)):
                items.append(Item(id, node.name, cell.id))
    return items


def exercise_of(node: ast.stmt) -> str:
    """Return the id in the ``@exercise("id")`` of a definition, or an empty text."""
    for mark in getattr(node, "decorator_list", ()):
        if is_exercise_mark(mark):
            values = [*mark.args, *(word.value for word in mark.keywords if word.arg == "id")]
            if values and isinstance(values[0], ast.Constant) and isinstance(values[0].value, str):
                return values[0].value
    return ""


def is_exercise_mark(mark: ast.expr) -> bool:
    """Tell whether a decorator is ``exercise(...)``, however it was imported."""
    function = mark.func if isinstance(mark, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", None)) == "exercise"
