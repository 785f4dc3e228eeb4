"""The training loop of the textbooks, to measure against.

It is written for this purpose and not crippled for it: a ``Dataset`` of PIL pictures with
torchvision's transforms, a ``DataLoader`` that shuffles, 32-bit numbers, contiguous weights,
torch's default Adam and number of threads, ``.item()`` on each loss, and for the games one pass
each for real pictures, generated ones and the generator. That is what introductions and the
examples of libraries show, and it is correct. The networks are the course's own, so that only the
loop differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from genimg_course.data import ImageSet
from genimg_course.models import (
    VAE,
    ConditionalGenerator,
    DenseVAE,
    Discriminator,
    Generator,
    ProjectionDiscriminator,
)

__all__ = ["BENCHED", "build_networks", "textbook_loop"]

# what is measured, with the number of pictures in a batch
BENCHED = {"mlp_vae": 128, "vae": 128, "gan": 64, "cgan": 64}


def build_networks(family: str, size: int, channels: int) -> list[nn.Module]:
    """Return the networks of a family, fresh: a VAE alone, or generator and discriminator.

    Args:
        family: one of ``BENCHED``.
        size: side of the images.
        channels: 1 for grey, 3 for colour.

    Raises:
        ValueError: if the family is unknown.
    """
    if family == "mlp_vae":  # 784-400-20 on MNIST
        return [DenseVAE(latent_dim=20, size=size, channels=channels, width=400)]
    if family == "vae":
        return [VAE(latent_dim=16, size=size, channels=channels)]
    if family == "gan":
        return [Generator(32, size, channels=channels), Discriminator(size, channels=channels)]
    if family == "cgan":
        return [
            ConditionalGenerator(32, size, channels=channels),
            ProjectionDiscriminator(size, channels=channels),
        ]
    raise ValueError(f"family is {family!r}: choose one of {', '.join(BENCHED)}")


def textbook_loop(
    family: str, images: ImageSet, *, batch_size: int, device: torch.device | str = "cpu"
) -> Iterator[int]:
    """Train without end; each ``next`` does one whole step and gives the number of its pictures.

    Args:
        family: one of ``BENCHED``.
        images: pictures, with classes for ``"cgan"``.
        batch_size: pictures for one step.
        device: where the networks live; each batch is sent there.

    Raises:
        ValueError: if the family is unknown.
    """
    networks = [
        network.to(device) for network in build_networks(family, *images.images.shape[2:0:-1])
    ]
    game = len(networks) == 2
    loader = DataLoader(_Pictures(images, centred=game), batch_size=batch_size, shuffle=True)
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Adam(
            network.parameters(), lr=2e-4 if game else 1e-3, betas=(0.5 if game else 0.9, 0.999)
        )
        for network in networks
    ]
    step = _game_step if game else _vae_step
    return _repeat(step, networks, optimizers, loader, torch.device(device), family == "cgan")


class _Pictures(Dataset):
    """Pictures as torchvision gives them: one PIL picture at a time, then the transforms."""

    def __init__(self, images: ImageSet, *, centred: bool) -> None:
        from torchvision import transforms

        pixels = images.images.permute(0, 2, 3, 1).numpy()  # (N, H, W, C), as PIL has it
        self.pixels = pixels.squeeze(3) if pixels.shape[3] == 1 else pixels
        self.labels = images.labels
        steps: list[Any] = [transforms.ToTensor()]
        if centred:
            steps.append(transforms.Normalize((0.5,), (0.5,)))
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        from PIL import Image

        label = 0 if self.labels is None else int(self.labels[i])
        return self.transform(Image.fromarray(self.pixels[i])), label


def _repeat(
    step: Any,
    networks: list[nn.Module],
    optimizers: list[torch.optim.Optimizer],
    loader: DataLoader,
    device: torch.device,
    conditional: bool,
) -> Iterator[int]:
    while True:
        for x, y in loader:
            x, y = x.to(device), y.to(device)
            step(*networks, *optimizers, x, *((y,) if conditional else ()))
            yield len(x)


def _vae_step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor) -> float:
    optimizer.zero_grad()
    logits, mu, logvar = model(x)
    x_hat = torch.sigmoid(logits)
    reconstruction = F.binary_cross_entropy(x_hat, x, reduction="sum")
    kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    loss = reconstruction + kl
    loss.backward()
    optimizer.step()
    return loss.item()


def _game_step(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    x: Tensor,
    *y: Tensor,
) -> tuple[float, float, float]:
    criterion = nn.BCELoss()
    ones, zeros = torch.ones(len(x), device=x.device), torch.zeros(len(x), device=x.device)

    opt_d.zero_grad()
    loss_real = criterion(torch.sigmoid(discriminator(x, *y)), ones)
    loss_real.backward()
    z = torch.randn(len(x), int(generator.latent_dim), device=x.device)  # type: ignore[arg-type]
    fake = generator(z, *y)
    loss_fake = criterion(torch.sigmoid(discriminator(fake.detach(), *y)), zeros)
    loss_fake.backward()
    opt_d.step()

    opt_g.zero_grad()
    loss_g = criterion(torch.sigmoid(discriminator(fake, *y)), ones)
    loss_g.backward()
    opt_g.step()
    return loss_real.item(), loss_fake.item(), loss_g.item()
