"""Exercise: the logit of a projection discriminator."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import integers, normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.conditioning import projection_logit
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(
        count: int, length: int, classes: int, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "features": normal(rng, count, length, dtype=dtype),
            "y": integers(rng, count, high=classes),
            "weight": normal(rng, length, dtype=dtype),
            "bias": normal(rng, 1, dtype=dtype)[0],
            "class_vectors": normal(rng, classes, length, dtype=dtype),
        }

    return [
        *(Case(batch(*sizes)) for sizes in ((4, 3, 5), (3, 5, 4), (5, 2, 3))),
        Case(batch(1, 4, 3), name="one example"),
        Case(batch(4, 3, 3, torch.float32), name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="cgan.projection_logit",
    title="The logit of a projection discriminator",
    reference=projection_logit,
    cases=_cases,
    differentiate=("features", "weight", "bias", "class_vectors"),
    misconceptions=(
        Misconception(
            "IGNORED",
            lambda features, y, weight, bias, class_vectors: features @ weight + bias,
            "The class is not used. This discriminator takes any good image for real, whatever "
            "was asked for, so the generator may ignore the label as well.",
        ),
        Misconception(
            "CLASS_ONLY",
            lambda features, y, weight, bias, class_vectors: (class_vectors[y] * features).sum(
                dim=1
            ),
            "Only the class term is there. Whether the image looks real at all is asked by the "
            "weight that all classes share.",
        ),
        Misconception(
            "NO_BIAS",
            lambda features, y, weight, bias, class_vectors: (
                features @ weight + (class_vectors[y] * features).sum(dim=1)
            ),
            "The bias is missing. Without it a discriminator cannot say that most of what it sees "
            "is fake.",
        ),
        Misconception(
            "MEAN",
            lambda features, y, weight, bias, class_vectors: (
                features @ weight + bias + (class_vectors[y] * features).mean(dim=1)
            ),
            "The class term is a mean over the features. An inner product is a sum.",
        ),
        Misconception(
            "ALL_CLASSES",
            lambda features, y, weight, bias, class_vectors: (
                features @ weight + bias + (features @ class_vectors.T).sum(dim=1)
            ),
            "The terms of all classes are added, whatever the label. Only the class in question "
            "should count.",
        ),
        Misconception(
            "LOGIT_PER_CLASS",
            lambda features, y, weight, bias, class_vectors: (
                (features @ weight + bias)[:, None] + features @ class_vectors.T
            ),
            "This is one logit for each class, as a classifier has them. The question is whether "
            "this image is a real image of this one class.",
        ),
        Misconception(
            "ACROSS_BATCH",
            lambda features, y, weight, bias, class_vectors: (
                features @ weight + bias + (class_vectors[y] @ features.T).sum(dim=1)
            ),
            "Each class vector meets the features of all images of the batch. It should meet "
            "those of its own image.",
        ),
        Misconception(
            "CLASS_BIAS",
            lambda features, y, weight, bias, class_vectors: (
                features @ weight + bias + class_vectors[y].sum(dim=1)
            ),
            "The class shifts the logit, whatever the image shows. It should be compared with the "
            "features: which product does that?",
        ),
        Misconception(
            "FROZEN",
            lambda features, y, weight, bias, class_vectors: (
                features @ weight + bias + (class_vectors[y].detach() * features).sum(dim=1)
            ),
            "The value is right, but the class vectors are cut from the graph, so they are never "
            "learned.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the shape `(B,)`, the value, and that gradients reach the features, the "
            "weight, the bias and the class vectors."
        ),
        place=(
            "Three terms: an inner product that all classes share, a bias, and an inner product "
            "of each image with the vector of its class."
        ),
        example=(
            "With zero weight and bias only the class speaks. Run this:\n"
            ">>> features = torch.tensor([[1.0, 2.0], [1.0, 2.0]])\n"
            ">>> vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0]])\n"
            ">>> projection_logit(features, torch.tensor([0, 1]), torch.zeros(2), "
            "torch.tensor(0.0), vectors)\n"
            "tensor([1., 2.])"
        ),
        question=(
            "If an image is good but shows another class than the label says, which of the three "
            "terms should say so?"
        ),
        analogue=(
            "With other numbers: features (2, 1), weight (1, -1), bias 0.5 and class vector (0, "
            "3) give 2 - 1 + 0.5 + 3 = 4.5."
        ),
    ),
)
