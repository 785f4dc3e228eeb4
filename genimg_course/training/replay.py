"""Keep what a run showed at some of its steps, to look back at it when the run is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

__all__ = ["Replay"]

Seen = TypeVar("Seen")


class Replay(Generic[Seen]):
    """Look at a run at some of its steps, and keep what was seen.

    Give it to `fit` as ``log``; the step itself knows nothing of it. The first look is taken at
    once, before the run begins. The looks lie close together at first, where most happens, and
    the gap between them grows in proportion to their number.

    Args:
        look: returns what to keep, such as pictures of codes that stay the same. Each call returns
            something new, for the run goes on; and it draws no random numbers from a generator
            that the run draws from, or the run would not be the same as without it.
        steps: how many updates the run will take.
        count: how many looks to take, the first and the last included; a short run has fewer.

    Attributes:
        steps: the number of updates done at each look, from 0.
        kept: what each look returned.

    Raises:
        ValueError: if ``steps`` is below 1 or ``count`` below 2.

    >>> replay = Replay(lambda: "what there is to see", steps=8, count=3)
    >>> for done in range(1, 9):
    ...     replay(done)
    >>> replay.steps
    [0, 2, 8]
    """

    def __init__(self, look: Callable[[], Seen], *, steps: int, count: int = 30) -> None:
        if steps < 1:
            raise ValueError(f"steps is {steps}: expected at least one")
        if count < 2:
            raise ValueError(f"count is {count}: expected at least two, the first and the last")
        self._look = look
        last = min(count - 1, steps)
        self._due = [max(i, round(steps * (i / last) ** 2)) for i in range(1, last + 1)]
        self.steps: list[int] = [0]
        self.kept: list[Seen] = [look()]

    def __call__(self, done: int, losses: Mapping[str, float] | None = None) -> None:
        """Take a look if one is due; ``fit`` tells of every entry of its history.

        Args:
            done: updates done so far.
            losses: not used.
        """
        if not self._due or done < self._due[0]:
            return
        self._due = [step for step in self._due if step > done]
        self.steps.append(done)
        self.kept.append(self._look())
