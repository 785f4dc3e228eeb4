r"""Diffusion with Gaussian noise: forward, backward, and the ways of saying the same thing.

Everywhere ``alpha_bar`` is the share of the image's variance that is left, a scalar tensor or one
value per example ``(B,)``, taken from the table that `genimg_course.maths.alpha_bars` returns;
``alpha_bar_prev`` belongs to an earlier, less noisy step.
"""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course._checks import check_range, check_same_shape

__all__ = [
    "denoising_kl",
    "epsilon_weight",
    "ideal_epsilon",
    "posterior_mean",
    "posterior_mean_from_epsilon",
    "posterior_variance",
    "predict_epsilon",
    "predict_x0",
    "q_sample",
    "score_from_epsilon",
]


def _beside(alpha_bar: Tensor, x: Tensor) -> Tensor:
    """Return ``alpha_bar`` in the type of ``x`` and in a shape that multiplies its examples."""
    if alpha_bar.ndim > 1 or (alpha_bar.ndim == 1 and len(alpha_bar) != len(x)):
        raise ValueError(
            f"alpha_bar has shape {tuple(alpha_bar.shape)} for x of shape {tuple(x.shape)}: "
            f"expected a scalar or ({len(x)},)"
        )
    check_range("alpha_bar", alpha_bar, 0.0, 1.0)
    shape = alpha_bar.shape + (1,) * (x.ndim - 1)
    return alpha_bar.to(x).reshape(shape)


def q_sample(x0: Tensor, epsilon: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""Return the noisy images of one step, without walking through the steps before it.

    .. math:: x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon

    Args:
        x0: clean images, ``(B, ...)``.
        epsilon: standard normal noise, same shape.
        alpha_bar: in ``[0, 1]``, scalar or ``(B,)``.

    Returns:
        The shape of ``x0``.

    Raises:
        ValueError: if the shapes do not fit or ``alpha_bar`` leaves ``[0, 1]``.

    Source:
        Ho, Jain and Abbeel (2020), equation 4, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(x0=x0, epsilon=epsilon)
    bar = _beside(alpha_bar, x0)
    return bar.sqrt() * x0 + (1 - bar).sqrt() * epsilon


def predict_x0(x_t: Tensor, epsilon: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""Return the clean images that belong to noisy ones and their noise: `q_sample` solved.

    .. math:: x_0 = \frac{x_t - \sqrt{1 - \bar\alpha_t}\, \epsilon}{\sqrt{\bar\alpha_t}}

    Args:
        x_t: noisy images, ``(B, ...)``.
        epsilon: their noise, or a network's guess of it, same shape.
        alpha_bar: in ``(0, 1]``, scalar or ``(B,)``.

    Returns:
        The shape of ``x_t``.

    Raises:
        ValueError: if the shapes do not fit or ``alpha_bar`` leaves ``[0, 1]``.

    Source:
        Ho, Jain and Abbeel (2020), equation 15, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(x_t=x_t, epsilon=epsilon)
    bar = _beside(alpha_bar, x_t)
    return (x_t - (1 - bar).sqrt() * epsilon) / bar.sqrt()


def predict_epsilon(x_t: Tensor, x0: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""Return the noise that belongs to noisy and clean images: `q_sample` solved for it.

    .. math:: \epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\, x_0}{\sqrt{1 - \bar\alpha_t}}

    Args:
        x_t: noisy images, ``(B, ...)``.
        x0: clean images, or a guess of them, same shape.
        alpha_bar: in ``[0, 1)``, scalar or ``(B,)``.

    Returns:
        The shape of ``x_t``.

    Raises:
        ValueError: if the shapes do not fit or ``alpha_bar`` leaves ``[0, 1]``.
    """
    check_same_shape(x_t=x_t, x0=x0)
    bar = _beside(alpha_bar, x_t)
    return (x_t - bar.sqrt() * x0) / (1 - bar).sqrt()


def score_from_epsilon(epsilon: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""Return the score of the noisy images from their expected noise.

    .. math:: \nabla \log q(x_t) = -\frac{\mathbb E[\epsilon \mid x_t]}{\sqrt{1 - \bar\alpha_t}}

    Args:
        epsilon: expected noise, ``(B, ...)``.
        alpha_bar: in ``[0, 1)``, scalar or ``(B,)``.

    Returns:
        The shape of ``epsilon``.

    Raises:
        ValueError: if the shapes do not fit or ``alpha_bar`` leaves ``[0, 1]``.

    Source:
        Vincent (2011), https://doi.org/10.1162/NECO_a_00142;
        Song and Ermon (2019), https://arxiv.org/abs/1907.05600
    """
    return -epsilon / (1 - _beside(alpha_bar, epsilon)).sqrt()


def posterior_mean(x0: Tensor, x_t: Tensor, alpha_bar: Tensor, alpha_bar_prev: Tensor) -> Tensor:
    r"""Return the mean of the step before, given the clean and the noisy image.

    .. math:: \tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t} x_0
        + \frac{\sqrt{\alpha_t} (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t} x_t

    Args:
        x0: clean images, ``(B, ...)``.
        x_t: noisy images, same shape.
        alpha_bar: of step ``t``, in ``(0, 1)``, scalar or ``(B,)``.
        alpha_bar_prev: of step ``t - 1``, in ``(0, 1]``, same form.

    Returns:
        The shape of ``x0``.

    Raises:
        ValueError: if the shapes do not fit or a share leaves ``[0, 1]``.

    Source:
        Ho, Jain and Abbeel (2020), equation 7, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(x0=x0, x_t=x_t)
    bar, prev = _beside(alpha_bar, x0), _beside(alpha_bar_prev, x0)
    alpha = bar / prev
    return (prev.sqrt() * (1 - alpha) * x0 + alpha.sqrt() * (1 - prev) * x_t) / (1 - bar)


def posterior_mean_from_epsilon(
    x_t: Tensor, epsilon: Tensor, alpha_bar: Tensor, alpha_bar_prev: Tensor
) -> Tensor:
    r"""Return the mean of the step before, given the noisy image and its noise.

    .. math:: \tilde\mu_t = \frac{1}{\sqrt{\alpha_t}} \left( x_t
        - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \epsilon \right)

    Args:
        x_t: noisy images, ``(B, ...)``.
        epsilon: their noise, or a network's guess of it, same shape.
        alpha_bar: of step ``t``, in ``(0, 1)``, scalar or ``(B,)``.
        alpha_bar_prev: of step ``t - 1``, in ``(0, 1]``, same form.

    Returns:
        The shape of ``x_t``.

    Raises:
        ValueError: if the shapes do not fit or a share leaves ``[0, 1]``.

    Source:
        Ho, Jain and Abbeel (2020), equations 10 and 11, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(x_t=x_t, epsilon=epsilon)
    bar = _beside(alpha_bar, x_t)
    alpha = bar / _beside(alpha_bar_prev, x_t)
    return (x_t - (1 - alpha) / (1 - bar).sqrt() * epsilon) / alpha.sqrt()


def posterior_variance(alpha_bar: Tensor, alpha_bar_prev: Tensor) -> Tensor:
    r"""Return the variance of the step before, given the clean and the noisy image.

    .. math:: \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \beta_t

    Args:
        alpha_bar: of step ``t``, in ``(0, 1)``, any shape.
        alpha_bar_prev: of step ``t - 1``, in ``(0, 1]``, same shape.

    Returns:
        The shape of ``alpha_bar``; zero for the first step, which ends in the clean image.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Ho, Jain and Abbeel (2020), equation 7, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(alpha_bar=alpha_bar, alpha_bar_prev=alpha_bar_prev)
    beta = 1 - alpha_bar / alpha_bar_prev
    return (1 - alpha_bar_prev) / (1 - alpha_bar) * beta


def epsilon_weight(alpha_bar: Tensor, alpha_bar_prev: Tensor, variance: Tensor) -> Tensor:
    r"""Return what an error of the predicted noise costs in the bound, in nats.

    .. math:: \frac{\beta_t^2}{2 \sigma_t^2 \alpha_t (1 - \bar\alpha_t)}

    The simple loss of Ho et al. replaces it by one for every step: it is not the bound.

    Args:
        alpha_bar: of step ``t``, in ``(0, 1)``, any shape.
        alpha_bar_prev: of step ``t - 1``, in ``(0, 1]``, same shape.
        variance: :math:`\sigma_t^2` of the model's step, positive, same shape.

    Returns:
        The factor of ``|eps - eps_hat|^2``, the shape of ``alpha_bar``.

    Raises:
        ValueError: if the shapes differ.

    Source:
        Ho, Jain and Abbeel (2020), equations 12 and 14, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(alpha_bar=alpha_bar, alpha_bar_prev=alpha_bar_prev, variance=variance)
    alpha = alpha_bar / alpha_bar_prev
    return (1 - alpha).square() / (2 * variance * alpha * (1 - alpha_bar))


def denoising_kl(
    epsilon: Tensor,
    epsilon_hat: Tensor,
    alpha_bar: Tensor,
    alpha_bar_prev: Tensor,
    variance: Tensor,
) -> Tensor:
    r"""Return the term :math:`L_{t-1}` of the bound: how far the model's step is from the true one.

    .. math:: \frac D2 \left( \frac{\tilde\beta_t}{\sigma_t^2} - 1
        - \log \frac{\tilde\beta_t}{\sigma_t^2} \right)
        + \frac{\beta_t^2}{2 \sigma_t^2 \alpha_t (1 - \bar\alpha_t)}
        \lVert \epsilon - \hat\epsilon \rVert^2

    Args:
        epsilon: the noise in the images, ``(B, ...)``, ``D`` numbers per example.
        epsilon_hat: what the model takes it for, same shape.
        alpha_bar: of step ``t``, in ``(0, 1)``, scalar or ``(B,)``.
        alpha_bar_prev: of step ``t - 1``, in ``(0, 1)``, same shape; the first step has no such
            term but a likelihood.
        variance: :math:`\sigma_t^2` of the model's step, positive, same shape.

    Returns:
        The KL divergence of both Gaussians in nats, ``(B,)``.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Ho, Jain and Abbeel (2020), equations 5 and 12, https://arxiv.org/abs/2006.11239
    """
    check_same_shape(epsilon=epsilon, epsilon_hat=epsilon_hat)
    error = (epsilon - epsilon_hat).flatten(1)  # (B, D)
    ratio = posterior_variance(alpha_bar, alpha_bar_prev) / variance
    spread = 0.5 * error.shape[1] * (ratio - 1 - ratio.log())
    weight = epsilon_weight(alpha_bar, alpha_bar_prev, variance)
    return spread + weight * error.square().sum(dim=1)


def ideal_epsilon(x_t: Tensor, data: Tensor, alpha_bar: Tensor) -> Tensor:
    r"""Return the expected noise if the data were these images and no others.

    .. math:: \mathbb E[\epsilon \mid x_t] = \frac{x_t - \sqrt{\bar\alpha_t} \sum_i r_i x^{(i)}}
        {\sqrt{1 - \bar\alpha_t}}, \qquad
        r_i \propto \exp\left( -\frac{\lVert x_t - \sqrt{\bar\alpha_t}\, x^{(i)} \rVert^2}
        {2 (1 - \bar\alpha_t)} \right)

    No network has a lower loss on these images; one that came close would only copy them.

    Args:
        x_t: noisy images, ``(B, ...)``.
        data: all images there are, ``(N, ...)``, each as likely as the next.
        alpha_bar: in ``(0, 1)``, scalar or ``(B,)``.

    Returns:
        The shape of ``x_t``.

    Raises:
        ValueError: if the shapes do not fit or ``alpha_bar`` leaves ``[0, 1]``.

    Source:
        Vincent (2011), https://doi.org/10.1162/NECO_a_00142
    """
    if x_t.shape[1:] != data.shape[1:]:
        raise ValueError(f"shapes differ: x_t {tuple(x_t.shape)}, data {tuple(data.shape)}")
    points, centres = x_t.flatten(1), data.flatten(1)
    bar = _beside(alpha_bar, points)
    # the squared distance without |x_t|^2, which is the same for all images
    nearness = bar.sqrt() * points @ centres.T - bar / 2 * centres.square().sum(dim=1)
    share = torch.softmax(nearness / (1 - bar), dim=1)  # (B, N)
    return predict_epsilon(x_t, (share @ centres).reshape(x_t.shape), alpha_bar)
