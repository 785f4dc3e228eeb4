"""Ways back from noise to an image: DDIM, the reverse equations, guidance, two solvers."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from genimg_course._checks import check_same_shape
from genimg_course.maths.diffusion import posterior_variance, predict_x0

__all__ = [
    "ddim_sigma",
    "ddim_step",
    "euler_step",
    "guided",
    "heun_step",
    "reverse_drift",
]


def ddim_sigma(alpha_bar: Tensor, alpha_bar_prev: Tensor, *, eta: float) -> Tensor:
    r"""Return the standard deviation of the fresh noise in a DDIM step.

    .. math:: \sigma = \eta \sqrt{\frac{1 - \bar\alpha_{prev}}{1 - \bar\alpha}}
        \sqrt{1 - \frac{\bar\alpha}{\bar\alpha_{prev}}}

    Args:
        alpha_bar: where the step starts, in ``(0, 1)``, any shape.
        alpha_bar_prev: where it ends, above ``alpha_bar``, same shape.
        eta: 0 draws nothing, 1 draws as much as DDPM; in ``[0, 1]``.

    Returns:
        The shape of ``alpha_bar``.

    Raises:
        ValueError: if the shapes differ or ``eta`` lies outside ``[0, 1]``.

    Source:
        Song, Meng and Ermon (2021), equation 16, https://arxiv.org/abs/2010.02502
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}: expected a number in [0, 1]")
    return eta * posterior_variance(alpha_bar, alpha_bar_prev).sqrt()


def ddim_step(
    x_t: Tensor,
    epsilon: Tensor,
    alpha_bar: Tensor,
    alpha_bar_prev: Tensor,
    *,
    eta: float = 0.0,
    noise: Tensor | None = None,
) -> Tensor:
    r"""Return the images at an earlier step; steps may be skipped.

    .. math:: x_{prev} = \sqrt{\bar\alpha_{prev}}\, \hat x_0
        + \sqrt{1 - \bar\alpha_{prev} - \sigma^2}\, \hat\epsilon + \sigma \epsilon'

    Args:
        x_t: noisy images, ``(B, ...)``.
        epsilon: the noise :math:`\hat\epsilon` that the network sees in them, same shape.
        alpha_bar: where the step starts, a scalar tensor in ``(0, 1)``.
        alpha_bar_prev: where it ends, a scalar tensor in ``(0, 1]``; 1 is the clean image.
        eta: share of fresh noise; 0 makes the step deterministic.
        noise: standard normal draws :math:`\epsilon'`, same shape; needed unless ``eta`` is 0.

    Returns:
        The shape of ``x_t``.

    Raises:
        ValueError: if the shapes do not fit, ``eta`` lies outside ``[0, 1]``, or ``noise`` is
            missing or given in vain.

    Source:
        Song, Meng and Ermon (2021), equation 12, https://arxiv.org/abs/2010.02502
    """
    if (noise is None) != (eta == 0):
        raise ValueError(
            f"eta is {eta} and noise is {'missing' if noise is None else 'given'}: "
            "fresh noise belongs to every eta above 0, and only there"
        )
    x0 = predict_x0(x_t, epsilon, alpha_bar)
    sigma = ddim_sigma(alpha_bar, alpha_bar_prev, eta=eta).to(x_t)
    bar = alpha_bar_prev.to(x_t)
    step = bar.sqrt() * x0 + (1 - bar - sigma.square()).sqrt() * epsilon
    return step if noise is None else step + sigma * noise


def reverse_drift(x: Tensor, score: Tensor, beta: Tensor, *, noise: float = 1.0) -> Tensor:
    r"""Return the drift of a process that undoes diffusion, for a share of fresh noise.

    .. math:: dx = \left[ -\tfrac12 \beta x - \tfrac{1 + \lambda^2}{2} \beta\,
        \nabla \log p_t(x) \right] dt + \lambda \sqrt\beta\, d\bar w

    Time runs backwards, ``dt < 0``. With ``noise`` 1 this is the reverse stochastic equation,
    with 0 the probability-flow equation; all of them pass through the same laws.

    Args:
        x: images at time ``t``, ``(B, ...)``.
        score: gradient of the log density at ``x``, same shape.
        beta: rate of the noise at time ``t``, a scalar tensor.
        noise: share :math:`\lambda` of the forward noise that is drawn on the way back.

    Returns:
        The drift, the shape of ``x``; a step adds drift times ``dt``.

    Raises:
        ValueError: if the shapes differ or ``noise`` is negative.

    Source:
        Anderson (1982), https://doi.org/10.1016/0304-4149(82)90051-5;
        Song et al. (2021), equations 6 and 13, https://arxiv.org/abs/2011.13456
    """
    check_same_shape(x=x, score=score)
    if not noise >= 0:
        raise ValueError(f"noise is {noise}: expected a share of at least zero")
    return -0.5 * beta * (x + (1 + noise**2) * score)


def guided(conditional: Tensor, unconditional: Tensor, *, scale: float) -> Tensor:
    r"""Push a prediction away from what the network says without a condition.

    .. math:: (1 + w)\, s(x \mid y) - w\, s(x)

    Args:
        conditional: score, noise or velocity for the condition, ``(B, ...)``.
        unconditional: the same without it, same shape.
        scale: ``w``; 0 is the plain conditional model.

    Returns:
        The shape of ``conditional``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Ho and Salimans (2022), equation 6, https://arxiv.org/abs/2207.12598
    """
    check_same_shape(conditional=conditional, unconditional=unconditional)
    return (1 + scale) * conditional - scale * unconditional


Velocity = Callable[[Tensor, Tensor], Tensor]


def euler_step(velocity: Velocity, x: Tensor, t: Tensor, dt: Tensor) -> Tensor:
    r"""Follow :math:`dx / dt = v(x, t)` for a time ``dt`` along the slope at its start.

    Args:
        velocity: function of ``x`` and ``t``.
        x: positions, ``(B, ...)``.
        t: time at the start, a scalar tensor.
        dt: length of the step, a scalar tensor; negative to go back.

    Returns:
        The shape of ``x``; after a fixed time the error falls like ``dt``.
    """
    return x + dt * velocity(x, t)


def heun_step(velocity: Velocity, x: Tensor, t: Tensor, dt: Tensor) -> Tensor:
    r"""Follow :math:`dx / dt = v(x, t)` for a time ``dt`` along the mean of two slopes.

    .. math:: x + \frac{dt}{2} \left( v(x, t) + v(x + dt\, v(x, t),\ t + dt) \right)

    Args:
        velocity: function of ``x`` and ``t``; called twice.
        x: positions, ``(B, ...)``.
        t: time at the start, a scalar tensor.
        dt: length of the step, a scalar tensor; negative to go back.

    Returns:
        The shape of ``x``; after a fixed time the error falls like ``dt ** 2``.

    Source:
        Karras et al. (2022), algorithm 1, https://arxiv.org/abs/2206.00364
    """
    slope = velocity(x, t)
    return x + dt / 2 * (slope + velocity(x + dt * slope, t + dt))
