"""The reference recipes: one function a family, from sizes to a run that ``fit`` can repeat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.losses import squared_error
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.likelihoods import bernoulli_nll
from genimg_course.models import (
    CVAE,
    VAE,
    Autoencoder,
    ConditionalGenerator,
    Discriminator,
    Generator,
    ProjectionDiscriminator,
    logits_to_images,
)
from genimg_course.training import (
    Average,
    autoencoder_step,
    gan_step,
    lazily,
    vae_step,
    warm_up,
)
from genimg_course.training.checkpoints import Stateful
from genimg_course.training.engine import adam, place
from genimg_course.training.steps import Backward, wgan_gp_step

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = [
    "CONDITIONAL",
    "FAMILIES",
    "STEPS",
    "Run",
    "ae",
    "cgan",
    "cvae",
    "gan",
    "in_turn",
    "vae",
    "wgan_gp",
]

Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Run:
    """All that a training of one family needs, and what to do with it afterwards.

    Args:
        networks: the networks in training, by name, searched where a loss breaks.
        weights: the networks to keep at the end, by name; a GAN keeps the average of its generator.
        described: class and arguments of each network to keep, for its card.
        parts: what a checkpoint must hold for a resume bit for bit.
        step: one update, ``step(n, x)`` or ``step(n, x, y)``; it contains the whole recipe.
        sample: ``sample(count, rng)`` returns new pictures ``(count, C, H, W)`` in ``[-1, 1]``;
            with classes, picture ``i`` is asked to show class ``i % K``.
        batch_size: pictures for one step of one process.
        multiple: a batch must be a multiple of this.
        rebuild: encodes and decodes pictures, where the family can.
        unseen: the losses on pictures that it was not trained on, without an update; the families
            of adversaries have no such number.
    """

    networks: dict[str, nn.Module]
    weights: dict[str, nn.Module]
    described: dict[str, dict[str, Any]]
    parts: dict[str, Stateful]
    step: Callable[..., Losses]
    sample: Callable[[int, torch.Generator], Tensor]
    batch_size: int
    multiple: int = 1
    rebuild: Callable[..., Tensor] | None = None
    unseen: Callable[..., Losses] | None = None


def ae(
    size: int, channels: int, classes: int | None, steps: int, *, fabric: Fabric | None = None
) -> Run:
    """Prepare an autoencoder, as in lesson 05: squared error, a straight output layer.

    It has no law of codes. Its samples decode standard normal codes all the same, and show what a
    VAE is for.
    """
    options: dict[str, Any] = {
        "latent_dim": 16,
        "size": size,
        "channels": channels,
        "squash": False,
    }
    network = Autoencoder(**options)
    model = _Player(network, lr=2e-3, betas=(0.9, 0.99), fabric=fabric)

    def step(n: int, x: Tensor, *_: Tensor) -> Losses:
        model.slow_down(n / steps)
        return autoencoder_step(model.call, model.optimizer, x, backward=_backward(fabric))

    @torch.no_grad()
    def rebuild(x: Tensor, *_: Tensor) -> Tensor:
        return network(x).clamp(-1, 1)

    @torch.no_grad()
    def sample(count: int, rng: torch.Generator) -> Tensor:
        return network.decoder(_codes(network, count, rng)).clamp(-1, 1)

    return Run(
        networks={"autoencoder": network},
        weights={"autoencoder": network},
        described={"autoencoder": _describe(network, options)},
        parts={"autoencoder": network, "optimizer": model.state},
        step=step,
        sample=sample,
        batch_size=128,
        rebuild=rebuild,
        unseen=lambda x, *_: {"squared_error": squared_error(rebuild(x), x)},
    )


def vae(
    size: int, channels: int, classes: int | None, steps: int, *, fabric: Fabric | None = None
) -> Run:
    """Prepare a VAE, as in lesson 06: a Bernoulli likelihood, the KL term warmed up to beta one."""
    options: dict[str, Any] = {"latent_dim": 16, "size": size, "channels": channels}
    return _vae("vae", VAE(**options), options, steps, fabric)


def cvae(
    size: int, channels: int, classes: int | None, steps: int, *, fabric: Fabric | None = None
) -> Run:
    """Prepare a conditional VAE, as in lesson 07: encoder and decoder both see the class."""
    known = _classes("cvae", classes)
    options: dict[str, Any] = {
        "latent_dim": 16,
        "size": size,
        "classes": known,
        "channels": channels,
    }
    return _vae("cvae", CVAE(**options), options, steps, fabric)


def _vae(
    name: str, network: VAE | CVAE, options: dict[str, Any], steps: int, fabric: Fabric | None
) -> Run:
    """Prepare a VAE with or without classes; only what comes after ``x`` differs."""
    model = _Player(network, lr=2e-3, betas=(0.9, 0.99), fabric=fabric)
    classes = options.get("classes")

    def condition(y: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return y if classes else ()

    def step(n: int, x: Tensor, *y: Tensor) -> Losses:
        model.slow_down(n / steps)
        # at full weight from the start, the KL term drives some runs to ignore their latents
        beta = warm_up(n, max(1, 3 * steps // 10))
        known = condition(y)
        return vae_step(
            model.call, model.optimizer, x, *known, beta=beta, backward=_backward(fabric)
        )

    @torch.no_grad()
    def rebuild(x: Tensor, *y: Tensor) -> Tensor:
        mu, _ = network.encode(x, *condition(y))
        return logits_to_images(network.decode(mu, *condition(y)))

    @torch.no_grad()
    def sample(count: int, rng: torch.Generator) -> Tensor:
        z = _codes(network, count, rng)
        return logits_to_images(network.decode(z, *condition((in_turn(count, classes, z.device),))))

    @torch.no_grad()
    def unseen(x: Tensor, *y: Tensor) -> Losses:
        logits, mu, logvar = network(x, *condition(y))
        reconstruction = bernoulli_nll(logits, (x + 1) / 2).mean()
        kl = gaussian_kl(mu, logvar).mean()
        return {"negative_elbo": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    return Run(
        networks={name: network},
        weights={name: network},
        described={name: _describe(network, options)},
        parts={name: network, "optimizer": model.state},
        step=step,
        sample=sample,
        batch_size=128,
        rebuild=rebuild,
        unseen=unseen,
    )


def gan(
    size: int, channels: int, classes: int | None, steps: int, *, fabric: Fabric | None = None
) -> Run:
    """Prepare a GAN in the shape of DCGAN: non-saturating loss, lazy R1, an averaged generator.

    Adam's mean of the gradients has no memory (the first beta is 0). Rate, beta and penalty were
    picked on MNIST from a few short runs with one seed each, then measured with five seeds.
    """
    options: dict[str, Any] = {"latent_dim": 32, "size": size, "channels": channels}
    seeing: dict[str, Any] = {"size": size, "channels": channels}
    generator, discriminator = Generator(**options), Discriminator(**seeing)
    player_g = _Player(generator, lr=2e-3, betas=(0.0, 0.99), fabric=fabric)
    player_d = _Player(discriminator, lr=2e-3, betas=(0.0, 0.99), fabric=fabric)
    average = Average(generator, decay=0.998)

    def step(n: int, x: Tensor, *_: Tensor) -> Losses:
        player_g.slow_down(n / steps)
        player_d.slow_down(n / steps)
        losses = gan_step(
            *(player_g.call, player_d.call, player_g.optimizer, player_d.optimizer, x),
            gamma=lazily(0.5, n, every=8),
            backward=_backward(fabric),
        )
        average.update(generator)
        return losses

    return _adversaries(player_g, player_d, average, (options, seeing), step=step, batch_size=64)


def cgan(
    size: int, channels: int, classes: int | None, steps: int, *, fabric: Fabric | None = None
) -> Run:
    """Prepare a conditional GAN, as in lesson 13: a projection, lazy R1, mismatched pairs."""
    known = _classes("cgan", classes)
    options: dict[str, Any] = {
        "latent_dim": 32,
        "size": size,
        "classes": known,
        "channels": channels,
    }
    seeing: dict[str, Any] = {"size": size, "classes": known, "channels": channels}
    generator, discriminator = ConditionalGenerator(**options), ProjectionDiscriminator(**seeing)
    player_g = _Player(generator, lr=1e-3, betas=(0.5, 0.99), fabric=fabric)
    player_d = _Player(discriminator, lr=1e-3, betas=(0.5, 0.99), fabric=fabric)
    average = Average(generator, decay=0.998)

    def step(n: int, x: Tensor, y: Tensor) -> Losses:
        player_g.slow_down(n / steps)
        player_d.slow_down(n / steps)
        losses = gan_step(
            *(player_g.call, player_d.call, player_g.optimizer, player_d.optimizer, x, y),
            gamma=lazily(0.5, n, every=4),
            mismatch=0.5,
            backward=_backward(fabric),
        )
        average.update(generator)
        return losses

    return _adversaries(player_g, player_d, average, (options, seeing), step=step, batch_size=64)


def wgan_gp(
    size: int, channels: int, classes: int | None, steps: int, *, fabric: Fabric | None = None
) -> Run:
    """Prepare a Wasserstein GAN with gradient penalty, as in lesson 11.

    The critic moves three times, on fresh pictures, for one move of the generator, so that a batch
    holds three times as many pictures. It has no batch normalisation, which would tie the pictures
    of a batch together.
    """
    critic_steps = 3
    options: dict[str, Any] = {"latent_dim": 32, "size": size, "channels": channels}
    seeing: dict[str, Any] = {"size": size, "channels": channels}
    generator, critic = Generator(**options), Discriminator(**seeing)
    player_g = _Player(generator, lr=1e-3, betas=(0.0, 0.9), fabric=fabric)
    player_c = _Player(critic, lr=1e-3, betas=(0.0, 0.9), fabric=fabric)
    average = Average(generator, decay=0.995)

    def step(n: int, x: Tensor, *_: Tensor) -> Losses:
        player_g.slow_down(n / steps)
        player_c.slow_down(n / steps)
        losses = wgan_gp_step(
            *(player_g.call, player_c.call, player_g.optimizer, player_c.optimizer, x),
            critic_steps=critic_steps,
            backward=_backward(fabric),
        )
        average.update(generator)
        return losses

    return _adversaries(
        player_g,
        player_c,
        average,
        (options, seeing),
        step=step,
        batch_size=64 * critic_steps,
        multiple=critic_steps,
        opponent="critic",
    )


Family = Callable[..., Run]
FAMILIES: dict[str, Family] = {
    "ae": ae,
    "vae": vae,
    "cvae": cvae,
    "gan": gan,
    "cgan": cgan,
    "wgan_gp": wgan_gp,
}
CONDITIONAL = frozenset({"cvae", "cgan"})
# about a minute on two cores, with 16 x 16 pictures
STEPS = {"ae": 3000, "vae": 3000, "cvae": 3000, "gan": 3000, "cgan": 3000, "wgan_gp": 1000}


class _Player:
    """A network with its optimiser: bare to sample from and to save, and as a step calls it."""

    def __init__(
        self,
        network: nn.Module,
        *,
        lr: float,
        betas: tuple[float, float],
        fabric: Fabric | None,
    ) -> None:
        self.network, self.lr = network, lr
        self.call = place(fabric, network) if fabric else network
        self.optimizer: Optimizer = adam(network, lr=lr, betas=betas, fabric=fabric)
        # Fabric wraps an optimiser; the state and the learning rate are those of the one inside
        self.state: Optimizer = getattr(self.optimizer, "optimizer", self.optimizer)

    def slow_down(self, done: float) -> None:
        """Lower the learning rate evenly to a tenth of the first, by the share that is done."""
        for group in self.state.param_groups:
            group["lr"] = self.lr * (1 - 0.9 * done)


def _adversaries(
    player_g: _Player,
    player_d: _Player,
    average: Average,
    options: tuple[dict[str, Any], dict[str, Any]],
    *,
    step: Callable[..., Losses],
    batch_size: int,
    multiple: int = 1,
    opponent: str = "discriminator",
) -> Run:
    """Put two players together; what is sampled from and kept is the averaged generator."""
    classes = options[0].get("classes")

    @torch.no_grad()
    def sample(count: int, rng: torch.Generator) -> Tensor:
        z = _codes(average.network, count, rng)
        y = in_turn(count, classes, z.device)
        return average.network(z, y) if classes else average.network(z)

    return Run(
        networks={"generator": player_g.network, opponent: player_d.network},
        weights={"generator": average.network, opponent: player_d.network},
        described={
            "generator": _describe(player_g.network, options[0]),
            opponent: _describe(player_d.network, options[1]),
        },
        parts={
            "generator": player_g.network,
            opponent: player_d.network,
            "average": average,
            "optimizer_of_generator": player_g.state,
            f"optimizer_of_{opponent}": player_d.state,
        },
        step=step,
        sample=sample,
        batch_size=batch_size,
        multiple=multiple,
    )


def _backward(fabric: Fabric | None) -> Backward:
    return fabric.backward if fabric else Tensor.backward


def _classes(family: str, classes: int | None) -> int:
    if not classes:
        raise ValueError(
            f"{family} asks for a class, and these pictures have none: choose data with classes, "
            "such as a folder with one sub-folder a class, or a family without condition"
        )
    return classes


def _codes(network: nn.Module, count: int, rng: torch.Generator) -> Tensor:
    """Draw codes on the CPU, so that they are the same on every device."""
    device = next(network.parameters()).device
    return torch.randn(count, int(network.latent_dim), generator=rng).to(device)  # type: ignore[arg-type]


def in_turn(count: int, classes: int | None, device: torch.device | str = "cpu") -> Tensor:
    """Return the class that each picture of ``Run.sample`` is asked to show, ``(count,)``."""
    return torch.arange(count, device=device) % (classes or 1)


def _describe(network: nn.Module, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"class": type(network).__name__, "arguments": arguments}
