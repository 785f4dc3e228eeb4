"""Proofs about f-divergences: conjugates, activations, the variational bound and its games."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import divergences, f_divergences
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]

Law = Callable[[Tensor, Tensor], Tensor]

FORMULAS: dict[str, Law] = {
    "kl": lambda p, q: divergences.kl_divergence(p, q),
    "reverse_kl": lambda p, q: divergences.kl_divergence(q, p),
    "pearson": lambda p, q: ((p - q) ** 2 / q).sum(-1),
    "squared_hellinger": lambda p, q: ((p**0.5 - q**0.5) ** 2).sum(-1),
    "gan": lambda p, q: 2 * divergences.jensen_shannon(p, q) - math.log(4),
}
"""Each divergence in the form in which it is known."""


def _ratios() -> Tensor:
    return n.normal(1, 40).exp()


def _worst_of_all(error: Callable[[str], float]) -> float:
    return n.worst(*(error(name) for name in f_divergences.F_DIVERGENCES))


def _largest_line(name: str) -> float:
    """Search the supremum on a fine grid that also holds the points where it is reached."""
    u = _ratios()
    t = f_divergences.density_ratio_score(u, name)
    grid = torch.cat([u, torch.linspace(1e-3, 50, 5000, dtype=torch.float64)])
    values = f_divergences.convex_generator(grid, name)
    found = f_divergences.fenchel_conjugate(t, grid, values)
    return n.gap(found, f_divergences.f_conjugate(t, name))


def _beyond_the_domain(name: str) -> float:
    """The supremum grows without bound where the conjugate is infinite, and nowhere else."""
    t = n.float64([-0.7, -0.1, 0.0, 0.3, 1.0, 1.4])
    u = n.float64([1e3, 1e9, 1e15])
    lines = t[:, None] * u - f_divergences.convex_generator(u, name)
    # the conjugate of reverse KL grows like a logarithm of the range at its border
    endless = (lines.diff(dim=1) > 1).all(dim=1)
    infinite = f_divergences.f_conjugate(t, name).isinf()
    wrong = infinite if name in ("kl", "pearson") else endless != infinite
    return float(wrong.sum())


def _pearson_below_its_slopes() -> float:
    """Below -2 the closed form is the supremum over all numbers; over positive ones it is -1."""
    t = n.float64([-2.0, -2.5, -3.0, -7.0])
    u = torch.linspace(-10, 10, 20001, dtype=torch.float64)  # -t / 2 - 1 lies on this grid
    lines = t[:, None] * u - (u - 1) ** 2
    found = f_divergences.f_conjugate(t, "pearson")
    positive = torch.linspace(1e-9, 10, 20001, dtype=torch.float64)
    values = f_divergences.convex_generator(positive, "pearson")
    restricted = f_divergences.fenchel_conjugate(t, positive, values)
    return n.worst(
        n.gap(found, lines.max(dim=1).values),
        n.gap(restricted, torch.full_like(t, -1)),
        (restricted - found).clamp_min(0).max().item(),
    )


def _slope(name: str) -> float:
    u = _ratios().requires_grad_()
    (slope,) = torch.autograd.grad(f_divergences.convex_generator(u, name).sum(), u)
    return n.gap(slope, f_divergences.density_ratio_score(u.detach(), name))


COSTS: dict[str, tuple[Law, Law]] = {
    "kl": (lambda v, e: v, lambda v, e: e / math.e),
    "reverse_kl": (lambda v, e: -1 / e, lambda v, e: v - 1),
    "pearson": (lambda v, e: v, lambda v, e: v * v / 4 + v),
    "squared_hellinger": (lambda v, e: 1 - 1 / e, lambda v, e: e - 1),
    "gan": (lambda v, e: torch.log(e / (1 + e)), lambda v, e: torch.log(1 + e)),
}
"""What a raw output ``v`` earns on a real image and costs on a fake; ``e`` is its exponential."""


def _activation(name: str) -> float:
    v = torch.linspace(-6, 6, 61, dtype=torch.float64)
    score = f_divergences.output_activation(v, name)
    earns, costs = (formula(v, v.exp()) for formula in COSTS[name])
    cost = f_divergences.f_conjugate(score, name)
    rising = bool((score.diff() > 0).all())
    scale = costs.abs().clamp_min(1)
    close = n.worst(n.gap(score, earns), n.gap(cost / scale, costs / scale))
    return close if rising else math.inf


def _known_forms(name: str) -> float:
    p, q = n.law(2, 3, 7), n.law(3, 3, 7)
    return n.gap(f_divergences.f_divergence(p, q, name), FORMULAS[name](p, q))


def _tight(name: str) -> float:
    p, q = n.law(4, 3, 7), n.law(5, 3, 7)
    t = f_divergences.density_ratio_score(p / q, name)
    bound = f_divergences.variational_bound(p, q, t, name)
    alone = f_divergences.variational_bound(p[0], q[0], t[0], name)
    return n.worst(n.gap(bound, FORMULAS[name](p, q)), n.gap(alone, bound[0]))


def _never_above(name: str) -> float:
    p, q = n.law(4, 1, 7), n.law(5, 1, 7)
    t = f_divergences.output_activation(n.normal(6, 500, 7), name)
    bounds = f_divergences.variational_bound(p.expand(500, 7), q.expand(500, 7), t, name)
    return (bounds - FORMULAS[name](p, q)).clamp_min(0).max().item()


def _best_discriminator(name: str) -> float:
    """Train five free outputs; return how far the loss and the scores end from the theorem."""
    real, fake, p, q = n.batches()
    start = torch.zeros(5, dtype=torch.float64)

    def loss(v: Tensor) -> Tensor:
        return losses.f_gan_discriminator_loss(v[real], v[fake], divergence=name)

    best = n.minimise(loss, start)
    score = f_divergences.output_activation(best, name)
    expected = f_divergences.density_ratio_score(p / q, name)
    return n.worst(n.gap(-loss(best), FORMULAS[name](p, q)), n.gap(score, expected))


def _generator_slope(name: str) -> float:
    """Compare the slope of the generator's loss, discriminator frozen, with the divergence's."""
    p, theta = n.law(7, 9), n.normal(8, 9).requires_grad_()
    q = torch.softmax(theta, dim=0)
    known = FORMULAS[name](p, q)
    (expected,) = torch.autograd.grad(known, theta, retain_graph=True)
    score = f_divergences.density_ratio_score((p / q).detach(), name)
    v = _raw(score, name)
    each = [losses.f_gan_generator_loss(a[None], divergence=name, saturating=True) for a in v]
    (slope,) = torch.autograd.grad(q @ torch.stack(each), theta)
    return n.gap(slope, expected)


def _raw(score: Tensor, name: str) -> Tensor:
    """Return the raw outputs whose activation is this score."""
    inverse: dict[str, Callable[[Tensor], Tensor]] = {
        "reverse_kl": lambda t: -(-t).log(),
        "squared_hellinger": lambda t: -(1 - t).log(),
        "gan": lambda t: -torch.expm1(-t).log(),
    }
    return inverse.get(name, lambda t: t)(score)


def _gan_inside() -> float:
    real, fake = n.normal(9, 6), 3 * n.normal(10, 4)
    d = losses.f_gan_discriminator_loss(real, fake, divergence="gan")
    gaps = [n.gap(d, losses.discriminator_loss(real, fake))]
    for saturating in (False, True):
        g = losses.f_gan_generator_loss(fake, divergence="gan", saturating=saturating)
        gaps.append(n.gap(g, losses.generator_loss(fake, saturating=saturating)))
    far = n.float64([40.0, -60.0])  # exp rounds to 1 there
    for v in far:
        value = losses.f_gan_discriminator_loss(-v[None], v[None], divergence="gan")
        gaps.append(n.gap(value, 2 * F.softplus(v)))
    return n.worst(*gaps)


def _trick() -> float:
    """The other form of the generator's loss is minus the mean score, for every divergence."""
    v = n.normal(11, 7)
    found = [
        losses.f_gan_generator_loss(v, divergence=name) for name in f_divergences.F_DIVERGENCES
    ]
    expected = [-COSTS[name][0](v, v.exp()).mean() for name in COSTS]
    plain = n.gap(found[-1], losses.generator_loss(v))
    return n.worst(n.gap(torch.stack(found), torch.stack(expected)), plain)


NOWOZIN = "https://arxiv.org/abs/1606.00709"
NGUYEN = "Nguyen, Wainwright and Jordan (2010), https://doi.org/10.1109/TIT.2010.2068870"

PROOFS = (
    Proof(
        id="gan.fenchel_conjugate",
        title="The conjugate of a convex function, for five divergences",
        statement=r"""f^*(t) = \sup_{u > 0}\, \left[ ut - f(u) \right] = u\, f'(u) - f(u)
            \;\text{ at } t = f'(u), \qquad
            f^*(t) = \infty \;\text{ beyond the domain}""",
        assumptions=r"The largest slope ends the domain: $t < 0$ for reverse KL and GAN, $t < 1$ "
        r"for squared Hellinger, no end for KL and Pearson. For Pearson the course takes the "
        r"supremum over all real $u$, $f^*(t) = \frac14 t^2 + t$: the same for $t \ge -2$, where "
        r"the slopes $f'(u)$, $u > 0$, lie. For $t < -2$ it is larger than the supremum over "
        r"$u > 0$, which is $-1$, so the lower bound of the divergence stays a lower bound.",
        source=f"Nowozin, Cseke and Tomioka (2016), table 2, {NOWOZIN}",
        checks=(
            Check(
                "enumeration",
                "closed forms against the largest of 5040 lines",
                lambda: _worst_of_all(_largest_line),
                1e-10,
            ),
            Check(
                "enumeration",
                "infinite exactly where the lines rise without end",
                lambda: _worst_of_all(_beyond_the_domain),
                1e-12,
            ),
            Check(
                "enumeration",
                "Pearson at four t up to -2: 20001 lines over all u, and over u > 0",
                _pearson_below_its_slopes,
                1e-7,
            ),
            Check("autograd", "the slopes f'", lambda: _worst_of_all(_slope), 1e-12),
        ),
    ),
    Proof(
        id="gan.output_activation",
        title="The output activation keeps every score inside the domain",
        statement=r"""\begin{array}{lccccc}
            & \text{KL} & \text{reverse KL} & \text{Pearson} & \text{Hellinger}^2 & \text{GAN} \\
            g_f(v) & v & -e^{-v} & v & 1 - e^{-v} & -\log(1 + e^{-v}) \\
            f^*(g_f(v)) & e^{v-1} & v - 1 & \tfrac14 v^2 + v & e^v - 1 & \log(1 + e^v)
            \end{array}""",
        assumptions=r"$v$ is any real number; each $g_f$ rises with $v$.",
        source=f"Nowozin, Cseke and Tomioka (2016), table 2, {NOWOZIN}",
        checks=(
            Check(
                "enumeration",
                "61 outputs from -6 to 6, both rows",
                lambda: _worst_of_all(_activation),
                1e-10,
            ),
        ),
    ),
    Proof(
        id="gan.f_divergence_bound",
        title="Every critic gives a lower bound of an f-divergence",
        statement=r"""D_f(p \Vert q) = \mathbb E_q\!\left[ f\!\left( \frac pq \right) \right]
            \ge \mathbb E_p[T] - \mathbb E_q[f^*(T)], \qquad
            \text{with equality at } T^* = f'\!\left( \frac pq \right)""",
        assumptions=r"$f$ is convex and differentiable, $p$ and $q$ are positive; for GAN "
        r"$D_f = 2\,\mathrm{JSD} - \log 4$.",
        source=f"{NGUYEN}; Nowozin, Cseke and Tomioka (2016), section 2.2, {NOWOZIN}",
        checks=(
            Check(
                "enumeration",
                "five divergences in their usual forms, three pairs of laws",
                lambda: _worst_of_all(_known_forms),
                1e-12,
            ),
            Check(
                "enumeration", "equality at the slope of f", lambda: _worst_of_all(_tight), 1e-12
            ),
            Check(
                "enumeration",
                "500 random critics never exceed the divergence",
                lambda: _worst_of_all(_never_above),
                1e-12,
            ),
            Check(
                "optimisation",
                "five free outputs trained with the package's loss",
                lambda: _worst_of_all(_best_discriminator),
                1e-9,
            ),
        ),
    ),
    Proof(
        id="gan.f_gan_game",
        title="The generator descends the divergence that the critic measures",
        statement=r"""\nabla_\theta\, \mathbb E_{q_\theta}\!\left[ -f^*(T^*) \right]
            = \nabla_\theta\, D_f(p \Vert q_\theta), \qquad
            T^* \text{ held fixed}""",
        assumptions=r"$T^*$ is optimal for the current $\theta$. The other loss, $-\mathbb E_q[T]$,"
        r" keeps its gradient longer and descends something else.",
        source=f"Nowozin, Cseke and Tomioka (2016), sections 2.3 and 3.2, {NOWOZIN}",
        checks=(
            Check(
                "autograd",
                "nine images, five divergences",
                lambda: _worst_of_all(_generator_slope),
                1e-10,
            ),
            Check(
                "enumeration",
                "with f of the GAN both losses are those of the GAN",
                _gan_inside,
                1e-12,
            ),
            Check("enumeration", "the other loss, five divergences", _trick, 1e-12),
        ),
    ),
)

ROWS = {
    "D23": (
        "gan.fenchel_conjugate",
        "gan.output_activation",
        "gan.f_divergence_bound",
        "gan.f_gan_game",
    ),
}
