"""How a grading ends: with an outcome, or with a sentence that says why not."""

from dataclasses import dataclass
from pathlib import Path

from genimg_course.grading.record import Record

__all__ = ["GradingError", "Outcome"]


class GradingError(Exception):
    """Say in one sentence why nothing, or no more, can be graded."""


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Args:
        out: folder of the grades.
        records: all of the gradebook, of this run and of earlier ones.
        seed: of all questions.
        tier: how answers were contained.
        judged: submissions judged in this run.
        kept: submissions that were judged before, under the same conditions.
        rejected: files that could not be read as a submission.
        signal: what ended the run early, such as ``signal.SIGTERM``; ``None`` if it came to its
            end.
    """

    out: Path
    records: tuple[Record, ...]
    seed: int
    tier: str
    judged: int
    kept: int
    rejected: int
    signal: int | None = None

    def __str__(self) -> str:
        answers = [record for record in self.records if record.exercise]
        right = sum(record.status == "correct" for record in answers)
        share = f"{right / len(answers):.0%}" if answers else "none"
        lines = [
            f"students        {len({record.student for record in answers})}",
            f"exercises       {len(answers)}, {right} right ({share})",
            f"judged now      {self.judged} submissions, {self.kept} were judged before",
            f"files rejected  {self.rejected}",
            f"tier            {self.tier}",
            f"seed            {self.seed}",
            f"summary         {self.out / 'summary.html'}",
            f"grades          {self.out / 'grades.csv'}",
            f"feedback        {self.out / 'feedback'}",
        ]
        if self.signal is not None:
            lines.append("interrupted: the same command goes on")
        return "\n".join(lines)
