"""What the grader found out about one exercise of one submission, and how it is written down."""

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["STATUSES", "Record"]

STATUSES = ("correct", "wrong", "error", "not_attempted", "timeout", "crashed")
"""Statuses without a reason; ``killed:REASON`` and ``rejected:REASON`` carry one."""

_STATUS = re.compile(r"killed:(memory|cpu|pids|disk|output)|rejected:[a-z_]+|" + "|".join(STATUSES))


@dataclass(frozen=True)
class Record:
    """One exercise of one submission.

    A record holds no time of day and no duration: the same submission with the same seed gives the
    same bytes, whatever stands beside it in the batch.

    Args:
        student: who handed it in, as found by the intake.
        lesson: ``"06"``; empty for a file whose lesson is not known.
        exercise: ``"vae.gaussian_kl"``; empty if the whole file was rejected.
        submission: sha256 of the file.
        status: one of :data:`STATUSES`, ``killed:memory|cpu|pids|disk|output`` or
            ``rejected:REASON``.
        points: what it is worth, in ``[0, possible]``.
        possible: the most that it could be worth.
        diagnosis: code of the misconception (``"HALF"``), or the property that fails
            (``"shape"``); empty if there is nothing to diagnose.
        message: what to tell the student, in one or two sentences, unescaped.
        tier: how the answer was contained: ``"container"``, ``"bubblewrap"``, ``"landlock"``,
            ``"none"``, or empty if nothing was run.
        seed: chose inputs and random states; the same seed asks the same questions again.
        flags: what an instructor may want to know, such as ``"tamper"`` or ``"duplicate"``.
        answer: sha256 of the code that was judged; empty if there is none.

    Raises:
        ValueError: if the status is unknown or the points are out of range.
    """

    student: str
    lesson: str
    exercise: str
    submission: str
    status: str
    points: float
    possible: float
    diagnosis: str = ""
    message: str = ""
    tier: str = ""
    seed: int = 0
    flags: tuple[str, ...] = ()
    answer: str = ""

    def __post_init__(self) -> None:
        if not _STATUS.fullmatch(self.status):
            raise ValueError(
                f"a record's status is one of {', '.join(STATUSES)}, got {self.status!r}"
            )
        if not 0 <= self.points <= self.possible:
            raise ValueError(f"points are between 0 and {self.possible}, got {self.points}")

    def to_json(self) -> str:
        """Return the record as one line of JSON, keys in order, ASCII only."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> "Record":
        """Return the record that a line holds.

        Raises:
            ValueError: if the line is not a record.
        """
        try:
            values: Any = json.loads(line)
        except ValueError as error:
            raise ValueError(f"a record is one line of JSON: {error}") from error
        names = {item.name for item in dataclasses.fields(cls)}
        if not isinstance(values, Mapping) or set(values) != names:
            raise ValueError(f"a record has the keys {', '.join(sorted(names))}")
        return cls(**{**values, "flags": tuple(values["flags"])})
