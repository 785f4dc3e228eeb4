"""Exercise: one step of Adam with decoupled weight decay."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths import optimisers
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def state(
        *shape: int, step: int, fresh: bool = False, dtype: torch.dtype = torch.float64
    ) -> dict[str, Any]:
        return {
            "weight": normal(rng, *shape, dtype=dtype),
            "gradient": normal(rng, *shape, dtype=dtype),
            "m": (0.0 if fresh else 0.3) * normal(rng, *shape, dtype=dtype),
            "v": (0.0 if fresh else 0.5) * normal(rng, *shape, dtype=dtype).square(),
            "step": step,
        }

    return [
        Case(state(5, step=1, fresh=True), {"lr": 0.1}, name="the first step"),
        Case(state(3, 2, step=4), {"lr": 0.05, "betas": (0.5, 0.9), "eps": 1e-3}),
        Case(state(4, step=3), {"lr": 0.2, "weight_decay": 0.3}),
        Case(state(6, step=50), {"lr": 0.1, "eps": 0.2, "weight_decay": 0.1}),
        Case(state(4, step=2, dtype=torch.float32), {"lr": 0.1}, name="float32 inputs"),
    ]


Answer = dict[str, Tensor]


def adam_step(
    weight: Tensor, gradient: Tensor, m: Tensor, v: Tensor, step: int, *, lr: float, **options: Any
) -> Answer:
    """Return what the package computes, with a name for each result."""
    results = optimisers.adam_step(weight, gradient, m, v, step, lr=lr, **options)
    return dict(zip(("weight", "m", "v"), results, strict=True))


def _adam(
    weight: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    step: int,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    wrong: str,
) -> Answer:
    """Return the update with one thing wrong."""
    if wrong == "l2":
        gradient = gradient + weight_decay * weight
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient.square()
    first = 1.0 if wrong == "bias" else 1 - betas[0] ** step
    second = 1.0 if wrong in ("bias", "bias_v") else 1 - betas[1] ** step
    mean, square = m / first, v / second
    below = (square + eps).sqrt() if wrong == "eps" else square.sqrt() + eps
    move = lr * mean / (square + eps if wrong == "root" else below)
    kept = {"l2": 1.0, "decay": 1 - weight_decay}.get(wrong, 1 - lr * weight_decay)
    return {"weight": kept * weight + (move if wrong == "sign" else -move), "m": m, "v": v}


def _with(wrong: str) -> Callable[..., Answer]:
    return lambda *inputs, **options: _adam(*inputs, wrong=wrong, **options)


SPECIFICATION = Specification(
    id="networks.adam_step",
    title="One step of Adam with decoupled weight decay",
    reference=adam_step,
    cases=_cases,
    misconceptions=(
        Misconception(
            "L2",
            _with("l2"),
            "The decay enters the gradient. Adam then divides it like the gradient, so that "
            "weights with large gradients hardly decay. It belongs outside the fraction.",
        ),
        Misconception(
            "NO_CORRECTION",
            _with("bias"),
            "The running means are not corrected. They begin at zero, so the first ones are too "
            "small, and not by the same factor.",
        ),
        Misconception(
            "ONE_CORRECTION",
            _with("bias_v"),
            "Only the mean of the gradients is corrected. The mean of their squares begins at zero "
            "as well.",
        ),
        Misconception(
            "EPS_INSIDE",
            _with("eps"),
            "The small number stands under the root. It belongs beside the root, or it acts as if "
            "it were far larger.",
        ),
        Misconception(
            "NO_ROOT",
            _with("root"),
            "The step divides by the mean square, not by its root. Then its length would depend on "
            "the scale of the gradient.",
        ),
        Misconception(
            "DECAY_WITHOUT_LR",
            _with("decay"),
            "The decay is not multiplied by the learning rate. A smaller learning rate should also "
            "decay more slowly.",
        ),
        Misconception(
            "UPHILL",
            _with("sign"),
            "The step goes up the slope. The gradient points to where the loss grows.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the new weight and both running means, for the first step and later "
            "ones, other betas, a large eps and weight decay."
        ),
        place=(
            "First both running means, then their corrections by the number of the step, then the "
            "fraction, and at last the shrinking of the old weight."
        ),
        example=(
            "The first step has the length of the learning rate, however steep it is. Run this:\n"
            ">>> zero = torch.zeros(2)\n"
            '>>> adam_step(zero, torch.tensor([5.0, -0.01]), zero, zero, 1, lr=0.5)["weight"]\n'
            "tensor([-0.5000,  0.5000])"
        ),
        question=(
            "After one step from zero, which share of the gradient does the running mean hold, and "
            "by what must you divide to get the gradient itself?"
        ),
        analogue=(
            "A running mean on other numbers: beta = 0.8, values 5, 5, 5 from a start of 0 give 1, "
            "1.8, 2.44. Divided by 1 - 0.8**n, that is 0.2, 0.36, 0.488, each is 5."
        ),
    ),
)
