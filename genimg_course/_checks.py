"""Sentences for bad input: each check raises a ``ValueError`` that names the offending value."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "check_batch",
    "check_finite",
    "check_labels",
    "check_matrix",
    "check_range",
    "check_same_shape",
]


def check_same_shape(**tensors: Tensor) -> None:
    """Refuse tensors of different shapes; broadcasting would mix examples."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError("shapes differ: " + ", ".join(f"{n} {s}" for n, s in shapes.items()))


def check_batch(**tensors: Tensor) -> None:
    """Refuse tensors without a batch dimension or with an empty batch."""
    for name, tensor in tensors.items():
        if tensor.ndim < 1 or tensor.numel() == 0:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}: expected at least one example"
            )


def check_matrix(**tensors: Tensor) -> None:
    """Refuse tensors that are not two-dimensional with at least one row."""
    for name, tensor in tensors.items():
        if tensor.ndim != 2 or tensor.numel() == 0:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}: expected two dimensions (B, features)"
            )


def check_range(name: str, tensor: Tensor, low: float, high: float) -> None:
    """Refuse values outside ``[low, high]`` and NaN.

    On an accelerator the comparison would stall the device in every step, so it is skipped there.
    """
    if tensor.device.type == "cpu" and tensor.numel():
        least, most = (float(value) for value in tensor.detach().aminmax())
        if not (least >= low and most <= high):
            raise ValueError(
                f"{name} spans [{least:g}, {most:g}]: expected values in [{low:g}, {high:g}]"
            )


def check_finite(**tensors: Tensor) -> None:
    """Refuse NaN and infinity; say how many there are."""
    for name, tensor in tensors.items():
        bad = int((~tensor.isfinite()).sum())
        if bad:
            raise ValueError(
                f"{name} has {bad} values that are NaN or infinite, of {tensor.numel()}"
            )


def check_labels(y: Tensor, *, classes: int, count: int) -> None:
    """Refuse labels that are not ``count`` integers in ``0 .. classes - 1``.

    Only ``int64``: torch takes ``bool`` and ``uint8`` in an index for a mask.
    """
    if y.dtype != torch.int64 or y.ndim != 1:
        raise ValueError(
            f"labels are {y.dtype} of shape {tuple(y.shape)}: expected int64 of shape (B,)"
        )
    if len(y) != count:
        raise ValueError(f"{len(y)} labels for {count} examples")
    check_range("labels", y, 0, classes - 1)
