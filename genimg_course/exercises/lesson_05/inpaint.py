"""Exercise: fill a hole and leave the rest alone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_05 as probes
from genimg_course.probing.case import Case
from genimg_course.probing.networks import PIXELS
from genimg_course.training.masking import inpaint

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(count: int, masks: int, dtype: torch.dtype = torch.float64) -> dict[str, Any]:
        seed = int(torch.randint(1_000_000, (1,), generator=rng))
        # each mask hides two of six pixels, at another place
        hidden = torch.stack([torch.randperm(6, generator=rng)[:2] for _ in range(masks)])
        mask = torch.ones(masks, 6, dtype=dtype).scatter(1, hidden, 0.0)
        x = uniform(rng, count, *PIXELS, low=-1.0, dtype=dtype)
        return {"x": x, "mask": mask.reshape(masks, *PIXELS), "seed": seed}

    whole = batch(2, 2)
    whole["mask"] = torch.ones_like(whole["mask"])
    return [
        Case(batch(4, 4)),
        Case(batch(3, 1), name="one mask for all pictures"),
        Case(whole, name="nothing hidden"),
        Case(batch(2, 2, torch.float32), name="float32 inputs"),
    ]


def _mixed(model: Callable[[Tensor], Tensor], x: Tensor, mask: Tensor, shown: Tensor) -> Tensor:
    return mask * x + (1 - mask) * model(shown)


SPECIFICATION = Specification(
    id="autoencoder.inpaint",
    title="Fill the hole, keep the rest",
    reference=inpaint,
    cases=_cases,
    probe=probes.inpaint,
    misconceptions=(
        Misconception(
            "PEEKS",
            lambda model, x, mask: _mixed(model, x, mask, x),
            "The model is shown the hidden pixels. They are not known when a hole is filled in "
            "earnest, so a number measured this way is too good.",
        ),
        Misconception(
            "WHOLE",
            lambda model, x, mask: model(mask * x),
            "The whole reconstruction is returned, so known pixels change as well. Keep them as "
            "they are.",
        ),
        Misconception(
            "INVERTED",
            lambda model, x, mask: _mixed(model, x, 1 - mask, (1 - mask) * x),
            "The mask is read the wrong way round: here 1 means known and 0 means hidden.",
        ),
        Misconception(
            "PAPER",
            lambda model, x, mask: _mixed(model, x, mask, mask * x - (1 - mask)),
            "Hidden pixels are shown as -1, which means paper. The model must be able to tell "
            "hidden from blank; the exercise shows them as 0.",
        ),
        Misconception(
            "EMPTY",
            lambda model, x, mask: mask * x,
            "The hole is still empty. What does the model say of it?",
        ),
        Misconception(
            "ADDED",
            lambda model, x, mask: mask * x + model(mask * x),
            "The reconstruction is added everywhere, so known pixels count twice.",
        ),
        Misconception(
            "PASTED_BACK",
            lambda model, x, mask: mask * model(mask * x) + (1 - mask) * x,
            "The two parts are exchanged: known pixels come from the model and hidden ones from "
            "the picture, which nobody has.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the known pixels, which stay, the hidden ones, which come from the "
            "model, and what the model was shown."
        ),
        place=(
            "Three products: what is known, what the model makes of it, and where its answer is "
            "used."
        ),
        example=(
            "A model that answers 0.5 everywhere fills the hole with 0.5. Run this:\n"
            ">>> grey = lambda known: torch.full_like(known, 0.5)\n"
            ">>> inpaint(grey, torch.tensor([1.0, -1.0, 1.0]), torch.tensor([1.0, 1.0, 0.0]))\n"
            "tensor([ 1.0000, -1.0000,  0.5000])"
        ),
        question="If you tear a corner off a photograph, what may you still look at to guess it?",
        analogue=(
            "A crossword: letters that are known stay, blank squares are guessed, and the guess "
            "uses the known letters only."
        ),
    ),
)
