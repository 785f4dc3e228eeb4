"""Exercise: the last activation of the critic of an f-divergence."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.f_divergences import F_DIVERGENCES, output_activation
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def raw(
        divergence: str, *shape: int, scale: float = 1.5, dtype: torch.dtype = torch.float64
    ) -> dict[str, object]:
        return {"v": normal(rng, *shape, scale=scale, dtype=dtype), "divergence": divergence}

    far = {"v": torch.tensor([-800.0, 800.0], dtype=torch.float64), "divergence": "gan"}
    return [
        *(Case(raw(name, 4), name=name) for name in F_DIVERGENCES),
        Case(raw("squared_hellinger", 3, 2), name="a column for each of two critics"),
        Case(far, name="outputs of -800 and 800"),
        *(
            Case(raw(name, 5, dtype=torch.float32), name=f"float32 inputs, {name}")
            for name in ("reverse_kl", "gan")
        ),
    ]


def _choose(divergence: str, **formulas: Tensor) -> Tensor:
    return formulas[divergence]


def _right(v: Tensor) -> dict[str, Tensor]:
    return {name: output_activation(v, name) for name in F_DIVERGENCES}


SPECIFICATION = Specification(
    id="gan.output_activation",
    title="The output activation of a divergence",
    reference=output_activation,
    cases=_cases,
    differentiate=("v",),
    misconceptions=(
        Misconception(
            "SIGMOID",
            lambda v, divergence: v.sigmoid(),
            "A sigmoid squeezes every score into (0, 1). Only a probability needs that. The "
            "least-squares and the Wasserstein critic, too, would lose their scale by it. What "
            "is the domain of each conjugate?",
        ),
        Misconception(
            "IDENTITY",
            lambda v, divergence: v,
            "The raw output passes unchanged. For reverse KL and GAN the conjugate is infinite "
            "from 0 on, for squared Hellinger from 1 on, so such a score can leave the domain.",
        ),
        Misconception(
            "FALLING",
            lambda v, divergence: _choose(
                divergence,
                **_right(v)
                | {
                    "reverse_kl": -v.exp(),
                    "squared_hellinger": 1 - v.exp(),
                    "gan": -F.softplus(v),
                },
            ),
            "Some of these fall where the output rises. A high output must mean a high score: "
            "real images get the high ones.",
        ),
        Misconception(
            "POSITIVE",
            lambda v, divergence: _choose(
                divergence,
                **_right(v) | {"reverse_kl": (-v).exp(), "gan": F.softplus(-v)},
            ),
            "For reverse KL and GAN the score comes out positive, where the conjugate is "
            "infinite. Their domain is t < 0.",
        ),
        Misconception(
            "NO_ONE",
            lambda v, divergence: _choose(
                divergence, **_right(v) | {"squared_hellinger": -(-v).exp()}
            ),
            "The scores for squared Hellinger end at 0, but its domain ends at 1. The critic "
            "could not say that an image is more frequent in the data than in the model.",
        ),
        Misconception(
            "NO_LOG",
            lambda v, divergence: _choose(divergence, **_right(v) | {"gan": v.sigmoid()}),
            "For the GAN the score is a log-probability. This is the probability itself.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the scores of all five divergences: each lies in the domain of its "
            "conjugate and rises with the output."
        ),
        place=(
            "There are three domains. All numbers: nothing to do. Numbers below 0: minus an "
            "exponential, or the logarithm of a probability. Numbers below 1: the same, shifted."
        ),
        example=(
            "An undecided critic says 0. Run this:\n"
            ">>> v = torch.tensor([0.0])\n"
            '>>> output_activation(v, "reverse_kl"), output_activation(v, "gan")\n'
            "(tensor([-1.]), tensor([-0.6931]))"
        ),
        question=(
            "Which simple functions take every real number to a negative one and rise? Two of the "
            "five need one; the table above the exercise names them."
        ),
        analogue=(
            "With another domain: a variance must be positive, so a network returns its "
            "logarithm and the last step is exp. Here the domains lie on the other side."
        ),
    ),
)
