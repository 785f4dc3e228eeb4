"""Grade a class: one submission after another, so that it can be stopped and resumed anywhere."""

import hashlib
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tqdm import tqdm

import genimg_course
from genimg_course.files import write_whole
from genimg_course.grading import scratch
from genimg_course.grading.entries import finished, is_judged, late_factors, priced
from genimg_course.grading.folder import alone, choose_seed, writing
from genimg_course.grading.intake import Lesson, Rejected, gather
from genimg_course.grading.isolation.session import Limits, Sandbox
from genimg_course.grading.isolation.tiers import Tier, choose_tier
from genimg_course.grading.ledger import Ledger
from genimg_course.grading.outcome import GradingError, Outcome
from genimg_course.grading.package import write_package
from genimg_course.grading.points import LateRules
from genimg_course.grading.record import Record
from genimg_course.grading.reports import write_reports
from genimg_course.grading.workers import Boxes, Stopping, Workers

__all__ = ["GradingError", "Outcome", "grade"]

Tell = Callable[[str], None]


def grade(
    sources: Sequence[Path],
    out: Path,
    *,
    lessons: Mapping[str, Lesson],
    lesson: str | None = None,
    seed: int | None = None,
    tier: str | None = None,
    trust: bool = False,
    points: Mapping[str, float] | None = None,
    late: LateRules | None = None,
    jobs: int = 1,
    hints: int = 4,
    names: Mapping[str, str] | None = None,
    sections: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    boxes: Boxes | None = None,
    tell: Tell | None = None,
) -> Outcome:
    """Grade submissions into a folder; what was judged there before is not judged again.

    Each judged submission is on the disk before the next begins. A run that was killed, at any
    moment, is resumed by the same call, and leaves the same files as one that was not. SIGINT and
    SIGTERM end the run after a few seconds, with the reports of what is done.

    Args:
        sources: folders, zip files and notebooks; files among them that cannot be read are in the
            gradebook of this run only.
        out: folder of the grades; made if missing.
        lessons: of the course, by number.
        lesson: number of the lesson that all submissions answer; by default each says its own.
        seed: chooses inputs and random states; by default the one this folder has, or a new one.
        tier: how answers are contained; by default the best that this machine has.
        trust: run answers without containment if there is none.
        points: what exercises are worth, by id, instead of the course's points.
        late: rules for late work.
        jobs: submissions that are judged side by side.
        hints: highest step of the hint ladder that feedback shows.
        names: what to call students, instead of what their files say.
        sections: headings of the lessons by exercise, for the summary.
        limits: of time and memory.
        boxes: makes sandboxes, instead of those of the tier.
        tell: gets sentences for whoever started the run; by default they go to stderr.

    Returns:
        What was done.

    Raises:
        GradingError: if the folder cannot be written or is in use, or sandboxes do not start.
        NoIsolation: if answers cannot be contained here.
        ValueError: if a source does not exist, or the number of jobs is below 1.
    """
    if jobs < 1:
        raise ValueError(f"the number of jobs is at least 1, got {jobs}")
    tell = tell or _tell
    scratch.remove_abandoned()
    chosen = choose_tier(tier, trust=trust)
    intake = gather(sources, lessons=lessons, lesson=lesson)
    submissions = sorted(intake.submissions, key=lambda x: (x.student, x.lesson))
    rejected = [*intake.rejected, *(item for x in submissions for item in x.refused)]
    with writing(out), alone(out):
        ledger = Ledger(out, tell)
        seed = choose_seed(out, seed, (entry.seed for entry in ledger.entries.values()), tell)
        condition = {"seed": seed, "tier": chosen.name, "course": _course()}
        todo = [x for x in submissions if not is_judged(x, ledger.entries, lessons, condition)]
        with ExitStack() as stack:
            boxes = boxes or _boxes(chosen, limits or Limits(), stack)
            stopping = stack.enter_context(Stopping())
            workers = Workers(ledger, lessons, condition, boxes, stopping, tell)
            workers.run(todo, jobs=jobs, done=len(submissions) - len(todo))
            ledger.replace(priced(ledger.entries.values(), submissions, lessons, points or {}))
            records = _report(
                *(out, ledger, lessons),
                rejected=rejected,
                hints=hints,
                names=names or {},
                late=late or LateRules(),
                sections=sections,
                tell=tell,
            )
            workers.leave()
        if workers.failure is not None:
            raise workers.failure
    return Outcome(
        out=out,
        records=tuple(records),
        seed=seed,
        tier=chosen.name,
        judged=workers.judged,
        kept=len(submissions) - len(todo),
        rejected=len(rejected),
        signal=stopping.signal,
    )


def _report(
    out: Path,
    ledger: Ledger,
    lessons: Mapping[str, Lesson],
    *,
    rejected: Sequence[Rejected],
    hints: int,
    names: Mapping[str, str],
    late: LateRules,
    sections: Mapping[str, str] | None,
    tell: Tell,
) -> list[Record]:
    """Write all that is read of a folder of grades, and return its records."""
    entries = list(ledger.entries.values())
    records = finished(entries, rejected)
    write_whole(out / "records.jsonl", "".join(f"{x.to_json()}\n" for x in records))
    write_reports(
        out,
        records,
        lessons=lessons,
        attempts=ledger.attempts,
        hints=hints,
        names={entry.student: entry.name for entry in entries} | dict(names),
        late=late_factors(entries, late, tell),
        sections=sections,
        numbers={entry.student: entry.canvas_id for entry in entries},
    )
    return records


def _course() -> str:
    """Return the sha256 of the course's code: another one may ask or judge otherwise."""
    digest = hashlib.sha256()
    folder = Path(genimg_course.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _boxes(tier: Tier, limits: Limits, stack: ExitStack) -> Boxes:
    """Write the package for the sandboxes once, and return what makes them."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=scratch.PACKAGE)))
    stack.callback(scratch.keep(folder).release)
    package = write_package(folder)
    return lambda: Sandbox(tier, package, limits)


def _tell(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)
