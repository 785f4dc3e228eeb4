"""Filling of holes: hide pixels, rebuild, keep what was known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.losses import squared_error
from genimg_course.training.steps import Backward

__all__ = ["inpaint", "masked_step", "square_holes"]


def inpaint(model: Callable[[Tensor], Tensor], x: Tensor, mask: Tensor) -> Tensor:
    r"""Return pictures whose hidden pixels are guessed by a model and whose known ones stay.

    .. math:: m \odot x + (1 - m) \odot \hat x(m \odot x)

    The model sees the known pixels only; hidden ones arrive as zero, a grey between ink and paper.

    Args:
        model: maps pictures to pictures of the same shape.
        x: pictures in ``[-1, 1]``, ``(B, C, H, W)``; values under the hole are not used.
        mask: 1 where a pixel is known and 0 where it is hidden; a shape that fits that of ``x``.

    Returns:
        Pictures, ``(B, C, H, W)``.

    Source:
        Pathak et al. (2016), https://arxiv.org/abs/1604.07379
    """
    known = mask * x
    return known + (1 - mask) * model(known)


def masked_step(
    model: nn.Module,
    optimizer: Optimizer,
    x: Tensor,
    mask: Tensor,
    *,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    """Update a model that sees pictures with holes and has to rebuild them whole.

    Args:
        model: maps pictures to pictures of the same shape.
        optimizer: holds all parameters of the model.
        x: whole pictures in ``[-1, 1]``, ``(B, C, H, W)``.
        mask: 1 where a pixel is known and 0 where it is hidden, ``(B, 1, H, W)``.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``squared_error``: over all pixels, averaged over the batch, a detached scalar.

    Source:
        Pathak et al. (2016), https://arxiv.org/abs/1604.07379
    """
    loss = squared_error(model(mask * x), x)
    optimizer.zero_grad()
    backward(loss)
    optimizer.step()
    return {"squared_error": loss.detach()}


def square_holes(count: int, size: int, *, side: int, rng: torch.Generator) -> Tensor:
    """Return masks with one square hole each, anywhere inside the picture.

    Args:
        count: number of masks ``B``.
        size: side of the pictures.
        side: side of the hole, from 1 to ``size``.
        rng: source of the places.

    Returns:
        1 where a pixel is known and 0 in the hole, ``(B, 1, size, size)``, float32.

    Raises:
        ValueError: if the hole does not fit.

    >>> square_holes(2, 4, side=3, rng=torch.Generator().manual_seed(0)).sum(dim=(1, 2, 3))
    tensor([7., 7.])
    """
    if not 1 <= side <= size:
        raise ValueError(f"side is {side}: expected a hole from 1 to {size} pixels wide")
    corner = torch.randint(0, size - side + 1, (count, 2, 1), generator=rng)
    place = torch.arange(size)
    inside = (place >= corner) & (place < corner + side)  # (B, 2, size)
    hole = inside[:, 0, :, None] & inside[:, 1, None, :]
    return 1.0 - hole[:, None].float()
