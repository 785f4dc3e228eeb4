"""Proofs about the evidence lower bound: what it misses, how it splits, how samples tighten it."""

from __future__ import annotations

import math

import sympy
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from genimg_course import losses
from genimg_course.maths import divergences, estimators, gaussians, likelihoods
from genimg_course.maths.proofs import numerics as n
from genimg_course.maths.proofs.engine import Check, Proof

__all__ = ["PROOFS"]

SIGMA = 0.8
"""Standard deviation of a pixel of the linear Gaussian model below."""


def _model() -> tuple[Tensor, Tensor, MultivariateNormal, MultivariateNormal]:
    """Return the decoder's matrix, an image, ``p(x)`` and the posterior of a linear Gaussian model."""
    decoder, x = n.normal(1, 3, 2), n.normal(2, 3)
    marginal = MultivariateNormal(torch.zeros(3).double(), decoder @ decoder.T + SIGMA**2 * _eye(3))
    precision = _eye(2) + decoder.T @ decoder / SIGMA**2
    mean = torch.linalg.solve(precision, decoder.T @ x / SIGMA**2)
    return decoder, x, marginal, MultivariateNormal(mean, precision_matrix=precision)


def _eye(side: int) -> Tensor:
    return torch.eye(side, dtype=torch.float64)


def _encoder() -> tuple[Tensor, Tensor]:
    return n.normal(3, 1, 2), 0.5 * n.normal(4, 1, 2) - 0.5


def _log_weights(nodes: Tensor, mu: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``log p(x, z)`` and ``log q(z | x)`` at ``z = mu + sigma * nodes``, each ``(B,)``."""
    decoder, x, _, _ = _model()
    zero, shape = torch.zeros_like(nodes), nodes.shape
    z = mu + (0.5 * logvar).exp() * nodes
    log_likelihood = -likelihoods.gaussian_nll(z @ decoder.T, x.expand(len(z), 3), sigma=SIGMA)
    log_prior = gaussians.gaussian_log_density(z, zero, zero)
    log_q = gaussians.gaussian_log_density(z, mu.expand(shape), logvar.expand(shape))
    return log_likelihood + log_prior, log_q


def _elbo(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the bound of the linear Gaussian model, exact by quadrature."""
    decoder, x, _, _ = _model()
    nodes, weight = n.gauss_hermite(3, 2)
    z = mu + (0.5 * logvar).exp() * nodes
    nll = likelihoods.gaussian_nll(z @ decoder.T, x.expand(len(z), 3), sigma=SIGMA)
    return -weight @ nll - gaussians.gaussian_kl(mu, logvar)[0]


def _identity() -> float:
    _, x, marginal, posterior = _model()
    mu, logvar = _encoder()
    q = MultivariateNormal(mu[0], torch.diag(logvar[0].exp()))
    evidence = _elbo(mu, logvar) + kl_divergence(q, posterior)
    return n.gap(evidence, marginal.log_prob(x))


def _best_encoder() -> float:
    posterior = _model()[3]
    best = n.minimise(lambda v: -_elbo(v[None, :2], v[None, 2:]), torch.zeros(4).double())
    # the nearest diagonal Gaussian has the posterior's mean and the diagonal of its precision
    expected = torch.cat([posterior.mean, -posterior.precision_matrix.diagonal().log()])
    return n.gap(best, expected)


def _forms() -> float:
    mu, logvar = _encoder()
    nodes, weight = n.gauss_hermite(6, 2)
    z = mu + (0.5 * logvar).exp() * nodes  # (36, 2)
    logits = torch.tanh(z @ n.normal(5, 2, 4)) * 3
    x = torch.tensor([[1.0, -1.0, 1.0, 1.0]]).double()
    log_ink = torch.where(x == 1, torch.sigmoid(logits), torch.sigmoid(-logits)).log()
    log_joint = log_ink.sum(dim=1) - 0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)
    log_q = gaussians.gaussian_log_density(z, mu.expand_as(z), logvar.expand_as(z))
    first = -sum(w * losses.negative_elbo(x, a, mu, logvar) for w, a in zip(weight, logits[:, None]))
    entropy = 0.5 * (1 + math.log(2 * math.pi) + logvar).sum()
    forms = torch.stack([weight @ log_joint + entropy, weight @ (log_joint - log_q)])
    return n.gap(forms, first.expand(2))


def _surgery() -> float:
    encoder, prior = n.law(6, 6, 5), n.law(7, 5)
    aggregate = encoder.mean(dim=0)
    entropy = -(aggregate * aggregate.log()).sum()
    information = entropy + (encoder * encoder.log()).sum(dim=1).mean()
    rate = divergences.kl_divergence(encoder, prior.expand(6, 5)).mean()
    return n.gap(rate, information + divergences.kl_divergence(aggregate, prior))


def _kl_in_symbols() -> float:
    mu, eps = sympy.symbols("mu epsilon", real=True)
    sigma = sympy.Symbol("sigma", positive=True)
    z = mu + sigma * eps
    log_ratio = -(eps**2) / 2 - sympy.log(sigma) + z**2 / 2
    closed = (mu**2 + sigma**2 - 1 - sympy.log(sigma**2)) / 2
    return n.exact(sympy.expand_log(n.expectation(log_ratio, eps) - closed))


def _kl_by_quadrature() -> float:
    mu, logvar = n.normal(8, 7, 1), 2 * n.normal(9, 7, 1)
    nodes, weight = n.gauss_hermite(3)
    z = (mu + (0.5 * logvar).exp() * nodes.T).reshape(-1, 1)  # (21, 1)
    repeated = [v.repeat_interleave(3, dim=0) for v in (mu, logvar)]
    log_q = gaussians.gaussian_log_density(z, *repeated)
    log_p = gaussians.gaussian_log_density(z, torch.zeros_like(z), torch.zeros_like(z))
    expected = (log_q - log_p).reshape(7, 3) @ weight
    return n.gap(gaussians.gaussian_kl(mu, logvar), expected)


def _kl_gradient() -> float:
    mu, logvar = (v.requires_grad_() for v in n.normal(10, 2, 4, 3))
    slopes = torch.autograd.grad(gaussians.gaussian_kl(mu, logvar).sum(), (mu, logvar))
    return n.gap(torch.stack(slopes), torch.stack([mu, (logvar.exp() - 1) / 2]))


def _bound(samples: int) -> Tensor:
    """Return the mean of the estimate over all draws of ``samples`` codes, by quadrature."""
    nodes, weight = n.gauss_hermite(12)
    mu, logvar = _encoder()
    # the second latent stands at its mean, so that the grid has one dimension a sample
    nodes = torch.cat([nodes, torch.zeros_like(nodes)], dim=1)
    log_joint, log_q = _log_weights(nodes, mu, logvar)
    index = n.tuples(12, samples).T  # (samples, 12 ** samples)
    estimate = estimators.importance_log_likelihood(log_joint[index], log_q[index])
    return weight[index].prod(dim=0) @ estimate


def _importance_order() -> float:
    one, two, three = (_bound(samples).item() for samples in (1, 2, 3))
    return one - two
