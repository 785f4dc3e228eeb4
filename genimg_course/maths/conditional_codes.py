"""Where a class enters a conditional VAE: beside the picture, and again beside the code."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_labels, check_matrix

__all__ = ["route_condition"]


def route_condition(x: Tensor, z: Tensor, y: Tensor, *, classes: int) -> dict[str, Tensor]:
    """Return what the encoder and the decoder of a conditional VAE see.

    The class is written as a one-hot vector. The encoder gets it as ``K`` constant planes behind
    the channels of the image, the decoder as ``K`` numbers behind the code. Only then is the bound
    one on ``log p(x | y)`` whose decoder can be asked for a class.

    Args:
        x: images, ``(B, C, H, W)``.
        z: codes, ``(B, Z)``.
        y: classes, integers in ``0 .. K - 1``, ``(B,)``.
        classes: their number ``K``.

    Returns:
        ``encoder``, ``(B, C + K, H, W)``, and ``decoder``, ``(B, Z + K)``.

    Raises:
        ValueError: if a label is not an integer in range or the counts differ.

    Source:
        Sohn, Lee and Yan (2015), https://papers.nips.cc/paper/5775
    """
    check_matrix(z=z)
    check_labels(y, classes=classes, count=len(z))
    check_labels(y, classes=classes, count=len(x))
    one_hot = F.one_hot(y, classes)  # (B, K)
    planes = one_hot.to(x)[:, :, None, None].expand(-1, -1, *x.shape[2:])
    return {
        "encoder": torch.cat([x, planes], dim=1),
        "decoder": torch.cat([z, one_hot.to(z)], dim=1),
    }
