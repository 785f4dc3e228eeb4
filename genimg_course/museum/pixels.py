"""Failures that one can see in the pixels."""

from __future__ import annotations

import torch
from torch import nn

from genimg_course.museum.exhibit import Exhibit

__all__ = ["EXHIBITS", "checkerboard"]


def checkerboard(broken: bool) -> float:
    """Enlarge a flat picture by untrained transposed convolutions and compare their pixels."""
    kernel, extra = (3, 1) if broken else (4, 0)
    layer = nn.ConvTranspose2d(
        16, 4000, kernel, stride=2, padding=1, output_padding=extra, bias=False
    )
    with torch.no_grad():
        picture = layer(torch.ones(1, 16, 6, 6))[0, :, 2:-2, 2:-2]  # without the margin
    power = [picture[:, i::2, j::2].square().mean() for i in (0, 1) for j in (0, 1)]
    return float(max(power) / min(power))


EXHIBITS = (
    Exhibit(
        id="checkerboard",
        title="A stride that does not divide the kernel draws a checkerboard",
        lesson="02",
        trigger="A transposed convolution with kernel 3 and stride 2.",
        signature="Mean square of the strongest pixels of a 2 by 2 pattern over that of the "
        "weakest, for 4000 random kernels on a flat picture: 1 is even.",
        cure="A kernel that is a multiple of the stride, or enlarging before a plain convolution.",
        run=checkerboard,
        broken=(3, 6),
        mended=(1, 1.2),
    ),
)
