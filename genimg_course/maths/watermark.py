"""Reading a watermark: how surprising the matching bits are, and what a flag is worth."""

from __future__ import annotations

import math

__all__ = ["flag_precision", "match_p_value", "match_threshold"]


def match_p_value(matches: int, bits: int) -> float:
    r"""Return the probability that an image without a mark matches so many bits or more.

    .. math:: \Pr[M \ge m] = \sum_{k=m}^n \binom nk 2^{-n}

    Args:
        matches: bits ``m`` that were read as they were written, in ``0 .. bits``.
        bits: length ``n`` of the mark.

    Returns:
        The false-positive rate of a reader that asks for ``m`` matches.

    Raises:
        ValueError: if the counts do not fit.

    Source:
        Fernandez et al. (2023), https://arxiv.org/abs/2303.15435

    >>> match_p_value(2, 2)
    0.25
    """
    if not 0 <= matches <= bits:
        raise ValueError(f"{matches} matches of {bits} bits: expected 0 to {bits}")
    # as many readings have k misses as have k matches
    return sum(math.comb(bits, misses) for misses in range(bits - matches + 1)) / 2**bits


def match_threshold(bits: int, *, false_positive_rate: float) -> int:
    """Return the fewest matching bits to ask for, so that unmarked images are flagged rarely.

    Args:
        bits: length of the mark.
        false_positive_rate: largest share of unmarked images that may be flagged.

    Returns:
        A number of matches in ``0 .. bits``.

    Raises:
        ValueError: if the mark is too short for so low a rate.
    """
    if match_p_value(bits, bits) > false_positive_rate:
        raise ValueError(
            f"{bits} bits match by chance with probability {0.5**bits:g}: "
            f"too short for a false-positive rate of {false_positive_rate:g}"
        )
    return min(m for m in range(bits + 1) if match_p_value(m, bits) <= false_positive_rate)


def flag_precision(
    share_marked: float, *, true_positive_rate: float, false_positive_rate: float
) -> float:
    r"""Return the probability that a flagged image really carries the mark.

    .. math:: \frac{\pi\,\mathrm{TPR}}{\pi\,\mathrm{TPR} + (1 - \pi)\,\mathrm{FPR}}

    A p-value is not this number: with few marked images among many, most flags may be false.

    Args:
        share_marked: share :math:`\pi` of marked images among all that are read, in ``(0, 1)``.
        true_positive_rate: share of marked images that are flagged, in ``(0, 1]``.
        false_positive_rate: share of unmarked images that are flagged, in ``[0, 1]``.

    Returns:
        A probability.

    Raises:
        ValueError: if a share lies outside its range.
    """
    if not (0 < share_marked < 1 and 0 < true_positive_rate <= 1 and 0 <= false_positive_rate <= 1):
        raise ValueError(
            f"share_marked {share_marked}, true_positive_rate {true_positive_rate}, "
            f"false_positive_rate {false_positive_rate}: expected shares in [0, 1]"
        )
    hits = share_marked * true_positive_rate
    return hits / (hits + (1 - share_marked) * false_positive_rate)
