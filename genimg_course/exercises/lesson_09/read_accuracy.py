"""Exercise: what an accuracy of one half means."""

from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.probing.case import Case
from genimg_course.training.watching import read_accuracy

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def runs(
        noise: float, dtype: torch.dtype = torch.float64, *, least: float = 0.0
    ) -> dict[str, Tensor]:
        grid = torch.cartesian_prod(
            torch.tensor([0.5, 0.2, 0.9], dtype=dtype),  # accuracy
            torch.tensor([0.0, 0.3], dtype=dtype),  # how far it moved
            torch.tensor([0.5, 0.85], dtype=dtype),  # accuracy of a fresh one
        )
        grid = grid[torch.randperm(len(grid), generator=rng)]
        sign = 2 * torch.randint(2, (2, len(grid)), generator=rng) - 1
        shift = sign * uniform(rng, 2, len(grid), low=least, high=noise, dtype=dtype)
        return {
            "accuracy": grid[:, 0] + shift[0],
            "d_moves": grid[:, 1],
            "fresh_accuracy": grid[:, 2] + shift[1],
        }

    return [
        Case(runs(0.04)),
        Case(runs(0.0), name="accuracies of exactly one half"),
        Case(runs(0.09, least=0.06), {"tolerance": 0.1}, name="a tolerance of 0.1"),
        Case(runs(0.03, torch.float32), name="float32 inputs"),
    ]


def _near(accuracy: Tensor, tolerance: float) -> Tensor:
    return (accuracy - 0.5).abs() <= tolerance


def _in_kind(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Give the verdicts the dtype of the accuracies, as asked."""

    def answer(accuracy: Tensor, *others: Tensor, **options: float) -> Tensor:
        return function(accuracy, *others, **options).to(accuracy.dtype)

    return answer


SPECIFICATION = Specification(
    id="clinic.read_accuracy",
    title="What an accuracy of one half means",
    reference=read_accuracy,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SUCCESS",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: _near(
                    accuracy, tolerance
                ).long()
            ),
            "Every accuracy near one half is called a success. A discriminator that has stopped "
            "learning may guess as well.",
        ),
        Misconception(
            "DEAD",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: (
                    2 * _near(accuracy, tolerance).long()
                )
            ),
            "Every accuracy near one half is called a dead discriminator. If the fakes are "
            "perfect, the best discriminator guesses too.",
        ),
        Misconception(
            "MOVING",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: torch.where(
                    _near(accuracy, tolerance), torch.where(d_moves > 0, 1, 2), 0
                )
            ),
            "A moving discriminator is taken for a success. It may be misled: it learns, and it "
            "learns something wrong. Which of the numbers can tell?",
        ),
        Misconception(
            "BELOW",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: torch.where(
                    accuracy <= 0.5 + tolerance,
                    torch.where(
                        _near(fresh_accuracy, tolerance), 1, torch.where(d_moves == 0, 2, 3)
                    ),
                    0,
                )
            ),
            "An accuracy far below one half is counted as one half. Who is wrong four times in "
            "five knows something.",
        ),
        Misconception(
            "FRESH_TURNED",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: torch.where(
                    _near(accuracy, tolerance),
                    torch.where(
                        _near(fresh_accuracy, tolerance), torch.where(d_moves == 0, 2, 3), 1
                    ),
                    0,
                )
            ),
            "The fresh discriminator is read the wrong way round. If it can tell the pictures "
            "apart, there was something to learn.",
        ),
        Misconception(
            "EXACT",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: torch.where(
                    accuracy == 0.5,
                    torch.where(fresh_accuracy == 0.5, 1, torch.where(d_moves == 0, 2, 3)),
                    0,
                )
            ),
            "The accuracies are compared with one half exactly. They are measured on samples, so "
            "they need the tolerance.",
        ),
        Misconception(
            "FIXED",
            _in_kind(
                lambda accuracy, d_moves, fresh_accuracy, *, tolerance=0.05: read_accuracy(
                    accuracy, d_moves, fresh_accuracy
                )
            ),
            "The tolerance that is given is not used.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are all combinations of the three numbers, with noise, and two tolerances; "
            "the verdicts have the dtype of the accuracies."
        ),
        place=(
            "Decide in this order: is the accuracy near one half at all? Does the fresh "
            "discriminator find anything? Only then: does the old one move?"
        ),
        example=(
            "A discriminator at one half that does not move, while a fresh one is right nine times "
            "in ten, is dead. Run this:\n"
            ">>> read_accuracy(torch.tensor([0.5]), torch.tensor([0.0]), torch.tensor([0.9]))\n"
            "tensor([2.])"
        ),
        question="What would a discriminator say that had just been born and looked carefully?",
        analogue=(
            "With other words: a guard is right about half of all visitors. Ask a second guard. If "
            "that one guesses too, the visitors look alike; if not, see whether the first is awake."
        ),
    ),
)
