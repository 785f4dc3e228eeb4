import copy
from functools import partial

import pytest
import torch
from torch.optim import SGD

from genimg_course.losses import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    hinge_discriminator_loss,
    hinge_generator_loss,
)
from genimg_course.models import PointDiscriminator, PointGenerator
from genimg_course.training import critic_step, gan_step, wgan_gp_step

LR = 0.05


@pytest.fixture
def players():
    torch.manual_seed(0)
    return PointGenerator(latent_dim=3, width=8), PointDiscriminator(width=8)


def optimizers(generator, critic):
    return SGD(generator.parameters(), lr=LR), SGD(critic.parameters(), lr=LR)


def weights(network):
    return [p.detach().clone() for p in network.parameters()]


def descend(loss, network):
    parameters = list(network.parameters())
    with torch.no_grad():
        for p, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p -= LR * slope


def test_critic_step_moves_the_critic_only_and_down_its_loss(players):
    generator, critic = players
    twin, before = copy.deepcopy(critic), weights(generator)
    real = torch.randn(6, 2)
    fake = generator(torch.randn(6, 3))
    torch.manual_seed(1)
    told = critic_step(critic, SGD(critic.parameters(), lr=LR), real, fake, weight=3.0)

    torch.manual_seed(1)
    penalty = gradient_penalty(twin, real, fake.detach(), weight=3.0)
    gap = twin(real).mean() - twin(fake.detach()).mean()
    assert told["wasserstein"].item() == pytest.approx(gap.item())
    assert told["penalty"].item() == pytest.approx(penalty.item())
    descend(penalty - gap, twin)
    torch.testing.assert_close(weights(critic), weights(twin))
    torch.testing.assert_close(weights(generator), before)
    assert all(p.grad is None for p in generator.parameters())


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_wgan_gp_step_is_algorithm_1(players, critic_steps):
    generator, critic = players
    twin_g, twin_c = copy.deepcopy(players)
    opt_g, opt_c = optimizers(generator, critic)
    opt_twin = SGD(twin_c.parameters(), lr=LR)
    for seed in (1, 2):  # twice: gradients of the first update must not leak into the second
        x = torch.randn(4 * critic_steps, 2)
        torch.manual_seed(seed)
        told = wgan_gp_step(
            generator, critic, opt_g, opt_c, x, critic_steps=critic_steps, weight=2.0
        )
        torch.manual_seed(seed)
        for k in range(critic_steps):
            fake = twin_g(torch.randn(4, 3)).detach()
            last = critic_step(twin_c, opt_twin, x[4 * k : 4 * k + 4], fake, weight=2.0)
        g_loss = -twin_c(twin_g(torch.randn(4, 3))).mean()
        torch.testing.assert_close(told, {**last, "g_loss": g_loss.detach()})
        descend(g_loss, twin_g)
        torch.testing.assert_close(weights(generator), weights(twin_g))
        torch.testing.assert_close(weights(critic), weights(twin_c))


def test_images_that_cannot_be_shared_out_are_refused(players):
    step = partial(wgan_gp_step, *players, *optimizers(*players))
    for count, critic_steps in ((7, 2), (4, 0)):
        with pytest.raises(ValueError, match=f"critic_steps is {critic_steps} for {count}"):
            step(torch.zeros(count, 2), critic_steps=critic_steps)


def test_gan_step_plays_cross_entropy_unless_told_otherwise(players):
    twins = copy.deepcopy(players)
    x = torch.randn(6, 2)
    torch.manual_seed(1)
    plain = gan_step(*players, *optimizers(*players), x)
    torch.manual_seed(1)
    named = gan_step(
        *twins, *optimizers(*twins), x, d_loss=discriminator_loss, g_loss=generator_loss
    )
    torch.testing.assert_close(plain, named, rtol=0, atol=0)
    for one, other in zip(players, twins, strict=True):
        torch.testing.assert_close(weights(one), weights(other), rtol=0, atol=0)


def test_gan_step_plays_the_losses_that_it_is_given(players):
    generator, critic = players
    twin_g, twin_c = copy.deepcopy(players)
    x = torch.randn(6, 2)
    torch.manual_seed(1)
    told = gan_step(
        *players,
        *optimizers(*players),
        x,
        d_loss=hinge_discriminator_loss,
        g_loss=hinge_generator_loss,
    )
    torch.manual_seed(1)
    fake = twin_g(torch.randn(6, 3))
    d_loss = (1 - twin_c(x)).relu().mean() + (1 + twin_c(fake.detach())).relu().mean()
    descend(d_loss, twin_c)
    g_loss = -twin_c(fake).mean()
    descend(g_loss, twin_g)
    assert told["d_loss"].item() == pytest.approx(d_loss.item())
    assert told["g_loss"].item() == pytest.approx(g_loss.item())
    torch.testing.assert_close(weights(critic), weights(twin_c))
    torch.testing.assert_close(weights(generator), weights(twin_g))
