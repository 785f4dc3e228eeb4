"""Exercise: how far Gaussians are from a law on a line, in both directions."""

import math

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.fits import fit_divergence
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def problem(
        points: int, candidates: int, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "x": torch.linspace(-4, 4, points, dtype=dtype),
            "p": torch.softmax(normal(rng, points, dtype=dtype), dim=0),
            "mu": normal(rng, candidates, dtype=dtype),
            "sigma": uniform(rng, candidates, low=1.2, high=2.5, dtype=dtype),
        }

    empty = problem(9, 3)
    empty["p"][[0, 4]] = 0.0
    empty["p"] /= empty["p"].sum()
    forward, reverse = {"reverse": False}, {"reverse": True}
    return [
        Case(problem(7, 3)),
        Case(problem(12, 4), forward, name="forward"),
        Case(problem(12, 4), reverse, name="reverse"),
        Case(problem(8, 1), reverse, name="one candidate, reverse"),
        Case(empty, forward, name="forward, p is zero at two points"),
        Case(problem(10, 2, torch.float32), reverse, name="float32 inputs"),
    ]


def _log_q(x: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    return torch.log_softmax(-0.5 * ((x - mu[:, None]) / sigma[:, None]) ** 2, dim=1)


def _of(p: Tensor, log_q: Tensor, reverse: bool) -> Tensor:
    if reverse:
        return (log_q.exp() * (log_q - p.log())).sum(dim=1)
    return (torch.xlogy(p, p) - p * log_q).sum(dim=1)


def _density(x: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    z = (x - mu[:, None]) / sigma[:, None]
    return -0.5 * z**2 - sigma[:, None].log() - 0.5 * math.log(2 * math.pi)


def _variance(x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False) -> Tensor:
    return _of(p, _log_q(x, mu, sigma.sqrt()), reverse)


def _always_forward(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    return _of(p, _log_q(x, mu, sigma), False)


def _always_reverse(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    return _of(p, _log_q(x, mu, sigma), True)


def _swapped(x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False) -> Tensor:
    return _of(p, _log_q(x, mu, sigma), not reverse)


def _no_half(x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False) -> Tensor:
    return _of(p, _log_q(x, mu, sigma / math.sqrt(2)), reverse)


def _unnormalised(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    return _of(p, _density(x, mu, sigma), reverse)


def _over_candidates(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    log_q = -0.5 * ((x - mu[:, None]) / sigma[:, None]) ** 2
    return _of(p, torch.log_softmax(log_q, dim=0), reverse)


def _no_entropy(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    log_q = _log_q(x, mu, sigma)
    return -(log_q.exp() * p.log()).sum(dim=1) if reverse else -(p * log_q).sum(dim=1)


def _zero(x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False) -> Tensor:
    log_q = _log_q(x, mu, sigma)
    weight = log_q.exp() if reverse else p
    return (weight * (p.log() - log_q) * (-1 if reverse else 1)).sum(dim=1)


SPECIFICATION = Specification(
    id="probability.fit_divergence",
    title="A Gaussian against a law, in both directions",
    reference=fit_divergence,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ALWAYS_FORWARD",
            _always_forward,
            "The direction is ignored: both are the forward divergence, so both fits would match "
            "mean and variance. In reverse the average runs over the Gaussian.",
        ),
        Misconception(
            "ALWAYS_REVERSE",
            _always_reverse,
            "The direction is ignored: both are the reverse divergence, so both fits would sit on "
            "one mode. Forward, the average runs over the law.",
        ),
        Misconception(
            "SWAPPED",
            _swapped,
            "The two directions are exchanged. Forward means that the data draw: the average runs "
            "over p.",
        ),
        Misconception(
            "VARIANCE",
            _variance,
            "Sigma is used as if it were the variance. It is the standard deviation, so it is "
            "squared below the line.",
        ),
        Misconception(
            "NO_HALF",
            _no_half,
            "The one half in the exponent is missing, so the Gaussian has half the variance that "
            "was asked for.",
        ),
        Misconception(
            "UNNORMALISED",
            _unnormalised,
            "The density is used as if its values were probabilities. On a grid they do not sum to "
            "one; the probabilities of a law do.",
        ),
        Misconception(
            "OVER_CANDIDATES",
            _over_candidates,
            "The probabilities sum to one over the candidates. Each candidate is a law over the "
            "points of the grid.",
        ),
        Misconception(
            "NO_ENTROPY",
            _no_entropy,
            "This is a cross-entropy. Forward the difference does not depend on the candidate; in "
            "reverse it does, and without it the best Gaussian would shrink to a point.",
        ),
        Misconception(
            "ZERO",
            _zero,
            "Where the law is zero, the forward divergence became NaN. What never happens cannot "
            "surprise: its term is zero.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are one value for each candidate in both directions, and a law with zeros in "
            "the forward direction."
        ),
        place=(
            "First a table of candidates by points: the Gaussian exponent, turned into "
            "log-probabilities along the points. Then a mean of a log ratio, under p or under q."
        ),
        example=(
            "A law with two peaks. Forward the wide candidate is better, in reverse the narrow "
            "one. Run this:\n"
            ">>> x, p = torch.arange(5.0), torch.tensor([0.49, 0.005, 0.01, 0.005, 0.49])\n"
            ">>> mu, sigma = torch.tensor([2.0, 0.0]), torch.tensor([2.0, 0.3])\n"
            ">>> fit_divergence(x, p, mu, sigma)\n"
            "tensor([ 1.0739, 43.2613])\n"
            ">>> fit_divergence(x, p, mu, sigma, reverse=True)\n"
            "tensor([2.1372, 0.7058])"
        ),
        question=(
            "Who draws the points over which the surprise is averaged: the data, or the Gaussian? "
            "And who is punished for a gap?"
        ),
        analogue=(
            "With two points: p = (0.9, 0.1) and q = (0.5, 0.5). Forward: 0.9 log 1.8 + 0.1 log "
            "0.2 = 0.368. Reverse: 0.5 log(5 / 9) + 0.5 log 5 = 0.511."
        ),
    ),
)
