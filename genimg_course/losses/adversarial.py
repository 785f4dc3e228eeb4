"""Losses of the two players of a GAN: pure functions of logits, so that they can be exchanged."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_batch

__all__ = ["discriminator_loss", "generator_loss"]


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
