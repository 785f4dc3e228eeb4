"""Exercise: the evidence lower bound in three forms."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genimg_course.exercises.inputs import normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.elbo import elbo_forms
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def terms(count: int, batch: int, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
        logs = [normal(rng, count, batch, dtype=dtype) - level for level in (40.0, 11.0, 5.0)]
        closed = [uniform(rng, batch, low=1.0, high=9.0, dtype=dtype) for _ in range(2)]
        names = ("log_likelihood", "log_prior", "log_q", "kl", "entropy")
        return dict(zip(names, logs + closed, strict=True))

    return [
        *(Case(terms(count, batch)) for count, batch in ((5, 3), (3, 3), (2, 4))),
        Case(terms(1, 3), name="one sample"),
        Case(terms(4, 2, torch.float32), name="float32 inputs"),
    ]


def _but(**changes: Callable[..., Tensor]) -> Callable[..., dict[str, Tensor]]:
    """Return an answer that is right but for these forms."""

    def answer(*terms: Tensor) -> dict[str, Tensor]:
        return {**elbo_forms(*terms), **{key: form(*terms) for key, form in changes.items()}}

    return answer


SPECIFICATION = Specification(
    id="vae.elbo_forms",
    title="One bound in three forms",
    reference=elbo_forms,
    cases=_cases,
    misconceptions=(
        Misconception(
            "NO_KL",
            _but(split=lambda lik, prior, q, kl, entropy: lik.mean(dim=0) + 0 * kl),
            "The first form has no KL term. What is left is a reconstruction, and the best code "
            "for it is a point: an autoencoder, not a bound.",
        ),
        Misconception(
            "TWICE",
            _but(split=lambda lik, prior, q, kl, entropy: 2 * lik.mean(dim=0) + 0 * kl),
            "The reconstruction is counted twice, once for each network, and the KL term is "
            "missing. Encoder and decoder share one objective.",
        ),
        Misconception(
            "KL_ADDED",
            _but(split=lambda lik, prior, q, kl, entropy: lik.mean(dim=0) + kl),
            "The KL term is added. It is a price, and a bound from below falls with the price.",
        ),
        Misconception(
            "ENTROPY_SIGN",
            _but(joint=lambda lik, prior, q, kl, entropy: (lik + prior).mean(dim=0) - entropy),
            "The entropy has the wrong sign. It is the mean of minus log q.",
        ),
        Misconception(
            "NO_PRIOR",
            _but(joint=lambda lik, prior, q, kl, entropy: lik.mean(dim=0) + entropy),
            "The second form leaves the prior out. The joint law of picture and code has two "
            "factors.",
        ),
        Misconception(
            "Q_ADDED",
            _but(ratio=lambda lik, prior, q, kl, entropy: (lik + prior + q).mean(dim=0)),
            "The third form adds log q. The log of a ratio is a difference.",
        ),
        Misconception(
            "LOG_OF_MEAN",
            _but(
                ratio=lambda lik, prior, q, kl, entropy: (
                    (lik + prior - q).logsumexp(dim=0) - math.log(len(q))
                )
            ),
            "The third form is the log of a mean. That is a tighter bound with several samples; "
            "the ELBO is a mean of logs.",
        ),
        Misconception(
            "SUMMED",
            lambda lik, prior, q, kl, entropy: {
                "split": lik.sum(dim=0) - kl,
                "joint": (lik + prior).sum(dim=0) + entropy,
                "ratio": (lik + prior - q).sum(dim=0),
            },
            "The samples are summed. An expectation is their mean, so more samples must not make "
            "the bound larger.",
        ),
    ),
    hints=Hints(
        property="Checked are three results per image, `split`, `joint` and `ratio`.",
        place=(
            "Each form is a mean over the samples, along the first axis. The first two add one "
            "term in closed form, the third one needs none."
        ),
        example=(
            "One code with log p(x | z) = -9, log p(z) = -3 and log q = -1; the KL is 2 and the "
            "entropy 1. All three forms give -11. Run this:\n"
            ">>> one = torch.ones(1, 1)\n"
            ">>> forms = elbo_forms(-9 * one, -3 * one, -one, 2 * one[0], one[0])\n"
            ">>> [forms[key].item() for key in ('split', 'joint', 'ratio')]\n"
            "[-11.0, -11.0, -11.0]"
        ),
        question=(
            "The joint law is p(x | z) p(z). Which two of the three logs make the KL term, and "
            "which one makes the entropy?"
        ),
        analogue=(
            "A bill can be added up in three orders: goods minus discount; goods and freight plus "
            "a refund; or item by item. If the totals differ, a line was forgotten."
        ),
    ),
)
