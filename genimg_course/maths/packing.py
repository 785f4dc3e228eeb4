"""Packs: what a discriminator sees that judges several independent images at once."""

from __future__ import annotations

from torch import Tensor

from genimg_course.maths.divergences import total_variation

__all__ = ["packed", "packed_total_variation"]


def packed(law: Tensor, count: int) -> Tensor:
    r"""Return the law of ``count`` independent images, over all tuples.

    .. math:: p^m(x_1, \dots, x_m) = p(x_1) \cdots p(x_m)

    Args:
        law: probabilities of ``n`` images, ``(n,)``.
        count: images in a pack, ``m``, at least one.

    Returns:
        Probabilities of the tuples in lexicographic order, ``(n ** m,)``.

    Raises:
        ValueError: if ``count`` is below 1.

    Source:
        Lin et al. (2018), https://arxiv.org/abs/1712.04086
    """
    if count < 1:
        raise ValueError(f"count is {count}: a pack holds at least one image")
    together = law
    for _ in range(count - 1):
        together = (together[:, None] * law).flatten()
    return together


def packed_total_variation(p: Tensor, q: Tensor, count: int) -> Tensor:
    r"""Return how well the best discriminator of packs can tell two laws apart.

    .. math:: \mathrm{TV}(p^m, q^m)

    Args:
        p: probabilities of ``n`` images, ``(n,)``.
        q: probabilities of the same images, ``(n,)``.
        count: images in a pack, ``m``.

    Returns:
        A scalar in ``[0, 1]``, which grows with ``m``.

    Source:
        Lin et al. (2018), https://arxiv.org/abs/1712.04086
    """
    return total_variation(p=packed(p, count), q=packed(q, count))
