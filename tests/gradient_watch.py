"""Run a training step and note which tensors and which networks each backward pass reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from genimg_course.viz.diagram import Flow


class Watch:
    """Look on while a step calls networks; the step gets ``watch.backward`` as its backward pass.

    Args:
        networks: by the names of their boxes in a diagram.

    Attributes:
        passes: for each backward pass, what had a gradient after it: the name of a network whose
            parameters had one, and ``"into NAME"`` or ``"out of NAME"`` for its tensors.
    """

    def __init__(self, **networks: nn.Module) -> None:
        self.networks = networks
        self.passes: list[set[str]] = []
        self._tensors: list[tuple[str, Tensor]] = []
        for name, network in networks.items():
            network.register_forward_pre_hook(
                lambda module, given, name=name: self._note(f"into {name}", given[0])
            )
            network.register_forward_hook(
                lambda module, given, result, name=name: self._note(f"out of {name}", result)
            )

    def _note(self, name: str, tensor: Tensor) -> None:
        if tensor.requires_grad:
            tensor.retain_grad()
        self._tensors.append((name, tensor))

    def backward(self, loss: Tensor, **options: Any) -> None:
        """Run the backward pass alone, and note what it reached."""
        for tensor in self._everything():
            tensor.grad = None
        loss.backward(**options)
        reached = {name for name, tensor in self._tensors if tensor.grad is not None}
        reached |= {
            name
            for name, network in self.networks.items()
            if any(p.grad is not None for p in network.parameters())
        }
        self.passes.append(reached)

    def _everything(self) -> list[Tensor]:
        parameters = [p for network in self.networks.values() for p in network.parameters()]
        return [*parameters, *(tensor for _, tensor in self._tensors if tensor.requires_grad)]


def check(flow: Flow, reached: set[str], tensors: Mapping[str, str]) -> None:
    """Compare a diagram with a backward pass.

    Args:
        flow: the diagram; a gradient must arrive at each network that it draws as updated.
        reached: an entry of ``Watch.passes``.
        tensors: the diagram's box for each tensor, as ``{"fake": "out of G"}``.
    """
    kinds = {kind: {k for k, n in flow.nodes.items() if n.kind == kind} for kind in KINDS}
    named = kinds["network"] | kinds["frozen"]
    assert {name for name in named if name in reached} == kinds["network"]
    assert kinds["network"] <= flow.with_gradient
    for box, tensor in tensors.items():
        assert (box in flow.with_gradient) == (tensor in reached), box


KINDS = ("network", "frozen")
