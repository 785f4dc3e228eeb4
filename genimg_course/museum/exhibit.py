"""What an exhibit is: a trigger, the number that gives the failure away, and a cure."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch

__all__ = ["Exhibit", "Visit", "short"]

Bounds = tuple[float, float]


def short(value: float) -> str:
    """Return a number as a reader wants it.

    >>> short(1657.2), short(0.000502)
    ('1,657', '0.000502')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass(frozen=True)
class Exhibit:
    """A failure that can be made at will.

    Args:
        id: name by which it is visited.
        title: the failure as a claim.
        lesson: where it is explained, ``"10"``.
        trigger: what has to be done to make it.
        signature: what the number is, and how the failure reads from it.
        cure: what helps.
        run: trains and measures; ``run(broken)`` returns the number. It draws from the global
            generator, which is seeded for it and given back.
        broken: the least and the largest number of the failure, calibrated over seeds.
        mended: the same of the cure.
    """

    id: str
    title: str
    lesson: str
    trigger: str
    signature: str
    cure: str
    run: Callable[[bool], float]
    broken: Bounds
    mended: Bounds

    def visit(self, seed: int = 0) -> Visit:
        """Make the failure and the cure with one seed."""
        numbers = []
        for broken in (True, False):
            with torch.random.fork_rng(devices=()), torch.enable_grad():
                torch.default_generator.manual_seed(seed)
                numbers.append(float(self.run(broken)))
        return Visit(self, *numbers)

    @property
    def source(self) -> str:
        """The code that makes the failure: one cell of a notebook."""
        return inspect.getsource(self.run)


@dataclass(frozen=True, repr=False)
class Visit:
    """What a visit measured.

    Args:
        exhibit: what was visited.
        broken: the number of the failure.
        mended: the number after the cure.
    """

    exhibit: Exhibit
    broken: float
    mended: float

    def __repr__(self) -> str:
        """Return the block as plain text."""
        item = self.exhibit
        lines = [item.title, f"  Trigger: {item.trigger}", f"  Signature: {item.signature}"]
        numbers = f"  Broken: {short(self.broken)}. Cured: {short(self.mended)}."
        return "\n".join([*lines, f"  Cure: {item.cure}", numbers])

    def _repr_markdown_(self) -> str:
        """Return the block as Markdown."""
        item = self.exhibit
        return "\n\n".join(
            [
                f"**{item.title}** (`{item.id}`)",
                f"*Trigger.* {item.trigger}",
                f"*Signature.* {item.signature}",
                f"*Cure.* {item.cure}",
                f"| broken | cured |\n|---|---|\n| {short(self.broken)} | {short(self.mended)} |",
            ]
        )
