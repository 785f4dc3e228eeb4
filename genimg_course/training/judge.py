"""How the judges are trained: a classifier on pictures that are moved a little."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.models.classifier import Classifier
from genimg_course.training.loop import fit
from genimg_course.training.steps import classifier_step

__all__ = ["jitter", "train_judge"]


def jitter(
    x: Tensor,
    *,
    rng: torch.Generator,
    degrees: float = 10.0,
    shift: float = 0.08,
    stretch: float = 0.1,
) -> Tensor:
    """Turn, shift and stretch each image by a small random amount; outside is black.

    Args:
        x: images in ``[-1, 1]``, ``(B, C, H, W)``.
        rng: source of the randomness, on the CPU.
        degrees: largest turn to either side.
        shift: largest shift, as a share of the side.
        stretch: largest relative change of each axis.

    Returns:
        Images of the same shape and range.
    """

    def uniform(limit: float) -> Tensor:
        return (torch.rand(len(x), generator=rng) * 2 - 1) * limit

    angle, wide, high = uniform(math.radians(degrees)), 1 + uniform(stretch), 1 + uniform(stretch)
    rows = [
        angle.cos() * wide,
        -angle.sin(),
        2 * uniform(shift),
        angle.sin(),
        angle.cos() * high,
        2 * uniform(shift),
    ]
    theta = torch.stack(rows, dim=1).view(-1, 2, 3).to(x)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x + 1, grid, align_corners=False) - 1


def train_judge(
    batches: Iterator[tuple[Tensor, ...]],
    *,
    steps: int,
    classes: int = 10,
    channels: int = 1,
    lr: float = 2e-3,
    rng: torch.Generator,
    progress: bool = True,
) -> Classifier:
    """Train a classifier on jittered batches with a one-cycle learning rate.

    Args:
        batches: an endless stream of images in ``[-1, 1]`` and classes.
        steps: number of updates.
        classes: number of classes.
        channels: 1 for grey, 3 for colour.
        lr: largest learning rate.
        rng: source of the jitter.
        progress: show the bar.
    """
    model = Classifier(classes, channels=channels)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps)

    def step(n: int, x: Tensor, y: Tensor) -> dict[str, Tensor]:
        losses = classifier_step(model, optimizer, jitter(x, rng=rng), y)
        schedule.step()
        return losses

    fit(step, batches, steps=steps, progress=progress)
    return model.eval()
