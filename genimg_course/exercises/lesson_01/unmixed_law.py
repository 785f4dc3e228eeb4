"""Exercise: read the law of the originals off the augmented ones."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.group_augmentation import mixed_law, unmixed_law
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def pair(*shape: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        law, turns = uniform(rng, *shape, low=0.05), uniform(rng, shape[-1], low=0.05)
        weights = 0.4 * turns / turns.sum()
        weights[0] += 0.6
        observed = mixed_law(law / law.sum(dim=-1, keepdim=True), weights)
        return {"observed": observed.to(dtype), "weights": weights.to(dtype)}

    certain = pair(4)
    certain["weights"] = torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    return [
        Case(pair(4)),
        Case(pair(3, 6)),
        Case(pair(2, 3, 5)),
        Case(certain, name="one turn, always"),
        Case(pair(5, 4, dtype=torch.float32), name="float32 inputs"),
    ]


def _divided(observed: Tensor, factors: Tensor) -> Tensor:
    return torch.fft.ifft(torch.fft.fft(observed) / factors).real


def _even(observed: Tensor, weights: Tensor) -> Tensor:
    share = (1 - weights[0]) * len(weights) / (len(weights) - 1)
    return (observed - share * observed.mean(dim=-1, keepdim=True)) / (1 - share)


def _proportions(observed: Tensor, weights: Tensor) -> Tensor:
    ratio = observed / (weights + 1e-3)
    return ratio / ratio.sum(dim=-1, keepdim=True)


SPECIFICATION = Specification(
    id="images.unmixed_law",
    title="The law before the augmentation",
    reference=unmixed_law,
    cases=_cases,
    misconceptions=(
        Misconception(
            "AS_SEEN",
            lambda observed, weights: observed.clone(),
            "This is the law of the augmented pictures. A model that is trained on them learns "
            "just that: the augmentation has leaked.",
        ),
        Misconception(
            "AGAIN",
            mixed_law,
            "The turns are applied once more, so the law becomes even flatter. They have to be "
            "undone.",
        ),
        Misconception(
            "BACKWARDS",
            lambda observed, weights: _divided(observed, torch.fft.fft(weights).conj()),
            "The modes are divided by the conjugate factors: that undoes turns in the other "
            "direction.",
        ),
        Misconception(
            "SIZES",
            lambda observed, weights: _divided(observed, torch.fft.fft(weights).abs()),
            "Only the sizes of the factors are used. Their angles say how far each mode was "
            "turned.",
        ),
        Misconception(
            "PROPORTIONS",
            _proportions,
            "The frequencies are divided by the chances of the turns, entry by entry. A place "
            "collects pictures from all turns, so the places cannot be mended one by one.",
        ),
        Misconception(
            "EVEN_TURNS",
            _even,
            "This is right only if all turns other than none are equally likely.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is the law for four, five and six orientations, with turns of unequal chances."
        ),
        place="In the Fourier domain the mixture is a product, mode by mode. How is it undone?",
        example=(
            "A fifth of the pictures was turned by one step, the others stayed. Run this:\n"
            ">>> seen, chances = torch.tensor([0.38, 0.42, 0.2]), torch.tensor([0.8, 0.2, 0.0])\n"
            ">>> torch.round(unmixed_law(seen, chances), decimals=3)\n"
            "tensor([0.4380, 0.4150, 0.1460])"
        ),
        question="Which matrix takes the law before to the law after, and what is its inverse?",
        analogue=(
            "With other numbers: a mirror with chance 0.3 makes 0.66 of 0.9, because 0.7 * 0.9 + "
            "0.3 * 0.1 = 0.66. Back: 0.5 + (0.66 - 0.5) / 0.4 = 0.9."
        ),
    ),
)
