"""Exercise: the mask that hides the future from a layer."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import integers
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.autoregressive import autoregressive_mask
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def places(sources: int, targets: int, high: int = 4) -> dict[str, Tensor]:
        return {
            "sources": integers(rng, sources, high=high),
            "targets": integers(rng, targets, high=high),
        }

    order = torch.randperm(5, generator=rng)
    same = {"sources": torch.arange(5), "targets": torch.arange(5)}
    return [
        Case(places(6, 4), name="a hidden layer"),
        Case(places(5, 7), {"strict": True}, name="the last layer"),
        Case(same, {"strict": True}, name="pixels to guesses, in order"),
        Case({"sources": order, "targets": order.flip(0)}, {"strict": True}, name="another order"),
        Case({"sources": order, "targets": torch.arange(5)}, {"strict": False}, name="not strict"),
        Case(places(1, 3), name="one unit"),
    ]


def _rule(sources: Tensor, targets: Tensor, strict: bool) -> Tensor:
    a, b = targets[:, None], sources[None]
    return (a > b if strict else a >= b).float()


def _sees_itself(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return _rule(sources, targets, False)


def _always_strict(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return _rule(sources, targets, True)


def _flag_turned(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return _rule(sources, targets, not strict)


def _future(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    a, b = targets[:, None], sources[None]
    return (a < b if strict else a <= b).float()


def _hidden(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return 1 - _rule(sources, targets, strict)


def _transposed(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return _rule(sources, targets, strict).T.contiguous()


def _by_index(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return torch.ones(len(targets), len(sources)).tril(-1 if strict else 0)


def _neighbour(sources: Tensor, targets: Tensor, *, strict: bool = False) -> Tensor:
    return (targets[:, None] - (1 if strict else 0) == sources[None]).float()


SPECIFICATION = Specification(
    id="probability.autoregressive_mask",
    title="The mask that hides the future",
    reference=autoregressive_mask,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SEES_ITSELF",
            _sees_itself,
            "The last layer lets a guess look at its own pixel. Then the guess can be a copy, the "
            "loss falls towards zero, and the model is no law.",
        ),
        Misconception(
            "ALWAYS_STRICT",
            _always_strict,
            "The mask is strict even where `strict` is False. Each strict layer forgets one more "
            "pixel, and one such layer is enough.",
        ),
        Misconception(
            "FLAG_TURNED",
            _flag_turned,
            "Strict and not strict are exchanged. Which of them may hear of its own place?",
        ),
        Misconception(
            "FUTURE",
            _future,
            "Units listen to those that come later. In this chain a guess knows what came before.",
        ),
        Misconception(
            "INVERTED",
            _hidden,
            "Ones and zeros are exchanged: one means that the weight stays.",
        ),
        Misconception(
            "TRANSPOSED",
            _transposed,
            "Rows and columns are exchanged. A weight matrix has a row for each unit that listens.",
        ),
        Misconception(
            "BY_INDEX",
            _by_index,
            "The position in the layer is compared, not the place that each unit carries. Hidden "
            "units come in any order.",
        ),
        Misconception(
            "ONLY_NEIGHBOUR",
            _neighbour,
            "Only one place is heard, as in a Markov chain. A unit may use all places that came "
            "before.",
        ),
    ),
    hints=Hints(
        property="Checked are the ones and zeros for hidden layers, the last layer and any order.",
        place=(
            "Compare every listening place with every speaking place: one as a column, the other "
            "as a row. The only question is whether equality counts. The result is float32."
        ),
        example=(
            "Pixels 0 and 1 speak; the guess for pixel 0 hears nobody, the guess for pixel 1 hears "
            "pixel 0. Run this:\n"
            ">>> pixels = torch.tensor([0, 1])\n"
            ">>> autoregressive_mask(pixels, pixels, strict=True)\n"
            "tensor([[0., 0.],\n"
            "        [1., 0.]])"
        ),
        question=(
            "A hidden unit of place 2 has heard the pixels 0, 1 and 2. Which guesses may it help, "
            "and which would it betray?"
        ),
        analogue=(
            "In a queue of three people, each may look at all who stand before them, and at "
            "nobody else: rows 000, 100, 110. If they may also look at themselves: 100, 110, 111."
        ),
    ),
)
