"""Failures of latent-variable models: codes that nobody uses."""

from __future__ import annotations

import torch
from torch import Tensor

from genimg_course.losses import squared_error
from genimg_course.maths import gaussian_kl, reparameterise
from genimg_course.models import mlp
from genimg_course.museum.exhibit import Exhibit

__all__ = ["EXHIBITS", "kl_scale", "posterior_collapse"]

PIXELS = 64


def _nats(variance: float, *, mean_over_pixels: bool = False) -> float:
    """Train a small VAE on pictures with two causes; return the nats that its code carries."""
    causes = torch.randn(2, PIXELS) / 4  # what each cause does to each pixel
    encoder, decoder = mlp(PIXELS, 8, width=64, depth=1), mlp(4, PIXELS, width=64, depth=1)
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(weights, lr=2e-3, fused=True)
    for _ in range(400):
        x = _pictures(causes, 128)
        mu, logvar = encoder(x).chunk(2, dim=1)
        reconstruction = squared_error(decoder(reparameterise(mu, logvar)), x) / (2 * variance)
        scale = PIXELS if mean_over_pixels else 1
        loss = reconstruction / scale + gaussian_kl(mu, logvar).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        mu, logvar = encoder(_pictures(causes, 1000)).chunk(2, dim=1)
        return float(gaussian_kl(mu, logvar).mean())


def _pictures(causes: Tensor, count: int) -> Tensor:
    return torch.randn(count, 2) @ causes + 0.1 * torch.randn(count, PIXELS)


def posterior_collapse(broken: bool) -> float:
    """Give the decoder a noise that is larger than what the causes do to the picture."""
    return _nats(variance=9.0 if broken else 0.05)


def kl_scale(broken: bool) -> float:
    """Average the reconstruction over pixels and keep the sum over latents."""
    return _nats(variance=0.5, mean_over_pixels=broken)


EXHIBITS = (
    Exhibit(
        id="posterior_collapse",
        title="A code that costs more than it saves falls silent",
        lesson="07",
        trigger="A noise variance of the decoder above the variance that any cause brings to the "
        "picture, summed over its pixels.",
        signature="Nats that the code carries; none is collapse.",
        cure="A smaller or a learned variance, or a smaller weight of the KL term.",
        run=posterior_collapse,
        broken=(0, 0.1),
        mended=(2.5, 7.5),
    ),
    Exhibit(
        id="kl_scale",
        title="A mean over pixels multiplies the price of the code",
        lesson="06",
        trigger="The reconstruction is averaged over 64 pixels, the KL term summed over latents.",
        signature="Nats that the code carries. The loss itself looks small: it was divided too.",
        cure="Sums over pixels and latents, a mean over the batch.",
        run=kl_scale,
        broken=(0, 0.005),
        mended=(1.3, 3),
    ),
)
