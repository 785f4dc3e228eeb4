"""Weights that change during training."""

from __future__ import annotations

__all__ = ["warm_up"]


def warm_up(n: int, steps: int, *, beta: float = 1.0) -> float:
    r"""Return the weight of the KL term in step ``n``, which grows evenly and then stays.

    .. math:: \beta_n = \beta \min\left(1, \frac{n + 1}{N}\right)

    Args:
        n: number of the step, from 0.
        steps: length :math:`N` of the warm-up, at least 1.
        beta: weight after the warm-up.

    Returns:
        A weight in ``(0, beta]``; step ``steps - 1`` is the first with the whole of it.

    Raises:
        ValueError: if ``n`` is negative or ``steps`` is below 1.

    Source:
        Bowman et al. (2016), https://arxiv.org/abs/1511.06349;
        Sønderby et al. (2016), https://arxiv.org/abs/1602.02282

    >>> [warm_up(n, 4) for n in range(6)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """
    if n < 0 or steps < 1:
        raise ValueError(f"got step {n} of {steps}: expected n from 0 and at least one step")
    return beta * min(1.0, (n + 1) / steps)
