"""The unconditional GAN in the shape of DCGAN."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from genimg_course.models.blocks import down_stack, grid_of, up_stack

__all__ = ["Discriminator", "Generator", "discriminator_features", "leaky"]

leaky = partial(nn.LeakyReLU, negative_slope=0.2)  # DCGAN's slope, not the library's 0.01


class Generator(nn.Module):
    """Map noise to images in ``[-1, 1]``.

    Args:
        latent_dim: length ``Z`` of the input vector.
        size: side of the images, such as 16, 28, 32 or 64.
        channels: 1 for grey, 3 for colour.
        width: channels before the last doubling.

    Source:
        Radford, Metz and Chintala (2016), section 3, https://arxiv.org/abs/1511.06434
    """

    def __init__(
        self, latent_dim: int = 32, size: int = 16, *, channels: int = 1, width: int = 32
    ) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        side, doublings = grid_of(size)
        deep = width * 2 ** min(doublings - 1, 3)
        self.root = nn.Sequential(
            nn.Linear(latent_dim, deep * side * side),
            nn.Unflatten(1, (deep, side, side)),
            nn.BatchNorm2d(deep),
            nn.ReLU(),
        )
        self.convolutions, last = up_stack(width, doublings, activation=nn.ReLU, norm=True)
        self.pixels = nn.Conv2d(last, channels, kernel_size=3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Return images, ``(B, C, H, W)``, for noise ``(B, Z)``.

        >>> Generator(latent_dim=5, size=28, width=4)(torch.randn(2, 5)).shape
        torch.Size([2, 1, 28, 28])
        """
        return torch.tanh(self.pixels(self.convolutions(self.root(z))))


def discriminator_features(size: int, channels: int, width: int, features: int) -> nn.Sequential:
    """Build the trunk ``(B, C, H, W) -> (B, features)`` of a discriminator.

    It has no batch normalisation: a gradient penalty asks for a gradient per image, and statistics
    of the batch would tie the images together.
    """
    side, doublings = grid_of(size)
    convolutions, deep = down_stack(channels, width, doublings, activation=leaky)
    return nn.Sequential(
        convolutions, nn.Flatten(), nn.Linear(deep * side * side, features), leaky()
    )


class Discriminator(nn.Module):
    """Map an image to the logit of "this is a real image".

    Args:
        size: side of the images.
        channels: 1 for grey, 3 for colour.
        width: channels of the first layer.
        features: length of the last hidden vector.
    """

    def __init__(
        self, size: int = 16, *, channels: int = 1, width: int = 32, features: int = 128
    ) -> None:
        super().__init__()
        self.features = discriminator_features(size, channels, width, features)
        self.head = nn.Linear(features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(B,)``, for images ``(B, C, H, W)``."""
        return self.head(self.features(x)).squeeze(1)
