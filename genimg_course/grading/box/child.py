"""Inside the box: execute an answer once, then answer one question after the other about it.

A question is 16 bytes that name it, and a case with a seed; a reply is the same 16 bytes, one byte
that tells its kind, and raw observations. What stands here shares a process with code that may lie,
patch it, or end it: nothing here is believed outside, and no right answer is known here.
"""

import linecache
import os
import re
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import torch

from genimg_course.grading.box.frames import read_frame, write_frame
from genimg_course.grading.wire import TooLarge, decode, encode
from genimg_course.probing.calling import Failure, seed_all
from genimg_course.probing.case import Case
from genimg_course.probing.observing import find_probe

__all__ = ["serve", "silence"]

_ID = 16
_LONGEST_QUESTION = 1 << 28


def serve(program: dict[str, Any], questions: int, replies: int, largest: int) -> None:
    """Answer questions until there are none.

    Args:
        program: ``code``, ``function``, ``probe``, ``arguments``, ``first_line``, ``filename``.
        questions: number of the file that questions are read from.
        replies: number of the file that replies are written to.
        largest: the most bytes of a reply.
    """
    answer = _Answer(program)
    while (question := read_frame(questions, _LONGEST_QUESTION)) is not None:
        inputs, options, name, seed = decode(question[_ID:])
        kind, data = _reply(answer, Case(inputs, options, name), seed, largest)
        write_frame(replies, question[:_ID] + kind + data)


def _reply(answer: "_Answer", case: Case, seed: int, largest: int) -> tuple[bytes, bytes]:
    seen, unavailable = answer.observe(case, seed)
    try:
        if unavailable is not None:
            return b"u", encode(unavailable, largest)
        return b"o", encode(seen, largest)
    except TooLarge:
        return b"x", b""
    except BaseException as error:
        return b"o", encode({"raises": answer.failure(error)}, largest)


class _Answer:
    """The code of an answer; it is executed when the first question comes."""

    def __init__(self, program: dict[str, Any]) -> None:
        self._program = program
        self._probe = find_probe(program["probe"], program["arguments"])
        self._function: Callable[..., Any] | None = None
        self._broken: BaseException | None = None

    def observe(self, case: Case, seed: int) -> tuple[dict[str, Any], str | None]:
        """Return what was seen, and what the course's own function said if it was called."""
        seen: dict[str, Any] = {}
        try:
            with torch.device("cpu"), torch.enable_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                function = self._ready()
                seed_all(seed)
                for name, value in self._probe(function, case):
                    seen[name] = value
        except BaseException as error:  # an answer may raise anything: SystemExit, Ctrl-C, ...
            cause = _cause(error)
            if _is_unavailable(cause):
                return {}, _text(cause)
            seen["raises"] = self.failure(cause)
        return seen, None

    def _ready(self) -> Callable[..., Any]:
        if self._broken is not None:
            raise self._broken
        if self._function is None:
            try:
                self._function = self._execute()
            except BaseException as error:
                self._broken = error
                raise
        return self._function

    def _execute(self) -> Callable[..., Any]:
        code, filename = self._program["code"], self._program["filename"]
        linecache.cache[filename] = (len(code), None, code.splitlines(True), filename)
        module = types.ModuleType("answer")
        sys.modules["answer"] = module
        exec(compile(code, filename, "exec", dont_inherit=True), module.__dict__)
        function = module.__dict__.get(self._program["function"])
        if not callable(function):
            raise NameError(f"there is no function {self._program['function']!r}")
        return function

    def failure(self, error: BaseException) -> Failure:
        """Describe an exception: its name, its first line, and where in the cell it came up."""
        filename = self._program["filename"]
        line, traceback = None, error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == filename:
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        if isinstance(error, SyntaxError) and error.filename == filename:
            line = error.lineno
        if line is None:
            return Failure(type(error).__name__, _text(error))
        code = linecache.getline(filename, line).strip()[:200]
        place = line + self._program["first_line"] - 1
        # what was put before the cell's own lines has no place in it
        return Failure(type(error).__name__, _text(error), place if place > 0 else None, code)


def _cause(error: BaseException) -> BaseException:
    """Return what the answer raised: a generator turns StopIteration into a RuntimeError."""
    cause = error.__cause__
    if type(error) is RuntimeError and isinstance(cause, StopIteration):
        return cause
    return error


def _is_unavailable(error: BaseException) -> bool:
    found = (error, error.__cause__)
    return any(type(one).__name__ == "GradedFunctionUnavailable" for one in found)


def _text(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        first = (text.strip().splitlines() or [""])[0][:200]
        return re.sub(r"0x[0-9a-fA-F]+", "0x...", first)
    except BaseException:  # it may lie about its text as well
        return ""


def silence() -> None:
    """Let what is printed go nowhere: a chatty answer is no worse than a quiet one."""
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        file = open(os.dup(number), mode, encoding="utf-8", errors="replace")  # noqa: SIM115
        setattr(sys, name, file)
        setattr(sys, f"__{name}__", file)
