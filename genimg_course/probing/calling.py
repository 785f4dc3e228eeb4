"""Call a reader's function without letting it disturb, or be disturbed by, the lesson."""

import contextlib
import inspect
import io
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, TracebackType
from typing import Any

import torch

__all__ = ["Failure", "failure", "preserved_randomness", "quiet", "seed_all"]

_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Failure:
    """How a call ended that returned nothing: the exception, and where in the reader's function."""

    kind: str
    text: str
    line: int | None = None
    code: str = ""


def failure(error: BaseException, function: Callable[..., Any] | None = None) -> Failure:
    """Describe an exception in one line, the same in every run (memory addresses are cut)."""
    text = str(error).strip().split("\n")[0][:_LONGEST_TEXT]
    text = re.sub(r"0x[0-9a-fA-F]+", "0x...", text)
    own = None if function is None else getattr(inspect.unwrap(function), "__code__", None)
    line, code = _where(error.__traceback__, own)
    return Failure(type(error).__name__, text, line, code)


def _where(traceback: TracebackType | None, code: CodeType | None) -> tuple[int | None, str]:
    """Return the last line inside the function, counted from its decorator, and its text."""
    if code is None:
        return None, ""
    inside = {number for _, _, number in code.co_lines() if number}
    found: int | None = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == code.co_filename:
            found = traceback.tb_lineno if traceback.tb_lineno in inside else found
        traceback = traceback.tb_next
    if found is None:
        return None, ""
    import linecache

    return found - code.co_firstlineno + 1, linecache.getline(code.co_filename, found).strip()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Swallow what is printed, displayed and warned inside: a check calls a function many times."""
    with warnings.catch_warnings(), _captured():
        warnings.simplefilter("ignore")
        yield


def _captured() -> contextlib.AbstractContextManager[Any]:
    """Return IPython's capture in a notebook (it holds pictures as well), a plain one elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from IPython.utils.capture import capture_output

        return capture_output()
    stack = contextlib.ExitStack()
    stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
    return stack


@contextlib.contextmanager
def preserved_randomness() -> Iterator[None]:
    """Give back the global random states of Python, NumPy and torch as they were."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    numpy = sys.modules.get("numpy")
    python_state = random.getstate()
    numpy_state = numpy.random.get_state() if numpy else None
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python_state)
            if numpy:
                numpy.random.set_state(numpy_state)


def seed_all(seed: int) -> None:
    """Seed the global generators of Python, NumPy (where it is loaded) and torch on the CPU."""
    random.seed(seed)
    torch.default_generator.manual_seed(
        seed
    )  # torch.manual_seed queues a call for each GPU as well
    numpy = sys.modules.get("numpy")
    if numpy:
        numpy.random.seed(seed % 2**32)
