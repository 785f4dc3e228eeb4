"""Grade a class: one submission after another, so that it can be stopped and resumed anywhere."""

import hashlib
import json
import queue
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout
from tqdm import tqdm

import genimg_course
from genimg_course.files import write_whole
from genimg_course.grading import scratch
from genimg_course.grading.intake import Lesson, Rejected, Submission, gather
from genimg_course.grading.isolation.session import Limits, Sandbox
from genimg_course.grading.isolation.tiers import NoIsolation, Tier, choose_tier
from genimg_course.grading.judging import GRADER, grade_submission, unjudged
from genimg_course.grading.ledger import Entry, Ledger
from genimg_course.grading.package import write_package
from genimg_course.grading.points import LateRules
from genimg_course.grading.record import Record
from genimg_course.grading.reports import write_reports

__all__ = ["GradingError", "Outcome", "grade"]

_PATIENCE = 0.5  # seconds that workers have to put their sandboxes away
_TRIES = 2

Tell = Callable[[str], None]
Boxes = Callable[[], AbstractContextManager[Sandbox]]


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
    with _writing(out), _alone(out):
        ledger = Ledger(out, tell)
        seed = _seed(out, seed, ledger, tell)
        condition = {"seed": seed, "tier": chosen.name, "course": _course()}
        todo = [x for x in submissions if not _is_judged(x, ledger, lessons, condition)]
        with ExitStack() as stack:
            if boxes is None:
                boxes = _boxes(chosen, limits or Limits(), stack)
            stopping = stack.enter_context(_Stopping())
            batch = _Batch(ledger, lessons, condition, boxes, stopping, tell)
            batch.run(todo, jobs=jobs, done=len(submissions) - len(todo))
            ledger.replace(_priced(ledger, submissions, lessons, points or {}))
            entries = list(ledger.entries.values())
            records = _finished(entries, rejected)
            write_whole(out / "records.jsonl", "".join(f"{x.to_json()}\n" for x in records))
            write_reports(
                out,
                records,
                lessons=lessons,
                attempts={key: len(some) for key, some in ledger.attempts.items()},
                hints=hints,
                names={entry.student: entry.name for entry in entries} | dict(names or {}),
                late=_late(entries, late or LateRules(), tell),
                sections=sections,
                numbers={entry.student: entry.canvas_id for entry in entries},
            )
            batch.leave()
        if batch.failure is not None:
            raise batch.failure
    return Outcome(
        out=out,
        records=tuple(records),
        seed=seed,
        tier=chosen.name,
        judged=batch.judged,
        kept=len(submissions) - len(todo),
        rejected=len(rejected),
        signal=stopping.signal,
    )


class _Stopping:
    """Ask the workers to stop when a signal comes, instead of dying in the middle of a line."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "_Stopping":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        self.event.set()


class _Stopped(Exception):
    """The run ends; the submission at hand is dropped."""


class _Batch:
    """The workers of a run, and what they share."""

    def __init__(
        self,
        ledger: Ledger,
        lessons: Mapping[str, Lesson],
        condition: Mapping[str, Any],
        boxes: Boxes,
        stopping: _Stopping,
        tell: Tell,
    ) -> None:
        self._ledger, self._lessons, self._condition = ledger, lessons, condition
        self._boxes, self._stop, self._tell = boxes, stopping.event, tell
        self._waiting: queue.SimpleQueue[Submission] = queue.SimpleQueue()
        self._workers: list[threading.Thread] = []
        self._open: set[Sandbox] = set()
        self._lock = threading.Lock()
        self.judged = 0
        self.failure: BaseException | None = None

    def run(self, todo: Sequence[Submission], *, jobs: int, done: int) -> None:
        """Judge submissions until all are done or the run is to stop."""
        for submission in todo:
            self._waiting.put(submission)
        with tqdm(
            total=done + len(todo), initial=done, unit="submission", disable=None
        ) as self._bar:
            # daemons, because an answer must not keep a run alive that is to stop
            self._workers = [
                threading.Thread(target=self._work, daemon=True)
                for _ in range(min(jobs, len(todo)))
            ]
            for worker in self._workers:
                worker.start()
            while any(x.is_alive() for x in self._workers) and not self._stop.wait(0.02):
                pass
            with self._lock:  # a worker that has not ended adds nothing from here on
                self._stop.set()
        for sandbox in tuple(self._open):  # so that nobody waits for an answer any more
            sandbox.close()

    def leave(self) -> None:
        """Give the workers a moment to put their sandboxes away."""
        deadline = time.monotonic() + _PATIENCE
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                self._judge(self._waiting.get_nowait())
        except (queue.Empty, _Stopped):
            pass
        except BaseException as error:  # a thread would end with it, and nobody would know
            with self._lock:
                if not self._stop.is_set():
                    self.failure = error
                    self._stop.set()

    def _judge(self, submission: Submission) -> None:
        entry = Entry(
            student=submission.student,
            lesson=submission.lesson,
            submission=submission.sha256,
            name=submission.name,
            submitted=submission.submitted,
            flags=submission.flags,
            canvas_id=submission.canvas_id,
            records=tuple(self._records(submission)),
            **self._condition,
        )
        with self._lock:
            self._go_on()
            self._ledger.add(entry)
            self.judged += 1
            self._bar.update()

    def _records(self, submission: Submission) -> list[Record]:
        lesson, seed = self._lessons[submission.lesson], self._condition["seed"]
        for _ in range(_TRIES):
            try:
                with self._opened() as sandbox:
                    return grade_submission(
                        submission,
                        lesson,
                        sandbox,
                        seed=seed,
                        tell=self._tell,
                        going_on=self._go_on,
                    )
            except NoIsolation as error:
                self._go_on()
                self._start_one()  # else it was this machine's fault, and the run ends
                last = error
        self._tell(f"{submission.student}, lesson {lesson.number} is left out for now: {last}")
        return unjudged(submission, lesson, sandbox, seed=seed)

    def _start_one(self) -> None:
        """Start a sandbox without any answer in it."""
        try:
            with self._opened() as sandbox:
                sandbox.worker()
        except NoIsolation as error:
            raise GradingError(f"sandboxes do not start any more: {error}") from error

    @contextmanager
    def _opened(self) -> Iterator[Sandbox]:
        with self._boxes() as sandbox:
            self._open.add(sandbox)
            try:
                yield sandbox
            finally:
                self._open.discard(sandbox)

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise _Stopped


def _is_judged(
    submission: Submission,
    ledger: Ledger,
    lessons: Mapping[str, Lesson],
    condition: Mapping[str, Any],
) -> bool:
    entry = ledger.entries.get((submission.student, submission.lesson))
    if entry is None or entry.submission != submission.sha256 or entry.flags != submission.flags:
        return False
    if any(getattr(entry, name) != value for name, value in condition.items()):
        return False
    wanted = {item.id for item in lessons[submission.lesson].exercises}
    return wanted == {record.exercise for record in entry.records} and not any(
        GRADER in record.flags for record in entry.records
    )


def _priced(
    ledger: Ledger,
    submissions: Sequence[Submission],
    lessons: Mapping[str, Lesson],
    points: Mapping[str, float],
) -> list[Entry]:
    """Return the entries with the points of this run, and who and when as it is known now."""
    worth = {item.id: item.points for lesson in lessons.values() for item in lesson.exercises}
    worth |= points
    now = {(x.student, x.lesson, x.sha256): x for x in submissions}
    known = [
        (entry, now.get((*entry.key, entry.submission), entry)) for entry in ledger.entries.values()
    ]
    return [
        replace(
            entry,
            name=newest.name,
            submitted=newest.submitted,
            canvas_id=newest.canvas_id,
            records=tuple(
                _worth(record, worth.get(record.exercise, record.possible))
                for record in entry.records
            ),
        )
        for entry, newest in known
    ]


def _worth(record: Record, possible: float) -> Record:
    points = possible if record.status == "correct" else 0.0
    return replace(record, points=points, possible=possible)


def _finished(entries: Sequence[Entry], rejected: Sequence[Rejected]) -> list[Record]:
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


def _late(entries: Sequence[Entry], rules: LateRules, tell: Tell) -> dict[tuple[str, str], float]:
    factors = {x.key: rules.factor(x.student, x.lesson, x.submitted) for x in entries}
    unknown = sorted(" ".join(key) for key, factor in factors.items() if factor is None)
    if unknown:
        tell(f"no time of submission is known, so nothing is taken off: {', '.join(unknown)}")
    return {key: factor for key, factor in factors.items() if factor is not None}


def _seed(out: Path, wanted: int | None, ledger: Ledger, tell: Tell) -> int:
    """Return the seed of a folder, drawn and written down where there is none."""
    path = out / "settings.json"
    written = None
    try:
        written = int(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError):
        tell(f"{path} is damaged: it is written anew")
    used = (entry.seed for entry in ledger.entries.values())
    known = written if written is not None else next(used, None)
    seed = wanted if wanted is not None else known
    if seed is None:
        seed = secrets.randbelow(2**31)  # nobody who hands something in can know it
    if seed != written:
        write_whole(path, json.dumps({"seed": seed}) + "\n")
    return seed


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


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn what may go wrong with the folder of grades into a sentence."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise GradingError(
            f"cannot write to {out} ({error.strerror or error}): what was judged so far is kept; "
            "make room there or choose another --out, then run the same command again"
        ) from error


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep a second grader out; the operating system frees the lock of one that was killed."""
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise GradingError(
            f"another grader works in {out}: wait until it has ended, or choose another --out"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _tell(sentence: str) -> None:
    tqdm.write(sentence, file=sys.stderr)
