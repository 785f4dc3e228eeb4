"""Right answers to the exercises of lesson 06, of every kind that a reader may write."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Normal, kl_divergence

__all__ = ["RIGHT"]


def kl_by_loop(mu, logvar):
    rows = []
    for m, v in zip(mu, logvar, strict=True):
        rows.append(sum(0.5 * (a * a + torch.exp(b) - 1.0 - b) for a, b in zip(m, v, strict=True)))
    return torch.stack(rows)


def kl_by_distributions(mu, logvar):
    return kl_divergence(Normal(mu, (0.5 * logvar).exp()), Normal(0.0, 1.0)).sum(dim=1)


def kl_by_sigma(mu, logvar):
    sigma = torch.exp(logvar / 2)
    return (-0.5 - torch.log(sigma) + 0.5 * (sigma**2 + mu**2)).sum(-1)


def draw_by_loop(mu, logvar):
    z = torch.empty_like(mu)
    noise = torch.empty_like(mu).normal_()
    for i in range(len(mu)):
        z[i] = mu[i] + torch.sqrt(torch.exp(logvar[i])) * noise[i]
    return z


def draw_by_numpy_noise(mu, logvar):
    eps = torch.from_numpy(np.random.standard_normal(tuple(mu.shape))).to(mu)
    return torch.addcmul(mu, torch.exp(0.5 * logvar), eps)


def nll_by_distributions(logits, target):
    return -Bernoulli(logits=logits, validate_args=False).log_prob(target).flatten(1).sum(1)


def nll_by_logsigmoid(logits, target):
    each = -target * F.logsigmoid(logits) - (1 - target) * F.logsigmoid(-logits)
    return each.sum(dim=tuple(range(1, each.ndim)))


def nll_by_library(logits, target):
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return each.view(len(each), -1).sum(-1)


def elbo_by_library(x, logits, mu, logvar, *, beta=1.0):
    rec = F.binary_cross_entropy_with_logits(logits, 0.5 * x + 0.5, reduction="sum") / x.shape[0]
    return rec + beta * -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp()) / x.shape[0]


def elbo_by_distributions(x, logits, mu, logvar, beta=1.0):
    rec = nll_by_distributions(logits, (x + 1) / 2)
    return torch.mean(rec + beta * kl_by_distributions(mu, logvar))


def elbo_by_loop(x, logits, mu, logvar, *, beta=1.0):
    total = 0.0
    for i in range(len(x)):
        rec = nll_by_logsigmoid(logits[i : i + 1], (x[i : i + 1] + 1) / 2)
        total = total + rec[0] + beta * kl_by_sigma(mu[i : i + 1], logvar[i : i + 1])[0]
    return total / len(x)


def step_by_parts(model, optimizer, x, *, beta=1.0):
    mu, logvar = model.encode(x)
    logits = model.decode(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
    loss = elbo_by_library(x, logits, mu, logvar, beta=beta)
    kl = kl_by_sigma(mu, logvar).mean().detach()
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return {"negative_elbo": loss.detach(), "kl": kl, "reconstruction": loss.detach() - beta * kl}


def step_with_rsample(model, optimizer, x, beta=1.0):
    optimizer.zero_grad(set_to_none=False)
    h = model.encoder(x)
    mu, logvar = h[:, : model.latent_dim], h[:, model.latent_dim :]
    logits = model.decoder(Normal(mu, (0.5 * logvar).exp()).rsample())
    rec, kl = nll_by_library(logits, (x + 1) / 2).mean(), kl_by_sigma(mu, logvar).mean()
    rec.backward(retain_graph=True)
    (beta * kl).backward()
    optimizer.step()
    with torch.no_grad():
        return {
            "negative_elbo": rec + beta * kl,
            "reconstruction": rec.detach(),
            "kl": kl.detach(),
            "more": 1,
        }


def step_cleared_at_the_end(model, optimizer, x, beta=1.0):
    logits, mu, logvar = model(x)
    rec, kl = nll_by_library(logits, (x + 1) / 2).mean(), kl_by_loop(mu, logvar).mean()
    grads = torch.autograd.grad(rec + beta * kl, list(model.parameters()))
    for p, g in zip(model.parameters(), grads, strict=True):
        p.grad = g
    optimizer.step()
    optimizer.zero_grad()
    return {"negative_elbo": (rec + beta * kl).detach(), "reconstruction": rec.data, "kl": kl.data}


def score_by_autograd(z, mu, *, baseline=0.0):
    mean = torch.full_like(z, mu, requires_grad=True)
    (score,) = torch.autograd.grad(Normal(mean, 1.0).log_prob(z.detach()).sum(), mean)
    return (z**2 - baseline) * score


def score_by_loop(z, mu, baseline=0.0):
    return torch.stack([(v * v - baseline) * (v - mu) for v in z])


def beta_by_scale(beta, pixels, latent_dim, *, pixel_mean=False, latent_mean=False):
    for used, factor in ((pixel_mean, pixels), (latent_mean, 1 / latent_dim)):
        beta = beta * factor if used else beta
    return beta


def weights_by_shift(log_joint, log_q):
    ratio = log_joint - log_q
    top = ratio.amax(dim=0)
    return top + (ratio - top).exp().mean(dim=0).log()


def weights_by_loop(log_joint, log_q):
    total = log_joint[0] - log_q[0]
    for joint, q in zip(log_joint[1:], log_q[1:], strict=True):
        total = torch.logaddexp(total, joint - q)
    return total - math.log(len(log_q))


def forms_by_loop(log_likelihood, log_prior, log_q, kl, entropy):
    forms = {"split": -kl, "joint": entropy + 0, "ratio": 0 * kl}
    for lik, prior, q in zip(log_likelihood, log_prior, log_q, strict=True):
        share = 1 / len(log_q)
        forms["split"] = forms["split"] + share * lik
        forms["joint"] = forms["joint"] + share * (lik + prior)
        forms["ratio"] = forms["ratio"] + share * (lik + prior - q)
    return forms


def forms_by_terms(log_likelihood, log_prior, log_q, kl, entropy):
    lik, prior, q = (v.mean(0) for v in (log_likelihood, log_prior, log_q))
    return {"ratio": lik + prior - q, "joint": lik + prior + entropy, "split": lik - kl}


def forms_by_sums(log_likelihood, log_prior, log_q, kl, entropy):
    count = len(log_likelihood)
    joint = torch.sum(log_likelihood + log_prior, dim=0) / count
    return {
        "split": torch.sum(log_likelihood, dim=0) / count - kl,
        "joint": joint + entropy,
        "ratio": joint - torch.sum(log_q, dim=0) / count,
    }


RIGHT = {
    "vae.gaussian_kl": [
        kl_by_loop,
        kl_by_distributions,
        kl_by_sigma,
        lambda mu, logvar: -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=1),
        lambda mu, logvar: 0.5 * (mu**2 + torch.expm1(logvar) - logvar).sum(-1),
    ],
    "vae.reparameterise": [
        draw_by_loop,
        draw_by_numpy_noise,
        lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.randn(mu.shape, dtype=mu.dtype),
        lambda mu, logvar: Normal(mu, logvar.exp().sqrt()).rsample(),
        lambda mu, logvar: mu - torch.randn_like(logvar) * torch.exp(logvar / 2),
    ],
    "vae.bernoulli_nll": [
        nll_by_distributions,
        nll_by_logsigmoid,
        nll_by_library,
        lambda a, t: (F.softplus(a) - a * t).flatten(start_dim=1).sum(dim=1),
    ],
    "vae.negative_elbo": [elbo_by_library, elbo_by_distributions, elbo_by_loop],
    "vae.step": [step_by_parts, step_with_rsample, step_cleared_at_the_end],
    "vae.score_function_gradient": [
        score_by_autograd,
        score_by_loop,
        lambda z, mu, baseline=0.0: z.pow(3) - mu * z.pow(2) - baseline * (z - mu),
    ],
    "vae.effective_beta": [
        beta_by_scale,
        lambda b, d, z, pixel_mean=False, latent_mean=False: torch.tensor(
            b * d**pixel_mean / z**latent_mean
        ),
        lambda b, d, z, **means: (
            np.float64(b)
            * (d if means.get("pixel_mean") else 1)
            / (z if means.get("latent_mean") else 1)
        ),
    ],
    "vae.importance_log_likelihood": [
        weights_by_shift,
        weights_by_loop,
        lambda joint, q: torch.logsumexp(joint - q, 0) - torch.tensor(float(len(q))).log(),
        lambda joint, q: torch.logsumexp(joint - q - math.log(q.shape[0]), dim=0),
    ],
    "vae.elbo_forms": [forms_by_loop, forms_by_terms, forms_by_sums],
}
