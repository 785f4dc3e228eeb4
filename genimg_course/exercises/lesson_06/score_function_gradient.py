"""Exercise: the score-function estimator of a gradient, with a baseline."""

import torch

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.estimators import score_function_gradient
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def draws(count: int, dtype: torch.dtype = torch.float64) -> dict[str, object]:
        mu = float(normal(rng, 1)) + 2.0
        return {"z": mu + normal(rng, count, dtype=dtype), "mu": mu}

    return [
        Case(draws(1)),
        Case(draws(6)),
        Case(draws(5), {"baseline": 4.5}, name="a baseline"),
        Case(draws(4), {"baseline": -1.25}, name="a baseline"),
        Case(draws(6, torch.float32), {"baseline": 1.0}, name="a baseline in float32"),
    ]


SPECIFICATION = Specification(
    id="vae.score_function_gradient",
    title="The score-function gradient",
    reference=score_function_gradient,
    cases=_cases,
    misconceptions=(
        Misconception(
            "PATHWISE",
            lambda z, mu, baseline=0.0: 2 * z,
            "This is the pathwise estimator: it takes the derivative of `z**2`. The "
            "score-function estimator never differentiates the function, only the log density.",
        ),
        Misconception(
            "SIGN",
            lambda z, mu, baseline=0.0: (z.square() - baseline) * (mu - z),
            "The score has the wrong sign. If `z` lies above the mean, does a larger mean make it "
            "more likely, or less?",
        ),
        Misconception(
            "NO_SCORE",
            lambda z, mu, baseline=0.0: z.square() - baseline,
            "The score is missing: this averages the function, not its gradient. What does the "
            "derivative of the log density multiply?",
        ),
        Misconception(
            "DENSITY",
            lambda z, mu, baseline=0.0: (z.square() - baseline) * (-0.5 * (z - mu).square()),
            "The log density itself stands where its derivative with respect to `mu` belongs.",
        ),
        Misconception(
            "IGNORED",
            lambda z, mu, baseline=0.0: z.square() * (z - mu),
            "The baseline is not used. The mean stays right, but the variance is what a baseline "
            "is for.",
        ),
        Misconception(
            "OUTSIDE",
            lambda z, mu, baseline=0.0: z.square() * (z - mu) - baseline,
            "The baseline is subtracted from the estimate, which shifts its mean. It belongs "
            "where the score multiplies it, because the score has mean zero.",
        ),
        Misconception(
            "ADDED",
            lambda z, mu, baseline=0.0: (z.square() + baseline) * (z - mu),
            "The baseline is added. It should take away what the function has on average.",
        ),
        Misconception(
            "AVERAGED",
            lambda z, mu, baseline=0.0: ((z.square() - baseline) * (z - mu)).mean(),
            "The samples are averaged already. One estimate per sample is asked for, so that "
            "their variance can be seen.",
        ),
        Misconception(
            "OWN_BASELINE",
            lambda z, mu, baseline=0.0: (z.square() - z.square().mean() - baseline) * (z - mu),
            "A baseline is taken from the same samples. It then depends on `z`, and the estimate "
            "is biased: a baseline may depend on `mu` only.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is one value per sample, with and without a baseline; it should have the "
            "mean 2 mu."
        ),
        place=(
            "Two factors for each sample: how large the function is, less the baseline, and how "
            "the log density changes with the mean."
        ),
        example=(
            "A sample at its mean says nothing about the direction, and a baseline equal to the "
            "function silences one. Run this:\n"
            ">>> score_function_gradient(torch.tensor([2.0, 3.0, 1.0]), 2.0, baseline=1.0)\n"
            "tensor([0., 8., -0.])"
        ),
        question=(
            "Write the expectation as an integral of `f(z) p(z; mu)` and differentiate under it. "
            "How does `p * grad(log p)` come in, and what is the mean of the score?"
        ),
        analogue=(
            "With another law: a coin lands heads with chance 0.3, and the score of the chance is "
            "1/0.3 for heads and -1/0.7 for tails. Reward 5 for heads gives estimates 16.7 and 0, "
            "with mean 5."
        ),
    ),
)
