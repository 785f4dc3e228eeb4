"""Proofs about responsible use: privacy, models trained on models, watermarks, small numbers."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Normal

from genimg_course.maths import divergences, privacy, quantisation, self_training, watermark
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _best_of_all_attacks() -> float:
    worst = 0.0
    for seed, count in ((1, 7), (2, 5)):
        p, q = n.law(seed, 2, count)
        rules = n.tuples(2, count).double()  # every way to call outputs a member's
        best = (rules @ p - rules @ q).max()
        attack = privacy.best_attack(p, q).double()
        reached = attack @ p - attack @ q
        bound = divergences.total_variation(p, q)
        worst = max(worst, n.gap(best, bound), n.gap(reached, bound))
    tie = privacy.best_attack(n.float64([0.5, 0.3, 0.2]), n.float64([0.4, 0.3, 0.3]))
    return worst if tie.tolist() == [True, False, False] else math.inf


def _attack_by_scores() -> float:
    counts = torch.tensor([[3, 1, 4, 0, 2], [1, 5, 2, 3, 1]])  # of 10 members and 12 others
    p, q = counts / counts.sum(dim=1, keepdim=True).double()
    score = (p / q).log()  # the likelihood ratio needs no other attack
    members, others = (score.repeat_interleave(row) for row in counts)
    found = privacy.membership_advantage(members, others)
    worst = n.gap(found, divergences.total_variation(p, q))
    by_hand = [
        (members >= t).double().mean() - (others >= t).double().mean()
        for t in torch.linspace(-4, 4, 400, dtype=torch.float64)
        if t not in score
    ]
    some = n.normal(3, 6)
    ends = [privacy.membership_advantage(a, some) for a in (some + 9, some)]
    worst = max(worst, n.gap(found, torch.stack(by_hand).max()))
    return max(worst, n.gap(torch.stack(ends), n.float64([1.0, 0.0])))


NOISE = (0.8, 1.7)
"""How far one example moves a result, and the standard deviation of the noise."""


def _densities() -> tuple[Tensor, Tensor, Tensor]:
    """Return a grid and the density of the noisy result with and without one example."""
    x = torch.linspace(-20, 20, 160_001, dtype=torch.float64)
    move, sigma = NOISE
    return (
        x,
        Normal(move, n.float64(sigma)).log_prob(x).exp(),
        Normal(0.0, n.float64(sigma)).log_prob(x).exp(),
    )


def _mechanism_by_quadrature() -> float:
    x, p, q = _densities()
    epsilon = n.float64([0.0, 0.2, 0.9, 2.0])
    events = (p - epsilon.exp()[:, None] * q).clamp_min(0)  # the event with the largest excess
    expected = events.sum(dim=1) * (x[1] - x[0])
    found = privacy.gaussian_mechanism_delta(epsilon, sensitivity=NOISE[0], sigma=NOISE[1])
    return n.gap(found, expected)


def _mechanism_at_zero() -> float:
    x, p, q = _densities()
    mu = NOISE[0] / NOISE[1]
    zero = n.float64([0.0])
    found = privacy.gaussian_mechanism_delta(zero, sensitivity=NOISE[0], sigma=NOISE[1])
    total_variation = 0.5 * (p - q).abs().sum() * (x[1] - x[0])
    closed = 2 * Normal(0.0, n.float64(1.0)).cdf(n.float64(mu / 2)) - 1
    return max(n.gap(found[0], closed), n.gap(found[0], total_variation) / 10)


def _far_tail() -> float:
    epsilon, mu = 800.0, 40.0
    found = privacy.gaussian_mechanism_delta(n.float64([epsilon]), sensitivity=80.0, sigma=2.0)
    # Mills' ratio by its continued fraction, where exp(epsilon) alone would overflow
    t, rest = mu / 2 + epsilon / mu, 0.0
    for k in range(60, 0, -1):
        rest = k / (t + rest)
    other = math.exp(epsilon - t * t / 2) / (math.sqrt(2 * math.pi) * (t + rest))
    return abs(found.item() - (0.5 - other))


def _fit_by_hand() -> float:
    noise = n.normal(4, 3, 5)
    mean, variance = n.float64([0.5, -1.0, 2.0]), n.float64([0.3, 2.0, 1.1])
    samples = [
        [m + math.sqrt(v) * e for e in row]
        for m, v, row in zip(mean.tolist(), variance.tolist(), noise.tolist(), strict=True)
    ]
    means = [sum(row) / 5 for row in samples]
    variances = [sum((x - m) ** 2 for x in row) / 5 for m, row in zip(means, samples, strict=True)]
    found = torch.stack(self_training.next_generation(mean, variance, noise))
    return n.gap(found, n.float64([means, variances]))


def _one_generation() -> float:
    noise, weight = n.gauss_hermite(3, 4)
    mean, variance = torch.full((81,), 0.6, dtype=torch.float64), torch.full_like(weight, 2.3)
    new_mean, new_variance = self_training.next_generation(mean, variance, noise)
    expected = self_training.recursive_variance(2.3, samples=4, generations=1)
    moments = [weight @ new_mean, weight @ (new_mean - 0.6).square(), weight @ new_variance]
    return n.gap(torch.stack(moments), n.float64([0.6, 2.3 / 4, expected]))


def _two_generations() -> float:
    noise, weight = n.gauss_hermite(3, 6)
    chain = torch.full((729,), -0.4, dtype=torch.float64), torch.full_like(weight, 1.9)
    for draws in (noise[:, :3], noise[:, 3:]):
        chain = self_training.next_generation(*chain, draws)
    expected = self_training.recursive_variance(1.9, samples=3, generations=2)
    spread = 1.9 - expected  # what the variance loses, the mean has wandered
    moments = [weight @ chain[0], weight @ (chain[0] + 0.4).square(), weight @ chain[1]]
    return n.gap(torch.stack(moments), n.float64([-0.4, spread, expected]))


def _many_generations() -> float:
    samples, generations, chains = 10, 8, 20_000
    rng = torch.Generator().manual_seed(3)
    mean = torch.zeros(chains, dtype=torch.float64)
    variance = torch.full_like(mean, 1.3)
    for _ in range(generations):
        noise = torch.randn(chains, samples, generator=rng, dtype=torch.float64)
        mean, variance = self_training.next_generation(mean, variance, noise)
    sizes = {"samples": samples, "generations": generations}
    expected = self_training.recursive_variance(1.3, **sizes)
    typical = self_training.recursive_log_variance(1.3, **sizes)
    return max(
        n.standard_errors(variance, expected, variance.std().item()),
        n.standard_errors(variance.log(), typical, variance.log().std().item()),
    )


def _mean_logarithm() -> float:
    worst = 0.0
    for samples in (4, 9):
        freedom = samples - 1
        u = torch.linspace(-60, 6, 6001, dtype=torch.float64)  # logarithm of a chi-square
        log = freedom / 2 * u - u.exp() / 2
        weight = torch.softmax(log, dim=0)
        mean = (weight @ u).item() - math.log(samples)
        found = self_training.recursive_log_variance(0.7, samples=samples, generations=3)
        worst = max(worst, abs(found - (math.log(0.7) + 3 * mean)))
    return worst


def _all_marks() -> float:
    found = [watermark.match_p_value(m, 9) for m in range(10)]
    matches = n.tuples(2, 9).sum(dim=1)
    return n.gap(n.float64(found), torch.stack([(matches >= m).double().mean() for m in range(10)]))


def _long_mark() -> float:
    law = np.ones(1)
    for _ in range(48):  # one fair bit after the other
        law = np.convolve(law, [0.5, 0.5])
    found = watermark.match_p_value(40, 48)
    worst = max(abs(found / law[40:].sum() - 1), abs(round(found * 1e6, 2) - 1.65))
    for bits, rate in ((48, 1e-6), (9, 0.1), (5, 1.0), (9, 2.0**-9)):
        least = watermark.match_threshold(bits, false_positive_rate=rate)
        tail = [watermark.match_p_value(m, bits) <= rate for m in range(bits + 1)]
        worst = worst if tail.index(True) == least else math.inf
    return worst


def _flags() -> float:
    # 3 of 200 images are marked; 2 of those and 5 of the others are flagged
    found = watermark.flag_precision(3 / 200, true_positive_rate=2 / 3, false_positive_rate=5 / 197)
    return abs(found - 2 / 7)


def _rounding_noise() -> float:
    worst = 0.0
    nodes, weight = n.gauss_legendre(2)
    for bits, low, high in ((1, 0.0, 1.0), (3, -1.5, 2.0), (6, 0.0, 1.0)):
        cells = 2**bits
        x = low + (high - low) * (torch.arange(cells)[:, None] + nodes) / cells  # in every cell
        options = {} if (low, high) == (0.0, 1.0) else {"low": low, "high": high}
        error = x - quantisation.quantise_uniform(x, bits=bits, **options)
        noise = (error.square() @ weight).mean().item()
        signal = (high - low) ** 2 / 12
        ratio = 10 * math.log10(signal / noise)
        worst = max(worst, abs(ratio - quantisation.quantisation_snr(bits)))
    return worst


def _ends_of_the_range() -> float:
    x = n.float64([-2.0, -1.0, 0.9, 1.0, 2.0])
    found = quantisation.quantise_uniform(x, bits=2, low=-2.0, high=2.0)
    return n.gap(found, n.float64([-1.5, -0.5, 0.5, 1.5, 1.5]))


def _rounded_weights() -> float:
    weight = 0.3 * n.normal(1, 5, 7)
    worst = 0.0
    for bits in (2, 5, 8):
        whole, scale = quantisation.quantise_weights(
            weight, **({} if bits == 8 else {"bits": bits})
        )
        top = 2 ** (bits - 1) - 1
        stored = torch.arange(-top, top + 1, dtype=torch.float64) * weight.abs().max() / top
        nearest = (weight.flatten()[:, None] - stored).abs()
        rounded = whole.double() * scale
        worst = max(worst, n.gap(rounded.flatten(), stored[nearest.argmin(dim=1)]))
        if (weight - rounded).abs().max() > scale / 2 + 1e-12 or whole.dtype != torch.int8:
            return math.inf
    return worst


SHUMAILOV = "https://arxiv.org/abs/2305.17493"

PROOFS = (
    Proof(
        id="responsible.membership",
        title="The best attack on membership has the total variation as its advantage",
        statement=r"""\max_S \left( \Pr[o \in S \mid \text{member}]
            - \Pr[o \in S \mid \text{other}] \right) = \mathrm{TV}(p, q), \qquad
            S^* = \{ o : p(o) > q(o) \}""",
        assumptions=r"$p$ and $q$ are the laws of the output $o$ for images that were and were not "
        r"trained on; a score that grows with $p / q$ reaches the maximum by a threshold.",
        source="Shokri et al. (2017), https://arxiv.org/abs/1610.05820; "
        "Yeom et al. (2018), https://arxiv.org/abs/1709.01604",
        checks=(
            Check("enumeration", "all 128 attacks on 7 outputs", _best_of_all_attacks, 1e-12),
            Check("enumeration", "thresholds on the scores of 22 images", _attack_by_scores, 1e-12),
        ),
    ),
    Proof(
        id="responsible.gaussian_mechanism",
        title="How much Gaussian noise hides one example",
        statement=r"""\delta(\varepsilon) = \max_S \left( P(S) - e^\varepsilon Q(S) \right)
            = \Phi\left( \tfrac\mu2 - \tfrac\varepsilon\mu \right)
            - e^\varepsilon\, \Phi\left( -\tfrac\mu2 - \tfrac\varepsilon\mu \right), \qquad
            \mathrm{TV}(P, Q) = \delta(0) = 2 \Phi\left( \tfrac\mu2 \right) - 1""",
        assumptions=r"$P = \mathcal N(\Delta, \sigma^2)$ and $Q = \mathcal N(0, \sigma^2)$: the "
        r"example moves the result by $\Delta$; $\mu = \Delta / \sigma$. $\delta(0)$ bounds the "
        "advantage of every attack.",
        source="Balle and Wang (2018), theorem 8, https://arxiv.org/abs/1805.06530; "
        "Abadi et al. (2016), https://arxiv.org/abs/1607.00133",
        checks=(
            Check(
                "quadrature",
                "the event with the largest excess, on a grid, four epsilons",
                _mechanism_by_quadrature,
                1e-7,
            ),
            Check(
                "quadrature",
                "total variation of both Gaussians",
                _mechanism_at_zero,
                1e-9,
            ),
            Check("enumeration", "epsilon 800, by a continued fraction", _far_tail, 1e-10),
        ),
    ),
    Proof(
        id="responsible.self_training",
        title="A model trained on its own samples loses its variance",
        statement=r"""\mathbb E\, \sigma_k^2 = \left( 1 - \tfrac1N \right)^k \sigma^2, \qquad
            \mathbb E (\mu_k - \mu)^2 = \sigma^2 - \mathbb E\, \sigma_k^2, \qquad
            \mathbb E \log \sigma_k^2 = \log \sigma^2
            + k \left( \psi\left( \tfrac{N-1}{2} \right) + \log \tfrac2N \right)""",
        assumptions=r"Every generation is a Gaussian, fitted by maximum likelihood to $N$ samples "
        r"of the one before; $\psi$ is the digamma function. A typical chain ends near "
        r"$\exp \mathbb E \log \sigma_k^2$, far below the mean.",
        source=f"Shumailov et al. (2023), {SHUMAILOV}",
        checks=(
            Check("enumeration", "three fits, one number at a time", _fit_by_hand, 1e-12),
            Check("quadrature", "one fit to 4 samples", _one_generation, 1e-12),
            Check("quadrature", "two fits to 3 samples each", _two_generations, 1e-12),
            Check(
                "quadrature",
                "mean logarithm of a chi-square, 4 and 9 samples",
                _mean_logarithm,
                1e-10,
            ),
            Check(
                "Monte-Carlo",
                "20,000 chains, 8 fits to 10 samples; standard error 0.005 to 0.01",
                _many_generations,
                6,
            ),
        ),
    ),
    Proof(
        id="responsible.watermark",
        title="How often an unmarked image matches a mark by chance",
        statement=r"""\Pr[M \ge m] = \sum_{k=m}^n \binom nk 2^{-n}, \qquad
            n = 48,\ m = 40: \; 1.65 \times 10^{-6}, \qquad
            \Pr[\text{marked} \mid \text{flagged}] = \frac{\pi\, \mathrm{TPR}}
            {\pi\, \mathrm{TPR} + (1 - \pi)\, \mathrm{FPR}}""",
        assumptions=r"The bits read from an unmarked image are fair coins; a share $\pi$ of all "
        "images is marked. Flagged are images with at least $m$ matches.",
        source="Fernandez et al. (2023), https://arxiv.org/abs/2303.15435",
        checks=(
            Check("enumeration", "all 512 readings of 9 bits", _all_marks, 1e-12),
            Check(
                "enumeration",
                "48 bits, one after the other, and the least thresholds",
                _long_mark,
                1e-12,
            ),
            Check("enumeration", "counts of 200 images", _flags, 1e-12),
        ),
    ),
    Proof(
        id="responsible.quantisation",
        title="Every bit of a uniform quantiser is worth six decibels",
        statement=r"""10 \log_{10} \frac{\mathrm{Var}\, x}{\mathbb E (x - Q(x))^2}
            = 20\, b \log_{10} 2 \approx 6.02\, b, \qquad
            \mathbb E (x - Q(x))^2 = \frac{\Delta^2}{12}, \qquad \Delta = \frac{h - l}{2^b}""",
        assumptions=r"$x$ is uniform on $[l, h]$ and $Q(x)$ the middle of its cell, one of $2^b$.",
        source="Gersho and Gray (1992), https://doi.org/10.1007/978-1-4615-3626-0",
        checks=(
            Check("quadrature", "1, 3 and 6 bits, cell by cell", _rounding_noise, 1e-10),
            Check("enumeration", "values on the edges of cells", _ends_of_the_range, 1e-12),
        ),
    ),
    Proof(
        id="responsible.quantised_weights",
        title="Weights in eight bits are off by half a step at most",
        statement=r"""q = \mathrm{round}\left( \frac ws \right), \qquad
            s = \frac{\max \lvert w \rvert}{2^{b-1} - 1} \;\Rightarrow\;
            \lvert w - s q \rvert \le \frac s2, \qquad
            \lvert q \rvert \le 2^{b-1} - 1""",
        assumptions=r"One scale $s$ for all weights, which are not all zero; $b$ bits.",
        source="Jacob et al. (2018), section 2.1, https://arxiv.org/abs/1712.05877",
        checks=(
            Check(
                "enumeration", "the nearest stored value, 2, 5 and 8 bits", _rounded_weights, 1e-12
            ),
        ),
    ),
)

ROWS = {
    "D64": ("responsible.gaussian_mechanism",),
    "D68": ("responsible.watermark",),
    "D70": ("responsible.quantisation", "responsible.quantised_weights"),
    "D73": ("responsible.membership",),
    "D74": ("responsible.self_training",),
}
