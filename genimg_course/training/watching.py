"""Watch a step: which networks it moved and how far, and what an accuracy of one half means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from genimg_course._checks import check_range, check_same_shape

__all__ = ["moves", "read_accuracy"]


def moves(step: Callable[[], Any], networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    r"""Run a step once and return how far each network's parameters moved.

    .. math:: \lVert \Delta\theta \rVert_2 = \sqrt{\sum_i (\theta_i' - \theta_i)^2}

    Args:
        step: updates whatever it updates; it is called without arguments.
        networks: the networks to watch, by name.

    Returns:
        One scalar per name, zero for a network whose parameters are as before. Running statistics
        of a batch normalisation are no parameters and do not count.

    >>> layer = nn.Linear(2, 1)
    >>> moves(lambda: None, {"layer": layer})
    {'layer': tensor(0.)}
    """
    before = {name: _parameters(network) for name, network in networks.items()}
    step()
    return {name: (_parameters(net) - before[name]).norm() for name, net in networks.items()}


def _parameters(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def read_accuracy(
    accuracy: Tensor, d_moves: Tensor, fresh_accuracy: Tensor, *, tolerance: float = 0.05
) -> Tensor:
    """Return what a discriminator's accuracy means, run by run.

    An accuracy near one half has three readings. A fresh discriminator, trained on the present
    fakes, decides between them.

    Args:
        accuracy: of the discriminator in training, on real and generated images, ``(N,)``.
        d_moves: how far its parameters moved in its last step, ``(N,)``.
        fresh_accuracy: of a fresh discriminator on images that it was not trained on, ``(N,)``.
        tolerance: how far from one half still counts as one half.

    Returns:
        ``(N,)``, in the dtype of ``accuracy``: 0 the accuracy is not one half; 1 success, for the
        fresh one cannot tell either; 2 a dead discriminator, which does not move although there is
        something to learn; 3 a misled one, which moves and yet does not find what the fresh one
        finds.

    Raises:
        ValueError: if the shapes differ or an accuracy leaves ``[0, 1]``.

    Source:
        Lopez-Paz and Oquab (2017), section 3, https://arxiv.org/abs/1610.06545, for the fresh
        discriminator
    """
    check_same_shape(accuracy=accuracy, d_moves=d_moves, fresh_accuracy=fresh_accuracy)
    check_range("accuracy", accuracy, 0.0, 1.0)
    check_range("fresh_accuracy", fresh_accuracy, 0.0, 1.0)
    half = (accuracy - 0.5).abs() <= tolerance
    alike = (fresh_accuracy - 0.5).abs() <= tolerance
    failed = torch.where(d_moves == 0, 2, 3)
    return torch.where(half, torch.where(alike, 1, failed), 0).to(accuracy.dtype)
