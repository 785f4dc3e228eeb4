"""Proofs about rate and distortion: the best noise of a decoder, and what a code can know."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor

from genimg_course.maths import divergences, information_plane, likelihoods, linear_vae
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _noise_in_symbols() -> float:
    noise, error, pixels = sympy.symbols("nu M D", positive=True)
    nll = pixels * error / (2 * noise) + pixels * sympy.log(2 * sympy.pi * noise) / 2
    (best,) = sympy.solve(sympy.diff(nll, noise), noise)
    least = pixels * (1 + sympy.log(2 * sympy.pi * error)) / 2
    curvature = sympy.diff(nll, noise, 2).subs(noise, best)
    return n.exact(
        best - error,
        sympy.expand_log(nll.subs(noise, best) - least),
        curvature * 2 - pixels / error**2,
    )


def _least_loss() -> float:
    x_hat, x = n.normal(1, 5, 2, 3), 1.7 * n.normal(2, 5, 2, 3)
    noise = information_plane.optimal_noise(x_hat, x).item()
    nll = likelihoods.gaussian_nll(x_hat, x, sigma=noise**0.5).mean()
    return abs(nll.item() - 3 * (1 + math.log(2 * math.pi * noise)))


def _noise_by_descent() -> float:
    x_hat, x = n.normal(3, 4, 7), n.normal(4, 4, 7)

    def loss(log_noise: Tensor) -> Tensor:
        law = torch.distributions.Normal(x_hat, (0.5 * log_noise).exp())
        return -law.log_prob(x).mean()

    best = n.minimise(loss, n.float64([0.5]))
    return n.gap(best[0].exp(), information_plane.optimal_noise(x_hat, x))


def _information() -> float:
    p, encoder = n.law(5, 6), torch.softmax(2 * n.normal(6, 6, 4), dim=1)
    decoder, prior = n.law(7, 4, 6), n.law(8, 4)
    joint, aggregate = p[:, None] * encoder, p @ encoder
    rate = p @ divergences.kl_divergence(encoder, prior.expand(6, 4))
    distortion = -(joint * decoder.T.log()).sum()
    entropy = -(p * p.log()).sum()
    information = (joint * (joint / p.outer(aggregate)).log()).sum()
    wrong_aggregate = divergences.kl_divergence(aggregate, prior)
    wrong_decoder = aggregate @ divergences.kl_divergence((joint / aggregate).T, decoder)
    found = information_plane.information_bounds(
        rate[None], distortion[None], entropy=entropy.item()
    )
    exact = torch.stack([rate + distortion, rate, wrong_aggregate + wrong_decoder])
    order = max(0.0, (found["at_least"] - information).item(), (information - rate).item())
    keys = ("negative_elbo", "at_most", "excess")
    return max(order, n.gap(torch.cat([found[key] for key in keys]), exact))


def _lower_bound() -> float:
    # a decoder that knows the law of pictures for every code leaves no gap below
    p, encoder = n.law(9, 5), torch.softmax(3 * n.normal(10, 5, 3), dim=1)
    joint, aggregate = p[:, None] * encoder, p @ encoder
    distortion = -(joint * (joint / aggregate).log()).sum()
    entropy = -(p * p.log()).sum()
    information = (joint * (joint / p.outer(aggregate)).log()).sum()
    both = torch.stack([distortion, entropy + 0.3])  # the second explains less than nothing
    found = information_plane.information_bounds(both + 1, both, entropy=entropy.item())
    return n.gap(found["at_least"], torch.stack([information, torch.zeros_like(entropy)]))


def _slope_of_the_curve() -> float:
    variances, worst = n.float64([3.0, 1.4, 0.5, 0.2]), 0.0
    for number in (0.3, 1.7, 4.1):
        beta = n.float64(number).requires_grad_()
        best = linear_vae.optimal_linear_vae(
            variances,
            beta=beta,  # type: ignore[arg-type]
            noise=0.3,
        )
        slopes = [
            torch.autograd.grad(best[key].sum(), beta, retain_graph=True)[0]
            for key in ("rate", "distortion")
        ]
        worst = max(worst, n.gap(slopes[1], -beta.detach() * slopes[0]))
    return worst


PROOFS = (
    Proof(
        id="vae.optimal_noise",
        title="The best noise of a Gaussian decoder is its mean squared error per pixel",
        statement=r"""\sigma^{2*} = \arg\min_{\sigma^2} \mathbb E\left[
            \frac{\lVert x - \hat x \rVert^2}{2\sigma^2} + \frac D2 \log 2\pi\sigma^2 \right]
            = \frac1D\, \mathbb E \lVert x - \hat x \rVert^2, \qquad
            \text{least value}\ \frac D2 \left( 1 + \log 2\pi\sigma^{2*} \right)""",
        assumptions=r"One variance for all $D$ pixels and all pictures; the means $\hat x$ are "
        "given and not all exact.",
        source="Rybkin, Daniilidis and Levine (2021), https://arxiv.org/abs/2006.13202",
        checks=(
            Check(
                "SymPy identity", "stationary point, least value, curvature", _noise_in_symbols, 0
            ),
            Check(
                "optimisation",
                "the variance that minimises the loss of torch.distributions",
                _noise_by_descent,
                1e-10,
            ),
            Check(
                "linear algebra",
                "the package's loss at the package's noise has the least value",
                _least_loss,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.information_bounds",
        title="Rate and distortion enclose the information of the code",
        statement=r"""H - D \le I_q(x; z) \le R, \qquad
            D + R - H = \mathrm{KL}\left(q(z) \Vert p(z)\right)
            + \mathbb E_{q(z)} \mathrm{KL}\left(q(x \mid z) \Vert p(x \mid z)\right) \ge 0""",
        assumptions=r"$H$ is the entropy of the data, $D$ the mean of $-\log p(x \mid z)$, $R$ the "
        r"mean KL of the code from the prior; $q(x \mid z)$ is the law of the pictures that have "
        r"this code.",
        source="Alemi et al. (2018), https://arxiv.org/abs/1711.00464; Hoffman and Johnson (2016), "
        "http://approximateinference.org/2016/accepted/HoffmanJohnson2016.pdf",
        checks=(
            Check(
                "enumeration",
                "6 pictures, 4 codes: order of the bounds, and both gaps",
                _information,
                1e-12,
            ),
            Check(
                "enumeration",
                "the lower bound is reached by the best decoder, and never negative",
                _lower_bound,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="vae.rate_distortion_slope",
        title="Beta is the slope of the rate-distortion curve",
        statement=r"""F_\beta = \min \left( D + \beta R \right), \qquad
            \frac{dD}{dR} = -\beta""",
        assumptions=r"At the minimum, where it depends smoothly on $\beta$; checked on the linear "
        "VAE, away from the thresholds.",
        source="Alemi et al. (2018), https://arxiv.org/abs/1711.00464; "
        "Higgins et al. (2017), https://openreview.net/forum?id=Sy2fzU9gl",
        checks=(
            Check(
                "autograd",
                "derivatives of distortion and rate with respect to beta",
                _slope_of_the_curve,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D14": (
        "vae.optimal_noise",
        "vae.beta_is_noise",
        "vae.information_bounds",
        "vae.rate_distortion_slope",
    )
}
"""Rows of the list of derivations and the proofs that cover them."""
