"""The evidence lower bound from samples, in its three forms."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_matrix, check_same_shape

__all__ = ["elbo_forms"]


def elbo_forms(
    log_likelihood: Tensor, log_prior: Tensor, log_q: Tensor, kl: Tensor, entropy: Tensor
) -> dict[str, Tensor]:
    r"""Estimate one bound in three ways from ``K`` codes per image, in nats.

    .. math::
        \mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(q \Vert p)
        = \mathbb E_q[\log p(x, z)] + H(q)
        = \mathbb E_q[\log p(x, z) - \log q(z \mid x)]

    Args:
        log_likelihood: ``log p(x | z_k)``, ``(K, B)``, for ``z_k`` drawn from ``q(z | x)``.
        log_prior: ``log p(z_k)``, ``(K, B)``.
        log_q: ``log q(z_k | x)``, ``(K, B)``.
        kl: KL of ``q(z | x)`` from the prior in closed form, ``(B,)``.
        entropy: entropy of ``q(z | x)`` in closed form, ``(B,)``.

    Returns:
        ``split``, ``joint`` and ``ratio``, in the order of the formula, each ``(B,)``. They have
        one mean; they differ in how much they vary.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Kingma and Welling (2014), equations 2 and 3, https://arxiv.org/abs/1312.6114
    """
    check_same_shape(log_likelihood=log_likelihood, log_prior=log_prior, log_q=log_q)
    check_matrix(log_likelihood=log_likelihood)
    check_same_shape(kl=kl, entropy=entropy, one_image=log_q[0])
    log_joint = log_likelihood + log_prior
    return {
        "split": log_likelihood.mean(dim=0) - kl,
        "joint": log_joint.mean(dim=0) + entropy,
        "ratio": (log_joint - log_q).mean(dim=0),
    }
