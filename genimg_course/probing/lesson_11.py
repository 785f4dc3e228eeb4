"""What to observe in lesson 11: a penalty on the slope of a critic."""

from collections.abc import Sequence

import torch
from torch import Tensor

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.values import plain

__all__ = ["gradient_penalty"]


def gradient_penalty(function: Function, case: Case) -> Observations:
    """Watch the penalty of a small critic, and the gradient that it gives the critic's weights."""
    hidden, output = (case.inputs[name].clone().requires_grad_() for name in ("hidden", "output"))
    real, fake, alpha = (case.inputs[name].clone() for name in ("real", "fake", "alpha"))

    def critic(x: Tensor) -> Tensor:
        return (x.flatten(start_dim=1) @ hidden).tanh() @ output

    penalty = function(critic, real, fake, alpha=alpha, **case.options)
    yield "value", plain(penalty)
    yield "unchanged:real", plain(real)
    yield "unchanged:fake", plain(fake)
    found: Sequence[Tensor | None] = (None, None)
    if isinstance(penalty, Tensor) and penalty.requires_grad:
        found = torch.autograd.grad(penalty.sum(), (hidden, output), allow_unused=True)
    yield "gradient:critic", plain(found[0])
    yield "gradient:last layer", plain(found[1])
