"""What the latents of a VAE carry."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_finite, check_matrix, check_same_shape

__all__ = ["kl_per_latent"]


def kl_per_latent(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the KL term of each latent, averaged over images: how many nats it carries.

    A latent that the decoder ignores is driven to the prior and carries none; it has collapsed.

    Args:
        mu: means of ``q(z | x)``, ``(B, Z)``.
        logvar: its log *variances*, ``(B, Z)``.

    Returns:
        Nats per latent, ``(Z,)``; their sum is the KL term of the bound.

    Raises:
        ValueError: if shapes differ or a value is not finite.

    Source:
        Burda, Grosse and Salakhutdinov (2016), section 5.2 for active units,
        https://arxiv.org/abs/1509.00519
    """
    check_same_shape(mu=mu, logvar=logvar)
    check_matrix(mu=mu)
    check_finite(mu=mu, logvar=logvar)
    return 0.5 * (mu.square() + logvar.expm1() - logvar).mean(dim=0)
