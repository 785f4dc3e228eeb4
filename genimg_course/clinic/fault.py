"""What a fault of a program is: a symptom to run, its cause, its repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import torch

__all__ = ["Fault", "Numbers"]

Numbers = Mapping[str, float]
"""What was measured, by name."""


@dataclass(frozen=True)
class Fault:
    """One way in which a program fails, small enough to be run.

    Args:
        id: ``"CA3"`` is the third fault of the first article's program, ``"CB6"`` the sixth of the
            second's.
        title: what goes wrong, in a few words.
        original: what was seen when the article's own program was run or read.
        broken: runs code with the fault; it returns numbers, or raises what PyTorch raises.
        cause: why, in a sentence.
        mended: runs the repaired code and returns numbers.
        after: what one sees then.
    """

    id: str
    title: str
    original: str
    broken: Callable[[], Numbers] = field(repr=False)
    cause: str
    mended: Callable[[], Numbers] = field(repr=False)
    after: str

    @property
    def program(self) -> Literal["A", "B"]:
        """The article whose program has the fault."""
        return "A" if self.id.startswith("CA") else "B"

    def symptom(self, *, seed: int = 0) -> Numbers:
        """Run the code with the fault.

        Args:
            seed: of torch's generator, which is as before afterwards.

        Returns:
            What was measured, by name.

        Raises:
            Exception: the error that the faulty code raises, where it does.
        """
        return _alone(self.broken, seed)

    def repair(self, *, seed: int = 0) -> Numbers:
        """Run the repaired code and return what was measured; the seed is as for the symptom."""
        return _alone(self.mended, seed)

    def examine(self, *, seed: int = 0) -> str:
        """Return what the faulty code shows: its numbers, or the type and text of its error."""
        try:
            return _told(self.symptom(seed=seed))
        except Exception as error:  # whatever the faulty code raises is the symptom
            return f"{type(error).__name__}: {error}"

    def __str__(self) -> str:
        """Return title, symptom, cause, repair and what the repaired code shows."""
        return "\n".join(
            [
                f"{self.id}  {self.title}",
                f"  original: {self.original}",
                f"  symptom:  {self.examine()}",
                f"  cause:    {self.cause}",
                f"  repaired: {_told(self.repair())}",
                f"            {self.after}",
            ]
        )


def _alone(function: Callable[[], Numbers], seed: int) -> Numbers:
    """Call a function with a seed of its own and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        return function()


def _told(numbers: Numbers) -> str:
    return "; ".join(f"{name} {value:.4g}" for name, value in numbers.items())
