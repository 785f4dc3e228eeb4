"""Optimal transport: the cheapest way to move one law onto another, and the critic that sees it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genimg_course._checks import check_batch, check_matrix, check_same_shape

__all__ = [
    "kantorovich_potential",
    "lipschitz_extension",
    "optimal_transport",
    "parallel_lines",
    "potential_1d",
    "wasserstein_1d",
    "wasserstein_from_cdfs",
]


def wasserstein_1d(x: Tensor, y: Tensor) -> Tensor:
    r"""Return the Wasserstein distance of two samples of numbers: sort both, compare rank by rank.

    .. math:: W_1 = \frac1N \sum_i |x_{(i)} - y_{(i)}|

    Args:
        x: numbers, ``(N,)``.
        y: as many numbers, ``(N,)``.

    Returns:
        A scalar in the unit of the numbers, differentiable almost everywhere.

    Raises:
        ValueError: if the samples are empty or of different sizes.

    Source:
        Peyré and Cuturi (2019), section 2.6, https://arxiv.org/abs/1803.00567

    >>> wasserstein_1d(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 2.0]))
    tensor(1.)
    """
    check_batch(x=x, y=y)
    check_same_shape(x=x, y=y)
    if x.ndim != 1:
        raise ValueError(f"x has shape {tuple(x.shape)}: expected numbers (N,)")
    return (x.sort().values - y.sort().values).abs().mean()


def wasserstein_from_cdfs(points: Tensor, p: Tensor, q: Tensor) -> Tensor:
    r"""Return the area between two distribution functions, which is the Wasserstein distance.

    .. math:: W_1 = \int |F(x) - G(x)|\, dx

    Args:
        points: places in rising order, ``(K,)``.
        p: probabilities of the first law there, ``(K,)``.
        q: probabilities of the second law, ``(K,)``.

    Returns:
        A scalar in the unit of the points.

    Raises:
        ValueError: if the shapes differ or the points do not rise.

    Source:
        Peyré and Cuturi (2019), section 2.6, https://arxiv.org/abs/1803.00567
    """
    _check_line(points, p, q)
    height = (p.cumsum(dim=0) - q.cumsum(dim=0)).abs()
    return (height[:-1] * points.diff()).sum()


def potential_1d(points: Tensor, p: Tensor, q: Tensor) -> Tensor:
    r"""Return a critic of slope at most one whose mean under ``p`` exceeds that under ``q`` most.

    On a line its slope is known: ``+1`` where :math:`G > F`, ``-1`` where :math:`G < F`, and 0
    where the distribution functions agree.

    Args:
        points: places in rising order, ``(K,)``.
        p: probabilities of the first law there, ``(K,)``.
        q: probabilities of the second law, ``(K,)``.

    Returns:
        Its value at each point, ``(K,)``; 0 at the first.

    Raises:
        ValueError: if the shapes differ or the points do not rise.

    Source:
        Peyré and Cuturi (2019), section 6.1, https://arxiv.org/abs/1803.00567
    """
    _check_line(points, p, q)
    surplus = (q - p).cumsum(dim=0)[:-1]  # G - F between one point and the next
    # rounding leaves crumbs where the distribution functions agree
    slope = torch.where(surplus.abs() > 1e-6, surplus.sign(), 0)
    return torch.cat([points.new_zeros(1), (slope * points.diff()).cumsum(dim=0)])


def optimal_transport(cost: Tensor, p: Tensor, q: Tensor) -> Tensor:
    r"""Return the cheapest plan that moves ``p`` onto ``q``, by a linear programme.

    .. math:: \min_{\pi \ge 0} \sum_{ij} \pi_{ij} c_{ij}
        \quad\text{with}\quad \sum_j \pi_{ij} = p_i, \; \sum_i \pi_{ij} = q_j

    Args:
        cost: what a unit of mass costs from each place to each place, ``(K, L)``.
        p: probabilities of the places where the mass is, ``(K,)``.
        q: probabilities of the places where it must go, ``(L,)``.

    Returns:
        The mass from each place to each place, ``(K, L)``, float64; its cost is
        ``(plan * cost).sum()``.

    Raises:
        ValueError: if the shapes do not fit or no plan exists, because the masses differ.

    Source:
        Peyré and Cuturi (2019), equation 2.11, https://arxiv.org/abs/1803.00567
    """
    check_matrix(cost=cost)
    if cost.shape != (len(p), len(q)):
        raise ValueError(
            f"cost has shape {tuple(cost.shape)}: expected one row for each of {len(p)} places "
            f"and one column for each of {len(q)}"
        )
    leaves = torch.eye(len(p)).repeat_interleave(len(q), dim=1)
    arrives = torch.eye(len(q)).repeat(1, len(p))
    plan = _linear_programme(
        cost.flatten(), equal=(torch.cat([leaves, arrives]), torch.cat([p, q]))
    )
    return plan.reshape(cost.shape)


def kantorovich_potential(cost: Tensor, p: Tensor, q: Tensor) -> Tensor:
    r"""Return the 1-Lipschitz critic that tells two laws on one set of points apart best.

    .. math:: \max_f \sum_i f_i\, (p_i - q_i) \quad\text{with}\quad f_i - f_j \le c_{ij}

    The maximum is the cost of the cheapest plan.

    Args:
        cost: distances between the points, ``(K, K)``.
        p: probabilities of the first law, ``(K,)``.
        q: probabilities of the second law, ``(K,)``.

    Returns:
        The value of the critic at each point, ``(K,)``, float64; 0 at the first.

    Raises:
        ValueError: if the shapes do not fit or the programme has no bounded solution.

    Source:
        Villani (2009), theorem 5.10, https://doi.org/10.1007/978-3-540-71050-9;
        Peyré and Cuturi (2019), section 6.1, https://arxiv.org/abs/1803.00567
    """
    check_matrix(cost=cost)
    if cost.shape != (len(p), len(p)) or p.shape != q.shape:
        raise ValueError(
            f"cost has shape {tuple(cost.shape)} for laws on {len(p)} and {len(q)} points: "
            "expected distances between the points of one set"
        )
    one = torch.eye(len(p))
    rises = (one[:, None] - one).reshape(-1, len(p))  # row (i, j) times f is f_i - f_j
    f = _linear_programme(q - p, below=(rises, cost.flatten()))
    return f - f[0]


def lipschitz_extension(x: Tensor, points: Tensor, values: Tensor) -> Tensor:
    r"""Return the lowest function of slope at most one through given values.

    .. math:: f(x) = \max_k\, f_k - \lVert x - x_k \rVert

    Args:
        x: where to evaluate it, ``(N, dim)``.
        points: where it is known, ``(K, dim)``.
        values: what is known, of slope at most one, ``(K,)``.

    Returns:
        One value for each row of ``x``, ``(N,)``.

    Raises:
        ValueError: if the points and values do not fit.

    Source:
        McShane (1934), https://doi.org/10.1090/S0002-9904-1934-05978-0
    """
    check_matrix(x=x, points=points)
    if len(points) != len(values) or x.shape[1] != points.shape[1]:
        raise ValueError(
            f"{tuple(points.shape)} points and {tuple(values.shape)} values do not fit "
            f"places of shape {tuple(x.shape)}"
        )
    return (values - torch.cdist(x, points)).amax(dim=1)


def parallel_lines(theta: Tensor) -> dict[str, Tensor]:
    r"""Return two distances between a segment and its copy ``theta`` to the side, with slopes.

    Data and model are uniform on two parallel segments: for ``theta`` not 0 they share no point.

    Args:
        theta: shifts, of either sign, ``(N,)``.

    Returns:
        ``jensen_shannon`` in nats and ``wasserstein`` in the unit of ``theta``, and their
        derivatives with respect to theta, ``jensen_shannon_slope`` and ``wasserstein_slope``, each
        ``(N,)``; the slopes at 0, where neither distance is smooth, are given as 0.

    Source:
        Arjovsky, Chintala and Bottou (2017), example 1, https://arxiv.org/abs/1701.07875
    """
    return {
        "jensen_shannon": (theta != 0) * torch.full_like(theta, math.log(2)),
        "wasserstein": theta.abs(),
        "jensen_shannon_slope": torch.zeros_like(theta),
        "wasserstein_slope": theta.sign(),
    }


def _check_line(points: Tensor, p: Tensor, q: Tensor) -> None:
    check_same_shape(points=points, p=p, q=q)
    if points.ndim != 1 or not (points.diff() >= 0).all():
        raise ValueError(f"points {tuple(points.shape)} must be numbers in rising order")


def _linear_programme(
    price: Tensor,
    *,
    equal: tuple[Tensor, Tensor] | None = None,
    below: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """Return the cheapest ``x``, non-negative if equalities are given, else of either sign."""
    from scipy.optimize import linprog  # takes a third of a second to import

    constraints = {}
    if equal is not None:
        constraints = {"A_eq": equal[0].numpy(), "b_eq": equal[1].double().numpy()}
    if below is not None:
        constraints = {"A_ub": below[0].numpy(), "b_ub": below[1].double().numpy()}
    low = 0 if below is None else None
    result = linprog(price.double().numpy(), **constraints, bounds=(low, None), method="highs")
    if not result.success:
        raise ValueError(f"the linear programme has no solution: {result.message}")
    return torch.from_numpy(result.x)
