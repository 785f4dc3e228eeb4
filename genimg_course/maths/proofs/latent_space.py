"""Proofs about codes: what they cost in bits, and the ways between them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from genimg_course.maths import interpolation, rate_distortion
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

SPECTRUM = (0.25, 4.0, 0.05, 1.3, 0.6)
TOTALS = (0.1, 0.62, 1.7, 4.9, 6.2)
"""Errors at which five, four, three, two and no components get bits."""


def _least_rate(spectrum: Tensor, total: float) -> tuple[float, Tensor]:
    """Return the least rate over all sets of coded components, and the errors that reach it."""
    best, errors = math.inf, spectrum
    for coded in itertools.product([False, True], repeat=len(spectrum)):
        chosen = torch.tensor(coded)
        left = total - spectrum[~chosen].sum()
        if not chosen.any():
            candidate = spectrum if abs(left) < 1e-12 else None
        else:
            # equal slopes of the logarithm: the coded components share one error
            share = left / chosen.sum()
            fits = share > 0 and bool((share <= spectrum[chosen]).all())
            candidate = torch.where(chosen, share, spectrum) if fits else None
        if candidate is not None:
            rate = 0.5 * (spectrum / candidate).log2().sum().item()
            best, errors = min((best, errors), (rate, candidate), key=lambda pair: pair[0])
    return best, errors


def _every_set_of_coded_components() -> float:
    spectrum = n.float64(SPECTRUM)
    worst = 0.0
    for total in TOTALS:
        rate, errors = _least_rate(spectrum, total)
        found = rate_distortion.reverse_water_filling(spectrum, total)
        worst = max(worst, abs(found.rate.item() - rate), n.gap(found.distortion, errors))
    return worst


def _constrained_search() -> float:
    from scipy.optimize import minimize

    variances = np.array(SPECTRUM)
    worst = 0.0
    for total in TOTALS[1:4]:
        start = variances * total / variances.sum()
        result = minimize(
            lambda d: 0.5 * np.log2(variances / d).sum(),
            start,
            jac=lambda d: -0.5 / (d * math.log(2)),
            bounds=[(1e-6, value) for value in variances],
            constraints={"type": "ineq", "fun": lambda d, t=total: t - d.sum()},
            method="SLSQP",
            options={"maxiter": 500, "ftol": 1e-14},
        )
        found = rate_distortion.reverse_water_filling(n.float64(SPECTRUM), total)
        worst = max(worst, abs(found.rate.item() - result.fun))
    return worst


def _cells(sigma: float, step: float) -> tuple[float, float]:
    """Return bits and error of the quantiser by integrals over its cells."""
    nodes, weight = n.gauss_legendre(24)
    last = int(9 * sigma / step) + 1
    level = step * torch.arange(-last, last + 1, dtype=torch.float64)[:, None]
    x = level + step * (nodes - 0.5)  # (cells, nodes)
    density = (-0.5 * (x / sigma).square()).exp() / (sigma * math.sqrt(2 * math.pi))
    mass = step * density @ weight
    error = step * ((x - level).square() * density) @ weight
    return -(mass * mass.clamp_min(1e-300).log2()).sum().item(), error.sum().item()


def _quantiser_by_integration() -> float:
    worst = 0.0
    for sigma, step in ((1.0, 0.3), (1.7, 1.1), (0.6, 1.4)):
        rate, error = _cells(sigma, step)
        found = rate_distortion.quantiser_cost(sigma, step)
        worst = max(worst, abs(found.rate.item() - rate), abs(found.distortion.item() - error))
    return worst


def _excess(sigma: float, step: float) -> tuple[float, float]:
    """Return the bits above the limit, and the error in units of the step squared."""
    cost = rate_distortion.quantiser_cost(sigma, step)
    limit = rate_distortion.reverse_water_filling(n.float64([sigma**2]), cost.distortion.item())
    return (cost.rate - limit.rate).item(), cost.distortion.item() / step**2


def _price_of_fine_steps() -> float:
    extra = 0.5 * math.log2(2 * math.pi * math.e / 12)
    worst = 0.0
    for sigma, step in ((1.0, 0.04), (1.7, 0.06)):
        (coarse, _), (fine, share) = _excess(sigma, step), _excess(sigma, step / 2)
        slope = step**2 / (24 * sigma**2 * math.log(2))  # the next term of the limit
        worst = max(worst, abs((4 * fine - coarse) / 3 - extra), abs(coarse - extra - slope))
        worst = max(worst, abs(share - 1 / 12))
    return worst


def _mean_square(way: Callable[[Tensor, Tensor, float], Tensor], t: float) -> float:
    """Return E |way(a, b, t)|^2 / Z for independent Gaussian codes of two dimensions."""
    nodes, weight = n.gauss_hermite(3, 4)
    moved = way(nodes[:, :2], nodes[:, 2:], t)
    return (weight @ moved.square().sum(dim=1)).item() / 2


def _line_by_quadrature() -> float:
    places = (-0.5, 0.0, 0.25, 0.5, 0.9)
    return max(abs(_mean_square(interpolation.lerp, t) - ((1 - t) ** 2 + t**2)) for t in places)


def _middle_of_the_line_by_draws() -> float:
    a, b = n.normal(1, 20_000, 100), n.normal(2, 20_000, 100)
    squares = interpolation.lerp(a, b, 0.5).square().sum(dim=1)
    return n.standard_errors(squares, 50.0, math.sqrt(2 * 100) / 2)


def _turned(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Return ``a`` turned towards ``b`` by the share ``t`` of their angle, in an explicit plane."""
    rows = []
    for u, v in zip(a, b, strict=True):
        first = u / u.norm()
        second = v - (v @ first) * first
        second = second / second.norm()
        angle = torch.atan2(v @ second, v @ first) * t
        rows.append(u.norm() * (angle.cos() * first + angle.sin() * second))
    return torch.stack(rows)


def _equal_lengths(count: int, dims: int) -> tuple[Tensor, Tensor]:
    a, b = n.normal(3, count, dims), n.normal(4, count, dims)
    return a, b * (a.norm(dim=1) / b.norm(dim=1))[:, None]


def _circle_by_rotation() -> float:
    a, b = _equal_lengths(6, 5)
    worst = 0.0
    for t in (-0.3, 0.0, 0.2, 0.5, 0.85, 1.0):
        found = interpolation.slerp(a, b, t)
        worst = max(worst, n.gap(found, _turned(a, b, t)))
        worst = max(worst, n.gap(found.norm(dim=1), a.norm(dim=1)))
    return worst


def _circle_of_unequal_lengths() -> float:
    a, b = n.normal(5, 7, 4), 1.8 * n.normal(6, 7, 4)
    u, v = a / a.norm(dim=1)[:, None], b / b.norm(dim=1)[:, None]
    omega = torch.acos((u * v).sum(dim=1, keepdim=True))
    worst = 0.0
    for t in (0.0, 0.3, 0.5, 1.0):
        weights = torch.sin((1 - t) * omega) / torch.sin(omega), torch.sin(t * omega) / omega.sin()
        worst = max(worst, n.gap(interpolation.slerp(a, b, t), weights[0] * a + weights[1] * b))
    return worst


def _circle_of_small_angles() -> float:
    a, turn = n.normal(7, 5, 6), n.normal(8, 5, 6)
    parallel = interpolation.slerp(a, 2.5 * a, 0.3)
    near = a + 1e-5 * turn
    line = a + 0.3 * (near - a)
    return max(
        n.gap(parallel, a * (0.7 + 0.3 * 2.5)),
        n.gap(parallel, interpolation.lerp(a, 2.5 * a, 0.3)),
        n.gap(interpolation.slerp(a, near, 0.3), line),
        n.gap(interpolation.lerp(a, near, 0.3), line),
    )


PROOFS = (
    Proof(
        id="latent.rate_distortion",
        title="The least bits for a Gaussian source: reverse water-filling",
        statement=r"""R(D) = \sum_i \tfrac12 \log_2 \frac{\lambda_i}{\min(\theta, \lambda_i)},
            \qquad \sum_i \min(\theta, \lambda_i) = D""",
        assumptions=r"Independent Gaussian components of variances $\lambda_i$, a squared error of "
        r"$D$ in all, codes over long blocks of examples. The check is of the division of $D$ "
        r"among the components; that one component costs $\tfrac12 \log_2 (\lambda_i / D_i)$ bits "
        r"is the coding theorem.",
        source="Cover and Thomas (2006), theorem 10.3.3, https://doi.org/10.1002/047174882X",
        checks=(
            Check(
                "enumeration",
                "all 32 sets of components that get bits, five errors",
                _every_set_of_coded_components,
                1e-12,
            ),
            Check(
                "optimisation",
                "SLSQP over the errors of five components",
                _constrained_search,
                1e-6,
            ),
        ),
    ),
    Proof(
        id="latent.quantiser_cost",
        title="Rounding and ideal entropy coding cost a quarter of a bit more than the limit",
        statement=r"""R_\Delta - \tfrac12 \log_2 \frac{\sigma^2}{D_\Delta}
            = \tfrac12 \log_2 \frac{2 \pi e}{12} + \frac{\Delta^2}{24\, \sigma^2 \ln 2}
            + O(\Delta^4), \qquad \tfrac12 \log_2 \frac{2 \pi e}{12} = 0.2546 \ldots, \qquad
            \frac{D_\Delta}{\Delta^2} \to \tfrac1{12}""",
        assumptions=r"A Gaussian source of variance $\sigma^2$, rounded to multiples of $\Delta$; "
        r"$R_\Delta$ is the entropy of the multiples in bits, $D_\Delta$ the mean squared error, "
        r"and $\Delta \to 0$.",
        source="Gish and Pierce (1968), https://doi.org/10.1109/TIT.1968.1054193",
        checks=(
            Check(
                "quadrature",
                "bits and error by integrals over the cells, coarse and fine steps",
                _quantiser_by_integration,
                1e-10,
            ),
            Check(
                "quadrature",
                "steps of a 25th to a 60th of the standard deviation",
                _price_of_fine_steps,
                1e-6,
            ),
        ),
    ),
    Proof(
        id="latent.lerp_length",
        title="The straight line between two Gaussian codes passes too near the origin",
        statement=r"""\mathbb E \lVert (1 - t)\, z_1 + t\, z_2 \rVert^2
            = \left( (1 - t)^2 + t^2 \right) Z, \qquad
            \mathbb E \left\lVert \tfrac{z_1 + z_2}2 \right\rVert^2 = \tfrac Z2""",
        assumptions=r"$z_1$ and $z_2$ are independent draws of $N(0, I)$ in $Z$ dimensions, whose "
        r"own squared length is $Z$ on average.",
        source="White (2016), https://arxiv.org/abs/1609.04468",
        checks=(
            Check("quadrature", "five places on the line, Z = 2", _line_by_quadrature, 1e-12),
            Check(
                "Monte-Carlo",
                "20,000 pairs, Z = 100, in standard errors",
                _middle_of_the_line_by_draws,
                6.0,
            ),
        ),
    ),
    Proof(
        id="latent.slerp_length",
        title="The great circle keeps the length of a code",
        statement=r"""z_t = \frac{\sin((1 - t)\,\Omega)}{\sin \Omega}\, z_1
            + \frac{\sin(t\,\Omega)}{\sin \Omega}\, z_2, \qquad
            \lVert z_1 \rVert = \lVert z_2 \rVert = r \;\Rightarrow\; \lVert z_t \rVert = r""",
        assumptions=r"$0 < \Omega < \pi$ is the angle between $z_1$ and $z_2$. For $\Omega \to 0$ "
        r"the limit is the straight line. Gaussian codes in many dimensions have nearly equal "
        r"lengths, about $\sqrt Z$, so they nearly keep them.",
        source="Shoemake (1985), https://doi.org/10.1145/325334.325242; "
        "White (2016), https://arxiv.org/abs/1609.04468",
        checks=(
            Check(
                "linear algebra",
                "a rotation in the plane of the two codes",
                _circle_by_rotation,
                1e-12,
            ),
            Check(
                "linear algebra",
                "codes of different lengths, angle by its cosine",
                _circle_of_unequal_lengths,
                1e-12,
            ),
            Check(
                "linear algebra",
                "parallel codes, and codes 1e-5 apart, against the straight line",
                _circle_of_small_angles,
                1e-9,
            ),
        ),
    ),
)

ROWS = {
    "D10": ("latent.quantiser_cost", "latent.rate_distortion"),
    "D59": ("latent.lerp_length", "latent.slerp_length"),
}
