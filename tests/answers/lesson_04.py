"""Right answers to the exercises of lesson 04, of every kind that a reader may write."""

import math

import numpy as np
import torch
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

__all__ = ["RIGHT"]


def psnr_by_loop(x_hat, x, *, span=2.0):
    values = []
    for a, b in zip(x_hat, x, strict=True):
        values.append(20 * math.log10(span) - 10 * ((a - b) ** 2).mean().log10())
    return torch.stack(values)


def psnr_by_library(x_hat, x, *, span=2.0):
    error = torch.nn.functional.mse_loss(x_hat, x, reduction="none").mean(dim=(1, 2, 3))
    return 20 * torch.log10(span / error.sqrt())


def frechet_by_eigenvalues(mean_1, cov_1, mean_2, cov_2):
    cross = torch.linalg.eigvals(cov_1 @ cov_2).real.clamp_min(0).sqrt().sum()
    return torch.dist(mean_1, mean_2) ** 2 + torch.trace(cov_1 + cov_2) - 2 * cross


def frechet_by_scipy(mean_1, cov_1, mean_2, cov_2):
    root = torch.from_numpy(np.real(sqrtm((cov_1 @ cov_2).numpy()))).to(cov_1.dtype)
    gap = mean_1 - mean_2
    return gap @ gap + torch.trace(cov_1 + cov_2 - 2 * root)


def frechet_by_singular_values(mean_1, cov_1, mean_2, cov_2):
    """The sum of roots is the nuclear norm of a product of Cholesky factors."""
    factors = torch.linalg.cholesky(cov_1), torch.linalg.cholesky(cov_2)
    cross = torch.linalg.matrix_norm(factors[0].T @ factors[1], ord="nuc")
    return ((mean_1 - mean_2) ** 2).sum() + cov_1.diag().sum() + cov_2.diag().sum() - 2 * cross


def infinity_by_polyfit(counts, distances):
    intercept = np.polynomial.Polynomial.fit(1 / counts.numpy(), distances.numpy(), 1)(0.0)
    return torch.tensor(intercept, dtype=distances.dtype)


def infinity_by_lstsq(counts, distances):
    design = torch.stack([torch.ones_like(counts), 1 / counts], dim=1)
    return torch.linalg.lstsq(design, distances[:, None]).solution[0, 0]


def infinity_by_covariance(counts, distances):
    cov = torch.cov(torch.stack([1 / counts, distances]))
    return distances.mean() - cov[0, 1] / cov[0, 0] * (1 / counts).mean()


def mmd_by_loop(x, y):
    def k(a, b):
        return (a @ b / len(a) + 1) ** 3

    def within(z):
        n = len(z)
        pairs = [k(z[i], z[j]) for i in range(n) for j in range(n) if i != j]
        return sum(pairs) / len(pairs)

    return within(x) + within(y) - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


def mmd_by_mask(x, y):
    def k(a, b):
        return (torch.einsum("if,jf->ij", a, b) / a.size(1) + 1).pow(3)

    parts = [k(z, z)[~torch.eye(len(z), dtype=torch.bool)].mean() for z in (x, y)]
    return parts[0] + parts[1] - 2 * k(x, y).mean()


def mmd_by_diagonals(x, y):
    n, m, f = len(x), len(y), x.shape[1]
    xx, yy, xy = ((a @ b.mT / f + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    return (
        (xx - xx.diag().diag()).sum() / n / (n - 1)
        + (yy - yy.diag().diag()).sum() / m / (m - 1)
        - 2 * xy.sum() / n / m
    )


def score_by_entropies(probabilities):
    overall = torch.special.entr(probabilities.mean(0)).sum()
    return torch.exp(overall - torch.special.entr(probabilities).sum(1).mean())


def score_by_xlogy(probabilities):
    mean = probabilities.mean(dim=0, keepdim=True)
    terms = torch.xlogy(probabilities, probabilities) - torch.xlogy(probabilities, mean)
    return terms.sum(1).mean().exp()


def score_by_library(probabilities):
    mean = probabilities.mean(dim=0, keepdim=True)
    safe = mean.clamp_min(torch.finfo(mean.dtype).tiny).log().expand_as(probabilities)
    return torch.nn.functional.kl_div(safe, probabilities, reduction="batchmean").exp()


def balls_by_sorting(features, reference, *, k=3):
    def share(points, centres):
        radii = torch.cdist(centres, centres).sort(dim=1).values[:, k]
        return (torch.cdist(points, centres) <= radii).any(1).to(points.dtype).mean()

    return {"precision": share(features, reference), "recall": share(reference, features)}


def balls_by_topk(features, reference, k=3):
    apart = (features[:, None] - reference[None]).norm(dim=-1)
    radii = [
        (z[:, None] - z).norm(dim=-1).topk(k + 1, largest=False).values[:, -1]
        for z in (features, reference)
    ]
    return {
        "recall": (apart <= radii[0][:, None]).any(0).to(apart.dtype).mean(),
        "precision": (apart <= radii[1][None]).any(1).to(apart.dtype).mean(),
    }


def balls_by_scipy(features, reference, *, k=3):
    a, b = features.numpy(), reference.numpy()
    apart = cdist(a, b)
    radii = [np.sort(cdist(z, z), axis=1)[:, k] for z in (a, b)]
    precision = (apart <= radii[1]).any(axis=1).mean()
    recall = (apart <= radii[0][:, None]).any(axis=0).mean()
    return {
        "precision": torch.tensor(precision, dtype=features.dtype),
        "recall": torch.tensor(recall, dtype=features.dtype),
    }


RIGHT = {
    "metrics.psnr": [
        psnr_by_loop,
        psnr_by_library,
        lambda x_hat, x, span=2.0: (
            -10 * torch.log10(((x_hat - x) / span).pow(2).flatten(1).mean(1))
        ),
    ],
    "metrics.gaussian_frechet": [
        frechet_by_eigenvalues,
        frechet_by_scipy,
        frechet_by_singular_values,
    ],
    "metrics.frechet_at_infinity": [
        infinity_by_polyfit,
        infinity_by_lstsq,
        infinity_by_covariance,
    ],
    "metrics.squared_mmd": [mmd_by_loop, mmd_by_mask, mmd_by_diagonals],
    "metrics.inception_score": [score_by_entropies, score_by_xlogy, score_by_library],
    "metrics.precision_recall": [balls_by_sorting, balls_by_topk, balls_by_scipy],
}
