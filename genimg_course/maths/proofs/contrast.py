"""Proofs about contrast of pairs, and about gradients through a choice."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from genimg_course.maths import contrast
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _pairs() -> tuple[Tensor, Tensor]:
    """Return a joint law of three images and two texts, and the log ratio of the best critic."""
    joint = n.law(1, 6).reshape(3, 2)
    ratio = (joint / (joint.sum(dim=1, keepdim=True) * joint.sum(dim=0))).log()
    return joint, ratio


def _mean_bound(count: int, score: Tensor) -> float:
    """Return the mean of the bound over every batch of ``count`` pairs."""
    joint, _ = _pairs()
    total = 0.0
    for batch in n.tuples(6, count):
        x, y = batch // 2, batch % 2
        probability = joint.reshape(-1)[batch].prod()
        total += float(probability * contrast.info_nce(score[x][:, y]))
    return total


def _below_the_information() -> float:
    joint, ratio = _pairs()
    information = float((joint * ratio).sum())
    bounds = [_mean_bound(count, ratio) for count in (1, 2, 3, 4)]
    worse = _mean_bound(3, 0.5 * ratio + n.normal(2, 3, 2))
    rising = all(a < b for a, b in pairwise(bounds))
    below = bounds[-1] < information and bounds[1] < math.log(2) and worse < bounds[2]
    return abs(bounds[0]) if rising and below else math.inf


def _bound_by_its_definition() -> float:
    scores = n.normal(3, 4, 4)
    rows = [
        math.log(4) + math.log(math.exp(row[i]) / sum(math.exp(s) for s in row))
        for i, row in enumerate(scores.tolist())
    ]
    return abs(contrast.info_nce(scores).item() - sum(rows) / 4)


def _never_above_the_batch() -> float:
    sure = contrast.info_nce(60 * torch.eye(5, dtype=torch.float64))
    return abs(sure.item() - math.log(5))


def _gumbel_probabilities() -> float:
    """The largest sum is class k if the other noises stay below it: an integral over one noise."""
    logits = n.float64([0.3, -0.5, 1.1])
    points, weight = n.gauss_legendre(200)
    shares = [
        weight @ points ** (logits[torch.arange(3) != k] - logits[k]).exp().sum() for k in range(3)
    ]
    return n.gap(torch.stack(shares), logits.softmax(dim=0))


def _gumbel_draws() -> float:
    logits = n.float64([0.3, -0.5, 1.1])
    rng = torch.Generator().manual_seed(4)
    uniform = torch.rand(200_000, 3, generator=rng, dtype=torch.float64)
    drawn = contrast.gumbel_max(logits.expand(200_000, 3), uniform)
    worst = 0.0
    for k, share in enumerate(logits.softmax(dim=0).tolist()):
        hits = (drawn == k).double()
        worst = max(worst, n.standard_errors(hits, share, math.sqrt(share * (1 - share))))
    return worst


def _score_function_is_unbiased() -> float:
    logits, rewards = n.normal(5, 4).requires_grad_(), n.normal(6, 4)
    p = logits.softmax(dim=0)
    (gradient,) = torch.autograd.grad(p @ rewards, logits)
    means = [
        p.detach()
        @ contrast.reinforce_gradient(logits.detach(), torch.arange(4), rewards, baseline=baseline)
        for baseline in (0.0, 0.7)
    ]
    each = contrast.reinforce_gradient(logits.detach(), torch.tensor([2]), rewards[2:3])
    (score,) = torch.autograd.grad(rewards[2] * logits.log_softmax(dim=0)[2], logits)
    shifted = contrast.reinforce_gradient(
        logits.detach(), torch.tensor([2]), rewards[2:3], baseline=1.0
    )
    return max(
        *(n.gap(mean, gradient) for mean in means),
        n.gap(each[0], score),
        n.gap(shifted[0], score * (1 - 1 / rewards[2])),
    )


PROOFS = (
    Proof(
        id="text.info_nce",
        title="InfoNCE is a lower bound on mutual information",
        statement=r"""\mathbb E\left[\log N + \frac1N \sum_{i=1}^{N}
            \log \frac{e^{s(x_i, y_i)}}{\sum_j e^{s(x_i, y_j)}}\right]
            \le \min\left(I(x; y),\ \log N\right)""",
        assumptions=r"$N$ independent pairs, any score $s$; the bound rises with $N$ at the best "
        r"score $\log \frac{p(x, y)}{p(x)\,p(y)}$.",
        source="Oord et al. (2018), section 2.3, https://arxiv.org/abs/1807.03748; "
        "Radford et al. (2021), https://arxiv.org/abs/2103.00020",
        checks=(
            Check(
                "enumeration",
                "every batch of 1 to 4 pairs: 0 at first, then rising, below both limits",
                _below_the_information,
                1e-12,
            ),
            Check("enumeration", "the sum written out", _bound_by_its_definition, 1e-12),
            Check("enumeration", "a sure critic reaches log N", _never_above_the_batch, 1e-12),
        ),
    ),
    Proof(
        id="text.gumbel_max",
        title="The largest logit plus Gumbel noise is a draw of the softmax",
        statement=r"""\Pr\left[\arg\max_j \left(a_j - \log(-\log u_j)\right) = k\right]
            = \frac{e^{a_k}}{\sum_j e^{a_j}}""",
        assumptions=r"$u_j$ are independent and uniform on $(0, 1)$.",
        source="Jang et al. (2017), equation 1, https://arxiv.org/abs/1611.01144",
        checks=(
            Check("quadrature", "the integral over the winning noise", _gumbel_probabilities, 1e-6),
            Check("Monte-Carlo", "200,000 draws, in standard errors", _gumbel_draws, 6),
        ),
    ),
    Proof(
        id="text.reinforce",
        title="The score function gives an unbiased gradient through a choice",
        statement=r"""\nabla_a\, \mathbb E_{k \sim \mathrm{softmax}(a)}[r_k]
            = \mathbb E_k\left[(r_k - b)\, (e_k - \mathrm{softmax}(a))\right]""",
        assumptions=r"The baseline $b$ does not depend on the choice; $e_k$ is the unit vector.",
        source="Williams (1992), https://doi.org/10.1007/BF00992696",
        checks=(
            Check("enumeration", "all choices, two baselines", _score_function_is_unbiased, 1e-12),
        ),
    ),
)

ROWS = {"D61": ("text.info_nce",), "D62": ("text.gumbel_max", "text.reinforce")}
