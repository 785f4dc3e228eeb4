"""Games with a fault in their rules: what the players then agree on, and how hard they pull."""

from __future__ import annotations

from torch import Tensor

from genimg_course._checks import check_range, check_same_shape
from genimg_course.maths.divergences import kl_divergence

__all__ = ["forecast", "generator_curvature", "misled_discriminator", "unfrozen_divergence"]


def misled_discriminator(p: Tensor, q: Tensor, *, mislabelled: float) -> Tensor:
    r"""Return what the best discriminator says that is also shown fakes under the label "real".

    For each real image it sees one fake with the label "fake", and :math:`c` fakes with the label
    "real". Then the share of the label "real" at a point is

    .. math:: D^*(x) = \frac{p(x) + c\,q(x)}{p(x) + (1 + c)\,q(x)}

    A discriminator that the generator's step updates too has :math:`c = 1`. It minimises the sum of
    both players' losses.

    Args:
        p: density or probability of the data at each point, non-negative, any shape.
        q: the same for the generator.
        mislabelled: :math:`c`, at least zero; zero is the honest game.

    Returns:
        Values in ``[0, 1]``, the shape of ``p``; ``(1 + c) / (2 + c)``, the share of the label
        "real" among all, where both densities are zero.

    Raises:
        ValueError: if the shapes differ, or a density or ``mislabelled`` is negative.

    Source:
        Goodfellow et al. (2014), proposition 1, with other labels, https://arxiv.org/abs/1406.2661
    """
    check_same_shape(p=p, q=q)
    check_range("p", p, 0.0, float("inf"))
    check_range("q", q, 0.0, float("inf"))
    if mislabelled < 0:
        raise ValueError(f"mislabelled is {mislabelled}: expected a weight of at least zero")
    called_real = p + mislabelled * q
    total = called_real + q
    seen = total > 0
    return called_real.where(seen, 1 + mislabelled) / total.where(seen, 2 + mislabelled)


def generator_curvature(r: Tensor, *, mislabelled: float = 0.0, saturating: bool = False) -> Tensor:
    r"""Return how strongly a generator is pulled to the data where the density ratio is ``r``.

    At the best discriminator the generator descends :math:`\mathbb E_q[f(p/q)]`. All that
    counts of :math:`f` is its second derivative, for linear parts have no gradient:

    .. math:: f''(r) = \frac{1}{r\,(r + c)\,(r + c + 1)}
        \quad\text{or, saturating,}\quad \frac{1}{r\,(r + c + 1)}

    Args:
        r: ratio :math:`p/q` of the densities, positive, any shape.
        mislabelled: :math:`c`, fakes shown as real for each fake shown as fake.
        saturating: the generator descends :math:`\mathbb E_q[\log(1 - D)]`.

    Returns:
        The curvature, positive, the shape of ``r``.

    Raises:
        ValueError: if a ratio is not positive or ``mislabelled`` is negative.

    Source:
        Nowozin, Cseke and Tomioka (2016), section 2, https://arxiv.org/abs/1606.00709, for
        divergences of this kind
    """
    if not bool((r > 0).all()):
        raise ValueError(f"the least ratio is {r.min().item():g}: expected positive ratios")
    if mislabelled < 0:
        raise ValueError(f"mislabelled is {mislabelled}: expected a weight of at least zero")
    shifted = r + mislabelled
    steep = r if saturating else r * shifted
    return 1 / (steep * (shifted + 1))


def unfrozen_divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""Return the divergence that a generator descends against an unfrozen discriminator, in nats.

    .. math:: \tfrac12\,\mathrm{KL}(p \Vert a) + \tfrac32\,\mathrm{KL}(b \Vert a),
        \qquad a = \frac{p + q}{2}, \quad b = \frac{p + 2q}{3}

    Args:
        p: probabilities of the data, ``(..., K)``.
        q: probabilities of the generator, ``(..., K)``.

    Returns:
        One value per pair of laws, ``(...)``; zero only where they agree.

    Raises:
        ValueError: if the shapes differ or a law does not sum to one.
    """
    check_same_shape(p=p, q=q)
    a, b = (p + q) / 2, (p + 2 * q) / 3
    return 0.5 * kl_divergence(p, a) + 1.5 * kl_divergence(b, a)


def forecast(p: Tensor, q: Tensor) -> dict[str, Tensor]:
    r"""Return what a program prints in the long run if it trains ``D`` twice and ``G`` never.

    Its first step takes the mean over one batch of real and generated images. Its second step,
    meant for the generator, shows the discriminator generated images as real. So

    .. math:: D^*(x) = \frac{p(x) + 2\,q(x)}{p(x) + 3\,q(x)}

    Args:
        p: probabilities of the data, ``(K,)``.
        q: probabilities of the generator, ``(K,)``.

    Returns:
        Scalars: ``d_real`` and ``d_fake``, the means of ``D`` on data and on generated points;
        ``g_loss``, the mean of :math:`-\log D` on generated points, in nats; and ``change_of_g``,
        how far the generator has moved.

    Raises:
        ValueError: if the shapes differ or a probability is negative.
    """
    d = misled_discriminator(p, q, mislabelled=2.0)
    return {
        "d_real": (p * d).sum(),
        "d_fake": (q * d).sum(),
        "g_loss": -(q * d.log()).sum(),
        "change_of_g": q.new_zeros(()),
    }
