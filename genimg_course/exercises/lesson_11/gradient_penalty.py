"""Exercise: the gradient penalty between real and generated images."""

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import gradient_penalty
from genimg_course.probing import lesson_11 as probes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

Critic = Callable[[Tensor], Tensor]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        features = torch.Size(shape[1:]).numel()
        return {
            "real": uniform(rng, *shape, low=-1.0, dtype=dtype),
            "fake": 1.0 + uniform(rng, *shape, low=-1.0, dtype=dtype),
            "alpha": uniform(rng, shape[0], low=0.1, high=0.9, dtype=dtype),
            "hidden": normal(rng, features, 4, dtype=dtype),
            "output": normal(rng, 4, dtype=dtype),
        }

    return [
        Case(batch(4, 1, 2, 3), {"weight": 1.0}),
        Case(batch(1, 2), {"weight": 1.0}),
        Case(batch(5, 2), {"weight": 10.0}),
        Case(batch(3, 2, 2, 2), {"weight": 0.3}),
        Case(batch(3, 3, dtype=torch.float32), {"weight": 1.0}, name="float32 inputs"),
    ]


def _mixed(real: Tensor, fake: Tensor, alpha: Tensor) -> Tensor:
    share = alpha.reshape(-1, *[1] * (real.ndim - 1))
    return share * real + (1 - share) * fake


def _slopes(critic: Critic, x: Tensor, *, graph: bool = True, mean: bool = False) -> Tensor:
    """Return the gradient of the critic at each image, one row per image."""
    x = x.detach().requires_grad_()
    scores = critic(x)
    total = scores.mean() if mean else scores.sum()
    (gradient,) = torch.autograd.grad(total, x, create_graph=graph)
    return gradient.flatten(start_dim=1)


def _penalty(slopes: Tensor, weight: float) -> Tensor:
    return weight * (slopes.norm(dim=1) - 1).square().mean()


SPECIFICATION = Specification(
    id="gan.gradient_penalty",
    title="The gradient penalty between real and fake",
    reference=gradient_penalty,
    cases=_cases,
    probe=probes.gradient_penalty,
    misconceptions=(
        Misconception(
            "AT_REAL",
            lambda critic, real, fake, weight, alpha: _penalty(_slopes(critic, real), weight),
            "The slope is taken at the real images, where R1 looks. Here the critic must be held "
            "on the whole way that the generator has to go, between real and fake.",
        ),
        Misconception(
            "AT_FAKE",
            lambda critic, real, fake, weight, alpha: _penalty(_slopes(critic, fake), weight),
            "The slope is taken at the generated images. The critic must be held on the whole way "
            "between real and fake.",
        ),
        Misconception(
            "BATCH_NORM",
            lambda critic, real, fake, weight, alpha: (
                weight * (_slopes(critic, _mixed(real, fake, alpha)).norm() - 1).square()
            ),
            "One norm is taken over the whole batch. Each image has a slope of its own, and each "
            "must be near one.",
        ),
        Misconception(
            "NO_ONE",
            lambda critic, real, fake, weight, alpha: (
                weight * _slopes(critic, _mixed(real, fake, alpha)).square().sum(dim=1).mean()
            ),
            "The squared norm is pulled towards 0. A best Wasserstein critic has slope one on the "
            "way from fake to real, so the norm must be compared with 1.",
        ),
        Misconception(
            "SQUARED_NORM",
            lambda critic, real, fake, weight, alpha: (
                weight
                * (_slopes(critic, _mixed(real, fake, alpha)).square().sum(dim=1) - 1)
                .square()
                .mean()
            ),
            "The squared norm is compared with 1. It is the norm itself: take the root first.",
        ),
        Misconception(
            "NO_GRAPH",
            lambda critic, real, fake, weight, alpha: _penalty(
                _slopes(critic, _mixed(real, fake, alpha), graph=False), weight
            ),
            "The value is right, but the gradient was taken without keeping its graph, so the "
            "penalty cannot change the critic. A derivative of a derivative is needed.",
        ),
        Misconception(
            "MEAN_SCORE",
            lambda critic, real, fake, weight, alpha: _penalty(
                _slopes(critic, _mixed(real, fake, alpha), mean=True), weight
            ),
            "The gradient is that of the mean score, so each image has only its share of it. What "
            "must be differentiated so that each image gets its own whole slope?",
        ),
        Misconception(
            "SHARED",
            lambda critic, real, fake, weight, alpha: _penalty(
                _slopes(critic, alpha[0] * real + (1 - alpha[0]) * fake), weight
            ),
            "All images are mixed with the same share. Each pair has its own, so that the whole "
            "way is seen in every batch.",
        ),
        Misconception(
            "SWAPPED",
            lambda critic, real, fake, weight, alpha: _penalty(
                _slopes(critic, _mixed(fake, real, alpha)), weight
            ),
            "The shares are exchanged: alpha is the share of the real image. With evenly drawn "
            "shares the law is the same, so this is no disaster, but the check gives you the "
            "shares.",
        ),
        Misconception(
            "ONE_SIDED",
            lambda critic, real, fake, weight, alpha: (
                weight
                * (_slopes(critic, _mixed(real, fake, alpha)).norm(dim=1) - 1)
                .clamp_min(0)
                .square()
                .mean()
            ),
            "Slopes below one cost nothing here. That is a known variant; the penalty of this "
            "lesson pulls from both sides.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are one number, its value, and that its gradient reaches all weights of the "
            "critic."
        ),
        place=(
            "First mix, pair by pair, and let the mixture require a gradient. Then the slope of "
            "the scores there, with a graph. Then a norm per image, its distance from 1, squared, "
            "averaged, weighted."
        ),
        example=(
            "If the score is 3 times the first number plus 4 times the second, the slope has norm "
            "5 everywhere, 4 too many. Run this:\n"
            ">>> real, fake, alpha = torch.zeros(6, 2), torch.ones(6, 2), torch.rand(6)\n"
            ">>> critic = lambda x: x @ torch.tensor([3.0, 4.0])\n"
            ">>> gradient_penalty(critic, real, fake, weight=2.0, alpha=alpha)\n"
            "tensor(32.)"
        ),
        question=(
            "The score of one mixture does not depend on the others. What does the gradient of "
            "the sum of all scores then hold, row by row?"
        ),
        analogue=(
            "In one dimension: for f(x) = w x * x, real 3, fake 1 and a share of one half, the "
            "mixture is 2 and the slope 4 w. With weight 1 the penalty is (4 w - 1) squared for "
            "w > 0, and its derivative with respect to w is 8 (4 w - 1)."
        ),
    ),
)
