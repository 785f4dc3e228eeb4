"""Exercise: precision and recall by nearest neighbours."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.manifolds import precision_recall
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def sets(
        count: int, other: int, width: int, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "features": 1.6 * normal(rng, count, width, dtype=dtype) + 0.6,
            "reference": normal(rng, other, width, dtype=dtype),
        }

    collapsed = sets(15, 31, 2)
    collapsed["features"] = 0.2 * collapsed["features"] + 0.8
    wide = sets(25, 20, 2)
    wide["features"] = 4 * wide["features"]
    return [
        Case(sets(40, 30, 2)),
        Case(sets(23, 41, 2), {"k": 1}),
        Case(sets(30, 30, 3), {"k": 5}),
        Case(collapsed, name="generated images in a corner"),
        Case(wide, name="generated images far and wide"),
        Case(sets(25, 35, 2, dtype=torch.float32), name="float32 inputs"),
    ]


def _apart(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, None] - b).norm(dim=2)


def _radii(x: Tensor, k: int) -> Tensor:
    return _apart(x, x).kthvalue(k + 1, dim=1).values


def _shares(inside_real: Tensor, inside_fake: Tensor, dtype: torch.dtype) -> dict[str, Tensor]:
    return {
        "precision": inside_real.any(dim=1).to(dtype).mean(),
        "recall": inside_fake.any(dim=0).to(dtype).mean(),
    }


def _swapped_radii(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    apart = _apart(features, reference)
    return _shares(
        apart <= _radii(features, k)[:, None], apart <= _radii(reference, k), apart.dtype
    )


def _counts_itself(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    apart = _apart(features, reference)
    return _shares(
        apart <= _apart(reference, reference).kthvalue(k, dim=1).values,
        apart <= _apart(features, features).kthvalue(k, dim=1).values[:, None],
        apart.dtype,
    )


def _swapped_names(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    return precision_recall(reference, features, k=k)


def _one_radius(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    apart = _apart(features, reference)
    return _shares(
        apart <= _radii(reference, k).mean(), apart <= _radii(features, k).mean(), apart.dtype
    )


def _coverage(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    inside = _apart(features, reference) <= _radii(reference, k)
    return _shares(inside, inside, features.dtype)


def _pairs(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    apart = _apart(features, reference)
    return {
        "precision": (apart <= _radii(reference, k)).to(apart.dtype).mean(),
        "recall": (apart <= _radii(features, k)[:, None]).to(apart.dtype).mean(),
    }


def _squared(features: Tensor, reference: Tensor, k: int = 3) -> dict[str, Tensor]:
    apart = _apart(features, reference).square()
    return _shares(
        apart <= _radii(reference, k), apart <= _radii(features, k)[:, None], apart.dtype
    )


SPECIFICATION = Specification(
    id="metrics.precision_recall",
    title="Precision and recall by nearest neighbours",
    reference=precision_recall,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SWAPPED_RADII",
            _swapped_radii,
            "The radii belong to the wrong set. Precision asks whether a generated image lies "
            "within a ball around a real one, so its radii are those of the real images.",
        ),
        Misconception(
            "SWAPPED_NAMES",
            _swapped_names,
            "Precision and recall are exchanged. Precision is about the generated images: how many "
            "of them look real?",
        ),
        Misconception(
            "ITSELF",
            _counts_itself,
            "Each image counts itself as its first neighbour, at distance zero. The k-th other "
            "image is one further.",
        ),
        Misconception(
            "ONE_RADIUS",
            _one_radius,
            "All balls have the mean radius. Each image has its own: wide where images are rare, "
            "narrow where they are many.",
        ),
        Misconception(
            "COVERAGE",
            _coverage,
            "Both shares use balls around real images. That second one is coverage, a good "
            "measure of another paper; recall uses balls around the generated images.",
        ),
        Misconception(
            "PAIRS",
            _pairs,
            "This is the share of all pairs that are close. One ball that holds an image is "
            "enough: first ask whether there is any, then count images.",
        ),
        Misconception(
            "SQUARED",
            _squared,
            "Squared distances are compared with plain radii.",
        ),
    ),
    hints=Hints(
        property=(
            'Checked are a dictionary with "precision" and "recall", for k of 1, 3 and 5, and sets '
            "of different sizes."
        ),
        place=(
            "Three matrices of distances: within the real images, within the generated ones, and "
            "across. The first two give radii, by kthvalue; remember who the nearest neighbour of "
            "an image in its own set is."
        ),
        example=(
            "Two of three generated points are near the real ones, and the stray has a wide ball, "
            "which holds what the other two miss. Run this:\n"
            ">>> real = torch.tensor([[0.0], [1.0], [2.0], [4.0]])\n"
            ">>> fake = torch.tensor([[0.0], [0.5], [9.0]])\n"
            ">>> found = precision_recall(fake, real, k=1)\n"
            ">>> {name: round(float(value), 3) for name, value in found.items()}\n"
            "{'precision': 0.667, 'recall': 1.0}"
        ),
        question=(
            "Whose images are counted, and around whose images are the balls? Answer both for "
            "precision, then exchange the sets."
        ),
        analogue=(
            "On a line with k = 1: real at 0, 1, 5 have radii 1, 1, 4. A generated point at 8 lies "
            "within the ball of 5, one at 10 within none. Precision is 1/2."
        ),
    ),
)
