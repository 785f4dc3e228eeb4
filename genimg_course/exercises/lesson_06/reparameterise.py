"""Exercise: a sample of a Gaussian that lets gradients through."""

import torch
from torch import Tensor

from genimg_course.exercises.inputs import gaussians, normal
from genimg_course.exercises.readings import normal_law, normal_tolerances
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.maths.gaussians import reparameterise
from genimg_course.probing.case import Case
from genimg_course.probing.draws import normal_draws

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    many = {"mu": normal(rng, 400, 250), "logvar": normal(rng, 400, 250, scale=0.7)}
    return [
        Case(gaussians(rng, 1, 3)),
        Case(gaussians(rng, 4, 2)),
        Case(gaussians(rng, 2, 3, dtype=torch.float32), name="float32 inputs"),
        Case(many, name="many draws"),
    ]


def _stale(mu: Tensor, logvar: Tensor) -> Tensor:
    torch.manual_seed(0)
    return mu + (0.5 * logvar).exp() * torch.randn_like(mu)


SPECIFICATION = Specification(
    id="vae.reparameterise",
    title="A sample that lets gradients through",
    reference=reparameterise,
    cases=_cases,
    probe=normal_draws,
    reading=normal_law,
    tolerances=normal_tolerances(400 * 250),
    sentences={
        "gradient": (
            "The draws have the right form, but their gradient is not that of `mu + sigma * eps`: "
            "the noise must be drawn first, and then scaled and moved by the inputs."
        ),
        "statistic:mean": "The noise around `mu` has no mean of zero. Which law is it drawn from?",
        "statistic:variance": (
            "The spread of the draws around `mu` is not sigma. How is sigma made from a log "
            "variance?"
        ),
        "statistic:rows": "Different examples of the batch share noise. Every entry needs its own.",
        "statistic:columns": "Different latent dimensions share noise. Every entry needs its own.",
        "statistic:law": "Mean and spread are right, but the noise is not Gaussian.",
        "statistic:fresh": "Two calls return the same draws. Noise must be fresh in every call.",
    },
    misconceptions=(
        Misconception(
            "STD",
            lambda mu, logvar: mu + logvar.exp() * torch.randn_like(mu),
            "The noise is scaled by the variance. A draw needs the standard deviation: what is "
            "its log, if `logvar` is the log of its square?",
        ),
        Misconception(
            "STD_LOG",
            lambda mu, logvar: mu + logvar * torch.randn_like(mu),
            "The noise is scaled by the log variance itself. A standard deviation is positive: "
            "how does it come from its log?",
        ),
        Misconception(
            "STD_DOUBLE",
            lambda mu, logvar: mu + (2 * logvar).exp() * torch.randn_like(mu),
            "The log variance is doubled where it should be halved. The standard deviation is the "
            "root of the variance.",
        ),
        Misconception(
            "NO_SIGMA",
            lambda mu, logvar: mu + torch.randn_like(mu),
            "`logvar` is not used: every code has unit spread. The encoder decides how sure it "
            "is; where does that enter?",
        ),
        Misconception(
            "NO_NOISE",
            lambda mu, logvar: mu + 0 * logvar,
            "This returns the mean, so nothing is drawn. Without noise the decoder never learns "
            "what lies between the codes.",
        ),
        Misconception(
            "UNIFORM",
            lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.rand_like(mu),
            "The noise is uniform on [0, 1). The model says Gaussian: with mean zero, and with "
            "values on both sides.",
        ),
        Misconception(
            "SHARED",
            lambda mu, logvar: (
                mu + (0.5 * logvar).exp() * torch.randn(mu.shape[1:], dtype=mu.dtype)
            ),
            "One row of noise is shared by the whole batch. Every example needs noise of its own.",
        ),
        Misconception(
            "SHARED_LATENTS",
            lambda mu, logvar: mu + (0.5 * logvar).exp() * torch.randn(len(mu), 1, dtype=mu.dtype),
            "One number of noise is shared by all latents of an example. Every entry needs noise "
            "of its own.",
        ),
        Misconception(
            "STALE",
            _stale,
            "The same noise comes in every call. Do not seed inside the function: fresh noise in "
            "each step is what makes the average right.",
        ),
        Misconception(
            "NO_GRAD",
            lambda mu, logvar: (mu + (0.5 * logvar).exp() * torch.randn_like(mu)).detach(),
            "No gradient leaves this function, so the encoder cannot learn. Only the noise may be "
            "free of gradients; what scales and moves it must stay in the graph.",
        ),
        Misconception(
            "SAMPLED",
            lambda mu, logvar: torch.normal(mu, (0.5 * logvar).exp()),
            "The sample is drawn from the finished Gaussian, and through a draw no gradient "
            "passes. Draw noise that knows nothing of `mu` and `logvar`, then move it.",
        ),
    ),
    hints=Hints(
        property=(
            "Three things are checked: where the draws lie, that two calls differ, and that "
            "gradients reach both inputs."
        ),
        place=(
            "Draw noise that does not depend on the inputs, of their shape. Then scale it, then "
            "move it: both in the graph."
        ),
        example=(
            "Where the variance is nearly zero, a draw is its mean, and yet it has a gradient. "
            "Run this:\n"
            ">>> reparameterise(torch.tensor([[1.0, -2.0]]), torch.full((1, 2), -60.0))\n"
            "tensor([[ 1., -2.]])"
        ),
        question=(
            "If `z` moves by 1 when `mu` moves by 1 with the same noise, what is the derivative "
            "of `z` with respect to `mu`? And why is there no such derivative when `z` is drawn "
            "afresh?"
        ),
        analogue=(
            "With other laws: a uniform number between `a` and `b` is `a + (b - a) * u` with `u` "
            "from [0, 1). Its derivative with respect to `b` is `u`. The draw of `u` knows "
            "neither `a` nor `b`."
        ),
    ),
)
