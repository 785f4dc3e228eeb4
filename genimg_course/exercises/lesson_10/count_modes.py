"""Exercise: count the modes that a generator reaches."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.modes import count_modes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def cloud(
        shares: tuple[int, ...], strays: int, *, dim: int = 2, dtype: torch.dtype = torch.float32
    ) -> dict[str, Tensor]:
        """Make a cloud around each centre, and strays at six to twelve deviations from it."""
        centres = 3 * torch.eye(len(shares), dim, dtype=dtype) + normal(
            rng, len(shares), dim, scale=0.05, dtype=dtype
        )
        centres[dim:, 0] -= 3 * torch.arange(1, len(shares) - dim + 1, dtype=dtype)
        near = centres.repeat_interleave(torch.tensor(shares), dim=0)
        near = near + normal(rng, *near.shape, scale=0.1, dtype=dtype)
        away = normal(rng, strays, dim, dtype=dtype)
        away = away / away.norm(dim=1, keepdim=True)
        lengths = 0.6 + 0.6 * torch.rand(strays, 1, generator=rng, dtype=dtype)
        return {"points": torch.cat([near, centres[-1] + lengths * away]), "centres": centres}

    return [
        Case(cloud((60, 40, 14, 5, 2), 30), {"spread": 0.1, "least": 0.1}),
        Case(cloud((40, 40, 40, 0), 60), {"spread": 0.1}, name="strays around a lost mode"),
        Case(cloud((30, 6, 0), 14, dim=3), {"spread": 0.1, "radius": 2.0, "least": 0.05}),
        Case(cloud((0, 0, 0), 20), {"spread": 0.1}, name="no good point"),
        Case(
            cloud((40, 30, 1, 0), 30, dtype=torch.float64),
            {"spread": 0.1, "least": 0.2},
            name="float64 inputs",
        ),
    ]


def _counts(
    points: Tensor, centres: Tensor, near: Tensor, least: float, total: int
) -> dict[str, Tensor]:
    nearest = torch.cdist(points, centres).argmin(dim=1)
    hits = torch.bincount(nearest[near], minlength=len(centres))
    return {
        "modes": (hits >= least * total).to(points.dtype).sum(),
        "good": near.to(points.dtype).mean(),
    }


def _near(points: Tensor, centres: Tensor, limit: float) -> Tensor:
    return torch.cdist(points, centres).amin(dim=1) <= limit


def _no_radius(
    points: Tensor, centres: Tensor, *, spread: float, radius: float = 3.0, least: float = 0.01
) -> dict[str, Tensor]:
    every = torch.ones(len(points), dtype=torch.bool)
    result = _counts(points, centres, every, least, len(points))
    return {
        **result,
        "good": _near(points, centres, radius * spread).to(points.dtype).mean(),
    }


def _of_good(
    points: Tensor, centres: Tensor, *, spread: float, radius: float = 3.0, least: float = 0.01
) -> dict[str, Tensor]:
    near = _near(points, centres, radius * spread)
    return _counts(points, centres, near, least, max(int(near.sum()), 1))


def _of_modes(
    points: Tensor, centres: Tensor, *, spread: float, radius: float = 3.0, least: float = 0.01
) -> dict[str, Tensor]:
    near = _near(points, centres, radius * spread)
    return _counts(points, centres, near, least / len(centres), len(points))


SPECIFICATION = Specification(
    id="gan.count_modes",
    title="Modes found and good points",
    reference=count_modes,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NO_RADIUS",
            _no_radius,
            "Every point counts for its nearest mode, however far away it lies. A generator that "
            "draws noise everywhere would then find all modes.",
        ),
        Misconception(
            "ANY_HIT",
            lambda points, centres, *, spread, radius=3.0, least=0.01: _counts(
                points,
                centres,
                _near(points, centres, radius * spread),
                0.5 / len(points),
                len(points),
            ),
            "A single good point is enough for a mode here. By chance a stray point lands "
            "anywhere: a mode needs its least share.",
        ),
        Misconception(
            "OF_GOOD",
            _of_good,
            "The share of a mode is taken among the good points only. It is a share of all "
            "points, or a generator with three good points could find three modes.",
        ),
        Misconception(
            "PER_MODE",
            _of_modes,
            "The least share is divided by the number of modes. It is asked of each mode as it "
            "stands.",
        ),
        Misconception(
            "ONE_SPREAD",
            lambda points, centres, *, spread, radius=3.0, least=0.01: count_modes(
                points, centres, spread=spread, radius=1.0, least=least
            ),
            "Good points are cut at one standard deviation. In the plane, six of ten points of a "
            "perfect generator lie farther out; the radius says how many deviations count.",
        ),
        Misconception(
            "NO_SPREAD",
            lambda points, centres, *, spread, radius=3.0, least=0.01: count_modes(
                points, centres, spread=1.0, radius=radius, least=least
            ),
            "The radius is taken as a distance. It counts standard deviations, so the spread of "
            "a mode belongs beside it.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the number of modes found and the share of good points, both as tensors "
            "without an axis, in the dtype of the points."
        ),
        place=(
            "The distance of each point to each centre, its least value and where it is; then "
            "which points are good; then how many good ones each centre has."
        ),
        example=(
            "Of four points two are good at the first centre, one is good at the second, and one "
            "is far from both. Half of all points are asked for, so one mode is found. Run this:\n"
            ">>> points = torch.tensor([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0], [9.0, 0.0]])\n"
            ">>> centres = torch.tensor([[0.0, 0.0], [9.0, 0.0]])\n"
            ">>> count_modes(points, centres, spread=0.1, least=0.5)\n"
            "{'modes': tensor(1.), 'good': tensor(0.7500)}"
        ),
        question=(
            "What would your counter say of a generator that draws points evenly over the whole "
            "plane?"
        ),
        analogue=(
            "Visitors of three museums: a museum counts as visited if at least 5 % of all people "
            "who were asked stood inside it; those who passed by in the street do not count."
        ),
    ),
)
