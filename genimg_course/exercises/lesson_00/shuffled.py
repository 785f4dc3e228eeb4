"""Exercise: an order of the data that comes again."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_00 as probes
from genimg_course.probing.case import Case, Observations, Observed
from genimg_course.training.orientation import shuffled

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def rows(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
        seed = int(torch.randint(1, 10_000, (), generator=rng))
        return {"x": normal(rng, *shape, dtype=dtype), "seed": seed}

    return [
        Case(rows(12, 4)),
        Case(rows(15, 1, 3, 2)),
        Case(rows(11, 2) | {"seed": 0}, name="seed 0"),
        Case(rows(20, 5, dtype=torch.float32), name="float32 inputs"),
    ]


def _reading(case: Case, seen: Observed) -> Observations:
    """Compare which rows there are, whatever their order, and say what a seed decides."""
    first = seen["value"]
    yield "value", _in_order(first)
    yield "unchanged:x", seen["unchanged:x"]
    yield "again", _equal(first, seen["again"])
    yield "seeds", not all(_equal(first, other) for other in seen["others"])
    yield "rows", tuple(_in_order(other) for other in seen["others"])
    for name in ("torch", "numpy", "random"):
        yield f"left alone:{name}", seen[f"left alone:{name}"]


def _in_order(x: Any) -> Any:
    """Return the rows sorted by their first number: which rows there are, whatever the order."""
    if not isinstance(x, Tensor) or x.ndim == 0:
        return x
    return x[x.flatten(1)[:, 0].argsort()] if x.ndim > 1 else x.sort().values


def _equal(one: Any, other: Any) -> bool:
    return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _global_seed(x: Tensor, seed: int) -> Tensor:
    torch.manual_seed(seed)
    return x[torch.randperm(len(x))]


def _other_library(x: Tensor, seed: int) -> Tensor:
    torch.manual_seed(seed)
    return x[torch.from_numpy(np.random.permutation(len(x)))]


def _columns(x: Tensor, seed: int) -> Tensor:
    return x[:, torch.randperm(x.shape[1], generator=_seeded(seed))]


SPECIFICATION = Specification(
    id="orientation.shuffled",
    title="An order of the data that comes again",
    reference=shuffled,
    cases=_cases,
    probe=probes.shuffled,
    reading=_reading,
    sentences={
        "again": (
            "The same seed gives another order the second time. Something that the seed does not "
            "set decides it."
        ),
        "seeds": "Every seed gives the same order. Where does the seed enter?",
        "rows": (
            "With another seed, rows are missing or come twice. A shuffle keeps every row exactly "
            "once."
        ),
        "left alone": (
            "A global random state is not what it was before. Other parts of the program draw from "
            "it, so the data would change their numbers too."
        ),
    },
    misconceptions=(
        Misconception(
            "GLOBAL_SEED",
            _global_seed,
            "The order comes again, but the global generator of torch is set back each time. "
            "Noise and weights that are drawn afterwards repeat themselves as well. Use a "
            "generator that belongs to the data.",
        ),
        Misconception(
            "UNSEEDED",
            lambda x, seed: x[torch.randperm(len(x))],
            "The seed is not used: the order depends on all that was drawn before.",
        ),
        Misconception(
            "OTHER_LIBRARY",
            _other_library,
            "One library is seeded and another one draws: torch and NumPy have generators of their "
            "own, and a seed for one says nothing to the other.",
        ),
        Misconception(
            "FIXED",
            lambda x, seed: shuffled(x, 0),
            "The order is the same for every seed. Somebody who repeats a run with other seeds "
            "wants to see other orders.",
        ),
        Misconception(
            "REPLACEMENT",
            lambda x, seed: x[torch.randint(len(x), (len(x),), generator=_seeded(seed))],
            "Some rows come twice and others never. A shuffle keeps every row exactly once.",
        ),
        Misconception(
            "COLUMNS",
            _columns,
            "The second axis is shuffled. That mixes the inside of each picture and leaves the "
            "pictures where they were.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the rows, a second call after other things have drawn random numbers, "
            "other seeds, and that the global states of torch, NumPy and Python stay as they were."
        ),
        place=(
            "Make a generator of your own, seed it, and let it draw a permutation of the row "
            "numbers. Then pick the rows."
        ),
        example=(
            "Twice the same seed, and other draws in between. Run this:\n"
            ">>> x = torch.arange(8.0)\n"
            ">>> first = shuffled(x, 3)\n"
            ">>> noise = torch.randn(5)\n"
            ">>> torch.equal(shuffled(x, 3), first)\n"
            "True"
        ),
        question=(
            "If somebody adds a line that draws noise before your shuffle, should the order of the "
            "data change?"
        ),
        analogue=(
            "Two players share one deck of cards: if one draws a card more, the other gets other "
            "cards. Give each a deck of their own."
        ),
    ),
)
