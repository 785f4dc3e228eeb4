"""Three gradient penalties that look right and are not, beside the one that is."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genimg_course.losses import gradient_penalty, wasserstein_critic_loss
from genimg_course.models import PointDiscriminator
from genimg_course.museum.exhibit import Exhibit

__all__ = ["EXHIBITS", "penalty_on_reals", "penalty_without_graph", "penalty_without_one"]

Penalty = Callable[[nn.Module, Tensor, Tensor], Tensor]


def _slope_between(penalty: Penalty) -> float:
    """Train a critic under a penalty; return its mean slope between real and generated points."""
    critic = PointDiscriminator(dim=2, width=64)
    optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.9), fused=True)
    shift = torch.tensor([2.0, 0.0])
    for _ in range(300):
        real, fake = 0.2 * torch.randn(128, 2) + shift, 0.2 * torch.randn(128, 2)
        loss = wasserstein_critic_loss(critic(real), critic(fake))
        optimizer.zero_grad()
        (loss + 10 * penalty(critic, real, fake)).backward()
        optimizer.step()
    real, fake = 0.2 * torch.randn(1000, 2) + shift, 0.2 * torch.randn(1000, 2)
    between = torch.lerp(fake, real, torch.rand(1000, 1))
    return float(_slopes(critic, between).mean())


def _slopes(critic: nn.Module, x: Tensor, *, graph: bool = False) -> Tensor:
    """Return the norm of the critic's gradient at each point, ``(B,)``."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=graph)
    return gradient.norm(dim=1)


def _right(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return gradient_penalty(critic, real, fake, weight=1.0)


def penalty_without_graph(broken: bool) -> float:
    """Compute the gradient without a graph, so that the penalty is a constant for the weights."""

    def wrong(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        between = torch.lerp(fake, real, torch.rand(len(real), 1))
        return (_slopes(critic, between) - 1).square().mean()

    return _slope_between(wrong if broken else _right)


def penalty_without_one(broken: bool) -> float:
    """Penalise the squared slope itself, so that a flat critic is the cheapest."""

    def wrong(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        between = torch.lerp(fake, real, torch.rand(len(real), 1))
        return _slopes(critic, between, graph=True).square().mean()

    return _slope_between(wrong if broken else _right)


def penalty_on_reals(broken: bool) -> float:
    """Hold the slope at the real points only, and leave the way between free."""

    def wrong(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
        return (_slopes(critic, real, graph=True) - 1).square().mean()

    # how far it runs away varies, so this is a mean of four
    return sum(_slope_between(wrong if broken else _right) for _ in range(4)) / 4


_SIGNATURE = (
    "The critic's mean slope between real and generated points: 1 is right, and a penalty of "
    "weight 10 leaves about 1.1 here."
)
_CURE = "The squared distance of the norm from one, between real and fake, with its graph."

EXHIBITS = (
    Exhibit(
        id="penalty_without_graph",
        title="A penalty without a graph punishes nobody",
        lesson="11",
        trigger="The slope inside the penalty is computed without `create_graph=True`.",
        signature=_SIGNATURE,
        cure=_CURE,
        run=penalty_without_graph,
        broken=(400, float("inf")),
        mended=(0.9, 1.3),
    ),
    Exhibit(
        id="penalty_without_one",
        title="A penalty without its one flattens the critic",
        lesson="11",
        trigger="The squared slope is punished instead of its distance from one.",
        signature=_SIGNATURE,
        cure=_CURE,
        run=penalty_without_one,
        broken=(0, 0.15),
        mended=(0.9, 1.3),
    ),
    Exhibit(
        id="penalty_on_reals",
        title="A penalty on real points leaves the way to them free",
        lesson="11",
        trigger="The slope is held at one on real points only.",
        signature=_SIGNATURE,
        cure=_CURE,
        run=penalty_on_reals,
        broken=(2, float("inf")),
        mended=(0.9, 1.3),
    ),
)
