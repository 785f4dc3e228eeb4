"""One update from several small batches, for a batch that does not fit into memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.training.steps import Backward

__all__ = ["accumulated_step"]


def accumulated_step(
    network: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[nn.Module, Tensor], Tensor],
    x: Tensor,
    *,
    pieces: int,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    r"""Update a network once on a batch whose gradient is gathered piece by piece.

    .. math:: \nabla \frac1B \sum_i \ell_i = \sum_r \frac{B_r}{B}\, \nabla L_r

    Only one piece's activations are in memory at a time. The result is that of the whole batch,
    unless a layer ties the examples together, as batch normalisation does.

    Args:
        network: what learns.
        optimizer: holds the network's parameters.
        loss: maps the network and a piece to the *mean* loss of its examples, a scalar.
        x: the whole batch, ``(B, ...)``.
        pieces: into how many pieces it is cut; their lengths differ by one at most.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``loss``, the mean over the whole batch, a detached scalar.

    Raises:
        ValueError: if there are more pieces than examples, or none.

    Source:
        Goyal et al. (2017), section 3.1, https://arxiv.org/abs/1706.02677
    """
    if not 1 <= pieces <= len(x):
        raise ValueError(f"pieces is {pieces} for {len(x)} examples: expected 1 to {len(x)}")
    optimizer.zero_grad()
    total = torch.zeros((), device=x.device)
    for piece in x.tensor_split(pieces):
        share = len(piece) / len(x) * loss(network, piece)
        backward(share)
        total = total + share.detach()
    optimizer.step()
    return {"loss": total}
