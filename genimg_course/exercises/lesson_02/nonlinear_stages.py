"""Exercise: how many layers of a network bend."""

from collections.abc import Callable

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.depth import BENDING, STRAIGHT, nonlinear_stages
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

_WEIGHTS = frozenset(["Conv2d", "ConvTranspose2d", "Linear"])


def _cases(rng: torch.Generator) -> list[Case]:
    names = sorted(BENDING | STRAIGHT)
    drawn = [names[i] for i in torch.randint(len(names), (9,), generator=rng)]
    return [
        Case({"layers": "Conv2d ReLU Conv2d LeakyReLU Flatten Linear"}),
        Case({"layers": "ConvTranspose2d BatchNorm2d ConvTranspose2d ConvTranspose2d Tanh"}),
        Case({"layers": "Conv2d BatchNorm2d ReLU MaxPool2d Conv2d ReLU MaxPool2d Linear"}),
        Case({"layers": "Conv2d ReLU AvgPool2d Dropout Linear Sigmoid"}),
        Case({"layers": "Linear Linear Linear"}, name="no activation at all"),
        Case({"layers": " ".join(names)}, name="every layer once"),
        Case({"layers": " ".join(drawn)}),
    ]


def _counting(names: frozenset[str]) -> Callable[[str], int]:
    """Return a function that counts these layers."""
    return lambda layers: sum(name in names for name in layers.split())


SPECIFICATION = Specification(
    id="networks.nonlinear_stages",
    title="How many layers bend",
    reference=nonlinear_stages,
    cases=_cases,
    misconceptions=(
        Misconception(
            "WEIGHTED",
            _counting(_WEIGHTS),
            "This counts the layers with weights. Two of them in a row, with nothing that bends "
            "in between, are one matrix.",
        ),
        Misconception(
            "ALL",
            lambda layers: len(layers.split()),
            "Every layer is counted. Which of them turn the mean of two inputs into the mean of "
            "the two results?",
        ),
        Misconception(
            "RELU_ONLY",
            _counting(frozenset(["ReLU", "LeakyReLU"])),
            "Only the rectifiers are counted. Other functions bend as well: the sigmoid, the "
            "hyperbolic tangent, and their like.",
        ),
        Misconception(
            "NO_POOLING",
            _counting(BENDING - {"MaxPool2d"}),
            "Max pooling is missing. Is the largest value of a mean of two images the mean of "
            "their largest values?",
        ),
        Misconception(
            "ALL_POOLING",
            _counting(BENDING | {"AvgPool2d", "AdaptiveAvgPool2d"}),
            "Mean pooling is counted. A mean is a weighted sum, so it is linear.",
        ),
        Misconception(
            "NORMALISATION",
            _counting(BENDING | {"BatchNorm2d"}),
            "Batch normalisation is counted. In a network that is evaluated, it multiplies and "
            "adds numbers that are fixed.",
        ),
        Misconception(
            "DROPOUT",
            _counting(BENDING | {"Dropout"}),
            "Dropout is counted. In a network that is evaluated, it does nothing.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is a whole number for networks of several kinds of layers, each in "
            "evaluation mode."
        ),
        place=(
            "Split the text at the spaces and ask of each name: is the result for a mean of two "
            "inputs the mean of the two results? If so, it does not count."
        ),
        example=(
            "Two convolutions, one bend, and a bend at the end. Run this:\n"
            '>>> nonlinear_stages("Conv2d Conv2d BatchNorm2d Tanh AvgPool2d Linear Softmax")\n'
            "2"
        ),
        question=(
            "Move one input of a layer and draw each of its results over it. Is it a straight "
            "line, whatever the other inputs are, or has it a corner or a curve somewhere?"
        ),
        analogue=(
            "In one dimension: 3 (2 x + 1) - 4 is 6 x - 1, one line, though it has two layers. "
            "max(2 x + 1, 0) has a corner, and no line has one."
        ),
    ),
)
