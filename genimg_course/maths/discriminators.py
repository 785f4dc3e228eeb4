"""What a perfect discriminator says, and the value of the game when it plays."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_batch, check_range, check_same_shape

__all__ = [
    "divergence_from_logits",
    "gan_value",
    "generator_slopes",
    "optimal_discriminator",
]


def optimal_discriminator(p: Tensor, q: Tensor, *, prior: float = 0.5) -> Tensor:
    r"""Return the probability that a point is real, given the two densities and the share of reals.

    .. math:: D^*(x) = \frac{\pi\,p(x)}{\pi\,p(x) + (1 - \pi)\,q(x)}

    Args:
        p: density or probability of the data at each point, non-negative, any shape.
        q: the same for the generator.
        prior: share :math:`\pi` of real images among all that the discriminator sees, in ``(0,
            1)``.

    Returns:
        Values in ``[0, 1]``, the shape of ``p``; ``prior`` where both are zero (nothing was seen
        there).

    Raises:
        ValueError: if the shapes differ, a density is negative or ``prior`` is not inside ``(0,
            1)``.

    Source:
        Goodfellow et al. (2014), proposition 1, https://arxiv.org/abs/1406.2661
    """
    check_same_shape(p=p, q=q)
    check_range("p", p, 0.0, float("inf"))
    check_range("q", q, 0.0, float("inf"))
    if not 0 < prior < 1:
        raise ValueError(f"prior is {prior}: expected a share of real images inside (0, 1)")
    real, fake = prior * p, (1 - prior) * q
    total = real + fake
    seen = total > 0
    return torch.where(seen, real / torch.where(seen, total, 1), prior)


def gan_value(p: Tensor, q: Tensor, d: Tensor) -> Tensor:
    r"""Return :math:`\mathbb E_p \log D + \mathbb E_q \log(1 - D)` of a tabular game, in nats.

    Args:
        p: probabilities of the data, ``(K,)``.
        q: probabilities of the generator, ``(K,)``.
        d: what the discriminator says at each point, in ``[0, 1]``, ``(K,)``.

    Returns:
        The value, a scalar; its maximum over ``d`` is ``-log 4 + 2 JSD(p, q)``.

    Raises:
        ValueError: if the shapes differ or ``d`` leaves ``[0, 1]``.

    Source:
        Goodfellow et al. (2014), equation 1 and theorem 1, https://arxiv.org/abs/1406.2661
    """
    check_same_shape(p=p, q=q, d=d)
    check_range("d", d, 0.0, 1.0)
    return (torch.xlogy(p, d) + torch.xlogy(q, 1 - d)).sum()


def divergence_from_logits(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""Return how much Jensen-Shannon divergence a discriminator has found, in nats.

    .. math:: \log 2 + \tfrac12\,\mathbb E_p[\log D] + \tfrac12\,\mathbb E_q[\log(1 - D)],
        \qquad D = \sigma(a)

    In expectation no discriminator finds more than the divergence has, and the best one finds all.

    Args:
        real_logits: ``a`` on data, any shape with a batch first.
        fake_logits: ``a`` on generated points; the batch sizes may differ.

    Returns:
        A scalar, at most ``log 2``; zero for a discriminator that is undecided everywhere, and
        negative for one that is worse than undecided.

    Raises:
        ValueError: if a batch is empty.

    Source:
        Goodfellow et al. (2014), theorem 1, https://arxiv.org/abs/1406.2661
    """
    check_batch(real_logits=real_logits, fake_logits=fake_logits)
    cost = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    return math.log(2) - 0.5 * cost


def generator_slopes(d: Tensor) -> dict[str, Tensor]:
    r"""Return the derivative of both generator losses with respect to the logit of an image.

    .. math:: \frac{\partial}{\partial a} \log(1 - \sigma(a)) = -D, \qquad
        \frac{\partial}{\partial a} \left[-\log\sigma(a)\right] = -(1 - D)

    Args:
        d: what the discriminator says of the image, :math:`D = \sigma(a)`, in ``[0, 1]``, any
            shape.

    Returns:
        ``saturating`` and ``non_saturating``, each the shape of ``d``, in ``[-1, 0]``.

    Raises:
        ValueError: if ``d`` leaves ``[0, 1]``.

    Source:
        Goodfellow et al. (2014), section 3, https://arxiv.org/abs/1406.2661
    """
    check_range("d", d, 0.0, 1.0)
    return {"saturating": -d, "non_saturating": d - 1}
