"""Exercise: the angle between two subspaces."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.principal import subspace_angle
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def pair(dims: int, latents: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        """Return columns in two planes that meet at a generic angle below a right one."""
        basis = torch.linalg.qr(normal(rng, dims, dims)).Q
        angles = uniform(rng, latents, low=0.2, high=1.2)
        spare = torch.arange(latents) % (dims - latents) + latents
        a = basis[:, :latents]
        b = a * angles.cos() + basis[:, spare] * angles.sin()
        mix_a, mix_b = (_mixing(rng, latents) for _ in range(2))
        return {"a": (a @ mix_a).to(dtype), "b": (b @ mix_b).to(dtype)}

    same = normal(rng, 6, 2)
    return [
        Case(pair(5, 2)),
        Case(pair(8, 3)),
        Case(pair(4, 1)),
        Case({"a": same, "b": same @ _mixing(rng, 2)}, name="one plane, other columns"),
        Case(pair(5, 2, torch.float32), name="float32 inputs"),
    ]


def _mixing(rng: torch.Generator, count: int) -> Tensor:
    """Return a matrix that mixes and stretches columns and is far from singular."""
    return normal(rng, count, count) + 4 * torch.eye(count, dtype=torch.float64)


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    q_a, q_b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    return torch.linalg.svdvals(q_b.T @ q_a).clamp(0, 1)


def _columns(a: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(a, b, dim=0).clamp(-1, 1).acos().max()


SPECIFICATION = Specification(
    id="autoencoder.subspace_angle",
    title="The angle between two subspaces",
    reference=subspace_angle,
    cases=_cases,
    # wide enough for an answer by the arc cosine, which loses half of the digits at small angles
    atol=1e-6,
    tolerances={"value": (1e-4, 1e-3)},
    misconceptions=(
        Misconception(
            "COLUMNS",
            _columns,
            "Columns are compared one by one. One plane has many bases: the columns may differ "
            "while the spans agree.",
        ),
        Misconception(
            "SMALLEST",
            lambda a, b: _cosines(a, b).max().acos(),
            "This is the smallest angle. Two planes that share one line have it at zero, though "
            "they differ: which direction is farthest from the other plane?",
        ),
        Misconception(
            "NOT_ORTHONORMAL",
            lambda a, b: torch.linalg.svdvals(b.T @ a).min().clamp(-1, 1).acos(),
            "The columns enter as they are, with their lengths and their slant. First give each "
            "span an orthonormal basis.",
        ),
        Misconception(
            "COSINE",
            lambda a, b: _cosines(a, b).min(),
            "This is the cosine of the angle, which is 1 where the spans agree. The angle itself "
            "is asked for.",
        ),
        Misconception(
            "SINE",
            lambda a, b: (1 - _cosines(a, b).min().square()).clamp_min(0).sqrt(),
            "This is the sine of the angle. It is nearly the angle where that is small, and only "
            "there.",
        ),
        Misconception(
            "DEGREES",
            lambda a, b: _cosines(a, b).min().acos().rad2deg(),
            "The angle is in degrees. The lesson counts in radians, as the functions of torch do.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is one angle in radians: zero where the spans agree, whatever the columns are."
        ),
        place=(
            "An orthonormal basis of each span. The singular values of the product of the two "
            "bases are cosines; which of them belongs to the largest angle?"
        ),
        example=(
            "The same plane, described by other columns, is at angle zero. A line turned by 45 "
            "degrees is at 0.785. Run this:\n"
            ">>> subspace_angle(torch.tensor([[1.0], [0.0]]), torch.tensor([[3.0], [3.0]]))\n"
            "tensor(0.7854)"
        ),
        question=(
            "Take the direction inside one span that lies farthest from the other. What does the "
            "other span see of it?"
        ),
        analogue=(
            "Two sheets of paper that share an edge and open like a book at 30 degrees: along the "
            "edge the angle is 0, across it 30 degrees. The answer is 30 degrees, 0.524."
        ),
    ),
)
