"""What the convolutional families share: the size rule and the stacks that follow it."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

__all__ = ["down_stack", "grid_of", "up_stack"]


def grid_of(size: int) -> tuple[int, int]:
    """Return the side of the smallest grid and the number of doublings from there to ``size``.

    A side is halved while it is even and above 7, so that 16 and 28 take two steps and 64 takes
    four.

    Raises:
        ValueError: if the side cannot be halved to at most 7 (it needs enough factors of two).

    >>> grid_of(28), grid_of(64)
    ((7, 2), (4, 4))
    """
    side, doublings = size, 0
    while side > 7 and side % 2 == 0:
        side, doublings = side // 2, doublings + 1
    if doublings == 0 or side > 7:
        raise ValueError(
            f"size is {size}: expected a side such as 16, 28, 32 or 64, at most 7 after halving"
        )
    return side, doublings


def down_stack(
    channels: int,
    width: int,
    doublings: int,
    *,
    activation: Callable[[], nn.Module],
    norm: bool = False,
) -> tuple[nn.Sequential, int]:
    """Build convolutions that halve the side ``doublings`` times; return them and their channels.

    The first layer has ``width`` channels, each further one twice as many, at most ``8 * width``.
    """
    layers: list[nn.Module] = []
    inside = channels
    for k in range(doublings):
        outside = width * 2 ** min(k, 3)
        layers += [nn.Conv2d(inside, outside, kernel_size=4, stride=2, padding=1)]
        # DCGAN's rule: no normalisation on the layer that sees the pixels
        layers += [nn.BatchNorm2d(outside)] if norm and k else []
        layers += [activation()]
        inside = outside
    return nn.Sequential(*layers), inside


def up_stack(
    width: int, doublings: int, *, activation: Callable[[], nn.Module], norm: bool = False
) -> tuple[nn.Sequential, int]:
    """Build transposed convolutions that double the side; return them and their channels.

    It mirrors ``down_stack``: the input has ``width * 2**(doublings - 1)`` channels (at most ``8 *
    width``), each layer halves them. The kernel size is a multiple of the stride, which avoids a
    checkerboard."""
    layers: list[nn.Module] = []
    inside = width * 2 ** min(doublings - 1, 3)
    for k in reversed(range(doublings)):
        outside = max(width * 2 ** min(k, 3) // 2, 1)
        layers += [nn.ConvTranspose2d(inside, outside, kernel_size=4, stride=2, padding=1)]
        layers += [nn.BatchNorm2d(outside)] if norm else []
        layers += [activation()]
        inside = outside
    return nn.Sequential(*layers), inside
