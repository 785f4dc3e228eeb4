"""Grades in the shapes that Canvas, Moodle and nbgrader read.

A student whose file could not be read gets no grade here rather than a zero: nothing was judged,
and a repaired file can still be handed in. Points are those after the late factor.
"""

import re
from collections import Counter

from genimg_course.grading.reports.gradebook import Gradebook, Total, table

__all__ = ["NBGRADER", "canvas_csv", "lesson_title", "moodle_csv", "nbgrader_csv"]

NBGRADER = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)
_SHORT_FORMS = frozenset({"dcgan", "gan", "gpu", "vae", "wgan"})


def lesson_title(book: Gradebook, lesson: str) -> str:
    """Return what a lesson is called in a list of assignments: ``"Lesson 06 Autoencoders"``."""
    known = book.lessons.get(lesson)
    words = re.split(r"[_\W]+", known.slug.removeprefix(f"{lesson}_")) if known else []
    title = " ".join(word.upper() if word in _SHORT_FORMS else word for word in words)
    return f"Lesson {lesson} {title[:1].upper()}{title[1:]}".strip()


def canvas_csv(book: Gradebook) -> bytes:
    """Return a table for Canvas: Grades, Import.

    The header must begin with ``Student`` and ``ID`` and end its part about students with
    ``Section``. Canvas looks for a student by ``ID``, its own number, which stays empty where it is
    not known; then by ``SIS User ID``, ``SIS Login ID`` and name. A row whose first cell holds
    ``Points Possible`` sets the points of the assignments, so no student may be called that.
    A column whose title no assignment has makes Canvas offer to create one.

    Source:
        Canvas LMS, ``lib/gradebook_importer.rb`` (``row_has_student_headers?``, ``process_pp``,
        ``process_student``), https://github.com/instructure/canvas-lms; read, not run.
    """
    grades, lessons = _grades(book), _lessons(book)
    columns = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
    possible = [max(t.possible for t in book.totals if t.lesson == lesson) for lesson in lessons]
    rows: list[list[str | float]] = [["Points Possible", "", "", "", "", *possible]]
    shared = Counter(book.numbers.values())
    for student in book.students:
        own = book.numbers.get(student, "")
        # a number that two students claim says nothing of either
        canvas_id = own if own.isascii() and own.isdigit() and shared[own] == 1 else ""
        name = book.name(student).replace("Points Possible", "Points-Possible")
        points = [_points(grades.get((student, lesson)), "") for lesson in lessons]
        rows.append([name, canvas_id, student, student, "", *points])
    return table([*columns, *(lesson_title(book, lesson) for lesson in lessons)], rows, bom=False)


def moodle_csv(book: Gradebook, *, identifier: str = "ID number") -> bytes:
    """Return a table for Moodle: Grades, Import, CSV file, UTF-8, separator comma.

    In the form that follows, map the first column to what identifies students at your place (ID
    number, user name or e-mail address) and each lesson to its grade item, or to a new one. Moodle
    refuses the file if a student is unknown; ``-`` means no grade.

    Args:
        book: the grades.
        identifier: title of the first column.

    Source:
        Moodle, ``grade/import/csv/classes/load_data.php`` (``map_user_data_with_value``,
        ``import_new_grade_item``), https://github.com/moodle/moodle, and the manual,
        https://docs.moodle.org/en/Grade_import; read, not run.
    """
    grades, lessons = _grades(book), _lessons(book)
    rows = [
        [student, *(_points(grades.get((student, lesson)), "-") for lesson in lessons)]
        for student in book.students
    ]
    titles = [lesson_title(book, lesson) for lesson in lessons]
    return table([identifier, *titles], rows, bom=False)


def nbgrader_csv(book: Gradebook) -> bytes:
    """Return the columns of ``nbgrader export``: one row per assignment and student.

    ``raw_score`` less ``late_submission_penalty`` is ``score``. A file that could not be read has
    the score 0, as nbgrader has it for a missing one. Times are not recorded and stay empty; the
    whole name stands under ``last_name``, because where it should be cut is not ours to say.

    Source:
        nbgrader, ``nbgrader/plugins/export.py`` (``CsvExportPlugin``),
        https://github.com/jupyter/nbgrader; read, not run.
    """
    by_lesson = sorted(book.totals, key=lambda total: (total.lesson, total.student))
    rows = [
        (
            *(lesson_title(book, t.lesson), "", "", t.student, book.name(t.student), "", ""),
            *(t.points, t.points - t.total, t.total, t.possible),
        )
        for t in by_lesson
    ]
    return table(NBGRADER, rows, bom=False)


def _lessons(book: Gradebook) -> list[str]:
    return sorted({total.lesson for total in book.totals})


def _grades(book: Gradebook) -> dict[tuple[str, str], Total]:
    return {(total.student, total.lesson): total for total in book.totals}


def _points(total: Total | None, nothing: str) -> str | float:
    return nothing if total is None or total.rejected else total.total
