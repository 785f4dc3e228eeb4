"""Exercise: the generator's side of the hinge loss."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import hinge_generator_loss
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def logits(
        *shape: int, level: float = 0.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {"fake_logits": level + 2 * normal(rng, *shape, dtype=dtype)}

    return [
        *(Case(logits(*shape)) for shape in ((1,), (4,), (3, 2))),
        Case(logits(5, level=30.0), name="outputs near 30, beyond every margin"),
        Case(logits(5, level=-30.0), name="outputs near -30"),
        Case(logits(5, dtype=torch.float32), name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="gan.hinge_generator_loss",
    title="The generator's side of the hinge",
    reference=hinge_generator_loss,
    cases=_cases,
    differentiate=("fake_logits",),
    misconceptions=(
        Misconception(
            "MARGIN",
            lambda a: F.relu(1 - a).mean(),
            "The generator has a margin too here, so its gradient ends where an output passes 1. "
            "The margin belongs to the discriminator alone.",
        ),
        Misconception(
            "NEGATIVE_PART",
            lambda a: -a.clamp_max(0).mean(),
            "This is minus the smaller of 0 and the output. Images that the discriminator takes "
            "for real then teach nothing.",
        ),
        Misconception(
            "FAKE_TERM",
            lambda a: F.relu(1 + a).mean(),
            "This is the discriminator's term for generated images. The generator wants the "
            "opposite.",
        ),
        Misconception(
            "MINUS_FAKE_TERM",
            lambda a: -F.relu(1 + a).mean(),
            "This is the discriminator's term with its sign turned. It is flat where the output "
            "lies below -1: just there the generator needs a gradient.",
        ),
        Misconception(
            "SIGN",
            lambda a: a.mean(),
            "The sign is missing. A loss falls as the images get better, and better images have "
            "higher outputs.",
        ),
        Misconception(
            "SOFTPLUS",
            lambda a: F.softplus(-a).mean(),
            "This is the generator's loss of the cross-entropy game. In the hinge game no "
            "logarithm is left.",
        ),
        Misconception(
            "SUM",
            lambda a: -a.sum(),
            "The images are summed. The loss is an expectation, so a larger batch must not count "
            "more.",
        ),
    ),
    hints=Hints(
        property="Checked are one number and its gradient, which is the same for every image.",
        place=(
            "The discriminator's loss has two hinges, so that it stops pushing what is already on "
            "the right side. Which of them does the generator need?"
        ),
        example=(
            "Two images, one taken for real and one not. Run this:\n"
            ">>> hinge_generator_loss(torch.tensor([3.0, -1.0]))\n"
            "tensor(-1.)"
        ),
        question=(
            "If the generator raises one output by a little, by how much should its loss fall? "
            "Should that depend on where the output was?"
        ),
        analogue=(
            "With another goal: to raise a mean mark in a class of 20, each point of each pupil "
            "counts one twentieth, whether the mark is high or low."
        ),
    ),
)
