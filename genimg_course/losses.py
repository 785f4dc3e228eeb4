"""Training objectives: tensors in, one scalar in nats out, lower is better."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course._checks import check_batch, check_same_shape
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.likelihoods import bernoulli_nll

__all__ = ["discriminator_loss", "generator_loss", "negative_elbo", "r1_penalty", "squared_error"]


def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    r"""Return the squared error, summed over pixels: what an autoencoder minimises.

    .. math:: \mathbb E \sum_i (x_i - \hat x_i)^2

    Args:
        x_hat: reconstructions, ``(B, ...)``.
        x: images, same shape.

    Returns:
        A scalar; half of it is a Gaussian negative log-likelihood with unit variance, up to a
        constant.

    Raises:
        ValueError: if the shapes differ.
    """
    check_same_shape(x_hat=x_hat, x=x)
    check_batch(x=x)
    return (x - x_hat).square().reshape(len(x), -1).sum(dim=1).mean()


def negative_elbo(
    x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor, *, beta: float = 1.0
) -> Tensor:
    r"""Return the negative evidence lower bound of a VAE with a Bernoulli decoder.

    .. math:: -\mathbb E_{q(z \mid x)} \log p(x \mid z) + \beta\,\mathrm{KL}(q(z \mid x) \Vert p(z))

    Args:
        x: images in ``[-1, 1]``, ``(B, C, H, W)``.
        logits: log odds of ink from the decoder, for one ``z`` drawn from ``q(z | x)``, same shape.
        mu: means of ``q(z | x)``, ``(B, Z)``.
        logvar: its log *variances*, ``(B, Z)``.
        beta: weight of the KL term; 1 gives the bound.

    Returns:
        A scalar in nats: sum over pixels and latents, mean over the batch.

    Raises:
        ValueError: if shapes differ or an image leaves ``[-1, 1]``.

    Source:
        Kingma and Welling (2014), equation 3, https://arxiv.org/abs/1312.6114;
        Higgins et al. (2017) for beta, https://openreview.net/forum?id=Sy2fzU9gl
    """
    reconstruction, kl = bernoulli_nll(logits, (x + 1) / 2), gaussian_kl(mu, logvar)
    check_same_shape(reconstruction=reconstruction, kl=kl)  # one code would broadcast
    return (reconstruction + beta * kl).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    r"""Return the discriminator's cross-entropy on real and generated images.

    .. math:: \mathbb E_p[-\log D(x)] + \mathbb E_z[-\log(1 - D(G(z)))], \qquad D = \sigma(a)

    Args:
        real_logits: ``a`` on real images, any shape with a batch first.
        fake_logits: ``a`` on generated images; the batch sizes may differ.

    Returns:
        A scalar in nats; ``log 4`` where the discriminator is undecided.

    Raises:
        ValueError: if a batch is empty.

    Source:
        Goodfellow et al. (2014), equation 1, https://arxiv.org/abs/1406.2661
    """
    check_batch(real_logits=real_logits, fake_logits=fake_logits)
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_loss(fake_logits: Tensor, *, saturating: bool = False) -> Tensor:
    r"""Return the generator's loss on what the discriminator says of its images.

    .. math:: \mathbb E_z[-\log D(G(z))] \quad\text{or, saturating,}\quad
        \mathbb E_z[\log(1 - D(G(z)))]

    The first keeps its gradient where the discriminator is sure that an image is fake. The second
    is the zero-sum game of theorem 1 and loses it there.

    Args:
        fake_logits: logits of ``D(G(z))``, any shape with a batch first.
        saturating: choose the zero-sum form.

    Returns:
        A scalar in nats; ``log 2`` (saturating: ``-log 2``) where the discriminator is undecided.

    Raises:
        ValueError: if the batch is empty.

    Source:
        Goodfellow et al. (2014), section 3, https://arxiv.org/abs/1406.2661
    """
    check_batch(fake_logits=fake_logits)
    return -F.softplus(fake_logits).mean() if saturating else F.softplus(-fake_logits).mean()


def r1_penalty(real_logits: Tensor, x: Tensor, *, gamma: float) -> Tensor:
    r"""Return the gradient penalty on real images that makes GAN training converge locally.

    .. math:: \frac\gamma2\, \mathbb E_p \lVert \nabla_x a(x) \rVert^2

    Args:
        real_logits: logits of the discriminator on ``x``, ``(B,)`` or ``(B, 1)``.
        x: the real images they came from, with ``requires_grad`` set before the forward pass,
            ``(B, ...)``.
        gamma: weight of the penalty, non-negative.

    Returns:
        A scalar through which gradients reach the discriminator's parameters.

    Raises:
        ValueError: if ``gamma`` is negative or ``x`` does not require a gradient.

    Source:
        Mescheder, Geiger and Nowozin (2018), equation 9, https://arxiv.org/abs/1801.04406
    """
    if not gamma >= 0:
        raise ValueError(f"gamma is {gamma}: expected a weight of at least zero")
    if not x.requires_grad:
        raise ValueError(
            f"x {tuple(x.shape)} does not require a gradient: "
            "call x.requires_grad_() before the forward pass"
        )
    (gradient,) = torch.autograd.grad(real_logits.sum(), x, create_graph=True)
    return 0.5 * gamma * gradient.square().reshape(len(x), -1).sum(dim=1).mean()
