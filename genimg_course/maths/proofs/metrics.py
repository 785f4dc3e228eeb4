"""Proofs about the Fréchet distance: what it is, which map attains it, how samples distort it."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course.maths import frechet
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _gaussians(dims: int = 3) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return means ``(F,)`` and covariances ``(F, F)`` of two Gaussians, in the package's order."""
    means, factors = n.normal(1, 2, dims), n.normal(2, 2, dims, dims)
    covs = factors @ factors.mT + 0.1 * torch.eye(dims, dtype=torch.float64)
    return means[0], covs[0], means[1], covs[1]


def _root(matrix: Tensor) -> Tensor:
    """Return the symmetric root by Newton's iteration; the package uses eigenvectors."""
    root, inverse = matrix / matrix.trace(), torch.eye(len(matrix), dtype=torch.float64)
    for _ in range(40):
        root, inverse = (root + inverse.inverse()) / 2, (inverse + root.inverse()) / 2
    return root * matrix.trace().sqrt()


def _cost_of_the_monge_map() -> float:
    mean_1, cov_1, mean_2, cov_2 = _gaussians()
    slope = frechet.transport_map(cov_1, cov_2)
    nodes, weight = n.gauss_hermite(3, 3)
    x = nodes @ _root(cov_1) + mean_1
    moved = (x - mean_1) @ slope + mean_2
    cost = weight @ (x - moved).square().sum(dim=1)
    return n.gap(frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2), cost)


def _arrival_of_the_monge_map() -> float:
    _, cov_1, _, cov_2 = _gaussians(4)
    slope = frechet.transport_map(cov_1, cov_2)
    if torch.linalg.eigvalsh(slope)[0] <= 0:
        return float("inf")
    return max(n.gap(slope @ cov_1 @ slope.T, cov_2), n.gap(slope, slope.T))


def _monge_map_by_newton() -> float:
    _, cov_1, _, cov_2 = _gaussians(4)
    root = _root(cov_1)
    slope = root.inverse() @ _root(root @ cov_2 @ root) @ root.inverse()
    return n.gap(frechet.transport_map(cov_1, cov_2), slope)


def _best_coupling() -> float:
    mean_1, cov_1, mean_2, cov_2 = _gaussians()
    root_1, root_2 = _root(cov_1), _root(cov_2)
    upper = torch.triu_indices(3, 3, offset=1)

    def cost(angles: Tensor) -> Tensor:
        turn = torch.zeros(3, 3, dtype=torch.float64).index_put((upper[0], upper[1]), angles)
        cross = root_1 @ torch.matrix_exp(turn - turn.T) @ root_2
        return (mean_1 - mean_2).square().sum() + (cov_1 + cov_2 - 2 * cross).trace()

    least = cost(n.minimise(cost, torch.full((3,), 0.1, dtype=torch.float64)))
    return n.gap(frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2), least)


def _cost_of_any_plan() -> float:
    """Multiply out the cost of 50 plans between points; none is cheaper than the distance."""
    worst = 0.0
    for seed in range(50):
        weight, x, y = n.law(300 + seed, 9), n.normal(400 + seed, 9, 3), n.normal(500 + seed, 9, 3)
        y = 0.5 * y + x @ n.normal(600 + seed, 3, 3)
        cost = weight @ (x - y).square().sum(dim=1)
        mean_1, mean_2 = weight @ x, weight @ y
        a, b = x - mean_1, y - mean_2
        cov_1, cov_2, cross = (
            (left.T * weight) @ right for left, right in ((a, a), (b, b), (a, b))
        )
        product = (mean_1 - mean_2).square().sum() + (cov_1 + cov_2 - 2 * cross).trace()
        cheaper = frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2) - cost
        worst = max(worst, n.gap(cost, product), cheaper.item())
    return worst


def _eigenvalue_form() -> float:
    mean_1, cov_1, mean_2, cov_2 = _gaussians(5)
    cross = torch.linalg.eigvals(cov_1 @ cov_2).real.sqrt().sum()
    trace_form = (mean_1 - mean_2).square().sum() + (cov_1 + cov_2).trace() - 2 * cross
    return n.gap(frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2), trace_form)


def _matrix_root_form() -> float:
    mean_1, cov_1, mean_2, cov_2 = _gaussians(5)
    root = _root(cov_1)
    # the root of the product is similar to a symmetric one
    product_root = root @ _root(root @ cov_2 @ root) @ root.inverse()
    form = (mean_1 - mean_2).square().sum() + (cov_1 + cov_2 - 2 * product_root).trace()
    found = frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2)
    return max(n.gap(found, form), n.gap(product_root @ product_root, cov_1 @ cov_2))


def _equal_gaussians() -> float:
    """Without the last clamp, rounding makes some of these negative."""
    found = []
    for seed in range(20):
        factor, mean = n.normal(seed, 4, 4), n.normal(seed + 50, 4)
        cov = factor @ factor.T
        found.append(frechet.gaussian_frechet(mean, cov, mean, cov).item())
    return max(found) if min(found) >= 0 else float("inf")


def _lines_at_an_angle() -> float:
    """Mass on two lines: a plan can only turn one onto the other; every root is singular."""
    worst = 0.0
    for seed in range(20):
        a, b = n.normal(seed, 4), n.normal(seed + 100, 4)
        mean = n.normal(seed + 200, 4)
        known = a.square().sum() + b.square().sum() - 2 * (a @ b).abs() + mean.square().sum()
        found = frechet.gaussian_frechet(mean, a.outer(a), 0 * mean, b.outer(b))
        worst = max(worst, n.gap(found, known))
    return worst


def _one_feature() -> float:
    nodes, weight = n.gauss_hermite(3)
    mean_1, sigma_1, mean_2, sigma_2 = 0.5, 1.5, -1.0, 0.4
    # quantiles of two Gaussians pair up: m + s * eps with the same eps
    cost = weight @ (mean_1 + sigma_1 * nodes - mean_2 - sigma_2 * nodes)[:, 0].square()
    moments = [n.float64([m]) for m in (mean_1, mean_2)]
    covs = [n.float64([[s**2]]) for s in (sigma_1, sigma_2)]
    found = frechet.gaussian_frechet(moments[0], covs[0], moments[1], covs[1])
    closed = (mean_1 - mean_2) ** 2 + (sigma_1 - sigma_2) ** 2
    return max(n.gap(found, cost), abs(found.item() - closed))


def _curvature(cov: Tensor, direction: Tensor) -> float:
    """Return ``q`` of ``d^2(cov, cov + t direction) = q t^2 + ...``, by Richardson's rule."""
    zero = torch.zeros(len(cov), dtype=torch.float64)

    def mean_square(t: float) -> float:
        ends = (frechet.gaussian_frechet(zero, cov, zero, cov + s * direction) for s in (t, -t))
        return sum(end.item() for end in ends) / (2 * t**2)

    return (4 * mean_square(0.005) - mean_square(0.01)) / 3


def _second_order_bias() -> float:
    """Sum curvatures with the exact variances of the entries of two sample covariances."""
    values, (axes, _) = n.float64([1.7, 0.9, 0.4]), torch.linalg.qr(n.normal(5, 3, 3))
    cov, rate = axes @ values.diag() @ axes.T, 1 / 40 + 1 / 70
    total = rate * values.sum().item()  # the means
    for i in range(3):
        for j in range(i + 1):
            pair = axes[:, i].outer(axes[:, j])
            direction = pair if i == j else pair + pair.T
            variance = rate * (values[i] * values[j]).item() * (2 if i == j else 1)
            total += variance * _curvature(cov, direction)
    return abs(frechet.frechet_bias(cov, 40, 70).item() - total)


def _whitened_bias() -> float:
    closed = [7 * (7 + 5) / 4 * (1 / count + 1 / 90) for count in (20, 300)]
    unit = torch.eye(7, dtype=torch.float64)
    found = [frechet.frechet_bias(unit, count, 90).item() for count in (20, 300)]
    return max(abs(a - b) for a, b in zip(closed, found, strict=True))


def _measured_bias() -> float:
    _, cov, *_ = _gaussians()
    draws, found = n.normal(8, 300, 700, 3) @ _root(cov), []
    for sample in draws:
        moments = [
            part for side in (sample[:400], sample[400:]) for part in (side.mean(0), side.T.cov())
        ]
        found.append(frechet.gaussian_frechet(*moments))
    values = torch.stack(found)
    expected = frechet.frechet_bias(cov, 400, 300).item()
    return n.standard_errors(values, expected, values.std().item())


def _line_in_the_inverse_count() -> float:
    counts, distances = n.float64([30, 70, 400, 1100]), n.normal(4, 4)
    design = torch.stack([torch.ones(4, dtype=torch.float64), 1 / counts], dim=1)
    fit = torch.linalg.lstsq(design, distances[:, None]).solution[0, 0]
    exact = frechet.frechet_at_infinity(counts, 2.5 + 380 / counts)
    return max(n.gap(frechet.frechet_at_infinity(counts, distances), fit), abs(exact.item() - 2.5))


PROOFS = (
    Proof(
        id="metrics.frechet",
        title="The Fréchet distance is the transport cost between two Gaussians",
        statement=r"""\begin{aligned}
            \mathbb E \lVert x - y \rVert^2 &= \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\,\Sigma_1
            + \mathrm{tr}\,\Sigma_2 - 2\, \mathrm{tr}\, C, \qquad C = \mathrm{Cov}(x, y), \\
            d^2 &= \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\left( \Sigma_1 + \Sigma_2
            - 2 (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2} \right) \\
            &= \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}\left( \Sigma_1 + \Sigma_2
            - 2 (\Sigma_1 \Sigma_2)^{1/2} \right)
            = \lVert m_1 - m_2 \rVert^2 + \mathrm{tr}(\Sigma_1 + \Sigma_2)
            - 2 \sum_i \sqrt{\lambda_i(\Sigma_1 \Sigma_2)} \\
            &= \min_{x \sim \mathcal N_1,\, y \sim \mathcal N_2} \mathbb E \lVert x - y \rVert^2
            \end{aligned}""",
        assumptions=r"The first line holds for all pairs $(x, y)$ with these means and "
        r"covariances; then Gaussian features, and positive definite covariances for the third "
        r"line, whose $\lambda_i$ are the eigenvalues of the product. With one feature the value "
        r"is $(m_1 - m_2)^2 + (\sigma_1 - \sigma_2)^2$.",
        source="Dowson and Landau (1982), https://doi.org/10.1016/0047-259X(82)90077-X; "
        "Heusel et al. (2017), equation 6, https://arxiv.org/abs/1706.08500",
        checks=(
            Check(
                "enumeration",
                "cost of 50 plans between points, multiplied out; none is below the distance",
                _cost_of_any_plan,
                1e-10,
            ),
            Check("quadrature", "cost of the Monge map, 3 features", _cost_of_the_monge_map, 1e-9),
            Check("optimisation", "least cost over the couplings", _best_coupling, 1e-9),
            Check(
                "linear algebra",
                "roots of the eigenvalues of the product, 5 features",
                _eigenvalue_form,
                1e-9,
            ),
            Check("linear algebra", "root of the product, 5 features", _matrix_root_form, 1e-9),
            Check("enumeration", "mass on two lines", _lines_at_an_angle, 1e-6),
            Check("enumeration", "zero for equal Gaussians", _equal_gaussians, 1e-9),
            Check("quadrature", "paired quantiles of one feature", _one_feature, 1e-12),
        ),
    ),
    Proof(
        id="metrics.monge_map",
        title="The cheapest map between two Gaussians is linear",
        statement=r"""T = \Sigma_1^{-1/2} (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2}
            \Sigma_1^{-1/2}, \qquad T = T^\top, \quad T \Sigma_1 T = \Sigma_2, \qquad
            \mathbb E \lVert x - m_2 - T (x - m_1) \rVert^2 = d^2""",
        assumptions=r"$x \sim N(m_1, \Sigma_1)$ with $\Sigma_1$ positive definite; $T$ is positive "
        r"definite if $\Sigma_2$ is.",
        source="Dowson and Landau (1982), https://doi.org/10.1016/0047-259X(82)90077-X; "
        "Olkin and Pukelsheim (1982), https://doi.org/10.1016/0024-3795(82)90112-4",
        checks=(
            Check("linear algebra", "Newton's square roots", _monge_map_by_newton, 1e-9),
            Check(
                "linear algebra", "symmetric, positive, arrives", _arrival_of_the_monge_map, 1e-9
            ),
            Check("quadrature", "mean squared move, 3 features", _cost_of_the_monge_map, 1e-9),
        ),
    ),
    Proof(
        id="metrics.frechet_bias",
        title="Small samples make the Fréchet distance too large, by a multiple of 1/n",
        statement=r"""\mathbb E\, \hat d^2 = \left( \frac1n + \frac1m \right)
            \left( \tfrac54\, \mathrm{tr}\, \Sigma + \tfrac12 \sum_{i, j}
            \frac{\lambda_i \lambda_j}{\lambda_i + \lambda_j} \right) + O(n^{-2}), \qquad
            \Sigma = I:\ \left( \frac1n + \frac1m \right) \frac{F (F + 5)}{4}""",
        assumptions=r"Two independent samples of $n$ and $m$ images of one law with Gaussian "
        r"features, whose covariance has the positive eigenvalues $\lambda_i$; the true distance "
        r"is zero. For other laws the order stays, the factor changes.",
        source="Chong and Forsyth (2020), https://arxiv.org/abs/1911.07023",
        checks=(
            Check(
                "linear algebra",
                "curvatures of the distance times the variances of a sample covariance",
                _second_order_bias,
                1e-6,
            ),
            Check("enumeration", "7 features of variance 1", _whitened_bias, 1e-12),
            Check(
                "Monte-Carlo",
                "300 pairs of samples of 400 and 300 images, within 6 standard errors",
                _measured_bias,
                6,
            ),
        ),
    ),
    Proof(
        id="metrics.frechet_infinity",
        title="A straight line in 1/n removes the first-order bias",
        statement=r"""d^2_n = d^2_\infty + \frac cn \quad \Rightarrow \quad
            d^2_\infty = \bar d - \frac{\sum_k (x_k - \bar x)(d^2_{n_k} - \bar d)}
            {\sum_k (x_k - \bar x)^2}\, \bar x, \qquad x_k = \frac1{n_k}""",
        assumptions=r"At least two different numbers of images $n_k$; $\bar x$ and $\bar d$ are "
        r"means over them. With noisy distances it is the intercept of the least-squares line.",
        source="Chong and Forsyth (2020), https://arxiv.org/abs/1911.07023",
        checks=(
            Check(
                "linear algebra",
                "least squares by a general solver, and a line that is met exactly",
                _line_in_the_inverse_count,
                1e-9,
            ),
        ),
    ),
)

ROWS = {
    "D53": ("metrics.frechet", "metrics.monge_map"),
    "D53b": ("metrics.frechet_bias", "metrics.frechet_infinity"),
}
