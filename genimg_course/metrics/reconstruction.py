"""How close a reconstruction is to its image."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_batch, check_finite, check_same_shape

__all__ = ["psnr"]


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
    check_same_shape(x_hat=x_hat, x=x)
    check_batch(x=x)
    check_finite(x_hat=x_hat, x=x)
    if not span > 0:
        raise ValueError(f"span is {span}: expected the positive distance of black and white")
    error = (x_hat - x).square().reshape(len(x), -1).mean(dim=1)
    return 10 * (span**2 / error).log10()
