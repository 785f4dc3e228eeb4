"""Random inputs for the cases of an exercise, all drawn from the one generator of a check."""

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["gaussians", "integers", "normal", "permutation", "uniform"]


def normal(
    rng: torch.Generator, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Draw from ``N(0, scale^2)``, of this shape."""
    return scale * torch.randn(shape, generator=rng, dtype=dtype)


def uniform(
    rng: torch.Generator,
    *shape: int,
    low: float = 0.0,
    high: float = 1.0,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Draw evenly from ``[low, high)``, of this shape."""
    return low + (high - low) * torch.rand(shape, generator=rng, dtype=dtype)


def integers(rng: torch.Generator, count: int, *, low: int = 0, high: int) -> Tensor:
    """Draw integers from ``low`` to ``high - 1``, ``(count,)``; the first two differ."""
    drawn = torch.randint(low, high, (count,), generator=rng)
    if count > 1 and drawn[0] == drawn[1]:
        drawn[1] = low + (drawn[0] - low + 1) % (high - low)
    return drawn


def permutation(rng: torch.Generator, items: Sequence[float]) -> Tensor:
    """Return these numbers in a random order, float64."""
    return torch.tensor(items, dtype=torch.float64)[torch.randperm(len(items), generator=rng)]


def gaussians(
    rng: torch.Generator, *shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    """Draw the inputs ``mu`` and ``logvar``, each of this shape."""
    mu = normal(rng, *shape, scale=scale, dtype=dtype)
    return {"mu": mu, "logvar": normal(rng, *shape, scale=scale, dtype=dtype)}
