"""Put questions to an answer that runs in a box, one child for each answer.

::

    with Sandbox(choose_tier(), package) as sandbox, sandbox.run(program) as run:
        observed = run.ask(case, seed)
"""

import json
import secrets
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from genimg_course.grading.box.frames import EXHAUSTED
from genimg_course.grading.isolation.worker import Lost, NoIsolation, Tier, Worker
from genimg_course.grading.wire import WireError, decode, encode, plain_line
from genimg_course.probing.case import Case, Observed

__all__ = ["Ended", "Limits", "Program", "Run", "Sandbox"]

_LARGEST_QUESTION = 256 << 20
_GRACE = 5.0  # seconds for a killed child to be gone
_READY_SECONDS = 30.0
_HEADER = 4


@dataclass(frozen=True)
class Limits:
    """What an answer may use.

    Args:
        seconds: wall time of one question; the first includes executing the code.
        cpu_seconds: processor time of one answer, over all its questions.
        memory_bytes: address space, beyond what the libraries take.
        answer_bytes: the largest reply to one question.
        total_seconds: wall time of all questions of a submission together.
        threads: how many threads an answer may have at once.
    """

    seconds: float = 10.0
    cpu_seconds: int = 20
    memory_bytes: int = 4 << 30
    answer_bytes: int = 32 << 20
    total_seconds: float = 60.0
    threads: int = 256


@dataclass(frozen=True)
class Program:
    """An answer, and how to look at it.

    Args:
        code: what to execute; it defines the function.
        function: name of the answer's function.
        probe: what to observe, ``"genimg_course.probing.values:values_and_gradients"``.
        arguments: what the probe gets after function and case.
        first_line: the line of the student's cell on which ``code`` begins.
        filename: what a traceback calls the cell.
    """

    code: str
    function: str
    probe: str
    arguments: tuple[str, ...] = ()
    first_line: int = 1
    filename: str = "<answer>"


class Ended(Exception):
    """An answer ended without an observation that can be judged.

    Args:
        status: as in a record: ``"timeout"``, ``"killed:memory"``, ``"crashed"``, ``"wrong"``, ...
        diagnosis: short name of the reason; empty if the status says all.
        message: one sentence for the student.
        flags: ``("tamper",)`` if the answer wrote into the grader's pipes.
    """

    def __init__(
        self, status: str, diagnosis: str, message: str, flags: tuple[str, ...] = ()
    ) -> None:
        super().__init__(f"{status} {diagnosis}: {message}")
        self.status, self.diagnosis, self.message, self.flags = status, diagnosis, message, flags


class Sandbox:
    """A box for the answers of one submission; its zygote starts with the first answer.

    Args:
        tier: how answers are contained.
        package: the copy of ``genimg_course`` that is visible inside, or the folder that holds it.
        limits: what an answer may use.
    """

    def __init__(self, tier: Tier, package: Path, limits: Limits = Limits()) -> None:
        self.tier = tier
        self.limits = limits
        self.left = limits.total_seconds
        self._package = package
        self._worker: Worker | None = None

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes of the box."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()

    def run(self, program: Program) -> "Run":
        """Start a child for an answer; a lost zygote is started again.

        Raises:
            NoIsolation: if the box does not start, or does not hold.
        """
        return Run(self, program)

    def worker(self) -> Worker:
        """Return the running zygote."""
        if self._worker is not None and not self._worker.alive:
            self.close()
        if self._worker is None:
            limits = asdict(self.limits)
            names = ("cpu_seconds", "memory_bytes", "answer_bytes", "threads")
            settings = {name: int(limits[name]) for name in names}
            self._worker = Worker(self.tier, self._package, settings)
        return self._worker


class Run:
    """One answer in a child of its own; a context manager.

    After the answer has ended, every question raises the same :class:`Ended`.
    """

    def __init__(self, sandbox: Sandbox, program: Program) -> None:
        self._sandbox = sandbox
        self._received = bytearray()
        self._ended: Ended | None = None
        self._gone = False
        self._worker = self._start(program)

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child; whatever it still sends is not read."""
        if self._ended is None:
            self._ended = Ended("crashed", "closed", "The answer has been judged.")
            self._end_child()

    def _start(self, program: Program) -> Worker:
        """Start a child, once more with a new zygote if the old one was lost meanwhile."""
        job = json.dumps(asdict(program)).encode()
        for attempt in (0, 1):
            worker = self._sandbox.worker()
            try:
                return self._greet(worker, job)
            except (Lost, TimeoutError) as error:
                self._sandbox.close()
                self._received.clear()
                if attempt:
                    raise NoIsolation(f"{worker.tier.name}: no child starts: {error}") from error
        raise AssertionError("unreachable")

    def _greet(self, worker: Worker, job: bytes) -> Worker:
        deadline = time.monotonic() + _READY_SECONDS
        while worker.ending:
            worker.ending = worker.receive(deadline)[0] != b"E"
        worker.send(b"S", job, deadline)
        while (frame := self._frame(1 << 10)) is None:
            kind, data = worker.receive(deadline)
            if kind != b"B":
                raise Lost("it ended before it was ready")
            self._received += data
        if frame != b"ready":
            raise Lost(plain_line(frame.decode("utf-8", "replace")))
        return worker

    def ask(self, case: Case, seed: int) -> Observed:
        """Return what was observed of the answer on a case.

        Args:
            case: its inputs.
            seed: of the global generators inside.

        Returns:
            Raw observations by name; ``"raises"`` holds a ``Failure`` if the answer raised.

        Raises:
            Ended: if the answer took too long, used too much, crashed, or sent what no box sends.
        """
        if self._ended is not None:
            raise self._ended
        name = secrets.token_bytes(16)
        question = (dict(case.inputs), dict(case.options), case.name, seed)
        data = name + encode(question, _LARGEST_QUESTION)
        start = time.monotonic()
        try:
            reply = self._exchange(name, data, start)
            return _observed(reply[:1], reply[1:])
        except Ended as ended:
            self._ended = ended
            self._end_child()
            raise
        finally:
            self._sandbox.left -= time.monotonic() - start

    def _exchange(self, name: bytes, data: bytes, start: float) -> bytes:
        limits, left = self._sandbox.limits, self._sandbox.left
        deadline = start + min(limits.seconds, left)
        try:
            if self._received:
                raise _tampered("it sent something that nobody asked for")
            self._worker.send(b"Q", len(data).to_bytes(_HEADER, "big") + data, deadline)
            while (frame := self._frame(limits.answer_bytes + 64)) is None:
                self._read(deadline)
        except TimeoutError:
            raise _too_slow(limits, left) from None
        except Lost:
            raise Ended(
                "crashed", "worker", "The process that ran the answer was lost.", ("lost",)
            ) from None
        if frame[: len(name)] != name or self._received:
            raise _tampered("it replied to a question that was not asked")
        return frame[len(name) :]

    def _read(self, deadline: float) -> None:
        kind, data = self._worker.receive(deadline)
        if kind == b"E":
            self._gone = True
            raise _death(data, self._sandbox.limits)
        if kind != b"B":
            raise Lost("the zygote sent a frame of an unknown kind")
        self._received += data

    def _frame(self, largest: int) -> bytes | None:
        """Return the child's next frame, if it is complete."""
        if len(self._received) < _HEADER:
            return None
        length = int.from_bytes(self._received[:_HEADER], "big")
        if length > largest:
            raise _tampered("it announced a reply of a size that is never sent")
        if len(self._received) < _HEADER + length:
            return None
        frame = bytes(self._received[_HEADER : _HEADER + length])
        del self._received[: _HEADER + length]
        return frame

    def _end_child(self) -> None:
        """Have the child killed; that it is gone is confirmed before the next one starts."""
        if self._gone or not self._worker.alive:
            return
        self._worker.ending = True
        try:
            self._worker.send(b"K", b"", time.monotonic() + _GRACE)
        except (Lost, TimeoutError):
            self._sandbox.close()


def _observed(kind: bytes, data: bytes) -> Observed:
    """Return the observations in a reply."""
    if kind == b"x":
        raise Ended("killed:output", "", "What it returned is too large to be looked at.")
    try:
        value: Any = decode(data)
    except WireError:
        raise _tampered("its reply cannot be read") from None
    if kind == b"u" and type(value) is str:
        raise Ended("error", "unavailable", plain_line(value))
    if kind != b"o" or type(value) is not dict or not all(type(name) is str for name in value):
        raise _tampered("its reply holds no observations")
    return value


def _tampered(how: str) -> Ended:
    message = f"The answer wrote into the pipe between it and the grader: {how}."
    return Ended("wrong", "protocol", message, ("tamper",))


def _too_slow(limits: Limits, left: float) -> Ended:
    if left < limits.seconds:
        message = f"All answers together took more than {limits.total_seconds:g} seconds."
        return Ended("timeout", "total", message)
    return Ended("timeout", "", f"It did not answer within {limits.seconds:g} seconds.")


def _death(data: bytes, limits: Limits) -> Ended:
    """Tell from the zygote's report how a child ended that nobody had asked to end."""
    try:
        report = json.loads(data)
        code, cpu, reason = int(report["code"]), int(report["cpu"]), str(report["reason"])
    except (ValueError, KeyError, TypeError):
        return Ended("crashed", "worker", "The process that ran the answer was lost.", ("lost",))
    if reason == "threads":
        message = f"It started more than {limits.threads} threads."
        return Ended("killed:pids", "", message)
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and cpu >= 1000 * limits.cpu_seconds):
        message = f"It used more than {limits.cpu_seconds} seconds of processor time."
        return Ended("killed:cpu", "", message)
    if code == -signal.SIGKILL:
        return Ended("killed:memory", "", "It used more memory than there is.")
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return Ended("crashed", name, f"Python itself crashed ({name}).")
    if code == EXHAUSTED:
        message = "It left no memory, or no threads, for a reply."
        return Ended("crashed", "exhausted", message)
    message = f"The answer ended its own process, with the exit status {code}."
    return Ended("crashed", "exit", message)
