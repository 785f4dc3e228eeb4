"""Proofs about the least-squares and the hinge loss: their best critics, and what they measure."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import divergences, f_divergences, optimal_critics
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _least_squares_optimum(real_target: float, fake_target: float) -> float:
    real, fake, p, q = n.batches()
    targets = {"real_target": real_target, "fake_target": fake_target}

    def loss(a: Tensor) -> Tensor:
        return losses.least_squares_discriminator_loss(a[real], a[fake], **targets)

    best = n.minimise(loss, torch.zeros(5, dtype=torch.float64))
    return n.gap(best, optimal_critics.least_squares_critic(p, q, **targets))


def _defaults() -> float:
    """Targets that nobody names are 1 for real and 0 for generated images."""
    real, fake, p, q = n.batches()
    a = n.normal(1, 5)
    by_hand = sum((v - 1) ** 2 for v in a[real]) / 24 + sum(v**2 for v in a[fake]) / 20
    found = losses.least_squares_discriminator_loss(a[real], a[fake])
    critic = optimal_critics.least_squares_critic(p, q)
    g = losses.least_squares_generator_loss(a[fake])
    return n.worst(
        n.gap(found, by_hand),
        n.gap(critic, p / (p + q)),
        n.gap(g, sum((v - 1) ** 2 for v in a[fake]) / 20),
    )


def _least_squares_value() -> float:
    """Evaluate the generator's objective, on both laws, at the best critic for targets -1 and 1."""
    real, fake, p, q = n.batches()
    d = optimal_critics.least_squares_critic(p, q, real_target=1.0, fake_target=-1.0)
    value = losses.least_squares_generator_loss(d[real], target=0.0)
    value = value + losses.least_squares_generator_loss(d[fake], target=0.0)
    chi2 = ((2 * q - (p + q)) ** 2 / (p + q)).sum()
    pearson = 2 * f_divergences.f_divergence(q, (p + q) / 2, "pearson")
    return n.worst(n.gap(2 * value, chi2), n.gap(2 * value, pearson))


def _hinge_value() -> float:
    real, fake, p, q = n.batches()
    d = optimal_critics.hinge_critic(p, q)
    value = losses.hinge_discriminator_loss(d[real], d[fake])
    expected = 2 * (1 - divergences.total_variation(p, q))
    return n.worst(n.gap(value, expected), n.gap(value, 2 * torch.minimum(p, q).sum()))


def _hinge_search() -> float:
    """No output on a grid of steps of one half costs less, image by image."""
    real, fake, p, q = n.batches()
    d = optimal_critics.hinge_critic(p, q)
    least = losses.hinge_discriminator_loss(d[real], d[fake])
    outputs = (n.tuples(9, 5).double() - 4) / 2  # -2 to 2, all 59049 choices
    costs = (p * (1 - outputs).clamp_min(0) + q * (1 + outputs).clamp_min(0)).sum(dim=1)
    among = torch.tensor([0, 17, 5000, 40000, 59048])
    direct = [losses.hinge_discriminator_loss(a[real], a[fake]) for a in outputs[among]]
    return n.worst(n.gap(costs.min(), least), n.gap(torch.stack(direct), costs[among]))


def _hinge_generator() -> float:
    """The generator's slope has the same size at every output, inside the margin or beyond."""
    a = (4 * n.normal(2, 6)).requires_grad_()
    loss = losses.hinge_generator_loss(a)
    (slope,) = torch.autograd.grad(loss, a)
    flat = torch.full((6,), -1 / 6, dtype=torch.float64)
    return n.worst(n.gap(slope, flat), n.gap(loss, a.detach() @ flat))


def _hinge_zero_sum() -> float:
    """At the best critic the generator's loss is what it can change of twice the variation."""
    real, fake, p, q = n.batches()
    d = optimal_critics.hinge_critic(p, q)
    value = losses.hinge_generator_loss(d[fake]) - losses.hinge_generator_loss(d[real])
    return n.gap(value, 2 * divergences.total_variation(p, q))


MAO = "Mao et al. (2017), equations 5 to 9, https://arxiv.org/abs/1611.04076"

PROOFS = (
    Proof(
        id="gan.least_squares_optimum",
        title="The least-squares discriminator averages the targets",
        statement=r"""D^*(x) = \frac{b\, p(x) + a\, q(x)}{p(x) + q(x)}, \qquad
            2\, C(G) = \sum_x \frac{(2q - (p + q))^2}{p + q}
            \;\text{ for } b - c = 1,\; b - a = 2""",
        assumptions=r"$a$ and $b$ are the targets for generated and real images, $c$ that of the "
        r"generator; $C(G) = \tfrac12 \mathbb E_p[(D^* - c)^2] + \tfrac12 \mathbb E_q[(D^* - c)^2]$"
        r". The sum is twice Pearson's $\chi^2$ between $q$ and the even mixture.",
        source=MAO,
        checks=(
            Check(
                "optimisation",
                "five free outputs, targets (1, 0), (1, -1) and (0.9, -0.3)",
                lambda: n.worst(
                    *(_least_squares_optimum(*pair) for pair in ((1, 0), (1, -1), (0.9, -0.3)))
                ),
                1e-10,
            ),
            Check("enumeration", "the targets 1, 0 and 1 when none are named", _defaults, 1e-12),
            Check("enumeration", "the value for targets -1, 1 and 0", _least_squares_value, 1e-12),
        ),
    ),
    Proof(
        id="gan.hinge_optimum",
        title="The hinge loss measures total variation",
        statement=r"""\min_D \mathcal L_D = 2 \sum_x \min(p(x), q(x)) = 2\, (1 - \mathrm{TV}(p, q)),
            \qquad D^*(x) = \mathrm{sign}(p(x) - q(x))""",
        assumptions=r"$\mathcal L_D = \mathbb E_p[\max(0, 1 - D)] + \mathbb E_q[\max(0, 1 + D)]$, "
        r"and $D$ may take any value at any image.",
        source="Lim and Ye (2017), https://arxiv.org/abs/1705.02894; "
        "Miyato et al. (2018), equation 16, https://arxiv.org/abs/1802.05957",
        checks=(
            Check("enumeration", "the loss at the sign of p - q", _hinge_value, 1e-12),
            Check("enumeration", "all 59049 choices of outputs on a grid", _hinge_search, 1e-12),
        ),
    ),
    Proof(
        id="gan.hinge_generator",
        title="The hinge generator has no margin",
        statement=r"""\mathcal L_G = -\mathbb E_q[D(x)], \qquad
            \frac{\partial \mathcal L_G}{\partial D(x_i)} = -\frac1B
            \;\text{ for every output}, \qquad
            \mathbb E_p[D^*] - \mathbb E_q[D^*] = 2\, \mathrm{TV}(p, q)""",
        assumptions=r"A batch of $B$ generated images; $D^*$ is the best discriminator of the hinge"
        r" loss.",
        source="Lim and Ye (2017), https://arxiv.org/abs/1705.02894; "
        "Miyato et al. (2018), equation 17, https://arxiv.org/abs/1802.05957",
        checks=(
            Check("autograd", "six outputs on both sides of the margin", _hinge_generator, 1e-12),
            Check("enumeration", "the mean outputs of the best critic", _hinge_zero_sum, 1e-12),
        ),
    ),
)

ROWS = {
    "D27": ("gan.least_squares_optimum",),
    "D28": ("gan.hinge_optimum", "gan.hinge_generator"),
}
