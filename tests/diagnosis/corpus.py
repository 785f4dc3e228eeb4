"""Wrong answers as readers write them: other algebra, loops, NumPy, library calls.

None of them shares code with the misconceptions of the exercises. Each names the diagnoses that
are true of it: mostly the misconception that it is a twin of, sometimes the property that fails.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence

__all__ = ["WRONG", "Wrong", "ae_step", "gan_step", "gradient_penalty", "r1_penalty", "vae_step"]

bce = F.binary_cross_entropy_with_logits


@dataclass(frozen=True)
class Wrong:
    """One wrong answer.

    Args:
        exercise: id of the exercise.
        name: what it is called in lists.
        codes: the diagnoses that are true of it.
        function: the answer.
    """

    exercise: str
    name: str
    codes: frozenset[str]
    function: Callable[..., Any]


WRONG: list[Wrong] = []


def _add(exercise: str, codes: str, *functions: Callable[..., Any]) -> None:
    """Enter answers of one exercise that have one set of true diagnoses."""
    for function in functions:
        before = sum(entry.exercise == exercise for entry in WRONG)
        first = codes.split()[0]
        name = f"{exercise} {before + 1}, {first}"
        WRONG.append(Wrong(exercise, name, frozenset(codes.split()), function))


def _answer(exercise: str, codes: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the decorated function."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        _add(exercise, codes, function)
        return function

    return enter


# ---- lesson 00: orientation

_add("orientation.epochs_seen", "NO_BATCH", lambda steps, batch_size, images: steps * (1 / images))
_add("orientation.epochs_seen", "WHOLE", lambda s, b, n: float(math.floor(b / n * s + 1e-12)))
_add("orientation.epochs_seen", "INVERTED", lambda s, b, n: 1 / (s / n * b))
_add("orientation.epochs_seen", "value", lambda s, b, n: s * (b + 1) / n)


@_answer("orientation.choose_device", "HARD_CODED")
def _always_cuda(cuda, mps, wanted=None):
    return ["cpu", "cuda", "mps"].index("cuda")


@_answer("orientation.choose_device", "NO_APPLE")
def _two_devices(cuda, mps, wanted=None):
    order = {"cpu": 0, "cuda": 1, "mps": 2}
    if wanted is not None:
        if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps) or wanted not in order:
            raise ValueError(wanted)
        return order[wanted]
    return int(cuda)


@_answer("orientation.choose_device", "SILENT SILENT_CPU")
def _falls_back(cuda, mps, wanted=None):
    have = [True, cuda, mps]
    names = ["cpu", "cuda", "mps"]
    if wanted in names and have[names.index(wanted)]:
        return names.index(wanted)
    return 1 if cuda else 2 if mps else 0


@_answer("orientation.shuffled", "GLOBAL_SEED observation inplace")
def _seeds_the_world(x, seed):
    torch.manual_seed(seed)
    order = torch.rand(len(x)).argsort()
    return torch.stack([x[i] for i in order])


@_answer("orientation.shuffled", "UNSEEDED repeat observation value")
def _any_order(x, seed):
    return x.index_select(0, torch.rand(len(x)).argsort())


@_answer("orientation.shuffled", "REPLACEMENT observation value")
def _drawn_twice(x, seed):
    rng = torch.Generator().manual_seed(seed)
    return x.index_select(0, (torch.rand(len(x), generator=rng) * len(x)).long())


# ---- lesson 01: images as data (E01)

_add(
    "images.to_model_range",
    "UNIT",
    lambda images: torch.from_numpy(images.numpy().astype("float32") / 255),
)
_add("images.to_model_range", "NO_SHIFT", lambda images: 2 * (images.float() / 255))
_add("images.to_model_range", "BY_128", lambda images: (images.float() - 128) / 128)
_add("images.to_model_range", "OVERFLOW", lambda images: images.add(images).div(255.0).sub(1))
_add("images.to_model_range", "dtype", lambda images: images // 127 - 1)
_add("images.to_model_range", "dtype", lambda images: images.double() / 127.5 - 1)
_add("images.to_model_range", "shape", lambda images: (images / 127.5 - 1)[..., None])
_add("images.to_model_range", "SIGN value", lambda images: 1 - images.float() / 127.5)

_add("images.to_uint8", "NO_CLIP", lambda x: (((x + 1) * 255 / 2).round().long() % 256).byte())
_add("images.to_uint8", "TRUNCATED", lambda x: ((x + 1) * 127.5).clamp(0, 255).to(torch.uint8))
_add("images.to_uint8", "UNIT", lambda x: (x.clamp(0, 1) * 255).round().to(torch.uint8))
_add("images.to_uint8", "dtype", lambda x: (127.5 * (x + 1)).round().clamp(0, 255))
_add(
    "images.to_uint8",
    "inplace observation",
    lambda x: x.add_(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8),
)

_add(
    "images.alias_frequency",
    "MODULO",
    lambda f, rate=1.0: f - rate * torch.floor(f / rate),
)
_add("images.alias_frequency", "CUT", lambda f, rate=1.0: torch.minimum(f, 0 * f + rate / 2))
_add(
    "images.shrink",
    "STRIDED",
    lambda x, factor: F.interpolate(x, scale_factor=1 / factor, mode="nearest"),
)
_add(
    "images.shrink",
    "SUM",
    lambda x, factor: F.conv2d(
        x.flatten(0, 1)[:, None], torch.ones(1, 1, factor, factor).to(x), stride=factor
    ).unflatten(0, x.shape[:2])[:, :, 0],
)
_add(
    "images.balanced_weights",
    "PROPORTIONAL",
    lambda y: torch.softmax((y[:, None] == y).double().sum(1).log(), 0),
)
_add(
    "images.balanced_weights",
    "UNNORMALISED",
    lambda y: torch.tensor([1 / y.tolist().count(k) for k in y.tolist()], dtype=torch.float64),
)
_add("images.lost_directions", "ZERO_WEIGHTS", lambda w: sum(v == 0 for v in w.tolist()))


# ---- lesson 02: networks (E02)

_add(
    "networks.conv_size",
    "CEIL",
    lambda n, *, kernel_size, stride=1, padding=0, dilation=1: (
        1 - (dilation * (kernel_size - 1) + 1 - n - 2 * padding) // stride
    ),
)
_add(
    "networks.conv_size",
    "NO_DILATION",
    lambda n, *, kernel_size, stride=1, padding=0, dilation=1: len(
        range(0, n + 2 * padding - kernel_size + 1, stride)
    ),
)
_add(
    "networks.conv_size",
    "value",
    lambda n, *, kernel_size, stride=1, padding=0, dilation=1: (
        (n + 2 * padding - dilation * (stride - 1) - 1) // kernel_size + 1
    ),
)
_add(
    "networks.conv_size",
    "ONE_SIDE",
    lambda n, *, kernel_size, stride=1, padding=0, dilation=1: len(
        range(0, n + padding - dilation * (kernel_size - 1), stride)
    ),
)
_add(
    "networks.transposed_conv_size",
    "NO_OUTPUT_PADDING",
    lambda n, *, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: nn.ConvTranspose1d(
        1, 1, kernel_size, stride=stride, padding=padding, dilation=dilation, device="meta"
    )(torch.empty(1, 1, n, device="meta")).shape[-1],
)
_add(
    "networks.transposed_conv_size",
    "CONVOLUTION",
    lambda n, *, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: math.floor(
        (n + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1
    ),
)
_add(
    "networks.transposed_conv_size",
    "TIMES_STRIDE",
    lambda n, *, kernel_size, stride=1, **options: sum(stride for _ in range(n)),
)
_add("networks.transposed_conv_size", "value", lambda n, *, kernel_size, **options: n * 2**3)
_add(
    "networks.transposed_conv_size",
    "NO_DILATION",
    lambda n, *, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: (
        stride * n - stride - padding * 2 + kernel_size + output_padding
    ),
)


@_answer("networks.transposed_convolution", "FLIPPED")
def _turned_kernel(y, kernel, n, *, stride=1, padding=0, dilation=1):
    x = torch.zeros(n + 2 * padding, dtype=y.dtype)
    for i in range(len(y)):
        for k in range(len(kernel)):
            x[i * stride + k * dilation] = (
                x[i * stride + k * dilation] + y[i] * kernel[len(kernel) - 1 - k]
            )
    return x[padding : padding + n]


@_answer("networks.softmax_cross_entropy_gradient", "SUM")
def _no_mean_of_the_batch(logits, y):
    rows = logits.softmax(1).clone()
    for i, k in enumerate(y.tolist()):
        rows[i, k] -= 1
    return rows


@_answer("networks.softmax_cross_entropy_gradient", "SIGN")
def _by_autograd(logits, y):
    a = logits.detach().clone().requires_grad_()
    F.cross_entropy(a, y).backward()
    return -a.grad


@_answer("networks.softmax_cross_entropy_gradient", "SIGMOID")
def _of_bernoullis(logits, y):
    a = logits.detach().clone().requires_grad_()
    target = torch.eye(logits.shape[1], dtype=logits.dtype)[y]
    (slope,) = torch.autograd.grad(bce(a, target, reduction="sum") / len(y), a)
    return slope


@_answer("networks.softmax_cross_entropy_gradient", "NO_TRUTH")
def _probabilities_only(logits, y):
    return Categorical(logits=logits).probs / logits.shape[0]


_add(
    "networks.dropout",
    "NO_SCALE",
    lambda x, keep, *, p, training=True: torch.where(keep.bool(), x, 0 * x) if training else x,
)
_add("networks.dropout", "ALWAYS", lambda x, keep, *, p, training=True: x.mul(keep).div(1 - p))
_add(
    "networks.dropout",
    "OVER_P",
    lambda x, keep, *, p, training=True: (
        torch.einsum("...,...->...", x, keep * p**-1) if training else x
    ),
)
_add(
    "networks.dropout",
    "SCALED_LATER",
    lambda x, keep, *, p, training=True: keep * x if training else x - p * x,
)


def _adam(change):
    def answer(w, g, m, v, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        a, b = betas
        m = torch.lerp(g, m, a)
        v = torch.lerp(g * g, v, b)
        m_hat, v_hat = m / (1 - a**step), v / (1 - b**step)
        return change(w, m, v, m_hat, v_hat, lr, eps, weight_decay)

    return answer


_add(
    "networks.adam_step",
    "NO_CORRECTION",
    _adam(
        lambda w, m, v, mh, vh, lr, eps, wd: {
            "weight": w - lr * (m / (v**0.5 + eps) + wd * w),
            "m": m,
            "v": v,
        }
    ),
)
_add(
    "networks.adam_step",
    "EPS_INSIDE",
    _adam(
        lambda w, m, v, mh, vh, lr, eps, wd: {
            "weight": w - lr * wd * w - lr * mh * torch.rsqrt(vh + eps),
            "m": m,
            "v": v,
        }
    ),
)
_add(
    "networks.adam_step",
    "UPHILL",
    _adam(
        lambda w, m, v, mh, vh, lr, eps, wd: {
            "weight": (1 - lr * wd) * w + lr * mh / (vh**0.5 + eps),
            "m": m,
            "v": v,
        }
    ),
)
_add(
    "networks.adam_step",
    "keys",
    _adam(lambda w, m, v, mh, vh, lr, eps, wd: {"weight": w, "momentum": m, "square": v}),
)


@_answer("networks.adam_step", "inplace")
def _in_the_callers_state(w, g, m, v, step, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    m.mul_(betas[0]).add_(g, alpha=1 - betas[0])
    v.mul_(betas[1]).addcmul_(g, g, value=1 - betas[1])
    move = (m / (1 - betas[0] ** step)) / ((v / (1 - betas[1] ** step)).sqrt() + eps)
    return {"weight": w - lr * weight_decay * w - lr * move, "m": m, "v": v}


# ---- lesson 03: probability

_add(
    "probability.kl_divergence",
    "MEAN",
    lambda p, q: (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum(-1) / p.shape[-1],
)
_add(
    "probability.kl_divergence",
    "SWAPPED",
    lambda p, q: -(torch.special.entr(q) + torch.xlogy(q, p)).sum(-1),
)
_add(
    "probability.kl_divergence",
    "BITS",
    lambda p, q: (
        -torch.special.entr(p).sum(-1) / math.log(2)
        - torch.xlogy(p, q).sum(-1) * 1.4426950408889634
    ),
)
_add(
    "probability.kl_divergence",
    "CROSS_ENTROPY",
    lambda p, q: -torch.where(p > 0, p * torch.where(p > 0, q, 1).log(), 0 * p).sum(-1),
)
_add(
    "probability.bits_per_dimension",
    "NATS",
    lambda nll, dims, *, bin_width=1.0: nll / dims - math.log(bin_width),
)
_add(
    "probability.bits_per_dimension",
    "WIDTH_SIGN",
    lambda nll, dims, *, bin_width=1.0: nll / (dims * math.log(2)) + math.log2(bin_width),
)
_add(
    "probability.bits_per_dimension",
    "DENSITY_AS_MASS",
    lambda nll, dims, *, bin_width=1.0: nll * (math.log2(math.e) / dims),
)
_add(
    "probability.responsibilities",
    "NO_WEIGHTS",
    lambda log_density, weights: Categorical(logits=log_density).probs,
)
_add(
    "probability.responsibilities",
    "OVER_POINTS",
    lambda a, w: (a + w.log() - (a + w.log()).logsumexp(0, keepdim=True)).exp(),
)
_add(
    "probability.autoregressive_mask",
    "TRANSPOSED",
    lambda s, t, *, strict=False: torch.where(
        (s[:, None] < t) if strict else (s[:, None] <= t), 1.0, 0.0
    ),
)
_add(
    "probability.coupling_inverse",
    "FORWARD",
    lambda z, s, t: {
        "x": torch.hstack([z[:, : -s.shape[1]], torch.addcmul(t, s.exp(), z[:, -s.shape[1] :])]),
        "log_det": torch.einsum("ij->i", s),
    },
)
_add(
    "probability.coupling_inverse",
    "LOG_DET_SIGN",
    lambda z, s, t: {
        "x": torch.hstack([z[:, : -s.shape[1]], (z[:, -s.shape[1] :] - t) / s.exp()]),
        "log_det": torch.log(s.exp().prod(dim=1)),
    },
)


# ---- lesson 04: metrics (E14, E16)


def _sqrtm(c):
    values, vectors = np.linalg.eigh(c.double().numpy())
    return torch.from_numpy((vectors * np.sqrt(values.clip(0))) @ vectors.T).to(c)


def _sqrt_of_product(a, b):
    values = np.linalg.eigvals(a.double().numpy() @ b.double().numpy())
    return torch.tensor(float(np.sqrt(values.astype(complex)).real.sum()), dtype=a.dtype)


_add(
    "metrics.gaussian_frechet",
    "NO_TWO",
    lambda m, c, n, d: (m - n) @ (m - n) + (c + d).trace() - _sqrt_of_product(c, d),
)
_add(
    "metrics.gaussian_frechet",
    "NORM",
    lambda m, c, n, d: torch.dist(m, n) + (c + d).trace() - 2 * _sqrt_of_product(c, d),
)
_add("metrics.gaussian_frechet", "MEANS_ONLY", lambda m, c, n, d: F.mse_loss(m, n, reduction="sum"))
_add(
    "metrics.gaussian_frechet",
    "SEPARATE_ROOTS",
    lambda m, c, n, d: ((m - n) ** 2).sum() + (c + d).trace() - 2 * (_sqrtm(c) * _sqrtm(d)).sum(),
)
_add(
    "metrics.gaussian_frechet",
    "value",
    lambda m, c, n, d: ((m - n) ** 2).sum() + (c + d).trace(),
    lambda m, c, n, d: ((m - n) ** 2).sum() + (c + d).trace() - 2 * _sqrtm(c + d).trace(),
)
_add(
    "metrics.psnr",
    "UNIT_SPAN",
    lambda a, b, *, span=2.0: -10 / math.log(10) * (a - b).pow(2).flatten(1).mean(1).log(),
)
_add(
    "metrics.psnr",
    "BATCH",
    lambda a, b, *, span=2.0: torch.stack(
        [10 * torch.log10(span**2 / F.mse_loss(a, b)) for _ in a]
    ),
)
_add(
    "metrics.psnr",
    "value",
    lambda a, b, *, span=2.0: 10 * (span**2 / (a - b).pow(2).flatten(1).mean(1)).log2(),
)
_add(
    "metrics.psnr",
    "shape",
    lambda a, b, *, span=2.0: 10 * (span**2 / (a - b).pow(2).mean()).log10(),
)
_add(
    "metrics.psnr",
    "TWENTY",
    lambda a, b, *, span=2.0: torch.stack(
        [40 * math.log10(span) - 20 * F.mse_loss(u, v).log10() for u, v in zip(a, b, strict=True)]
    ),
)


def _kernel(a, b):
    return torch.stack([torch.stack([(u @ v / a.shape[1] + 1) ** 3 for v in b]) for u in a])


_add(
    "metrics.squared_mmd",
    "DIAGONALS",
    lambda x, y: _kernel(x, x).mean() + _kernel(y, y).mean() - 2 * _kernel(x, y).mean(),
)
_add(
    "metrics.inception_score",
    "NO_EXP",
    lambda p: torch.stack(
        [(torch.xlogy(row, row) - torch.xlogy(row, p.mean(0))).sum() for row in p]
    ).mean(),
)
_add(
    "metrics.inception_score",
    "ENTROPIES_ONLY",
    lambda p: p.shape[1] * torch.xlogy(p, p).sum(1).mean().exp(),
)
_add(
    "metrics.inception_score",
    "MEAN_ONLY",
    lambda p: (-torch.xlogy(p.mean(0), p.mean(0)).sum()).exp(),
)


# ---- lesson 05: autoencoders (E03, E16)


def ae_step(cost, clear=True, sign=1.0, target=lambda x: x):
    def answer(model, optimizer, x):
        loss = sign * cost(model(x), target(x))
        if clear:
            for p in model.parameters():
                p.grad = None
        loss.backward()
        optimizer.step()
        return {"squared_error": loss.detach()}

    return answer


def _rows(a, b):
    return torch.sum((a - b) ** 2) / a.shape[0]


_add("autoencoder.step", "PIXEL_MEAN", ae_step(lambda a, b: ((a - b) ** 2).mean()))
_add("autoencoder.step", "BATCH_SUM", ae_step(lambda a, b: F.mse_loss(a, b, reduction="sum")))
_add("autoencoder.step", "ACCUMULATED", ae_step(_rows, clear=False))
_add("autoencoder.step", "UPHILL", ae_step(_rows, sign=-1.0))
_add("autoencoder.step", "change losses", ae_step(_rows, target=lambda x: x.flip(0)))
_add("autoencoder.step", "change losses", ae_step(lambda a, b: _rows(a.sigmoid(), b)))
_add("autoencoder.step", "change losses", ae_step(lambda a, b: (a - b).abs().sum() / len(a)))


_add(
    "autoencoder.inpaint",
    "INVERTED",
    lambda model, x, mask: torch.where(mask == 0, x, model(torch.where(mask == 0, x, 0.0))),
)
_add(
    "autoencoder.inpaint",
    "PEEKS",
    lambda model, x, mask: torch.where(mask.bool(), x, model(x)),
)
_add("autoencoder.inpaint", "WHOLE", lambda model, x, mask: model(x - (1 - mask) * x))
_add("autoencoder.linear_error", "KEPT", lambda c, k: torch.linalg.svdvals(c)[:k].sum())
_add(
    "autoencoder.linear_error",
    "SMALLEST",
    lambda c, k: torch.linalg.svdvals(c)[: len(c) - k].sum(),
)
_add("autoencoder.score_from_denoiser", "SIGN", lambda d, y, *, sigma: (y - d) * sigma**-2)
_add("autoencoder.score_from_denoiser", "SIGMA", lambda d, y, *, sigma: torch.div(d - y, sigma))
_add("autoencoder.best_decoder", "TIED", lambda e, c: torch.einsum("zd->dz", e).contiguous())


# ---- lesson 06: the VAE (E04, E05, E06)


def _gaussian(mu, logvar):
    return Normal(mu, torch.exp(0.5 * logvar))


def _kl(mu, logvar):
    return kl_divergence(_gaussian(mu, logvar), Normal(0.0, 1.0))


_add("vae.gaussian_kl", "SIGN", lambda m, v: -_kl(m, v).sum(-1))
_add("vae.gaussian_kl", "SIGN", lambda m, v: 0.5 * torch.sum(1 + v - m**2 - v.exp(), dim=1))
_add("vae.gaussian_kl", "HALF", lambda m, v: -torch.sum(1 + v - m.pow(2) - v.exp(), dim=1))
_add("vae.gaussian_kl", "CONST", lambda m, v: -0.5 * (v - m**2 - torch.exp(v)).sum(1))
_add(
    "vae.gaussian_kl",
    "MU_NOT_SQUARED",
    lambda m, v: torch.stack(
        [0.5 * (r + torch.expm1(s) - s).sum() for r, s in zip(m, v, strict=True)]
    ),
)
_add("vae.gaussian_kl", "MU_MISSING", lambda m, v: _kl(0 * m, v).sum(-1))
_add("vae.gaussian_kl", "LOG_SIGMA", lambda m, v: _kl(m, v + v).sum(-1))
_add(
    "vae.gaussian_kl",
    "SIGMA",
    lambda m, v: (0.5 * m**2 + 0.5 * (v / 2).exp() - 0.5 - 0.5 * v).sum(1),
)
_add("vae.gaussian_kl", "REDUCE_DIM", lambda m, v: _kl(m, v).sum(-1) / m.shape[-1])
_add("vae.gaussian_kl", "REDUCE_BATCH", lambda m, v: torch.einsum("ij->", _kl(m, v)))
_add("vae.gaussian_kl", "MEAN_BATCH", lambda m, v: _kl(m, v).sum() / m.size(0))
_add(
    "vae.gaussian_kl",
    "DIRECTION",
    lambda m, v: kl_divergence(Normal(torch.zeros_like(m), 1.0), _gaussian(m, v)).sum(1),
)
_add("vae.gaussian_kl", "value gradient CLAMP", lambda m, v: _kl(m, v.clamp(max=5)).sum(1))
_add("vae.gaussian_kl", "shape", lambda m, v: _kl(m, v).sum(1, keepdim=True))
_add("vae.gaussian_kl", "gradient_missing", lambda m, v: _kl(m, v).sum(1).data)
_add(
    "vae.gaussian_kl",
    "gradient_missing",
    lambda m, v: torch.tensor([[float(e) for e in row] for row in _kl(m, v)], dtype=m.dtype).sum(1),
)

_add("vae.reparameterise", "STD", lambda m, v: Normal(m, v.exp()).rsample())
_add(
    "vae.reparameterise",
    "STD_LOG gradient",
    lambda m, v: torch.addcmul(m, v, torch.randn(m.shape).to(m)),
)
_add("vae.reparameterise", "NO_SIGMA", lambda m, v: Normal(m, torch.ones_like(v)).rsample())
_add(
    "vae.reparameterise",
    "UNIFORM",
    lambda m, v: m + v.div(2).exp() * torch.empty_like(m).uniform_(),
)
_add(
    "vae.reparameterise",
    "statistic",
    lambda m, v: m + v.div(2).exp() * (2 * torch.rand_like(m) - 1),
)
_add(
    "vae.reparameterise",
    "SHARED statistic",
    lambda m, v: m + torch.randn(1, m.shape[1]).to(m).expand(len(m), -1) * v.exp().sqrt(),
)
_add("vae.reparameterise", "SAMPLED NO_GRAD", lambda m, v: _gaussian(m, v).sample())


@_answer("vae.reparameterise", "NO_GRAD")
def _without_graph(mu, logvar):
    with torch.no_grad():
        return mu + torch.sqrt(torch.exp(logvar)) * torch.randn(mu.shape, dtype=mu.dtype)


@_answer("vae.reparameterise", "STALE statistic repeat")
def _same_noise(mu, logvar):
    noise = torch.from_numpy(np.random.default_rng(1).standard_normal(tuple(mu.shape))).to(mu)
    return mu + torch.exp(0.5 * logvar) * noise


def _nll(a, t):
    return bce(a, t, reduction="none").flatten(1)


_add("vae.bernoulli_nll", "MEAN_PIXELS", lambda a, t: _nll(a, t).sum(1) / a[0].numel())
_add("vae.bernoulli_nll", "MEAN_ALL", lambda a, t: bce(a, t))
_add("vae.bernoulli_nll", "MEAN_BATCH", lambda a, t: bce(a, t, reduction="sum") / len(a))
_add(
    "vae.bernoulli_nll",
    "SIGN",
    lambda a, t: Bernoulli(logits=a, validate_args=False).log_prob(t).flatten(1).sum(1),
)
_add("vae.bernoulli_nll", "DOUBLE_SIGMOID", lambda a, t: _nll(1 / (1 + torch.exp(-a)), t).sum(1))
_add(
    "vae.bernoulli_nll",
    "RANGE",
    lambda a, t: (a - a * (2 * t - 1) - F.logsigmoid(a)).flatten(1).sum(1),
)
_add("vae.bernoulli_nll", "INK_ONLY", lambda a, t: -(t * F.logsigmoid(a)).flatten(1).sum(1))


@_answer("vae.bernoulli_nll", "STABLE finite")
def _logs_of_probabilities(logits, target):
    p = 1 / (1 + torch.exp(-logits))
    return -(target * torch.log(p) + (1 - target) * torch.log1p(-p)).flatten(1).sum(1)


@_answer("vae.bernoulli_nll", "CLAMPED value")
def _kept_from_zero(logits, target):
    p = torch.sigmoid(logits).clamp(1e-12, 1 - 1e-12)
    return -(target * p.log() + (1 - target) * (1 - p).log()).flatten(1).sum(1)


def _elbo(combine):
    def answer(x, logits, mu, logvar, *, beta=1.0):
        rec = bce(logits, 0.5 + 0.5 * x, reduction="none").flatten(1).sum(1)
        return combine(rec, _kl(mu, logvar).sum(1), beta)

    return answer


_add("vae.negative_elbo", "NO_KL", _elbo(lambda rec, kl, beta: rec.sum() / len(rec)))
_add("vae.negative_elbo", "KL_SIGN", _elbo(lambda rec, kl, beta: rec.mean() - beta * kl.mean()))
_add("vae.negative_elbo", "SIGN", _elbo(lambda rec, kl, beta: (-rec - beta * kl).mean()))
_add("vae.negative_elbo", "BETA", _elbo(lambda rec, kl, beta: kl.mean() + beta * rec.mean()))
_add(
    "vae.negative_elbo",
    "NO_BETA",
    _elbo(lambda rec, kl, beta: torch.stack([rec, kl]).sum(0).mean()),
)
_add("vae.negative_elbo", "SUM_BATCH", _elbo(lambda rec, kl, beta: rec.sum() + beta * kl.sum()))
_add("vae.negative_elbo", "shape", _elbo(lambda rec, kl, beta: rec + beta * kl))
_add(
    "vae.negative_elbo",
    "NO_GRAD gradient_missing",
    _elbo(lambda rec, kl, beta: torch.tensor((rec + beta * kl).mean().item(), dtype=rec.dtype)),
)
_add(
    "vae.negative_elbo",
    "SCALE_MIX",
    lambda x, a, m, v, *, beta=1.0: bce(a, (x + 1) / 2) + beta * _kl(m, v).sum(1).mean(),
)
_add(
    "vae.negative_elbo",
    "RANGE",
    lambda x, a, m, v, *, beta=1.0: (
        bce(a, x, reduction="sum") / len(x) + beta * _kl(m, v).sum() / len(x)
    ),
)
_add(
    "vae.negative_elbo",
    "KL_MEAN",
    lambda x, a, m, v, *, beta=1.0: (
        bce(a, (x + 1) / 2, reduction="sum") / len(x) + beta * _kl(m, v).mean()
    ),
)


def vae_step(*, pixel_mean=False, weigh=True, clear=True, cut=False, sign=1.0, order=False):
    def answer(model, optimizer, x, *, beta=1.0):
        mu, logvar = model.encode(x)
        z = _gaussian(mu, logvar).rsample()
        logits = model.decode(z.detach() if cut else z)
        rec = bce(logits, (1 + x) / 2, reduction="sum") / len(x)
        rec = rec / x[0].numel() if pixel_mean else rec
        kl = _kl(mu, logvar).sum() / len(x)
        loss = sign * (rec + (beta if weigh else 1.0) * kl)
        if order:
            optimizer.step()
        if clear:
            optimizer.zero_grad()
        loss.backward()
        if not order:
            optimizer.step()
        return {"negative_elbo": loss.data, "reconstruction": rec.data, "kl": kl.data}

    return answer


_add("vae.step", "ACCUMULATED", vae_step(clear=False))
_add("vae.step", "PIXEL_MEAN", vae_step(pixel_mean=True))
_add("vae.step", "NO_BETA", vae_step(weigh=False))
_add("vae.step", "CUT_CODE", vae_step(cut=True))
_add("vae.step", "UPHILL", vae_step(sign=-1.0))
_add("vae.step", "ORDER moved", vae_step(order=True))
_add(
    "vae.importance_log_likelihood",
    "MEAN_OF_LOGS",
    lambda a, b: torch.einsum("kb->b", a - b) / len(a),
)
_add(
    "vae.importance_log_likelihood",
    "NO_LOG_K",
    lambda a, b: (a - b).amax(0) + (a - b - (a - b).amax(0)).exp().sum(0).log(),
)
_add(
    "vae.importance_log_likelihood", "STABLE finite", lambda a, b: (a.exp() / b.exp()).mean(0).log()
)
_add(
    "vae.score_function_gradient",
    "NO_SCORE",
    lambda z, mu, *, baseline=0.0: torch.tensor([v * v - baseline for v in z.tolist()]).to(z),
)
_add("vae.score_function_gradient", "PATHWISE", lambda z, mu, *, baseline=0.0: z + z)
_add("vae.score_function_gradient", "IGNORED", lambda z, mu, *, baseline=0.0: z**3 - mu * z**2)


# ---- lesson 07: latent spaces

_add(
    "vae.active_units",
    "NO_BETA",
    lambda v, *, beta=1.0, noise: len([u for u in v.tolist() if u > noise]),
)
_add("vae.optimal_noise", "ROOT", lambda a, b: torch.linalg.vector_norm(a - b) / a.numel() ** 0.5)
_add("vae.optimal_noise", "SUMMED", lambda a, b: torch.dist(a, b) ** 2 / len(a))
_add("vae.importance_weights", "BATCH", lambda a, b: torch.exp(F.log_softmax(a - b, dim=1)))
_add("vae.importance_weights", "INVERSE", lambda a, b: torch.exp(F.log_softmax(b - a, dim=0)))
_add(
    "vae.warm_up", "ENDLESS", lambda n, steps, *, beta=1.0: sum(beta / steps for _ in range(n + 1))
)
_add("vae.warm_up", "LATE", lambda n, steps, *, beta=1.0: beta if n >= steps else beta * n / steps)


@_answer("vae.route_condition", "NUMBER shape")
def _label_as_number(x, z, y, *, classes):
    value = y.to(z.dtype)
    plane = value.to(x)[:, None, None, None].expand(-1, 1, *x.shape[2:])
    return {"encoder": torch.cat([x, plane], 1), "decoder": torch.cat([z, value[:, None]], 1)}


# ---- lesson 09: games

_add(
    "gan.divergence_from_logits",
    "TWICE",
    lambda a, b: 2 * math.log(2) + F.logsigmoid(a).mean() + F.logsigmoid(-b).mean(),
)
_add(
    "gan.divergence_from_logits",
    "NO_LOG_TWO",
    lambda a, b: (F.logsigmoid(a).mean() + F.logsigmoid(-b).mean()) / 2,
)
_add(
    "gan.divergence_from_logits",
    "value",
    lambda a, b: 1 + (F.logsigmoid(a).mean() + F.logsigmoid(-b).mean()) / (2 * math.log(2)),
)
_add("gan.generator_slopes", "SWAPPED", lambda d: {"saturating": -(1 - d), "non_saturating": 0 - d})
_add("gan.generator_slopes", "SIGN", lambda d: {"saturating": 1 * d, "non_saturating": 1 - d})
_add(
    "gan.misled_discriminator",
    "HONEST",
    lambda p, q, *, mislabelled: torch.where(p + q > 0, 1 / (1 + q / p), 0.5),
)


@_answer("clinic.moves", "SIGNED")
def _sum_of_moves(step, networks):
    before = {
        k: sum(float(p.detach().double().sum()) for p in n.parameters())
        for k, n in networks.items()
    }
    step()
    return {
        k: torch.tensor(
            sum(float(p.detach().double().sum()) for p in n.parameters()) - before[k],
            dtype=next(n.parameters()).dtype,
        )
        for k, n in networks.items()
    }


@_answer("clinic.moves", "NO_COPY")
def _aliased_weights(step, networks):
    before = {k: list(n.parameters()) for k, n in networks.items()}
    step()
    return {
        k: torch.stack(
            [(p - q).detach().norm() for p, q in zip(n.parameters(), before[k], strict=True)]
        ).norm()
        for k, n in networks.items()
    }


# ---- lesson 10: dynamics

_add(
    "gan.dirac_field",
    "REWARD",
    lambda t, p, *, gamma=0.0: torch.stack(
        [p / (1 + torch.exp(p * t)), gamma * p - t / (1 + torch.exp(-p * t))], -1
    ),
)
_add(
    "gan.dirac_field",
    "UPHILL",
    lambda t, p, *, gamma=0.0: torch.stack(
        [-p * torch.sigmoid(-p * t), t * torch.sigmoid(p * t) + gamma * p], dim=-1
    ),
)
_add("gan.critical_gamma", "HALF", lambda slope: (slope**2) ** 0.5)
_add("gan.critical_gamma", "SIGN", lambda slope: slope + slope)
_add(
    "gan.chase",
    "FLEES",
    lambda law, a, *, updates, rate=1.0: F.softmax(law.log() - a * (updates * rate), 0),
)
_add(
    "gan.chase",
    "FORGETS",
    lambda law, a, *, updates, rate=1.0: Categorical(logits=updates * rate * a).probs,
)
_add(
    "gan.power_iteration",
    "EXACT",
    lambda w, u, *, iterations=1: torch.linalg.svdvals(w)[0],
)
_add("gan.power_iteration", "FROBENIUS", lambda w, u, *, iterations=1: (w**2).sum() ** 0.5)


# ---- lesson 11: losses (E17)

_add("gan.wasserstein_1d", "UNSORTED", lambda x, y: F.l1_loss(x, y))
_add("gan.wasserstein_1d", "W2", lambda x, y: F.mse_loss(x.sort()[0], y.sort()[0]).sqrt())
_add("gan.wasserstein_1d", "MEANS", lambda x, y: abs(x.sum() / len(x) - y.sum() / len(y)))
_add("gan.hinge_generator_loss", "MARGIN", lambda a: torch.clamp(1 - a, min=0).sum() / a.numel())
_add("gan.hinge_generator_loss", "SIGN", lambda a: torch.einsum("i...->", a) / a.numel())
_add("gan.hinge_generator_loss", "SUM", lambda a: torch.neg(a).sum())


def gradient_penalty(
    *, at=None, whole=False, graph=True, cost=lambda norm: (norm - 1) ** 2, share=None
):
    def answer(critic, real, fake, *, weight, alpha=None):
        a = alpha if share is None else share(alpha)
        a = a.view(len(a), *([1] * (real.dim() - 1)))
        x = fake + a * (real - fake) if at is None else at(real, fake)
        x = x.detach().clone().requires_grad_(True)
        out = critic(x)
        g = torch.autograd.grad(out, x, torch.ones_like(out), create_graph=graph)[0]
        norm = (g**2).sum().sqrt() if whole else (g**2).flatten(1).sum(1).sqrt()
        return weight * cost(norm).mean()

    return answer


_add("gan.gradient_penalty", "AT_REAL", gradient_penalty(at=lambda real, fake: real))
_add("gan.gradient_penalty", "AT_FAKE", gradient_penalty(at=lambda real, fake: fake))
_add("gan.gradient_penalty", "BATCH_NORM", gradient_penalty(whole=True))
_add("gan.gradient_penalty", "NO_GRAPH gradient_missing", gradient_penalty(graph=False))
_add(
    "gan.gradient_penalty", "ONE_SIDED", gradient_penalty(cost=lambda norm: F.relu(norm - 1).pow(2))
)
_add(
    "gan.gradient_penalty",
    "value observation",
    gradient_penalty(cost=lambda norm: (norm - 1).abs()),
)
_add("gan.gradient_penalty", "NO_ONE", gradient_penalty(cost=lambda norm: norm.pow(2)))
_add("gan.gradient_penalty", "SWAPPED", gradient_penalty(share=lambda a: 1 - a))
_add("gan.gradient_penalty", "SHARED", gradient_penalty(share=lambda a: a[0].expand_as(a)))


# ---- lesson 12: the GPU (E12, E13)


@_answer("dcgan.sample", "LEFT_IN_EVAL")
def _for_good_in_eval(generator, z):
    generator.train(False)
    with torch.inference_mode():
        return generator(z).clone()


@_answer("dcgan.sample", "WITH_GRAPH")
def _tracked(generator, z):
    mode = generator.training
    generator.train(False)
    pictures = generator(z)
    generator.train(mode)
    return pictures


@_answer("dcgan.sample", "AS_IT_IS")
def _in_its_mode(generator, z):
    return generator(z).detach()


@_answer("dcgan.sample", "ALWAYS_TRAINING")
def _into_training(generator, z):
    generator.eval()
    pictures = generator(z).detach()
    for module in generator.modules():
        module.training = True
    return pictures


def _state(*names, copied=copy.deepcopy, rng=True):
    def answer(network, optimizer, average, batches):
        every = {"network": network, "optimizer": optimizer, "average": average, "batches": batches}
        saved = {k: copied(v.state_dict()) for k, v in every.items() if k not in names}
        return {**saved, "rng": torch.get_rng_state()} if rng else saved

    return answer


_add("training.run_state", "NO_OPTIMIZER", _state("optimizer"))
_add("training.run_state", "NO_AVERAGE", _state("average"))
_add("training.run_state", "NO_BATCHES", _state("batches"))
_add("training.run_state", "NO_RNG", _state(rng=False))
_add("training.run_state", "NOT_COPIED", _state(copied=dict))
_add(
    "training.run_hours",
    "MINUTES",
    lambda t, *, images, batch_size, epochs, warm_up=5: (
        float(t[warm_up:].double().mean()) * epochs * (images // batch_size) / 60
    ),
)
_add(
    "training.unscale_and_clip",
    "NO_UNSCALE",
    lambda g, scale, *, max_norm: (
        g.float() * min(1.0, max_norm / float(g.float().norm()))
        if g.isfinite().all()
        else torch.zeros_like(g.float())
    ),
)


# ---- lesson 13: conditional GANs (E07 to E11)

_add("gan.discriminator_loss", "REAL_ONLY", lambda a, b: bce(a, torch.ones_like(a)))
_add("gan.discriminator_loss", "FAKE_ONLY", lambda a, b: -F.logsigmoid(-b).mean())
_add(
    "gan.discriminator_loss",
    "SWAPPED",
    lambda a, b: bce(a, torch.zeros_like(a)) + bce(b, torch.ones_like(b)),
)
_add(
    "gan.discriminator_loss", "SIGN", lambda a, b: F.logsigmoid(a).mean() + F.logsigmoid(-b).mean()
)
_add(
    "gan.discriminator_loss",
    "DOUBLE_SIGMOID",
    lambda a, b: (
        bce(torch.sigmoid(a), torch.ones_like(a)) + bce(torch.sigmoid(b), torch.zeros_like(b))
    ),
)
_add(
    "gan.discriminator_loss",
    "STABLE finite",
    lambda a, b: -torch.log(a.sigmoid()).mean() - torch.log(1 - b.sigmoid()).mean(),
)
_add(
    "gan.discriminator_loss",
    "HALVED",
    lambda a, b: -0.5 * F.logsigmoid(a).mean() - 0.5 * F.logsigmoid(-b).mean(),
)
_add(
    "gan.discriminator_loss",
    "SUMMED",
    lambda a, b: (
        bce(a, torch.ones_like(a), reduction="sum") + bce(b, torch.zeros_like(b), reduction="sum")
    ),
)
_add("gan.discriminator_loss", "RAW", lambda a, b: -(a.mean() - b.mean()))
_add(
    "gan.discriminator_loss",
    "TOTAL",
    lambda a, b: -F.logsigmoid(a).mean() - (F.logsigmoid(-b) + F.logsigmoid(b)).mean(),
)

_add("gan.generator_loss", "SATURATING", lambda b: F.logsigmoid(-b).mean())
_add("gan.generator_loss", "TARGET", lambda b: bce(b, torch.zeros_like(b)))
_add("gan.generator_loss", "SIGN", lambda b: F.logsigmoid(b).mean())
_add("gan.generator_loss", "NO_LOG", lambda b: torch.sigmoid(-b).mean())
_add("gan.generator_loss", "RAW", lambda b: -b.sum() / len(b))
_add("gan.generator_loss", "STABLE finite", lambda b: torch.log(1 + torch.exp(-b)).mean())
_add("gan.generator_loss", "SUMMED", lambda b: bce(b, torch.ones_like(b), reduction="sum"))
_add("gan.generator_loss", "PER_IMAGE", lambda b: -F.logsigmoid(b))
_add("gan.generator_loss", "NO_GRAD", lambda b: -F.logsigmoid(b.data).mean())

_add(
    "gan.optimal_discriminator",
    "SWAPPED",
    lambda p, q, *, prior=0.5: torch.where(
        p + q > 0, 1 - prior * p / torch.where(p + q > 0, prior * p + (1 - prior) * q, 1), 1 - prior
    ),
)
_add(
    "gan.optimal_discriminator",
    "ZERO finite",
    lambda p, q, *, prior=0.5: 1 / (1 + (1 - prior) * q / (prior * p)),
)
_add(
    "gan.optimal_discriminator",
    "RATIO finite",
    lambda p, q, *, prior=0.5: p / q * (prior / (1 - prior)),
)


def r1_penalty(
    *, of=lambda a: a.sum(), graph=True, cost=lambda g: g.flatten(1).pow(2).sum(1).mean(), half=0.5
):
    def answer(logits, x, *, gamma):
        g = torch.autograd.grad(of(logits), [x], create_graph=graph, retain_graph=True)[0]
        return half * gamma * cost(g)

    return answer


_add("gan.r1_penalty", "NO_HALF", r1_penalty(half=1.0))
_add(
    "gan.r1_penalty",
    "NOT_SQUARED",
    r1_penalty(cost=lambda g: torch.linalg.vector_norm(g.flatten(1), dim=1).mean()),
)
_add("gan.r1_penalty", "SUM_BATCH", r1_penalty(cost=lambda g: torch.einsum("...,...->", g, g)))
_add("gan.r1_penalty", "MEAN_PIXELS", r1_penalty(cost=lambda g: F.mse_loss(g, torch.zeros_like(g))))
_add("gan.r1_penalty", "NO_GRAPH gradient_missing", r1_penalty(graph=False))

_add(
    "cgan.condition", "IGNORED", lambda z, y, table: torch.hstack([z, table[:1].repeat(len(z), 1)])
)
_add(
    "cgan.condition",
    "ONE_HOT",
    lambda z, y, table: torch.cat([z, torch.eye(len(table)).to(z)[y]], 1),
)
_add("cgan.condition", "NUMBER shape", lambda z, y, table: torch.column_stack([z, y.to(z.dtype)]))
_add("cgan.condition", "ROWS shape", lambda z, y, table: torch.vstack([z, F.embedding(y, table)]))
_add("cgan.condition", "FROZEN", lambda z, y, table: torch.hstack([z, F.embedding(y, table.data)]))
_add("cgan.condition", "ORDER", lambda z, y, table: torch.hstack([F.embedding(y, table), z]))
_add("cgan.projection_logit", "IGNORED", lambda f, y, w, b, v: F.linear(f, w[None], b[None])[:, 0])
_add(
    "cgan.projection_logit",
    "MEAN",
    lambda f, y, w, b, v: f @ w + b + torch.einsum("bf,bf->b", v[y], f) / f.shape[1],
)
_add(
    "cgan.projection_logit", "NO_BIAS", lambda f, y, w, b, v: torch.einsum("bf,bf->b", w + v[y], f)
)
_add("cgan.prior_shift", "NOT_NORMALISED", lambda p, a, b: torch.einsum("bk,k->bk", p, b / a))
_add("cgan.prior_shift", "BATCH", lambda p, a, b: p * (b / a) / torch.einsum("bk->k", p * (b / a)))
_add("cgan.prior_shift", "OLD_KEPT", lambda p, a, b: F.normalize(p * b, p=1, dim=1))


def gan_step(
    *,
    clear=True,
    saturating=False,
    target=1.0,
    labels=(1.0, 0.0),
    whose="generator",
    blind=False,
    joint=False,
    gamma_used=True,
    cut=False,
):
    def answer(generator, discriminator, opt_g, opt_d, x, y, *, gamma=0.0):
        z = torch.randn(len(x), generator.latent_dim)
        images = generator(z, y)
        real = x.clone().requires_grad_()
        a = discriminator(real, torch.zeros_like(y) if blind else y)
        b = discriminator(images.detach(), torch.zeros_like(y) if blind else y)
        d_loss = bce(a, torch.full_like(a, labels[0])) + bce(b, torch.full_like(b, labels[1]))
        slope = torch.autograd.grad(a.sum(), real, create_graph=True)[0].flatten(1)
        penalty = gamma / 2 * (slope**2).sum(1).mean() if gamma_used else 0.0
        if clear:
            opt_d.zero_grad()
        (d_loss + penalty).backward()
        opt_d.step()
        made = images.detach() if cut else images
        c = discriminator(made, torch.zeros_like(y) if blind else y)
        g_loss = F.logsigmoid(-c).mean() if saturating else bce(c, torch.full_like(c, target))
        if clear:
            opt_g.zero_grad()
            opt_d.zero_grad()
        g_loss.backward()
        {"generator": opt_g, "discriminator": opt_d}[whose].step()
        if joint:
            opt_d.step()
        return {"d_loss": d_loss.data, "g_loss": g_loss.data}

    return answer


_add("cgan.step", "ACCUMULATED", gan_step(clear=False))
_add("cgan.step", "SATURATING", gan_step(saturating=True))
_add("cgan.step", "TARGET", gan_step(target=0.0))
_add("cgan.step", "SWAPPED", gan_step(labels=(0.0, 1.0)))
_add("cgan.step", "WRONG_NETWORK moved", gan_step(whose="discriminator"))
_add("cgan.step", "LEAK", gan_step(joint=True))
_add("cgan.step", "D_IGNORES_LABEL", gan_step(blind=True))
_add("cgan.step", "NO_R1", gan_step(gamma_used=False))
_add("cgan.step", "CUT moved", gan_step(cut=True))
