"""Layers and penalties of a network: normalisation with its backward pass, dropout, shrinkage."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_matrix, check_range, check_same_shape

__all__ = [
    "batch_norm",
    "batch_norm_backward",
    "dropout",
    "dropout_ridge",
    "dropout_variance",
    "ridge",
    "soft_threshold",
]


def _check_rate(p: float) -> None:
    if not 0 <= p < 1:
        raise ValueError(f"p is {p}: expected a share of dropped values in [0, 1)")


def _normalise(x: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return the normalised batch, ``(B, F)``, and what it was multiplied by, ``(F,)``."""
    variance, mean = torch.var_mean(x, dim=0, correction=0)
    scale = (variance + eps).rsqrt()
    return (x - mean) * scale, scale


def batch_norm(x: Tensor, gamma: Tensor, beta: Tensor, *, eps: float = 1e-5) -> Tensor:
    r"""Normalise each feature by the mean and variance of the batch, then scale and shift it.

    .. math:: y = \gamma \hat x + \beta, \qquad \hat x = \frac{x - \bar x}{\sqrt{v + \epsilon}}

    Args:
        x: batch, ``(B, F)``; the variance ``v`` divides by ``B``.
        gamma: scale of each feature, ``(F,)``.
        beta: shift of each feature, ``(F,)``.
        eps: added to the variance.

    Returns:
        ``(B, F)``; what a layer does in training mode.

    Raises:
        ValueError: if ``x`` is no matrix, or ``gamma`` or ``beta`` is not ``(F,)``.

    Source:
        Ioffe and Szegedy (2015), algorithm 1, https://arxiv.org/abs/1502.03167
    """
    check_matrix(x=x)
    check_same_shape(feature=x[0], gamma=gamma, beta=beta)
    return gamma * _normalise(x, eps)[0] + beta


def batch_norm_backward(x: Tensor, gamma: Tensor, grad_y: Tensor, *, eps: float = 1e-5) -> Tensor:
    r"""Return the gradient of a loss for the input of `batch_norm`.

    .. math:: \frac{\partial \mathcal L}{\partial x} = \frac{1}{\sqrt{v + \epsilon}} \left(
        \delta - \overline{\delta} - \hat x\, \overline{\delta \hat x} \right), \qquad
        \delta = \gamma \frac{\partial \mathcal L}{\partial y}

    The two means are there because every example moved the mean and the variance of the batch.

    Args:
        x: batch, ``(B, F)``.
        gamma: scale of each feature, ``(F,)``.
        grad_y: derivative of the loss for the output, ``(B, F)``.
        eps: added to the variance.

    Returns:
        ``(B, F)``; each column sums to zero.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Ioffe and Szegedy (2015), section 3, https://arxiv.org/abs/1502.03167
    """
    check_matrix(x=x)
    check_same_shape(x=x, grad_y=grad_y)
    check_same_shape(feature=x[0], gamma=gamma)
    x_hat, scale = _normalise(x, eps)
    delta = gamma * grad_y
    return scale * (delta - delta.mean(dim=0) - x_hat * (delta * x_hat).mean(dim=0))


def dropout(x: Tensor, keep: Tensor, *, p: float, training: bool = True) -> Tensor:
    r"""Drop the values where ``keep`` is zero and scale the others up, so that the mean stays.

    .. math:: \tilde x = \frac{m\, x}{1 - p}, \qquad m \sim \mathrm{Bernoulli}(1 - p)

    Args:
        x: values, any shape.
        keep: the mask ``m`` of zeros and ones, same shape; drawn by the caller.
        p: share of dropped values, in ``[0, 1)``.
        training: without it nothing is dropped and nothing is scaled.

    Returns:
        The shape of ``x``.

    Raises:
        ValueError: if the shapes differ or ``p`` lies outside ``[0, 1)``.

    Source:
        Srivastava et al. (2014), section 10, https://jmlr.org/papers/volume15/srivastava14a/srivastava14a.pdf
    """
    check_same_shape(x=x, keep=keep)
    _check_rate(p)
    return x * keep / (1 - p) if training else x


def dropout_variance(x: Tensor, *, p: float) -> Tensor:
    r"""Return the variance :math:`\frac{p}{1 - p} x^2` that `dropout` gives to each value.

    Args:
        x: values, any shape.
        p: share of dropped values, in ``[0, 1)``.

    Returns:
        The shape of ``x``.

    Raises:
        ValueError: if ``p`` lies outside ``[0, 1)``.
    """
    _check_rate(p)
    return p / (1 - p) * x.square()


def ridge(x: Tensor, y: Tensor, *, penalty: Tensor) -> Tensor:
    r"""Return the weights of a linear model with a quadratic penalty on each of them.

    .. math:: \arg\min_w \lVert y - Xw \rVert^2 + \sum_j \lambda_j w_j^2
        = (X^\top X + \mathrm{diag}\,\lambda)^{-1} X^\top y

    Args:
        x: inputs, ``(B, F)``.
        y: targets, ``(B,)``.
        penalty: :math:`\lambda`, non-negative, ``(F,)``.

    Returns:
        Weights, ``(F,)``.

    Raises:
        ValueError: if the shapes do not fit or a penalty is negative.

    Source:
        Hoerl and Kennard (1970), https://doi.org/10.1080/00401706.1970.10488634
    """
    check_matrix(x=x)
    check_same_shape(example=x[:, 0], y=y)
    check_same_shape(feature=x[0], penalty=penalty)
    check_range("penalty", penalty, 0.0, float("inf"))
    return torch.linalg.solve(x.T @ x + penalty.diag(), x.T @ y)


def dropout_ridge(x: Tensor, y: Tensor, *, p: float) -> Tensor:
    r"""Return the weights at which `dropout` on the inputs of a linear model ends, on average.

    Dropout is a `ridge` whose penalty follows the data:

    .. math:: \mathbb E \lVert y - \tilde X w \rVert^2 = \lVert y - Xw \rVert^2
        + \frac{p}{1 - p} \sum_j (X^\top X)_{jj}\, w_j^2

    Args:
        x: inputs, ``(B, F)``.
        y: targets, ``(B,)``.
        p: share of dropped inputs, in ``[0, 1)``.

    Returns:
        Weights, ``(F,)``, for use without dropout.

    Raises:
        ValueError: if the shapes do not fit or ``p`` lies outside ``[0, 1)``.

    Source:
        Srivastava et al. (2014), section 9.1, https://jmlr.org/papers/volume15/srivastava14a/srivastava14a.pdf;
        Wager, Wang and Liang (2013), https://arxiv.org/abs/1307.1493
    """
    return ridge(x, y, penalty=dropout_variance(x, p=p).sum(dim=0))


def soft_threshold(z: Tensor, threshold: float) -> Tensor:
    r"""Return what an L1 penalty leaves of ``z``: closer to zero by ``threshold``, or zero.

    .. math:: \arg\min_w \tfrac12 (w - z)^2 + t \lvert w \rvert
        = \mathrm{sign}(z) \max(\lvert z \rvert - t, 0)

    Args:
        z: values without a penalty, any shape.
        threshold: weight ``t`` of the penalty, non-negative.

    Returns:
        The shape of ``z``.

    Raises:
        ValueError: if ``threshold`` is negative.

    Source:
        Tibshirani (1996), section 2.2, https://doi.org/10.1111/j.2517-6161.1996.tb02080.x
    """
    if not threshold >= 0:
        raise ValueError(f"threshold is {threshold}: expected at least zero")
    return z.sign() * (z.abs() - threshold).clamp_min(0)
