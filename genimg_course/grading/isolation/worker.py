"""The grader's side of one zygote: start it, send and receive frames, never wait without an end.

Nothing that arrives is believed. A frame has a largest size, a wait has a deadline, no pipe blocks,
and whatever goes wrong ends with SIGKILL for all processes of the box.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genimg_course.grading.isolation.box import Box
from genimg_course.grading.scratch import keep
from genimg_course.grading.wire import plain_line

__all__ = ["Lost", "NoIsolation", "Tier", "Worker", "environment"]

_START_SECONDS = 120.0
_LARGEST_FRAME = 1 << 17
_PRELOAD = (
    *("torch", "numpy", "genimg_course.probing", "genimg_course.grading.box.child"),
    *("genimg_course.maths", "genimg_course.losses", "genimg_course.models"),
    "genimg_course.training",
)


class NoIsolation(RuntimeError):
    """Answers cannot be contained here; one sentence says what was tried, and how to get it."""


class Lost(RuntimeError):
    """The zygote is gone, or speaks as no zygote does."""


@dataclass(frozen=True)
class Tier:
    """A way to contain answers.

    Args:
        name: ``"container"``, ``"bubblewrap"``, ``"landlock"`` or ``"none"``.
        command: makes the command that starts a zygote in a box.
        readable: tells what Landlock lets an answer read.
        landlock: whether Landlock must be in force; an answer does not run otherwise.
        filtered: whether system calls must be filtered.
        flags: what each record is marked with.
        secrets: files besides the box's own that must not be readable.
    """

    name: str
    command: Callable[[Box], list[str]]
    readable: Callable[[Box], list[str]]
    landlock: bool = True
    filtered: bool = True
    flags: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ("/etc/passwd",)


def environment(home: str) -> dict[str, str]:
    """Return the whole environment of a box: nothing of the grader's own."""
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # sets have one order, so records are the same in each run
        "CUDA_VISIBLE_DEVICES": "",
        "TORCHINDUCTOR_CACHE_DIR": home,  # it must exist, even if nothing is ever compiled
        **dict.fromkeys(threads, "1"),
    }


class Worker:
    """A running zygote.

    Args:
        tier: how it is contained.
        package: the folder with the package that is visible inside.
        settings: limits for each child: ``cpu_seconds``, ``memory_bytes``, ``answer_bytes``,
            ``threads``.
        preload: modules to import before the first child; an empty list for a quick trial.

    Raises:
        NoIsolation: if it does not start, or if the box does not hold.
    """

    def __init__(
        self,
        tier: Tier,
        package: Path,
        settings: dict[str, int],
        *,
        preload: Iterable[str] = _PRELOAD,
    ) -> None:
        self.tier = tier
        self.box = Box.make(package)
        self._lock = keep(self.box.folder)
        self.ending = False  # a child was told to end, and its end has not been confirmed
        self._received = bytearray()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        try:
            self._process = self._start()
            self._open({**settings, "preload": list(preload)})
        except BaseException:
            self.kill()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(
                self.tier.command(self.box),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment(str(self.box.empty)),
                cwd=self.box.empty,
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            raise NoIsolation(f"{self.tier.name}: {error}") from error
        assert process.stdin is not None and process.stdout is not None
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def _open(self, settings: dict[str, Any]) -> None:
        tier = self.tier
        settings |= {"landlock": tier.landlock, "filtered": tier.filtered}
        settings["read"] = tier.readable(self.box) if tier.landlock else []
        deadline = time.monotonic() + _START_SECONDS
        try:
            self.send(b"C", json.dumps(settings).encode(), deadline)
            kind, said = self.receive(deadline)
            if kind != b"R":
                raise Lost(plain_line(said.decode("utf-8", "replace")))
            if tier.filtered:
                self._try_out(deadline)
        except (Lost, TimeoutError) as error:
            raise NoIsolation(f"{tier.name}: the box did not start: {self._why(error)}") from error

    def _try_out(self, deadline: float) -> None:
        """Try from inside what must not be possible, before any answer runs."""
        folders = [str(self.box.empty), "/tmp", "/dev/shm", "/var/tmp", "/box", "/"]
        trial = {"secrets": [str(self.box.secret), *self.tier.secrets], "folders": folders}
        self.send(b"S", json.dumps({"trial": trial}).encode(), deadline)
        report = self._report(deadline)
        if report:
            raise NoIsolation(f"{self.tier.name}: from inside one can {', '.join(report)}")

    def _report(self, deadline: float) -> list[str]:
        data = bytearray()
        while (frame := self.receive(deadline))[0] == b"B":
            data += frame[1]
        parts = []
        while len(data) >= 4:
            length = int.from_bytes(data[:4], "big")
            parts.append(bytes(data[4 : 4 + length]))
            del data[: 4 + length]
        if len(parts) != 2 or parts[0] != b"ready":
            said = parts[0].decode("utf-8", "replace") if parts else "nothing was reported"
            raise Lost(plain_line(said))
        return [plain_line(str(item)) for item in json.loads(parts[1])]

    def _why(self, error: Exception) -> str:
        self._errors.seek(0)
        said = self._errors.read(2000).decode("utf-8", "replace").strip().splitlines()
        return plain_line(said[-1] if said else str(error))

    def send(self, kind: bytes, data: bytes, deadline: float) -> None:
        """Send a frame; what arrives meanwhile is kept.

        Raises:
            Lost: if nobody listens.
            TimeoutError: if the deadline passed.
        """
        pipe = self._process.stdin
        assert pipe is not None
        left = memoryview((1 + len(data)).to_bytes(4, "big") + kind + data)
        while left:
            self._wait(pipe.fileno(), selectors.EVENT_WRITE, deadline)
            try:
                left = left[os.write(pipe.fileno(), left[: 1 << 16]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Lost("the zygote does not listen") from error

    def receive(self, deadline: float) -> tuple[bytes, bytes]:
        """Return the next frame: its kind and its bytes.

        Raises:
            Lost: if the zygote is gone, or sends what no zygote sends.
            TimeoutError: if the deadline passed.
        """
        while (frame := self._frame()) is None:
            pipe = self._process.stdout
            assert pipe is not None
            self._wait(pipe.fileno(), selectors.EVENT_READ, deadline)
            self._take(pipe.fileno())
        return frame

    def _take(self, number: int) -> None:
        try:
            data = os.read(number, 1 << 17)
        except BlockingIOError:
            return
        if not data:
            raise Lost("the zygote is gone")
        self._received += data

    def _frame(self) -> tuple[bytes, bytes] | None:
        if len(self._received) < 4:
            return None
        length = int.from_bytes(self._received[:4], "big")
        if not 1 <= length <= _LARGEST_FRAME:
            raise Lost("the zygote sent a frame of a wrong size")
        if len(self._received) < 4 + length:
            return None
        frame = bytes(self._received[4 : 4 + length])
        del self._received[: 4 + length]
        return frame[:1], frame[1:]

    def _wait(self, number: int, event: int, deadline: float) -> None:
        left = deadline - time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(number, event)
            if left <= 0 or not selector.select(left):
                raise TimeoutError("the deadline passed")

    @property
    def alive(self) -> bool:
        """Tell whether the zygote still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End all processes of the box and remove its folders."""
        process = getattr(self, "_process", None)
        if process is not None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            _kill_marked(self.box.marker)
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self._errors.close()
        self._lock.release()
        self.box.remove()


def _kill_marked(marker: str) -> None:
    """Kill what left the group, where nothing forbade it: its command line still names the box."""
    if not os.path.isdir("/proc/self"):
        return
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if marker.encode() in Path("/proc", name, "cmdline").read_bytes():
                os.kill(int(name), signal.SIGKILL)
