"""How close a reconstruction is to its image: in decibels, and by its structure."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_batch, check_finite, check_same_shape

__all__ = ["psnr", "ssim"]


def _check(x_hat: Tensor, x: Tensor, span: float) -> None:
    check_same_shape(x_hat=x_hat, x=x)
    check_batch(x=x)
    check_finite(x_hat=x_hat, x=x)
    if not span > 0:
        raise ValueError(f"span is {span}: expected the positive distance of black and white")


def psnr(x_hat: Tensor, x: Tensor, *, span: float = 2.0) -> Tensor:
    r"""Return the peak signal-to-noise ratio of each image, in decibels.

    .. math:: 10 \log_{10} \frac{\mathrm{MAX}^2}{\mathrm{MSE}}

    Args:
        x_hat: reconstructions, ``(B, ...)``.
        x: images, same shape.
        span: distance ``MAX`` of black and white; 2 for images in ``[-1, 1]``, 1 in ``[0, 1]``.

    Returns:
        One value per image, ``(B,)``; infinite for a perfect one.

    Raises:
        ValueError: if shapes differ, a value is not finite or ``span`` is not positive.

    Source:
        Wang, Bovik, Sheikh and Simoncelli (2004), https://doi.org/10.1109/TIP.2003.819861
    """
    _check(x_hat, x, span)
    error = (x_hat - x).square().reshape(len(x), -1).mean(dim=1)
    return 10 * (span**2 / error).log10()


def ssim(
    x_hat: Tensor, x: Tensor, *, span: float = 2.0, window: int = 11, sigma: float = 1.5
) -> Tensor:
    r"""Return the structural similarity of each image and its reconstruction.

    .. math:: \frac{(2 \mu_x \mu_y + c_1)(2 \sigma_{xy} + c_2)}
        {(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)}, \qquad
        c_1 = (0.01\,\mathrm{MAX})^2, \quad c_2 = (0.03\,\mathrm{MAX})^2

    Means and variances are those under a Gaussian window, and the ratio is averaged over all
    places where the window fits into the image, and over channels.

    Args:
        x_hat: reconstructions, ``(B, C, H, W)``.
        x: images, same shape.
        span: distance ``MAX`` of black and white; 2 for images in ``[-1, 1]``, 1 in ``[0, 1]``.
        window: side of the window in pixels, odd.
        sigma: standard deviation of the window in pixels.

    Returns:
        One value per image, ``(B,)``; at most 1, and 1 only for a perfect reconstruction.

    Raises:
        ValueError: if shapes differ or are too small for the window, or a value is out of range.

    Source:
        Wang, Bovik, Sheikh and Simoncelli (2004), https://doi.org/10.1109/TIP.2003.819861
    """
    _check(x_hat, x, span)
    if x.ndim != 4 or min(x.shape[2:]) < window or window % 2 == 0 or not sigma > 0:
        raise ValueError(
            f"images {tuple(x.shape)}, window {window} and sigma {sigma} do not fit: expected "
            f"(B, C, H, W) of at least {window} pixels a side, an odd window, a positive sigma"
        )
    mean_1, mean_2 = (_blur(side, window, sigma) for side in (x_hat, x))
    var_1 = _blur(x_hat.square(), window, sigma) - mean_1.square()
    var_2 = _blur(x.square(), window, sigma) - mean_2.square()
    cov = _blur(x_hat * x, window, sigma) - mean_1 * mean_2
    c_1, c_2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    luminance = (2 * mean_1 * mean_2 + c_1) / (mean_1.square() + mean_2.square() + c_1)
    structure = (2 * cov + c_2) / (var_1 + var_2 + c_2)
    return (luminance * structure).mean(dim=(1, 2, 3))


def _blur(images: Tensor, window: int, sigma: float) -> Tensor:
    """Return weighted means under a Gaussian window at all places where it fits."""
    offsets = torch.arange(window, dtype=images.dtype, device=images.device) - window // 2
    weights = torch.softmax(-offsets.square() / (2 * sigma**2), dim=0)  # (window,)
    flat = images.flatten(end_dim=1)[:, None]  # (B * C, 1, H, W)
    flat = F.conv2d(F.conv2d(flat, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    return flat.view(*images.shape[:2], *flat.shape[2:])
