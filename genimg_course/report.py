"""The numbers with which a lesson ends: shown to the reader, checked, and kept for the machines."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

__all__ = ["Goal", "Missed", "report"]


class Missed(AssertionError):
    """A lesson ended with a number outside its goal."""


@dataclass(frozen=True)
class Goal:
    """A measured number and the bound it must keep.

    Args:
        value: what was measured.
        at_most: upper bound, or ``None``.
        at_least: lower bound, or ``None``.
        unit: shown behind the number.
    """

    value: float
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""

    @property
    def kept(self) -> bool:
        """Whether the value lies within its bounds; NaN never does."""
        low = self.at_least is None or self.value >= self.at_least
        high = self.at_most is None or self.value <= self.at_most
        return low and high and self.value == self.value

    def __str__(self) -> str:
        bounds = [f"at least {self.at_least:g}"] if self.at_least is not None else []
        bounds += [f"at most {self.at_most:g}"] if self.at_most is not None else []
        goal = "goal: " + " and ".join(bounds) if bounds else "no bound"
        return f"{self.value:.4g}{' ' + self.unit if self.unit else ''} ({goal})"


def report(**goals: Goal) -> None:
    """Print each number beside its goal, write them to ``GENIMG_REPORT`` if set, and check them.

    Raises:
        Missed: if a number lies outside its goal; the others are printed and written all the same.
    """
    for name, goal in goals.items():
        print(f"{'reached' if goal.kept else 'MISSED '}  {name.replace('_', ' ')}: {goal}")
    path = os.environ.get("GENIMG_REPORT")
    if path:
        numbers = {
            name: {
                "value": goal.value,
                "at_most": goal.at_most,
                "at_least": goal.at_least,
                "unit": goal.unit,
            }
            for name, goal in goals.items()
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump(numbers, file, indent=2)
    missed = [
        f"{name.replace('_', ' ')} is {goal}" for name, goal in goals.items() if not goal.kept
    ]
    if missed:
        raise Missed("; ".join(missed))
