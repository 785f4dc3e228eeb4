"""Take IPython's own lines out of a cell: no shell and no magic ever runs in the grader."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["WithoutMagics", "parse", "without_magics"]

_LINE = re.compile(
    r"""(?P<indent>[ \t]*)(?:
        %%?[A-Za-z_] | !  | \?                  # %magic, !shell, ?object
        | [\w.]+\?\??[ \t]*(?:\#.*)?$           # object?
        | [\w.,\ \[\]\"'*]+=[ ]*(?:!|%[A-Za-z_])  # files = !ls
    )""",
    re.VERBOSE,
)
_CELL = re.compile(r"\s*%%(?P<name>[A-Za-z_!]\w*|!)")
_RUNS_PYTHON = ("time", "timeit", "capture", "prun")
_MOST_PARSED = 1_000_000  # characters that are parsed again for one cell


@dataclass(frozen=True)
class WithoutMagics:
    """The Python of a cell.

    Args:
        text: as many lines as the cell has; a line that was taken out is ``pass`` or empty.
        removed: how many lines were taken out.
        language: the cell magic that makes the whole cell something else than Python, or empty.
        error: why the rest is no Python, or None.
    """

    text: str
    removed: int = 0
    language: str = ""
    error: SyntaxError | None = None


def parse(text: str) -> ast.Module:
    """Return the syntax tree of Python text; nothing is compiled, folded or run.

    Raises:
        SyntaxError: if it is no Python, is nested too deeply, or holds characters that no source
            may hold.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a text is no reason to refuse an answer
            return ast.parse(text)
    except (RecursionError, MemoryError):
        raise SyntaxError("the code is nested too deeply to be read") from None
    except SyntaxError:
        raise
    except ValueError:  # NUL, or half of a surrogate pair
        raise SyntaxError("the code holds a character that no program may hold") from None


@lru_cache(maxsize=256)
def without_magics(source: str) -> WithoutMagics:
    """Return the source without magics and shell lines; other lines keep their numbers.

    Only a line at which parsing fails can be one: a ``%`` at the start of a line inside brackets
    or a text is ordinary Python. ``%time statement`` becomes the statement.

    Args:
        source: text of a code cell.
    """
    magic, removed = _CELL.match(source), 0
    if magic and magic["name"] not in _RUNS_PYTHON:
        return WithoutMagics("", 1, f"%%{magic['name']}")
    lines = source.split("\n")
    if magic:
        lines[source.count("\n", 0, magic.end())], removed = "", 1
    tries = max(3, _MOST_PARSED // max(1, len(source)))
    left = min(tries, len(lines))
    while (error := _error("\n".join(lines))) is not None:
        at = (error.lineno or 0) - 1
        if not left or not 0 <= at < len(lines) or not _take_out(lines, at):
            break
        left, removed = left - 1, removed + 1
    return WithoutMagics("\n".join(lines), removed, error=error)


def _error(text: str) -> SyntaxError | None:
    try:
        parse(text)
    except SyntaxError as error:
        return error.with_traceback(None)
    return None


def _take_out(lines: list[str], at: int) -> bool:
    """Replace a line that is a magic, and those that continue it; tell whether it was one."""
    found = _LINE.match(lines[at])
    if not found:
        return False
    last = at
    while lines[last].endswith("\\") and last + 1 < len(lines):
        last += 1
    lines[at + 1 : last + 1] = [""] * (last - at)
    indent, line = found["indent"], lines[at][len(found["indent"]) :]
    statement = line.removeprefix("%time ").strip(" \t\\") if line.startswith("%time ") else ""
    lines[at] = indent + (statement or "pass")
    return True
