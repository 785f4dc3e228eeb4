"""Exercise: the generator's loss that does not saturate."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import normal
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import generator_loss
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def logits(
        count: int, level: float = -1.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        return {"fake_logits": level + 2 * normal(rng, count, dtype=dtype)}

    return [
        *(Case(logits(count)) for count in (1, 4, 6)),
        Case({"fake_logits": torch.full((3,), -4.595, dtype=torch.float64)}, name="D(G(z)) = 0.01"),
        Case(logits(4, level=-900.0), name="logits near -900"),
        Case(logits(5, dtype=torch.float32), name="float32 inputs"),
    ]


SPECIFICATION = Specification(
    id="gan.generator_loss",
    title="The generator's loss",
    reference=generator_loss,
    cases=_cases,
    differentiate=("fake_logits",),
    misconceptions=(
        Misconception(
            "SATURATING",
            lambda fake: -F.softplus(fake).mean(),
            "This is the zero-sum loss, log(1 - D). Where the discriminator is sure that an image "
            "is fake it is flat: at D = 0.01 the generator gets a gradient of 0.01. Which form "
            "gets 0.99?",
        ),
        Misconception(
            "TARGET",
            lambda fake: F.softplus(fake).mean(),
            "The target is fake. The generator wants its images to be taken for real: which "
            "answer of the discriminator should cost it nothing?",
        ),
        Misconception(
            "SIGN",
            lambda fake: -F.softplus(-fake).mean(),
            "The sign is missing: this is log D, which gets larger as the images get better. A "
            "loss has to fall.",
        ),
        Misconception(
            "NO_LOG",
            lambda fake: (1 - fake.sigmoid()).mean(),
            "There is no log: this is the mean of 1 - D. Its gradient vanishes where the "
            "discriminator is sure, on both sides.",
        ),
        Misconception(
            "RAW",
            lambda fake: -fake.mean(),
            "This is the negative mean logit, as in a Wasserstein GAN. Its gradient never rests, "
            "even when the images are taken for real.",
        ),
        Misconception(
            "DOUBLE_SIGMOID",
            lambda fake: F.softplus(-fake.sigmoid()).mean(),
            "The sigmoid is applied twice: once by you, once by the function that expects logits. "
            "The gradient nearly disappears.",
        ),
        Misconception(
            "STABLE",
            lambda fake: -fake.sigmoid().log().mean(),
            "The formula is right, but the sigmoid of -900 is zero in a computer, and its log is "
            "infinite. That is where a generator needs its gradient most. Which form starts from "
            "the logit?",
        ),
        Misconception(
            "SUMMED",
            lambda fake: F.softplus(-fake).sum(),
            "The batch is summed. The loss is an expectation, so a larger batch must not cost "
            "more.",
        ),
        Misconception(
            "PER_IMAGE",
            lambda fake: F.softplus(-fake),
            "This is one loss per image. The step needs one number: the mean over the batch.",
        ),
        Misconception(
            "NO_GRAD",
            lambda fake: F.softplus(-fake.detach()).mean(),
            "The value is right, but the logits are cut from the graph, so the generator cannot "
            "learn. Cutting belongs to the discriminator's step.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are one number, its value, and above all its gradient where the "
            "discriminator is sure that the images are fake."
        ),
        place=(
            "One mean over the generated images: the cost of the answer real, from the logit. The "
            "zero-sum form has another gradient."
        ),
        example=(
            "At a logit of -30 the discriminator is sure, and the gradient must still be -1. Run "
            "this:\n"
            ">>> logits = torch.tensor([-30.0], requires_grad=True)\n"
            ">>> generator_loss(logits).backward()\n"
            ">>> logits.grad\n"
            "tensor([-1.])"
        ),
        question=(
            "Draw `-log D` and `log(1 - D)` over the logit from -5 to 5. Which of the two is "
            "steep where the generator begins, and which one is flat there?"
        ),
        analogue=(
            "With other numbers: for logits 0 and 2 the costs of the answer real are log 2 = "
            "0.693 and log(1 + exp(-2)) = 0.127; their mean is 0.410 nats."
        ),
    ),
)
