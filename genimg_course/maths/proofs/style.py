"""Proofs about style: statistics that are matched, kernels that are scaled, codes pulled in."""

from __future__ import annotations

import sympy
import torch
from torch import Tensor

from genimg_course.maths import style
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _features() -> tuple[Tensor, Tensor]:
    """Return three feature maps at five places, of two pictures."""
    return n.normal(1, 3, 5), n.normal(2, 3, 5)


def _gram_is_a_discrepancy() -> float:
    a, b = _features()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        """Return the mean of the squared inner product over all pairs of places."""
        return torch.stack([(u @ v) ** 2 for u in x.T for v in y.T]).mean()

    discrepancy = kernel(a, a) + kernel(b, b) - 2 * kernel(a, b)
    gap = style.gram_matrix(a) - style.gram_matrix(b)
    loss = style.style_loss(a, style.gram_matrix(b))
    return max(n.gap(gap.square().sum() / 25, discrepancy), n.gap(4 * 9 * loss, discrepancy))


def _gradient_of_the_style() -> float:
    a, b = _features()
    target = style.gram_matrix(b)
    (gradient,) = torch.autograd.grad(style.style_loss(a.requires_grad_(), target), a)
    return n.gap(gradient, ((a @ a.T - b @ b.T) @ a / (3**2 * 5**2)).detach())


def _statistics_after_normalisation() -> float:
    content, mean, std = n.normal(3, 2, 3, 4, 5), n.normal(4, 2, 3), n.normal(5, 2, 3).exp()
    result = style.adaptive_instance_norm(content, mean, std).reshape(2, 3, 20)
    centre = result.mean(dim=2)
    spread = ((result - centre[..., None]) ** 2).mean(dim=2)
    # what it does to the content is a stretch: the order of the places stays
    plain = content.reshape(2, 3, 20)
    ratio = (result - centre[..., None]) / (plain - plain.mean(dim=2, keepdim=True))
    gaps = [
        n.gap(centre, mean),
        n.gap(spread, std**2),
        n.gap(ratio, ratio[..., :1].expand_as(ratio)),
    ]
    return max(gaps) if bool((ratio > 0).all()) else float("inf")


def _unit_outputs() -> float:
    weight, factors = n.normal(6, 4, 3, 3, 3), n.normal(7, 3)
    eps = 0.25  # large, so that a slip in it shows
    power = sum((factors[i] * weight[:, i]).square().sum(dim=(1, 2)) for i in range(3))
    assert isinstance(power, Tensor)
    kernel = style.demodulate(weight, factors, eps=eps)
    exact = style.demodulate(weight, factors)
    variance = kernel.square().sum(dim=(1, 2, 3))  # of an output, where inputs have variance 1
    ratio = exact[1, 0] / weight[1, 0] * weight[1, 2] / exact[1, 2]
    return max(
        n.gap(variance, power / (power + eps)),
        (1 - exact.square().sum(dim=(1, 2, 3)) - 1e-8 / power).abs().max().item() * 1e2,
        n.gap(ratio, (factors[0] / factors[2]).expand(3, 3)),
        float((exact * weight * factors[:, None, None] < 0).any()),
    )


def _truncated_moment() -> float:
    worst = 0.0
    points, weight = n.gauss_legendre(60)
    for limit in (0.5, 1.0, 2.4):
        density = torch.exp(-((limit * points) ** 2) / 2)
        second = (weight @ ((limit * points) ** 2 * density)) / (weight @ density)
        worst = max(worst, abs(second.item() - style.truncated_normal_variance(limit)))
    return worst


def _truncated_symbolically() -> float:
    z, c = sympy.symbols("z c", positive=True)
    density = sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)
    mass = sympy.erf(c / sympy.sqrt(2))
    second = 2 * sympy.integrate(z**2 * density, (z, 0, c)) / mass
    phi = density.subs(z, c)
    return n.exact(sympy.expand((second - 1 + 2 * c * phi / mass) * mass))


def _covariance_of_truncated_codes() -> float:
    w, mean = n.normal(8, 9, 3), n.normal(9, 3)
    pulled = style.truncate(w, mean, psi=0.7)
    there = style.truncate(mean[None], mean, psi=0.3)
    return max(
        n.gap(torch.cov(pulled.T), 0.49 * torch.cov(w.T)),
        n.gap(there, mean[None]),
        n.gap(pulled.mean(dim=0) - mean, 0.7 * (w.mean(dim=0) - mean)),
        n.gap(style.truncate(w, mean, psi=1.0), w),
    )


PROOFS = (
    Proof(
        id="style.gram_is_mmd",
        title="Matching Gram matrices is matching laws of features",
        statement=r"""\frac1{M^2} \lVert F_a F_a^\top - F_b F_b^\top \rVert_F^2
            = \mathrm{MMD}^2_{k}(F_a, F_b) \;\text{ with } k(x, y) = (x^\top y)^2, \qquad
            \frac{\partial E}{\partial F} = \frac{(F F^\top - A)\, F}{N^2 M^2}""",
        assumptions=r"$N$ maps at $M$ places; each place is also paired with itself; "
        r"$E = \lVert F F^\top - A \rVert_F^2 / (4 N^2 M^2)$.",
        source="Gatys et al. (2015), equations 3 to 6, https://arxiv.org/abs/1508.06576; "
        "Li et al. (2017), https://arxiv.org/abs/1701.01036",
        checks=(
            Check("enumeration", "all pairs of places", _gram_is_a_discrepancy, 1e-11),
            Check("autograd", "the gradient of the package's loss", _gradient_of_the_style, 1e-12),
        ),
    ),
    Proof(
        id="style.adain",
        title="Adaptive instance normalisation gives each map the style's mean and spread",
        statement=r"""\mu\!\left(\mathrm{AdaIN}(x, y)\right) = \mu(y), \qquad
            \sigma\!\left(\mathrm{AdaIN}(x, y)\right) = \sigma(y)""",
        assumptions="No map of the content is constant; moments over places, divided by their "
        "number.",
        source="Huang and Belongie (2017), equation 8, https://arxiv.org/abs/1703.06868",
        checks=(
            Check("linear algebra", "means, spreads, order", _statistics_after_normalisation, 1e-9),
        ),
    ),
    Proof(
        id="stylegan.demodulation",
        title="Demodulated kernels keep unit variance",
        statement=r"""w''_{oijk} = \frac{s_i\, w_{oijk}}{\sqrt{\sum_{i,j,k} (s_i w_{oijk})^2
            + \epsilon}} \;\Rightarrow\; \mathrm{Var}(y_o)
            = \sum_{i,j,k} (w''_{oijk})^2 \approx 1""",
        assumptions=r"Inputs are independent with unit variance; $\epsilon$ is small.",
        source="Karras et al. (2020), equations 1 to 3, https://arxiv.org/abs/1912.04958",
        checks=(
            Check(
                "linear algebra", "variance with a large and a small epsilon", _unit_outputs, 1e-10
            ),
        ),
    ),
    Proof(
        id="stylegan.truncation",
        title="Truncation shrinks the variance of the noise, and of the codes",
        statement=r"""\mathrm{Var}\left(z \mid |z| < c\right)
            = 1 - \frac{2 c\, \varphi(c)}{\mathrm{erf}(c / \sqrt 2)}, \qquad
            w' = \bar w + \psi (w - \bar w) \;\Rightarrow\; \Sigma' = \psi^2 \Sigma""",
        assumptions=r"$z$ is standard normal with density $\varphi$ and drawn again outside the "
        "limit.",
        source="Brock et al. (2019), section 3.1, https://arxiv.org/abs/1809.11096; "
        "Karras et al. (2019), appendix B, https://arxiv.org/abs/1812.04948",
        checks=(
            Check("SymPy identity", "the second moment", _truncated_symbolically, 0),
            Check("quadrature", "three limits", _truncated_moment, 1e-12),
            Check("linear algebra", "covariance and mean", _covariance_of_truncated_codes, 1e-12),
        ),
    ),
)

ROWS = {
    "D40": ("style.gram_is_mmd", "style.adain"),
    "D58": ("stylegan.truncation",),
    "D58c": ("stylegan.demodulation",),
}
