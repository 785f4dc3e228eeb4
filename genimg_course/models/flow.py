"""A flow: points become noise through maps that can be undone, so their density is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genimg_course.maths.flows import coupling_forward, coupling_inverse
from genimg_course.maths.gaussians import gaussian_log_density
from genimg_course.models.mlp import mlp

__all__ = ["CouplingFlow"]


class CouplingFlow(nn.Module):
    """Turn points of ``dim`` numbers into standard normal noise and back.

    Each layer moves the last half of the numbers by an amount that a network computes from the
    first half; the order is reversed between layers, so that every number is moved in turn.

    Args:
        dim: length of a point, at least 2.
        layers: number of coupling layers.
        width: units of the hidden layers of each network.
        limit: largest absolute log scale of a layer, which keeps training calm.

    Raises:
        ValueError: if ``dim`` is below 2: one half would be empty.

    Source:
        Dinh, Sohl-Dickstein and Bengio (2017), https://arxiv.org/abs/1605.08803
    """

    def __init__(
        self, dim: int = 2, *, layers: int = 6, width: int = 64, limit: float = 3.0
    ) -> None:
        super().__init__()
        if dim < 2:
            raise ValueError(f"dim is {dim}: a coupling layer needs at least 2 numbers to split")
        self.dim, self.limit = dim, limit
        self.kept = dim - dim // 2
        self.networks = nn.ModuleList(
            mlp(self.kept, 2 * (dim // 2), width=width, activation=nn.Tanh) for _ in range(layers)
        )

    def _amounts(self, network: nn.Module, kept: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = network(kept).chunk(2, dim=1)
        return self.limit * torch.tanh(log_scale / self.limit), shift

    def to_noise(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return noise ``(B, dim)`` and the log determinant ``(B,)`` for points ``(B, dim)``."""
        log_det = x.new_zeros(len(x))
        for network in self.networks:
            step = coupling_forward(x, *self._amounts(network, x[:, : self.kept]))
            x, log_det = step["z"].flip(1), log_det + step["log_det"]
        return x, log_det

    def to_points(self, z: Tensor) -> Tensor:
        """Return the points ``(B, dim)`` that :meth:`to_noise` would turn into ``z``."""
        for network in reversed(self.networks):
            z = z.flip(1)
            z = coupling_inverse(z, *self._amounts(network, z[:, : self.kept]))["x"]
        return z

    def forward(self, x: Tensor) -> Tensor:
        """Return ``log p(x)`` in nats, ``(B,)``, for points ``(B, dim)``.

        >>> CouplingFlow(3, layers=2, width=4)(torch.zeros(5, 3)).shape
        torch.Size([5])
        """
        z, log_det = self.to_noise(x)
        zero = torch.zeros_like(z)
        return gaussian_log_density(z, zero, zero) + log_det

    @torch.no_grad()
    def sample(self, count: int, *, rng: torch.Generator) -> Tensor:
        """Draw points, ``(count, dim)``, in one pass."""
        return self.to_points(torch.randn(count, self.dim, generator=rng))
