"""How far a Gaussian is from a law on a line, in both directions of the KL divergence."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = ["fit_divergence"]


def fit_divergence(
    x: Tensor, p: Tensor, mu: Tensor, sigma: Tensor, *, reverse: bool = False
) -> Tensor:
    r"""Return the KL divergence between a law on a grid and each of some Gaussians, in nats.

    The Gaussian becomes a law on the same grid: :math:`q_i \propto e^{-(x_i - \mu)^2 / 2\sigma^2}`.

    .. math:: \mathrm{KL}(p \Vert q) \text{ (forward)} \qquad
        \mathrm{KL}(q \Vert p) \text{ (reverse)}

    Args:
        x: points of the grid, ``(N,)``, at equal distances.
        p: their probabilities, ``(N,)``; positive everywhere if ``reverse``.
        mu: means of the candidates, ``(M,)``.
        sigma: their standard deviations, ``(M,)``, positive.
        reverse: average over ``q`` instead of ``p``.

    Returns:
        One value per candidate, ``(M,)``.

    Raises:
        ValueError: if shapes differ, or a probability or a ``sigma`` is out of range.

    Source:
        Minka (2005), *Divergence Measures and Message Passing*, MSR-TR-2005-173;
        Goodfellow (2016), https://arxiv.org/abs/1701.00160
    """
    check_same_shape(x=x, p=p)
    check_same_shape(mu=mu, sigma=sigma)
    check_range("p", p, 0.0, 1.0)
    if not bool((sigma > 0).all()):
        raise ValueError(f"sigma is as small as {sigma.min().item():g}: expected positive values")
    scaled = (x - mu[:, None]) / sigma[:, None]  # (M, N)
    log_q = torch.log_softmax(-0.5 * scaled.square(), dim=1)
    if reverse:
        return (log_q.exp() * (log_q - p.log())).sum(dim=1)
    return (torch.xlogy(p, p) - p * log_q).sum(dim=1)
