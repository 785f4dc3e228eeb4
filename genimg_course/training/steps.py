"""Training steps, each a whole algorithm: networks, optimisers, a batch in, losses out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.losses import discriminator_loss, generator_loss, r1_penalty, squared_error
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.likelihoods import bernoulli_nll

__all__ = ["autoencoder_step", "classifier_step", "gan_step", "lazily", "vae_step"]


def autoencoder_step(model: nn.Module, optimizer: Optimizer, x: Tensor) -> dict[str, Tensor]:
    """Update encoder and decoder together on images ``(B, C, H, W)`` in ``[-1, 1]``.

    Returns:
        ``squared_error``: the sum over pixels, averaged over the batch, a detached scalar.
    """
    loss = squared_error(model(x), x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"squared_error": loss.detach()}


def vae_step(
    model: nn.Module, optimizer: Optimizer, x: Tensor, *condition: Tensor, beta: float = 1.0
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
    loss.backward()
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
            class rarer than they are in the data.

    Returns:
        ``d_loss`` (of real and generated pairs only) and ``g_loss`` in nats, and the mean logits
        ``real_logit`` and ``fake_logit``, detached scalars.

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
    z = torch.randn(len(x), generator.latent_dim, device=x.device)  # type: ignore[call-overload]
    fake = generator(z, *condition)

    real_logits = discriminator(real, *condition)
    fake_logits = discriminator(fake.detach(), *condition)
    d_loss = discriminator_loss(real_logits, fake_logits)
    extra = r1_penalty(real_logits, real, gamma=gamma) if gamma else d_loss.new_zeros(())
    if mismatch:
        extra = extra + mismatch * _mismatched_pairs(discriminator, real, *condition)
    opt_d.zero_grad()
    (d_loss + extra).backward()
    opt_d.step()

    new_logits = discriminator(fake, *condition)  # again: the discriminator has just moved
    g_loss = generator_loss(new_logits)
    opt_g.zero_grad()
    g_loss.backward(inputs=list(generator.parameters()))  # the discriminator needs no gradient now
    opt_g.step()
    return {
        "d_loss": d_loss.detach(),
        "g_loss": g_loss.detach(),
        "real_logit": real_logits.detach().mean(),
        "fake_logit": fake_logits.detach().mean(),
    }


def _mismatched_pairs(discriminator: nn.Module, x: Tensor, *condition: Tensor) -> Tensor:
    if len(condition) != 1:
        raise ValueError(f"mismatched pairs need one tensor of labels, got {len(condition)}")
    (y,) = condition
    other = y.roll(1)  # the label of another picture, which may be the same class
    return (F.softplus(discriminator(x, other)) * (other != y)).mean()


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
    model: nn.Module, optimizer: Optimizer, x: Tensor, y: Tensor
) -> dict[str, Tensor]:
    """Update a classifier on images ``(B, C, H, W)`` and classes ``(B,)``.

    Returns:
        ``cross_entropy`` in nats and ``accuracy``, detached scalars.
    """
    logits = model(x)
    loss = F.cross_entropy(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"cross_entropy": loss.detach(), "accuracy": (logits.argmax(dim=1) == y).float().mean()}
