"""Exercise: the gradient of the cross-entropy for the logits."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import integers, normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.classification import softmax_cross_entropy_gradient
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(
        rows: int, classes: int, *, scale: float = 1.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "logits": normal(rng, rows, classes, scale=scale, dtype=dtype),
            "y": integers(rng, rows, high=classes),
        }

    large = batch(6, 4, scale=500.0)
    large["logits"][0, 0] = 1000.0  # its exponential is infinite in float64
    return [
        Case(batch(5, 3)),
        Case(batch(4, 10)),
        Case(batch(1, 4), name="one example"),
        Case(large, name="logits of many hundreds"),
        Case(batch(3, 4, dtype=torch.float32), name="float32 inputs"),
    ]


def _truth(logits: Tensor, y: Tensor) -> Tensor:
    return F.one_hot(y, logits.shape[1]).to(logits)


def _sigmoid_slope(logits: Tensor, y: Tensor) -> Tensor:
    p = logits.softmax(dim=1)
    return (p - _truth(logits, y)) * p * (1 - p) / len(y)


SPECIFICATION = Specification(
    id="networks.softmax_cross_entropy_gradient",
    title="The gradient of the cross-entropy for the logits",
    reference=softmax_cross_entropy_gradient,
    cases=_cases,
    misconceptions=(
        Misconception(
            "SUM",
            lambda logits, y: logits.softmax(dim=1) - _truth(logits, y),
            "This is the gradient of the sum over the batch. The loss is a mean, so each example "
            "has only its share.",
        ),
        Misconception(
            "SIGN",
            lambda logits, y: (_truth(logits, y) - logits.softmax(dim=1)) / len(y),
            "The sign is that of the way down. The gradient points up: raising the logit of the "
            "right class lowers the loss, so its entry is negative.",
        ),
        Misconception(
            "NO_TRUTH",
            lambda logits, y: logits.softmax(dim=1) / len(y),
            "The right class is not used. Each row of the gradient sums to zero, for adding one "
            "number to all logits changes nothing.",
        ),
        Misconception(
            "RIGHT_ONLY",
            lambda logits, y: (logits.softmax(dim=1) - 1) * _truth(logits, y) / len(y),
            "Only the right class gets a gradient. The others are in the loss as well: they stand "
            "in the sum below the line of the softmax's fraction.",
        ),
        Misconception(
            "SQUARED_ERROR",
            _sigmoid_slope,
            "Here the slope of the squashing function is a factor, as it would be with a squared "
            "error. In the cross-entropy it cancels, and that is why one uses it.",
        ),
        Misconception(
            "SIGMOID",
            lambda logits, y: (logits.sigmoid() - _truth(logits, y)) / len(y),
            "Each class is squashed by itself. The softmax makes them compete: the probabilities "
            "of a row sum to one.",
        ),
        Misconception(
            "BATCH_SOFTMAX",
            lambda logits, y: (logits.softmax(dim=0) - _truth(logits, y)) / len(y),
            "The softmax runs over the batch. It belongs to the classes of each example.",
        ),
        Misconception(
            "OVERFLOW",
            lambda logits, y: (
                (logits.exp() / logits.exp().sum(dim=1, keepdim=True) - _truth(logits, y)) / len(y)
            ),
            "The formula is right, but the exponential of a logit of many hundreds is infinite. "
            "Who can do a softmax without that?",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the values, the mean over the batch, and logits of many hundreds. Each "
            "row sums to zero."
        ),
        place=(
            "The loss of one example is the log of the sum of all exponentials, minus the right "
            "logit. Differentiate both parts for one logit, then divide by the size of the batch."
        ),
        example=(
            "Undecided between two classes, and the second is right. Run this:\n"
            ">>> softmax_cross_entropy_gradient(torch.zeros(1, 2), torch.tensor([1]))\n"
            "tensor([[ 0.5000, -0.5000]])"
        ),
        question=(
            "What is the derivative of log(exp(a) + exp(b)) for a, and where have you seen that "
            "fraction before?"
        ),
        analogue=(
            "With other numbers: probabilities 0.7, 0.2, 0.1, and the third class is right. The "
            "gradient of this example is 0.7, 0.2, -0.9."
        ),
    ),
)
