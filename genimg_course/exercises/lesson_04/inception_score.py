"""Exercise: the Inception score."""

import math

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, permutation
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.scores import inception_score
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def answers(
        count: int, classes: int, scale: float = 2.0, dtype: torch.dtype = torch.float64
    ) -> dict[str, Tensor]:
        logits = scale * normal(rng, count, classes, dtype=dtype)
        return {"probabilities": logits.softmax(dim=1)}

    order = permutation(rng, range(4)).long()
    sure = torch.eye(4, dtype=torch.float64)[order].repeat(2, 1)
    mixed = torch.cat([sure[:3], answers(4, 4)["probabilities"]])
    return [
        Case(answers(6, 4)),
        Case(answers(9, 3)),
        Case(answers(5, 7, scale=0.3), name="unsure answers"),
        Case({"probabilities": mixed}, name="some answers are quite sure"),
        Case({"probabilities": sure}, name="each class once or more, all quite sure"),
        Case(answers(6, 4, dtype=torch.float32), name="float32 inputs"),
    ]


def _entropy(p: Tensor) -> Tensor:
    return torch.special.entr(p).sum(dim=-1)


def _information(p: Tensor) -> Tensor:
    return _entropy(p.mean(dim=0)) - _entropy(p).mean()


def _reversed(p: Tensor) -> Tensor:
    q = p.mean(dim=0)
    return (torch.special.xlogy(q, q) - q * p.log()).sum(dim=1).mean().exp()


SPECIFICATION = Specification(
    id="metrics.inception_score",
    title="The Inception score",
    reference=inception_score,
    cases=_cases,
    misconceptions=(
        Misconception(
            "ENTROPIES_ONLY",
            lambda p: (math.log(p.shape[1]) - _entropy(p).mean()).exp(),
            "Only the entropies of the single answers count here. A generator that draws one class "
            "for ever would get the highest score; compare with the mean answer.",
        ),
        Misconception(
            "MEAN_ONLY",
            lambda p: _entropy(p.mean(dim=0)).exp(),
            "Only the mean answer counts here. Grey noise, for which all classes are equally "
            "likely, would get the highest score.",
        ),
        Misconception(
            "NO_EXP",
            _information,
            "This is the information in nats. The score is its exponential, so that it reads as "
            "a number of classes.",
        ),
        Misconception(
            "BITS",
            lambda p: (_information(p) / math.log(2)).exp(),
            "The logarithm has base 2 and the exponential has base e. Take the same base for both.",
        ),
        Misconception(
            "REVERSED",
            _reversed,
            "The divergence runs the wrong way: the logarithm of the ratio must be weighed by each "
            "image's own answer.",
        ),
        Misconception(
            "UNIFORM",
            lambda p: (
                (p * (p.clamp_min(1e-300).log() + math.log(p.shape[1]))).sum(dim=1).exp().mean()
            ),
            "Each answer is compared with equal probabilities of all classes, and exponentials are "
            "averaged. Compare with the mean answer, and take the mean first.",
        ),
        Misconception(
            "MEAN_OF_EXP",
            lambda p: (
                (torch.special.xlogy(p, p) - torch.special.xlogy(p, p.mean(dim=0)))
                .sum(dim=1)
                .exp()
                .mean()
            ),
            "The exponential is taken for each image and then averaged. The mean over images comes "
            "first.",
        ),
        Misconception(
            "ZERO",
            lambda p: (p * (p.log() - p.mean(dim=0).log())).sum(dim=1).mean().exp(),
            "The formula is right, but where a probability is zero it computes zero times minus "
            "infinity. The limit of p log p is 0.",
        ),
        Misconception(
            "SIGN",
            lambda p: (-_information(p)).exp(),
            "The sign is turned: the best generator gets the lowest score, below 1.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked is one number, for unsure answers, and for answers that are quite sure, "
            "where most probabilities are exactly zero."
        ),
        place=(
            "The exponent is the entropy of the mean answer minus the mean entropy of the answers. "
            "torch.special.entr knows what p log p is at zero."
        ),
        example=(
            "Two classes, each drawn clearly and equally often, are worth two. Run this:\n"
            ">>> inception_score(torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]]))"
            ".round(decimals=4)\n"
            "tensor(2.)"
        ),
        question=(
            "Before you see an image you know the mean answer. After it you know the image's own "
            "answer. By how much has the uncertainty fallen, on average?"
        ),
        analogue=(
            "With other numbers: half of the images are surely a 0, half are surely a 1 or a 2 "
            "with even chances. The mean answer (1/2, 1/4, 1/4) has 1.040 nats, the answers have "
            "0.347 on average, and exp(0.693) = 2."
        ),
    ),
)
