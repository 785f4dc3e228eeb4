"""Draw pictures for show without a trace in the training."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["sample"]


def sample(generator: nn.Module, z: Tensor) -> Tensor:
    """Return pictures of codes, each independent of the others, and leave the network as it was.

    Batch normalisation uses its running statistics here, so that a picture does not depend on what
    else is in the batch; the statistics stay as they are, and so does the mode of the network.

    Args:
        generator: maps noise to images, in either mode.
        z: noise, ``(B, Z)``.

    Returns:
        Images, ``(B, C, H, W)``, without a graph.
    """
    training = generator.training
    generator.eval()
    try:
        with torch.no_grad():
            return generator(z)
    finally:
        generator.train(training)
