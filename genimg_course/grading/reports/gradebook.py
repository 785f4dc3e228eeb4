"""The grades of a class, and the tables that a spreadsheet opens."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from genimg_course.grading.record import Record
from genimg_course.grading.reports.markup import clean

__all__ = [
    "GRADES",
    "TOTALS",
    "Gradebook",
    "Item",
    "Lesson",
    "Total",
    "grades_csv",
    "number",
    "safe_cell",
    "table",
    "totals_csv",
]

GRADES = (
    *("student", "name", "lesson", "exercise", "status", "points", "possible"),
    *("diagnosis", "tier", "seed", "flags", "message"),
)
TOTALS = (
    *("student", "name", "lesson", "points", "possible", "late_factor", "total"),
    *("right", "exercises", "note"),
)
# what a spreadsheet takes for the beginning of a formula, at the start of a cell; full-width forms
# count as well. After a semicolon a cell begins too, where the machine's language says so
_FORMULA = re.compile(r"""(^|;)(?=[\s"']*[=+\-@\u2212])""")
_BOM = "\ufeff"


class Item(Protocol):
    """An exercise of a lesson."""

    @property
    def id(self) -> str: ...

    @property
    def points(self) -> float: ...


class Lesson(Protocol):
    """A lesson of the manifest, as far as a report needs it."""

    @property
    def slug(self) -> str: ...

    @property
    def exercises(self) -> Sequence[Item]: ...


@dataclass(frozen=True)
class Total:
    """What one student has in one lesson.

    Args:
        student: who.
        lesson: ``"06"``.
        points: sum of what counts, before the late factor.
        possible: the most that it could be.
        factor: what is left for being late, in ``[0, 1]``.
        right: number of right exercises.
        exercises: number of exercises.
        rejected: reason for which no file could be read; empty if one was read.
    """

    student: str
    lesson: str
    points: float
    possible: float
    factor: float
    right: int
    exercises: int
    rejected: str = ""

    @property
    def total(self) -> float:
        """Return the points after the late factor."""
        return self.points * self.factor


@dataclass(frozen=True)
class Gradebook:
    """The records of a class in a fixed order, with what is needed to read them.

    Args:
        records: in any order; kept sorted by student, lesson, exercise as in the lesson, file.
        lessons: lessons of the manifest by number.
        names: what to call a student; by default as the intake found them.
        late: what is left for being late, in ``[0, 1]``, by student and lesson; by default 1.
        numbers: numbers by which Canvas knows its users, by student.

    Raises:
        ValueError: if a late factor is out of range.
    """

    records: Sequence[Record]
    lessons: Mapping[str, Lesson] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[tuple[str, str], float] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for (student, lesson), factor in self.late.items():
            if not 0 <= factor <= 1:
                raise ValueError(
                    f"a late factor is between 0 and 1, got {factor} for {student}, {lesson}"
                )
        # the last part puts records that agree in all else in an order of their own
        ordered = sorted(self.records, key=lambda record: (*self._place(record), record.to_json()))
        object.__setattr__(self, "records", tuple(ordered))

    def _place(self, record: Record) -> tuple[str, str, int, str, str]:
        lesson = self.lessons.get(record.lesson)
        ids = [item.id for item in lesson.exercises] if lesson else []
        position = ids.index(record.exercise) if record.exercise in ids else len(ids)
        return record.student, record.lesson, position, record.exercise, record.submission

    @cached_property
    def students(self) -> tuple[str, ...]:
        """Return everyone of whom there is a record; a lost file may be nobody's."""
        return tuple(dict.fromkeys(record.student for record in self.records if record.student))

    @cached_property
    def counted(self) -> tuple[Record, ...]:
        """Return one record per student and exercise: of several the one with the most points."""
        best: dict[tuple[str, str, str], Record] = {}
        for record in self.records:
            key = record.student, record.lesson, record.exercise
            if record.exercise and (key not in best or record.points > best[key].points):
                best[key] = record
        return tuple(best.values())

    @cached_property
    def rejected(self) -> tuple[Record, ...]:
        """Return the records of files that were not read at all."""
        return tuple(record for record in self.records if not record.exercise)

    @cached_property
    def totals(self) -> tuple[Total, ...]:
        """Return the sum of each student in each lesson of which there is a record."""
        pairs = sorted({(r.student, r.lesson) for r in self.records if r.student and r.lesson})
        return tuple(self._total(student, lesson) for student, lesson in pairs)

    def _total(self, student: str, lesson: str) -> Total:
        own = [r for r in self.counted if (r.student, r.lesson) == (student, lesson)]
        known = self.lessons.get(lesson)
        # an exercise without a record of this student was in a file that could not be read
        ids = [item.id for item in known.exercises] if known else []
        worth = {id: self._worth.get((lesson, id), 0.0) for id in ids}
        worth |= {record.exercise: record.possible for record in own}
        reasons = [r.status for r in self.rejected if (r.student, r.lesson) == (student, lesson)]
        return Total(
            student=student,
            lesson=lesson,
            points=sum(record.points for record in own),
            possible=sum(worth.values()),
            factor=self.late.get((student, lesson), 1.0),
            right=sum(record.status == "correct" for record in own),
            exercises=len(worth),
            rejected=reasons[0] if reasons and not own else "",
        )

    @cached_property
    def _worth(self) -> dict[tuple[str, str], float]:
        """Return what exercises are worth: as in the records, for points can be chosen."""
        course = {
            (lesson, item.id): item.points
            for lesson, known in self.lessons.items()
            for item in known.exercises
        }
        return course | {(r.lesson, r.exercise): r.possible for r in self.counted}

    def name(self, student: str) -> str:
        """Return what to call a student."""
        return self.names.get(student) or student or "unknown"


def safe_cell(text: str) -> str:
    """Return a text that stands in one cell of one line and that no spreadsheet computes.

    An apostrophe goes before whatever would begin a formula (OWASP, "CSV Injection"). Where the
    machine's language separates by semicolons, a cell also begins after each of these.
    """
    line = " ".join(clean(text).split())
    if line == "-":
        return line  # alone it computes nothing, and to Moodle it means that there is no grade
    # a full-width sign is read as the plain one by some spreadsheets
    narrow = "".join(unicodedata.normalize("NFKC", c) if c in "＝＋－＠；" else c for c in line)
    safe = _FORMULA.sub(r"\1'", narrow)
    return line if safe == narrow else safe


def number(value: float) -> str:
    """Return a number as short as it can be read: ``2``, ``0.5``, ``0.3333``."""
    return format(round(float(value), 4), ".12g")


def table(columns: Sequence[str], rows: Iterable[Sequence[str | float]], *, bom: bool) -> bytes:
    """Return a table as CSV (RFC 4180) in UTF-8: one line per row, as many cells as columns.

    Args:
        columns: names of the columns.
        rows: texts, which are made safe, and numbers, which stay numbers.
        bom: begin with a byte order mark. Excel reads a file without one in the code page of the
            machine, which spoils every accent; programs that import grades do not need it.

    Raises:
        ValueError: if a row has another number of cells.
    """
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([safe_cell(column) for column in columns])
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"a row has {len(row)} cells, the table has {len(columns)}")
        writer.writerow([safe_cell(c) if isinstance(c, str) else number(c) for c in row])
    return ((_BOM if bom else "") + target.getvalue()).encode()


def grades_csv(book: Gradebook) -> bytes:
    """Return every record as a row; a person opens it, so it begins with a byte order mark."""
    rows = (
        (
            *(r.student, book.name(r.student), r.lesson, r.exercise, r.status, r.points),
            *(r.possible, r.diagnosis, r.tier, r.seed, " ".join(r.flags), r.message),
        )
        for r in book.records
    )
    return table(GRADES, rows, bom=True)


def totals_csv(book: Gradebook) -> bytes:
    """Return the sum of each student in each lesson, with the late factor, for people."""
    rows = (
        (
            *(t.student, book.name(t.student), t.lesson, t.points, t.possible, t.factor),
            *(t.total, t.right, t.exercises, t.rejected),
        )
        for t in book.totals
    )
    return table(TOTALS, rows, bom=True)
