"""Exercise: one update from several small batches."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.readings import which_moved
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_12 as probes
from genimg_course.probing.case import Case, Observations, Observed
from genimg_course.training.accumulation import accumulated_step

__all__ = ["SPECIFICATION"]

_GRAPH = (
    "The step is right, but the returned loss still holds the graph, which keeps the memory of "
    "every step. Return it detached."
)
_WHOLE = (
    "The whole batch goes through the network at once, so nothing is saved. Cut it, and let each "
    "piece have its own forward and backward pass."
)


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(count: int) -> dict[str, Any]:
        seed = int(torch.randint(1_000_000, (1,), generator=rng))
        return {"x": normal(rng, count, 4, dtype=torch.float32), "seed": seed}

    return [
        Case(batch(6), {"pieces": 3}),
        Case(batch(8), {"pieces": 2}),
        Case(batch(5), {"pieces": 1}),
        Case(batch(7), {"pieces": 2}, name="pieces of different lengths"),
        Case(batch(10), {"pieces": 4}, name="pieces of different lengths"),
    ]


def _reading(case: Case, seen: Observed) -> Observations:
    """Read the step, and say whether the pieces are small enough and hold the whole batch."""
    yield from which_moved(case, {k: v for k, v in seen.items() if k != "pieces"})
    x, pieces = case.inputs["x"], seen["pieces"]
    rows = torch.cat([piece.reshape(-1, x.shape[1]) for piece in pieces])
    missing = not bool((x[:, None] == rows).all(dim=2).any(dim=1).all())
    largest = max(len(piece) for piece in pieces)
    yield "whole", missing or largest > -(-len(x) // case.options["pieces"])


def _variant(
    *,
    weigh: Callable[[int, int, int], float] = lambda length, count, pieces: length / count,
    clear_each: bool = False,
    clear: bool = True,
    step_each: bool = False,
    detach: bool = True,
) -> Callable[..., dict[str, Tensor]]:
    """Return the right step with one part exchanged."""

    def step(
        network: nn.Module, optimizer: Any, loss: Callable[..., Tensor], x: Tensor, *, pieces: int
    ) -> dict[str, Tensor]:
        if clear:
            optimizer.zero_grad()
        total = torch.zeros(())
        for piece in x.tensor_split(pieces):
            if clear_each:
                optimizer.zero_grad()
            share = loss(network, piece) * weigh(len(piece), len(x), pieces)
            share.backward()
            total = total + (share.detach() if detach else share)
            if step_each:
                optimizer.step()
                optimizer.zero_grad()
        if not step_each:
            optimizer.step()
        return {"loss": total}

    return step


def _whole(
    network: nn.Module, optimizer: Any, loss: Callable[..., Tensor], x: Tensor, *, pieces: int
) -> dict[str, Tensor]:
    return accumulated_step(network, optimizer, loss, x, pieces=1)


SPECIFICATION = Specification(
    id="training.accumulated_step",
    title="One update from several small batches",
    reference=accumulated_step,
    cases=_cases,
    probe=probes.accumulated_step,
    reading=_reading,
    sentences={"detached": _GRAPH, "whole": _WHOLE},
    misconceptions=(
        Misconception(
            "SUM",
            _variant(weigh=lambda length, count, pieces: 1.0),
            "The mean losses of the pieces are added up, so the gradient is about as many times "
            "too large as there are pieces. What share of the batch is a piece?",
        ),
        Misconception(
            "EQUAL_SHARES",
            _variant(weigh=lambda length, count, pieces: 1 / pieces),
            "Every piece counts the same. If a piece is shorter, its examples then weigh more than "
            "the others.",
        ),
        Misconception(
            "CLEARED",
            _variant(clear_each=True),
            "The gradients are cleared before every piece, so only the last one is left for the "
            "update.",
        ),
        Misconception(
            "NEVER_CLEARED",
            _variant(clear=False),
            "The gradients of the step before are still there. They must pile up over the pieces, "
            "but not over the steps.",
        ),
        Misconception(
            "STEP_EACH",
            _variant(step_each=True),
            "The weights move after every piece. These are several small steps, and not one step "
            "of the whole batch.",
        ),
        Misconception("WITH_GRAPH", _variant(detach=False), _GRAPH),
        Misconception("WHOLE", _whole, _WHOLE),
    ),
    hints=Hints(
        property=(
            "Checked over two steps are the mean loss, where the weights move to, and that no "
            "piece is longer than it has to be; the batch may not be divisible."
        ),
        place=(
            "Clear once, step once. In between each piece has a forward and a backward pass, and "
            "its loss is multiplied with the piece's share of the batch."
        ),
        example=(
            "A batch of 3 in two pieces moves the weight like the whole batch: by the mean, 2. Run "
            "this:\n"
            ">>> line = torch.nn.Linear(1, 1, bias=False)\n"
            ">>> _ = torch.nn.init.zeros_(line.weight)\n"
            ">>> descent = torch.optim.SGD(line.parameters(), lr=1.0)\n"
            ">>> x = torch.tensor([[1.0], [2.0], [3.0]])\n"
            ">>> losses = accumulated_step(line, descent, lambda n, x: -n(x).mean(), x, pieces=2)\n"
            ">>> line.weight.item()\n"
            "2.0"
        ),
        question=(
            "The loss of the batch is a mean over all its examples. How is it made of the means of "
            "two pieces with five and three examples?"
        ),
        analogue=(
            "Five pupils have a mean mark of 2, three others of 4. All eight have 5/8 * 2 + 3/8 * "
            "4 = 2.75, and not 3."
        ),
    ),
)
