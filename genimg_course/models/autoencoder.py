"""Autoencoders: convolutional, from an encoder and a decoder that others use too, and linear."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genimg_course.models.blocks import down_stack, grid_of, up_stack

__all__ = ["Autoencoder", "Decoder", "Encoder", "LinearAutoencoder"]


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
        squash: end in a tanh, so that pixels lie in ``[-1, 1]``. Its slope vanishes at both ends:
            where the paper is blank, squared error can drive every pixel there and stay.

    Source:
        Hinton and Salakhutdinov (2006), https://doi.org/10.1126/science.1127647
    """

    def __init__(
        self,
        latent_dim: int = 8,
        size: int = 16,
        *,
        channels: int = 1,
        width: int = 32,
        squash: bool = True,
    ) -> None:
        super().__init__()
        self.latent_dim, self.squash = latent_dim, squash
        self.encoder = Encoder(latent_dim, size, channels=channels, width=width)
        self.decoder = Decoder(latent_dim, size, channels=channels, width=width)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction, ``(B, C, H, W)``.

        >>> Autoencoder(size=16, width=4)(torch.zeros(2, 1, 16, 16)).shape
        torch.Size([2, 1, 16, 16])
        """
        x_hat = self.decoder(self.encoder(x))
        return torch.tanh(x_hat) if self.squash else x_hat


class LinearAutoencoder(nn.Module):
    r"""Two matrices with a short code between them: ``x_hat = W_2 W_1 x``, without offsets.

    Args:
        dim: length ``D`` of an input.
        latent_dim: length ``Z`` of the code.

    Source:
        Baldi and Hornik (1989), https://doi.org/10.1016/0893-6080(89)90014-2
    """

    def __init__(self, dim: int, latent_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.encoder = nn.Linear(dim, latent_dim, bias=False)
        self.decoder = nn.Linear(latent_dim, dim, bias=False)
        for layer in (self.encoder, self.decoder):
            nn.init.orthogonal_(layer.weight)  # directions of equal length shorten the search

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction, ``(B, D)``, of centred inputs ``(B, D)``.

        >>> LinearAutoencoder(6, 2)(torch.zeros(3, 6)).shape
        torch.Size([3, 6])
        """
        return self.decoder(self.encoder(x))
