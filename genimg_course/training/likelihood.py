"""One step for every model that knows the probability of what it sees."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Optimizer

from genimg_course.training.steps import Backward

__all__ = ["likelihood_step"]


def likelihood_step(
    model: nn.Module, optimizer: Optimizer, x: Tensor, *, backward: Backward = Tensor.backward
) -> dict[str, Tensor]:
    r"""Make a batch more probable: descend on the mean negative log-likelihood.

    Args:
        model: maps ``x`` to ``log p(x)`` in nats, ``(B,)``.
        optimizer: holds all parameters of the model.
        x: observations, ``(B, ...)``.
        backward: fills the gradients from the loss; ``fabric.backward`` scales 16-bit losses first.

    Returns:
        ``nll``: the mean of ``-log p(x)`` before the update, in nats, a detached scalar.
    """
    loss = -model(x).mean()
    optimizer.zero_grad()
    backward(loss)
    optimizer.step()
    return {"nll": loss.detach()}
