"""Right answers to the exercises of lesson 10, of every kind that a reader may write."""

import cmath
import copy
import math

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


def field_by_autograd(theta, psi, *, gamma=0.0):
    with torch.enable_grad():
        a, b = theta.detach().requires_grad_(), psi.detach().requires_grad_()
        g_loss = F.softplus(-a * b).sum()
        d_loss = (F.softplus(a * b) + gamma / 2 * b**2).sum()
        (d_theta,) = torch.autograd.grad(g_loss, a)
        (d_psi,) = torch.autograd.grad(d_loss, b)
    return torch.stack([-d_theta, -d_psi], -1)


def field_by_numpy(theta, psi, gamma=0.0):
    a, b = theta.detach().double().numpy(), psi.detach().double().numpy()
    real = 0.5 * (1 + np.tanh(a * b / 2))
    both = np.stack([b * (1 - real), -a * real - gamma * b], axis=-1)
    return torch.tensor(both, dtype=theta.dtype)


def eigenvalues_by_matrix(gamma, *, slope=0.5):
    matrix = torch.tensor([[0.0, slope], [-slope, -gamma]], dtype=torch.complex128)
    found = torch.linalg.eigvals(matrix).tolist()
    return torch.tensor(
        sorted(found, key=lambda e: (round(e.real, 9), e.imag)), dtype=torch.complex128
    )


def eigenvalues_by_cmath(gamma, slope=0.5):
    root = cmath.sqrt(gamma**2 - 4 * slope**2)
    return torch.tensor([(-gamma - root) / 2, (-gamma + root) / 2], dtype=torch.complex128)


def eigenvalues_by_cases(gamma, *, slope=0.5):
    inside = gamma * gamma / 4 - slope * slope
    root = complex(math.sqrt(inside), 0) if inside >= 0 else complex(0, math.sqrt(-inside))
    pair = [-gamma / 2 - root, -gamma / 2 + root]
    return torch.complex(
        torch.tensor([e.real for e in pair], dtype=torch.float64),
        torch.tensor([e.imag for e in pair], dtype=torch.float64),
    )


def chase_by_loop(law, logits, *, updates, rate=1.0):
    log_law = law.log()
    for _ in range(updates):
        log_law = log_law + rate * logits
        log_law = log_law - torch.logsumexp(log_law, dim=0)
    return log_law.exp()


def chase_by_powers(law, logits, updates, rate):
    best = logits.max()
    weights = law * torch.exp(rate * (logits - best)) ** updates
    return weights / weights.sum()


def modes_by_loop(points, centres, *, spread, radius=3.0, least=0.01):
    hits, good = torch.zeros(len(centres)), 0
    for point in points:
        away = (centres - point).norm(dim=1)
        if away.min() <= radius * spread:
            hits[away.argmin()] += 1
            good += 1
    share = torch.tensor(good / len(points), dtype=points.dtype)
    return {"modes": (hits / len(points) >= least).sum().to(points.dtype), "good": share}


def modes_by_table(points, centres, spread, radius=3.0, least=0.01):
    away = (points[:, None] - centres[None]).square().sum(-1).sqrt()
    mine = F.one_hot(away.argmin(1), len(centres)).bool() & (away <= radius * spread)
    shares = mine.float().mean(0)
    return {
        "good": mine.any(1).to(points.dtype).mean(),
        "modes": (shares >= least).to(points).sum(),
    }


def modes_by_unique(points, centres, *, spread, radius=3.0, least=0.01):
    away, owner = torch.cdist(points, centres).min(1)
    near = away <= radius * spread
    _, counts = owner[near].unique(return_counts=True)
    return {
        "modes": (counts / len(points) >= least).sum().to(points),
        "good": near.sum().to(points.dtype) / len(points),
    }


def power_by_normalize(weight, u, *, iterations=1):
    fixed = weight.detach()
    for _ in range(iterations):
        v = F.normalize(fixed.t() @ u, dim=0)
        u = F.normalize(fixed @ v, dim=0)
    return torch.dot(u, torch.mv(weight, v))


@torch.no_grad()
def _vectors(weight, u, iterations):
    for _ in range(iterations):
        v = weight.T @ u
        v /= v.norm()
        u = weight @ v
        u /= u.norm()
    return u, v


def power_by_outer(weight, u, iterations=1):
    u, v = _vectors(weight, u, iterations)
    return (torch.outer(u, v) * weight).sum()


def power_by_einsum(weight, u, *, iterations=1):
    u, v = _vectors(weight.detach(), u, iterations)
    return torch.einsum("i,ij,j->", u, weight, v)


def average_by_loop(mean, now, n, *, decay):
    d = decay if decay < (1 + n) / (10 + n) else (1 + n) / (10 + n)
    result = {}
    for name in mean:
        if now[name].dtype in (torch.float32, torch.float64):
            result[name] = d * mean[name] + (1 - d) * now[name]
        else:
            result[name] = now[name]
    return result


def average_by_lerp(mean, now, n, decay):
    d = min((1 + n) / (10 + n), decay)
    return {
        k: now[k].lerp(mean[k], d) if torch.is_floating_point(v) else v.clone()
        for k, v in mean.items()
        for v in [now[k]]
    }


def average_in_place_of_a_copy(mean, now, n, *, decay):
    result = copy.deepcopy(dict(mean))
    for k, value in result.items():
        if value.is_floating_point():
            value.mul_(d := min(decay, (1 + n) / (10 + n))).add_(now[k], alpha=1 - d)
        else:
            value.copy_(now[k])
    return result


RIGHT = {
    "gan.dirac_field": [
        field_by_autograd,
        field_by_numpy,
        lambda theta, psi, gamma=0.0: torch.stack(
            (psi * torch.sigmoid(-psi * theta), -theta * torch.sigmoid(psi * theta) - gamma * psi),
            dim=-1,
        ),
    ],
    "gan.dirac_eigenvalues": [eigenvalues_by_matrix, eigenvalues_by_cmath, eigenvalues_by_cases],
    "gan.critical_gamma": [
        lambda slope: 2 * abs(slope),
        lambda slope: math.sqrt(4 * slope**2),
        lambda slope: torch.tensor(slope, dtype=torch.float64).abs() * 2,
    ],
    "gan.chase": [
        chase_by_loop,
        chase_by_powers,
        lambda law, logits, *, updates, rate=1.0: F.softmax(
            torch.log(law) + updates * rate * logits, -1
        ),
    ],
    "gan.count_modes": [modes_by_loop, modes_by_table, modes_by_unique],
    "gan.power_iteration": [power_by_normalize, power_by_outer, power_by_einsum],
    "gan.average_state": [average_by_loop, average_by_lerp, average_in_place_of_a_copy],
}
