"""Exercise: what an auxiliary classifier pays a generator."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.conditioning import information_bound
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def world(classes: int, images: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        joint = uniform(rng, classes, images, low=0.05, dtype=dtype)
        guess = uniform(rng, images, classes, low=0.05, dtype=dtype)
        return {"joint": joint / joint.sum(), "guess": guess / guess.sum(dim=1, keepdim=True)}

    sure = world(3, 4)
    sure["guess"] = (sure["joint"] / sure["joint"].sum(dim=0)).T.contiguous()
    return [
        Case(world(2, 5)),
        Case(world(4, 3)),
        Case(sure, name="a guess that is the posterior"),
        Case(world(3, 6, torch.float32), name="float32 inputs"),
    ]


def _gain(joint: Tensor, guess: Tensor) -> Tensor:
    return (joint * guess.T.log()).sum()


def _entropy(joint: Tensor) -> Tensor:
    classes = joint.sum(dim=1)
    return -(classes * classes.log()).sum()


def _entropy_of_images(joint: Tensor) -> Tensor:
    images = joint.sum(dim=0)
    return -(images * images.log()).sum()


SPECIFICATION = Specification(
    id="cgan.information_bound",
    title="What a classifier in the discriminator pays for",
    reference=information_bound,
    cases=_cases,
    differentiate=("guess",),
    misconceptions=(
        Misconception(
            "NO_ENTROPY",
            _gain,
            "The entropy of the classes is missing. Without it the number is never positive, and "
            "such a bound says nothing about an information.",
        ),
        Misconception(
            "ENTROPY_SIGN",
            lambda joint, guess: _gain(joint, guess) - _entropy(joint),
            "The entropy has the wrong sign. An entropy is positive: minus the sum of p log p.",
        ),
        Misconception(
            "ENTROPY_OF_IMAGES",
            lambda joint, guess: _gain(joint, guess) + _entropy_of_images(joint),
            "This is the entropy of the pictures. The bound asks how uncertain the class is before "
            "a picture is seen.",
        ),
        Misconception(
            "UNWEIGHTED",
            lambda joint, guess: guess.T.log().mean() + _entropy(joint),
            "The mean of log Q is taken over all pairs alike. Pairs that are more frequent count "
            "more.",
        ),
        Misconception(
            "POSTERIOR_ONLY",
            lambda joint, guess: (
                (joint / joint.sum(dim=0) * guess.T.log()).sum() / joint.shape[1] + _entropy(joint)
            ),
            "Every picture counts alike here. A picture counts as often as it appears.",
        ),
        Misconception(
            "BITS",
            lambda joint, guess: (_gain(joint, guess) + _entropy(joint)) / 0.6931471805599453,
            "The result is in bits. The course counts in nats, with natural logarithms.",
        ),
    ),
    hints=Hints(
        property="Checked are the value in nats and its gradient with respect to the guess.",
        place="Look at which law the mean is taken under, and at the sign of the entropy.",
        example=(
            "Two classes, two pictures that name their class, and a guess that knows it: the "
            "picture tells all there is, log 2. Run this:\n"
            ">>> joint = torch.tensor([[0.5, 0.0], [0.0, 0.5]])\n"
            ">>> information_bound(joint, torch.tensor([[1.0, 1e-6], [1e-6, 1.0]]))\n"
            "tensor(0.6931)"
        ),
        question=(
            "How surprised are you by the class before the picture, and how surprised with the "
            "guess in hand?"
        ),
        analogue=(
            "With other numbers: a coin that shows heads in 3 of 4 throws has an entropy of 0.562 "
            "nats. A friend who always says 3/4 for heads adds -0.562, so you learn nothing: 0."
        ),
    ),
)
