"""Tiny networks with the interfaces of the course's models, for steps that take a few milliseconds.

They hold no normalisation and no dropout, so that a batch may be split or joined without a change,
and every part bends, so that a wrong gradient shows in the weights.
"""

from typing import TypeVar

import torch
from torch import Tensor, nn

__all__ = [
    "PIXELS",
    "TinyAutoencoder",
    "TinyDiscriminator",
    "TinyGenerator",
    "TinyVAE",
    "seeded",
]

PIXELS = (1, 2, 3)
"""Shape ``(C, H, W)`` of the images."""


N = TypeVar("N", bound=nn.Module)


def seeded(network: N, seed: int) -> N:
    """Give a network weights of its own, the same for the same seed."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=rng))
    return network


class TinyAutoencoder(nn.Module):
    """Images ``(B, 1, 2, 3)`` to images, through a code of two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
        self.decoder = nn.Sequential(
            nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 6), nn.Unflatten(1, PIXELS)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction."""
        return self.decoder(self.encoder(x))


class TinyVAE(nn.Module):
    """Images ``(B, 1, 2, 3)`` to ``logits, mu, logvar``; also ``encode`` and ``decode``."""

    def __init__(self, latent_dim: int = 2) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Sequential(
            nn.Flatten(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2 * latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, 4), nn.Tanh(), nn.Linear(4, 6), nn.Unflatten(1, PIXELS)
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``mu`` and ``logvar``, each ``(B, Z)``."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Return logits, ``(B, 1, 2, 3)``, for codes ``(B, Z)``."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``logits, mu, logvar`` for one code drawn per image."""
        mu, logvar = self.encode(x)
        return self.decode(mu + (logvar / 2).exp() * torch.randn_like(mu)), mu, logvar


class TinyGenerator(nn.Module):
    """Noise ``(B, 3)`` and classes ``(B,)`` to images ``(B, 1, 2, 3)``."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.latent_dim, self.classes = 3, classes
        self.class_vectors = nn.Embedding(classes, 2)
        self.layers = nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Unflatten(1, PIXELS))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """Return images in ``[-1, 1]``."""
        return self.layers(torch.cat([z, self.class_vectors(y)], dim=1))


class TinyDiscriminator(nn.Module):
    """Images ``(B, 1, 2, 3)`` and classes ``(B,)`` to logits ``(B,)``."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Tanh())
        self.head = nn.Linear(4, 1)
        self.class_vectors = nn.Embedding(classes, 4)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return one logit per image."""
        features = self.features(x)
        return self.head(features).squeeze(1) + (self.class_vectors(y) * features).sum(dim=1)
