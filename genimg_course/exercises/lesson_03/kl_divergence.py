"""Exercise: the KL divergence of two histograms."""

import math

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.divergences import kl_divergence
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def laws(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        drawn = {name: uniform(rng, *shape, low=0.05, dtype=dtype) for name in ("p", "q")}
        return {name: law / law.sum(dim=-1, keepdim=True) for name, law in drawn.items()}

    rare = laws(3, 5)
    rare["p"][:, 1] = 0.0
    rare["p"] /= rare["p"].sum(dim=-1, keepdim=True)
    missing = laws(4)
    missing["q"][2] = 0.0
    missing["q"] /= missing["q"].sum()
    return [
        Case(laws(5)),
        Case(laws(2, 3)),
        Case(laws(2, 4, 3)),
        Case(rare, name="p is zero at a point"),
        Case(missing, name="q is zero where p is not"),
        Case(laws(3, 4, dtype=torch.float32), name="float32 inputs"),
    ]


def _kl(p: Tensor, q: Tensor) -> Tensor:
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(dim=-1)


def _where_both(p: Tensor, q: Tensor) -> Tensor:
    both = (p > 0) & (q > 0)
    ratio = torch.where(both, p, 1) / torch.where(both, q, 1)
    return (p * ratio.log()).sum(dim=-1)


SPECIFICATION = Specification(
    id="probability.kl_divergence",
    title="The KL divergence of two histograms",
    reference=kl_divergence,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SWAPPED",
            lambda p, q: _kl(q, p),
            "This is the divergence in the other direction. The first law is the one that draws, "
            "so the mean is taken under it.",
        ),
        Misconception(
            "SYMMETRIC",
            lambda p, q: (_kl(p, q) + _kl(q, p)) / 2,
            "Both directions are averaged. The KL divergence is no distance: it asks what somebody "
            "pays in excess who expects q and meets p, and that question has a direction.",
        ),
        Misconception(
            "BITS",
            lambda p, q: _kl(p, q) / math.log(2),
            "The logarithm has base 2, so the answer is in bits. This course counts in nats.",
        ),
        Misconception(
            "CROSS_ENTROPY",
            lambda p, q: -torch.xlogy(p, q).sum(dim=-1),
            "This is the cross-entropy. It still holds the entropy of p, so equal laws would not "
            "get zero.",
        ),
        Misconception(
            "NEGATIVE",
            lambda p, q: -_kl(p, q),
            "The sign is turned: this is never above zero. Which of the two laws stands on top of "
            "the ratio?",
        ),
        Misconception(
            "UNWEIGHTED",
            lambda p, q: (p / q).log().sum(dim=-1),
            "The log ratios are summed without their weights. A mean under p gives each point its "
            "probability under p.",
        ),
        Misconception(
            "MEAN",
            lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).mean(dim=-1),
            "The terms are averaged over the points of the histogram. They hold their "
            "probabilities already, so they are summed.",
        ),
        Misconception(
            "ALL_AT_ONCE",
            lambda p, q: (torch.xlogy(p, p) - torch.xlogy(p, q)).sum(),
            "All laws of the batch are summed into one number. Each row is a law of its own.",
        ),
        Misconception(
            "ZERO",
            lambda p, q: (p * (p / q).log()).sum(dim=-1),
            "The formula is right where p is positive, but zero times the log of zero became NaN. "
            "What never happens cannot surprise: its term is zero.",
        ),
        Misconception(
            "SKIPPED",
            _where_both,
            "Points where either law is zero are left out. That is right where p is zero. Where q "
            "alone is zero, the impossible happens, and the surprise is infinite.",
        ),
        Misconception(
            "EPSILON",
            lambda p, q: (p * ((p + 1e-8) / (q + 1e-8)).log()).sum(dim=-1),
            "A small number inside the logarithm hides the empty points. Where q is zero and p is "
            "not, the answer is infinite, not merely large.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values, one for each law in the last dimension, and points where one "
            "of the laws is zero."
        ),
        place=(
            "Each point gives p times the difference of two logarithms. Two cases need care: p is "
            "zero, and q is zero where p is not. torch.special has a product with a logarithm that "
            "knows the first."
        ),
        example=(
            "A fair coin, expected to be biased, and the other way round. Run this:\n"
            ">>> fair, biased = torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])\n"
            ">>> kl_divergence(fair, biased), kl_divergence(biased, fair)\n"
            "(tensor(0.5108), tensor(0.3681))"
        ),
        question=(
            "You expect rain once in ten days, and it rains every second day. What is your mean "
            "surprise a day, and how much of it could you have spared with the right expectation?"
        ),
        analogue=(
            "With three points: p = (1/2, 1/2, 0) against q = (1/4, 1/4, 1/2) gives "
            "1/2 log 2 + 1/2 log 2 + 0 = 0.693 nats; in the other direction it is infinite."
        ),
    ),
)
