"""Grade the course's own solutions: with any seed they must have full marks."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from genimg_course.grading.batch import grade
from genimg_course.grading.intake import manifest
from genimg_course.grading.record import Record

__all__ = ["solution_check"]


def solution_check(
    root: Path,
    *,
    seeds: Sequence[int],
    lesson: str | None = None,
    tier: str | None = None,
    trust: bool = False,
) -> Iterator[tuple[int, list[Record]]]:
    """Grade the solved notebooks as submissions, once for each seed.

    Args:
        root: the course's folder.
        seeds: which questions to ask.
        lesson: one lesson only, ``"06"``.
        tier: how answers are contained; by default the best that this machine has.
        trust: run them uncontained if there is nothing to contain them.

    Yields:
        Each seed with the records of all exercises.

    Raises:
        ValueError: if there is no solved notebook of the lesson.
        NoIsolation: if answers cannot be contained here.
        GradingError: if sandboxes do not start.
    """
    solved = sorted((root / "solutions").glob(f"{lesson or '[0-9][0-9]'}_*.ipynb"))
    if not solved:
        raise ValueError(
            f"{root / 'solutions'} holds no solved notebook of lesson {lesson}: "
            "go to the folder of the course, or run 'genimg author'"
        )
    lessons = manifest(root / "notebooks")
    with tempfile.TemporaryDirectory(prefix="genimg-") as scratch:
        handed_in = Path(scratch, "submissions", "solutions")
        handed_in.mkdir(parents=True)
        for path in solved:
            shutil.copyfile(path, handed_in / path.name)
        for seed in seeds:
            done = grade(
                [handed_in.parent],
                Path(scratch, f"seed-{seed}"),
                lessons=lessons,
                seed=seed,
                tier=tier,
                trust=trust,
            )
            yield seed, [record for record in done.records if record.exercise]
