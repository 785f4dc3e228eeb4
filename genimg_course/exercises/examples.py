"""Run the counter-example of a hint with the reader's own answer; the lesson has the reference."""

import contextlib
import doctest
import io
import sys
from collections.abc import Callable
from typing import Any

import torch

from genimg_course.probing.calling import failure, preserved_randomness, quiet

__all__ = ["outcome"]


def outcome(example: str, answer: Callable[..., Any]) -> str:
    """Return what the ``>>>`` lines of a hint print when they call this answer.

    Args:
        example: the text of a hint.
        answer: the reader's function; the lines call it by its own name.

    Returns:
        The printed text, or the exception in one line.
    """
    names: dict[str, Any] = {"torch": torch, answer.__name__: answer}
    said = io.StringIO()
    with preserved_randomness(), quiet(), contextlib.redirect_stdout(said), _plain_display():
        try:
            for line in doctest.DocTestParser().get_examples(example):
                exec(compile(line.source, "<hint>", "single"), names)
        except (Exception, SystemExit) as error:  # shown like any other outcome
            end = failure(error, answer)
            print(f"{end.kind}: {end.text}")
    return said.getvalue().rstrip()


@contextlib.contextmanager
def _plain_display() -> Any:
    """Print the value of an expression as Python does, also in a notebook."""
    hook = sys.displayhook
    sys.displayhook = lambda value: print(repr(value)) if value is not None else None
    try:
        yield
    finally:
        sys.displayhook = hook
