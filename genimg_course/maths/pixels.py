"""The pixel contract: stored pictures are ``uint8``, models see ``float32`` in [-1, 1].

No other module of the course knows another range. 256 grey levels go to 256 equally spaced
numbers, black to -1 and white to 1, and back again without loss.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["to_model_range", "to_uint8"]


def to_model_range(images: Tensor) -> Tensor:
    r"""Convert stored pixels to the range in which models work.

    .. math:: x = \frac{v}{127.5} - 1

    Args:
        images: pixels from 0 to 255, ``uint8``, any shape.

    Returns:
        ``float32`` in [-1, 1], the same shape, on the same device.

    Raises:
        ValueError: if the pixels are not ``uint8``; converting twice would push them out of range.

    >>> to_model_range(torch.tensor([0, 255], dtype=torch.uint8))
    tensor([-1.,  1.])
    """
    if images.dtype != torch.uint8:
        raise ValueError(
            f"pixels have the type {images.dtype}; to_model_range takes uint8 from 0 to 255, "
            "so check whether these pixels were converted before"
        )
    return images.float() / 127.5 - 1


def to_uint8(x: Tensor) -> Tensor:
    r"""Convert pixels from the range of the models to stored ones, for files and figures.

    .. math:: v = \mathrm{round}\left( 127.5\,(x + 1) \right), \quad 0 \le v \le 255

    Args:
        x: floating-point pixels, any shape; what lies outside [-1, 1] is clipped.

    Returns:
        ``uint8`` from 0 to 255, the same shape, on the same device.

    Raises:
        ValueError: if the pixels are integers or one of them is not a number.

    >>> to_uint8(torch.tensor([-1.0, 0.0, 1.0, 7.0]))
    tensor([  0, 128, 255, 255], dtype=torch.uint8)
    """
    if not x.is_floating_point():
        raise ValueError(f"pixels have the type {x.dtype}; to_uint8 takes floats in [-1, 1]")
    # NaN would become an arbitrary grey level without a word
    if bool(x.isnan().any()):
        raise ValueError("a pixel is not a number (NaN); look for the step that made it")
    # 16-bit numbers do not hold 256 levels on the way
    return (127.5 * (x.float() + 1)).round().clamp(0, 255).to(torch.uint8)
