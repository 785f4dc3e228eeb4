"""What a training costs: operations, bytes, hours, energy."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["arithmetic_intensity", "energy_cost", "roofline", "run_hours", "training_bytes"]


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}: expected a positive number")


def arithmetic_intensity(rows: int, inner: int, columns: int, *, width: int = 4) -> float:
    r"""Return the operations per byte moved of a matrix product ``(m, k) @ (k, n)``.

    .. math:: I = \frac{2mkn}{w\,(mk + kn + mn)}

    Each number of both factors is read once and each number of the product written once; that is
    the least traffic that a product can have.

    Args:
        rows: rows ``m`` of the first factor.
        inner: columns ``k`` of the first factor and rows of the second.
        columns: columns ``n`` of the second factor.
        width: bytes ``w`` of a number.

    Returns:
        Operations per byte; a multiplication and an addition count as two.

    Raises:
        ValueError: if a count is not positive.

    Source:
        Williams, Waterman and Patterson (2009), https://doi.org/10.1145/1498765.1498785

    >>> arithmetic_intensity(600, 600, 600)
    100.0
    """
    _check_positive(rows=rows, inner=inner, columns=columns, width=width)
    moved = width * (rows * inner + inner * columns + rows * columns)
    return 2 * rows * inner * columns / moved


def roofline(intensity: float, *, peak: float, bandwidth: float) -> float:
    r"""Return the highest pace that a machine allows at an arithmetic intensity.

    .. math:: \min(P,\ \beta I)

    Args:
        intensity: operations per byte moved, ``I``.
        peak: operations per second, ``P``, of the arithmetic units.
        bandwidth: bytes per second, :math:`\beta`, between memory and arithmetic.

    Returns:
        Operations per second.

    Raises:
        ValueError: if an argument is not positive.

    Source:
        Williams, Waterman and Patterson (2009), https://doi.org/10.1145/1498765.1498785
    """
    _check_positive(intensity=intensity, peak=peak, bandwidth=bandwidth)
    return min(peak, bandwidth * intensity)


def training_bytes(
    parameters: int,
    activations: int,
    *,
    batch_size: int,
    moments: int = 2,
    average: bool = False,
    half: bool = False,
) -> int:
    r"""Return the bytes of memory that the training of a network needs.

    .. math:: 4N\,(1 + 1 + k + a) + bAB

    Args:
        parameters: numbers ``N`` that are learned; each has a weight and a gradient in float32.
        activations: numbers ``A`` that the backward pass keeps for one image.
        batch_size: images ``B`` in a batch.
        moments: running means ``k`` that the optimiser keeps per parameter: 2 for Adam, 0 for
            plain descent.
        average: whether a running average of the weights is kept (``a`` is 1, else 0).
        half: activations take ``b`` = 2 bytes instead of 4, as under mixed precision; weights,
            gradients and moments stay in float32.

    Returns:
        The number of bytes.

    Raises:
        ValueError: if a count is negative or there is no image.

    Source:
        Rajbhandari et al. (2020), section 3, https://arxiv.org/abs/1910.02054
    """
    if min(parameters, activations, moments) < 0 or batch_size < 1:
        raise ValueError(
            f"got {parameters} parameters, {activations} activations, {moments} moments and "
            f"{batch_size} images: expected none below zero and at least one image"
        )
    copies = 2 + moments + average
    return 4 * parameters * copies + (2 if half else 4) * activations * batch_size


def run_hours(
    seconds: Tensor, *, images: int, batch_size: int, epochs: int, warm_up: int = 5
) -> float:
    r"""Estimate how long a whole run takes from the times of its first steps.

    .. math:: \frac{E\,\lfloor n / B \rfloor}{3600}\ \frac{1}{N - w} \sum_{i > w} t_i

    Args:
        seconds: time of each measured step, ``(N,)``.
        images: images ``n`` in the training set.
        batch_size: images ``B`` in a batch; what is left over for less than a batch is dropped.
        epochs: passes ``E`` over the training set.
        warm_up: steps ``w`` at the beginning that do not count.

    Returns:
        Hours.

    Raises:
        ValueError: if no step is left after the warm-up, or an epoch has no batch.
    """
    if not 0 <= warm_up < len(seconds):
        raise ValueError(f"warm_up is {warm_up}: expected 0 to {len(seconds) - 1}")
    if not 1 <= batch_size <= images:
        raise ValueError(f"batch_size is {batch_size}: expected 1 to {images}")
    steps = epochs * (images // batch_size)
    return steps * float(seconds[warm_up:].to(torch.float64).mean()) / 3600


def energy_cost(
    hours: float, *, watts: float, price: float, overhead: float = 1.0
) -> dict[str, float]:
    r"""Return energy and price of a run.

    .. math:: E = \frac{u P h}{1000}, \qquad \text{price} = c E

    Args:
        hours: how long the device works.
        watts: electrical power ``P`` of the device while it works.
        price: price ``c`` of a kilowatt hour, in the reader's currency.
        overhead: power of the whole room over that of the device, ``u``: cooling and supply.

    Returns:
        ``kilowatt_hours`` and ``price``.

    Raises:
        ValueError: if ``overhead`` is below one: the room takes at least what the device takes.

    Source:
        Strubell, Ganesh and McCallum (2019), https://arxiv.org/abs/1906.02243
    """
    if overhead < 1:
        raise ValueError(f"overhead is {overhead}: expected at least 1")
    energy = overhead * watts * hours / 1000
    return {"kilowatt_hours": energy, "price": price * energy}
