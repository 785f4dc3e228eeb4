"""Exercise: the discriminator's loss, from logits."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal, permutation
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import discriminator_loss
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def logits(real: int, fake: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        return {
            "real_logits": 1 + 2 * normal(rng, real, dtype=dtype),
            "fake_logits": -2 + 2 * normal(rng, fake, dtype=dtype),
        }

    sure = {
        name: permutation(rng, [900.0, 900.0, -900.0, -900.0])
        for name in ("real_logits", "fake_logits")
    }
    return [
        *(Case(logits(*sizes)) for sizes in ((1, 1), (4, 4), (5, 5))),
        Case(logits(3, 6), name="batches of different sizes"),
        Case(sure, name="logits of 900 and -900"),
        Case(logits(4, 4, torch.float32), name="float32 inputs"),
    ]


def _real(logits: Tensor) -> Tensor:
    return F.softplus(-logits).mean()


def _fake(logits: Tensor) -> Tensor:
    return F.softplus(logits).mean()


SPECIFICATION = Specification(
    id="gan.discriminator_loss",
    title="The discriminator's loss",
    reference=discriminator_loss,
    cases=_cases,
    differentiate=("real_logits", "fake_logits"),
    misconceptions=(
        Misconception(
            "REAL_ONLY",
            lambda real, fake: _real(real) + 0 * fake.sum(),
            "Only real images are judged. A discriminator that says real to everything would be "
            "perfect.",
        ),
        Misconception(
            "FAKE_ONLY",
            lambda real, fake: 0 * real.sum() + _fake(fake),
            "Only generated images are judged. A discriminator that says fake to everything would "
            "be perfect.",
        ),
        Misconception(
            "SWAPPED",
            lambda real, fake: _real(fake) + _fake(real),
            "The labels are swapped: this rewards high logits for generated images. A high logit "
            "means real.",
        ),
        Misconception(
            "SIGN",
            lambda real, fake: -(_real(real) + _fake(fake)),
            "This is the value of the game, which the discriminator makes large. A loss is made "
            "small: which sign is missing?",
        ),
        Misconception(
            "DOUBLE_SIGMOID",
            lambda real, fake: _real(real.sigmoid()) + _fake(fake.sigmoid()),
            "The sigmoid is applied twice: once by you, once by the function that expects logits. "
            "Even a perfect discriminator then pays.",
        ),
        Misconception(
            "STABLE",
            lambda real, fake: -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean(),
            "The formula is right, but it takes the log of a sigmoid, and that is the log of zero "
            "where the discriminator is sure and wrong. Which form starts from the logit?",
        ),
        Misconception(
            "HALVED",
            lambda real, fake: (_real(real) + _fake(fake)) / 2,
            "The two terms are averaged. Each is an expectation of its own and they are added: an "
            "undecided discriminator pays log 4, not log 2.",
        ),
        Misconception(
            "SUMMED",
            lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(),
            "The batch is summed. Both terms are expectations, so a larger batch must not cost "
            "more.",
        ),
        Misconception(
            "JOINT",
            lambda real, fake: (F.softplus(-real) * F.softplus(fake)).mean(),
            "The two terms are multiplied. Real and generated images are judged one by one, and "
            "their costs add up.",
        ),
        Misconception(
            "TOTAL",
            lambda real, fake: _real(real) + _fake(fake) + _real(fake),
            "The generator's loss is added. The two players want opposite things, so each needs a "
            "loss of its own: their sum pulls the discriminator both ways.",
        ),
        Misconception(
            "RAW",
            lambda real, fake: fake.mean() - real.mean(),
            "This is a difference of mean logits, as in a Wasserstein GAN. The cross-entropy of a "
            "classifier is asked for: when is it nearly satisfied?",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are one number, its value for batches of equal and different sizes, its "
            "gradients, and that logits of 900 stay finite."
        ),
        place=(
            "Two means, one over real and one over generated images, then a sum. Each is the cost "
            "of a yes-or-no question from its logit."
        ),
        example=(
            "An undecided discriminator pays log 2 on each side, log 4 = 1.3863 in all. One that "
            "is sure and right pays nothing. Run this:\n"
            ">>> discriminator_loss(torch.zeros(3), torch.zeros(3))\n"
            "tensor(1.3863)\n"
            ">>> discriminator_loss(torch.tensor([900.0]), torch.tensor([-900.0]))\n"
            "tensor(0.)"
        ),
        question=(
            "With `D = sigmoid(a)`, what is `-log D` in terms of `exp(-a)`? And `-log(1 - D)`? "
            "What is the only difference between the two?"
        ),
        analogue=(
            "With other numbers: logits 2 on a real and 1 on a generated image cost log(1 + "
            "exp(-2)) = 0.127 and log(1 + exp(1)) = 1.313, together 1.440 nats."
        ),
    ),
)
