"""Laws in the plane whose modes are known: what a GAN misses there can be counted and seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Mixture", "draws", "grid", "ring"]


@dataclass(frozen=True)
class Mixture:
    """A mixture of round Gaussians with equal shares.

    Args:
        centres: means of the modes, ``(K, dim)``.
        spread: standard deviation of each mode, the same in every direction.
    """

    centres: Tensor
    spread: float

    def sample(self, count: int, *, rng: torch.Generator) -> Tensor:
        """Return points, ``(count, dim)``, as float32."""
        modes = torch.randint(len(self.centres), (count,), generator=rng)
        noise = torch.randn(count, self.centres.shape[1], generator=rng)
        return self.centres[modes] + self.spread * noise


def ring(modes: int = 8, *, radius: float = 2.0, spread: float = 0.05) -> Mixture:
    """Return modes at equal distances on a circle, the usual picture of mode collapse.

    Raises:
        ValueError: if a number is not positive.

    Source:
        Metz et al. (2017), section 3.1, https://arxiv.org/abs/1611.02163

    >>> ring(4, radius=1.0).centres.round().tolist()
    [[1.0, 0.0], [-0.0, 1.0], [-1.0, -0.0], [0.0, -1.0]]
    """
    _check_positive(modes=modes, radius=radius, spread=spread)
    angle = torch.arange(modes) * (2 * math.pi / modes)
    return Mixture(radius * torch.stack([angle.cos(), angle.sin()], dim=1), spread)


def grid(side: int = 5, *, step: float = 1.0, spread: float = 0.05) -> Mixture:
    """Return ``side * side`` modes on a square grid around the origin.

    Raises:
        ValueError: if a number is not positive.

    >>> grid(2, step=2.0).centres.tolist()
    [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
    """
    _check_positive(side=side, step=step, spread=spread)
    line = (torch.arange(side) - (side - 1) / 2) * step
    return Mixture(torch.cartesian_prod(line, line), spread)


def draws(
    sample: Callable[..., Tensor], batch_size: int, *, rng: torch.Generator
) -> Iterator[tuple[Tensor]]:
    """Yield fresh batches of a law for ever, as ``fit`` takes them.

    Args:
        sample: called as ``sample(batch_size, rng=rng)``, such as ``ring().sample``.
        batch_size: points in a batch.
        rng: the source of all randomness.
    """
    _check_positive(batch_size=batch_size)
    while True:
        yield (sample(batch_size, rng=rng),)


def _check_positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}: expected a positive number")
