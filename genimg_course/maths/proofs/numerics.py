"""Tools of the checks: seeded draws, quadrature, Newton's method, exact moments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import sympy
import torch
from torch import Tensor

__all__ = [
    "batches",
    "exact",
    "expectation",
    "float64",
    "gap",
    "gauss_hermite",
    "gauss_legendre",
    "law",
    "minimise",
    "normal",
    "standard_errors",
    "tuples",
    "worst",
]


def normal(seed: int, *shape: int) -> Tensor:
    """Return standard normal draws in float64 that leave the global generator alone."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def float64(values: object) -> Tensor:
    """Return numbers as a tensor in float64."""
    return torch.tensor(values, dtype=torch.float64)


def law(seed: int, *shape: int) -> Tensor:
    """Return random positive probabilities; the last dimension sums to one."""
    return torch.softmax(normal(seed, *shape), dim=-1)


def tuples(values: int, length: int) -> Tensor:
    """Return all ``values ** length`` tuples of integers below ``values``, one per row."""
    return torch.tensor(list(itertools.product(range(values), repeat=length)))


def batches(
    real: tuple[int, ...] = (1, 4, 2, 4, 1), fake: tuple[int, ...] = (3, 1, 3, 1, 2)
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return a real and a generated batch, and the laws that they are exact samples of.

    Args:
        real: how often each of ``K`` images stands in the real batch.
        fake: how often in the generated one.

    Returns:
        The images of both batches, as integers, and both laws, ``(K,)``.
    """
    counts = torch.tensor([real, fake])
    images = [torch.arange(len(row)).repeat_interleave(row) for row in counts]
    p, q = counts / counts.sum(dim=1, keepdim=True).double()
    return images[0], images[1], p, q


def gap(a: Tensor, b: Tensor) -> float:
    """Return the largest absolute difference; infinite if the shapes differ or it is NaN."""
    worst = (a - b).abs().max().item() if a.shape == b.shape else math.nan
    return math.inf if math.isnan(worst) else worst  # ``max`` of several gaps would lose a NaN


def standard_errors(samples: Tensor, mean: float, std: float) -> float:
    """Return how many standard errors the mean of the samples lies from ``mean``."""
    return abs(samples.mean().item() - mean) * samples.numel() ** 0.5 / std


def worst(*errors: float) -> float:
    """Return the largest error, NaN if there is one: Python's ``max`` may lose it."""
    return torch.tensor(errors).max().item()


def gauss_hermite(count: int, dims: int = 1) -> tuple[Tensor, Tensor]:
    """Return points ``(count ** dims, dims)`` and weights for means under the standard normal.

    The mean is exact for polynomials of degree below ``2 * count`` in each coordinate.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    index = tuples(count, dims)
    weight = torch.from_numpy(weights / weights.sum())[index].prod(dim=1)
    return torch.from_numpy(points)[index], weight


def gauss_legendre(count: int) -> tuple[Tensor, Tensor]:
    """Return points ``(count,)`` and weights for integrals over ``[0, 1]``."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return torch.from_numpy((points + 1) / 2), torch.from_numpy(weights / 2)


def minimise(loss: Callable[[Tensor], Tensor], start: Tensor, *, steps: int = 100) -> Tensor:
    """Return a local minimiser of ``loss``, found by Newton's method with step halving.

    The absolute eigenvalues of the Hessian turn the method away from saddle points.
    """
    x = start.clone()
    for _ in range(steps):
        at = x.clone().requires_grad_()
        value = loss(at)
        (slope,) = torch.autograd.grad(value, at)
        if slope.abs().max() < 1e-13:
            break
        curvature, axes = torch.linalg.eigh(torch.autograd.functional.hessian(loss, x))
        move = axes @ ((axes.T @ slope) / curvature.abs().clamp_min(1e-6))
        sizes = (0.5**k for k in range(30))
        best = next((s for s in sizes if loss(x - s * move) < value), None)
        if best is None:  # the loss cannot fall further in this precision
            return x - move
        x = x - best * move
    return x


def exact(*differences: sympy.Expr) -> float:
    """Return 0 if SymPy reduces every difference to zero, else infinity."""
    zero = all(sympy.simplify(difference) == 0 for difference in differences)
    return 0.0 if zero else float("inf")


def expectation(polynomial: sympy.Expr, eps: sympy.Symbol) -> sympy.Expr:
    """Return the mean of a polynomial in ``eps`` for standard normal ``eps``, by integration."""
    terms = sympy.Poly(sympy.expand(polynomial), eps).terms()
    return sympy.expand(sum(factor * _moment(power) for (power,), factor in terms))


@cache
def _moment(power: int) -> sympy.Expr:
    eps = sympy.Symbol("epsilon", real=True)
    density = sympy.exp(-(eps**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return sympy.integrate(eps**power * density, (eps, -sympy.oo, sympy.oo))
