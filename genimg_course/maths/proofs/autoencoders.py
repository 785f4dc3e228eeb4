"""Proofs about autoencoders: the linear optimum, codes that nobody fixes, the best denoiser."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from genimg_course import losses
from genimg_course.maths import codes, denoising, mixtures, principal
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS", "ROWS"]


def _examples(seed: int = 1, count: int = 9, dims: int = 5) -> Tensor:
    """Return inputs whose directions vary by different amounts, around a mean, ``(B, D)``."""
    scales = torch.linspace(2.0, 0.3, dims, dtype=torch.float64)
    return (n.normal(seed, count, dims) * scales) @ n.normal(seed + 1, dims, dims) + 0.7


def _centred() -> tuple[Tensor, Tensor]:
    """Return centred inputs, ``(9, 5)``, and their covariance."""
    x = _examples()
    x = x - x.mean(dim=0)
    return x, x.T @ x / len(x)


def _split(weights: Tensor, dims: int, latents: int) -> tuple[Tensor, Tensor]:
    """Return an encoder ``(Z, D)`` and a decoder ``(D, Z)`` from one vector."""
    first, second = weights.split(dims * latents)
    return first.reshape(latents, dims), second.reshape(dims, latents)


def _trained(latents: int) -> tuple[Tensor, Tensor]:
    """Return the weights that Newton's method finds from a random start."""
    x, _ = _centred()
    dims = x.shape[1]

    def loss(weights: Tensor) -> Tensor:
        encoder, decoder = _split(weights, dims, latents)
        return losses.squared_error(x @ encoder.T @ decoder.T, x)

    best = n.minimise(loss, 0.4 * n.normal(3, 2 * dims * latents))
    return _split(best, dims, latents)


def _least_error() -> float:
    x, cov = _centred()
    worst = 0.0
    for latents in (1, 2):
        encoder, decoder = _trained(latents)
        found = losses.squared_error(x @ encoder.T @ decoder.T, x)
        worst = max(worst, n.gap(found, principal.linear_error(cov, latents)))
    return worst


def _span_of_the_decoder() -> float:
    _, decoder = _trained(2)
    axes = principal.principal_components(_examples()).axes[:, :2]
    return principal.subspace_angle(decoder, axes).item()


def _spectrum_by_singular_values() -> float:
    x = _examples()
    mean, axes, spectrum = principal.principal_components(x)
    _, singular, rows = torch.linalg.svd(x - x.mean(dim=0), full_matrices=False)
    variances = singular.square() / len(x)
    aligned = (rows @ axes).abs()  # directions agree up to their sign
    tails = [variances[z:].sum() for z in range(6)]
    cov = _centred()[1]
    found = [principal.linear_error(cov, z) for z in range(6)]
    return max(
        n.gap(mean, x.mean(dim=0)),
        n.gap(spectrum, variances),
        n.gap(aligned, torch.eye(5, dtype=torch.float64)),
        n.gap(torch.stack(found), torch.stack(tails)),
    )


def _angle_of_known_subspaces() -> float:
    """Tilt one of two directions by a known angle, and describe both planes by other columns."""
    basis = torch.linalg.qr(n.normal(5, 6, 4)).Q
    worst = 0.0
    for angle in (0.0, 1e-9, 0.3, 1.2, math.pi / 2):
        tilt = n.float64(angle)
        tilted = tilt.cos() * basis[:, 1] + tilt.sin() * basis[:, 3]
        a = torch.stack([basis[:, 0], basis[:, 1]], dim=1) @ n.normal(6, 2, 2)
        b = torch.stack([basis[:, 0], tilted], dim=1) @ n.normal(7, 2, 2)
        worst = max(worst, abs(principal.subspace_angle(a, b).item() - angle))
    return worst


def _recoded() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    x, _ = _centred()
    encoder, decoder, change = n.normal(8, 3, 5), n.normal(9, 5, 3), n.normal(10, 3, 3)
    return x, encoder, decoder, *codes.recode(encoder, decoder, change)


def _same_reconstructions() -> float:
    x, encoder, decoder, new_encoder, new_decoder = _recoded()
    before = x @ encoder.T @ decoder.T
    return max(
        n.gap(x @ new_encoder.T @ new_decoder.T, before),
        n.gap(new_encoder, n.normal(10, 3, 3) @ encoder),
    )


def _mismatch_by_library() -> float:
    z = n.normal(11, 40, 3) @ n.normal(12, 3, 3) + n.float64([0.5, -1.2, 2.0])
    centred = z - z.sum(dim=0) / 40
    law = MultivariateNormal(z.sum(dim=0) / 40, centred.T @ centred / 40)
    standard = MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    expected = torch.distributions.kl_divergence(law, standard)
    return n.gap(codes.code_mismatch(z), expected)


def _any_law_of_codes() -> float:
    """Whiten the codes of an encoder, then stretch them: same pictures, chosen mismatch."""
    x, encoder, decoder, *_ = _recoded()
    z = x @ encoder.T
    root = torch.linalg.cholesky(z.T @ z / len(z))
    white, back = codes.recode(encoder, decoder, root.inverse())
    stretched, _ = codes.recode(white, back, 3 * torch.eye(3, dtype=torch.float64))
    stretch = n.float64(3 * (9 - 1 - 2 * torch.tensor(3.0).double().log().item()) / 2)
    return max(
        n.gap(codes.code_mismatch(x @ white.T), n.float64(0.0)),
        n.gap(codes.code_mismatch(x @ stretched.T), stretch),
    )


def _decoder_by_search() -> float:
    x, cov = _centred()
    encoder = n.normal(13, 2, 5)

    def loss(weights: Tensor) -> Tensor:
        return losses.squared_error(x @ encoder.T @ weights.reshape(5, 2).T, x)

    best = n.minimise(loss, torch.zeros(10, dtype=torch.float64)).reshape(5, 2)
    return n.gap(principal.best_decoder(encoder, cov), best)


def _long_codes_lose_nothing() -> float:
    x, cov = _centred()
    worst = 0.0
    for latents in (5, 8):
        encoder = n.normal(14, latents, 5)
        rebuilt = x @ encoder.T @ principal.best_decoder(encoder, cov).T
        worst = max(worst, losses.squared_error(rebuilt, x).item())
    return worst


def _decoder_for_inputs_of_low_rank() -> float:
    """Compare with the projection onto the codes; inputs of rank 3 among 5 numbers."""
    x = n.normal(25, 9, 3) @ n.normal(26, 3, 5)
    x = x - x.mean(dim=0)
    worst = 0.0
    for latents in (1, 2, 3, 4, 8):
        encoder = n.normal(27 + latents, latents, 5)
        z = x @ encoder.T
        basis, values, _ = torch.linalg.svd(z, full_matrices=False)
        basis = basis[:, values > 1e-9 * values[0]]
        least = losses.squared_error(basis @ basis.T @ x, x)
        rebuilt = z @ principal.best_decoder(encoder, x.T @ x / 9).T
        found = losses.squared_error(rebuilt, x)
        lost = found.item() if latents >= 3 else 0.0  # from the rank on, nothing is lost
        worst = max(worst, n.gap(found, least), lost)
    return worst


SIGMA = 0.6


def _mixture() -> tuple[Tensor, Tensor, Tensor]:
    """Return shares ``(3,)``, means ``(3, 2)`` and covariances ``(3, 2, 2)``."""
    factors = n.normal(15, 3, 2, 2)
    covs = 0.3 * factors @ factors.mT + 0.1 * torch.eye(2, dtype=torch.float64)
    return n.law(16, 3), 1.5 * n.normal(17, 3, 2), covs


def _score_by_autograd() -> float:
    weights, means, covs = _mixture()
    worst = 0.0
    for sigma in (0.0, SIGMA):
        y = n.normal(18, 7, 2).requires_grad_()
        noisy = covs + sigma**2 * torch.eye(2, dtype=torch.float64)
        density = mixtures.mixture_log_density(y, weights, means, noisy)
        (slope,) = torch.autograd.grad(density.sum(), y)
        found = denoising.mixture_score(y.detach(), weights, means, covs, sigma=sigma)
        worst = max(worst, n.gap(found, slope))
    return worst


def _residual_is_the_score() -> float:
    mixture = _mixture()
    y = n.normal(19, 7, 2)
    score = denoising.mixture_score(y, *mixture, sigma=SIGMA)
    best = denoising.mixture_denoiser(y, *mixture, sigma=SIGMA)
    back = denoising.score_from_denoiser(best, y, sigma=SIGMA)
    return max(n.gap(denoising.tweedie(y, score, sigma=SIGMA), best), n.gap(back, score))


def _posterior_mean_by_quadrature() -> float:
    """Average clean points under Bayes' rule; the nodes follow each component."""
    weights, means, covs = _mixture()
    y = n.normal(20, 4, 2)
    nodes, weight = n.gauss_hermite(90, 2)
    top, bottom = torch.zeros_like(y), torch.zeros(4, 1, dtype=torch.float64)
    for share, mean, cov in zip(weights, means, covs, strict=True):
        x = mean + nodes @ torch.linalg.cholesky(cov).T  # (8100, 2)
        fit = (-(y[:, None] - x).square().sum(dim=2) / (2 * SIGMA**2)).exp()  # (4, 8100)
        top += share * (fit * weight) @ x
        bottom += share * (fit * weight).sum(dim=1, keepdim=True)
    return n.gap(denoising.mixture_denoiser(y, weights, means, covs, sigma=SIGMA), top / bottom)


def _no_better_answer() -> float:
    """Seek, for one noisy value, the answer with least squared error over what it came from."""
    x = n.normal(21, 6, 2)
    shares = n.law(22, 6)
    tight = torch.full((6,), 1e-12, dtype=torch.float64)[:, None, None] * torch.eye(2).double()
    y = n.normal(23, 1, 2)
    posterior = shares * (-(y - x).square().sum(dim=1) / (2 * SIGMA**2)).exp()

    def loss(answer: Tensor) -> Tensor:
        return posterior @ (answer - x).square().sum(dim=1)

    best = n.minimise(loss, torch.zeros(2, dtype=torch.float64))
    return n.gap(denoising.mixture_denoiser(y, shares, x, tight, sigma=SIGMA)[0], best)


def _linear_denoiser_by_search() -> float:
    _, cov = _centred()
    dims = len(cov)
    eye = torch.eye(dims, dtype=torch.float64)

    def loss(weights: Tensor) -> Tensor:
        a = weights.reshape(dims, dims)  # E |x - a (x + sigma eps)|^2
        return ((eye - a) @ cov @ (eye - a).T).trace() + SIGMA**2 * a.square().sum()

    best = n.minimise(loss, torch.zeros(dims**2, dtype=torch.float64)).reshape(dims, dims)
    return n.gap(denoising.linear_denoiser(cov, sigma=SIGMA), best)


def _shrinkage() -> float:
    _, axes, spectrum = principal.principal_components(_examples())
    expected = (axes * (spectrum / (spectrum + SIGMA**2))) @ axes.T
    return n.gap(denoising.linear_denoiser(_centred()[1], sigma=SIGMA), expected)


def _one_gaussian() -> float:
    """For one Gaussian the best denoiser is linear, and Tweedie's formula gives its matrix."""
    _, cov = _centred()
    y = n.normal(24, 6, 5)
    one, centre = torch.ones(1, dtype=torch.float64), torch.zeros(1, 5, dtype=torch.float64)
    best = denoising.mixture_denoiser(y, one, centre, cov[None], sigma=SIGMA)
    return n.gap(best, y @ denoising.linear_denoiser(cov, sigma=SIGMA).T)


BALDI = "Baldi and Hornik (1989), https://doi.org/10.1016/0893-6080(89)90014-2"
BOURLARD = "Bourlard and Kamp (1988), https://doi.org/10.1007/BF00332918"

PROOFS = (
    Proof(
        id="autoencoder.linear_optimum",
        title="A linear autoencoder finds the principal subspace",
        statement=r"""\min_{W_1, W_2} \mathbb E \lVert x - W_2 W_1 x \rVert^2
            = \sum_{i > Z} \lambda_i, \qquad
            \operatorname{span} W_2 = \operatorname{span}(u_1, \dots, u_Z)""",
        assumptions=r"Centred inputs with covariance $\Sigma = \sum_i \lambda_i u_i u_i^\top$, "
        r"$\lambda_1 \ge \lambda_2 \ge \dots$; a code of $Z$ numbers; the span is unique where "
        r"$\lambda_Z > \lambda_{Z+1}$ and $\lambda_Z > 0$.",
        source=f"{BOURLARD}; {BALDI}",
        checks=(
            Check(
                "optimisation",
                "least error of the package's loss from a random start, Z = 1 and 2",
                _least_error,
                1e-10,
            ),
            Check("optimisation", "angle of the two planes", _span_of_the_decoder, 1e-8),
            Check(
                "linear algebra",
                "axes, spectrum and all tails by singular values",
                _spectrum_by_singular_values,
                1e-12,
            ),
            Check(
                "linear algebra",
                "planes tilted by five angles, one of 1e-9 and one right",
                _angle_of_known_subspaces,
                1e-12,
            ),
        ),
    ),
    Proof(
        id="autoencoder.code_is_not_fixed",
        title="Reconstruction does not fix the law of the codes",
        statement=r"""W_2' W_1' x = W_2 W_1 x \quad\text{for}\quad
            W_1' = A W_1, \; W_2' = W_2 A^{-1}, \qquad z' = A z, \qquad
            \mathrm{KL}\!\left(N(m, C) \,\Vert\, N(0, I)\right)
            = \tfrac12 \left( \mathrm{tr}\, C + \lVert m \rVert^2 - Z - \log\det C \right)""",
        assumptions=r"$A$ is any invertible matrix; the same holds for any encoder with a linear "
        r"last layer and any decoder with a linear first layer. $m$ and $C$ are mean and "
        r"covariance of the codes.",
        source=BALDI,
        checks=(
            Check("linear algebra", "a random change of code", _same_reconstructions, 1e-11),
            Check("linear algebra", "the library's divergence", _mismatch_by_library, 1e-11),
            Check(
                "linear algebra",
                "the same pictures from codes at 0 nats and at a chosen distance",
                _any_law_of_codes,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="autoencoder.best_decoder",
        title="The best linear decoder for a fixed encoder; a long code loses nothing",
        statement=r"""W_2 = \Sigma W_1^\top \left( W_1 \Sigma W_1^\top \right)^{+}, \qquad
            \operatorname{rank}\left( W_1 \Sigma W_1^\top \right) = \operatorname{rank} \Sigma
            \;\Rightarrow\; W_2 W_1 x = x""",
        assumptions=r"Centred inputs with covariance $\Sigma$, which may be singular: $x$ lies in "
        r"its range. Among equally good decoders this is the smallest. A random encoder of at "
        r"least $\operatorname{rank} \Sigma$ rows meets the condition with probability 1.",
        source=BOURLARD,
        checks=(
            Check("optimisation", "Newton's method on a short code", _decoder_by_search, 1e-9),
            Check(
                "linear algebra",
                "squared error of random codes of 5 and 8 numbers for 5 inputs",
                _long_codes_lose_nothing,
                1e-12,
            ),
            Check(
                "linear algebra",
                "inputs of rank 3 among 5: least errors for codes of 1 to 8, none lost from 3 on",
                _decoder_for_inputs_of_low_rank,
                1e-10,
            ),
        ),
    ),
    Proof(
        id="autoencoder.tweedie",
        title="The residual of the best denoiser is the score",
        statement=r"""\mathbb E[x \mid \tilde x] = \tilde x
            + \sigma^2\, \nabla \log p_\sigma(\tilde x), \qquad
            \tilde x = x + \sigma \epsilon, \quad \epsilon \sim N(0, I)""",
        assumptions=r"Gaussian noise; $p_\sigma$ is the density of the noisy $\tilde x$, not of "
        r"the clean $x$.",
        source="Efron (2011), https://doi.org/10.1198/jasa.2011.tm11181; "
        "Vincent (2011), https://doi.org/10.1162/NECO_a_00142; "
        "Alain and Bengio (2014), https://arxiv.org/abs/1211.4246",
        checks=(
            Check(
                "linear algebra",
                "posterior mean and score of a mixture of three Gaussians",
                _residual_is_the_score,
                1e-12,
            ),
            Check("autograd", "slope of the log density", _score_by_autograd, 1e-12),
            Check(
                "quadrature",
                "Bayes' rule on 8,100 nodes for each component",
                _posterior_mean_by_quadrature,
                1e-8,
            ),
        ),
    ),
    Proof(
        id="autoencoder.best_denoiser",
        title="The best denoiser answers with the mean of what it may have seen",
        statement=r"""\arg\min_{r} \mathbb E \lVert r(\tilde x) - x \rVert^2
            = \mathbb E[x \mid \tilde x]""",
        assumptions=r"$r$ may be any function of $\tilde x$; squared error.",
        source="Vincent (2011), https://doi.org/10.1162/NECO_a_00142",
        checks=(
            Check(
                "optimisation",
                "a free answer at one noisy point, six clean points",
                _no_better_answer,
                1e-9,
            ),
        ),
    ),
    Proof(
        id="autoencoder.linear_denoiser",
        title="Noise turns the copying machine into a filter",
        statement=r"""\arg\min_A \mathbb E \lVert x - A (x + \sigma \epsilon) \rVert^2
            = \Sigma (\Sigma + \sigma^2 I)^{-1}
            = \sum_i \frac{\lambda_i}{\lambda_i + \sigma^2}\, u_i u_i^\top""",
        assumptions=r"Centred inputs with covariance $\Sigma = \sum_i \lambda_i u_i u_i^\top$; a "
        r"linear map without any bottleneck; $\sigma > 0$.",
        source="Bishop (1995), https://doi.org/10.1162/neco.1995.7.1.108",
        checks=(
            Check("optimisation", "25 free weights", _linear_denoiser_by_search, 1e-9),
            Check("linear algebra", "direction by direction", _shrinkage, 1e-12),
            Check(
                "linear algebra",
                "the posterior mean of one Gaussian",
                _one_gaussian,
                1e-12,
            ),
        ),
    ),
)

ROWS = {
    "D08": (
        "autoencoder.best_decoder",
        "autoencoder.code_is_not_fixed",
        "autoencoder.linear_optimum",
    ),
    "D09": (
        "autoencoder.best_denoiser",
        "autoencoder.linear_denoiser",
        "autoencoder.tweedie",
    ),
}
