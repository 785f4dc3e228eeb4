"""Proofs about measures of one image and its reconstruction."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course.maths import image_quality
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _decibels_by_hand() -> float:
    x, x_hat = n.normal(1, 2, 3, 4, 5).tanh(), n.normal(2, 2, 3, 4, 5).tanh()
    worst = 0.0
    for span in (2.0, 1.0, 255.0):
        found = image_quality.psnr(x_hat, x, span=span).tolist()
        for i in range(2):
            pairs = zip(x_hat[i].flatten().tolist(), x[i].flatten().tolist(), strict=True)
            error = sum((a - b) ** 2 for a, b in pairs) / 60
            worst = max(worst, abs(found[i] - 10 * math.log10(span**2 / error)))
    return worst


def _decibels_of_white_noise() -> float:
    """An error of exactly one deviation everywhere, of random sign, in both ranges."""
    x, sign = n.normal(1, 1, 3, 4, 5).sigmoid(), n.normal(2, 1, 3, 4, 5).sign()
    noisy = x + 25 / 255 * sign
    known = 20 * math.log10(255 / 25)
    unit = image_quality.psnr(noisy, x, span=1.0).item()
    symmetric = image_quality.psnr(2 * noisy - 1, 2 * x - 1).item()
    wrong = image_quality.psnr(2 * noisy - 1, 2 * x - 1, span=1.0).item()
    return max(abs(unit - known), abs(symmetric - known), abs(known - wrong - 20 * math.log10(2)))


def _images(*shape: int) -> tuple[Tensor, Tensor]:
    x = n.normal(3, *shape).tanh()
    return 0.6 * x + 0.3 * n.normal(4, *shape).tanh() - 0.1, x


def _window_by_window(x_hat: Tensor, x: Tensor, span: float, window: int, sigma: float) -> Tensor:
    """Walk over all places and channels, with weights from the density of the Gaussian."""
    offsets = [i - (window - 1) / 2 for i in range(window)]
    weights = n.float64(
        [[math.exp(-(a**2 + b**2) / (2 * sigma**2)) for b in offsets] for a in offsets]
    )
    weights /= weights.sum()
    c_1, c_2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    values = []
    for top in range(x.shape[0] - window + 1):
        for left in range(x.shape[1] - window + 1):
            a, b = (side[top : top + window, left : left + window] for side in (x_hat, x))
            mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
            var_a, var_b = (weights * (a - mean_a) ** 2).sum(), (weights * (b - mean_b) ** 2).sum()
            cov = (weights * (a - mean_a) * (b - mean_b)).sum()
            top_part = (2 * mean_a * mean_b + c_1) * (2 * cov + c_2)
            values.append(top_part / ((mean_a**2 + mean_b**2 + c_1) * (var_a + var_b + c_2)))
    return torch.stack(values).mean()


def _similarity_by_hand() -> float:
    x_hat, x = _images(2, 3, 12, 13)

    def known(span: float, window: int, sigma: float) -> Tensor:
        channels = zip(x_hat.flatten(end_dim=1), x.flatten(end_dim=1), strict=True)
        values = [_window_by_window(a, b, span, window, sigma) for a, b in channels]
        return torch.stack(values).reshape(2, 3).mean(dim=1)

    return max(
        n.gap(image_quality.ssim(x_hat, x), known(2.0, 11, 1.5)),
        n.gap(image_quality.ssim(x_hat, x, span=1.0, window=5, sigma=0.8), known(1.0, 5, 0.8)),
    )


def _similarity_at_the_ends() -> float:
    """Symmetric, 1 for equal images, and near -1 for a checkerboard and its negative."""
    x_hat, x = _images(2, 2, 12, 14)
    both = [image_quality.ssim(a, b) for a, b in ((x_hat, x), (x, x_hat))]
    equal = image_quality.ssim(x, x)
    board = (n.tuples(12, 2).sum(dim=1).reshape(1, 1, 12, 12) % 2).double()
    negative = image_quality.ssim(1 - board, board, span=1.0)
    return max(
        n.gap(both[0], both[1]),
        n.gap(equal, torch.ones_like(equal)),
        max(0.0, both[0].max().item() - 0.999),
        max(0.0, negative.item() + 0.98),
    )


def _best_reconstruction() -> float:
    x_hat, x = _images(1, 1, 3, 3)

    def loss(flat: Tensor) -> Tensor:
        return -image_quality.ssim(flat.reshape(x.shape), x, window=3, sigma=0.9).sum()

    best = n.minimise(loss, (0.7 * x + 0.3 * x_hat).flatten())
    return max(abs(loss(best).item() + 1), n.gap(best, x.flatten()))


PROOFS = (
    Proof(
        id="metrics.psnr",
        title="The signal-to-noise ratio counts decibels from the full range",
        statement=r"""\mathrm{PSNR} = 10 \log_{10} \frac{\mathrm{MAX}^2}{\mathrm{MSE}}, \qquad
            \mathrm{MSE} = \left( \frac{25}{255} \mathrm{MAX} \right)^2 \ \Rightarrow\
            \mathrm{PSNR} = 20 \log_{10} \frac{255}{25} = 20.17 \text{ dB}""",
        assumptions=r"MAX is the distance of black and white: 2 for pixels in $[-1, 1]$, 1 in "
        r"$[0, 1]$. Taking 1 for 2 costs $20 \log_{10} 2 = 6.02$ dB.",
        source="Wang, Bovik, Sheikh and Simoncelli (2004), https://doi.org/10.1109/TIP.2003.819861",
        checks=(
            Check("enumeration", "pixel by pixel, three ranges", _decibels_by_hand, 1e-9),
            Check("enumeration", "noise of deviation 25/255", _decibels_of_white_noise, 1e-9),
        ),
    ),
    Proof(
        id="metrics.ssim",
        title="Structural similarity is symmetric and reaches 1 for equal images only",
        statement=r"""\frac{(2 \mu_x \mu_y + c_1)(2 \sigma_{xy} + c_2)}
            {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)} \le 1,
            \qquad c_1 = (0.01\,\mathrm{MAX})^2, \quad c_2 = (0.03\,\mathrm{MAX})^2""",
        assumptions=r"Means, variances and covariance under a window; the ratio is averaged over "
        r"places and channels. Equality holds only where mean and deviations from it agree. A "
        r"checkerboard of black and white and its negative come close to $-1$.",
        source="Wang, Bovik, Sheikh and Simoncelli (2004), https://doi.org/10.1109/TIP.2003.819861",
        checks=(
            Check("enumeration", "window by window", _similarity_by_hand, 1e-9),
            Check("enumeration", "symmetric, equal, negative", _similarity_at_the_ends, 1e-9),
            Check("optimisation", "the best image is the image itself", _best_reconstruction, 1e-6),
        ),
    ),
)

ROWS = {"D57": ("metrics.psnr", "metrics.ssim")}
