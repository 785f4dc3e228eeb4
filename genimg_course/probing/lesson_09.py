"""What to observe in lesson 09: what is told of a step that moves two networks."""

import torch
from torch import Tensor, nn

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.values import plain

__all__ = ["moves"]


def moves(function: Function, case: Case) -> Observations:
    """Observe what the answer tells of two networks, and where they stood at each run of the step.

    One entry of ``statistic:calls`` is one run; its numbers show that the networks had not moved.
    """
    given = case.inputs
    calls: list[Tensor] = []
    networks = {}
    for i, name in enumerate(("generator", "discriminator")):
        layer = nn.Linear(2, 3, dtype=given["weights"].dtype)
        with torch.no_grad():
            layer.weight.copy_(given["weights"][i])
            layer.bias.copy_(given["biases"][i])
        layer.weight.grad = torch.ones_like(layer.weight)
        layer.bias.grad = torch.ones_like(layer.bias)
        networks[name] = layer

    def step() -> None:
        parameters = [p for layer in networks.values() for p in layer.parameters()]
        calls.append(torch.cat([p.detach().flatten().clone() for p in parameters]))
        with torch.no_grad():
            for i, layer in enumerate(networks.values()):
                layer.weight.add_(given["weight_changes"][i])
                layer.bias.add_(given["bias_changes"][i])

    yield "value", plain(function(step, networks))
    yield "statistic:calls", tuple(calls)
