"""Monte-Carlo estimators: two gradients of one expectation, and log p(x) from samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = [
    "importance_log_likelihood",
    "importance_weights",
    "pathwise_gradient",
    "score_function_gradient",
]


def pathwise_gradient(z: Tensor) -> Tensor:
    r"""Return pathwise estimates of :math:`\nabla_\mu\,\mathbb E_{N(\mu,1)}[z^2] = 2\mu`.

    With :math:`z = \mu + \epsilon` the derivative of :math:`z^2` is :math:`2z`; its variance is 4.

    Args:
        z: samples of ``N(mu, 1)``, any shape.

    Returns:
        One estimate per sample, the shape of ``z``.

    Source:
        Mohamed, Rosca, Figurnov and Mnih (2020), section 5, https://arxiv.org/abs/1906.10652
    """
    return 2 * z


def score_function_gradient(z: Tensor, mu: float, *, baseline: float = 0.0) -> Tensor:
    r"""Return score-function estimates of :math:`\nabla_\mu\,\mathbb E_{N(\mu,1)}[z^2] = 2\mu`.

    .. math:: (z^2 - b)\,\nabla_\mu \log N(z; \mu, 1) = (z^2 - b)(z - \mu)

    Its variance is :math:`\mu^4 + 14\mu^2 + 15` for :math:`b = 0` and
    :math:`8\mu^2 + 6` for the best constant :math:`b = \mu^2 + 3`.

    Args:
        z: samples of ``N(mu, 1)``, any shape.
        mu: the mean they were drawn with.
        baseline: a constant that may depend on ``mu`` but not on ``z``; it leaves the mean alone.

    Returns:
        One estimate per sample, the shape of ``z``.

    Source:
        Williams (1992), https://doi.org/10.1007/BF00992696;
        Mohamed, Rosca, Figurnov and Mnih (2020), section 4, https://arxiv.org/abs/1906.10652
    """
    return (z.square() - baseline) * (z - mu)


def importance_log_likelihood(log_joint: Tensor, log_q: Tensor) -> Tensor:
    r"""Estimate ``log p(x)`` from ``K`` samples of the encoder, in nats.

    .. math:: \log \frac1K \sum_{k=1}^K \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad z_k \sim q(z \mid x)

    For ``K = 1`` its mean is the ELBO; it rises with ``K`` and tends to ``log p(x)``.

    Args:
        log_joint: ``log p(x, z_k)``, ``(K, B)``.
        log_q: ``log q(z_k | x)``, ``(K, B)``.

    Returns:
        One value per example, ``(B,)``.

    Raises:
        ValueError: if the shapes differ or are not two-dimensional.

    Source:
        Burda, Grosse and Salakhutdinov (2016), equation 8, https://arxiv.org/abs/1509.00519
    """
    check_same_shape(log_joint=log_joint, log_q=log_q)
    check_matrix(log_joint=log_joint)
    return torch.logsumexp(log_joint - log_q, dim=0) - math.log(len(log_joint))


def importance_weights(log_joint: Tensor, log_q: Tensor) -> Tensor:
    r"""Return the share of each sample in the gradient of the importance-weighted bound.

    .. math::
        \tilde w_k = \frac{w_k}{\sum_l w_l}, \qquad
        w_k = \frac{p(x, z_k)}{q(z_k \mid x)}, \qquad
        \nabla \log \frac1K \sum_k w_k = \sum_k \tilde w_k\, \nabla \log w_k

    Args:
        log_joint: ``log p(x, z_k)``, ``(K, B)``.
        log_q: ``log q(z_k | x)``, ``(K, B)``.

    Returns:
        Shares, ``(K, B)``; those of one image sum to one.

    Raises:
        ValueError: if the shapes differ or are not two-dimensional.

    Source:
        Burda, Grosse and Salakhutdinov (2016), section 3, https://arxiv.org/abs/1509.00519
    """
    check_same_shape(log_joint=log_joint, log_q=log_q)
    check_matrix(log_joint=log_joint)
    return torch.softmax(log_joint - log_q, dim=0)
