"""One update of each optimiser, written out."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_same_shape

__all__ = ["adam_step", "momentum_step"]


def adam_step(
    weight: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    step: int,
    *,
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Return the weight after one update of Adam, and the two running means.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad
        v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
        w \leftarrow (1 - \eta\lambda) w
        - \eta\, \frac{m / (1 - \beta_1^n)}{\sqrt{v / (1 - \beta_2^n)} + \epsilon}

    Args:
        weight: weights ``w``, any shape.
        gradient: their gradient ``g``, same shape.
        m: running mean of gradients, same shape; zeros before the first step.
        v: running mean of squared gradients, same shape; zeros before the first step.
        step: number ``n`` of this update; the first is 1.
        lr: learning rate :math:`\eta`.
        betas: weights of the past in both running means, each in ``[0, 1)``.
        eps: keeps the division finite.
        weight_decay: :math:`\lambda`; shrinks the weights beside the gradient (AdamW). An L2
            penalty is something else: it would enter ``gradient`` and be divided like it.

    Returns:
        The new ``weight``, ``m`` and ``v``; the arguments are left as they are.

    Raises:
        ValueError: if the shapes differ or ``step`` is below 1.

    Source:
        Kingma and Ba (2015), algorithm 1, https://arxiv.org/abs/1412.6980;
        Loshchilov and Hutter (2019), algorithm 2, https://arxiv.org/abs/1711.05101
    """
    check_same_shape(weight=weight, gradient=gradient, m=m, v=v)
    if step < 1:
        raise ValueError(f"step is {step}: the first update has number 1")
    m = betas[0] * m + (1 - betas[0]) * gradient
    v = betas[1] * v + (1 - betas[1]) * gradient.square()
    mean, square = m / (1 - betas[0] ** step), v / (1 - betas[1] ** step)
    return (1 - lr * weight_decay) * weight - lr * mean / (square.sqrt() + eps), m, v


def momentum_step(
    weight: Tensor, gradient: Tensor, velocity: Tensor, *, lr: float, momentum: float = 0.0
) -> tuple[Tensor, Tensor]:
    r"""Return the weight after one update of gradient descent with momentum, and the velocity.

    .. math:: u \leftarrow \mu u + g, \qquad w \leftarrow w - \eta u

    Args:
        weight: weights ``w``, any shape.
        gradient: their gradient ``g``, same shape.
        velocity: ``u``, same shape; zeros before the first step.
        lr: learning rate :math:`\eta`.
        momentum: share :math:`\mu` of the velocity that stays; 0 is plain gradient descent.

    Returns:
        The new ``weight`` and ``velocity``; the arguments are left as they are.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Polyak (1964), https://doi.org/10.1016/0041-5553(64)90137-5
    """
    check_same_shape(weight=weight, gradient=gradient, velocity=velocity)
    velocity = momentum * velocity + gradient
    return weight - lr * velocity, velocity
