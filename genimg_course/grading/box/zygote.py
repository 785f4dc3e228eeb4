"""Inside the box: import torch once, then fork one child for each answer.

It reads frames from its standard input and writes frames to its standard output, so that it works
the same in a plain process, in a namespace and in a container. The first byte of a frame is its
kind:

====  ===============================================================================
in    ``C`` settings, ``S`` start a child, ``Q`` bytes for the child, ``K`` kill it
out   ``R`` ready, ``B`` bytes of the child, ``E`` how the child ended, ``F`` what failed
====  ===============================================================================

What a child sends is relayed unread. A child gets two pipes and no other file of this process.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import selectors
import signal
import sys
import tempfile
from typing import Any

__all__ = ["main"]

_CHUNK = 1 << 16
_LARGEST_FRAME = 1 << 29
_LONGEST_PAUSE = 0.05  # seconds; so often the number of threads is looked at
_QUESTIONS, _REPLIES = 3, 4  # where a child finds its pipes
_SUBREAPER = 36


class _Child:
    """A running child: its process, and this side of its pipes."""

    def __init__(self, pid: int, questions: int, replies: int) -> None:
        self.pid, self.questions, self.replies = pid, questions, replies
        self.pending = bytearray()
        self.reason = ""
        self.silent = False  # its end of the pipe is closed
        for number in (questions, replies):
            os.set_blocking(number, False)

    def feed(self) -> None:
        """Give it as much of its questions as it takes."""
        try:
            while self.pending:
                del self.pending[: os.write(self.questions, self.pending[:_CHUNK])]
        except BlockingIOError:
            pass
        except OSError:
            self.pending.clear()  # it does not listen any more

    def kill(self, reason: str) -> None:
        """End it, and say why."""
        self.reason = self.reason or reason
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)

    def threads(self) -> int:
        """Return how many threads it has; 0 where that cannot be seen."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as file:
                return int(file.read().rpartition(")")[2].split()[17])
        except (OSError, ValueError, IndexError):
            return 0


class _Zygote:
    """Serve one grader over two pipes."""

    def __init__(self, inbox: int, outbox: int) -> None:
        self._inbox, self._outbox = inbox, outbox
        self._received = bytearray()
        self._child: _Child | None = None
        self._settings: dict[str, Any] = {}
        self._lockdown: Any = None
        wake, waking = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(waking, False)
        self._wake = wake
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)

    def serve(self) -> None:
        """Obey frames until the grader is gone."""
        while True:
            with selectors.DefaultSelector() as selector:
                self._register(selector)
                ready = {key.fd for key, _ in selector.select(self._pause())}
            if self._wake in ready:
                self._drain()
            if self._inbox in ready and not self._hear():
                break
            if self._child is not None:
                self._attend(self._child, ready)
        if self._child is not None:
            self._child.kill("")

    def _pause(self) -> float | None:
        return None if self._child is None else _LONGEST_PAUSE

    def _register(self, selector: selectors.BaseSelector) -> None:
        selector.register(self._inbox, selectors.EVENT_READ)
        selector.register(self._wake, selectors.EVENT_READ)
        child = self._child
        if child is not None:
            if not child.silent:
                selector.register(child.replies, selectors.EVENT_READ)
            if child.pending:
                selector.register(child.questions, selectors.EVENT_WRITE)

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake, 4096):
                pass

    def _hear(self) -> bool:
        """Read from the grader and obey whole frames; ``False`` at the end."""
        data = os.read(self._inbox, 1 << 20)
        self._received += data
        while len(self._received) >= 4:
            length = int.from_bytes(self._received[:4], "big")
            if length > _LARGEST_FRAME:
                return False
            if len(self._received) < 4 + length:
                break
            frame = bytes(self._received[4 : 4 + length])
            del self._received[: 4 + length]
            self._obey(frame[:1], frame[1:])
        return bool(data)

    def _obey(self, kind: bytes, data: bytes) -> None:
        if kind == b"C":
            self._configure(json.loads(data))
        elif kind == b"S" and self._child is None:
            self._start(json.loads(data))
        elif kind == b"Q" and self._child is not None:
            self._child.pending += data
            self._child.feed()
        elif kind == b"K" and self._child is not None:
            self._child.kill("asked")

    def _configure(self, settings: dict[str, Any]) -> None:
        from genimg_course.grading.box.lockdown import Lockdown, hide_memory

        self._settings = settings
        _preload(settings["preload"])
        hide_memory()
        self._lockdown = Lockdown.prepare(
            settings["read"], landlock=settings["landlock"], filtered=settings["filtered"]
        )
        gc.collect()
        gc.freeze()  # a collection in a child would copy every page that it looks at
        self.send(b"R", b"")

    def _start(self, job: dict[str, Any]) -> None:
        questions, ask = os.pipe()
        listen, replies = os.pipe()
        pid = os.fork()
        if pid == 0:
            _become_child(job, self._settings, self._lockdown, questions, replies)
        os.close(questions)
        os.close(replies)
        self._child = _Child(pid, ask, listen)

    def _attend(self, child: _Child, ready: set[int]) -> None:
        if child.questions in ready:
            child.feed()
        if child.replies in ready:
            self._relay(child)
        if child.threads() > self._settings["threads"]:
            child.kill("threads")
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            while self._relay(child):
                pass
            self._end(child, status, usage)

    def _relay(self, child: _Child) -> bool:
        """Send on what the child wrote; ``False`` if there is nothing."""
        try:
            data = os.read(child.replies, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            child.silent = True
            return False
        self.send(b"B", data)
        return True

    def _end(self, child: _Child, status: int, usage: Any) -> None:
        os.close(child.questions)
        os.close(child.replies)
        self._child = None
        _reap_orphans()
        code = os.waitstatus_to_exitcode(status)
        cpu = int(1000 * (usage.ru_utime + usage.ru_stime))
        report = {"code": code, "cpu": cpu, "memory": usage.ru_maxrss, "reason": child.reason}
        self.send(b"E", json.dumps(report).encode())

    def send(self, kind: bytes, data: bytes) -> None:
        """Write a frame to the grader."""
        left = memoryview((1 + len(data)).to_bytes(4, "big") + kind + data)
        while left:
            left = left[os.write(self._outbox, left) :]


def _preload(names: list[str]) -> None:
    """Import what children will need; what is not there is not needed."""
    # libraries ask for its name when they are imported, and would look for a writable one in vain
    tempfile.tempdir = os.getcwd()
    for name in names:
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
            if name.endswith(".probing"):
                importlib.import_module(f"{name}.{found.name}")
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
        _warm(torch)


def _warm(torch: Any) -> None:
    """Take a step of descent: torch imports parts of itself then, which would cost each child."""
    weight = torch.nn.Parameter(torch.ones(2))
    for make in (torch.optim.SGD, torch.optim.Adam):
        optimizer = make([weight], lr=0.1)
        optimizer.zero_grad()
        (weight * weight).sum().backward()
        optimizer.step()


def _become_child(
    job: dict[str, Any], settings: dict[str, Any], lockdown: Any, questions: int, replies: int
) -> None:
    """Turn a forked process into a locked child and serve; never return."""
    code = 1
    try:
        _keep_only(questions, replies, lockdown.rules)
        rules = None if lockdown.rules is None else _REPLIES + 1
        _lock(type(lockdown)(rules, lockdown.filtered), settings)
        _work(job, settings)
        code = 0
    except BaseException as error:  # before the answer runs this is our own mistake: tell it
        with contextlib.suppress(BaseException):
            _write(f"failed {type(error).__name__}: {error}"[:300].encode())
    finally:
        os._exit(code)


def _keep_only(questions: int, replies: int, rules: int | None) -> None:
    """Close every file but two pipes (and the ruleset, until it is in force)."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    kept = [number for number in (questions, replies, rules) if number is not None]
    high = [os.dup2(number, 200 + index) for index, number in enumerate(kept)]
    os.closerange(3, 200)
    for index, number in enumerate(high):
        os.dup2(number, 3 + index, inheritable=False)
    os.closerange(3 + len(high), os.sysconf("SC_OPEN_MAX"))


def _lock(lockdown: Any, settings: dict[str, Any]) -> None:
    from genimg_course.grading.box.lockdown import die_with_parent, hide_memory, limit

    die_with_parent()
    hide_memory()
    limit(settings["cpu_seconds"], settings["memory_bytes"])
    lockdown.enter()


def _work(job: dict[str, Any], settings: dict[str, Any]) -> None:
    if "trial" in job:
        from genimg_course.grading.box.trial import breaches

        _write(b"ready")
        _write(json.dumps(breaches(**job["trial"])).encode())
        return
    from genimg_course.grading.box.child import serve, silence
    from genimg_course.grading.box.frames import EXHAUSTED

    silence()
    _write(b"ready")
    try:
        serve(job, _QUESTIONS, _REPLIES, settings["answer_bytes"])
    except BaseException:  # no memory for a reply is left, say: a word more would look forged
        os._exit(EXHAUSTED)


def _write(data: bytes) -> None:
    from genimg_course.grading.box.frames import write_frame

    write_frame(_REPLIES, data)


def _reap_orphans() -> None:
    """Kill and collect what a child left behind, where nothing forbade it to start processes."""
    with contextlib.suppress(OSError):
        while True:
            for pid in _children():
                os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)  # ends with an error when there are none


def _children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)


def main() -> None:
    """Serve on standard input and output."""
    sys.argv = sys.orig_argv = ["answer"]  # an answer shall not see who asks
    inbox, outbox = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    _adopt_orphans()
    zygote = _Zygote(inbox, outbox)
    try:
        zygote.serve()
    except Exception as error:
        zygote.send(b"F", f"{type(error).__name__}: {error}"[:300].encode("utf-8", "replace"))
        raise


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:3]  # the package, and the folder of libraries; nothing else
    main()
