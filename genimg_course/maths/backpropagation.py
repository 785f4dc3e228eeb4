"""The chain rule from the back: the gradients of a small network, written out by hand."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

__all__ = ["backpropagate", "perceptron"]


def perceptron(weights: Sequence[Tensor], x: Tensor) -> list[Tensor]:
    r"""Return what every layer of a perceptron says, the input first and the output last.

    .. math:: h_0 = x, \qquad h_l = \tanh(W_l h_{l-1}), \qquad h_L = W_L h_{L-1}

    Args:
        weights: one matrix per layer, ``(out, in)``, as in ``torch.nn.Linear``; no biases.
        x: inputs, ``(B, in)`` of the first matrix.

    Returns:
        ``len(weights) + 1`` tensors, each ``(B, width)``; the last one is linear in its input.

    Raises:
        ValueError: if there are no weights or a matrix does not fit the layer before it.
    """
    if not weights:
        raise ValueError("weights is empty: expected one matrix per layer")
    states = [x]
    for layer, weight in enumerate(weights):
        if weight.ndim != 2 or states[-1].shape[-1] != weight.shape[1]:
            raise ValueError(
                f"layer {layer} has a weight of shape {tuple(weight.shape)} for an input of "
                f"shape {tuple(states[-1].shape)}: expected (out, {states[-1].shape[-1]})"
            )
        linear = states[-1] @ weight.T
        states.append(linear if layer == len(weights) - 1 else linear.tanh())
    return states


def backpropagate(
    weights: Sequence[Tensor], states: Sequence[Tensor], grad_output: Tensor
) -> list[Tensor]:
    r"""Return the gradient of a loss for every weight of a `perceptron`.

    .. math:: \delta_L = \frac{\partial \mathcal L}{\partial h_L}, \qquad
        \frac{\partial \mathcal L}{\partial W_l} = \delta_l^\top h_{l-1}, \qquad
        \delta_{l-1} = (\delta_l W_l) \odot (1 - h_{l-1}^2)

    One sweep from the output to the input costs about as much as two forward passes, however
    many weights there are.

    Args:
        weights: one matrix per layer, ``(out, in)``.
        states: what `perceptron` returned for them.
        grad_output: derivative of the loss for the last state, ``(B, out)``.

    Returns:
        One gradient per matrix, in the order and shapes of ``weights``.

    Raises:
        ValueError: if the number of states or the shape of ``grad_output`` does not fit.

    Source:
        Rumelhart, Hinton and Williams (1986), https://doi.org/10.1038/323533a0
    """
    if len(states) != len(weights) + 1:
        raise ValueError(
            f"{len(states)} states for {len(weights)} layers: expected {len(weights) + 1}"
        )
    if grad_output.shape != states[-1].shape:
        raise ValueError(
            f"grad_output has shape {tuple(grad_output.shape)}: "
            f"expected that of the output, {tuple(states[-1].shape)}"
        )
    gradients, delta = [], grad_output
    for weight, state in zip(reversed(weights), reversed(states[:-1]), strict=True):
        gradients.append(delta.T @ state)  # (out, in)
        delta = (delta @ weight) * (1 - state.square())  # (B, in)
    return gradients[::-1]
