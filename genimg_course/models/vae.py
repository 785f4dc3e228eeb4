"""The variational autoencoder: convolutional, dense, linear, and conditional on a class."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course._checks import check_labels
from genimg_course.maths.gaussians import reparameterise
from genimg_course.models.autoencoder import Decoder, Encoder
from genimg_course.models.mlp import mlp

__all__ = ["CVAE", "VAE", "DenseVAE", "LinearVAE", "logits_to_images"]


def logits_to_images(logits: Tensor) -> Tensor:
    """Return the expected image in ``[-1, 1]`` of a Bernoulli decoder, ``2 sigmoid(logits) - 1``.

    Args:
        logits: log odds of ink, any shape.

    Returns:
        Grey values, same shape.
    """
    return torch.tanh(logits / 2)  # the same function, in one call


class VAE(nn.Module):
    """Encode an image as a Gaussian over codes, decode a code as the log odds of ink a pixel.

    Args:
        latent_dim: number ``Z`` of latents.
        size: side of the images, such as 16, 28, 32 or 64.
        channels: 1 for grey, 3 for colour.
        width: channels of the first layer.

    Source:
        Kingma and Welling (2014), https://arxiv.org/abs/1312.6114;
        Rezende, Mohamed and Wierstra (2014), https://arxiv.org/abs/1401.4082
    """

    def __init__(
        self, latent_dim: int = 8, size: int = 16, *, channels: int = 1, width: int = 32
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = Encoder(2 * latent_dim, size, channels=channels, width=width)
        self.decoder = Decoder(latent_dim, size, channels=channels, width=width)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``mu`` and ``logvar`` of ``q(z | x)``, each ``(B, Z)``."""
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Return the logits of ``p(x | z)``, ``(B, C, H, W)``, for codes ``(B, Z)``."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``logits, mu, logvar`` for one code drawn per image.

        >>> [tuple(t.shape) for t in VAE(latent_dim=3, width=4)(torch.zeros(2, 1, 16, 16))]
        [(2, 1, 16, 16), (2, 3), (2, 3)]
        """
        mu, logvar = self.encode(x)
        return self.decode(reparameterise(mu, logvar)), mu, logvar


class CVAE(nn.Module):
    """A VAE whose encoder and decoder both see the class, so that the code need not carry it.

    Args:
        latent_dim: number ``Z`` of latents.
        size: side of the images.
        classes: number ``K`` of classes.
        channels: 1 for grey, 3 for colour.
        width: channels of the first layer.

    Source:
        Sohn, Lee and Yan (2015), https://papers.nips.cc/paper/5775
    """

    def __init__(
        self,
        latent_dim: int = 8,
        size: int = 16,
        *,
        classes: int = 10,
        channels: int = 1,
        width: int = 32,
    ) -> None:
        super().__init__()
        self.latent_dim, self.classes = latent_dim, classes
        self.encoder = Encoder(2 * latent_dim, size, channels=channels + classes, width=width)
        self.decoder = Decoder(latent_dim + classes, size, channels=channels, width=width)

    def encode(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``mu`` and ``logvar`` of ``q(z | x, y)``, each ``(B, Z)``."""
        check_labels(y, classes=self.classes, count=len(x))
        one_hot = F.one_hot(y, self.classes).to(x)[:, :, None, None]
        planes = one_hot.expand(-1, -1, *x.shape[2:])  # (B, K, H, W)
        mu, logvar = self.encoder(torch.cat([x, planes], dim=1)).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Return the logits of ``p(x | z, y)``, ``(B, C, H, W)``."""
        check_labels(y, classes=self.classes, count=len(z))
        return self.decoder(torch.cat([z, F.one_hot(y, self.classes).to(z)], dim=1))

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``logits, mu, logvar`` for one code drawn per image."""
        mu, logvar = self.encode(x, y)
        return self.decode(reparameterise(mu, logvar), y), mu, logvar


class DenseVAE(nn.Module):
    """A VAE of fully connected layers: small, quick, and good enough for comparisons.

    Args:
        latent_dim: number ``Z`` of latents.
        size: side of the images, any.
        channels: 1 for grey, 3 for colour.
        width: units of each hidden layer.
        depth: hidden layers of the encoder, and of the decoder.

    Source:
        Kingma and Welling (2014), appendix C, https://arxiv.org/abs/1312.6114
    """

    def __init__(
        self,
        latent_dim: int = 8,
        size: int = 16,
        *,
        channels: int = 1,
        width: int = 128,
        depth: int = 1,
    ) -> None:
        super().__init__()
        self.latent_dim, self.shape = latent_dim, (channels, size, size)
        pixels = channels * size**2
        self.encoder = mlp(pixels, 2 * latent_dim, width=width, depth=depth)
        self.decoder = mlp(latent_dim, pixels, width=width, depth=depth)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``mu`` and ``logvar`` of ``q(z | x)``, each ``(B, Z)``."""
        mu, logvar = self.encoder(x.flatten(start_dim=1)).chunk(2, dim=1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Return the logits of ``p(x | z)``, ``(B, C, H, W)``, for codes ``(B, Z)``."""
        return self.decoder(z).unflatten(1, self.shape)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``logits, mu, logvar`` for one code drawn per image.

        >>> [tuple(t.shape) for t in DenseVAE(latent_dim=3, width=4)(torch.zeros(2, 1, 16, 16))]
        [(2, 1, 16, 16), (2, 3), (2, 3)]
        """
        mu, logvar = self.encode(x)
        return self.decode(reparameterise(mu, logvar)), mu, logvar


class LinearVAE(nn.Module):
    """A VAE of three arrays: decoder ``W``, encoder ``V``, and one log variance per latent.

    Data are centred rows. Rate and distortion follow from their covariance alone, see
    `genimg_course.maths.linear_vae_terms`, so that it can be trained without sampling.

    Args:
        dim: length ``D`` of a row.
        latent_dim: number ``Z`` of latents.
        scale: standard deviation of the first weights.

    Source:
        Lucas et al. (2019), https://arxiv.org/abs/1911.02469
    """

    def __init__(self, dim: int, latent_dim: int, *, scale: float = 0.05) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.decoder = nn.Parameter(scale * torch.randn(dim, latent_dim))
        self.encoder = nn.Parameter(scale * torch.randn(latent_dim, dim))
        self.logvar = nn.Parameter(torch.zeros(latent_dim))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``mu`` and ``logvar`` of ``q(z | x)``, each ``(B, Z)``."""
        mu = x @ self.encoder.T
        return mu, self.logvar.expand_as(mu)

    def decode(self, z: Tensor) -> Tensor:
        """Return the means of ``p(x | z)``, ``(B, D)``, for codes ``(B, Z)``."""
        return z @ self.decoder.T

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return means, ``mu`` and ``logvar`` for one code drawn per row.

        >>> [tuple(t.shape) for t in LinearVAE(6, latent_dim=3)(torch.zeros(2, 6))]
        [(2, 6), (2, 3), (2, 3)]
        """
        mu, logvar = self.encode(x)
        return self.decode(reparameterise(mu, logvar)), mu, logvar
