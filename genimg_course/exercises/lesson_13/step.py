"""Exercise: one training step of a conditional GAN."""

from typing import Any

import torch

from genimg_course.exercises.inputs import integers, uniform
from genimg_course.exercises.lesson_13.wrong_steps import STEPS
from genimg_course.exercises.readings import which_moved
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_13 as probes
from genimg_course.probing.case import Case
from genimg_course.training.steps import gan_step

__all__ = ["SPECIFICATION"]

_MESSAGES = {
    "ACCUMULATED": (
        "The gradients of earlier steps are never cleared, so they pile up. The discriminator "
        "also keeps what the generator's loss has sent through it."
    ),
    "NO_BACKWARD": (
        "No gradient is computed, so the optimisers have nothing to follow and nothing moves. Did "
        "the losses become plain numbers, or are the backward passes missing?"
    ),
    "ORDER": (
        "The updates come before the backward passes, so they use the gradients of the batch "
        "before. First the slope, then the step."
    ),
    "WRONG_NETWORK": (
        "The generator never moves: its loss updates the discriminator, which so learns to take "
        "fakes for real. Which optimiser belongs to which loss?"
    ),
    "LEAK": (
        "The generator's loss moves the discriminator as well. In the generator's half the "
        "discriminator only passes the gradient on."
    ),
    "CUT": (
        "The fakes are cut from the graph in the generator's half, so the generator never moves. "
        "Cut them where the discriminator learns, and only there."
    ),
    "JOINT": (
        "Both losses are added and both networks follow the sum. The two players want opposite "
        "things: each must follow its own loss only."
    ),
    "SIMULTANEOUS": (
        "Both gradients come from the networks before the step. Here the discriminator moves "
        "first, and the generator answers to the one that has moved."
    ),
    "SATURATING": (
        "The generator follows the zero-sum loss, log(1 - D), which is flat where the "
        "discriminator is sure. Use the one that keeps its gradient."
    ),
    "TARGET": (
        "The generator is told to make its images look fake. Which answer of the discriminator "
        "should cost it nothing?"
    ),
    "SWAPPED": (
        "The labels of the discriminator's loss are swapped: it learns to call real images fake. "
        "A high logit means real."
    ),
    "REAL_ONLY": "The discriminator sees real images only, so it learns to say real to everything.",
    "G_IGNORES_LABEL": (
        "The generator does not get the labels of the batch: every fake is drawn as one class. It "
        "cannot learn what it is never asked for."
    ),
    "D_IGNORES_LABEL": (
        "The discriminator does not get the labels, so any good image passes for any class, and "
        "the generator may ignore its label."
    ),
    "MISMATCH": (
        "The fakes are judged with other labels than they were drawn with. Such a pair is wrong "
        "however good the image is."
    ),
    "NO_R1": (
        "Gamma is not used: the penalty on the gradient at real images is missing from the "
        "discriminator's half."
    ),
    "LEFT_IN_EVAL": (
        "The discriminator is left in evaluation mode, in which normalisation and dropout stop "
        "working as in training."
    ),
    "PENALTY_IN_REPORT": (
        "The networks move as they should, but the reported d_loss contains the penalty. Report "
        "the loss alone, so that runs with other gamma can be compared."
    ),
    "WITH_GRAPH": (
        "The step is right, but the returned losses still hold the graph, which keeps the memory "
        "of every step. Return them detached."
    ),
}


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(count: int) -> dict[str, Any]:
        seed = int(torch.randint(1_000_000, (1,), generator=rng))
        x = uniform(rng, count, 1, 2, 3, low=-1.0, dtype=torch.float32)
        return {"x": x, "y": integers(rng, count, high=3), "seed": seed}

    return [
        Case(batch(4)),
        Case(batch(3)),
        Case(batch(5), {"gamma": 2.0}, name="a gradient penalty"),
    ]


SPECIFICATION = Specification(
    id="cgan.step",
    title="One training step of a conditional GAN",
    reference=gan_step,
    cases=_cases,
    probe=probes.gan_step,
    reading=which_moved,
    sentences={"detached": _MESSAGES["WITH_GRAPH"], "mode": _MESSAGES["LEFT_IN_EVAL"]},
    misconceptions=tuple(
        Misconception(code, step, _MESSAGES[code]) for code, step in STEPS.items()
    ),
    hints=Hints(
        property=(
            "Checked over two steps are both losses, that each network moves by its own loss "
            "only, and where it moves to."
        ),
        place=(
            "Two halves. In the first the discriminator judges real pairs and cut fake pairs. In "
            "the second the generator's fakes, not cut, meet the discriminator that has just "
            "moved."
        ),
        example=(
            "After a step every weight of the generator has a gradient, so it has heard of the "
            "discriminator. Run this:\n"
            ">>> from genimg_course.models import ConditionalGenerator, ProjectionDiscriminator\n"
            ">>> g, d = ConditionalGenerator(4, width=4), ProjectionDiscriminator(width=4, "
            "features=8)\n"
            ">>> opt_g, opt_d = (torch.optim.SGD(n.parameters(), lr=0.001) for n in (g, d))\n"
            ">>> losses = cgan_step(g, d, opt_g, opt_d, torch.zeros(4, 1, 16, 16), "
            "torch.arange(4))\n"
            ">>> [name for name, p in g.named_parameters() if p.grad is None]\n"
            "[]"
        ),
        question=(
            "Which of the two networks may each loss move? Where does the gradient have to be "
            "stopped for that, and where must it pass through a network without moving it?"
        ),
        analogue=(
            "Two players of tag in turns: the catcher looks at where the runner stands and moves. "
            "Then the runner looks at where the catcher stands now, and moves away. Nobody moves "
            "the other."
        ),
    ),
)
