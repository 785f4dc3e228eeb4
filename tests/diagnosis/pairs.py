"""Answers with two faults at once: none is accepted, whatever the faults do to each other.

A true diagnosis is either of the two, or a property that fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from diagnosis.corpus import Wrong, ae_step, gan_step, gradient_penalty, r1_penalty, vae_step
from torch.distributions import Normal, kl_divergence

__all__ = ["PAIRS"]

bce = F.binary_cross_entropy_with_logits
PAIRS: list[Wrong] = []


def _add(exercise: str, codes: str, function: Callable[..., Any]) -> None:
    one, other = codes.split()
    PAIRS.append(
        Wrong(exercise, f"{exercise}: {one} and {other}", frozenset((one, other)), function)
    )


def _kl(mu, logvar):
    return kl_divergence(Normal(mu, torch.exp(0.5 * logvar)), Normal(0.0, 1.0))


_add("images.to_model_range", "BY_128 NO_SHIFT", lambda images: images.float() / 128)
_add(
    "images.to_uint8",
    "NO_CLIP TRUNCATED",
    lambda x: (((x + 1) * 127.5).floor().long() % 256).byte(),
)
_add(
    "networks.conv_size",
    "ONE_SIDE NO_DILATION",
    lambda n, *, kernel_size, stride=1, padding=0, dilation=1: (
        (n + padding - kernel_size) // stride + 1
    ),
)
_add(
    "networks.conv_size",
    "CEIL DILATED_TAPS",
    lambda n, *, kernel_size, stride=1, padding=0, dilation=1: (
        1 - (dilation * kernel_size - n - 2 * padding) // stride
    ),
)
_add(
    "networks.transposed_conv_size",
    "NO_OUTPUT_PADDING NO_DILATION",
    lambda n, *, kernel_size, stride=1, padding=0, output_padding=0, dilation=1: (
        (n - 1) * stride - 2 * padding + kernel_size
    ),
)
_add(
    "networks.softmax_cross_entropy_gradient",
    "SUM SIGN",
    lambda logits, y: F.one_hot(y, logits.shape[1]).to(logits) - logits.softmax(1),
)
_add(
    "networks.dropout",
    "INVERTED NO_SCALE",
    lambda x, keep, *, p, training=True: x - x * keep if training else x,
)
_add(
    "probability.kl_divergence",
    "SWAPPED BITS",
    lambda p, q: (torch.xlogy(q, q) - torch.xlogy(q, p)).sum(-1) / math.log(2),
)
_add(
    "metrics.psnr",
    "UNIT_SPAN NATURAL",
    lambda a, b, *, span=2.0: -10 * (a - b).square().flatten(1).mean(1).log(),
)
_add("autoencoder.step", "PIXEL_MEAN ACCUMULATED", ae_step(F.mse_loss, clear=False))
_add("vae.gaussian_kl", "SIGN REDUCE_DIM", lambda m, v: -_kl(m, v).mean(1))
_add("vae.gaussian_kl", "HALF CONST", lambda m, v: (m**2 + v.exp() - v).sum(1))
_add("vae.gaussian_kl", "MU_MISSING LOG_SIGMA", lambda m, v: _kl(0 * m, 2 * v).sum(1))
_add("vae.reparameterise", "STD NO_GRAD", lambda m, v: Normal(m, v.exp()).sample())
_add(
    "vae.bernoulli_nll",
    "SIGN MEAN_PIXELS",
    lambda a, t: -bce(a, t, reduction="none").flatten(1).mean(1),
)
_add(
    "vae.negative_elbo",
    "SCALE_MIX KL_SIGN",
    lambda x, a, m, v, *, beta=1.0: bce(a, (x + 1) / 2) - beta * _kl(m, v).sum(1).mean(),
)
_add(
    "vae.negative_elbo",
    "RANGE NO_BETA",
    lambda x, a, m, v, *, beta=1.0: (bce(a, x, reduction="sum") + _kl(m, v).sum()) / len(x),
)
_add("vae.step", "ACCUMULATED NO_BETA", vae_step(clear=False, weigh=False))
_add("vae.step", "PIXEL_MEAN CUT_CODE", vae_step(pixel_mean=True, cut=True))
_add(
    "gan.gradient_penalty",
    "AT_REAL NO_GRAPH",
    gradient_penalty(at=lambda real, fake: real, graph=False),
)
_add(
    "gan.gradient_penalty",
    "BATCH_NORM SWAPPED",
    gradient_penalty(whole=True, share=lambda a: 1 - a),
)
_add(
    "gan.discriminator_loss",
    "SWAPPED SUMMED",
    lambda a, b: F.softplus(a).sum() + F.softplus(-b).sum(),
)
_add(
    "gan.discriminator_loss",
    "SIGN HALVED",
    lambda a, b: (F.logsigmoid(a).mean() + F.logsigmoid(-b).mean()) / 2,
)
_add("gan.generator_loss", "SATURATING NO_GRAD", lambda b: F.logsigmoid(-b.detach()).mean())
_add("gan.r1_penalty", "NO_HALF NO_GRAPH", r1_penalty(half=1.0, graph=False))
_add("cgan.condition", "ORDER FROZEN", lambda z, y, table: torch.hstack([table.detach()[y], z]))
_add("cgan.step", "SATURATING ACCUMULATED", gan_step(saturating=True, clear=False))
_add("cgan.step", "D_IGNORES_LABEL NO_R1", gan_step(blind=True, gamma_used=False))
