"""Exercise: the reconstruction term of a Bernoulli decoder, from logits."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal, permutation, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.likelihoods import bernoulli_nll
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _images(
    rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    logits = normal(rng, *shape, scale=3.0, dtype=dtype)
    return {"logits": logits, "target": uniform(rng, *shape, dtype=dtype)}


def _cases(rng: torch.Generator) -> list[Case]:
    signs = permutation(rng, [1.0, -1.0])
    sure = {
        "logits": 1000 * normal(rng, 2, 1, 2, 2).sign(),
        "target": uniform(rng, 2, 1, 2, 2).round(),
    }
    sure["logits"][0, 0, 0], sure["target"][0, 0, 0] = (
        1000 * signs,
        0.5 - signs / 2,
    )  # sure and wrong
    return [
        *(Case(_images(rng, *shape)) for shape in ((1, 1, 2, 3), (3, 1, 4, 2), (2, 3, 2, 2))),
        Case(_images(rng, 4, 6), name="images as rows"),
        Case(sure, name="logits of 1000 and -1000"),
        Case(_images(rng, 2, 1, 3, 3, dtype=torch.float32), name="float32 inputs"),
    ]


def _pixels(logits: Tensor, target: Tensor) -> Tensor:
    return (F.softplus(logits) - logits * target).flatten(start_dim=1)


def _by_logs(ink: Tensor, target: Tensor) -> Tensor:
    return -(target * ink.log() + (1 - target) * (1 - ink).log()).flatten(start_dim=1).sum(dim=1)


SPECIFICATION = Specification(
    id="vae.bernoulli_nll",
    title="The reconstruction term from logits",
    reference=bernoulli_nll,
    cases=_cases,
    differentiate=("logits",),
    misconceptions=(
        Misconception(
            "MEAN_PIXELS",
            lambda logits, target: _pixels(logits, target).mean(dim=1),
            "This is a mean over the pixels. A log-likelihood of independent pixels adds up, and "
            "the mean would silently multiply beta by the number of pixels.",
        ),
        Misconception(
            "MEAN_BATCH",
            lambda logits, target: _pixels(logits, target).sum(dim=1).mean(),
            "The batch is averaged already. One value per image is asked for; the mean over "
            "images comes later, in the loss.",
        ),
        Misconception(
            "MEAN_ALL",
            lambda logits, target: _pixels(logits, target).mean(),
            "Everything is averaged, pixels and images alike. Pixels of one image add up; images "
            "stay apart.",
        ),
        Misconception(
            "SIGN",
            lambda logits, target: -_pixels(logits, target).sum(dim=1),
            "This is the log-likelihood itself. A loss falls when the reconstruction gets better: "
            "which sign does that need?",
        ),
        Misconception(
            "DOUBLE_SIGMOID",
            lambda logits, target: _pixels(logits.sigmoid(), target).sum(dim=1),
            "The sigmoid is applied twice: once by you, once by the function that expects logits. "
            "Ink then never leaves the range from 0.5 to 0.73.",
        ),
        Misconception(
            "NO_SIGMOID",
            lambda logits, target: _by_logs(logits, target),
            "The logits are used as if they were probabilities. A logit can be any number: what "
            "maps it into (0, 1)?",
        ),
        Misconception(
            "RANGE",
            lambda logits, target: _pixels(logits, 2 * target - 1).sum(dim=1),
            "The target is stretched to [-1, 1]. A Bernoulli target is a share of ink between 0 "
            "and 1; the pixel range of the model ends before this function.",
        ),
        Misconception(
            "RANGE_TWICE",
            lambda logits, target: _pixels(logits, (target + 1) / 2).sum(dim=1),
            "The target is mapped from [-1, 1] to [0, 1], but it is in [0, 1] already. Black "
            "paper would turn into grey.",
        ),
        Misconception(
            "INK_ONLY",
            lambda logits, target: (target * F.softplus(-logits)).flatten(start_dim=1).sum(dim=1),
            "Only the pixels with ink count. A decoder that paints everything white would be "
            "perfect: what should white paint on empty paper cost?",
        ),
        Misconception(
            "STABLE",
            lambda logits, target: _by_logs(logits.sigmoid(), target),
            "The formula is right, but it takes the log of a sigmoid. That sigmoid rounds to 0 or "
            "1 when the decoder is sure, and the log becomes infinite. Which form starts from the "
            "logit?",
        ),
        Misconception(
            "CLAMPED",
            lambda logits, target: (
                F.binary_cross_entropy(logits.sigmoid(), target, reduction="none")
                .flatten(start_dim=1)
                .sum(dim=1)
            ),
            "The loss is cut off where the decoder is very sure and wrong, and the gradient is "
            "lost there: probabilities were made before the log was taken. Which form starts from "
            "the logit?",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are the shape `(B,)`, the value, the gradient of the logits, and that logits "
            "of 1000 and -1000 give finite numbers."
        ),
        place=(
            "The sum runs over all axes but the first, however many there are. Each pixel has a "
            "part for ink and a part for no ink."
        ),
        example=(
            "A decoder that is undecided pays log 2 = 0.6931 for each pixel, and one that is sure "
            "and wrong pays its logit. Run this:\n"
            ">>> bernoulli_nll(torch.tensor([[0.0, 0.0], [200.0, 0.0]]), torch.zeros(2, 2))\n"
            "tensor([  1.3863, 200.6931])"
        ),
        question=(
            "With `p = sigmoid(a)`, write `log p` and `log(1 - p)` by `log(1 + exp(...))` alone. "
            "Which of the two forms does torch know under the name softplus?"
        ),
        analogue=(
            "With one coin: log odds 2 mean a chance of 0.881 for heads. Heads costs log(1 + "
            "exp(-2)) = 0.127 nats, tails log(1 + exp(2)) = 2.127 nats, the same plus 2."
        ),
    ),
)
