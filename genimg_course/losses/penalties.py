"""Penalties on the gradient of a discriminator."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["r1_penalty"]


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
