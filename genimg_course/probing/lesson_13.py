"""What to observe in lesson 13: a step of a conditional GAN, and a penalty on real images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.networks import TinyDiscriminator, TinyGenerator, seeded
from genimg_course.probing.steps import FixedNoise, training_steps
from genimg_course.probing.values import plain

__all__ = ["gan_step", "r1_penalty"]


def gan_step(function: Function, case: Case) -> Observations:
    """Watch two steps of plain descent, whose updates are proportional to the gradients."""
    seed, x, y = case.inputs["seed"], case.inputs["x"].clone(), case.inputs["y"].clone()
    generator, discriminator = seeded(TinyGenerator(), seed), seeded(TinyDiscriminator(), seed + 1)
    opt_g = torch.optim.SGD(generator.parameters(), lr=0.2)
    opt_d = torch.optim.SGD(discriminator.parameters(), lr=0.1)

    def step() -> Any:
        with FixedNoise(seed):
            return function(generator, discriminator, opt_g, opt_d, x, y, **case.options)

    networks = {"generator": generator, "discriminator": discriminator}
    yield from training_steps(step, networks, ("d_loss", "g_loss"))


def r1_penalty(function: Function, case: Case) -> Observations:
    """Watch the penalty of a small discriminator, and the gradient that it gives its weights."""
    x, hidden, output = (
        case.inputs[name].clone().requires_grad_() for name in ("x", "hidden", "output")
    )
    logits = (x.flatten(start_dim=1) @ hidden).tanh() @ output
    penalty = function(logits, x, **case.options)
    yield "value", plain(penalty)
    yield "unchanged:x", plain(x)
    found: Sequence[Tensor | None] = (None, None)
    if isinstance(penalty, Tensor) and penalty.requires_grad:
        found = torch.autograd.grad(penalty.sum(), (hidden, output), allow_unused=True)
    yield "gradient:discriminator", plain(found[0])
    yield "gradient:last layer", plain(found[1])
