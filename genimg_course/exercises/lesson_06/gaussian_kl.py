"""Exercise: the KL divergence of a diagonal Gaussian from the standard normal."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import gaussians
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    extreme = gaussians(rng, 2, 4)
    extreme["logvar"] = extreme["logvar"].sign() * 20
    return [
        *(Case(gaussians(rng, *shape)) for shape in ((1, 3), (4, 2), (3, 5))),
        Case(extreme, name="log variances of 20 and -20"),
        Case(gaussians(rng, 2, 3, dtype=torch.float32), name="float32 inputs"),
    ]


def _terms(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


SPECIFICATION = Specification(
    id="vae.gaussian_kl",
    title="The KL divergence of a diagonal Gaussian from the standard normal",
    reference=gaussian_kl,
    cases=_cases,
    differentiate=("mu", "logvar"),
    misconceptions=(
        Misconception(
            "SIGN",
            lambda mu, logvar: -_terms(mu, logvar).sum(dim=1),
            "The sign is flipped. A divergence is never negative: what is yours for a Gaussian "
            "far from the standard one?",
        ),
        Misconception(
            "HALF",
            lambda mu, logvar: 2 * _terms(mu, logvar).sum(dim=1),
            "The factor one half is missing. It comes from the exponent of the Gaussian density "
            "and stands before the whole sum.",
        ),
        Misconception(
            "CONST",
            lambda mu, logvar: (_terms(mu, logvar) + 0.5).sum(dim=1),
            "The constant -1 inside the sum is missing. A divergence is zero when both Gaussians "
            "are the same: is yours, at zero mean and unit variance?",
        ),
        Misconception(
            "MU_NOT_SQUARED",
            lambda mu, logvar: 0.5 * (mu + logvar.exp() - 1 - logvar).sum(dim=1),
            "The mean enters without its square. The distance must not depend on the side to "
            "which a mean moves.",
        ),
        Misconception(
            "MU_MISSING",
            lambda mu, logvar: 0.5 * (logvar.exp() - 1 - logvar).sum(dim=1),
            "The mean does not enter at all. A narrow Gaussian far from the origin is not close "
            "to the standard one.",
        ),
        Misconception(
            "LOG_SIGMA",
            lambda mu, logvar: _terms(mu, 2 * logvar).sum(dim=1),
            "`logvar` is taken for the log of the standard deviation. It is the log of the "
            "variance, its square: where does the 2 go?",
        ),
        Misconception(
            "SIGMA",
            lambda mu, logvar: 0.5 * (mu.square() + (0.5 * logvar).exp() - 1 - logvar).sum(dim=1),
            "The standard deviation stands where the variance belongs. Which of the two is the "
            "exponential of `logvar`?",
        ),
        Misconception(
            "VARIANCE",
            lambda mu, logvar: 0.5 * (mu.square() + logvar - 1 - logvar.log()).sum(dim=1),
            "`logvar` is used as if it were the variance itself. It can be negative: what turns "
            "it into a variance?",
        ),
        Misconception(
            "REDUCE_DIM",
            lambda mu, logvar: _terms(mu, logvar).mean(dim=1),
            "This is a mean over the latent dimensions. The latents are independent, so their "
            "divergences add up.",
        ),
        Misconception(
            "REDUCE_BATCH",
            lambda mu, logvar: _terms(mu, logvar).sum(),
            "The batch is summed as well. Every example has a divergence of its own: over which "
            "axis should the sum run?",
        ),
        Misconception(
            "MEAN_BATCH",
            lambda mu, logvar: _terms(mu, logvar).sum(dim=1).mean(),
            "The batch is averaged already. Here one value per example is asked for; the mean "
            "comes later, in the loss.",
        ),
        Misconception(
            "DIRECTION",
            lambda mu, logvar: _terms(mu * (-0.5 * logvar).exp(), -logvar).sum(dim=1),
            "This is the divergence in the other direction, of the standard normal from yours. "
            "Which of the two laws is the average taken under?",
        ),
        Misconception(
            "CLAMP",
            lambda mu, logvar: _terms(mu, logvar.clamp(-10, 10)).sum(dim=1),
            "`logvar` is clamped, so that very wide and very narrow Gaussians look alike, and "
            "their gradient is lost. The formula itself is safe there.",
        ),
    ),
    hints=Hints(
        property=(
            "Check three things in this order: the shape `(B,)`, the value 0 at zero inputs, and "
            "the gradients."
        ),
        place=(
            "Each latent dimension adds four terms: a squared mean, a variance, a constant and a "
            "log variance. Only the latents are summed."
        ),
        example=(
            "A standard normal has no distance from itself, and moving the mean by 2 costs 2 "
            "squared over 2. Run this:\n"
            ">>> gaussian_kl(torch.tensor([[0.0], [2.0]]), torch.zeros(2, 1))\n"
            "tensor([0., 2.])"
        ),
        question=(
            "What is the expected value of `(z - mu)**2 / sigma**2` when `z` is drawn from `N(mu, "
            "sigma**2)`, and what is that of `z**2`? Write the difference of the two log "
            "densities, then take its mean."
        ),
        analogue=(
            "With other numbers: `N(3, 4)` from `N(0, 1)` has the log variance log 4 = 1.386. One "
            "half of 3 squared + 4 - 1 - 1.386 is 5.307 nats. With two such latents it is 10.614."
        ),
    ),
)
