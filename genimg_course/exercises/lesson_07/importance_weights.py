"""Exercise: the share of each sample in the gradient of the importance-weighted bound."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.estimators import importance_weights
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def logs(
        count: int, batch: int, level: float = 0.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        log_joint = level + 1.5 * normal(rng, count, batch, dtype=dtype)
        return {"log_joint": log_joint, "log_q": normal(rng, count, batch, dtype=dtype)}

    return [
        *(Case(logs(count, batch)) for count, batch in ((5, 3), (3, 3), (2, 4))),
        Case(logs(1, 4), name="one sample"),
        Case(logs(6, 2, -1000.0), name="log densities of -1000"),
        Case(logs(4, 3, -50.0, torch.float32), name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="vae.importance_weights",
    title="The share of each sample in the gradient",
    reference=importance_weights,
    cases=_cases,
    misconceptions=(
        Misconception(
            "EQUAL",
            lambda log_joint, log_q: torch.full_like(log_joint, 1 / len(log_joint)),
            "All samples count alike: these are the shares for a mean of logs, which is the ELBO. "
            "What does the derivative of the log of a mean do to the larger weights?",
        ),
        Misconception(
            "UNNORMALISED",
            lambda log_joint, log_q: (log_joint - log_q).clamp(-700, 700).exp(),
            "These are the weights themselves. The shares of one image must add up to one.",
        ),
        Misconception(
            "BATCH",
            lambda log_joint, log_q: torch.softmax(log_joint - log_q, dim=1),
            "The shares add up over the images. Different images do not compete; the samples of "
            "one image do, and they stand along the first axis.",
        ),
        Misconception(
            "STABLE",
            lambda log_joint, log_q: (
                (log_joint - log_q).exp() / (log_joint - log_q).exp().sum(dim=0)
            ),
            "The formula is right, but the exponential of -1000 is zero in a computer, and zero "
            "divided by zero is not a number. Which function does this from logs?",
        ),
        Misconception(
            "LOG",
            lambda log_joint, log_q: torch.log_softmax(log_joint - log_q, dim=0),
            "These are the logs of the shares. The shares themselves are asked for.",
        ),
        Misconception(
            "NO_Q",
            lambda log_joint, log_q: torch.softmax(log_joint, dim=0),
            "The encoder's density is not used. The samples came from it, so one that it draws "
            "often must count less.",
        ),
        Misconception(
            "PRODUCT",
            lambda log_joint, log_q: torch.softmax(log_joint + log_q, dim=0),
            "The densities are multiplied. A weight is a ratio of densities.",
        ),
        Misconception(
            "INVERSE",
            lambda log_joint, log_q: torch.softmax(log_q - log_joint, dim=0),
            "The ratio is turned upside down: samples that explain the picture badly get most of "
            "the gradient.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the shape `(K, B)`, the values, that the shares of an image add up to "
            "one, and that log densities of -1000 do not break it."
        ),
        place=(
            "Take the log weights. Differentiate the log of their mean with respect to one of "
            "them, by the chain rule, and look for a function that you know."
        ),
        example=(
            "Two samples with weights 1 and 3 have the shares 1/4 and 3/4. Run this:\n"
            ">>> importance_weights(torch.tensor([[1.0], [3.0]]).log(), torch.zeros(2, 1))\n"
            "tensor([[0.2500],\n"
            "        [0.7500]])"
        ),
        question=(
            "What is the derivative of `log(a + b)` with respect to `log a`? And for `K` terms?"
        ),
        analogue=(
            "Three witnesses are believed with odds 2 : 1 : 1. The first one's word moves the "
            "verdict by one half of what it would move alone, whatever the odds are scaled by."
        ),
    ),
)
