"""Losses of the two players for any f-divergence: the variational bound as a game."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_batch
from genimg_course.maths.f_divergences import f_conjugate, output_activation

__all__ = ["f_gan_discriminator_loss", "f_gan_generator_loss"]


def f_gan_discriminator_loss(
    real_logits: Tensor, fake_logits: Tensor, *, divergence: str
) -> Tensor:
    r"""Return minus the variational bound of an f-divergence.

    .. math:: -\mathbb E_p[g_f(a(x))] + \mathbb E_z[f^*(g_f(a(G(z))))]

    For ``divergence="gan"`` this is `discriminator_loss`.

    Args:
        real_logits: raw outputs ``a`` on real images, any shape with a batch first.
        fake_logits: raw outputs on generated images; the batch sizes may differ.
        divergence: one of `F_DIVERGENCES`.

    Returns:
        A scalar; its minimum over all discriminators is minus the divergence.

    Raises:
        ValueError: if a batch is empty or there is no such divergence.

    Source:
        Nowozin, Cseke and Tomioka (2016), section 2.3, https://arxiv.org/abs/1606.00709
    """
    check_batch(real_logits=real_logits, fake_logits=fake_logits)
    real = output_activation(real_logits, divergence)
    fake = output_activation(fake_logits, divergence)
    return f_conjugate(fake, divergence).mean() - real.mean()


def f_gan_generator_loss(
    fake_logits: Tensor, *, divergence: str, saturating: bool = False
) -> Tensor:
    r"""Return the generator's loss in the game of an f-divergence.

    .. math:: -\mathbb E_z[g_f(a(G(z)))] \quad\text{or, saturating,}\quad
        -\mathbb E_z[f^*(g_f(a(G(z))))]

    The second descends the divergence itself. The first is the trick that keeps the gradient
    where the discriminator is sure; for ``divergence="gan"`` both are those of `generator_loss`.

    Args:
        fake_logits: raw outputs on generated images, any shape with a batch first.
        divergence: one of `F_DIVERGENCES`.
        saturating: choose the zero-sum form.

    Returns:
        A scalar.

    Raises:
        ValueError: if the batch is empty or there is no such divergence.

    Source:
        Nowozin, Cseke and Tomioka (2016), section 3.2, https://arxiv.org/abs/1606.00709
    """
    check_batch(fake_logits=fake_logits)
    score = output_activation(fake_logits, divergence)
    return -f_conjugate(score, divergence).mean() if saturating else -score.mean()
