"""Exercise: the device to compute on."""

from itertools import product

import torch

from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing import lesson_00 as probes
from genimg_course.probing.case import Case
from genimg_course.training.orientation import DEVICES, choose_device

__all__ = ["SPECIFICATION"]

_CPU, _CUDA, _MPS = range(3)


def _cases(rng: torch.Generator) -> list[Case]:
    return [
        Case({"cuda": cuda, "mps": mps}, {"wanted": wanted}, name=_told(cuda, mps, wanted))
        for wanted in (None, *DEVICES)
        for cuda, mps in product((False, True), repeat=2)
    ]


def _told(cuda: bool, mps: bool, wanted: str | None) -> str:
    return f"`cuda={cuda}, mps={mps}, wanted={wanted!r}`"


def _best(cuda: bool, mps: bool) -> int:
    return choose_device(cuda, mps)


def _without_apple(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    return choose_device(cuda, mps, wanted) if wanted else (_CUDA if cuda else _CPU)


def _apple_first(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    return choose_device(cuda, mps, wanted) if wanted else choose_device(cuda and not mps, mps)


def _silent(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    try:
        return choose_device(cuda, mps, wanted)
    except ValueError:
        return _best(cuda, mps)


def _silent_cpu(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    try:
        return choose_device(cuda, mps, wanted)
    except ValueError:
        return _CPU


def _refuses_machines(cuda: bool, mps: bool, wanted: str | None = None) -> int:
    if not (cuda or mps):
        raise ValueError("no GPU")
    return choose_device(cuda, mps, wanted)


SPECIFICATION = Specification(
    id="orientation.choose_device",
    title="The device to compute on",
    reference=choose_device,
    cases=_cases,
    probe=probes.choose_device,
    sentences={
        "refused": (
            "A `ValueError` should be raised if a device is wanted that the machine does not have, "
            "and otherwise never."
        )
    },
    misconceptions=(
        Misconception(
            "HARD_CODED",
            lambda cuda, mps, wanted=None: _CUDA,
            "It always takes CUDA. Many machines on which a notebook is opened have none, and "
            "there the first tensor stops it.",
        ),
        Misconception(
            "IGNORED",
            lambda cuda, mps, wanted=None: _best(cuda, mps),
            "The wish is not looked at. Somebody who asks for the CPU has a reason, for example to "
            "compare.",
        ),
        Misconception(
            "TRUSTING",
            lambda cuda, mps, wanted=None: DEVICES.index(wanted) if wanted else _best(cuda, mps),
            "A wish is granted without a look at the machine. Whoever asks for a GPU that is not "
            "there should hear so at once, not at the first tensor.",
        ),
        Misconception(
            "SILENT",
            _silent,
            "A wish that cannot be met is replaced without a word, by the best device there is. "
            "Nobody would notice; say no instead.",
        ),
        Misconception(
            "SILENT_CPU",
            _silent_cpu,
            "A wish that cannot be met ends on the CPU without a word. The run could take an "
            "evening instead of minutes; say no instead.",
        ),
        Misconception(
            "NO_APPLE",
            _without_apple,
            "Without a wish, an Apple GPU stays unused.",
        ),
        Misconception(
            "APPLE_FIRST",
            _apple_first,
            "Where both are said to be there, the Apple GPU is taken first. Take CUDA first.",
        ),
        Misconception(
            "NEEDS_GPU",
            _refuses_machines,
            "A machine without a GPU is refused. It has a CPU, and this course runs on it.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are all sixteen combinations: CUDA or not, MPS or not, no wish or one of "
            "three."
        ),
        place=(
            "Two questions, one after the other. Is there a wish? Then it is met or refused. Is "
            "there none? Then take the first that is there of CUDA, MPS, CPU."
        ),
        example=(
            "A machine with an Apple GPU, once without a wish, once with the wish for the CPU. "
            "Run this:\n"
            ">>> choose_device(False, True), choose_device(False, True, wanted='cpu')\n"
            "(2, 0)"
        ),
        question="What should happen on a machine without a GPU if nobody asked for one?",
        analogue=(
            "At a bakery: without a wish you get the freshest bread there is. If you ask for rye "
            "and there is none, you want to be told, not to find wheat in the bag."
        ),
    ),
)
