"""Exercise: the gradient penalty on real images."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import r1_penalty
from genimg_course.probing import lesson_13 as probes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        pixels = shape[1] * shape[2] * shape[3]
        return {
            "x": uniform(rng, *shape, low=-1.0, dtype=dtype),
            "hidden": normal(rng, pixels, 4, dtype=dtype),
            "output": normal(rng, 4, dtype=dtype),
        }

    return [
        Case(batch(1, 1, 2, 3), {"gamma": 1.0}),
        Case(batch(4, 1, 3, 3), {"gamma": 1.0}),
        Case(batch(3, 3, 2, 2), {"gamma": 10.0}),
        Case(batch(2, 1, 2, 2), {"gamma": 0.0}, name="gamma = 0"),
        Case(batch(3, 1, 2, 2, dtype=torch.float32), {"gamma": 0.5}, name="float32 inputs"),
    ]


def _slope(value: Tensor, x: Tensor, *, graph: bool = True) -> Tensor:
    """Return the gradient with respect to each image, one row per image."""
    (gradient,) = torch.autograd.grad(value, x, create_graph=graph)
    return gradient.flatten(start_dim=1)


SPECIFICATION = Specification(
    id="gan.r1_penalty",
    title="The gradient penalty on real images",
    reference=r1_penalty,
    cases=_cases,
    probe=probes.r1_penalty,
    misconceptions=(
        Misconception(
            "NOT_SQUARED",
            lambda logits, x, gamma: 0.5 * gamma * _slope(logits.sum(), x).norm(dim=1).mean(),
            "The norm of the gradient is not squared. Near the equilibrium the square is flat and "
            "lets the discriminator rest; the norm keeps pushing.",
        ),
        Misconception(
            "NO_HALF",
            lambda logits, x, gamma: gamma * _slope(logits.sum(), x).square().sum(dim=1).mean(),
            "The one half before gamma is missing. With it, the penalty's own derivative has "
            "weight gamma.",
        ),
        Misconception(
            "MEAN_PIXELS",
            lambda logits, x, gamma: 0.5 * gamma * _slope(logits.sum(), x).square().mean(),
            "This is a mean over pixels. A squared norm is a sum over all pixels of an image; "
            "only the images are averaged.",
        ),
        Misconception(
            "SUM_BATCH",
            lambda logits, x, gamma: 0.5 * gamma * _slope(logits.sum(), x).square().sum(),
            "The images are summed. The penalty is an expectation over real images, so a larger "
            "batch must not cost more.",
        ),
        Misconception(
            "MEAN_LOGIT",
            lambda logits, x, gamma: (
                0.5 * gamma * _slope(logits.mean(), x).square().sum(dim=1).mean()
            ),
            "The gradient is that of the mean logit, so each image has only its share of it, and "
            "the square shrinks with the batch. What must be differentiated so that each image "
            "gets its own whole gradient?",
        ),
        Misconception(
            "NO_GRAPH",
            lambda logits, x, gamma: (
                0.5 * gamma * _slope(logits.sum(), x, graph=False).square().sum(dim=1).mean()
            ),
            "The value is right, but the gradient was taken without keeping its graph, so the "
            "penalty cannot change the discriminator. A derivative of a derivative is needed.",
        ),
        Misconception(
            "TARGET_ONE",
            lambda logits, x, gamma: (
                0.5 * gamma * (_slope(logits.sum(), x).norm(dim=1) - 1).square().mean()
            ),
            "This pulls the norm of the gradient towards 1, as in WGAN-GP. R1 pulls it towards 0, "
            "on real images.",
        ),
        Misconception(
            "OF_LOSS",
            lambda logits, x, gamma: (
                0.5 * gamma * _slope(F.softplus(-logits).sum(), x).square().sum(dim=1).mean()
            ),
            "The loss is differentiated, not the logit. The loss is flat where the discriminator "
            "is sure, so the penalty would vanish just there.",
        ),
        Misconception(
            "OF_PROBABILITY",
            lambda logits, x, gamma: (
                0.5 * gamma * _slope(logits.sigmoid().sum(), x).square().sum(dim=1).mean()
            ),
            "The probability is differentiated, not the logit. The sigmoid is flat where the "
            "discriminator is sure, so the penalty would vanish just there.",
        ),
        Misconception(
            "GAMMA_SQUARED",
            lambda logits, x, gamma: (
                0.5 * (gamma * _slope(logits.sum(), x)).square().sum(dim=1).mean()
            ),
            "Gamma is squared together with the gradient. It weighs the finished penalty.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are one number, its value, and that its gradient reaches all weights of the "
            "discriminator."
        ),
        place=(
            "First the gradient of the logits with respect to the images, with a graph. Then a "
            "squared norm per image, a mean over images, and half of gamma."
        ),
        example=(
            "If the logit is 3 times the first pixel plus 4 times the second, the squared norm is "
            "25 at every image. Run this:\n"
            ">>> x = torch.zeros(6, 2, requires_grad=True)\n"
            ">>> r1_penalty(x @ torch.tensor([3.0, 4.0]), x, gamma=2.0)\n"
            "tensor(25.)"
        ),
        question=(
            "The logit of one image does not depend on the other images. What does the gradient "
            "of the sum of all logits then hold, row by row?"
        ),
        analogue=(
            "In one dimension: for D(x) = w x**2 the slope at x is 2 w x, and the penalty at x = "
            "3 with gamma 1 is one half of (6 w)**2 = 18 w**2. Its derivative with respect to w "
            "is 36 w: the penalty changes w."
        ),
    ),
)
