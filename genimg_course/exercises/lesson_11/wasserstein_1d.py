"""Exercise: the Wasserstein distance of two samples of numbers."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.transport import wasserstein_1d
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def samples(
        count: int, shift: float = 0.5, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "x": 2 * normal(rng, count, dtype=dtype),
            "y": shift + normal(rng, count, dtype=dtype),
        }

    return [
        *(Case(samples(count)) for count in (1, 3, 8)),
        Case(samples(30, shift=0.0), name="equal means, different spreads"),
        Case(samples(6, shift=-500.0), name="far apart"),
        Case(samples(5, dtype=torch.float32), name="float32 inputs"),
    ]


def _gaps(x: Tensor, y: Tensor) -> Tensor:
    return x.sort().values - y.sort().values


SPECIFICATION = Specification(
    id="gan.wasserstein_1d",
    title="The Wasserstein distance on a line",
    reference=wasserstein_1d,
    cases=_cases,
    misconceptions=(
        Misconception(
            "UNSORTED",
            lambda x, y: (x - y).abs().mean(),
            "The numbers are paired as they happen to stand. Another order of the same sample "
            "then gives another distance. Which pairing is the cheapest?",
        ),
        Misconception(
            "W2",
            lambda x, y: _gaps(x, y).square().mean().sqrt(),
            "This is W_2, the root of a mean square. W_1 is the mean way.",
        ),
        Misconception(
            "SQUARED",
            lambda x, y: _gaps(x, y).square().mean(),
            "The ways are squared. W_1 is the mean way.",
        ),
        Misconception(
            "SUM",
            lambda x, y: _gaps(x, y).abs().sum(),
            "The ways are summed. Each number of a sample carries only its share of the mass.",
        ),
        Misconception(
            "MEANS",
            lambda x, y: (x.mean() - y.mean()).abs(),
            "This is the distance of the means. Two samples of one mean and different spreads are "
            "not at distance 0.",
        ),
        Misconception(
            "LARGEST",
            lambda x, y: _gaps(x, y).abs().amax(),
            "This is the longest way. W_1 is the mean of all ways.",
        ),
        Misconception(
            "NO_ABS",
            lambda x, y: _gaps(x, y).mean(),
            "Ways to the left and ways to the right cancel. A way is never negative.",
        ),
        Misconception(
            "ALL_PAIRS",
            lambda x, y: (x[:, None] - y).abs().mean(),
            "This is the mean over all pairs, a plan that scatters every number over the whole "
            "other sample. It is not the cheapest one, and not 0 for equal samples.",
        ),
    ),
    hints=Hints(
        property="Checked is one number, which must not depend on the order of either sample.",
        place=(
            "Both samples have the same size, so a plan is a pairing. First find the pairing, "
            "then average how far each number goes."
        ),
        example=(
            "Both samples hold the same two numbers, in a different order. Run this:\n"
            ">>> wasserstein_1d(torch.tensor([5.0, 1.0]), torch.tensor([1.0, 5.0]))\n"
            "tensor(0.)"
        ),
        question=(
            "Two cars must be moved to two parking places on one street. Is it ever cheaper that "
            "their ways cross?"
        ),
        analogue=(
            "With other numbers: {9, 2} and {4, 3}. In order these are 2, 9 and 3, 4, so the ways "
            "are 1 and 5 and the distance is 3. Paired as they stand it would be 3 as well by "
            "chance; paired 9 with 3 and 2 with 4 it is 4."
        ),
    ),
)
