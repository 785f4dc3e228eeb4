"""What an exercise is worth, and what is left of it when it comes late."""

import csv
import difflib
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["LateRules", "late_rules", "read_points"]

_HOUR = 3600.0
_STEP = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")
_NAMES = ("lesson", "student", "due", "submitted")


def read_points(path: Path, known: Collection[str]) -> dict[str, float]:
    """Return the points of the exercises that a file names.

    A CSV file has the columns ``exercise`` and ``points``; a JSON file is one object, such as
    ``{"vae.step": 3}``. An exercise that the file does not name keeps the points of the course.

    Args:
        path: of the file, ``.csv`` or ``.json``.
        known: ids of all exercises.

    Raises:
        ValueError: if the file cannot be read, names an unknown exercise (the message has the
            nearest ids) or one of them twice, or if points are no number from 0.
    """
    text = _text(path)
    pairs = _from_json(text, path) if path.suffix.lower() == ".json" else _from_csv(text, path)
    points: dict[str, float] = {}
    for place, id, value in pairs:
        if id not in known:
            near = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise ValueError(f"{place}: there is no exercise {id!r}{hint}")
        if id in points:
            raise ValueError(f"{place}: {id} stands there twice")
        points[id] = _number(value, f"{place}: points of {id}")
    return points


def _from_json(text: str, path: Path) -> Iterable[tuple[str, str, Any]]:
    def kept_apart(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        return pairs  # a dictionary would hide an id that stands there twice

    try:
        values = json.loads(text, object_pairs_hook=kept_apart)
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not text.lstrip().startswith("{"):
        raise ValueError(f"{path} holds no JSON object of ids and points")
    return [(str(path), id, value) for id, value in values]


def _from_csv(text: str, path: Path) -> Iterable[tuple[str, str, Any]]:
    rows = _table(text, path, needed=("exercise", "points"))
    return [(f"{path}, line {line}", row["exercise"], row["points"]) for line, row in rows]


def _number(value: Any, what: str, most: float = math.inf) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (0 <= number <= most and math.isfinite(number)):
        limits = "0 or more" if math.isinf(most) else f"from 0 to {most:g}"
        raise ValueError(f"{what} are a number, {limits}, got {value!r}")
    return number


@dataclass(frozen=True)
class _Rule:
    """When work is due, and the factors of late work: ``(hours, factor)``, in order of the hours.

    Args:
        lesson: to which lesson it applies; empty for all.
        student: to whom it applies; empty for all.
        due: seconds since 1970.
        steps: up to so many hours late, the points are multiplied by the factor; after all, by 0.
        submitted: replaces the time that came with the submission, seconds since 1970.
    """

    lesson: str
    student: str
    due: float
    steps: tuple[tuple[float, float], ...]
    submitted: float | None = None

    def factor(self, submitted: float) -> float:
        """Return what is left of the points of work that was handed in at this time."""
        late = submitted - self.due
        if late <= 0:
            return 1.0
        return next((factor for hours, factor in self.steps if late <= hours * _HOUR), 0.0)


@dataclass(frozen=True)
class LateRules:
    """Rules for late work, of which the one that says most about lesson and student applies."""

    rules: tuple[_Rule, ...] = ()

    def factor(self, student: str, lesson: str, submitted: float | None) -> float | None:
        """Return what the points are multiplied by.

        Args:
            student: who handed it in.
            lesson: ``"06"``.
            submitted: when, in seconds since 1970; ``None`` if nobody knows.

        Returns:
            A factor in ``[0, 1]``; 1 if no rule applies; ``None`` if a rule applies and the time
            is not known.
        """
        fitting = [
            rule
            for rule in self.rules
            if rule.lesson in ("", lesson) and rule.student in ("", student)
        ]
        if not fitting:
            return 1.0
        rule = max(fitting, key=lambda rule: (rule.student != "", rule.lesson != ""))
        time = rule.submitted if rule.submitted is not None else submitted
        return None if time is None else rule.factor(time)


def late_rules(text: str) -> LateRules:
    """Return the rules for late work, from one line or from a CSV file.

    One line has the time when work is due and steps ``HOURS:FACTOR``:
    ``2026-11-30T23:59+01:00 24:0.8 72:0.5`` leaves 0.8 of the points up to 24 hours late, 0.5 up to
    72 hours, and nothing later. A CSV file has a column ``due``, a column for each number of hours
    with the factors in it, and, if wanted, ``lesson``, ``student`` (an extension for one person)
    and ``submitted`` (instead of the time that came with the file). An empty field of ``lesson``
    or ``student`` stands for all; the row that names the student goes before the one that names
    the lesson.

    Times carry their offset from UTC (``+01:00`` or ``Z``), so that they mean the same on every
    machine and in every season.

    Args:
        text: the line, or the path of a CSV file.

    Raises:
        ValueError: if it is neither; the message says which part.
    """
    if text.lower().endswith(".csv") or Path(text).is_file():
        return LateRules(tuple(_rule_rows(Path(text))))
    due, *steps = text.split() or [""]
    return LateRules((_Rule("", "", _time(due, "--late"), tuple(sorted(map(_step, steps)))),))


def _step(text: str) -> tuple[float, float]:
    found = _STEP.fullmatch(text)
    if not found:
        raise ValueError(f"--late: a step is HOURS:FACTOR, such as 24:0.8, got {text!r}")
    return float(found[1]), _number(found[2], "--late: factors", most=1)


def _rule_rows(path: Path) -> Iterable[_Rule]:
    seen = set()
    for line, row in _table(_text(path), path, needed=("due",)):
        place = f"{path}, line {line}"
        steps = [
            (
                _number(name.removesuffix("h").strip(), f"{path}: hours at the head of a column"),
                _number(row[name], f"{place}: factors", most=1),
            )
            for name in row
            if name not in _NAMES and row[name]
        ]
        lesson, student = row.get("lesson", ""), row.get("student", "")
        lesson = lesson.zfill(2) if lesson else ""
        if (lesson, student) in seen:
            raise ValueError(f"{place}: a rule for the same lesson and student stands above")
        seen.add((lesson, student))
        submitted = row.get("submitted")
        yield _Rule(
            lesson,
            student,
            _time(row["due"], place),
            tuple(sorted(steps)),
            _time(submitted, place) if submitted else None,
        )


def _time(text: str, place: str) -> float:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"{place}: a time is written as 2026-11-30T23:59+01:00, got {text!r}"
        ) from error
    if time.tzinfo is None:
        raise ValueError(f"{place}: {text} needs its offset from UTC, such as {text}+01:00")
    return time.timestamp()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ValueError(f"{path} cannot be read: {reason}") from error


def _table(
    text: str, path: Path, *, needed: Sequence[str]
) -> Iterable[tuple[int, Mapping[str, str]]]:
    """Return the rows of a CSV table with their line numbers; spreadsheets may write semicolons."""
    head = text.split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text), delimiter=";" if ";" in head else ",")
    names = [name.strip().lower() for name in next(lines, [])]
    for name in needed:
        if name not in names:
            raise ValueError(f"{path} has no column {name!r}; its columns: {', '.join(names)}")
    if len(set(names)) != len(names):
        raise ValueError(f"{path} has two columns of one name: {', '.join(names)}")
    for row in lines:
        if any(field.strip() for field in row):
            if len(row) != len(names):
                raise ValueError(
                    f"{path}, line {lines.line_num}: {len(row)} fields, {len(names)} are expected"
                )
            fields = [field.strip() for field in row]
            yield lines.line_num, dict(zip(names, fields, strict=True))
