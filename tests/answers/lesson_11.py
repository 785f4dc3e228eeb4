"""Right answers to the exercises of lesson 11, of every kind that a reader may write."""

import math

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


def conjugate_by_loop(t, u, f):
    return torch.stack([(slope * u - f).max() for slope in t])


def conjugate_by_numpy(t, u, f):
    table = np.outer(t.numpy(), u.numpy()) - f.numpy()
    return torch.from_numpy(table.max(axis=1))


def conjugate_by_mask(t, u, f):
    inside = torch.isfinite(f)
    gaps = torch.outer(u[inside], t) - f[inside][:, None]
    return gaps.max(dim=0).values


def activation_by_table(v, divergence):
    table = {
        "kl": lambda: v,
        "pearson": lambda: v,
        "reverse_kl": lambda: -torch.exp(-v),
        "squared_hellinger": lambda: 1 - torch.exp(-v),
        "gan": lambda: -F.softplus(-v),
    }
    return table[divergence]()


def activation_by_cases(v, divergence):
    if divergence == "gan":
        return -torch.logaddexp(-v, torch.zeros_like(v))
    if divergence in ("kl", "pearson"):
        return v.clone()
    return float(divergence == "squared_hellinger") - (-v).exp()


def activation_by_expm1(v, divergence):
    falling = -torch.expm1(-v)
    return {"reverse_kl": falling - 1, "squared_hellinger": falling, "gan": F.logsigmoid(v)}.get(
        divergence, v
    )


def lines_by_where(theta):
    apart = theta.abs() > 0
    zero = torch.zeros_like(theta)
    return {
        "jensen_shannon": torch.where(apart, math.log(2) + zero, zero),
        "jensen_shannon_slope": zero,
        "wasserstein": torch.where(theta < 0, -theta, theta),
        "wasserstein_slope": (theta > 0).to(theta) - (theta < 0).to(theta),
    }


def lines_by_sign(theta):
    side = torch.sign(theta)
    return {
        "jensen_shannon": side.square() * math.log(2),
        "wasserstein": side * theta,
        "jensen_shannon_slope": 0 * theta,
        "wasserstein_slope": side,
    }


def lines_by_loop(theta):
    js = [0.0 if float(t) == 0 else math.log(2) for t in theta]
    slope = [float(np.sign(float(t))) for t in theta]
    return {
        "jensen_shannon": torch.tensor(js, dtype=theta.dtype),
        "wasserstein": torch.abs(theta),
        "jensen_shannon_slope": torch.tensor([0.0] * len(theta), dtype=theta.dtype),
        "wasserstein_slope": torch.tensor(slope, dtype=theta.dtype),
    }


def distance_by_ranks(x, y):
    return (x[x.argsort()] - y[y.argsort()]).abs().sum() / len(x)


def distance_by_area(x, y):
    """The area between the two distribution functions."""
    both, order = torch.cat([x, y]).sort()
    step = torch.where(order < len(x), 1.0, -1.0).to(both) / len(x)
    return (step.cumsum(0)[:-1].abs() * both.diff()).sum()


def distance_by_numpy(x, y):
    gaps = np.sort(x.numpy()) - np.sort(y.numpy())
    return torch.tensor(np.abs(gaps).mean(), dtype=x.dtype)


def penalty_by_loop(critic, real, fake, *, weight, alpha):
    total = 0.0
    for a, x, y in zip(alpha, real, fake, strict=True):
        mixed = (a * x + (1 - a) * y)[None].requires_grad_()
        (g,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        total = total + (g.square().sum().sqrt() - 1) ** 2
    return weight * total / len(real)


def penalty_by_vectors(critic, real, fake, *, weight, alpha):
    a = alpha.view(len(real), *(1 for _ in real.shape[1:]))
    mixed = torch.lerp(fake, real, a.expand_as(real)).requires_grad_(True)
    scores = critic(mixed)
    g = torch.autograd.grad(
        scores, mixed, torch.ones_like(scores), create_graph=True, retain_graph=True
    )[0]
    return weight * ((torch.linalg.vector_norm(g.flatten(1), dim=1) - 1) ** 2).mean()


def penalty_by_difference(critic, real, fake, *, alpha, weight):
    mixed = (fake + (real - fake) * alpha[(...,) + (None,) * (real.ndim - 1)]).requires_grad_()
    g = torch.autograd.grad(critic(mixed).mean(), [mixed], create_graph=True)[0] * len(real)
    norms = g.reshape(len(g), -1).pow(2).sum(1).sqrt()
    return (norms.pow(2) - 2 * norms + 1).mean() * weight


RIGHT = {
    "gan.fenchel_conjugate": [
        conjugate_by_loop,
        conjugate_by_numpy,
        conjugate_by_mask,
        lambda t, u, f: (u * t.unsqueeze(1) - f).max(dim=-1).values,
    ],
    "gan.output_activation": [activation_by_table, activation_by_cases, activation_by_expm1],
    "gan.hinge_generator_loss": [
        lambda a: -a.mean(),
        lambda a: -a.sum() / a.numel(),
        lambda fake_logits: torch.mean(-fake_logits),
        lambda a: (0 - a.flatten()).mean(dim=0),
    ],
    "gan.parallel_lines": [lines_by_where, lines_by_sign, lines_by_loop],
    "gan.wasserstein_1d": [
        distance_by_ranks,
        distance_by_area,
        distance_by_numpy,
        lambda x, y: F.l1_loss(x.sort()[0], y.sort()[0]),
    ],
    "gan.gradient_penalty": [penalty_by_loop, penalty_by_vectors, penalty_by_difference],
}
