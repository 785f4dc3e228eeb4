"""Training of denoisers: noise goes in, the clean picture is the target."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.losses import squared_error
from genimg_course.training.steps import Backward

__all__ = ["denoising_step"]


def denoising_step(
    model: nn.Module,
    optimizer: Optimizer,
    x: Tensor,
    *,
    sigma: float,
    backward: Backward = Tensor.backward,
) -> dict[str, Tensor]:
    r"""Update a denoiser on clean inputs ``(B, ...)``, to which this step adds fresh noise.

    .. math:: \min\; \mathbb E \lVert r(x + \sigma \epsilon) - x \rVert^2

    The best function is the mean of the clean inputs that a noisy one may come from.

    Args:
        model: maps noisy inputs to inputs of the same shape.
        optimizer: holds all parameters of the model.
        x: clean inputs, ``(B, ...)``.
        sigma: standard deviation of the noise, positive.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``squared_error``: the sum over dimensions, averaged over the batch, a detached scalar.

    Raises:
        ValueError: if ``sigma`` is not positive.

    Source:
        Vincent et al. (2010), https://jmlr.org/papers/v11/vincent10a.html
    """
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}: expected a positive standard deviation")
    noisy = x + sigma * torch.randn_like(x)
    loss = squared_error(model(noisy), x)
    optimizer.zero_grad()
    backward(loss)
    optimizer.step()
    return {"squared_error": loss.detach()}
