"""Proofs about the distances by which generators are compared."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course.maths import frechet
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


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
    root = _root(cov_1)
    slope = root.inverse() @ _root(root @ cov_2 @ root) @ root.inverse()
    nodes, weight = n.gauss_hermite(3, 3)
    x = nodes @ root + mean_1
    moved = (x - mean_1) @ slope + mean_2
    cost = weight @ (x - moved).square().sum(dim=1)
    arrives = n.gap(slope @ cov_1 @ slope, cov_2)
    return max(arrives, n.gap(frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2), cost))


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


def _eigenvalue_form() -> float:
    mean_1, cov_1, mean_2, cov_2 = _gaussians(5)
    cross = torch.linalg.eigvals(cov_1 @ cov_2).real.sqrt().sum()
    trace_form = (mean_1 - mean_2).square().sum() + (cov_1 + cov_2).trace() - 2 * cross
    found = frechet.gaussian_frechet(mean_1, cov_1, mean_2, cov_2)
    return n.gap(found, trace_form)


def _equal_gaussians() -> float:
    mean, cov, *_ = _gaussians()
    return frechet.gaussian_frechet(mean, cov, mean, cov).item()


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


PROOFS = (
    Proof(
        id="metrics.frechet",
        title="The Fréchet distance is the transport cost between two Gaussians",
        statement=r"""d^2 = \lVert m_1 - m_2 \rVert^2
            + \mathrm{tr}\left( \Sigma_1 + \Sigma_2
            - 2 (\Sigma_1^{1/2} \Sigma_2 \Sigma_1^{1/2})^{1/2} \right)
            = \min_{x \sim \mathcal N_1,\, y \sim \mathcal N_2} \mathbb E \lVert x - y \rVert^2""",
        assumptions=r"Gaussian features with positive definite covariances; with one feature the "
        r"value is $(m_1 - m_2)^2 + (\sigma_1 - \sigma_2)^2$.",
        source="Dowson and Landau (1982), https://doi.org/10.1016/0047-259X(82)90077-X; "
        "Heusel et al. (2017), equation 6, https://arxiv.org/abs/1706.08500",
        checks=(
            Check("quadrature", "cost of the Monge map, 3 features", _cost_of_the_monge_map, 1e-9),
            Check("optimisation", "least cost over the couplings", _best_coupling, 1e-9),
            Check(
                "enumeration",
                "sum of the roots of the eigenvalues of the product, 5 features",
                _eigenvalue_form,
                1e-9,
            ),
            Check("enumeration", "zero for equal Gaussians", _equal_gaussians, 1e-12),
            Check("quadrature", "paired quantiles of one feature", _one_feature, 1e-12),
        ),
    ),
)
