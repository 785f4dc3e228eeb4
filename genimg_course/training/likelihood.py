"""One step for every model that knows the probability of what it sees."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Optimizer

__all__ = ["likelihood_step"]


def likelihood_step(model: nn.Module, optimizer: Optimizer, x: Tensor) -> dict[str, Tensor]:
    r"""Make a batch more probable: descend on the mean negative log-likelihood.

    Args:
        model: maps ``x`` to ``log p(x)`` in nats, ``(B,)``.
        optimizer: holds all parameters of the model.
        x: observations, ``(B, ...)``.

    Returns:
        ``nll``: the mean of ``-log p(x)`` before the update, in nats, a detached scalar.
    """
    loss = -model(x).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"nll": loss.detach()}
