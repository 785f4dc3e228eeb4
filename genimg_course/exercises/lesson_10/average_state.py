"""Exercise: the moving average of a network, with its buffers and its warm-up."""

from collections.abc import Mapping

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.averages import average_state
from genimg_course.probing import lesson_10 as probes
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]

State = Mapping[str, Tensor]
_BUFFERS = ("running_mean", "running_var")
_COUNTER = "num_batches_tracked"


def _cases(rng: torch.Generator) -> list[Case]:
    def states(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for owner in ("mean", "now"):
            found[f"{owner}.weight"] = normal(rng, *shape, dtype=dtype)
            found[f"{owner}.running_mean"] = normal(rng, shape[0], dtype=dtype)
            found[f"{owner}.running_var"] = uniform(rng, shape[0], low=0.5, dtype=dtype)
            found[f"{owner}.num_batches_tracked"] = torch.randint(3, 90, (), generator=rng)
        return found

    return [
        Case(states(3, 2), {"n": 0, "decay": 0.9}, name="the first update"),
        Case(states(2, 4), {"n": 7, "decay": 0.9}, name="an early update"),
        Case(states(4, 3), {"n": 500, "decay": 0.7}, name="a late update"),
        Case(states(2, 2), {"n": 20_000, "decay": 0.98}, name="a late update, slow decay"),
        Case(states(3, 3, dtype=torch.float32), {"n": 30, "decay": 0.5}, name="float32 inputs"),
    ]


def _blend(
    mean: State, now: State, weight: float, *, skip: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """Return ``weight * mean + (1 - weight) * now``; names in ``skip`` and counters keep apart."""
    result = {}
    for name, value in now.items():
        if not value.is_floating_point():
            result[name] = value.clone()
        elif name in skip:
            result[name] = mean[name].clone()
        else:
            result[name] = weight * mean[name] + (1 - weight) * value
    return result


def _ramp(n: int, decay: float) -> float:
    return min(decay, (1 + n) / (10 + n))


def _frozen_counter(mean: State, now: State, n: int, *, decay: float) -> dict[str, Tensor]:
    counters = {k: v.clone() for k, v in mean.items() if not v.is_floating_point()}
    return _blend(mean, now, _ramp(n, decay)) | counters


def _copied_buffers(mean: State, now: State, n: int, *, decay: float) -> dict[str, Tensor]:
    return _blend(mean, now, _ramp(n, decay)) | {name: now[name].clone() for name in _BUFFERS}


SPECIFICATION = Specification(
    id="gan.average_state",
    title="The moving average of a network",
    reference=average_state,
    cases=_cases,
    probe=probes.average_state,
    sentences={
        "counter": "The counter `num_batches_tracked` is a whole number: copy the present one."
    },
    misconceptions=(
        Misconception(
            "NO_WARM_UP",
            lambda mean, now, n, *, decay: _blend(mean, now, decay),
            "The decay is constant from the first update on, so the random initial weights stay "
            "in the average for a long time. The early decay must be smaller.",
        ),
        Misconception(
            "SWAPPED",
            lambda mean, now, n, *, decay: _blend(mean, now, 1 - _ramp(n, decay)),
            "The decay weighs the present instead of the past. With 0.998 the average would be "
            "nearly the network itself.",
        ),
        Misconception(
            "PARAMETERS_ONLY",
            lambda mean, now, n, *, decay: _blend(mean, now, _ramp(n, decay), skip=_BUFFERS),
            "The buffers stay what they were. Running statistics that never move make the "
            "averaged network see other numbers than its weights were trained for.",
        ),
        Misconception(
            "BUFFERS_COPIED",
            _copied_buffers,
            "The running statistics are copied while the weights are averaged. They belong to "
            "the weights, so they are averaged with them; only counters are copied.",
        ),
        Misconception(
            "COUNTER_KEPT",
            _frozen_counter,
            "The counter stays at its old value. It is a whole number that cannot be averaged; "
            "the present one is the right one.",
        ),
        Misconception(
            "LATER",
            lambda mean, now, n, *, decay: _blend(mean, now, max(decay, (1 + n) / (10 + n))),
            "The larger of the two decays is taken. Early on the one that grows with n must win, "
            "later the constant one: which of the two is smaller when?",
        ),
        Misconception(
            "ADDED",
            lambda mean, now, n, *, decay: {
                name: (
                    _ramp(n, decay) * mean[name] + value
                    if value.is_floating_point()
                    else value.clone()
                )
                for name, value in now.items()
            },
            "The present enters with weight one, so the result grows far beyond the weights: with "
            "a decay of 0.998 to 500 times their size. The weights of past and present sum to one.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is the new average of parameters, buffers and counter, in the first, an "
            "early and a late update, and that both states stay what they are."
        ),
        place=(
            "One number first: the decay of this update. Then each name: blend what is a "
            "floating-point number, copy what is not."
        ),
        example=(
            "In the first update the past has a weight of one tenth. Run this:\n"
            ">>> mean, now = {'w': torch.tensor([1.0])}, {'w': torch.tensor([3.0])}\n"
            ">>> average_state(mean, now, 0, decay=0.99)\n"
            "{'w': tensor([2.8000])}"
        ),
        question=(
            "How many updates does it take until the random weights of the beginning have a "
            "share below one percent, with 0.998 from the start?"
        ),
        analogue=(
            "A running mean temperature with memory 0.9: after a day of 20 degrees, 10 degrees "
            "become 11. On the second day of a record the memory cannot be 0.9 yet."
        ),
    ),
)
