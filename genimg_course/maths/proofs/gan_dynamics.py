"""Proofs about a generator's gradients."""

from __future__ import annotations

import sympy
import torch

from genimg_course import losses
from genimg_course.maths import discriminators, divergences
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]


def _slopes_in_symbols() -> float:
    a = sympy.Symbol("a", real=True)
    d = 1 / (1 + sympy.exp(-a))
    return n.exact(
        sympy.diff(sympy.log(1 - d), a) + d,
        sympy.diff(-sympy.log(d), a) + (1 - d),
    )


def _slopes_of_the_loss(saturating: bool) -> float:
    a = torch.linspace(-20, 20, 41, dtype=torch.float64).requires_grad_()
    loss = losses.generator_loss(a, saturating=saturating)
    (slope,) = torch.autograd.grad(loss * len(a), a)
    return n.gap(slope, -torch.sigmoid(a if saturating else -a))


def _slopes_of_the_package() -> float:
    a = torch.linspace(-6, 8, 9, dtype=torch.float64).requires_grad_()
    found = discriminators.generator_slopes(torch.sigmoid(a.detach()))
    worst = 0.0
    for name, saturating in (("saturating", True), ("non_saturating", False)):
        loss = losses.generator_loss(a, saturating=saturating)
        (slope,) = torch.autograd.grad(loss * len(a), a)
        worst = max(worst, n.gap(found[name], slope))
    return worst


def _gradient_at_the_optimum(saturating: bool) -> float:
    p, theta = n.law(4, 12), n.normal(5, 12).requires_grad_()
    q = torch.softmax(theta, dim=0)
    logits = torch.logit(discriminators.optimal_discriminator(p, q)).detach()  # D is frozen
    each = [losses.generator_loss(a[None], saturating=saturating) for a in logits]
    (slope,) = torch.autograd.grad(q @ torch.stack(each), theta, retain_graph=True)
    target = 2 * divergences.jensen_shannon(p, q)
    if not saturating:
        target = divergences.kl_divergence(q, p) - target
    return n.gap(slope, torch.autograd.grad(target, theta)[0])


PROOFS = (
    Proof(
        id="gan.loss_gradients",
        title="What the two generator losses return for a logit",
        statement=r"""\frac{\partial}{\partial a} \log(1 - \sigma(a)) = -\sigma(a), \qquad
            \frac{\partial}{\partial a} \left[ -\log \sigma(a) \right] = -(1 - \sigma(a))""",
        assumptions=r"$a$ is the discriminator's logit for a generated image, $D = \sigma(a)$; in "
        "the mean over a batch each slope is divided by the number of images.",
        source="Goodfellow et al. (2014), section 3, https://arxiv.org/abs/1406.2661",
        checks=(
            Check("SymPy identity", "both derivatives", _slopes_in_symbols, 0),
            Check(
                "autograd",
                "the saturating loss, logits from -20 to 20",
                lambda: _slopes_of_the_loss(True),
                1e-12,
            ),
            Check(
                "autograd",
                "the non-saturating loss, logits from -20 to 20",
                lambda: _slopes_of_the_loss(False),
                1e-12,
            ),
            Check(
                "autograd",
                "both slopes as functions of what the discriminator says",
                _slopes_of_the_package,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="gan.nonsaturating_is_not_zero_sum",
        title="The non-saturating loss does not descend the Jensen-Shannon divergence",
        statement=r"""\begin{aligned}
            \nabla_\theta\, \mathbb E_{q_\theta}[\log(1 - D^*)]
            &= \nabla_\theta\, 2\, \mathrm{JSD}(p \Vert q_\theta), \\
            \nabla_\theta\, \mathbb E_{q_\theta}[-\log D^*]
            &= \nabla_\theta \left[ \mathrm{KL}(q_\theta \Vert p)
            - 2\, \mathrm{JSD}(p \Vert q_\theta) \right]
            \end{aligned}""",
        assumptions=r"$D^*$ is optimal for the current $\theta$ and then held fixed.",
        source="Arjovsky and Bottou (2017), theorem 2.5, https://arxiv.org/abs/1701.04862",
        checks=(
            Check(
                "autograd",
                "12 images, the saturating loss",
                lambda: _gradient_at_the_optimum(True),
                1e-12,
            ),
            Check(
                "autograd",
                "12 images, the non-saturating loss",
                lambda: _gradient_at_the_optimum(False),
                1e-12,
            ),
        ),
    ),
)
