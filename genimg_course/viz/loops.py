"""Diagram of a training loop: where the gradient of a loss goes, and what an update needs."""

from __future__ import annotations

from genimg_course.viz.diagram import Edge, Flow, Node, flow_panels
from genimg_course.viz.style import Figure

__all__ = ["TRAINING", "training_diagram"]

_LEFT, _RIGHT = 0.7, 3.5

TRAINING = Flow(
    {
        "batch": Node("next batch\nimages, labels", _LEFT, 3.2),
        "network": Node("1 network\npredicts", _LEFT, 2.2, "network"),
        "loss": Node("2 loss compares\nwith the labels", _RIGHT, 2.2, "loss"),
        "grad": Node("4 backward adds\nto p.grad", _LEFT, 1.1),
        "optimizer": Node("5 optimiser\nmoves the weights", _RIGHT, 1.1),
        "zero": Node("3 zero_grad\nclears p.grad", _LEFT, 0.1, "stop"),
    },
    [
        Edge("batch", "network"),
        Edge("batch", "loss", via=((_RIGHT, 3.2),)),
        Edge("network", "loss", kind="both"),
        Edge("network", "grad", kind="gradient"),
        Edge("zero", "grad"),
        Edge("grad", "optimizer"),
        Edge("optimizer", "network", via=((2.2, 1.25), (2.2, 2.0))),
    ],
)


def training_diagram() -> Figure:
    """Draw one turn of a training loop, its five steps in their order."""
    alt = (
        "Diagram of one turn of a training loop. One: the network predicts for the next batch. "
        "Two: the loss compares the predictions with the labels. Three: zero_grad clears the "
        "gradients of the turn before. Four: backward sends the gradient from the loss back into "
        "the network and adds it to p.grad of each weight p. Five: the optimiser reads p.grad, "
        "and moves the weights. Then the next batch comes."
    )
    title = "One turn of the loop, in five steps.\nDashed: the gradient"
    return flow_panels(TRAINING, title=title, alt=alt)
