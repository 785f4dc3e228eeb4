"""Show the source of a function or class inside a lesson."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["Source", "show_source"]


class Source:
    """Python source that a notebook renders with its own highlighting."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}```\n"


def show_source(thing: Callable[..., Any]) -> Source:
    """Return the source of a function or class, to be the last line of a cell.

    Args:
        thing: a function, method or class written in Python.

    Raises:
        ValueError: if its source cannot be found.
    """
    try:
        return Source(inspect.getsource(thing))
    except (OSError, TypeError) as error:
        raise ValueError(f"the source of {thing!r} cannot be shown: {error}") from error
