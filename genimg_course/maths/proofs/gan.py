"""Proofs about the adversarial game: its best discriminator and its value."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course import losses
from genimg_course.maths import discriminators, divergences
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


def _stationary_for_the_loss() -> float:
    real, fake, p, q = n.batches()
    logits = torch.logit(discriminators.optimal_discriminator(p, q)).requires_grad_()
    loss = losses.discriminator_loss(logits[real], logits[fake])
    return torch.autograd.grad(loss, logits)[0].abs().max().item()


def _optimum(prior: float) -> float:
    p, q = n.law(1, 2, 12)

    def loss(a: Tensor) -> Tensor:
        return prior * (p @ F.softplus(-a)) + (1 - prior) * (q @ F.softplus(a))

    best = n.minimise(loss, torch.zeros(12, dtype=torch.float64))
    return n.gap(torch.sigmoid(best), discriminators.optimal_discriminator(p, q, prior=prior))


def _best_accuracy() -> float:
    p, q = n.law(2, 2, 8)
    rules = n.tuples(2, 8).double()  # every way to call some of 8 images real, (256, 8)
    accuracy = 0.5 * (rules @ p + (1 - rules) @ q)
    rule = (discriminators.optimal_discriminator(p, q) > 0.5).double()
    bound = 0.5 + 0.5 * divergences.total_variation(p, q)
    reached = 0.5 * (rule @ p + (1 - rule) @ q)
    return n.gap(torch.stack([accuracy.max(), reached]), bound.expand(2))


def _pairs_of_laws() -> list[tuple[Tensor, Tensor]]:
    p, q = n.law(3, 2, 6)
    half = n.float64([0.5, 0.5, 0.0, 0.0])
    return [
        (p, q),
        (p, p),
        (half, half.flip(0)),
        (half, torch.full((4,), 0.25, dtype=torch.float64)),
    ]


def _value_at_the_optimum() -> float:
    worst = 0.0
    for p, q in _pairs_of_laws():
        d = discriminators.optimal_discriminator(p, q)
        expected = 2 * divergences.jensen_shannon(p, q) - math.log(4)
        worst = max(worst, n.gap(discriminators.gan_value(p, q, d), expected))
    return worst


def _two_divergences_from_the_middle() -> float:
    """Split the value at the best discriminator as the derivation does."""
    worst = 0.0
    for p, q in _pairs_of_laws():
        m = (p + q) / 2
        value = discriminators.gan_value(p, q, discriminators.optimal_discriminator(p, q))
        logs = sum(
            a * math.log(a / (2 * c))
            for law in (p, q)
            for a, c in zip(law.tolist(), m.tolist(), strict=True)
            if a > 0
        )
        apart = divergences.kl_divergence(p, m) + divergences.kl_divergence(q, m)
        worst = max(worst, abs(value.item() - logs), n.gap(value, apart - 2 * math.log(2)))
    return worst


def _loss_by_hand() -> float:
    real, fake, p, q = n.batches()
    logits = 2 * n.normal(4, 5)
    d = torch.sigmoid(logits)
    loss = losses.discriminator_loss(logits[real], logits[fake])
    return max(
        n.gap(loss, -(p @ d.log()) - q @ (1 - d).log()),
        n.gap(loss, -discriminators.gan_value(p, q, d)),
    )


def _range_of_the_divergence() -> float:
    p, q = _pairs_of_laws()[0]
    disjoint = divergences.jensen_shannon(*_pairs_of_laws()[2])
    equal = divergences.jensen_shannon(p, p)
    ends = torch.stack([disjoint - math.log(2), equal])
    between = divergences.jensen_shannon(p, q).item()
    return ends.abs().max().item() if 0 < between < math.log(2) else math.inf


def _value_by_optimisation() -> float:
    real, fake, p, q = n.batches()
    start = torch.zeros(5, dtype=torch.float64)
    best = n.minimise(lambda a: losses.discriminator_loss(a[real], a[fake]), start)
    found = losses.discriminator_loss(best[real], best[fake])
    return n.gap(found, math.log(4) - 2 * divergences.jensen_shannon(p, q))


GOODFELLOW = "https://arxiv.org/abs/1406.2661"

PROOFS = (
    Proof(
        id="gan.optimal_discriminator",
        title="The optimal discriminator",
        statement=r"""D^*(x) = \frac{\pi\, p(x)}{\pi\, p(x) + (1 - \pi)\, q(x)}, \qquad
            \max_D \Pr[\text{right}] = \tfrac12 + \tfrac12\, \mathrm{TV}(p, q)
            \;\text{ at } \pi = \tfrac12""",
        assumptions=r"The discriminator may take any value at any image; the generator's law $q$ "
        r"is fixed; a share $\pi$ of the images shown is real.",
        source=f"Goodfellow et al. (2014), proposition 1, {GOODFELLOW}",
        checks=(
            Check(
                "autograd",
                "the gradient of the package's loss vanishes there",
                _stationary_for_the_loss,
                1e-12,
            ),
            Check(
                "optimisation",
                "12 free logits, shares of real images 0.5, 0.2 and 0.9",
                lambda: max(_optimum(prior) for prior in (0.5, 0.2, 0.9)),
                1e-10,
            ),
            Check("enumeration", "accuracy of all 256 rules on 8 images", _best_accuracy, 1e-12),
        ),
    ),
    Proof(
        id="gan.value_is_jsd",
        title="The value of the game is a Jensen-Shannon divergence",
        statement=r"""\begin{aligned} V(D, G) &= -\mathcal L_D, \qquad
            \mathcal L_D = \mathbb E_p[-\log D(x)] + \mathbb E_q[-\log(1 - D(x))], \\
            \max_D V(D, G) &= V(D^*, G) = \mathbb E_p\!\left[ \log \frac{p}{2m} \right]
            + \mathbb E_q\!\left[ \log \frac{q}{2m} \right]
            = -2 \log 2 + \mathrm{KL}(p \Vert m) + \mathrm{KL}(q \Vert m) \\
            &= -\log 4 + 2\, \mathrm{JSD}(p \Vert q), \qquad
            0 \le \mathrm{JSD} \le \log 2 \end{aligned}""",
        assumptions=r"From the second line on the discriminator is optimal; it sees as many real "
        r"as generated images, $m = \frac12 (p + q)$; $q$ is the law of $G(z)$.",
        source=f"Goodfellow et al. (2014), theorem 1, {GOODFELLOW}; "
        "Lin (1991), https://doi.org/10.1109/18.61115",
        checks=(
            Check(
                "enumeration",
                "the package's loss on 12 real and 10 generated images by hand",
                _loss_by_hand,
                1e-12,
            ),
            Check(
                "enumeration",
                "both logarithms and both divergences from the middle, the same laws as below",
                _two_divergences_from_the_middle,
                1e-12,
            ),
            Check(
                "enumeration",
                "random, equal, disjoint and nested laws",
                _value_at_the_optimum,
                1e-12,
            ),
            Check(
                "enumeration",
                "0 for equal laws, log 2 for disjoint ones, between them otherwise",
                _range_of_the_divergence,
                1e-12,
            ),
            Check(
                "optimisation",
                "the least of the package's loss over 5 free logits",
                _value_by_optimisation,
                1e-10,
            ),
        ),
    ),
)
