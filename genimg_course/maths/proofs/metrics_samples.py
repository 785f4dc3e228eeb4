"""Proofs about measures of two samples: scores, kernels, balls of neighbours, rankings."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor

from genimg_course.maths import kernels, manifolds, ranking, scores
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _score_is_information() -> float:
    answers = n.law(1, 7, 4)
    answers[2] = n.float64([0.0, 1.0, 0.0, 0.0])
    joint = answers / 7
    apart = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0)
    information = sum(
        p * math.log(p / q)
        for p, q in zip(joint.flatten().tolist(), apart.flatten().tolist(), strict=True)
        if p > 0
    )
    return abs(scores.inception_score(answers).log().item() - information)


def _score_of_memorised_images() -> float:
    one_each = torch.eye(6, dtype=torch.float64).repeat(3, 1)
    return abs(scores.inception_score(one_each).item() - 6)


def _score_of_equal_answers() -> float:
    return abs(scores.inception_score(n.law(2, 5).repeat(3, 1)).item() - 1)


def _cubic_features(x: Tensor) -> Tensor:
    """Return the features whose scalar product is the cubic kernel: all products of three."""
    row = torch.cat([x / x.shape[1] ** 0.5, torch.ones(len(x), 1, dtype=x.dtype)], dim=1)
    return torch.einsum("na,nb,nc->nabc", row, row, row).flatten(start_dim=1)


def _distance_of_mean_features() -> float:
    x, y = n.normal(1, 5, 3), 1.3 * n.normal(2, 7, 3) + 0.4
    kernel = kernels.polynomial_kernel(x, y)
    means = _cubic_features(x).mean(dim=0) - _cubic_features(y).mean(dim=0)
    return max(
        n.gap(kernel, _cubic_features(x) @ _cubic_features(y).T),
        n.gap(kernels.squared_mmd(x, y, unbiased=False), means.square().sum()),
    )


def _all_samples() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return two laws on four points and all samples of 3 and of 2 of them with probabilities."""
    points, p, q = n.normal(3, 4, 2), n.law(4, 4), n.law(5, 4)
    first, second = n.tuples(4, 3), n.tuples(4, 2)
    return points, p - q, points[first], p[first].prod(1), points[second], q[second].prod(1)


def _mean_over_all_samples(**options: bool) -> tuple[float, float]:
    points, contrast, x, p_x, y, p_y = _all_samples()
    mean = sum(
        weight_x * weight_y * kernels.squared_mmd(side_x, side_y, **options)
        for side_x, weight_x in zip(x, p_x, strict=True)
        for side_y, weight_y in zip(y, p_y, strict=True)
    )
    features = _cubic_features(points)
    return float(mean), (contrast @ features).square().sum().item()


def _distance_by_the_kernel() -> float:
    """Average the package's kernel over independent pairs from two laws on four points."""
    points, p, q = n.normal(3, 4, 2), n.law(4, 4), n.law(5, 4)
    kernel = kernels.polynomial_kernel(points, points)
    found = p @ kernel @ p + q @ kernel @ q - 2 * (p @ kernel @ q)
    return n.gap(found, ((p - q) @ _cubic_features(points)).square().sum())


def _unbiased() -> float:
    mean, truth = _mean_over_all_samples()
    return abs(mean - truth)


def _bias_of_the_diagonal() -> float:
    mean, truth = _mean_over_all_samples(unbiased=False)
    points, p, q = n.normal(3, 4, 2), n.law(4, 4), n.law(5, 4)
    features = _cubic_features(points)
    spread = [
        (law @ features.square().sum(dim=1) - (law @ features).square().sum()).item()
        for law in (p, q)
    ]
    return abs(mean - truth - spread[0] / 3 - spread[1] / 2)


def _brute_force(features: Tensor, reference: Tensor, k: int) -> dict[str, float]:
    """Count the balls one by one, with Python's own distances."""
    fake, real = features.tolist(), reference.tolist()

    def radii(points: list[list[float]]) -> list[float]:
        others = (
            [math.dist(a, b) for j, b in enumerate(points) if j != i] for i, a in enumerate(points)
        )
        return [sorted(distances)[k - 1] for distances in others]

    r_fake, r_real = radii(fake), radii(real)
    apart = [[math.dist(a, b) for b in real] for a in fake]
    inside = [[d <= r for d, r in zip(row, r_real, strict=True)] for row in apart]
    caught = [[d <= r for d in row] for row, r in zip(apart, r_fake, strict=True)]
    return {
        "precision": sum(map(any, inside)) / len(fake),
        "recall": sum(map(any, zip(*caught, strict=True))) / len(real),
        "density": sum(map(sum, inside)) / (k * len(fake)),
        "coverage": sum(map(any, zip(*inside, strict=True))) / len(real),
    }


def _worst(found: dict[str, Tensor], known: dict[str, float]) -> float:
    return max(abs(value.item() - known[name]) for name, value in found.items())


def _balls_one_by_one() -> float:
    """Random points, and whole numbers, whose distances meet the radii exactly."""
    random = n.normal(1, 9, 2), n.normal(2, 13, 2) + 0.5
    grid = n.float64([[0], [1], [1], [3], [8]]), n.float64([[-1], [0], [2], [4], [9], [10]])
    worst = 0.0
    for features, reference in (random, grid, grid[::-1]):
        for k in (1, 2, 3):
            known = _brute_force(features, reference, k)
            for measure in (manifolds.precision_recall, manifolds.density_coverage):
                worst = max(worst, _worst(measure(features, reference, k=k), known))
    defaults = (
        (manifolds.precision_recall, _brute_force(*random, 3)),
        (manifolds.density_coverage, _brute_force(*random, 5)),
    )
    return max(worst, *(_worst(measure(*random), known) for measure, known in defaults))


def _clusters() -> Tensor:
    """Return 8 clusters of 10 points, far apart, ``(8, 10, 2)``."""
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    centres = 20 * torch.stack([angle.cos(), angle.sin()], dim=1)
    return centres[:, None] + n.normal(6, 8, 10, 2)


def _collapse_and_excess() -> float:
    real = _clusters()
    everything = real.flatten(end_dim=1)
    collapsed = manifolds.precision_recall(real[2], everything)
    wide = 9 * n.tuples(21, 2).double() - 90
    excess = manifolds.precision_recall(wide, everything)
    covered = manifolds.density_coverage(real[2], everything)["coverage"]
    return max(
        abs(collapsed["precision"].item() - 1),
        abs(collapsed["recall"].item() - 1 / 8),
        abs(covered.item() - 1 / 8),
        abs(excess["recall"].item() - 1),
        max(0.0, excess["precision"].item() - 0.05),
    )


def _memorised() -> float:
    """Three real points, each repeated: the balls of the repeats have radius zero."""
    everything = _clusters().flatten(end_dim=1)
    found = manifolds.precision_recall(everything[[0, 30, 60]].repeat(4, 1), everything)
    return max(abs(found["precision"].item() - 1), abs(found["recall"].item() - 3 / 80))


def _mean_over_all_splits() -> float:
    """Seven points of one law: every choice of the real ones is equally likely."""
    points, real_count, fake_count, k = n.normal(7, 7, 3), 4, 3, 2
    totals = {"density": 0.0, "coverage": 0.0}
    splits = list(itertools.combinations(range(7), real_count))
    for chosen in splits:
        rest = [i for i in range(7) if i not in chosen]
        found = manifolds.density_coverage(points[rest], points[list(chosen)], k=k)
        for name, value in found.items():
            totals[name] += value.item() / len(splits)
    missed = math.prod(real_count - i for i in range(1, k + 1)) / math.prod(
        real_count + fake_count - i for i in range(1, k + 1)
    )
    return max(abs(totals["density"] - 1), abs(totals["coverage"] - (1 - missed)))


def _area_under_the_curve() -> float:
    """Add up trapezoids under the curve of true against false positives, ties included."""
    low, high = n.normal(1, 9).mul(2).round() / 2, (n.normal(2, 6) + 0.6).mul(2).round() / 2
    corners = [(0.0, 0.0)]
    for threshold in sorted({*low.tolist(), *high.tolist()}, reverse=True):
        rates = [(side >= threshold).double().mean().item() for side in (low, high)]
        corners.append((rates[0], rates[1]))
    area = sum((c - a) * (b + d) / 2 for (a, b), (c, d) in itertools.pairwise(corners))
    return abs(ranking.roc_area(low, high).item() - area)


def _pairs_that_are_right() -> float:
    """Count pairs in the right order, and those with equal scores half."""
    low, high = n.normal(3, 8), n.normal(4, 5) + 0.7
    worst = 0.0
    for side_low, side_high in ((low, high), (low.round(), high.round())):
        pairs = list(itertools.product(side_low.tolist(), side_high.tolist()))
        wins = sum(b > a for a, b in pairs) + sum(b == a for a, b in pairs) / 2
        found = ranking.roc_area(side_low, side_high).item()
        worst = max(worst, abs(found - wins / len(pairs)))
    return worst


PROOFS = (
    Proof(
        id="metrics.inception_score",
        title="The Inception score is the information of an image about its class",
        statement=r"""\exp\left( \frac1N \sum_n \sum_k p_{nk} \log \frac{p_{nk}}{\bar p_k} \right)
            = e^{I(x;\, y)} \in [1, K], \qquad \bar p_k = \frac1N \sum_n p_{nk}""",
        assumptions=r"$p_{nk}$ is the classifier's probability of class $k$ for image $n$; the "
        r"images are equally likely. One memorised image of each class, known for sure, gives $K$; "
        r"equal answers for all images give 1.",
        source="Salimans et al. (2016), https://arxiv.org/abs/1606.03498; "
        "Barratt and Sharma (2018), https://arxiv.org/abs/1801.01973",
        checks=(
            Check("enumeration", "joint law, with a sure answer", _score_is_information, 1e-12),
            Check(
                "enumeration", "one image of each of 6 classes", _score_of_memorised_images, 1e-12
            ),
            Check("enumeration", "equal answers", _score_of_equal_answers, 1e-12),
        ),
    ),
    Proof(
        id="metrics.kid",
        title="The kernel distance compares means in a larger space, and is right on average",
        statement=r"""\begin{aligned}
            \left\lVert \mathbb E\, \varphi(x) - \mathbb E\, \varphi(y) \right\rVert^2
            &= \mathbb E\, k(x, x') + \mathbb E\, k(y, y') - 2\, \mathbb E\, k(x, y),
            \qquad k(x, y) = \left( \frac{x^\top y}{F} + 1 \right)^3
            = \varphi(x)^\top \varphi(y) \\
            &= \mathbb E\left[ \frac{\sum_{i \ne i'} k(x_i, x_{i'})}{N(N-1)}
            + \frac{\sum_{j \ne j'} k(y_j, y_{j'})}{M(M-1)}
            - \frac{2}{NM} \sum_{i, j} k(x_i, y_j) \right] \end{aligned}""",
        assumptions=r"$x, x'$ and $y, y'$ are independent; independent samples of $N \ge 2$ and "
        r"$M \ge 2$; $\varphi(x)$ holds all products of three entries of $(x / \sqrt F,\, 1)$.",
        source="Bińkowski, Sutherland, Arbel and Gretton (2018), https://arxiv.org/abs/1801.01401; "
        "Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), "
        "https://jmlr.org/papers/volume13/gretton12a/gretton12a.pdf",
        checks=(
            Check("linear algebra", "mean features", _distance_of_mean_features, 1e-9),
            Check(
                "enumeration",
                "all pairs of two laws on 4 points",
                _distance_by_the_kernel,
                1e-12,
            ),
            Check("enumeration", "all samples of two laws on 4 points", _unbiased, 1e-9),
        ),
    ),
    Proof(
        id="metrics.kid_bias",
        title="Pairs of a point with itself make the kernel distance too large",
        statement=r"""\mathbb E \left\lVert \frac1N \sum_i \varphi(x_i)
            - \frac1M \sum_j \varphi(y_j) \right\rVert^2
            = \left\lVert \mathbb E\, \varphi(x) - \mathbb E\, \varphi(y) \right\rVert^2
            + \frac{\mathrm{tr}\,\mathrm{Cov}\,\varphi(x)}{N}
            + \frac{\mathrm{tr}\,\mathrm{Cov}\,\varphi(y)}{M}""",
        assumptions=r"Independent samples; the left side is the biased form, which keeps the terms "
        r"$k(x_i, x_i)$ and $k(y_j, y_j)$.",
        source="Gretton, Borgwardt, Rasch, Schölkopf and Smola (2012), "
        "https://jmlr.org/papers/volume13/gretton12a/gretton12a.pdf",
        checks=(
            Check(
                "enumeration", "all samples of two laws on 4 points", _bias_of_the_diagonal, 1e-9
            ),
        ),
    ),
    Proof(
        id="metrics.precision_recall",
        title="Precision sees bad images, recall sees missing ones",
        statement=r"""\mathrm{precision} = \frac1N \sum_j \mathbb 1\left[ \exists i:
            \lVert y_j - x_i \rVert \le r_k(x_i) \right], \qquad
            \mathrm{recall} = \frac1M \sum_i \mathbb 1\left[ \exists j:
            \lVert x_i - y_j \rVert \le r_k(y_j) \right]""",
        assumptions=r"$x_i$ real, $y_j$ generated, $r_k$ the distance to the $k$-th neighbour in "
        r"the point's own set. One of eight distant clusters alone gives precision 1 and recall "
        r"$1/8$; a wide net gives recall 1 and hardly any precision.",
        source="Kynkäänniemi, Karras, Laine, Lehtinen and Aila (2019), "
        "https://arxiv.org/abs/1904.06991",
        checks=(
            Check("enumeration", "balls one by one, with ties", _balls_one_by_one, 1e-12),
            Check("enumeration", "one of 8 clusters, and a wide net", _collapse_and_excess, 1e-12),
            Check("enumeration", "memorised points", _memorised, 1e-12),
        ),
    ),
    Proof(
        id="metrics.coverage",
        title="For a perfect generator density is 1 and coverage is known",
        statement=r"""\mathbb E\,[\mathrm{density}] = 1, \qquad
            \mathbb E\,[\mathrm{coverage}]
            = 1 - \prod_{i=1}^{k} \frac{M - i}{M + N - i}""",
        assumptions=r"$M$ real and $N$ generated images, all independent draws of one law without "
        r"ties; balls around the real images reach to the $k$-th real neighbour.",
        source="Naeem, Oh, Uh, Choi and Yoo (2020), https://arxiv.org/abs/2002.09797",
        checks=(
            Check(
                "enumeration",
                "all 35 ways to call 4 of 7 points real, k = 2",
                _mean_over_all_splits,
                1e-12,
            ),
            Check("enumeration", "balls one by one, with ties", _balls_one_by_one, 1e-12),
        ),
    ),
    Proof(
        id="metrics.roc_area",
        title="The area under the ROC curve is the chance that a pair is ranked rightly",
        statement=r"""\int_0^1 \mathrm{TPR}\; d\,\mathrm{FPR}
            = P(s_{\mathrm{high}} > s_{\mathrm{low}})
            + \tfrac12 P(s_{\mathrm{high}} = s_{\mathrm{low}})""",
        assumptions=r"TPR and FPR are the shares of high and of low items at or above a threshold "
        r"that falls from $\infty$; between thresholds the curve is straight.",
        source="Hanley and McNeil (1982), https://doi.org/10.1148/radiology.143.1.7063747",
        checks=(
            Check("enumeration", "trapezoids, with ties", _area_under_the_curve, 1e-12),
            Check(
                "enumeration",
                "pairs one by one, without ties and with",
                _pairs_that_are_right,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D54": ("metrics.inception_score",),
    "D55": ("metrics.kid", "metrics.kid_bias"),
    "D56": ("metrics.precision_recall", "metrics.coverage"),
    "D63": ("metrics.roc_area",),
}
