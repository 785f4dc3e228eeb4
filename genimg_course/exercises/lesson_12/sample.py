"""Exercise: draw pictures for show and leave the training as it was."""

import torch
from torch import Tensor, nn

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_12 as probes
from genimg_course.probing.case import Case
from genimg_course.training.sampling import sample

__all__ = ["SPECIFICATION"]

_GRAPH = (
    "The pictures are right, but they still hold the graph of the whole generator. For show no "
    "gradient is needed: it costs memory and time."
)
_LEFT = (
    "The generator is in another mode than before. In training it would now use the running "
    "statistics, and the discriminator would be trained against another generator than the one "
    "that learns."
)


def _cases(rng: torch.Generator) -> list[Case]:
    def codes(count: int, training: bool, name: str = "") -> Case:
        seed = int(torch.randint(1_000_000, (1,), generator=rng))
        z = normal(rng, count, 3, dtype=torch.float32)
        return Case({"z": z, "seed": seed, "training": training}, name=name)

    return [
        codes(5, True),
        codes(8, True),
        codes(4, False, "a generator in evaluation mode"),
    ]


def _as_it_is(generator: nn.Module, z: Tensor) -> Tensor:
    with torch.no_grad():
        return generator(z)


def _left_in_eval(generator: nn.Module, z: Tensor) -> Tensor:
    return _as_it_is(generator.eval(), z)


def _always_back_to_training(generator: nn.Module, z: Tensor) -> Tensor:
    x = _left_in_eval(generator, z)
    generator.train()
    return x


def _with_graph(generator: nn.Module, z: Tensor) -> Tensor:
    training = generator.training
    x = generator.eval()(z)
    generator.train(training)
    return x


def _with_the_batch(generator: nn.Module, z: Tensor) -> Tensor:
    training = generator.training
    x = _as_it_is(generator.train(), z)
    generator.train(training)
    return x


SPECIFICATION = Specification(
    id="dcgan.sample",
    title="Pictures for show",
    reference=sample,
    cases=_cases,
    probe=probes.sample,
    sentences={
        "graph": _GRAPH,
        "mode": _LEFT,
        "state": "Weights or running statistics have changed. Looking must not train.",
    },
    misconceptions=(
        Misconception(
            "AS_IT_IS",
            _as_it_is,
            "The mode of the generator is left to chance. In training mode a picture depends on "
            "what else is in the batch, and looking at pictures moves the running statistics.",
        ),
        Misconception("LEFT_IN_EVAL", _left_in_eval, _LEFT),
        Misconception(
            "ALWAYS_TRAINING",
            _always_back_to_training,
            "The generator always ends in training mode, also if it was in evaluation mode before. "
            "Remember the mode, then put it back.",
        ),
        Misconception("WITH_GRAPH", _with_graph, _GRAPH),
        Misconception(
            "WITH_THE_BATCH",
            _with_the_batch,
            "The pictures are normalised with the statistics of their own batch, so the same code "
            "gives another picture in other company. For show, use the running statistics.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the pictures, that they hold no graph, and that weights, running "
            "statistics and mode are afterwards what they were before."
        ),
        place="Three things around one call: the mode, the graph, and the mode again.",
        example=(
            "A picture must not depend on its company. Run this:\n"
            ">>> from genimg_course.models import Generator\n"
            ">>> generator, z = Generator(latent_dim=3, width=4), torch.randn(6, 3)\n"
            ">>> alone, together = sample(generator, z[:2]), sample(generator, z)[:2]\n"
            ">>> bool(torch.isclose(alone, together, atol=1e-6).all()), generator.training\n"
            "(True, True)"
        ),
        question=(
            "What would somebody who continues the training notice after you have looked at the "
            "pictures? Nothing at all, if you did it right."
        ),
        analogue=(
            "To photograph a clock at night you switch on the light, take the picture, and switch "
            "the light off again; but only if it was off before."
        ),
    ),
)
