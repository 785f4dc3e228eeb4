"""Exercise: join noise and the vector of a class."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import integers, normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.conditioning import condition
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(
        count: int, latents: int, classes: int, length: int, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {
            "z": normal(rng, count, latents, dtype=dtype),
            "y": integers(rng, count, high=classes),
            "table": normal(rng, classes, length, dtype=dtype),
        }

    return [
        Case(batch(4, 3, 5, 2)),
        Case(batch(3, 2, 4, 6)),
        Case(batch(5, 4, 3, 4), name="class vectors as long as the noise"),
        Case(batch(1, 2, 3, 3), name="one example"),
        Case(batch(3, 2, 4, 3, torch.float32), name="float32 inputs"),
    ]


def _column(y: Tensor, like: Tensor) -> Tensor:
    return y[:, None].to(like.dtype)


SPECIFICATION = Specification(
    id="cgan.condition",
    title="Noise and a class vector, joined",
    reference=condition,
    cases=_cases,
    differentiate=("z", "table"),
    misconceptions=(
        Misconception(
            "IGNORED",
            lambda z, y, table: torch.cat([z, table[torch.zeros_like(y)]], dim=1),
            "The class does not matter: every example gets the same vector. Asking for a 7 must "
            "give another input than asking for a 3.",
        ),
        Misconception(
            "NUMBER",
            lambda z, y, table: torch.cat([z, _column(y, z)], dim=1),
            "The class enters as a number. Then 3 lies between 2 and 4, and 9 is large. Classes "
            "have no order: each needs a vector of its own.",
        ),
        Misconception(
            "ONE_HOT",
            lambda z, y, table: torch.cat([z, F.one_hot(y, len(table)).to(z.dtype)], dim=1),
            "The one-hot code of the class is joined, and the learned vectors are not used. How "
            "does a one-hot code pick a row of the table?",
        ),
        Misconception(
            "ROWS",
            lambda z, y, table: torch.cat([z, table[y]], dim=0),
            "The class vectors are put below the noise, as if they were more examples. Each "
            "example needs its vector beside its noise.",
        ),
        Misconception(
            "ORDER",
            lambda z, y, table: torch.cat([table[y], z], dim=1),
            "The two parts are in the other order. Either would do, but the rest of the lesson "
            "expects the noise first.",
        ),
        Misconception(
            "FROZEN",
            lambda z, y, table: torch.cat([z, table.detach()[y]], dim=1),
            "The value is right, but the class vectors are cut from the graph, so they stay as "
            "random as they began. They are learned like any other weight.",
        ),
        Misconception(
            "POSITION",
            lambda z, y, table: torch.cat([z, table[torch.arange(len(z)) % len(table)]], dim=1),
            "The rows are taken in the order of the batch. Which row an example gets is for its "
            "label to say.",
        ),
        Misconception(
            "MEAN",
            lambda z, y, table: torch.cat([z, table.mean(dim=0).expand(len(z), -1)], dim=1),
            "Every example gets the mean of all class vectors. Which one is its own?",
        ),
        Misconception(
            "ALL",
            lambda z, y, table: torch.cat([z, table.flatten().expand(len(z), -1)], dim=1),
            "Every example gets the whole table. It should get the one row that belongs to its "
            "class.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the shape `(B, Z + E)`, that the vector follows the label, and that "
            "gradients reach the noise and the table."
        ),
        place=(
            "Two parts side by side: the noise as it is, and the row of the table that the label "
            "names. Mind the axis."
        ),
        example=(
            "One number of noise and the class vectors 10 and 20 give rows of two. Run this:\n"
            ">>> condition(torch.tensor([[1.0], [2.0]]), torch.tensor([1, 0]), "
            "torch.tensor([[10.0], [20.0]]))\n"
            "tensor([[ 1., 20.],\n"
            "        [ 2., 10.]])"
        ),
        question=(
            "A tensor of labels can stand where an index stands. What shape has the table when it "
            "is indexed by `(B,)` labels?"
        ),
        analogue=(
            "With words: the sentences 2 and 0 of a phrase book, each behind the name of its "
            "speaker, are `name[0] + phrase[2]` and `name[1] + phrase[0]`."
        ),
    ),
)
