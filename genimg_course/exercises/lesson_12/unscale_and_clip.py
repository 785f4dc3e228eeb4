"""Exercise: from the gradient of a scaled loss to that for the optimiser."""

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.precision import unscale_and_clip
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def gradient(*shape: int, scale: float = 1.0) -> Tensor:
        return normal(rng, *shape, scale=scale, dtype=torch.float32)

    tiny = (gradient(9, scale=3e-8) * 4096).half()  # without the scale float16 holds none of it
    broken = gradient(4, scale=8.0)
    broken[1] = torch.inf
    return [
        Case({"gradient": gradient(3, 4, scale=32.0), "scale": 16.0}, {"max_norm": 1.0}),
        Case({"gradient": gradient(5, scale=100.0), "scale": 8.0}, {"max_norm": 2.5}),
        Case({"gradient": gradient(6, scale=0.2), "scale": 4.0}, {"max_norm": 5.0}),
        Case({"gradient": tiny, "scale": 4096.0}, {"max_norm": 1.0}, name="a float16 gradient"),
        Case({"gradient": broken, "scale": 2.0}, {"max_norm": 1.0}, name="an infinite value"),
        Case(
            {"gradient": gradient(4) * 0, "scale": 2.0}, {"max_norm": 1.0}, name="no slope at all"
        ),
    ]


def _bounded(gradient: Tensor, max_norm: float) -> Tensor:
    return gradient * (max_norm / gradient.norm()).clamp(max=1.0)


def _skipped(rule: Callable[[Tensor, float, float], Tensor]) -> Callable[..., Tensor]:
    """Return a rule that gives zeros where a value is not finite."""

    def wrong(gradient: Tensor, scale: float, *, max_norm: float) -> Tensor:
        if not bool(gradient.isfinite().all()):
            return torch.zeros_like(gradient.float())
        return rule(gradient, scale, max_norm)

    return wrong


SPECIFICATION = Specification(
    id="training.unscale_and_clip",
    title="Unscale, then clip",
    reference=unscale_and_clip,
    cases=_cases,
    tolerances={"value": (1e-4, 1e-10)},
    misconceptions=(
        Misconception(
            "CLIP_FIRST",
            _skipped(lambda g, s, c: _bounded(g.float(), c) / s),
            "The scaled gradient is clipped, then divided. Its norm is larger by the scale, so it "
            "is nearly always cut, and the steps become far too short.",
        ),
        Misconception(
            "NO_UNSCALE",
            _skipped(lambda g, s, c: _bounded(g.float(), c)),
            "The scale is never taken out again. The optimiser must see the gradient of the loss "
            "itself.",
        ),
        Misconception(
            "MULTIPLIED",
            _skipped(lambda g, s, c: _bounded(g.float() * s, c)),
            "The gradient is multiplied with the scale once more. Its loss was multiplied already, "
            "so which way leads back?",
        ),
        Misconception(
            "IN_HALF",
            _skipped(lambda g, s, c: _bounded((g / s).float(), c)),
            "The division happens in float16, where the small values that the scale has saved "
            "become zero again. Change the format first.",
        ),
        Misconception(
            "NO_SKIP",
            lambda gradient, scale, *, max_norm: _bounded(gradient.float() / scale, max_norm),
            "An infinite value makes the norm infinite: clipping then turns that value into NaN "
            "and all others into zero, and one such step ruins the network. If a value is not "
            "finite, the step must be skipped: return zeros.",
        ),
        Misconception(
            "BY_VALUE",
            _skipped(lambda g, s, c: (g.float() / s).clamp(-c, c)),
            "Each value is cut on its own, which turns the gradient into another direction. The "
            "bound is one for the norm of the whole.",
        ),
        Misconception(
            "ALWAYS",
            _skipped(lambda g, s, c: c * g.float() / g.float().norm().clamp_min(1e-30)),
            "Every gradient is brought to the same length, short ones are made longer. A bound "
            "shortens what is too long and leaves the rest alone.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values in float32 for long and short gradients, one in float16, and "
            "one with an infinite value, for which the result is all zero."
        ),
        place=(
            "Four things in this order: change the format, divide, look for values that are not "
            "finite, bound the norm."
        ),
        example=(
            "A gradient of length 5 was scaled by 8; bounded to length 1 it is (0.6, 0.8). Run "
            "this:\n>>> unscale_and_clip(torch.tensor([24.0, 32.0]), 8.0, max_norm=1.0)\n"
            "tensor([0.6000, 0.8000])"
        ),
        question=(
            "The bound c was chosen for the gradient of the loss. How long is the gradient of "
            "1024 times the loss, and what would the bound do to it?"
        ),
        analogue=(
            "A map shows every way ten times too long. You may walk at most 2 km. A way of 15 km "
            "on the map is 1.5 km and allowed; who compares 15 with 2 first walks 0.2 km."
        ),
    ),
)
