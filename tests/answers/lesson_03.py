"""Right answers to the exercises of lesson 03, of every kind that a reader may write."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Categorical
from torch.distributions import kl_divergence as library_kl

__all__ = ["RIGHT"]


def kl_by_mask(p, q):
    ratio = torch.where(p > 0, p / q, torch.ones_like(p))
    return (p * ratio.log()).sum(-1)


def kl_by_loop(p, q):
    rows = []
    for a, b in zip(p.reshape(-1, p.shape[-1]), q.reshape(-1, p.shape[-1]), strict=True):
        total = torch.zeros((), dtype=p.dtype)
        for x, y in zip(a, b, strict=True):
            if x > 0:
                total = total + x * (x.log() - y.log())
        rows.append(total)
    return torch.stack(rows).reshape(p.shape[:-1])


def kl_by_numpy(p, q):
    a, b = p.numpy(), q.numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(a > 0, a * np.log(a / b), 0.0)
    return torch.as_tensor(terms.sum(axis=-1)).to(p.dtype)


def kl_by_library(p, q):
    return F.kl_div(q.log(), p, reduction="none").sum(dim=-1)


def fit_by_distributions(x, p, mu, sigma, *, reverse=False):
    log_density = torch.distributions.Normal(mu[:, None], sigma[:, None]).log_prob(x)
    q = log_density.softmax(dim=1)
    rows = p.expand_as(q)
    one, two = (q, rows) if reverse else (rows, q)
    return torch.where(one > 0, one * (one / two).log(), 0.0).sum(dim=1)


def fit_by_loop(x, p, mu, sigma, reverse=False):
    values = []
    for m, s in zip(mu, sigma, strict=True):
        weight = torch.exp(-((x - m) ** 2) / (2 * s**2))
        q = weight / weight.sum()
        one, two = (q, p) if reverse else (p, q)
        keep = one > 0
        values.append((one[keep] * torch.log(one[keep] / two[keep])).sum())
    return torch.stack(values)


def fit_by_categorical(x, p, mu, sigma, *, reverse=False):
    logits = -0.5 * (x[None] - mu[:, None]).square() / sigma[:, None].square()
    q = Categorical(logits=logits)
    law = Categorical(probs=p.expand(len(mu), -1))
    if reverse:
        return library_kl(q, law)
    return -(p * q.logits).sum(dim=1) + torch.xlogy(p, p).sum()


def bits_by_log2(nll, dims, *, bin_width=1.0):
    return nll * math.log2(math.e) / dims - math.log2(bin_width)


def bits_by_mass(nll, dims, bin_width=1.0):
    log_mass = -nll + dims * math.log(bin_width)
    return -log_mass / (dims * math.log(2))


def bits_by_tensors(nll, dims, *, bin_width=1.0):
    width = torch.as_tensor(bin_width, dtype=nll.dtype)
    return (nll / dims - width.log()) / torch.tensor(2.0, dtype=nll.dtype).log()


def blame_by_logsumexp(log_density, weights):
    joint = log_density + weights.log()[None, :]
    return (joint - joint.logsumexp(dim=1, keepdim=True)).exp()


def blame_by_maximum(log_density, weights):
    shifted = (log_density - log_density.max(dim=1, keepdim=True).values).exp() * weights
    return shifted / shifted.sum(dim=1, keepdim=True)


def blame_by_loop(log_density, weights):
    return torch.stack([F.softmax(row + torch.log(weights), dim=0) for row in log_density])


def blame_by_numpy(log_density, weights):
    joint = log_density.numpy() + np.log(weights.numpy())
    joint = np.exp(joint - joint.max(axis=1, keepdims=True))
    return torch.from_numpy(joint / joint.sum(axis=1, keepdims=True)).to(log_density.dtype)


def mask_by_loop(sources, targets, *, strict=False):
    mask = torch.zeros(len(targets), len(sources))
    for o, target in enumerate(targets.tolist()):
        for i, source in enumerate(sources.tolist()):
            if source < target or (source == target and not strict):
                mask[o, i] = 1
    return mask


def mask_by_shift(sources, targets, strict=False):
    return (targets[:, None] - int(strict) >= sources).to(torch.float32)


def mask_by_numpy(sources, targets, *, strict=False):
    compare = np.greater if strict else np.greater_equal
    return torch.from_numpy(compare.outer(targets.numpy(), sources.numpy())).float()


def inverse_by_index(z, log_scale, shift):
    x = z.clone()
    kept = z.shape[1] - log_scale.shape[1]
    x[:, kept:] = (z[:, kept:] - shift) / log_scale.exp()
    return {"x": x, "log_det": -torch.sum(log_scale, -1)}


def inverse_by_distributions(z, log_scale, shift):
    move = torch.distributions.AffineTransform(shift, log_scale.exp()).inv
    kept, moved = z.split([z.shape[1] - log_scale.shape[1], log_scale.shape[1]], dim=1)
    log_det = move.log_abs_det_jacobian(moved, move(moved)).sum(dim=1)
    return {"log_det": log_det, "x": torch.hstack([kept, move(moved)])}


def inverse_by_loop(z, log_scale, shift):
    rows = []
    for row, s, t in zip(z, log_scale, shift, strict=True):
        kept = len(row) - len(s)
        rows.append(torch.cat([row[:kept], (row[kept:] - t) * torch.exp(-s)]))
    return {"x": torch.stack(rows), "log_det": torch.stack([-s.sum() for s in log_scale])}


RIGHT = {
    "probability.kl_divergence": [kl_by_mask, kl_by_loop, kl_by_numpy, kl_by_library],
    "probability.fit_divergence": [fit_by_distributions, fit_by_loop, fit_by_categorical],
    "probability.bits_per_dimension": [bits_by_log2, bits_by_mass, bits_by_tensors],
    "probability.responsibilities": [
        blame_by_logsumexp,
        blame_by_maximum,
        blame_by_loop,
        blame_by_numpy,
    ],
    "probability.autoregressive_mask": [mask_by_loop, mask_by_shift, mask_by_numpy],
    "probability.coupling_inverse": [inverse_by_index, inverse_by_distributions, inverse_by_loop],
}
