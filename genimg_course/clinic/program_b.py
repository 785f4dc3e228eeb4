"""The second article's program in PyTorch, written anew: networks and loop, faults as options."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.clinic.program_a import LATENT, glorot
from genimg_course.losses import generator_loss

__all__ = ["DiscriminatorB", "GeneratorB", "broken_round", "repaired_round"]


class GeneratorB(nn.Module):
    """Map noise ``(B, 100)`` to pictures in ``[-1, 1]``.

    Args:
        width: channels everywhere.
        last_stride: stride of the last transposed convolution; the article's 2 gives 56 pixels.
        active: batch normalisation and an activation after each transposed convolution; the article
            has neither.
        flatten_first: flatten before the transposed convolutions, as the article does.
        flatten_last: flatten before the last convolution, as the article does.
    """

    def __init__(
        self,
        *,
        width: int = 8,
        last_stride: int = 1,
        active: bool = True,
        flatten_first: bool = False,
        flatten_last: bool = False,
    ) -> None:
        super().__init__()
        self.latent_dim = LATENT
        grid = nn.Flatten() if flatten_first else nn.Unflatten(1, (width, 7, 7))
        self.root = nn.Sequential(nn.Linear(LATENT, width * 49), nn.ReLU(), grid)
        layers: list[nn.Module] = []
        for stride in (2, 2, last_stride):
            kernel = 3 if stride == 1 else 4
            layers += [
                nn.ConvTranspose2d(width, width, kernel_size=kernel, stride=stride, padding=1)
            ]
            layers += [nn.BatchNorm2d(width), nn.ReLU()] if active else []
        layers += [nn.Flatten()] if flatten_last else []
        self.grow = nn.Sequential(*layers, nn.Conv2d(width, 1, kernel_size=1))
        glorot(self)

    def forward(self, z: Tensor) -> Tensor:
        """Return pictures, ``(B, 1, 28, 28)``."""
        return torch.tanh(self.grow(self.root(z)))


class DiscriminatorB(nn.Module):
    """Map pictures to logits of "real" with two dense layers.

    Args:
        image_size: shape of a picture, ``(C, H, W)``.
        width: units of the hidden layer.
    """

    def __init__(self, image_size: Sequence[int] = (1, 28, 28), *, width: int = 32) -> None:
        super().__init__()
        pixels = math.prod(image_size)
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, width), nn.LeakyReLU(0.2), nn.Linear(width, 1)
        )
        glorot(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, ``(B,)``."""
        return self.layers(x).squeeze(1)


def _one_batch(
    discriminator: nn.Module, opt_d: Optimizer, real: Tensor, fake: Tensor
) -> dict[str, Tensor]:
    """Update the discriminator on one batch of both kinds, with the mean over all of it."""
    logits = discriminator(torch.cat([real, fake]))
    target = torch.cat([torch.ones(len(real)), torch.zeros(len(fake))])
    loss = F.binary_cross_entropy_with_logits(logits, target)
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    d = torch.sigmoid(logits.detach())
    return {"d_real": d[: len(real)].mean(), "d_fake": d[len(real) :].mean()}


def broken_round(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_d: Optimizer,
    x: Tensor,
    *,
    rng: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Do one round as the second article does: its "generator step" trains the discriminator.

    Returns:
        ``d_real`` and ``d_fake``, means of ``D`` before the round's first update, and ``g_loss``,
        which is the discriminator's loss on fakes that are called real, detached scalars.
    """
    with torch.no_grad():
        first, second = (generator(torch.randn(len(x), LATENT, generator=rng)) for _ in range(2))
    seen = _one_batch(discriminator, opt_d, x, first)
    loss = generator_loss(discriminator(second))  # no gradient leads from here to the generator
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return {**seen, "g_loss": loss.detach()}


def repaired_round(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: Optimizer,
    opt_d: Optimizer,
    x: Tensor,
    *,
    rng: torch.Generator | None = None,
) -> dict[str, Tensor]:
    """Do one round in the right order: the second step moves the generator, and only it."""
    with torch.no_grad():
        fake = generator(torch.randn(len(x), LATENT, generator=rng))
    seen = _one_batch(discriminator, opt_d, x, fake)
    loss = generator_loss(discriminator(generator(torch.randn(len(x), LATENT, generator=rng))))
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    return {**seen, "g_loss": loss.detach()}
