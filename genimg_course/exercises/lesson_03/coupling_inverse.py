"""Exercise: undo a coupling layer."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.flows import coupling_inverse
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def layer(
        count: int, kept: int, moved: int, scale: float = 1.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "z": normal(rng, count, kept + moved, dtype=dtype),
            "log_scale": normal(rng, count, moved, scale=scale, dtype=dtype),
            "shift": normal(rng, count, moved, dtype=dtype),
        }

    return [
        Case(layer(4, 1, 1)),
        Case(layer(3, 3, 2)),
        Case(layer(2, 1, 3)),
        Case(layer(1, 2, 2, scale=3.0), name="strong scales"),
        Case(layer(5, 2, 1, dtype=torch.float32), name="float32 inputs"),
    ]


def _answer(z: Tensor, s: Tensor, moved: Tensor, log_det: Tensor) -> dict[str, Tensor]:
    return {"x": torch.cat([z[:, : -s.shape[1]], moved], dim=1), "log_det": log_det}


def _tail(z: Tensor, s: Tensor) -> Tensor:
    return z[:, -s.shape[1] :]


SPECIFICATION = Specification(
    id="probability.coupling_inverse",
    title="A coupling layer, undone",
    reference=coupling_inverse,
    cases=_cases,
    differentiate=("log_scale", "shift"),
    misconceptions=(
        Misconception(
            "LOG_DET_SIGN",
            lambda z, s, t: _answer(z, s, (_tail(z, s) - t) * (-s).exp(), s.sum(dim=1)),
            "The points are right, but this is the log determinant of the layer itself. What "
            "stretches on the way there shrinks on the way back.",
        ),
        Misconception(
            "FORWARD",
            lambda z, s, t: _answer(z, s, _tail(z, s) * s.exp() + t, s.sum(dim=1)),
            "This is the layer itself once more. The inverse takes back the shift and the stretch.",
        ),
        Misconception(
            "FORWARD_LOG_DET",
            lambda z, s, t: _answer(z, s, _tail(z, s) * s.exp() + t, -s.sum(dim=1)),
            "The log determinant is that of the inverse, but the points go forward once more.",
        ),
        Misconception(
            "ORDER",
            lambda z, s, t: _answer(z, s, _tail(z, s) * (-s).exp() - t, -s.sum(dim=1)),
            "The stretch is undone before the shift. Shoes come off before socks: what was done "
            "last is undone first.",
        ),
        Misconception(
            "SHIFT_ADDED",
            lambda z, s, t: _answer(z, s, (_tail(z, s) + t) * (-s).exp(), -s.sum(dim=1)),
            "The shift is added a second time instead of being taken back.",
        ),
        Misconception(
            "SCALE_SIGN",
            lambda z, s, t: _answer(z, s, (_tail(z, s) - t) * s.exp(), -s.sum(dim=1)),
            "The points are stretched a second time instead of being shrunk back.",
        ),
        Misconception(
            "PLAIN_SCALE",
            lambda z, s, t: _answer(z, s, (_tail(z, s) - t) / s, -s.abs().log().sum(dim=1)),
            "The scale is used as it is. What the network returns is its logarithm, so that a "
            "scale can never be zero or negative.",
        ),
        Misconception(
            "MEAN",
            lambda z, s, t: _answer(z, s, (_tail(z, s) - t) * (-s).exp(), -s.mean(dim=1)),
            "The log scales are averaged. The determinant is a product over all moved columns, so "
            "its logarithm is a sum.",
        ),
        Misconception(
            "BATCH_SUM",
            lambda z, s, t: _answer(
                z, s, (_tail(z, s) - t) * (-s).exp(), -s.sum().expand(len(z)).clone()
            ),
            "The log scales of all points are summed. Each point has a determinant of its own.",
        ),
        Misconception(
            "EXP_LOG_DET",
            lambda z, s, t: _answer(z, s, (_tail(z, s) - t) * (-s).exp(), -s.exp().sum(dim=1)),
            "The scales are summed, not their logarithms.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the points that come back, the log determinant of the way back, and the "
            "gradients of both."
        ),
        place=(
            "The first columns pass as they are. For the last ones, undo the last operation first. "
            "The log determinant is a sum over the moved columns."
        ),
        example=(
            "The layer doubled the second number and added one: 3 became 7. Run this:\n"
            ">>> log_scale, shift = torch.tensor([[2.0]]).log(), torch.tensor([[1.0]])\n"
            ">>> coupling_inverse(torch.tensor([[5.0, 7.0]]), log_scale, shift)\n"
            "{'x': tensor([[5., 3.]]), 'log_det': tensor([-0.6931])}"
        ),
        question=(
            "A map doubles all areas. What does its inverse do to them, and what are the "
            "logarithms of both factors?"
        ),
        analogue=(
            "From Celsius to Fahrenheit: the way there is 1.8 c + 32, the way back (f - 32) / 1.8, "
            "and the log factors are 0.588 and -0.588."
        ),
    ),
)
