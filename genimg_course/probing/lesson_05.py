"""What to observe in lesson 05: a step of an autoencoder, and a hole that is filled."""

import torch

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.networks import TinyAutoencoder, seeded
from genimg_course.probing.steps import training_steps
from genimg_course.probing.values import plain

__all__ = ["autoencoder_step", "inpaint"]


def autoencoder_step(function: Function, case: Case) -> Observations:
    """Watch two steps of plain descent, whose updates are proportional to the gradients."""
    model, x = seeded(TinyAutoencoder(), case.inputs["seed"]), case.inputs["x"].clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    networks = {"encoder": model.encoder, "decoder": model.decoder}
    yield from training_steps(lambda: function(model, optimizer, x), networks, ["squared_error"])


def inpaint(function: Function, case: Case) -> Observations:
    """Observe what is returned for a small network, and the inputs afterwards."""
    x, mask = case.inputs["x"].clone(), case.inputs["mask"].clone()
    network = seeded(TinyAutoencoder(), case.inputs["seed"]).to(x.dtype)
    yield "value", plain(function(network, x, mask))
    yield "unchanged:x", plain(x)
    yield "unchanged:mask", plain(mask)
