"""The proof that a conditional VAE bounds the evidence of a picture given its class."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from genimg_course.maths import conditional_codes, gaussians, likelihoods
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

SIGMA = 0.7
"""Standard deviation of a pixel of the model below."""

LABELS = (2, 0, 1, 2)
"""Classes of four pictures of one channel and 1 by 3 pixels."""


def _routes(z: Tensor) -> dict[str, Tensor]:
    y = torch.tensor(LABELS)
    return conditional_codes.route_condition(n.normal(1, 4, 1, 1, 3), z, y, classes=3)


def _decoder() -> tuple[Tensor, Tensor]:
    """Return the columns for the code, ``(3, 2)``, and a shift per class, ``(3, 3)``."""
    weight = n.normal(2, 3, 5)
    return weight[:, :2], weight[:, 2:]


def _encode() -> tuple[Tensor, Tensor]:
    """Return mean ``(4, 2)`` and covariance ``(4, 2, 2)`` of an encoder that sees the class."""
    seen = _routes(n.normal(3, 4, 2))["encoder"]  # (4, 1 + 3, 1, 3)
    root = torch.tanh(seen.flatten(start_dim=1) @ n.normal(4, 12, 4)).reshape(4, 2, 2)
    mean = 0.5 * seen.flatten(start_dim=1) @ n.normal(5, 12, 2)
    return mean, root @ root.mT + 0.2 * torch.eye(2, dtype=torch.float64)


def _priors() -> tuple[Tensor, Tensor]:
    """Return mean and covariance of the prior of each class, ``(3, 2)`` and ``(3, 2, 2)``."""
    root = n.normal(6, 3, 2, 2)
    return n.normal(7, 3, 2), root @ root.mT + 0.5 * torch.eye(2, dtype=torch.float64)


def _identity() -> float:
    x, worst = n.normal(1, 4, 1, 1, 3).reshape(4, 3), 0.0
    columns, shifts = _decoder()
    nodes, weight = n.gauss_hermite(3, 2)
    means, covariances = _encode()
    for i, y in enumerate(LABELS):
        prior_mu, prior_covariance = (v[y] for v in _priors())
        z = means[i] + nodes @ torch.linalg.cholesky(covariances[i]).T
        seen = torch.stack([_routes(code.expand(4, 2))["decoder"][i] for code in z])
        nll = likelihoods.gaussian_nll(
            seen @ torch.cat([columns, shifts], dim=1).T, x[i].expand(len(z), 3), sigma=SIGMA
        )
        kl = gaussians.gaussian_kl_full(means[i], covariances[i], prior_mu, prior_covariance)
        eye = torch.eye(3, dtype=torch.float64)
        marginal = MultivariateNormal(
            columns @ prior_mu + shifts[:, y],
            columns @ prior_covariance @ columns.T + SIGMA**2 * eye,
        )
        precision = prior_covariance.inverse() + columns.T @ columns / SIGMA**2
        pull = prior_covariance.inverse() @ prior_mu
        pull = pull + columns.T @ (x[i] - shifts[:, y]) / SIGMA**2
        posterior = MultivariateNormal(
            torch.linalg.solve(precision, pull), precision_matrix=precision
        )
        gap = kl_divergence(MultivariateNormal(means[i], covariances[i]), posterior)
        worst = max(worst, n.gap(-weight @ nll - kl + gap, marginal.log_prob(x[i])))
    return worst


def _encoder_sees_the_class() -> float:
    x, z, y = n.normal(8, 4, 2, 3, 2), n.normal(9, 4, 5), torch.tensor(LABELS)
    seen = conditional_codes.route_condition(x, z, y, classes=3)
    one_hot = n.float64([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    planes = one_hot[:, :, None, None] * torch.ones(4, 3, 3, 2, dtype=torch.float64)
    return max(
        n.gap(seen["encoder"], torch.cat([x, planes], dim=1)),
        n.gap(seen["decoder"], torch.cat([z, one_hot], dim=1)),
    )


PROOFS = (
    Proof(
        id="vae.conditional_bound",
        title="A conditional VAE bounds the evidence of a picture given its class",
        statement=r"""\log p(x \mid y) = \mathbb E_{q(z \mid x, y)}[\log p(x \mid z, y)]
            - \mathrm{KL}\left(q(z \mid x, y) \Vert p(z \mid y)\right)
            + \mathrm{KL}\left(q(z \mid x, y) \Vert p(z \mid x, y)\right)""",
        assumptions=r"$q(z \mid x, y)$ is zero wherever $p(x, z \mid y)$ is. The prior may depend "
        r"on the class; in this course $p(z \mid y) = \mathcal N(0, I)$.",
        source="Sohn, Lee and Yan (2015), https://papers.nips.cc/paper/5775-learning-structured-"
        "output-representation-using-deep-conditional-generative-models.pdf; "
        "Kingma and Welling (2014), equation 1, https://arxiv.org/abs/1312.6114",
        checks=(
            Check(
                "quadrature",
                "four pictures of three classes, a prior per class, full covariances",
                _identity,
                1e-11,
            ),
            Check(
                "enumeration",
                "what encoder and decoder see: the one-hot class, on planes and as numbers",
                _encoder_sees_the_class,
                1e-15,
            ),
        ),
    ),
)

ROWS = {"D17": ("vae.conditional_bound",)}
"""Rows of the list of derivations and the proofs that cover them."""
