"""Proofs about restoration: what a loss asks for, what a posterior knows, how to enlarge."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.maths import restoration
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

BISHOP = (
    "https://www.microsoft.com/en-us/research/uploads/prod/2006/01/"
    "Bishop-Pattern-Recognition-and-Machine-Learning-2006.pdf"
)


def _mean_is_stationary() -> float:
    values, weights = n.normal(2, 7), n.law(3, 7)

    def loss(guess: Tensor) -> Tensor:
        return weights @ (values - guess).square()

    best = n.minimise(loss, torch.zeros((), dtype=torch.float64)[None])
    return n.gap(best[0], restoration.mean_guess(values, weights))


def _median_is_best() -> float:
    values, weights = n.float64([0.9, -1.2, 0.1, 2.3, -0.4]), n.law(1, 5)
    candidates = torch.cat([values, torch.linspace(-2, 3, 2001, dtype=torch.float64)])
    cost = (candidates[:, None] - values).abs() @ weights
    found = candidates[cost.argmin()]
    tie = restoration.median_guess(n.float64([5.0, 1.0, 3.0]), n.float64([0.25, 0.5, 0.25]))
    return max(n.gap(found, restoration.median_guess(values, weights)), abs(tie.item() - 1.0))


def _wiener_is_the_regression() -> float:
    signal, noise = n.float64([0.7, 2.5]), n.float64([1.9, 0.3])
    points, weight = n.gauss_hermite(3, 2)
    worst = 0.0
    for s, v in zip(signal, noise, strict=True):
        x, y = s.sqrt() * points[:, 0], s.sqrt() * points[:, 0] + v.sqrt() * points[:, 1]
        slope = (weight @ (x * y)) / (weight @ y.square())
        gain = restoration.wiener_gain(s, v)
        least = weight @ (x - gain * y).square()
        gaps = torch.stack([slope - gain, least - restoration.posterior_variance(s, v)])
        worst = max(worst, gaps.abs().max().item())
    return worst


def _noise_as_target_has_the_same_minimiser() -> float:
    points, weight = n.gauss_hermite(3, 3)
    signal, noise, second = 1.7, 0.6, 2.2  # variances of the picture and of two noises
    x = math.sqrt(signal) * points[:, 0]
    y = x + math.sqrt(noise) * points[:, 1]
    target = x + math.sqrt(second) * points[:, 2]
    best = n.minimise(
        lambda gain: weight @ (target - gain * y).square(), torch.zeros(1, dtype=torch.float64)
    )
    return n.gap(best[0], restoration.wiener_gain(n.float64(signal), n.float64(noise)))


def _residual_is_the_rest() -> float:
    points, weight = n.gauss_hermite(3, 2)
    signal, noise = 1.7, 0.6
    y = math.sqrt(signal) * points[:, 0] + math.sqrt(noise) * points[:, 1]
    lost = math.sqrt(noise) * points[:, 1]
    slope = (weight @ (lost * y)) / (weight @ y.square())
    return n.gap(1 - slope, restoration.wiener_gain(n.float64(signal), n.float64(noise)))


def _a_draw_costs_twice() -> float:
    """The picture and the draw differ by two independent halves of what is unknown."""
    signal, noise = n.float64(1.3), n.float64(0.5)
    points, weight = n.gauss_hermite(3, 3)
    x = signal.sqrt() * points[:, 0]
    y = x + noise.sqrt() * points[:, 1]
    mean = restoration.wiener_gain(signal, noise) * y
    draw = mean + restoration.posterior_variance(signal, noise).sqrt() * points[:, 2]
    least = weight @ (x - mean).square()
    spread = torch.stack([weight @ draw.square(), weight @ mean.square()])
    expected = torch.stack([signal, signal - restoration.posterior_variance(signal, noise)])
    return max(n.gap(weight @ (x - draw).square(), 2 * least), n.gap(spread, expected))


def _gaussian_with_gaps() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mean, root = n.normal(11, 5), n.normal(12, 5, 5)
    observed = torch.tensor([False, True, True, False, True])
    return mean, root @ root.T + torch.eye(5), observed, n.normal(13, 3)


def _conditional_by_precision() -> float:
    """The joint density as a function of the missing pixels, from its precision matrix."""
    mean, covariance, observed, values = _gaussian_with_gaps()
    precision = torch.linalg.inv(covariance)
    missing = ~observed
    block = precision[missing][:, missing]
    shift = precision[missing][:, observed] @ (values - mean[observed])
    guess, rest = restoration.conditional_gaussian(mean, covariance, observed, values)
    expected = mean[missing] - torch.linalg.solve(block, shift)
    return max(n.gap(guess, expected), n.gap(rest @ block, torch.eye(2, dtype=torch.float64)))


def _conditional_is_the_best_linear_guess() -> float:
    mean, covariance, observed, _ = _gaussian_with_gaps()
    columns = [
        restoration.conditional_gaussian(mean, covariance, observed, mean[observed] + unit)[0]
        - mean[~observed]
        for unit in torch.eye(3, dtype=torch.float64)
    ]
    gain = torch.stack(columns, dim=1)
    # the error of the best linear guess does not go with what is seen
    left = covariance[~observed][:, observed] - gain @ covariance[observed][:, observed]
    return left.abs().max().item()


def _shuffle_equals_transposed() -> float:
    x, weight = n.normal(21, 2, 3, 5, 4), n.normal(22, 3, 2, 4, 4)
    kernel = restoration.subpixel_kernel(weight)
    shuffled = F.pixel_shuffle(F.conv2d(x, kernel, padding=1), 2)
    return n.gap(shuffled, F.conv_transpose2d(x, weight, stride=2, padding=1))


PROOFS = (
    Proof(
        id="restoration.loss_and_guess",
        title="A squared loss asks for the mean, an absolute loss for the median",
        statement=r"""\arg\min_g\, \mathbb E\,(x - g)^2 = \mathbb E[x], \qquad
            \arg\min_g\, \mathbb E\,|x - g| = \mathrm{median}(x)""",
        assumptions="One pixel, several values that it may have; the median is unique, or the "
        "smallest one is taken.",
        source="Isola et al. (2017), section 3.2, https://arxiv.org/abs/1611.07004",
        checks=(
            Check("optimisation", "the mean of seven values", _mean_is_stationary, 1e-9),
            Check(
                "enumeration", "the median among 2006 guesses, and a tie", _median_is_best, 1e-12
            ),
        ),
    ),
    Proof(
        id="restoration.wiener",
        title="The best linear denoiser shrinks, and noisy targets teach it as well",
        statement=r"""\arg\min_a\, \mathbb E\,(x - a y)^2
            = \arg\min_a\, \mathbb E\,(y' - a y)^2 = \frac{\sigma_x^2}{\sigma_x^2 + \sigma_n^2},
            \qquad \mathbb E[n \mid y] = y - \mathbb E[x \mid y]""",
        assumptions=r"$y = x + n$ and $y' = x + n'$ with centred, independent noises of any "
        "variance; $x$ has mean zero, and is Gaussian for the last equation.",
        source="Zhang et al. (2017), https://arxiv.org/abs/1608.03981; "
        "Lehtinen et al. (2018), https://arxiv.org/abs/1803.04189",
        checks=(
            Check(
                "quadrature", "slope and least error, two cases", _wiener_is_the_regression, 1e-12
            ),
            Check(
                "optimisation",
                "a second noisy copy as the target",
                _noise_as_target_has_the_same_minimiser,
                1e-9,
            ),
            Check("quadrature", "the residual's slope", _residual_is_the_rest, 1e-12),
        ),
    ),
    Proof(
        id="restoration.perception_distortion",
        title="A draw from the posterior costs exactly twice the least error",
        statement=r"""\mathbb E\,(x - \tilde x)^2 = 2\, \mathbb E\,(x - \mathbb E[x \mid y])^2,
            \qquad \mathrm{Var}(\tilde x) = \sigma_x^2 > \mathrm{Var}(\mathbb E[x \mid y])
            = \sigma_x^2 - \left(\sigma_x^{-2} + \sigma_n^{-2}\right)^{-1}""",
        assumptions=r"$\tilde x$ is drawn from the law of $x$ given $y = x + n$, independently of "
        "$x$ itself; everything is Gaussian for the variances.",
        source="Blau and Michaeli (2018), https://arxiv.org/abs/1711.06077",
        checks=(Check("quadrature", "errors and spreads", _a_draw_costs_twice, 1e-12),),
    ),
    Proof(
        id="restoration.inpainting",
        title="Missing pixels of a Gaussian picture",
        statement=r"""\mathbb E[x_m \mid x_o] = \mu_m + \Sigma_{mo} \Sigma_{oo}^{-1} (x_o - \mu_o),
            \qquad \mathrm{Cov}[x_m \mid x_o]
            = \Sigma_{mm} - \Sigma_{mo} \Sigma_{oo}^{-1} \Sigma_{om}""",
        assumptions=r"$x$ is Gaussian with a positive definite covariance.",
        source=f"Bishop (2006), equations 2.81 and 2.82, {BISHOP}",
        checks=(
            Check("linear algebra", "from the precision matrix", _conditional_by_precision, 1e-10),
            Check(
                "linear algebra",
                "the error does not go with the known pixels",
                _conditional_is_the_best_linear_guess,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="restoration.pixel_shuffle",
        title="A transposed convolution is a convolution and a shuffle",
        statement=r"""\mathrm{ConvT}_{4,\,2,\,1}(x; W)
            = \mathrm{shuffle}_2\!\left(\mathrm{Conv}_{3,\,1,\,1}(x; K(W))\right)""",
        assumptions="Kernel, stride and padding stand in the index; K sorts the entries of the "
        "kernel by the parity of the pixels that they reach.",
        source="Shi et al. (2016), https://arxiv.org/abs/1609.07009",
        checks=(
            Check(
                "linear algebra", "random pictures and kernels", _shuffle_equals_transposed, 1e-12
            ),
        ),
    ),
)

ROWS = {
    "D37": ("restoration.loss_and_guess",),
    "D41": ("restoration.perception_distortion",),
    "D41b": ("restoration.pixel_shuffle",),
    "D42": ("restoration.wiener",),
    "D43": ("restoration.inpainting",),
}
