"""Small fully connected networks, for laws of one or two dimensions that a plot can show."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn

__all__ = ["PointDiscriminator", "PointGenerator", "mlp"]


def mlp(
    inputs: int,
    outputs: int,
    *,
    width: int = 128,
    depth: int = 2,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """Build ``depth`` hidden layers of ``width`` units and a linear last layer.

    Args:
        inputs: length of a row that enters.
        outputs: length of a row that leaves.
        width: units of each hidden layer.
        depth: hidden layers, at least one.
        activation: what follows each hidden layer.

    Returns:
        A network ``(B, inputs) -> (B, outputs)``.

    Raises:
        ValueError: if there is no hidden layer.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth}: expected at least one hidden layer")
    sizes = [inputs, *[width] * depth]
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


class PointGenerator(nn.Module):
    """Map noise to points, such as those of a ring in the plane.

    Args:
        latent_dim: length ``Z`` of the noise.
        dim: length of a point.
        width: units of each hidden layer.
        depth: hidden layers.
    """

    def __init__(
        self, latent_dim: int = 2, dim: int = 2, *, width: int = 128, depth: int = 2
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = mlp(latent_dim, dim, width=width, depth=depth)

    def forward(self, z: Tensor) -> Tensor:
        """Return points, ``(B, dim)``, for noise ``(B, Z)``.

        >>> import torch
        >>> PointGenerator(latent_dim=3, dim=2, width=4)(torch.randn(5, 3)).shape
        torch.Size([5, 2])
        """
        return self.layers(z)


class PointDiscriminator(nn.Module):
    """Map points to logits, or a critic's scores.

    Args:
        dim: length of a point.
        width: units of each hidden layer.
        depth: hidden layers.
    """

    def __init__(self, dim: int = 2, *, width: int = 128, depth: int = 2) -> None:
        super().__init__()
        self.layers = mlp(
            dim, 1, width=width, depth=depth, activation=lambda: nn.LeakyReLU(negative_slope=0.2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(B,)``, for points ``(B, dim)``."""
        return self.layers(x).squeeze(1)
