"""Exercise: correct class probabilities for new class frequencies."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.conditioning import prior_shift
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def law(classes: int, dtype: torch.dtype = torch.float64) -> Tensor:
        raw = uniform(rng, classes, low=0.1, dtype=dtype)
        return raw / raw.sum()

    def problem(batch: int, classes: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        posterior = normal(rng, batch, classes, dtype=dtype).softmax(dim=1)
        return {
            "posterior": posterior,
            "old_prior": law(classes, dtype),
            "new_prior": law(classes, dtype),
        }

    absent = problem(3, 4)
    absent["new_prior"][1] = 0.0
    return [
        *(Case(problem(*sizes)) for sizes in ((4, 3), (3, 5), (3, 3))),
        Case(problem(1, 4), name="one example"),
        Case(absent, name="a class that does not occur any more"),
        Case(problem(2, 3, torch.float32), name="float32 inputs"),
    ]


def _normalised(values: Tensor, dim: int = 1) -> Tensor:
    return values / values.sum(dim=dim, keepdim=True)


SPECIFICATION = Specification(
    id="cgan.prior_shift",
    title="New class frequencies",
    reference=prior_shift,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NOT_NORMALISED",
            lambda posterior, old, new: posterior * new / old,
            "The probabilities of an example do not sum to 1. The law is only proportional to "
            "this product: what is left to do?",
        ),
        Misconception(
            "INVERSE",
            lambda posterior, old, new: _normalised(posterior * old / new),
            "The ratio is upside down. A class that has become more frequent must become more "
            "likely.",
        ),
        Misconception(
            "OLD_KEPT",
            lambda posterior, old, new: _normalised(posterior * new),
            "The old frequencies are still in there. The posterior holds them already: they have "
            "to go out before the new ones come in.",
        ),
        Misconception(
            "OLD_REMOVED",
            lambda posterior, old, new: _normalised(posterior / old),
            "The old frequencies are taken out, but the new ones never come in. This is right "
            "only if all classes become equally frequent.",
        ),
        Misconception(
            "BATCH",
            lambda posterior, old, new: _normalised(posterior * new / old, dim=0),
            "The normalisation runs over the batch. The probabilities of one example, over all "
            "classes, sum to 1.",
        ),
        Misconception(
            "WHOLE",
            lambda posterior, old, new: posterior * new / old / (posterior * new / old).sum(),
            "All examples together are normalised. Each example has a law of its own that sums to "
            "1.",
        ),
        Misconception(
            "SOFTMAX",
            lambda posterior, old, new: (posterior * new / old).softmax(dim=1),
            "A softmax is for logits. These are proportional to probabilities already: what makes "
            "them sum to 1?",
        ),
        Misconception(
            "ADDED",
            lambda posterior, old, new: posterior + new - old,
            "The difference of the frequencies is added. This sums to 1 but can be negative: "
            "Bayes' rule multiplies.",
        ),
        Misconception(
            "REPLACED",
            lambda posterior, old, new: new.expand_as(posterior),
            "The new frequencies replace the posterior, so the image does not matter any more.",
        ),
        Misconception(
            "UNCHANGED",
            lambda posterior, old, new: _normalised(posterior),
            "Nothing changes. The images of each class stay the same, and yet the probabilities "
            "depend on how frequent each class is.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the shape `(B, K)`, that each row sums to 1, and the values, also with a "
            "class that no longer occurs."
        ),
        place=(
            "By Bayes' rule a posterior is a likelihood times a prior, over a sum. Exchange the "
            "prior, then make each row sum to 1."
        ),
        example=(
            "If a class becomes three times as frequent as the other, so do its odds. Run this:\n"
            ">>> prior_shift(torch.tensor([[0.5, 0.5]]), torch.tensor([0.5, 0.5]), "
            "torch.tensor([0.75, 0.25]))\n"
            "tensor([[0.7500, 0.2500]])"
        ),
        question=(
            "Write p(y | x) with Bayes' rule, once with the old and once with the new "
            "frequencies, and divide. What cancels, and what depends on x alone?"
        ),
        analogue=(
            "With a test: it says ill with 0.6 where 30 % are ill. Where 10 % are ill the odds "
            "0.6 : 0.4 are multiplied by 1/3 for ill and by 9/7 for well: 0.2 : 0.514, so 0.28."
        ),
    ),
)
