"""Tell the lesson of a notebook by the exercises inside, beside what its name says."""

from __future__ import annotations

import re
from collections.abc import Mapping

from genimg_course.grading.intake.manifest import Lesson
from genimg_course.grading.intake.notebook import Cell

__all__ = ["choose_lesson"]

_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)|^(\w+)[ \t]*=", re.MULTILINE)
_MARKED = re.compile(r"""exercise\(\s*(?:id\s*=\s*)?["']([\w.]+)["']""")


def choose_lesson(
    cells: tuple[Cell, ...], named: str, lessons: Mapping[str, Lesson], wanted: str | None
) -> tuple[str, bool]:
    """Return the lesson's number, or an empty text, and whether its content overruled its name.

    A name counts unless the notebook holds exercises of other lessons only.

    Args:
        cells: of the notebook.
        named: number of the lesson that file and folders name, or empty.
        lessons: of the course.
        wanted: the only lesson that is graded, if there is one; it needs no name.
    """
    found = _exercises(cells, lessons)
    for number in filter(None, (wanted, named)):
        if found.get(number):
            return number, False
    if not found:
        return named or wanted or "", False
    most = max(found.values())
    best = [number for number, count in found.items() if count == most]
    return (best[0], bool(named)) if len(best) == 1 else (named, False)


def _exercises(cells: tuple[Cell, ...], lessons: Mapping[str, Lesson]) -> dict[str, int]:
    """Count each lesson's exercises by cells and marks, or, where none has any, by functions."""
    cell_ids = {cell.id for cell in cells if cell.id}
    code = [cell.source for cell in cells if cell.kind == "code"]
    marks = {id for source in code for id in _MARKED.findall(source)}
    defined = {a or b for source in code for a, b in _DEFINED.findall(source)}
    counts = {
        number: sum(item.cell in cell_ids or item.id in marks for item in lesson.exercises)
        for number, lesson in lessons.items()
    }
    if not any(counts.values()):
        counts = {
            number: sum(item.function in defined for item in lesson.exercises)
            for number, lesson in lessons.items()
        }
    return {number: count for number, count in counts.items() if count}
