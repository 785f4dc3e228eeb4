"""Exercise: log p(x) by importance sampling with the encoder."""

import math

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.estimators import importance_log_likelihood
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _logs(
    rng: torch.Generator,
    count: int,
    batch: int,
    *,
    level: float = 0.0,
    dtype: torch.dtype = torch.float64,
) -> dict[str, Tensor]:
    log_joint = level + 2 * normal(rng, count, batch, dtype=dtype)
    return {"log_joint": log_joint, "log_q": normal(rng, count, batch, dtype=dtype)}


def _cases(rng: torch.Generator) -> list[Case]:
    return [
        *(Case(_logs(rng, count, batch)) for count, batch in ((5, 3), (4, 1), (3, 3), (2, 4))),
        Case(_logs(rng, 1, 4), name="one sample"),
        Case(_logs(rng, 6, 2, level=-1000.0), name="log densities of -1000"),
        Case(_logs(rng, 3, 2, level=-50.0, dtype=torch.float32), name="float32 inputs"),
    ]


def _estimate(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(dim=0) - math.log(len(log_weights))


SPECIFICATION = Specification(
    id="vae.importance_log_likelihood",
    title="log p(x) by importance sampling",
    reference=importance_log_likelihood,
    cases=_cases,
    misconceptions=(
        Misconception(
            "MEAN_OF_LOGS",
            lambda log_joint, log_q: (log_joint - log_q).mean(dim=0),
            "This is a mean of logs, which is the ELBO: more samples make it steadier, not "
            "tighter. The log likelihood is the log of a mean.",
        ),
        Misconception(
            "NO_LOG_K",
            lambda log_joint, log_q: (log_joint - log_q).logsumexp(dim=0),
            "The weights are added but not averaged, so the result grows with the number of "
            "samples. What does dividing by K do to a log?",
        ),
        Misconception(
            "STABLE",
            lambda log_joint, log_q: (log_joint - log_q).exp().mean(dim=0).log(),
            "The formula is right, but the exponential of -1000 is zero in a computer, and its "
            "log is minus infinity. Which function adds numbers that are given as logs?",
        ),
        Misconception(
            "AXIS",
            lambda log_joint, log_q: (
                (log_joint - log_q).logsumexp(dim=1) - math.log(log_joint.shape[1])
            ),
            "The mean runs over the examples. They are different images: the samples of one image "
            "stand along the first axis.",
        ),
        Misconception(
            "NO_Q",
            lambda log_joint, log_q: _estimate(log_joint),
            "The encoder's density is not used. The samples came from it, not from the prior, and "
            "each must be weighed by how likely it was to be drawn.",
        ),
        Misconception(
            "PRODUCT",
            lambda log_joint, log_q: _estimate(log_joint + log_q),
            "The densities are multiplied. A sample that the encoder draws often must count less, "
            "not more.",
        ),
        Misconception(
            "INVERSE",
            lambda log_joint, log_q: _estimate(log_q - log_joint),
            "The weights are turned upside down. Which density asks the question, and which one "
            "drew the samples?",
        ),
        Misconception(
            "SIGN",
            lambda log_joint, log_q: -_estimate(log_joint - log_q),
            "This is the negative log likelihood. The log likelihood itself is asked for.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the shape `(B,)`, the value for several numbers of samples, and that log "
            "densities of -1000 stay finite."
        ),
        place=(
            "Subtract to get the log weights. Then take the log of their mean over the samples, "
            "without leaving the logs."
        ),
        example=(
            "If all weights of an image are equal, their mean is that weight, however many there "
            "are and however small. Run this:\n"
            ">>> importance_log_likelihood(torch.full((7, 2), -1000.0), torch.zeros(7, 2))\n"
            "tensor([-1000., -1000.])"
        ),
        question=(
            "Write p(x) as an integral over z, then as a mean over samples of the encoder. Where "
            "does the log stand, outside the mean or inside?"
        ),
        analogue=(
            "With other numbers: log weights 0 and log 3 have the mean weight (1 + 3) / 2 = 2, so "
            "the estimate is log 2 = 0.693. The mean of the logs, 0.549, is smaller."
        ),
    ),
)
