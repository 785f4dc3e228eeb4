"""Proofs about layers and penalties: normalisation, dropout, shrinkage, attention."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Laplace, Normal

from genimg_course.maths import attention, layers
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _normalised_batch(eps: float | None) -> float:
    x, grad_y = 0.3 * n.normal(1, 7, 4) + 2, n.normal(2, 7, 4)
    gamma, beta = n.normal(3, 2, 4)
    options = {} if eps is None else {"eps": eps}
    x.requires_grad_()
    y = F.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-5 if eps is None else eps)
    (expected,) = torch.autograd.grad(y, x, grad_y)
    x = x.detach()
    found = layers.batch_norm_backward(x, gamma, grad_y, **options)
    forward = n.gap(layers.batch_norm(x, gamma, beta, **options), y.detach())
    return max(forward, n.gap(found, expected), found.sum(dim=0).abs().max().item())


P = 0.3
"""Share of dropped values."""


def _masks(count: int) -> tuple[Tensor, Tensor]:
    """Return every mask of ``count`` values, and its probability."""
    keep = n.tuples(2, count).double()
    kept = keep.sum(dim=1)
    return keep, (1 - P) ** kept * P ** (count - kept)


def _moments_of_dropout() -> float:
    x = n.normal(1, 5)
    keep, weight = _masks(5)
    dropped = layers.dropout(x.expand_as(keep), keep, p=P)
    still = layers.dropout(x.expand_as(keep), keep, p=P, training=False)
    mean = weight @ dropped
    covariance = (weight[:, None] * (dropped - mean)).T @ (dropped - mean)
    gap = n.gap(covariance, layers.dropout_variance(x, p=P).diag())
    return n.worst(n.gap(mean, x), gap, n.gap(still, x.expand_as(keep)))


def _regression() -> tuple[Tensor, Tensor]:
    return n.normal(1, 4, 3), n.normal(2, 4)


def _mean_loss(w: Tensor, *, scaled: bool) -> Tensor:
    """Return the mean squared error over all 4096 masks of the inputs."""
    x, y = _regression()
    keep, weight = _masks(x.numel())
    keep = keep.reshape(-1, *x.shape)
    inputs = layers.dropout(x.expand_as(keep), keep, p=P) if scaled else keep * x
    return weight @ (y - inputs @ w).square().sum(dim=1)


def _loss_under_dropout() -> float:
    x, y = _regression()
    w = n.normal(3, 3)
    gram = (x.T @ x).diagonal()
    q = 1 - P
    ours = (y - x @ w).square().sum() + P / q * (gram * w**2).sum()
    raw = (y - q * x @ w).square().sum() + q * P * (gram * w**2).sum()
    return max(n.gap(_mean_loss(w, scaled=True), ours), n.gap(_mean_loss(w, scaled=False), raw))


def _weights_under_dropout() -> float:
    x, y = _regression()
    best = n.minimise(lambda w: _mean_loss(w, scaled=True), torch.zeros(3, dtype=torch.float64))
    return n.gap(layers.dropout_ridge(x, y, p=P), best)


def _gaussian_prior() -> float:
    x, y = n.normal(4, 6, 3), n.normal(5, 6)
    sigma, tau = 0.7, n.float64([0.5, 1.5, 0.9])

    def negative_log_posterior(w: Tensor) -> Tensor:
        return -Normal(x @ w, sigma).log_prob(y).sum() - Normal(0 * tau, tau).log_prob(w).sum()

    best = n.minimise(negative_log_posterior, torch.zeros(3, dtype=torch.float64))
    return n.gap(layers.ridge(x, y, penalty=(sigma / tau) ** 2), best)


def _laplace_prior() -> float:
    z, sigma, width = n.float64([2.0, -1.7, 0.4, -0.2, 0.0, 0.81]), 0.8, 0.9
    best = layers.soft_threshold(z, sigma**2 / width)

    def slopes(w: Tensor) -> Tensor:
        at = w.clone().requires_grad_()
        log = Normal(at, sigma).log_prob(z) + Laplace(0 * at, width).log_prob(at)
        return torch.autograd.grad(-log.sum(), at)[0]

    # where the best is not zero its slope is; at zero the loss must rise to both sides
    here = slopes(best).masked_fill(best == 0, 0.0)
    below, above = slopes(torch.full_like(z, -1e-12)), slopes(torch.full_like(z, 1e-12))
    corner = torch.where(best == 0, torch.maximum(below, -above).clamp_min(0), 0.0)
    return (here.abs() + corner).max().item() if (best == 0).sum() == 3 else math.inf


def _spread_of_scores() -> float:
    values, chance = n.float64([-0.5, 2.0]), n.float64([0.8, 0.2])  # mean 0, variance 1
    index = n.tuples(2, 3)
    vectors, weight = values[index], chance[index].prod(dim=1)
    joint = weight[:, None] * weight
    scores, products = attention.attention_scores(vectors, vectors), vectors @ vectors.T
    moments = [(joint * scores).sum(), (joint * scores**2).sum(), (joint * products**2).sum()]
    return n.gap(torch.stack(moments), n.float64([0.0, 1.0, 3.0]))


def _spread_of_long_scores() -> float:
    q, k = n.normal(1, 2, 20_000, 1, 64)
    square = attention.attention_scores(q, k).square()
    return n.standard_errors(square, 1.0, square.std().item())


def _mean_of_values() -> float:
    q, k, v = n.normal(1, 2, 3, 4), n.normal(2, 2, 5, 4), n.normal(3, 2, 5, 6)
    expected = torch.zeros(2, 3, 6, dtype=torch.float64)
    for b, i in torch.cartesian_prod(torch.arange(2), torch.arange(3)):
        weights = [math.exp(float(q[b, i] @ k[b, j]) / 2) for j in range(5)]  # sqrt(4) is 2
        expected[b, i] = sum(w * v[b, j] for j, w in enumerate(weights)) / sum(weights)
    return n.gap(attention.attend(q, k, v), expected)


SRIVASTAVA = "https://jmlr.org/papers/volume15/srivastava14a/srivastava14a.pdf"

PROOFS = (
    Proof(
        id="networks.batch_norm_backward",
        title="The gradient through batch normalisation",
        statement=r"""\frac{\partial \mathcal L}{\partial x} = \frac{1}{\sqrt{v + \epsilon}}
            \left( \delta - \overline{\delta} - \hat x\, \overline{\delta \hat x} \right), \qquad
            \delta = \gamma\, \frac{\partial \mathcal L}{\partial y}, \qquad
            \hat x = \frac{x - \bar x}{\sqrt{v + \epsilon}}""",
        assumptions=r"Training mode: bars are means over the batch, $v$ is its variance with "
        r"divisor $B$; $y = \gamma \hat x + \beta$.",
        source="Ioffe and Szegedy (2015), section 3, https://arxiv.org/abs/1502.03167",
        checks=(
            Check(
                "autograd",
                "torch's layer, 7 examples of 4 features",
                lambda: _normalised_batch(None),
                1e-12,
            ),
            Check(
                "autograd",
                "the same with an epsilon as large as the variance",
                lambda: _normalised_batch(0.1),
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.dropout",
        title="Inverted dropout keeps the mean and adds variance",
        statement=r"""\tilde x = \frac{m\, x}{1 - p}: \qquad \mathbb E\, \tilde x = x, \qquad
            \mathrm{Var}\, \tilde x = \frac{p}{1 - p}\, x^2""",
        assumptions=r"$m \sim \mathrm{Bernoulli}(1 - p)$, independent for each value.",
        source=f"Srivastava et al. (2014), section 10, {SRIVASTAVA}",
        checks=(
            Check(
                "enumeration",
                "mean and covariance over all 32 masks of 5 values",
                _moments_of_dropout,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="networks.dropout_is_ridge",
        title="Dropout on the inputs of a linear model is a ridge penalty",
        statement=r"""\begin{aligned}
            \mathbb E \lVert y - \tilde X w \rVert^2 &= \lVert y - X w \rVert^2
            + \frac{p}{1 - p} \sum_j (X^\top X)_{jj}\, w_j^2, \\
            \mathbb E \lVert y - (m \odot X) w \rVert^2 &= \lVert y - q X w \rVert^2
            + q (1 - q) \sum_j (X^\top X)_{jj}\, w_j^2
            \end{aligned}""",
        assumptions=r"$q = 1 - p$; $\tilde X = m \odot X / q$ is inverted dropout, the second line "
        "leaves the scale out.",
        source=f"Srivastava et al. (2014), section 9.1, {SRIVASTAVA}; "
        "Wager, Wang and Liang (2013), https://arxiv.org/abs/1307.1493",
        checks=(
            Check(
                "enumeration",
                "both lines over all 4096 masks of 4 examples with 3 inputs",
                _loss_under_dropout,
                1e-12,
            ),
            Check(
                "optimisation",
                "the weights with the least mean loss",
                _weights_under_dropout,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="networks.penalties_are_priors",
        title="A penalty on the weights is a prior for them",
        statement=r"""\begin{aligned}
            w_j \sim \mathcal N(0, \tau_j^2) &: \quad \hat w = \left( X^\top X
            + \mathrm{diag}\, \tfrac{\sigma^2}{\tau_j^2} \right)^{-1} X^\top y, \\
            w \sim \mathrm{Laplace}(0, b) &: \quad \hat w = \mathrm{sign}(z)
            \max\left( \lvert z \rvert - \tfrac{\sigma^2}{b},\ 0 \right)
            \end{aligned}""",
        assumptions=r"$\hat w$ maximises the posterior; $y \sim \mathcal N(Xw, \sigma^2 I)$ in the "
        r"first line, one observation $z \sim \mathcal N(w, \sigma^2)$ in the second.",
        source="Hoerl and Kennard (1970), https://doi.org/10.1080/00401706.1970.10488634; "
        "Tibshirani (1996), https://doi.org/10.1111/j.2517-6161.1996.tb02080.x",
        checks=(
            Check("optimisation", "6 examples, three prior widths", _gaussian_prior, 1e-10),
            Check(
                "autograd",
                "slopes of the posterior at, below and above six answers, three of them zero",
                _laplace_prior,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="networks.attention_scale",
        title="Dividing by the root of the width keeps attention scores at variance one",
        statement=r"""\mathrm{Var}(q^\top k) = d, \qquad
            \mathrm{Var}\left( \frac{q^\top k}{\sqrt d} \right) = 1, \qquad
            \mathrm{Att}(q, K, V) = \mathrm{softmax}\left( \frac{q K^\top}{\sqrt d} \right) V""",
        assumptions="The entries of queries and keys are independent with mean 0 and variance 1.",
        source="Vaswani et al. (2017), equation 1, https://arxiv.org/abs/1706.03762",
        checks=(
            Check(
                "enumeration",
                "all pairs of vectors of three two-valued entries",
                _spread_of_scores,
                1e-12,
            ),
            Check(
                "Monte-Carlo",
                "20,000 pairs of width 64; standard error 0.01",
                _spread_of_long_scores,
                6,
            ),
            Check("enumeration", "the weighted mean, one token at a time", _mean_of_values, 1e-12),
        ),
    ),
)

ROWS = {
    "D05": ("networks.batch_norm_backward",),
    "D05b": ("networks.dropout",),
    "D05c": ("networks.dropout_is_ridge", "networks.penalties_are_priors"),
    "D60": ("networks.attention_scale",),
}
