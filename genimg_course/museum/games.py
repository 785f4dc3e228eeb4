"""Failures of the game: collapse, a generator that learns nothing, a critic without limits."""

from __future__ import annotations

import torch

from genimg_course.data import ring
from genimg_course.losses import (
    discriminator_loss,
    generator_loss,
    wasserstein_critic_loss,
)
from genimg_course.metrics import count_modes
from genimg_course.models import PointDiscriminator, PointGenerator
from genimg_course.museum.exhibit import Exhibit
from genimg_course.training import critic_step

__all__ = ["EXHIBITS", "exploding_critic", "mode_collapse", "vanishing_gradient"]


def mode_collapse(broken: bool) -> float:
    """Train a GAN on a ring of eight modes and count the modes that it draws."""
    law = ring()
    generator, discriminator = PointGenerator(latent_dim=2), PointDiscriminator()
    opt_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9), fused=True)
    opt_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9), fused=True)
    for _ in range(150 if broken else 1200):
        real = law.sample(256, rng=torch.default_generator)
        fake = generator(torch.randn(256, 2)).detach()
        opt_d.zero_grad()
        discriminator_loss(discriminator(real), discriminator(fake)).backward()
        opt_d.step()
        for _ in range(10 if broken else 1):  # the generator runs ahead of its critic
            opt_g.zero_grad()
            generator_loss(discriminator(generator(torch.randn(256, 2)))).backward()
            opt_g.step()
    with torch.no_grad():
        points = generator(torch.randn(2000, 2))
    return count_modes(points, law.centres, spread=law.spread)[0]


def vanishing_gradient(broken: bool) -> float:
    """Teach a discriminator for a while, then ask how hard it pulls on the generator's logits."""
    law = ring()
    generator, discriminator = PointGenerator(latent_dim=2), PointDiscriminator()
    opt_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, fused=True)
    for _ in range(300):
        real = law.sample(256, rng=torch.default_generator)
        fake = generator(torch.randn(256, 2)).detach()
        opt_d.zero_grad()
        discriminator_loss(discriminator(real), discriminator(fake)).backward()
        opt_d.step()
    logits = discriminator(generator(torch.randn(2000, 2)))
    (pull,) = torch.autograd.grad(generator_loss(logits, saturating=broken), logits)
    return float(pull.abs().sum())  # of all points together; 1 is the most that there can be


def exploding_critic(broken: bool) -> float:
    """Let a Wasserstein critic estimate a distance of 3 with and without a limit on its slope."""
    critic = PointDiscriminator(dim=2, width=64)
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.9), fused=True)
    shift = torch.tensor([3.0, 0.0])
    for _ in range(400):
        real, fake = torch.randn(256, 2) + shift, torch.randn(256, 2)
        if broken:
            optimizer.zero_grad()
            wasserstein_critic_loss(critic(real), critic(fake)).backward()
            optimizer.step()
        else:
            critic_step(critic, optimizer, real, fake, weight=20.0)
    with torch.no_grad():
        real, fake = torch.randn(4000, 2) + shift, torch.randn(4000, 2)
        return float(-wasserstein_critic_loss(critic(real), critic(fake)) / 3)


EXHIBITS = (
    Exhibit(
        id="mode_collapse",
        title="A generator that runs ahead collapses",
        lesson="10",
        trigger="Ten steps of the generator for one of the discriminator, on a ring of 8 modes.",
        signature="Modes that are drawn, of eight. The losses need not show it.",
        cure="One step each: the discriminator has to keep up with what it judges.",
        run=mode_collapse,
        broken=(0, 2),
        mended=(5, 8),
    ),
    Exhibit(
        id="vanishing_gradient",
        title="The zero-sum loss falls silent when the discriminator wins",
        lesson="09",
        trigger="The saturating loss, against a discriminator with a head start of 300 steps.",
        signature="The sum of |dL/da| over the logits a of generated points; 1 is the most.",
        cure="The non-saturating loss: the same discriminator, another gradient.",
        run=vanishing_gradient,
        broken=(0, 0.002),
        mended=(0.999, 1),
    ),
    Exhibit(
        id="exploding_critic",
        title="A critic without a limit on its slope measures nothing",
        lesson="11",
        trigger="A Wasserstein critic trained without a gradient penalty.",
        signature="Its estimate divided by the true distance: 1 is right. Without a limit it "
        "grows on and on.",
        cure="A penalty on the gradient that holds the slope near one.",
        run=exploding_critic,
        broken=(900, float("inf")),
        mended=(0.85, 1.3),
    ),
)
