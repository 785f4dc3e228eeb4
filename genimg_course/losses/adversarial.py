"""Losses of the two players of a GAN: pure functions of logits, so that they can be exchanged."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_batch

__all__ = [
    "discriminator_loss",
    "generator_loss",
    "hinge_discriminator_loss",
    "hinge_generator_loss",
    "least_squares_discriminator_loss",
    "least_squares_generator_loss",
    "wasserstein_critic_loss",
    "wasserstein_generator_loss",
]


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""Return the discriminator's cross-entropy on real and generated images.

    .. math:: \mathbb E_p[-\log D(x)] + \mathbb E_z[-\log(1 - D(G(z)))], \qquad D = \sigma(a)

    Args:
        real_logits: ``a`` on real images, any shape with a batch first.
        fake_logits: ``a`` on generated images; the batch sizes may differ.

    Returns:
        A scalar in nats; ``log 4`` where the discriminator is undecided.

    Raises:
        ValueError: if a batch is empty.

    Source:
        Goodfellow et al. (2014), equation 1, https://arxiv.org/abs/1406.2661
    """
    check_batch(real_logits=real_logits, fake_logits=fake_logits)
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor, *, saturating: bool = False) -> Tensor:
    r"""Return the generator's loss on what the discriminator says of its images.

    .. math:: \mathbb E_z[-\log D(G(z))] \quad\text{or, saturating,}\quad
        \mathbb E_z[\log(1 - D(G(z)))]

    The first keeps its gradient where the discriminator is sure that an image is fake. The second
    is the zero-sum game of theorem 1 and loses it there.

    Args:
        fake_logits: logits of ``D(G(z))``, any shape with a batch first.
        saturating: choose the zero-sum form.

    Returns:
        A scalar in nats; ``log 2`` (saturating: ``-log 2``) where the discriminator is undecided.

    Raises:
        ValueError: if the batch is empty.

    Source:
        Goodfellow et al. (2014), section 3, https://arxiv.org/abs/1406.2661
    """
    check_batch(fake_logits=fake_logits)
    return -F.softplus(fake_logits).mean() if saturating else F.softplus(-fake_logits).mean()


def least_squares_discriminator_loss(
    real_logits: Tensor,
    fake_logits: Tensor,
    *,
    real_target: float = 1.0,
    fake_target: float = 0.0,
) -> Tensor:
    r"""Return half the squared distance of the outputs from two targets, ``b`` and ``a``.

    .. math:: \tfrac12\, \mathbb E_p[(D(x) - b)^2] + \tfrac12\, \mathbb E_z[(D(G(z)) - a)^2]

    Args:
        real_logits: raw outputs ``D``, without a sigmoid, on real images, any shape with a batch
            first.
        fake_logits: raw outputs on generated images; the batch sizes may differ.
        real_target: ``b``.
        fake_target: ``a``.

    Returns:
        A scalar, zero only if every output meets its target.

    Raises:
        ValueError: if a batch is empty.

    Source:
        Mao et al. (2017), equation 2, https://arxiv.org/abs/1611.04076
    """
    check_batch(real_logits=real_logits, fake_logits=fake_logits)
    real = (real_logits - real_target).square().mean()
    return (real + (fake_logits - fake_target).square().mean()) / 2


def least_squares_generator_loss(fake_logits: Tensor, *, target: float = 1.0) -> Tensor:
    r"""Return half the squared distance of the outputs on generated images from ``c``.

    .. math:: \tfrac12\, \mathbb E_z[(D(G(z)) - c)^2]

    Args:
        fake_logits: raw outputs on generated images, any shape with a batch first.
        target: ``c``, what the generator wants to hear.

    Returns:
        A scalar.

    Raises:
        ValueError: if the batch is empty.

    Source:
        Mao et al. (2017), equation 2, https://arxiv.org/abs/1611.04076
    """
    check_batch(fake_logits=fake_logits)
    return (fake_logits - target).square().mean() / 2


def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""Return how far the outputs fall short of a margin of one on their side of zero.

    .. math:: \mathbb E_p[\max(0, 1 - a(x))] + \mathbb E_z[\max(0, 1 + a(G(z)))]

    Args:
        real_logits: raw outputs ``a`` on real images, any shape with a batch first.
        fake_logits: raw outputs on generated images; the batch sizes may differ.

    Returns:
        A scalar; 2 where the discriminator is undecided, 0 where both margins are kept.

    Raises:
        ValueError: if a batch is empty.

    Source:
        Lim and Ye (2017), https://arxiv.org/abs/1705.02894;
        Miyato et al. (2018), equation 16, https://arxiv.org/abs/1802.05957
    """
    check_batch(real_logits=real_logits, fake_logits=fake_logits)
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def hinge_generator_loss(fake_logits: Tensor) -> Tensor:
    r"""Return minus the mean output on generated images: the generator has no margin.

    .. math:: -\mathbb E_z[a(G(z))]

    Args:
        fake_logits: raw outputs on generated images, any shape with a batch first.

    Returns:
        A scalar.

    Raises:
        ValueError: if the batch is empty.

    Source:
        Lim and Ye (2017), https://arxiv.org/abs/1705.02894;
        Miyato et al. (2018), equation 17, https://arxiv.org/abs/1802.05957
    """
    check_batch(fake_logits=fake_logits)
    return -fake_logits.mean()


def wasserstein_critic_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    r"""Return minus the difference of the mean scores; it means a distance only under a bound.

    .. math:: \mathbb E_z[f(G(z))] - \mathbb E_p[f(x)]

    Minus its minimum over 1-Lipschitz critics ``f`` is the Wasserstein distance; without such a
    bound, by a `gradient_penalty` for example, it falls for ever.

    Args:
        real_scores: ``f`` on real images, any shape with a batch first.
        fake_scores: ``f`` on generated images; the batch sizes may differ.

    Returns:
        A scalar, in the unit of the images.

    Raises:
        ValueError: if a batch is empty.

    Source:
        Arjovsky, Chintala and Bottou (2017), equation 2, https://arxiv.org/abs/1701.07875
    """
    check_batch(real_scores=real_scores, fake_scores=fake_scores)
    return fake_scores.mean() - real_scores.mean()


def wasserstein_generator_loss(fake_scores: Tensor) -> Tensor:
    r"""Return minus the mean score of generated images.

    .. math:: -\mathbb E_z[f(G(z))]

    Args:
        fake_scores: the critic's scores on generated images, any shape with a batch first.

    Returns:
        A scalar.

    Raises:
        ValueError: if the batch is empty.

    Source:
        Arjovsky, Chintala and Bottou (2017), theorem 3, https://arxiv.org/abs/1701.07875
    """
    check_batch(fake_scores=fake_scores)
    return -fake_scores.mean()
