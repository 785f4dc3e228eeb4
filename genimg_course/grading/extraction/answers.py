"""Find each exercise's answer in a notebook, with all that it needs, as text that nobody runs here.

An answer is looked for in the cell with the exercise's id, then by ``@exercise("id")``, then by
the function's name; tags, metadata, outputs, test cells and the kernel are ignored. Where several
cells answer one exercise, the last one that is more than the starter counts, and the answer gets
the flag ``duplicate``. Magics and shell lines are taken out (flag ``magics``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from genimg_course.grading.extraction.absences import Problem, absent, broken_cell
from genimg_course.grading.extraction.closure import closure
from genimg_course.grading.extraction.definitions import Definition, definitions
from genimg_course.grading.extraction.starters import problem_of
from genimg_course.grading.intake import Item, Lesson, Submission
from genimg_course.grading.intake.magics import without_magics
from genimg_course.grading.intake.notebook import Cell

__all__ = ["Answer", "Problem", "answers"]


@dataclass(frozen=True)
class Answer:
    """A student's answer to one exercise.

    Args:
        exercise: ``"vae.gaussian_kl"``.
        function: the name under which ``code`` defines it.
        code: definitions that it needs, then the answer itself, without its ``@exercise``; empty
            if there is a problem.
        first_line: the line of the student's cell to which the first line of ``code`` would
            belong: line ``n`` of ``code`` is line ``first_line + n - 1`` of the cell. It is below
            1 where more is taken along than stands above the answer.
        cell: id of the cell.
        flags: ``duplicate``, ``magics``.
        problem: why there is nothing to run, or None.
        depends: ids of other exercises whose answers it uses.
        line: the line of the cell in which the answer begins; lines above it belong to what was
            taken along.
        undefined: names that neither the notebook nor the course's defines.
    """

    exercise: str
    function: str
    code: str = ""
    first_line: int = 1
    cell: str = ""
    flags: tuple[str, ...] = ()
    problem: Problem | None = None
    depends: tuple[str, ...] = ()
    line: int = 1
    undefined: tuple[str, ...] = ()


def answers(submission: Submission, lesson: Lesson) -> list[Answer]:
    """Return one answer for each exercise of a lesson, in the lesson's order.

    Args:
        submission: from :func:`~genimg_course.grading.intake.gathering.gather`.
        lesson: the same lesson, from the course's own notebooks.
    """
    notebook = _Notebook(submission.cells)
    return [_answer(item, notebook, lesson) for item in lesson.exercises]


class _Notebook:
    """A student's cells and what they define."""

    def __init__(self, cells: tuple[Cell, ...]):
        self.cells = cells
        self.definitions = definitions(cells)
        self.magics = {
            cell.id or str(number)
            for number, cell in enumerate(cells)
            if cell.kind == "code" and without_magics(cell.source).removed
        }

    def has_magics(self, answer: Definition) -> bool:
        return (answer.cell or str(answer.place[0])) in self.magics


@lru_cache(maxsize=64)
def _course(lesson: Lesson) -> tuple[Definition, ...]:
    return tuple(definitions(lesson.cells))


def _answer(item: Item, notebook: _Notebook, lesson: Lesson) -> Answer:
    found = _candidates(item, notebook.definitions)
    real = [one for one in found if problem_of(one, item.function) is None]
    if not found:
        return Answer(item.id, item.function, problem=absent(item, notebook.cells, lesson))
    chosen = (real or found)[-1]
    flags = (
        *(["duplicate"] if len(found) > 1 else []),
        *(["magics"] if notebook.has_magics(chosen) else []),
    )
    if reason := problem_of(chosen, item.function):
        problem = Problem(*reason)
        if reason[0] == "error" or (broken := broken_cell(item, notebook.cells, lesson)) is None:
            return Answer(item.id, item.function, cell=chosen.cell, flags=flags, problem=problem)
        return Answer(item.id, item.function, flags=flags, problem=broken)
    return _with_closure(item, chosen, flags, notebook, lesson)


def _candidates(item: Item, found: list[Definition]) -> list[Definition]:
    """Return the definitions that may be the answer: the first way of looking that finds some."""
    marked = [
        one
        for one in found
        if one.exercise == item.id
        or (one.cell == item.cell and not one.exercise and _defines(one, item.function))
    ]
    return marked or [one for one in found if not one.exercise and _defines(one, item.function)]


def _defines(one: Definition, function: str) -> bool:
    return function in one.names


def _with_closure(
    item: Item, chosen: Definition, flags: tuple[str, ...], notebook: _Notebook, lesson: Lesson
) -> Answer:
    course = _course(lesson)
    end = (len(lesson.cells), 0, 0)
    place = next((one.place for one in course if one.exercise == item.id), end)
    lent = [one for one in course if not one.exercise]
    try:
        taken, missing = closure(chosen, notebook.definitions, lent, course_place=place)
    except SyntaxError as error:
        problem = Problem("error", "size", f"{error.msg}: keep the answer in its own cell")
        return Answer(item.id, item.function, cell=chosen.cell, flags=flags, problem=problem)
    before = "\n".join(one.text for one in taken)
    above = before.count("\n") + 1 if taken else 0
    return Answer(
        exercise=item.id,
        function=_name(chosen, item),
        code=f"{before}\n{chosen.text}\n" if taken else f"{chosen.text}\n",
        first_line=chosen.line - above,
        cell=chosen.cell,
        flags=flags,
        depends=_depends(item, chosen, taken, missing, lesson),
        line=chosen.line,
        undefined=tuple(sorted(missing - {one.function for one in lesson.exercises})),
    )


def _name(chosen: Definition, item: Item) -> str:
    """Return the name under which the answer is defined; a reader may have renamed it."""
    return item.function if item.function in chosen.names else next(iter(chosen.names))


def _depends(
    item: Item,
    chosen: Definition,
    taken: list[Definition],
    missing: frozenset[str],
    lesson: Lesson,
) -> tuple[str, ...]:
    """Name the exercises that take part, also those of which the notebook has no answer."""
    known = {one.id for one in lesson.exercises}
    functions = {one.function: one.id for one in lesson.exercises}
    ids = {one.exercise for one in taken if one.exercise in known}
    for one in taken:
        if one.node not in ("Import", "ImportFrom"):
            ids |= {functions[name] for name in one.names if name in functions}
    ids |= {functions[name] for name in missing if name in functions}
    return tuple(one.id for one in lesson.exercises if one.id in ids - {item.id})
