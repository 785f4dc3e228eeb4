"""Right answers to the exercises of lesson 07, of every kind that a reader may write."""

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["RIGHT"]


def units_by_loop(variances, beta=1.0, *, noise):
    return sum(1 for v in variances.tolist() if v > beta * noise)


def units_by_weights(variances, *, beta=1.0, noise):
    weights = torch.relu(variances - beta * noise).sqrt()
    return torch.count_nonzero(weights)


def noise_by_loop(x_hat, x):
    total = sum(((a - b) ** 2).sum() for a, b in zip(x, x_hat, strict=True))
    return total / x.numel()


def noise_by_moments(x_hat, x):
    residual = x - x_hat
    return residual.var(unbiased=False) + residual.mean() ** 2


def routes_by_loop(x, z, y, *, classes):
    images, codes = [], []
    for picture, code, label in zip(x, z, y.tolist(), strict=True):
        planes = torch.zeros(classes, *picture.shape[1:], dtype=x.dtype)
        planes[label] = 1.0
        images.append(torch.cat([picture, planes]))
        codes.append(torch.cat([code, torch.eye(classes, dtype=z.dtype)[label]]))
    return {"encoder": torch.stack(images), "decoder": torch.stack(codes)}


def routes_by_product(x, z, y, classes):
    one_hot = F.one_hot(y, classes).to(x.dtype)
    planes = torch.einsum("bk,bhw->bkhw", one_hot, torch.ones_like(x[:, 0]))
    return {"decoder": torch.hstack([z, one_hot]), "encoder": torch.hstack([x, planes])}


def routes_by_comparison(x, z, y, *, classes):
    one_hot = (y[:, None] == torch.arange(classes)).to(z)
    planes = one_hot.reshape(len(x), classes, 1, 1).repeat(1, 1, x.shape[2], x.shape[3])
    return {
        "encoder": torch.cat((x, planes), 1),
        "decoder": torch.cat((z, one_hot), -1),
        "more": 1,
    }


def shares_by_shift(log_joint, log_q):
    weights = torch.exp(log_joint - log_q - (log_joint - log_q).amax(dim=0))
    return weights / weights.sum(dim=0)


def shares_by_logs(log_joint, log_q):
    log_weights = log_joint - log_q
    return (log_weights - log_weights.logsumexp(dim=0)).exp()


def shares_by_autograd(log_joint, log_q):
    log_weights = (log_joint - log_q).detach().requires_grad_()
    (shares,) = torch.autograd.grad(log_weights.logsumexp(dim=0).sum(), log_weights)
    return shares


def bounds_by_loop(rate, distortion, *, entropy):
    rows = [
        (d + r, max(entropy - d, 0.0), r, d + r - entropy)
        for r, d in zip(rate.tolist(), distortion.tolist(), strict=True)
    ]
    keys = ("negative_elbo", "at_least", "at_most", "excess")
    columns = zip(*rows, strict=True)
    return {k: torch.tensor(c, dtype=rate.dtype) for k, c in zip(keys, columns, strict=True)}


def bounds_by_relu(rate, distortion, entropy):
    total = rate + distortion
    return {
        "at_least": torch.relu(entropy - distortion),
        "at_most": rate.clone(),
        "excess": total - entropy,
        "negative_elbo": total,
    }


def bounds_by_where(rate, distortion, *, entropy):
    told = entropy - distortion
    return {
        "negative_elbo": rate + distortion,
        "at_least": torch.where(told > 0, told, torch.zeros_like(told)),
        "at_most": rate,
        "excess": rate - told,
    }


def weight_by_cases(n, steps, *, beta=1.0):
    if n + 1 >= steps:
        return beta
    return beta * (n + 1) / steps


RIGHT = {
    "vae.active_units": [
        units_by_loop,
        units_by_weights,
        lambda variances, beta=1.0, *, noise: int(
            np.count_nonzero(variances.double().numpy() / (beta * noise) > 1)
        ),
    ],
    "vae.optimal_noise": [
        noise_by_loop,
        noise_by_moments,
        F.mse_loss,
        lambda x_hat, x: torch.mean((x_hat - x) ** 2),
    ],
    "vae.route_condition": [routes_by_loop, routes_by_product, routes_by_comparison],
    "vae.importance_weights": [
        shares_by_shift,
        shares_by_logs,
        shares_by_autograd,
        lambda log_joint, log_q: (log_joint - log_q).softmax(0),
    ],
    "vae.warm_up": [
        weight_by_cases,
        lambda n, steps, beta=1.0: float(np.clip(beta * (n + 1) / steps, 0, beta)),
        lambda n, steps, beta=1.0: beta / steps * min(n + 1, steps),
    ],
    "vae.information_bounds": [bounds_by_loop, bounds_by_relu, bounds_by_where],
}
