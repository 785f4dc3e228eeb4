"""Exercise: read points of the rate-distortion plane."""

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.information_plane import information_bounds
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def points(count: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        rate = uniform(rng, count, low=1.0, high=9.0, dtype=dtype)
        return {"rate": rate, "distortion": uniform(rng, count, high=4.0, dtype=dtype) + 5.0}

    def useless() -> dict[str, Tensor]:
        both = points(3)
        both["distortion"] = both["distortion"] + 20  # worse than knowing nothing
        return both

    return [
        Case(points(5), {"entropy": 9.5}),
        Case(points(1), {"entropy": 11.0}, name="one point"),
        Case(useless(), {"entropy": 8.0}, name="a distortion above the entropy"),
        Case(points(4, torch.float32), {"entropy": 10.0}, name="float32 inputs"),
    ]


def _but(**changes: Callable[[Tensor, Tensor, float], Tensor]) -> Callable[..., dict[str, Tensor]]:
    """Return an answer that is right but for these entries."""

    def answer(rate: Tensor, distortion: Tensor, *, entropy: float) -> dict[str, Tensor]:
        right = information_bounds(rate, distortion, entropy=entropy)
        return {**right, **{key: f(rate, distortion, entropy) for key, f in changes.items()}}

    return answer


SPECIFICATION = Specification(
    id="vae.information_bounds",
    title="Read the rate-distortion plane",
    reference=information_bounds,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NO_FLOOR",
            _but(at_least=lambda r, d, h: h - d),
            "The lower bound falls below zero where the distortion exceeds the entropy. Two "
            "things cannot share less than nothing.",
        ),
        Misconception(
            "SWAPPED",
            _but(at_least=lambda r, d, h: (h - r).clamp_min(0), at_most=lambda r, d, h: d.clone()),
            "Rate and distortion are exchanged. Which of them is the price of the code, and which "
            "is what the decoder still does not know?",
        ),
        Misconception(
            "DISTORTION",
            _but(at_least=lambda r, d, h: d.clone()),
            "The distortion is what the code does *not* tell. Subtract it from all that there is "
            "to tell.",
        ),
        Misconception(
            "ADDED",
            _but(at_least=lambda r, d, h: h + d),
            "Entropy and distortion are added. A worse decoder would then prove that the code "
            "knows more.",
        ),
        Misconception(
            "DIFFERENCE",
            _but(negative_elbo=lambda r, d, h: d - r),
            "Here the rate is subtracted. Both terms are costs, in the same unit.",
        ),
        Misconception(
            "SIGN",
            _but(excess=lambda r, d, h: h - d - r),
            "The excess has the wrong sign: no model can undercut the entropy, so it is never "
            "negative.",
        ),
        Misconception(
            "GAP",
            _but(excess=lambda r, d, h: r - (h - d).clamp_min(0)),
            "This is the gap between the two bounds with its floor. The excess is measured from "
            "the entropy to the negative bound, floor or not.",
        ),
    ),
    hints=Hints(
        property=("Checked are four results: `negative_elbo`, `at_least`, `at_most` and `excess`."),
        place=(
            "One sum, one difference with a floor, one copy, and one difference that says how far "
            "the model is from perfect."
        ),
        example=(
            "Data of 10 nats, a rate of 4 and a distortion of 7: the code holds between 3 and 4 "
            "nats, and the negative bound lies 1 nat above the entropy. Run this:\n"
            ">>> rate, distortion = torch.tensor([4.0]), torch.tensor([7.0])\n"
            ">>> read = information_bounds(rate, distortion, entropy=10.0)\n"
            ">>> [read[key].item() for key in ('negative_elbo', 'at_least', 'at_most', 'excess')]\n"
            "[11.0, 3.0, 4.0, 1.0]"
        ),
        question=(
            "A picture holds `H` nats. If the decoder needs `D` more nats once it has the code, "
            "how many must the code have told?"
        ),
        analogue=(
            "A message of 8 bits arrives after a hint, and now 5 bits suffice for it. The hint "
            "told at least 3 bits; if it was 4 bits long, it told at most 4."
        ),
    ),
)
