"""Turn what a caller passes into arrays, or say in one sentence why that is impossible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["Floats", "as_floats", "as_images", "as_limits"]

Floats = NDArray[np.float64]

_MARGIN = 0.05


def as_floats(values: Any, name: str, *, ndim: int, finite: bool = True) -> Floats:
    """Return numbers as a float array with ``ndim`` dimensions.

    Args:
        values: a tensor on any device, an array, or (nested) sequences of numbers.
        name: how to call the values in a message.
        ndim: the number of dimensions that the array must have.
        finite: refuse NaN and infinity.

    Returns:
        A float64 array; never a view of the input.

    Raises:
        ValueError: if the values are no numbers, are empty, not finite, or have other dimensions.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().to("cpu", torch.float64).numpy()
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers in {ndim} dimension(s): {error}") from None
    if array.ndim != ndim or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}; pass a non-empty array of {ndim} dimension(s)"
        )
    bad = int((~np.isfinite(array)).sum())
    if finite and bad:
        raise ValueError(f"{name} has {bad} of {array.size} values that are NaN or infinite")
    return array


def as_images(x: Any, name: str = "x") -> Floats:
    """Return images ``(B, C, H, W)`` in ``[-1, 1]``, clipped where they overshoot a little.

    Args:
        x: a tensor or array, ``(B, C, H, W)``, in ``[-1, 1]``, with C = 1 (grey) or 3 (colour).
        name: how to call the images in a message.

    Returns:
        A float64 array ``(B, C, H, W)`` in ``[-1, 1]``.

    Raises:
        ValueError: for other shapes, whole numbers, NaN, or values outside by more than 0.05.
    """
    dtype = str(getattr(x, "dtype", "float32"))
    if "float" not in dtype:
        raise ValueError(
            f"{name} has dtype {dtype}; convert it with data.to_model_range to floats in [-1, 1]"
        )
    shape = tuple(np.shape(x))
    if len(shape) != 4 or shape[1] not in (1, 3) or 0 in shape:
        raise ValueError(
            f"{name} has shape {shape}; images are (B, C, H, W) with C = 1 or 3, so add missing "
            "dimensions, for example x[None] for one image"
        )
    images = as_floats(x, name, ndim=4)
    low, high = float(images.min()), float(images.max())
    if low < -1 - _MARGIN or high > 1 + _MARGIN:
        raise ValueError(
            f"{name} has values from {low:.3g} to {high:.3g}; images are in [-1, 1]: convert whole "
            "numbers with data.to_model_range, or cut an overshoot with x.clamp(-1, 1)"
        )
    return np.clip(images, -1.0, 1.0)


def as_limits(limits: Sequence[float] | None, name: str) -> tuple[float, float] | None:
    """Return an axis range as two finite numbers in rising order, or ``None``.

    Raises:
        ValueError: if there are not two, or they do not rise.
    """
    if limits is None:
        return None
    pair = as_floats(limits, name, ndim=1)
    if len(pair) != 2 or not pair[0] < pair[1]:
        raise ValueError(f"{name} is {tuple(limits)}; pass (low, high) with low < high")
    return float(pair[0]), float(pair[1])
