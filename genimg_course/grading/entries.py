"""What counts of the entries of a ledger: which stand, what they are worth, what is taken off."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genimg_course.grading.intake import Lesson, Rejected, Submission
from genimg_course.grading.judging import GRADER
from genimg_course.grading.ledger import Entry
from genimg_course.grading.points import LateRules
from genimg_course.grading.record import Record

__all__ = ["finished", "is_judged", "late_factors", "priced"]


def is_judged(
    submission: Submission,
    entries: Mapping[tuple[str, str], Entry],
    lessons: Mapping[str, Lesson],
    condition: Mapping[str, Any],
) -> bool:
    """Tell whether the last entry of a student and lesson says what this submission would get.

    Args:
        submission: what was handed in.
        entries: by student and lesson.
        lessons: of the course, by number.
        condition: seed, tier and course of this run.
    """
    entry = entries.get((submission.student, submission.lesson))
    if entry is None or entry.submission != submission.sha256 or entry.flags != submission.flags:
        return False
    if any(getattr(entry, name) != value for name, value in condition.items()):
        return False
    wanted = {item.id for item in lessons[submission.lesson].exercises}
    return wanted == {record.exercise for record in entry.records} and not any(
        GRADER in record.flags for record in entry.records
    )


def priced(
    entries: Iterable[Entry],
    submissions: Sequence[Submission],
    lessons: Mapping[str, Lesson],
    points: Mapping[str, float],
) -> list[Entry]:
    """Return the entries with the points of this run, and who and when as it is known now."""
    worth = {item.id: item.points for lesson in lessons.values() for item in lesson.exercises}
    worth |= points
    now = {(x.student, x.lesson, x.sha256): x for x in submissions}
    return [
        _priced(entry, now.get((*entry.key, entry.submission), entry), worth) for entry in entries
    ]


def _priced(entry: Entry, newest: Entry | Submission, worth: Mapping[str, float]) -> Entry:
    return replace(
        entry,
        name=newest.name,
        submitted=newest.submitted,
        canvas_id=newest.canvas_id,
        records=tuple(
            _worth(record, worth.get(record.exercise, record.possible)) for record in entry.records
        ),
    )


def _worth(record: Record, possible: float) -> Record:
    points = possible if record.status == "correct" else 0.0
    return replace(record, points=points, possible=possible)


def finished(entries: Iterable[Entry], rejected: Iterable[Rejected]) -> list[Record]:
    """Return all records in an order that does not depend on when they were made."""
    records = [record for entry in entries for record in entry.records]
    records += [_record(item) for item in rejected]
    return sorted(records, key=lambda r: (r.student, r.lesson, r.exercise, r.to_json()))


def _record(item: Rejected) -> Record:
    return Record(
        student=item.student or item.name,
        lesson=item.lesson,
        exercise="",
        submission=item.sha256,
        status=f"rejected:{item.reason}",
        points=0.0,
        possible=0.0,
        diagnosis=item.reason,
        message=f"{item.name}: {item.message}",
    )


def late_factors(
    entries: Iterable[Entry], rules: LateRules, tell: Callable[[str], None]
) -> dict[tuple[str, str], float]:
    """Return what is left for being late, by student and lesson, where a time is known."""
    factors = {x.key: rules.factor(x.student, x.lesson, x.submitted) for x in entries}
    unknown = sorted(" ".join(key) for key, factor in factors.items() if factor is None)
    if unknown:
        tell(f"no time of submission is known, so nothing is taken off: {', '.join(unknown)}")
    return {key: factor for key, factor in factors.items() if factor is not None}
