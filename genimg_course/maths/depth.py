"""What depth is worth: affine layers that merge, layers that bend, gradients past a shortcut."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

__all__ = ["merge_affine", "nonlinear_stages", "residual_gradient"]

BENDING = frozenset(
    [
        "ELU",
        "GELU",
        "LeakyReLU",
        "MaxPool2d",
        "ReLU",
        "SiLU",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Tanh",
    ]
)
"""Layers whose result is no affine function of their input."""

STRAIGHT = frozenset(
    [
        "AdaptiveAvgPool2d",
        "AvgPool2d",
        "BatchNorm2d",
        "Conv2d",
        "ConvTranspose2d",
        "Dropout",
        "Flatten",
        "Identity",
        "Linear",
        "Unflatten",
        "Upsample",
    ]
)
"""Layers that are affine when the network is evaluated."""


def merge_affine(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    r"""Return the one affine layer that does what a chain of them does.

    .. math:: W_2 (W_1 x + b_1) + b_2 = (W_2 W_1)\, x + (W_2 b_1 + b_2)

    Args:
        weights: one matrix per layer, ``(out, in)``, the first layer first.
        biases: one vector per layer, ``(out,)``.

    Returns:
        The weight, ``(out, in)`` with the last ``out`` and the first ``in``, and the bias.

    Raises:
        ValueError: if there is no layer, or not one bias for each weight.
    """
    if not weights or len(weights) != len(biases):
        raise ValueError(
            f"{len(weights)} weights and {len(biases)} biases: expected one of each per layer, "
            "and at least one layer"
        )
    weight, bias = weights[0], biases[0]
    for layer in range(1, len(weights)):
        weight, bias = weights[layer] @ weight, weights[layer] @ bias + biases[layer]
    return weight, bias


def nonlinear_stages(layers: str) -> int:
    """Count the layers that bend: those whose result is no affine function of their input.

    A network without any is one affine map, however many layers it has.

    Args:
        layers: names of the layers in torch, in their order, with spaces between them. The network
            is evaluated, so batch normalisation is affine and dropout does nothing.

    Returns:
        How many layers bend.

    Raises:
        ValueError: if a layer is not known.

    >>> nonlinear_stages("Conv2d BatchNorm2d ReLU Conv2d Flatten Linear Sigmoid")
    2
    """
    names = layers.split()
    unknown = sorted(set(names) - BENDING - STRAIGHT)
    if unknown:
        raise ValueError(
            f"layers has {unknown}: expected names of {sorted(BENDING)} or {sorted(STRAIGHT)}"
        )
    return sum(name in BENDING for name in names)


def residual_gradient(jacobians: Sequence[Tensor], grad_output: Tensor) -> Tensor:
    r"""Return the gradient that reaches the input of a chain of residual blocks.

    .. math:: h_l = h_{l-1} + f_l(h_{l-1}): \qquad \frac{\partial \mathcal L}{\partial h_0}
        = \frac{\partial \mathcal L}{\partial h_L} (I + J_L) \cdots (I + J_1)

    Args:
        jacobians: derivative ``J_l`` of each ``f_l`` at its input, ``(F, F)``, the first block
            first; row ``i`` holds the derivatives of output ``i``.
        grad_output: derivative of the loss for the last ``h``, ``(F,)``.

    Returns:
        ``(F,)``; the sum over all paths, and the path through no block is ``grad_output`` itself.

    Raises:
        ValueError: if a Jacobian is not ``(F, F)``.

    Source:
        He et al. (2016), equation 5, https://arxiv.org/abs/1603.05027
    """
    delta = grad_output
    for jacobian in reversed(jacobians):
        if jacobian.shape != (len(delta), len(delta)):
            raise ValueError(
                f"a Jacobian has shape {tuple(jacobian.shape)}: expected twice {len(delta)}"
            )
        delta = delta + delta @ jacobian
    return delta
