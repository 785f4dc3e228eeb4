"""The first article's program in PyTorch, written anew: networks and steps, faults as options.

The default of every option is the repaired program. The program has about the article's layers:
a dense layer and three transposed convolutions against two strided convolutions, with batch
normalisation in both networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course import data
from genimg_course.losses import discriminator_loss, generator_loss

__all__ = [
    "LATENT",
    "DiscriminatorA",
    "GeneratorA",
    "adam",
    "discriminator_step",
    "generator_step",
    "glorot",
    "pictures",
]

LATENT = 100
"""Length of the noise vector, as in both articles."""


@cache
def pictures(count: int = 64) -> Tensor:
    """Return drawings of 28 by 28 pixels in ``[-1, 1]``, ``(count, 1, 28, 28)``, no network needed.

    They stand in for MNIST, with its shape and range.
    """
    return data.to_model_range(data.load("glyphs", size=28, count=count).images)


def glorot(network: nn.Module) -> None:
    """Initialise as Keras does: Glorot's uniform law for weights, zero for biases."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def adam(parameters: Iterable[nn.Parameter], *, lr: float = 1e-3, beta: float = 0.5) -> Optimizer:
    """Return Adam with its first moment's decay ``beta``; the article's library takes 0.9."""
    return torch.optim.Adam(parameters, lr=lr, betas=(beta, 0.999))


class GeneratorA(nn.Module):
    """Map noise ``(B, 100)`` to pictures in ``[-1, 1]``.

    Args:
        width: channels of the 7 by 7 grid.
        last_stride: stride of the last transposed convolution; 1 gives 28 pixels, the article's 2
            gives 56.
        active: an activation after each transposed convolution but the last; the article has none.
        momentum: share of a new batch in the running statistics; the article's library takes 0.01.
    """

    def __init__(
        self, *, width: int = 8, last_stride: int = 1, active: bool = True, momentum: float = 0.01
    ) -> None:
        super().__init__()
        self.latent_dim = LATENT
        self.root = nn.Sequential(
            nn.Linear(LATENT, width * 49),
            nn.BatchNorm1d(width * 49, momentum=momentum),
            nn.ReLU(),
            nn.Unflatten(1, (width, 7, 7)),
        )
        layers: list[nn.Module] = []
        for channels in (width, width // 2):  # 7 -> 14 -> 28
            layers += [
                nn.ConvTranspose2d(channels, channels // 2, kernel_size=4, stride=2, padding=1),
                nn.BatchNorm2d(channels // 2, momentum=momentum),
                *([nn.ReLU()] if active else []),
            ]
        kernel = 3 if last_stride == 1 else 4  # so that the side is the stride times the old one
        self.grow = nn.Sequential(
            *layers,
            nn.ConvTranspose2d(width // 4, 1, kernel_size=kernel, stride=last_stride, padding=1),
        )
        glorot(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return pictures, ``(B, 1, 28, 28)``."""
        return torch.tanh(self.grow(self.root(z)))


class DiscriminatorA(nn.Module):
    """Map pictures ``(B, 1, 28, 28)`` to logits of "real".

    Args:
        width: channels of the 7 by 7 grid.
        norm: batch normalisation after both convolutions, as in the article.
        slope: of the activation below zero; the article has 0.01.
    """

    def __init__(self, *, width: int = 8, norm: bool = False, slope: float = 0.2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, width // 2), (width // 2, width)):  # 28 -> 14 -> 7
            layers += [nn.Conv2d(before, after, kernel_size=4, stride=2, padding=1)]
            layers += [nn.BatchNorm2d(after)] if norm else []
            layers += [nn.LeakyReLU(slope)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width * 49, 1))
        glorot(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(B,)``."""
        return self.layers(x).squeeze(1)


def discriminator_step(
    generator: nn.Module, discriminator: nn.Module, opt_d: Optimizer, x: Tensor, z: Tensor
) -> Tensor:
    """Update the discriminator on real pictures and on fakes; return its loss, a detached scalar.

    The generator stays in training mode, because that is the generator which will be trained.
    """
    with torch.no_grad():
        fake = generator(z)
    loss = discriminator_loss(discriminator(x), discriminator(fake))
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return loss.detach()


def generator_step(
    generator: nn.Module, discriminator: nn.Module, opt_g: Optimizer, z: Tensor
) -> Tensor:
    """Update what ``opt_g`` holds so that the fakes pass; return the loss, a detached scalar.

    The optimiser decides who moves. If it holds the discriminator's weights too, they move too.
    """
    loss = generator_loss(discriminator(generator(z)))
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    return loss.detach()
