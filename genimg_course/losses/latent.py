"""Objectives of models with a code: reconstruction and its bound, sums over dimensions."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_batch, check_same_shape
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.likelihoods import bernoulli_nll

__all__ = ["negative_elbo", "squared_error"]


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
