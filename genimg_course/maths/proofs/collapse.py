"""Proofs about mode collapse: where it comes from, how it is counted, what makes it visible."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import modes, packing
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _best_answer_among_all_laws() -> float:
    """Compare the best response with every law of a fine simplex, and with both losses."""
    logits = n.normal(1, 4)
    best = modes.best_response(logits)
    compositions = [c for c in itertools.product(range(13), repeat=4) if sum(c) == 12]
    laws = torch.tensor(compositions, dtype=torch.float64) / 12
    if not torch.equal(best, laws[(laws @ F.logsigmoid(logits)).argmax()]):
        return math.inf
    for saturating in (False, True):
        each = [losses.generator_loss(a[None], saturating=saturating) for a in logits]
        cost = laws @ torch.stack(each)
        if (best @ torch.stack(each) - cost.amin()).abs() > 1e-12:
            return math.inf
    tie = modes.best_response(n.float64([0.2, 1.4, 1.4]))
    return n.gap(tie, n.float64([0.0, 1.0, 0.0]))


def _updates_one_by_one() -> float:
    law, logits = n.law(2, 6), n.normal(3, 6)
    worst = 0.0
    for updates, rate in ((0, 0.4), (1, 0.4), (3, 0.7)):
        expected = law
        for _ in range(updates):
            expected = expected * torch.exp(rate * logits)
            expected = expected / expected.sum()
        found = modes.chase(law, logits, updates=updates, rate=rate)
        worst = max(worst, n.gap(found, expected))
    plain = modes.chase(law, logits, updates=2, rate=1.0)
    return max(worst, n.gap(modes.chase(law, logits, updates=2), plain))


def _update_by_optimisation() -> float:
    """Compare one update with the best trade of mean logit against divergence."""
    law, logits, rate = n.law(4, 5), n.normal(5, 5), 0.6

    def cost(free: Tensor) -> Tensor:
        q = torch.softmax(free, dim=0)
        return (q * (q / law).log()).sum() / rate - q @ logits

    best = torch.softmax(n.minimise(cost, torch.zeros(5, dtype=torch.float64)), dim=0)
    return n.gap(best, modes.chase(law, logits, updates=1, rate=rate))


def _modes_die_out() -> float:
    law, logits = n.law(6, 8), n.normal(7, 8)
    counts = [modes.effective_modes(modes.chase(law, logits, updates=k)) for k in (0, 1000)]
    end = modes.chase(law, logits, updates=1000)
    start = torch.exp(-(law * law.log()).sum())
    alone = n.gap(end, modes.best_response(logits))
    return max(alone, n.gap(counts[0], start), abs(counts[1].item() - 1))


def _modes_of_equal_shares() -> float:
    third = n.float64([0.0, 1 / 3, 0.0, 1 / 3, 1 / 3])
    return abs(modes.effective_modes(third).item() - 3)


def _tables_of_packs() -> float:
    p, q = n.law(8, 4), n.law(9, 4)
    worst = 0.0
    for count in (1, 2, 3):
        pairs = [
            (
                math.prod(p[i].item() for i in tuple_),
                math.prod(q[i].item() for i in tuple_),
            )
            for tuple_ in itertools.product(range(4), repeat=count)
        ]
        expected = 0.5 * sum(abs(a - b) for a, b in pairs)
        found = packing.packed_total_variation(p, q, count).item()
        together = n.gap(packing.packed(p, count), n.float64([a for a, _ in pairs]))
        worst = max(worst, abs(found - expected), together)
    return worst


def _two_generators() -> tuple[Tensor, Tensor, Tensor]:
    """Return the data law, a collapsed and a merely uneven generator, at one distance of 0.2."""
    data = torch.full((10,), 0.1, dtype=torch.float64)
    collapsed = n.float64([0.125] * 8 + [0.0] * 2)
    uneven = n.float64([0.14] * 5 + [0.06] * 5)
    return data, collapsed, uneven


def _collapse_grows_faster() -> float:
    data, collapsed, uneven = _two_generators()
    worst = 0.0
    for count in range(1, 6):
        lost = packing.packed_total_variation(data, collapsed, count).item()
        kept = packing.packed_total_variation(data, uneven, count).item()
        if count > 1 and kept >= lost:
            return math.inf
        equal = abs(lost - kept) if count == 1 else 0.0
        worst = max(worst, equal, abs(lost - (1 - 0.8**count)))
    return worst


def _distance_of_a_part(seed: int) -> float:
    """Return the error of ``1 - s^m`` for a law kept on some images, with share ``s``, only."""
    data = n.law(seed, 7)
    kept = data.where(torch.arange(7) > 2, torch.zeros_like(data))
    share = kept.sum()
    found = [packing.packed_total_variation(data, kept / share, m) for m in (1, 2, 3)]
    return n.gap(torch.stack(found), torch.stack([1 - share**m for m in (1, 2, 3)]))


def _count_by_loops(
    points: Tensor, centres: Tensor, spread: float, radius: float, least: float
) -> tuple[int, float]:
    found = [0] * len(centres)
    for point in points.tolist():
        away = [math.dist(point, centre) for centre in centres.tolist()]
        k = min(range(len(away)), key=away.__getitem__)
        found[k] += away[k] <= radius * spread
    modes_found = sum(hits >= least * len(points) for hits in found)
    return modes_found, sum(found) / len(points)


def _counting_by_loops() -> float:
    worst = 0.0
    for seed, dim, radius, least in ((20, 2, 2.0, 0.05), (21, 3, 1.5, 0.02)):
        centres = 2 * n.normal(seed, 6, dim)
        picked = n.normal(seed + 5, 100, 1).abs().flatten().long()
        points = centres[picked] + 0.6 * n.normal(seed + 10, 100, dim)
        result = modes.count_modes(points, centres, spread=0.5, radius=radius, least=least)
        count, good = _count_by_loops(points, centres, 0.5, radius, least)
        worst = max(worst, abs(result["modes"].item() - count), abs(result["good"].item() - good))
    return worst


def _edges_of_counting() -> float:
    """Return 0 if shares and distances exactly at the limits, and the defaults, count."""
    centres = n.float64([[0.0, 0.0], [8.0, 0.0], [0.0, 8.0]])
    points = torch.zeros(200, 2, dtype=torch.float64)
    points[:2, 0] = 9.5  # 1 % of the points, exactly three deviations away
    points[2, 1] = 8.0  # half a percent: not found
    points[3:50, 0] = 1.75
    result = modes.count_modes(points, centres, spread=0.5)
    return abs(result["modes"].item() - 2) + abs(result["good"].item() - 153 / 200)


def _share_of_a_perfect_generator() -> float:
    rng = torch.Generator().manual_seed(0)
    centres = n.float64([[3.0, 0.0], [-3.0, 0.0], [0.0, 4.0]])
    count = 40_000
    picked = torch.randint(3, (count,), generator=rng)
    noise = torch.randn(count, 2, generator=rng, dtype=torch.float64)
    result = modes.count_modes(centres[picked] + 0.2 * noise, centres, spread=0.2, radius=2.0)
    expected = 1 - math.exp(-2)
    std = math.sqrt(expected * (1 - expected))
    return n.standard_errors(result["good"].expand(count), expected, std)


PROOFS = (
    Proof(
        id="gan.best_response",
        title="The best answer to a discriminator that stands still is a single image",
        statement=r"""\arg\min_q\; \mathbb E_q[-\log D(x)] = \delta_{\arg\max D}""",
        assumptions="The generator can produce any law; the discriminator has one most convincing "
        "image and does not move. Both generator losses have the same answer.",
        source="Metz et al. (2017), https://arxiv.org/abs/1611.02163",
        checks=(
            Check(
                "enumeration",
                "455 laws on 4 images, both losses",
                _best_answer_among_all_laws,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.chase",
        title="Many updates in a row raise the discriminator's taste to a power",
        statement=r"""q_{k} = \arg\max_q\; \mathbb E_q[a] - \tfrac1\eta \mathrm{KL}(q \Vert q_{k-1})
            \quad\Rightarrow\quad q_k(x) \propto q_0(x)\, e^{k \eta\, a(x)} \to
            \delta_{\arg\max a}""",
        assumptions=r"The logits $a$ stand still; each update may move by a divergence that the "
        r"rate $\eta$ prices. The number of modes is read as the exponential of the entropy.",
        source="Metz et al. (2017), for the limit, https://arxiv.org/abs/1611.02163; "
        "Kivinen and Warmuth (1997), for the update, https://doi.org/10.1006/inco.1996.2612",
        checks=(
            Check("enumeration", "updates one by one", _updates_one_by_one, 1e-12),
            Check("optimisation", "one update on 5 images", _update_by_optimisation, 1e-8),
            Check("enumeration", "1000 updates leave one image of 8", _modes_die_out, 1e-12),
            Check(
                "enumeration", "three equal shares are three modes", _modes_of_equal_shares, 1e-12
            ),
        ),
    ),
    Proof(
        id="gan.count_modes",
        title="What a mode counter says of a perfect generator",
        statement=r"""\text{modes} = \#\{k : s_k \ge \varepsilon\}, \qquad
            \text{good} = \sum_k s_k \to 1 - e^{-r^2/2}""",
        assumptions=r"$s_k$ is the share of all points that lie nearest to centre $k$ and within "
        r"$r$ standard deviations of it; the limit is that of a perfect generator in the plane "
        "whose modes lie far apart.",
        source="Lin et al. (2018), for the idea, https://arxiv.org/abs/1712.04086",
        checks=(
            Check(
                "enumeration",
                "100 points one by one, in 2 and 3 dimensions",
                _counting_by_loops,
                1e-12,
            ),
            Check(
                "enumeration", "points and shares exactly at the limits", _edges_of_counting, 1e-12
            ),
            Check(
                "Monte-Carlo",
                "40,000 points of three modes, in standard errors of the share",
                _share_of_a_perfect_generator,
                6,
            ),
        ),
    ),
    Proof(
        id="gan.packing",
        title="Packs separate a collapsed generator from one that is merely uneven",
        statement=r"""q = p(\,\cdot \mid S),\; p(S) = s: \qquad
            \mathrm{TV}(p^m, q^m) = 1 - s^m""",
        assumptions=r"A pack holds $m$ independent images. A generator that loses the share "
        r"$1 - s$ of the data and is right elsewhere; an uneven one at the same distance for "
        r"$m = 1$ stays nearer for every larger $m$ in the example.",
        source="Lin et al. (2018), https://arxiv.org/abs/1712.04086",
        checks=(
            Check("enumeration", "all tuples of random laws", _tables_of_packs, 1e-12),
            Check(
                "enumeration",
                "the formula for a random law without three of its images",
                lambda: _distance_of_a_part(12),
                1e-12,
            ),
            Check(
                "enumeration",
                "packs of 1 to 5: equal at first, then the collapsed one is farther",
                _collapse_grows_faster,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D34": ("gan.best_response", "gan.chase"),
    "D35": ("gan.packing",),
}
