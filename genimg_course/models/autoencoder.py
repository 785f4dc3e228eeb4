"""Convolutional encoder and decoder, and the autoencoder that they make."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genimg_course.models.blocks import down_stack, grid_of, up_stack

__all__ = ["Autoencoder", "Decoder", "Encoder"]


class Encoder(nn.Module):
    """Map images to vectors with strided convolutions.

    Args:
        outputs: length of the vector.
        size: side of the images, such as 16, 28, 32 or 64.
        channels: 1 for grey, 3 for colour; more when a condition is stacked onto the image.
        width: channels of the first layer.
    """

    def __init__(self, outputs: int, size: int = 16, *, channels: int = 1, width: int = 32) -> None:
        super().__init__()
        side, doublings = grid_of(size)
        self.convolutions, deep = down_stack(channels, width, doublings, activation=nn.ReLU)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(deep * side * side, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return a vector per image, ``(B, outputs)``, from ``(B, C, H, W)``."""
        return self.head(self.convolutions(x))


class Decoder(nn.Module):
    """Map vectors to images with transposed convolutions; the output is any real number a pixel.

    Args:
        inputs: length of the vector.
        size: side of the images.
        channels: 1 for grey, 3 for colour.
        width: channels of the last layer but one, times two.
    """

    def __init__(self, inputs: int, size: int = 16, *, channels: int = 1, width: int = 32) -> None:
        super().__init__()
        side, doublings = grid_of(size)
        deep = width * 2 ** min(doublings - 1, 3)
        self.root = nn.Sequential(
            nn.Linear(inputs, 4 * width),
            nn.ReLU(),
            nn.Linear(4 * width, deep * side * side),
            nn.ReLU(),
            nn.Unflatten(1, (deep, side, side)),
        )
        self.convolutions, last = up_stack(width, doublings, activation=nn.ReLU)
        self.pixels = nn.Conv2d(last, channels, kernel_size=3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Return pixel values, ``(B, C, H, W)``, from ``(B, inputs)``."""
        return self.pixels(self.convolutions(self.root(z)))


class Autoencoder(nn.Module):
    """Squeeze an image through a short code and rebuild it; it has no law to sample codes from.

    Args:
        latent_dim: length of the code.
        size: side of the images.
        channels: 1 for grey, 3 for colour.
        width: channels of the first layer.

    Source:
        Hinton and Salakhutdinov (2006), https://doi.org/10.1126/science.1127647
    """

    def __init__(
        self, latent_dim: int = 8, size: int = 16, *, channels: int = 1, width: int = 32
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = Encoder(latent_dim, size, channels=channels, width=width)
        self.decoder = Decoder(latent_dim, size, channels=channels, width=width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction in ``[-1, 1]``, ``(B, C, H, W)``.

        >>> Autoencoder(size=16, width=4)(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2, 1, 16, 16])
        """
        return torch.tanh(self.decoder(self.encoder(x)))
