"""The workers of a run: each judges one submission after another, until all are done or stopped."""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Any

from tqdm import tqdm

from genimg_course.grading.intake import Lesson, Submission
from genimg_course.grading.isolation.session import Sandbox
from genimg_course.grading.isolation.worker import NoIsolation
from genimg_course.grading.judging import grade_submission, unjudged
from genimg_course.grading.ledger import Entry, Ledger
from genimg_course.grading.outcome import GradingError
from genimg_course.grading.record import Record

__all__ = ["Boxes", "Stopping", "Workers"]

_PATIENCE = 0.5  # seconds that workers have to put their sandboxes away
_TRIES = 2

Boxes = Callable[[], AbstractContextManager[Sandbox]]


class Stopping:
    """Ask the workers to stop when a signal comes, instead of dying in the middle of a line."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Stopping":
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


class Workers:
    """The workers of a run, and what they share.

    Args:
        ledger: where they write down what they judged.
        lessons: of the course, by number.
        condition: seed, tier and course, which stand in every entry.
        boxes: makes sandboxes.
        stopping: says when the run is to stop.
        tell: gets sentences for whoever started the run.
    """

    def __init__(
        self,
        ledger: Ledger,
        lessons: Mapping[str, Lesson],
        condition: Mapping[str, Any],
        boxes: Boxes,
        stopping: Stopping,
        tell: Callable[[str], None],
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
