"""A running average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn

from genimg_course.maths.averages import average_state

__all__ = ["Average"]


class Average:
    r"""Keep an exponential moving average of a network's weights.

    .. math:: \bar\theta \leftarrow d\bar\theta + (1 - d)\theta

    A GAN's generator circles around a good point; the average sits nearer to it. In the first
    updates the decay is smaller, ``(1 + n) / (10 + n)``, so that the random initial weights are
    soon forgotten. Buffers (the running statistics of batch normalisation) are averaged with the
    parameters.

    Args:
        network: the network to follow; it is copied, not changed.
        decay: weight ``d`` of the past, in ``[0, 1)``.

    Raises:
        ValueError: if ``decay`` lies outside ``[0, 1)``.

    Source:
        Karras et al. (2018), appendix A.1, https://arxiv.org/abs/1710.10196;
        Yazıcı et al. (2019), https://arxiv.org/abs/1806.04498
    """

    def __init__(self, network: nn.Module, *, decay: float = 0.998) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"decay is {decay}: expected a number in [0, 1)")
        self.decay, self.updates = decay, 0
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Move the average towards the network's present weights."""
        mean, now = self.network.state_dict(), network.state_dict()
        self.network.load_state_dict(average_state(mean, now, self.updates, decay=self.decay))
        self.updates += 1

    def state_dict(self) -> dict[str, object]:
        """Return the averaged weights and the number of updates."""
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load_state_dict(self, state: dict) -> None:
        """Restore what ``state_dict`` returned."""
        self.network.load_state_dict(state["network"])
        self.updates = int(state["updates"])
