"""Penalties on the gradient of a discriminator."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = ["gradient_penalty", "r1_penalty"]


def r1_penalty(real_logits: Tensor, x: Tensor, *, gamma: float) -> Tensor:
    r"""Return the gradient penalty on real images that makes GAN training converge locally.

    .. math:: \frac\gamma2\, \mathbb E_p \lVert \nabla_x a(x) \rVert^2

    Args:
        real_logits: logits of the discriminator on ``x``, ``(B,)`` or ``(B, 1)``.
        x: the real images they came from, with ``requires_grad`` set before the forward pass,
            ``(B, ...)``.
        gamma: weight of the penalty, non-negative.

    Returns:
        A scalar through which gradients reach the discriminator's parameters.

    Raises:
        ValueError: if ``gamma`` is negative or ``x`` does not require a gradient.

    Source:
        Mescheder, Geiger and Nowozin (2018), equation 9, https://arxiv.org/abs/1801.04406
    """
    if not gamma >= 0:
        raise ValueError(f"gamma is {gamma}: expected a weight of at least zero")
    if not x.requires_grad:
        raise ValueError(
            f"x {tuple(x.shape)} does not require a gradient: "
            "call x.requires_grad_() before the forward pass"
        )
    (gradient,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
    return 0.5 * gamma * gradient.square().reshape(len(x), -1).sum(dim=1).mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Tensor,
    fake: Tensor,
    *,
    weight: float,
    alpha: Tensor | None = None,
    rng: torch.Generator | None = None,
) -> Tensor:
    r"""Return the penalty that pulls the slope of a critic towards one between real and fake.

    .. math:: \lambda\, \mathbb E\left[(\lVert \nabla f(\hat x) \rVert - 1)^2\right],
        \qquad \hat x = \alpha x + (1 - \alpha)\, G(z)

    The norm is that of each image by itself. So the critic must treat each image by itself too:
    batch normalisation would mix them.

    Args:
        critic: maps images to scores, ``(B,)`` or ``(B, 1)``.
        real: real images, ``(B, ...)``.
        fake: generated images of the same shape; no gradient reaches the generator.
        weight: ``lambda``, non-negative.
        alpha: share of the real image in each mixture, in ``[0, 1]``, ``(B,)``; drawn evenly if
            ``None``.
        rng: the source of ``alpha``; ``None`` uses the global generator.

    Returns:
        A scalar through which gradients reach the critic's parameters.

    Raises:
        ValueError: if ``weight`` is negative, the shapes differ or ``alpha`` is not ``(B,)``.

    Source:
        Gulrajani et al. (2017), equation 3, https://arxiv.org/abs/1704.00028
    """
    if not weight >= 0:
        raise ValueError(f"weight is {weight}: expected a weight of at least zero")
    check_same_shape(real=real, fake=fake)
    if alpha is None:
        alpha = torch.rand(len(real), generator=rng, dtype=real.dtype, device=real.device)
    if alpha.shape != real.shape[:1]:
        raise ValueError(f"alpha has shape {tuple(alpha.shape)}: expected ({len(real)},)")
    share = alpha.reshape(-1, *[1] * (real.ndim - 1))
    mixed = (share * real + (1 - share) * fake).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    return weight * (gradient.reshape(len(real), -1).norm(dim=1) - 1).square().mean()
