"""Training steps, each a whole algorithm: networks, optimisers, a batch in, losses out."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.losses import (
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    r1_penalty,
    squared_error,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.likelihoods import bernoulli_nll

__all__ = [
    "Backward",
    "autoencoder_step",
    "classifier_step",
    "critic_step",
    "gan_step",
    "lazily",
    "vae_step",
    "wgan_gp_step",
]

# ``backward(loss)`` or ``backward(loss, inputs=...)``: a tensor's own method, or Fabric's
Backward = Callable[..., object]


def autoencoder_step(
    model: nn.Module, optimizer: Optimizer, x: Tensor, *, backward: Backward = Tensor.backward
) -> dict[str, Tensor]:
    """Update encoder and decoder together on images ``(B, C, H, W)`` in ``[-1, 1]``.

    Args:
        model: maps images to images.
        optimizer: holds all parameters of the model.
        x: images.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``squared_error``: the sum over pixels, averaged over the batch, a detached scalar.
    """
    loss = squared_error(model(x), x)
    optimizer.zero_grad()
    backward(loss)
    optimizer.step()
    return {"squared_error": loss.detach()}


def vae_step(
    model: nn.Module,
    optimizer: Optimizer,
    x: Tensor,
    *condition: Tensor,
    beta: float = 1.0,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    """Update encoder and decoder together on images ``(B, C, H, W)`` in ``[-1, 1]``.

    One objective, one backward pass through ``z = mu + sigma * eps``: the encoder has no loss of
    its own.

    Args:
        model: maps ``x`` (and the condition) to ``logits, mu, logvar``.
        optimizer: holds all parameters of the model.
        x: images.
        condition: the classes ``(B,)`` for a conditional VAE; nothing for a plain one.
        beta: weight of the KL term.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``negative_elbo`` (with ``beta``), ``reconstruction`` and ``kl`` in nats, detached scalars.

    Source:
        Kingma and Welling (2014), algorithm 1, https://arxiv.org/abs/1312.6114
    """
    logits, mu, logvar = model(x, *condition)
    reconstruction = bernoulli_nll(logits, (x + 1) / 2).mean()
    kl = gaussian_kl(mu, logvar).mean()
    loss = reconstruction + beta * kl

    optimizer.zero_grad()
    backward(loss)
    optimizer.step()
    return {
        "negative_elbo": loss.detach(),
        "reconstruction": reconstruction.detach(),
        "kl": kl.detach(),
    }


def gan_step(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: Optimizer,
    opt_d: Optimizer,
    x: Tensor,
    *condition: Tensor,
    gamma: float = 0.0,
    mismatch: float = 0.0,
    d_loss: Callable[[Tensor, Tensor], Tensor] = discriminator_loss,
    g_loss: Callable[[Tensor], Tensor] = generator_loss,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    """Update the discriminator, then the generator, once each, on images ``(B, C, H, W)``.

    With classes ``(B,)`` as the condition this is a cGAN: both networks see the label, and the
    fakes carry the labels of the batch. Real and generated pairs then share one law of classes, so
    that the discriminator cannot tell them apart by class alone.

    Args:
        generator: maps noise ``(B, Z)`` (and the condition) to images and knows its ``latent_dim``.
        discriminator: maps images (and the condition) to logits.
        opt_g: holds the generator's parameters only.
        opt_d: holds the discriminator's parameters only.
        x: real images in ``[-1, 1]``.
        condition: the classes for a conditional GAN; nothing for a plain one.
        gamma: weight of the R1 penalty in this step.
        mismatch: weight of a third kind of pair, a real picture with a wrong label, which counts as
            fake. It teaches the class faster, and it makes pictures that could pass for another
            class rarer than they are in the data. Its loss is always the cross-entropy.
        d_loss: what the discriminator minimises, of its outputs on real and generated images.
        g_loss: what the generator minimises, of the outputs on generated images.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``d_loss`` (of real and generated pairs only) and ``g_loss``, in nats unless other losses
        are given, and the mean logits ``real_logit`` and ``fake_logit``, detached scalars.

    Raises:
        ValueError: if ``gamma`` or ``mismatch`` is negative, or there are no labels to mismatch.

    Source:
        Goodfellow et al. (2014), algorithm 1, https://arxiv.org/abs/1406.2661;
        Mirza and Osindero (2014), equation 2, https://arxiv.org/abs/1411.1784;
        Reed et al. (2016), algorithm 1, for mismatched pairs, https://arxiv.org/abs/1605.05396
    """
    if mismatch < 0:
        raise ValueError(f"mismatch is {mismatch}: expected a weight of at least zero")
    real = x.detach().requires_grad_(gamma != 0)
    fake = generator(_noise(generator, len(x), x), *condition)

    real_logits = discriminator(real, *condition)
    fake_logits = discriminator(fake.detach(), *condition)
    loss_d = d_loss(real_logits, fake_logits)
    extra = r1_penalty(real_logits, real, gamma=gamma) if gamma else loss_d.new_zeros(())
    if mismatch:
        extra = extra + mismatch * _mismatched_pairs(discriminator, real, *condition)
    opt_d.zero_grad()
    backward(loss_d + extra)
    opt_d.step()

    new_logits = discriminator(fake, *condition)  # again: the discriminator has just moved
    loss_g = g_loss(new_logits)
    opt_g.zero_grad()
    backward(loss_g, inputs=list(generator.parameters()))  # the discriminator needs no gradient now
    opt_g.step()
    return {
        "d_loss": loss_d.detach(),
        "g_loss": loss_g.detach(),
        "real_logit": real_logits.detach().mean(),
        "fake_logit": fake_logits.detach().mean(),
    }


def _mismatched_pairs(discriminator: nn.Module, x: Tensor, *condition: Tensor) -> Tensor:
    if len(condition) != 1:
        raise ValueError(f"mismatched pairs need one tensor of labels, got {len(condition)}")
    (y,) = condition
    other = y.roll(1)  # the label of another picture, which may be the same class
    return (F.softplus(discriminator(x, other)) * (other != y)).mean()


def critic_step(
    critic: nn.Module,
    optimizer: Optimizer,
    real: Tensor,
    fake: Tensor,
    *,
    weight: float = 10.0,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    """Update a Wasserstein critic once, held near slope one by the gradient penalty.

    Args:
        critic: maps images to scores ``(B,)``; without batch normalisation.
        optimizer: holds the critic's parameters only.
        real: real images, ``(B, ...)``.
        fake: generated images of the same shape; the generator gets no gradient.
        weight: weight of the penalty.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``wasserstein``, the difference of the mean scores, an estimate of the distance in the unit
        of the images, and ``penalty`` (with its weight), detached scalars.

    Raises:
        ValueError: if ``weight`` is negative or the shapes differ.

    Source:
        Gulrajani et al. (2017), equation 3, https://arxiv.org/abs/1704.00028
    """
    fake = fake.detach()
    loss = wasserstein_critic_loss(critic(real), critic(fake))
    penalty = gradient_penalty(critic, real, fake, weight=weight)
    optimizer.zero_grad()
    backward(loss + penalty)
    optimizer.step()
    return {"wasserstein": -loss.detach(), "penalty": penalty.detach()}


def wgan_gp_step(
    generator: nn.Module,
    critic: nn.Module,
    opt_g: Optimizer,
    opt_c: Optimizer,
    x: Tensor,
    *,
    critic_steps: int = 5,
    weight: float = 10.0,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    """Update the critic several times on fresh images and noise, then the generator once.

    Args:
        generator: maps noise ``(B, Z)`` to images and knows its ``latent_dim``.
        critic: maps images to scores ``(B,)``; without batch normalisation.
        opt_g: holds the generator's parameters only.
        opt_c: holds the critic's parameters only.
        x: real images for all updates of the critic, ``(critic_steps * B, ...)``.
        critic_steps: updates of the critic for one of the generator.
        weight: weight of the gradient penalty.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``wasserstein`` and ``penalty`` of the last update of the critic, and ``g_loss``, detached
        scalars.

    Raises:
        ValueError: if the images cannot be shared out evenly or ``weight`` is negative.

    Source:
        Gulrajani et al. (2017), algorithm 1, https://arxiv.org/abs/1704.00028
    """
    if critic_steps < 1 or len(x) % critic_steps:
        raise ValueError(
            f"critic_steps is {critic_steps} for {len(x)} images: expected a divisor of them"
        )
    size = len(x) // critic_steps
    for real in x.split(size):
        with torch.no_grad():
            fake = generator(_noise(generator, size, x))
        losses = critic_step(critic, opt_c, real, fake, weight=weight, backward=backward)

    g_loss = wasserstein_generator_loss(critic(generator(_noise(generator, size, x))))
    opt_g.zero_grad()
    backward(g_loss, inputs=list(generator.parameters()))  # the critic needs no gradient now
    opt_g.step()
    return {**losses, "g_loss": g_loss.detach()}


def _noise(generator: nn.Module, count: int, like: Tensor) -> Tensor:
    return torch.randn(count, generator.latent_dim, device=like.device)  # type: ignore[call-overload]


def lazily(gamma: float, n: int, *, every: int) -> float:
    """Return the penalty's weight in step ``n`` when it is applied every few steps only.

    The penalty costs a second backward pass. Applied in one step of ``every`` with ``every`` times
    the weight it has the same mean.

    Raises:
        ValueError: if ``every`` is below 1.

    Source:
        Karras et al. (2020), section 3.1, https://arxiv.org/abs/1912.04958

    >>> [lazily(0.5, n, every=4) for n in range(5)]
    [2.0, 0.0, 0.0, 0.0, 2.0]
    """
    if every < 1:
        raise ValueError(f"every is {every}: expected a number of steps of at least 1")
    return gamma * every if n % every == 0 else 0.0


def classifier_step(
    model: nn.Module,
    optimizer: Optimizer,
    x: Tensor,
    y: Tensor,
    *,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    """Update a classifier on images ``(B, C, H, W)`` and classes ``(B,)``.

    Args:
        model: maps images to logits, ``(B, K)``.
        optimizer: holds all parameters of the model.
        x: images.
        y: classes.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``cross_entropy`` in nats and ``accuracy``, detached scalars.
    """
    logits = model(x)
    loss = F.cross_entropy(logits, y)
    optimizer.zero_grad()
    backward(loss)
    optimizer.step()
    return {"cross_entropy": loss.detach(), "accuracy": (logits.argmax(dim=1) == y).float().mean()}
