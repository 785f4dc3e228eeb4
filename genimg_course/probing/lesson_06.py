"""What to observe in lesson 06: a step of a VAE."""

from typing import Any

import torch

from genimg_course.probing.case import Case, Function, Observations
from genimg_course.probing.networks import TinyVAE, seeded
from genimg_course.probing.steps import FixedNoise, training_steps

__all__ = ["vae_step"]

_KEYS = ("negative_elbo", "reconstruction", "kl")


def vae_step(function: Function, case: Case) -> Observations:
    """Watch two steps of plain descent, whose updates are proportional to the gradients."""
    model, x = seeded(TinyVAE(), case.inputs["seed"]), case.inputs["x"].clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

    def step() -> Any:
        with FixedNoise(case.inputs["seed"]):
            return function(model, optimizer, x, **case.options)

    yield from training_steps(step, {"encoder": model.encoder, "decoder": model.decoder}, _KEYS)
