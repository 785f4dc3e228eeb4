"""Exercise: a likelihood in bits for each stored value."""

import math

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.likelihoods import bits_per_dimension
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

_LOG2 = math.log(2)


def _cases(rng: torch.Generator) -> list[Case]:
    def nll(*shape: int, dims: int, dtype: torch.dtype = torch.float64) -> dict[str, object]:
        return {"nll": 5 + 3 * normal(rng, *shape, dtype=dtype), "dims": dims}

    return [
        Case(nll(4, dims=7), name="probabilities"),
        Case(nll(3, dims=12), {"bin_width": 2 / 256}, name="bytes on an axis from -1 to 1"),
        Case(nll(2, 3, dims=5), {"bin_width": 1 / 8}, name="eight levels on an axis from 0 to 1"),
        Case(nll(5, dims=1), {"bin_width": 0.25}, name="one dimension"),
        Case(nll(3, dims=64, dtype=torch.float32), {"bin_width": 2 / 4}, name="float32 inputs"),
    ]


def _no_log_two(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return nll / dims - math.log(bin_width)


def _mixed_units(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return nll / dims - math.log2(bin_width)


def _times_log_two(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return (nll / dims - math.log(bin_width)) * _LOG2


def _no_dims(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return (nll - dims * math.log(bin_width)) / _LOG2


def _no_width(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return nll / dims / _LOG2


def _wrong_sign(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return (nll / dims + math.log(bin_width)) / _LOG2


def _width_once(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return (nll - math.log(bin_width)) / dims / _LOG2


def _likelihood(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return (-nll / dims - math.log(bin_width)) / _LOG2


def _always_bytes(nll: Tensor, dims: int, *, bin_width: float = 1.0) -> Tensor:
    return (nll / dims - math.log(2 / 256)) / _LOG2


SPECIFICATION = Specification(
    id="probability.bits_per_dimension",
    title="A likelihood in bits per dimension",
    reference=bits_per_dimension,
    cases=_cases,
    differentiate=("nll",),
    misconceptions=(
        Misconception(
            "DENSITY_AS_MASS",
            _no_width,
            "The width of a bin is not used, so a density is read as a probability. A density "
            "changes with the unit of the axis; the bits of a stored picture do not.",
        ),
        Misconception(
            "WIDTH_SIGN",
            _wrong_sign,
            "The width enters with the wrong sign. At the same density a narrower bin has less "
            "probability, so it must cost more bits.",
        ),
        Misconception(
            "WIDTH_ONCE",
            _width_once,
            "The width is counted once for the whole picture. The bin of a picture is a small box "
            "with a side for every dimension.",
        ),
        Misconception(
            "NATS",
            _no_log_two,
            "This is in nats. One bit is log 2 = 0.693 nats.",
        ),
        Misconception(
            "MIXED_UNITS",
            _mixed_units,
            "Nats and bits are added: the likelihood is in nats, the width in bits.",
        ),
        Misconception(
            "TIMES",
            _times_log_two,
            "It is multiplied by log 2 where it should be divided. There are more bits than nats "
            "in the same message.",
        ),
        Misconception(
            "WHOLE_PICTURE",
            _no_dims,
            "These are the bits of the whole picture. Each dimension gets its share.",
        ),
        Misconception(
            "SIGN",
            _likelihood,
            "The input is a negative log-likelihood already: a less probable picture costs more "
            "bits.",
        ),
        Misconception(
            "ALWAYS_BYTES",
            _always_bytes,
            "The bin width of bytes is always used. A probability needs no width, and other data "
            "have other bins.",
        ),
    ),
    hints=Hints(
        property="Checked are the values for several numbers of dimensions and widths of a bin.",
        place=(
            "Two conversions: from a density to the probability of a box with the side bin_width, "
            "in logarithms, and from nats to bits. Then share it among the dimensions."
        ),
        example=(
            "A law that is flat over 256 bytes costs eight bits each, on whatever axis its density "
            "is written. Run this:\n"
            ">>> nll = 10 * torch.tensor([2.0]).log()  # ten values, flat on [-1, 1]\n"
            ">>> bits_per_dimension(nll, 10, bin_width=2 / 256)\n"
            "tensor([8.])"
        ),
        question=(
            "If you halve the width of all bins, how many more bits does a value need, and what "
            "does the density do?"
        ),
        analogue=(
            "In one dimension: a density of 3 over a bin of width 1/12 is a probability of 1/4, "
            "which costs 2 bits: (-log 3 - log(1/12)) / log 2 = 2."
        ),
    ),
)
