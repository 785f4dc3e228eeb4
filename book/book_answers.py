"""The page of questions and answers, with its figures taken from the tables of the measurements."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["AnswerError", "answers_page"]

BOOK = Path(__file__).resolve().parent
TABLES = BOOK.parent / "tests" / "calibration"
_FIGURE = re.compile(
    r"\{\{ *(?P<table>\w+):(?P<name>\w+)(?: +(?!bound)(?P<unit>[\w%]+))?(?P<bound> bound)? *\}\}"
)
_SHARES = {"%": "%", "points": "percentage points"}
_SIDES = {"at_least": "at least", "at_most": "at most"}


class AnswerError(ValueError):
    """Say which figure of the page was never measured."""


def answers_page() -> str:
    """Return the page with each ``{{ table:name unit }}`` replaced by what the seeds gave.

    With ``bound`` at its end it becomes the bound that goes with it.
    """
    text = (BOOK / "ask.md").read_text(encoding="utf-8")
    return _FIGURE.sub(_figure, text)


def _figure(mark: re.Match[str]) -> str:
    table, name, unit = mark["table"], mark["name"], mark["unit"] or ""
    numbers = [run["numbers"].get(name) for run in _table(table)["runs"]]
    if not numbers or None in numbers:
        raise AnswerError(f"{table}.json has no {name} for each seed, which ask.md quotes")
    if not mark["bound"]:
        low, high = _round(min(numbers), unit), _round(max(numbers), unit)
        return _with_unit(low if low == high else f"{low} to {high}", unit)
    sides = [side for side in _SIDES if side in _table(table)["summary"].get(name, {})]
    if not sides:
        raise AnswerError(f"{table}.json has no bound for {name}, which ask.md quotes")
    limit = _round(_table(table)["summary"][name][sides[0]], unit)
    return f"{_SIDES[sides[0]]} {_with_unit(limit, unit)}"


def _round(value: float, unit: str) -> str:
    """Return three digits of a value; of a share in per cent two, or two of what lacks of all."""
    shown, digits = (100 * value, 2) if unit in _SHARES else (value, 3)
    size = min(shown, 100 - shown) if unit in _SHARES and 0 < shown < 100 else abs(shown)
    if size == 0:
        return f"{shown:.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    if decimals > 5:
        power = math.floor(math.log10(size))
        return f"${shown / 10**power:.1f} \\cdot 10^{{{power}}}$"
    text = f"{shown:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if decimals else text


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {_SHARES.get(unit, unit)}".rstrip()


@cache
def _table(name: str) -> dict[str, Any]:
    path = TABLES / f"{name}.json"
    if not path.is_file():
        raise AnswerError(f"there is no {path.name}, which ask.md quotes")
    return json.loads(path.read_text(encoding="utf-8"))
