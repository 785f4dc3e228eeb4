"""What happened to each exercise in this session; it lives in memory only."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SESSION", "Record", "Session"]


@dataclass
class Record:
    """One exercise: its last verdict, how often it was tried, how far its hints were climbed.

    ``answer`` is the reader's last written answer, for the hint that runs it.
    """

    status: str = "not_written"
    sentence: str = ""
    attempts: int = 0
    hints: int = 0
    solution_shown: bool = False
    answer: Callable[..., Any] | None = None

    @property
    def outcome(self) -> str:
        """Return the status for the table: a solution that was shown first stays noted."""
        return "solution_shown" if self.solution_shown else self.status


@dataclass
class Session:
    """All records by exercise id, in the order in which they were touched."""

    records: dict[str, Record] = field(default_factory=dict)

    def record(self, id: str) -> Record:
        """Return the record of an exercise, a new one at its first mention."""
        return self.records.setdefault(id, Record())

    def note(self, id: str, status: str, sentence: str, answer: Callable[..., Any]) -> None:
        """Note the verdict of a check; an empty body is no attempt."""
        record = self.record(id)
        record.status, record.sentence = status, sentence
        if status != "not_written":
            record.attempts += 1
            record.answer = answer

    def climb(self, id: str, steps: int) -> int:
        """Take one step up the ladder of hints and return it; the last one is the solution."""
        record = self.record(id)
        record.hints = min(record.hints + 1, steps)
        if record.hints == steps and record.status != "right":
            record.solution_shown = True
        return record.hints


SESSION = Session()
"""The session of this process."""
