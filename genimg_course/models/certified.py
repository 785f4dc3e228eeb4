"""The trained networks that come with the course, each with a card that says how it was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

from genimg_course.models.autoencoder import Autoencoder
from genimg_course.models.cgan import ConditionalGenerator
from genimg_course.models.gan import Generator
from genimg_course.models.vae import CVAE, VAE
from genimg_course.models.weights import load_weights, read_card

__all__ = ["FOLDER", "certificate", "certified"]

FOLDER = Path(__file__).resolve().parents[1] / "checkpoints"
_NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network
    for network in (Autoencoder, VAE, CVAE, Generator, ConditionalGenerator)
}


def certified(name: str) -> Any:
    """Load a trained network of the course, after checking it against its card.

    The networks have learned drawn digits of 16 x 16 pixels: ``"ae"`` is an `Autoencoder`,
    ``"vae"`` a `VAE`, ``"cvae"`` a `CVAE`, ``"gan"`` a `Generator` and ``"cgan"`` a
    `ConditionalGenerator`, the average of the last two over their training.

    >>> import torch
    >>> vae = certified("vae")
    >>> vae.decode(torch.zeros(1, vae.latent_dim)).shape
    torch.Size([1, 1, 16, 16])

    Args:
        name: one of the five.

    Returns:
        The network on the CPU, in evaluation mode, its weights frozen; ``network.train()`` and
        ``network.requires_grad_(True)`` let it learn on.

    Raises:
        ValueError: if there is no such network, or its file is missing, altered or of another
            network.
    """
    described = certificate(name)["network"]
    with torch.random.fork_rng(devices=[]):  # fresh weights cost the reader no random numbers
        network = _NETWORKS[described["class"]](**described["arguments"])
    return load_weights(network, FOLDER / name).eval().requires_grad_(False)


def certificate(name: str) -> dict[str, Any]:
    """Return the card of a trained network: command, seed, steps, data, and measured numbers.

    Args:
        name: as for `certified`.

    Returns:
        Under ``"metrics"`` each number has its ``value`` and the range, ``at_least`` or
        ``at_most`` or both, that another training must reach.

    Raises:
        ValueError: if there is no such network; the message lists those there are.
    """
    if not (FOLDER / f"{name}.json").is_file():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json"))) or "none"
        raise ValueError(f"there is no trained network {name!r}; there are: {known}")
    return read_card(FOLDER / name)
