"""Proofs about games whose rules have a fault, and about the pull on the generator."""

from __future__ import annotations

import math

import sympy
import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import discriminators, divergences, faulty_games
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

REAL, FAKE = (2, 5, 1, 4, 0), (3, 1, 2, 0, 4)
"""How often each of five images appears in a batch of 12 real and of 10 generated images."""


def _zero_sum() -> float:
    a, b = n.normal(11, 7), n.normal(12, 5).requires_grad_()
    total = losses.discriminator_loss(a, b) + losses.generator_loss(b, saturating=True)
    (slope,) = torch.autograd.grad(total, b)
    return max(slope.abs().max().item(), n.gap(total, -torch.log(torch.sigmoid(a)).mean()))


def _target_in_symbols() -> float:
    d = sympy.Symbol("d", positive=True)
    loss = -sympy.log(d) - sympy.log(1 - d)
    least = sympy.solve(sympy.diff(loss, d), d)
    return n.exact(
        sympy.S(len(least) - 1),
        least[0] - sympy.Rational(1, 2),
        loss.subs(d, least[0]) - sympy.log(4),
    )


def _target_of_the_losses() -> float:
    def total(a: Tensor) -> Tensor:
        return losses.discriminator_loss(a.new_zeros(3), a) + losses.generator_loss(a)

    best = n.minimise(total, n.normal(13, 4))
    return max(best.abs().max().item(), n.gap(total(best), n.float64(3 * math.log(2))))


def _optimum_of_the_sum() -> float:
    real, fake, p, q = n.batches(REAL, FAKE)

    def total(a: Tensor) -> Tensor:
        return losses.discriminator_loss(a[real], a[fake]) + losses.generator_loss(a[fake])

    # the fourth image is only real, its best logit is infinite: leave it out
    keep = torch.tensor([0, 1, 2, 4])
    start = torch.zeros(4, dtype=torch.float64)
    high = torch.tensor(60.0, dtype=torch.float64)

    def free(a: Tensor) -> Tensor:
        return total(torch.cat([a[:3], high[None], a[3:]]))

    found = torch.sigmoid(n.minimise(free, start))
    return n.gap(found, faulty_games.misled_discriminator(p, q, mislabelled=1.0)[keep])


def _shares_of_the_label() -> float:
    p, q = n.law(14, 2, 6)
    p[0] = q[1] = p[2] = q[2] = 0.0
    worst = 0.0
    for c in (0.0, 0.7, 1.0, 2.0):
        odds = [(p[i].item(), q[i].item()) for i in range(6)]
        share = [(a + c * b) / (a + b + c * b) if a or b else (1 + c) / (2 + c) for a, b in odds]
        found = faulty_games.misled_discriminator(p, q, mislabelled=c)
        worst = max(worst, n.gap(found, n.float64(share)))
    honest = faulty_games.misled_discriminator(p[3:], q[3:], mislabelled=0.0)
    return max(worst, n.gap(honest, discriminators.optimal_discriminator(p[3:], q[3:])))


def _gradient_against_the_unfrozen() -> float:
    p, theta = n.law(15, 9), n.normal(16, 9).requires_grad_()
    q = torch.softmax(theta, dim=0)
    d = faulty_games.misled_discriminator(p, q, mislabelled=1.0).detach()
    each = torch.stack([losses.generator_loss(a[None]) for a in torch.logit(d)])
    (slope,) = torch.autograd.grad(q @ each, theta, retain_graph=True)
    target = faulty_games.unfrozen_divergence(p, q)
    return n.gap(slope, torch.autograd.grad(target, theta)[0])


def _divergence_as_mean() -> float:
    p, q = n.law(17, 2, 3, 7)
    r = p / q
    f = torch.log((r + 2) / (r + 1)) + r * (0.5 * r.log() + 0.5 * (r + 2).log() - (r + 1).log())
    at_one = math.log(3 * math.sqrt(3) / 4)
    found = faulty_games.unfrozen_divergence(p, q)
    equal = faulty_games.unfrozen_divergence(p, p)
    return max(n.gap(found, (q * f).sum(dim=1) - at_one), equal.abs().max().item())


def _unfrozen_in_symbols() -> float:
    r = sympy.Symbol("r", positive=True)
    log = sympy.log
    f = log((r + 2) / (r + 1)) + r * (log(r) / 2 + log(r + 2) / 2 - log(r + 1))
    return n.exact(
        sympy.diff(f, r, 2) - 1 / (r * (r + 1) * (r + 2)),
        sympy.logcombine(f.subs(r, 1) - log(3 * sympy.sqrt(3) / 4), force=True),
    )


def _curvatures_in_symbols() -> float:
    r = sympy.Symbol("r", positive=True)
    twice_jsd = r * sympy.log(r) - (r + 1) * sympy.log((r + 1) / 2)
    best = r / (r + 1)  # the best discriminator; each loss of it has the slope -r f''
    return n.exact(
        sympy.diff(sympy.log(1 - best), r) + r / (r * (1 + r)),
        sympy.diff(-sympy.log(best), r) + r / (r**2 * (1 + r)),
        sympy.diff(twice_jsd, r, 2) - 1 / (r * (1 + r)),
        sympy.diff(-sympy.log(r) - twice_jsd, r, 2) - 1 / (r**2 * (1 + r)),
    )


def _curvature_from_the_loss(saturating: bool) -> float:
    """Compare with ``-(1 / r) dl/dr``, where ``l`` is the loss at the best discriminator."""
    worst = 0.0
    for c in (0.0, 0.7, 1.0, 2.0):
        r = torch.linspace(0.05, 4, 17, dtype=torch.float64).requires_grad_()
        one = torch.ones_like(r)
        logits = torch.logit(faulty_games.misled_discriminator(r, one, mislabelled=c))
        loss = losses.generator_loss(logits, saturating=saturating) * len(r)
        (slope,) = torch.autograd.grad(loss, r)
        found = faulty_games.generator_curvature(r.detach(), mislabelled=c, saturating=saturating)
        worst = max(worst, n.gap(found * r.detach(), -slope))
    return worst


def _curvature_from_the_divergence(saturating: bool) -> float:
    """Compare with the second derivative of the divergence along a line through ``q = p``."""
    p = n.law(18, 6)
    move = n.normal(19, 6)
    move = move - move.mean()

    def along(t: Tensor) -> Tensor:
        q = p + t * move
        twice = 2 * divergences.jensen_shannon(p, q)
        return twice if saturating else divergences.kl_divergence(q, p) - twice

    bend = torch.autograd.functional.hessian(along, torch.zeros((), dtype=torch.float64))
    one = torch.ones(6, dtype=torch.float64)
    weight = faulty_games.generator_curvature(one, saturating=saturating)
    return n.gap(bend, (weight * move.square() / p).sum())


def _default_is_honest() -> float:
    r = torch.linspace(0.2, 3, 5, dtype=torch.float64)
    return n.gap(faulty_games.generator_curvature(r), 1 / (r**2 * (1 + r)))


def _long_run_by_optimisation() -> float:
    p, q = n.law(20, 2, 6)

    def loss(a: Tensor) -> Tensor:
        first = 0.5 * (p @ F.softplus(-a))
        second = 0.5 * (q @ F.softplus(a))
        third = torch.stack([losses.generator_loss(each[None]) for each in a])
        return first + second + q @ third

    d = torch.sigmoid(n.minimise(loss, torch.zeros(6, dtype=torch.float64)))
    found = faulty_games.forecast(p, q)
    expected = {
        "d_real": p @ d,
        "d_fake": q @ d,
        "g_loss": -(q @ torch.log(d)),
        "change_of_g": torch.zeros((), dtype=torch.float64),
    }
    if found.keys() != expected.keys():
        return math.inf
    return max(n.gap(found[name], value) for name, value in expected.items())


def _long_run_apart_and_together() -> float:
    p = n.float64([0.4, 0.6, 0.0, 0.0, 0.0])
    q = n.float64([0.0, 0.0, 0.3, 0.5, 0.2])
    apart, together = faulty_games.forecast(p, q), faulty_games.forecast(p, p)
    found = [apart["d_real"], apart["d_fake"], apart["g_loss"], together["d_fake"]]
    expected = n.float64([1.0, 2 / 3, math.log(1.5), 3 / 4])
    return n.gap(torch.stack(found), expected)


def _bound_by_any_discriminator() -> float:
    real, fake, p, q = n.batches(REAL, FAKE)
    jsd = divergences.jensen_shannon(p, q)
    tries = 3 * n.normal(21, 200, 5)
    found = torch.stack([discriminators.divergence_from_logits(a[real], a[fake]) for a in tries])
    return max((found - jsd).max().item(), 0.0)


def _bound_is_reached() -> float:
    worst = 0.0
    for seed in (22, 23):
        counts = torch.randint(1, 6, (2, 4), generator=torch.Generator().manual_seed(seed))
        real, fake = (torch.arange(4).repeat_interleave(row) for row in counts)
        p, q = counts / counts.sum(dim=1, keepdim=True).double()
        a = torch.log(p / q)
        found = discriminators.divergence_from_logits(a[real], a[fake])
        worst = max(worst, n.gap(found, divergences.jensen_shannon(p, q)))
    return worst


GOODFELLOW = "https://arxiv.org/abs/1406.2661"
F_DIVERGENCES = "Nowozin, Cseke and Tomioka (2016), section 2, https://arxiv.org/abs/1606.00709"

PROOFS = (
    Proof(
        id="gan.divergence_from_logits",
        title="Every discriminator measures a part of the divergence",
        statement=r"""\log 2 + \tfrac12\,\mathbb E_p[\log D] + \tfrac12\,\mathbb E_q[\log(1 - D)]
            \;\le\; \mathrm{JSD}(p \Vert q), \qquad \text{with equality at } D = \frac{p}{p + q}""",
        assumptions=r"The means are taken over the laws $p$ and $q$ themselves. On samples that "
        "the discriminator was trained on, the left side can be larger.",
        source=f"Goodfellow et al. (2014), theorem 1, {GOODFELLOW}",
        checks=(
            Check(
                "enumeration",
                "200 random discriminators on 5 images: none exceeds the divergence",
                _bound_by_any_discriminator,
                1e-12,
            ),
            Check("enumeration", "equality at the best logits", _bound_is_reached, 1e-12),
        ),
    ),
    Proof(
        id="gan.generator_curvature",
        title="Two losses with one optimum pull with different strength",
        statement=r"""\nabla_\theta\, \mathbb E_{q_\theta}[\ell(D^*)]
            = \nabla_\theta\, \mathbb E_{q_\theta}[f(p / q_\theta)], \qquad
            -r\, f''(r) = \frac{d}{dr}\, \ell\!\left( \frac{r}{r + 1} \right)
            \;\Rightarrow\; f''(r) = \begin{cases}
            \dfrac{1}{r\,(1 + r)} & \ell(D) = \log(1 - D), \\[2ex]
            \dfrac{1}{r^2\,(1 + r)} & \ell(D) = -\log D
            \end{cases}""",
        assumptions=r"$D^*$ is the best discriminator for the current $\theta$ and then held "
        r"fixed, $r = p / q_\theta$, so that $D^* = r / (r + 1)$.",
        source=f"Arjovsky and Bottou (2017), theorem 2.5, https://arxiv.org/abs/1701.04862; "
        f"{F_DIVERGENCES}",
        checks=(
            Check(
                "SymPy identity",
                "slopes of both losses, second derivatives of the two divergences",
                _curvatures_in_symbols,
                0,
            ),
            Check(
                "autograd",
                "from the saturating loss, 17 ratios",
                lambda: _curvature_from_the_loss(True),
                1e-10,
            ),
            Check(
                "autograd",
                "from the non-saturating loss, 17 ratios",
                lambda: _curvature_from_the_loss(False),
                1e-10,
            ),
            Check(
                "autograd",
                "second derivatives of the divergences at the data",
                lambda: max(_curvature_from_the_divergence(s) for s in (True, False)),
                1e-10,
            ),
            Check("enumeration", "five ratios, no option", _default_is_honest, 1e-12),
        ),
    ),
    Proof(
        id="gan.total_loss",
        title="No player minimises the sum of both losses",
        statement=r"""\mathcal L_D + \mathbb E_q[\log(1 - D)] = \mathbb E_p[-\log D], \qquad
            \min_{D(G)} \left[ -\log D(G) - \log(1 - D(G)) \right] = \log 4
            \;\text{ at }\; D(G) = \tfrac12""",
        assumptions=r"$\mathcal L_D$ is the cross-entropy of the discriminator. Left: with the "
        "zero-sum loss the sum does not depend on the generator. Right: with the non-saturating "
        r"loss and $D$ held fixed, the sum draws each picture to where $D = \tfrac12$.",
        source=f"Goodfellow et al. (2014), section 3, {GOODFELLOW}",
        checks=(
            Check("autograd", "the zero-sum loss, 7 and 5 logits", _zero_sum, 1e-12),
            Check("SymPy identity", "place and value of the least sum", _target_in_symbols, 0),
            Check("optimisation", "four free logits of fakes", _target_of_the_losses, 1e-10),
        ),
    ),
    Proof(
        id="gan.unfrozen_discriminator",
        title="A discriminator that the generator's step moves too",
        statement=r"""\arg\min_D\, (\mathcal L_D + \mathcal L_G) = \frac{p + q}{p + 2q}, \qquad
            f''(r) = \frac{1}{r\,(r + 1)\,(r + 2)}, \qquad
            \mathbb E_q[f] = \tfrac12 \mathrm{KL}(p \Vert a) + \tfrac32 \mathrm{KL}(b \Vert a)
            + \text{const}""",
        assumptions=r"$\mathcal L_G = \mathbb E_q[-\log D]$; $a = (p + q)/2$, $b = (p + 2q)/3$; "
        r"the generator's gradient is taken at this discriminator. More generally, with weight "
        r"$c$ of the fakes shown as real, $D = (p + cq)/(p + (1 + c)q)$.",
        source=f"Goodfellow et al. (2014), proposition 1, with other labels, {GOODFELLOW}; "
        f"{F_DIVERGENCES}",
        checks=(
            Check("optimisation", "free logits on five images", _optimum_of_the_sum, 1e-10),
            Check(
                "enumeration",
                "shares of the label for four weights, empty points among them",
                _shares_of_the_label,
                1e-12,
            ),
            Check(
                "autograd",
                "the generator's gradient on nine images",
                _gradient_against_the_unfrozen,
                1e-12,
            ),
            Check("enumeration", "the divergence as a mean of f", _divergence_as_mean, 1e-12),
            Check("SymPy identity", "second derivative, value at 1", _unfrozen_in_symbols, 0),
        ),
    ),
    Proof(
        id="gan.stuck_generator",
        title="A loop that trains the discriminator twice and the generator never",
        statement=r"""\arg\min_D\; \tfrac12 \mathbb E_p[-\log D]
            + \tfrac12 \mathbb E_q[-\log(1 - D)] + \mathbb E_q[-\log D]
            = \frac{\tfrac12 p + q}{\tfrac12 p + \tfrac12 q + q}
            = \frac{p + 2q}{p + 3q}, \qquad D(\text{fake}) = \tfrac23 \;\text{ where } p = 0""",
        assumptions=r"The generator's law $q$ never changes; $D$ may take any value at any image.",
        source=f"Goodfellow et al. (2014), proposition 1, with other labels, {GOODFELLOW}",
        checks=(
            Check(
                "optimisation",
                "what the loop prints, from six free logits",
                _long_run_by_optimisation,
                1e-10,
            ),
            Check(
                "enumeration",
                "laws apart and equal laws",
                _long_run_apart_and_together,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D18": ("gan.optimal_discriminator",),
    "D19": ("gan.value_is_jsd", "gan.divergence_from_logits"),
    "D20": (
        "gan.loss_gradients",
        "gan.nonsaturating_is_not_zero_sum",
        "gan.generator_curvature",
    ),
    "D21": ("gan.total_loss", "gan.unfrozen_discriminator", "gan.stuck_generator"),
}
