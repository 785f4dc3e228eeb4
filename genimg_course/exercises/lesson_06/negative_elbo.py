"""Exercise: the negative evidence lower bound, the one objective of a VAE."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import gaussians, normal, uniform
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import negative_elbo
from genimg_course.probing.case import Case

__all__ = ["SPECIFICATION"]


def _batch(
    rng: torch.Generator, shape: tuple[int, ...], latents: int, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    x = uniform(rng, *shape, low=-1.0, dtype=dtype)
    logits = normal(rng, *shape, scale=2.0, dtype=dtype)
    return {"x": x, "logits": logits, **gaussians(rng, shape[0], latents, dtype=dtype)}


def _cases(rng: torch.Generator) -> list[Case]:
    return [
        Case(_batch(rng, (1, 1, 2, 3), 2)),
        Case(_batch(rng, (3, 1, 4, 2), 5)),
        Case(_batch(rng, (4, 3, 2, 2), 3), {"beta": 1.0}),
        Case(_batch(rng, (2, 1, 3, 3), 2), {"beta": 4.0}, name="beta = 4"),
        Case(_batch(rng, (3, 1, 2, 2), 4), {"beta": 0.5}, name="beta = 0.5"),
        Case(_batch(rng, (2, 1, 3, 3), 3, torch.float32), name="float32 inputs"),
    ]


def _rec(x: Tensor, logits: Tensor) -> Tensor:
    return (F.softplus(logits) - logits * (x + 1) / 2).flatten(start_dim=1).sum(dim=1)


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(dim=1)


def _squared(x: Tensor, logits: Tensor) -> Tensor:
    return (x - (logits / 2).tanh()).square().flatten(start_dim=1).sum(dim=1)


SPECIFICATION = Specification(
    id="vae.negative_elbo",
    title="The negative evidence lower bound",
    reference=negative_elbo,
    cases=_cases,
    differentiate=("logits", "mu", "logvar"),
    misconceptions=(
        Misconception(
            "NO_KL",
            lambda x, logits, mu, logvar, beta=1.0: _rec(x, logits).mean(),
            "There is no KL term. Without it the encoder shrinks its variances to nothing: what "
            "is left is an autoencoder, and its prior is not a law of its codes.",
        ),
        Misconception(
            "KL_SIGN",
            lambda x, logits, mu, logvar, beta=1.0: (
                _rec(x, logits) - beta * _kl(mu, logvar)
            ).mean(),
            "The KL term has the wrong sign: this loss rewards codes that run away from the "
            "prior. In the bound it is subtracted, so what happens to it in the negative bound?",
        ),
        Misconception(
            "SIGN",
            lambda x, logits, mu, logvar, beta=1.0: (
                -(_rec(x, logits) + beta * _kl(mu, logvar)).mean()
            ),
            "This is the bound itself. A training step goes down, and the bound should go up.",
        ),
        Misconception(
            "SCALE_MIX",
            lambda x, logits, mu, logvar, beta=1.0: (
                _rec(x, logits).mean() / x[0].numel() + beta * _kl(mu, logvar).mean()
            ),
            "The reconstruction is a mean over pixels while the KL is a sum over latents. This "
            "multiplies beta by the number of pixels, and the code collapses.",
        ),
        Misconception(
            "KL_MEAN",
            lambda x, logits, mu, logvar, beta=1.0: (
                _rec(x, logits) + beta * _kl(mu, logvar) / mu.shape[1]
            ).mean(),
            "The KL is a mean over the latents while the reconstruction is a sum over pixels. "
            "This divides beta by the number of latents.",
        ),
        Misconception(
            "SUM_BATCH",
            lambda x, logits, mu, logvar, beta=1.0: (
                _rec(x, logits) + beta * _kl(mu, logvar)
            ).sum(),
            "The batch is summed. Then the size of a step would grow with the batch: pixels and "
            "latents add up, examples are averaged.",
        ),
        Misconception(
            "DOUBLE_SIGMOID",
            lambda x, logits, mu, logvar, beta=1.0: (
                _rec(x, logits.sigmoid()) + beta * _kl(mu, logvar)
            ).mean(),
            "The sigmoid is applied twice: the reconstruction expects logits, and turns them into "
            "probabilities by itself.",
        ),
        Misconception(
            "RANGE",
            lambda x, logits, mu, logvar, beta=1.0: (
                _rec(2 * x - 1, logits) + beta * _kl(mu, logvar)
            ).mean(),
            "The images enter the Bernoulli term in [-1, 1]. Its target is a share of ink between "
            "0 and 1, so black paper would count as minus one pixel of ink.",
        ),
        Misconception(
            "BETA",
            lambda x, logits, mu, logvar, beta=1.0: (
                beta * _rec(x, logits) + _kl(mu, logvar)
            ).mean(),
            "Beta weighs the reconstruction. It belongs to the other term: which one should grow "
            "when codes are to be simpler?",
        ),
        Misconception(
            "BETA_BOTH",
            lambda x, logits, mu, logvar, beta=1.0: (
                beta * (_rec(x, logits) + _kl(mu, logvar)).mean()
            ),
            "Beta multiplies both terms, which changes the size of the step and nothing else. It "
            "should shift the balance between them.",
        ),
        Misconception(
            "NO_BETA",
            lambda x, logits, mu, logvar, beta=1.0: (_rec(x, logits) + _kl(mu, logvar)).mean(),
            "Beta is not used. At 1 this is the bound, but another weight must change the loss.",
        ),
        Misconception(
            "SQUARED",
            lambda x, logits, mu, logvar, beta=1.0: (
                _squared(x, logits) + beta * _kl(mu, logvar)
            ).mean(),
            "The reconstruction is a squared error. That is a Gaussian decoder without its "
            "constants; this decoder gives log odds of ink.",
        ),
        Misconception(
            "NO_GRAD",
            lambda x, logits, mu, logvar, beta=1.0: (
                (_rec(x, logits) + beta * _kl(mu, logvar)).mean().detach()
            ),
            "The value is right, but it is cut from the graph, so neither network can learn from "
            "it. Keep the loss a tensor of the graph.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked are that one number comes back, its value for several beta, and its "
            "gradients with respect to `logits`, `mu` and `logvar`."
        ),
        place=(
            "Two terms per image, from the two exercises before: what the picture costs given the "
            "code, plus beta times what the code costs. Then one mean. Mind the range of `x`."
        ),
        example=(
            "Two black pixels, an undecided decoder and a code that says nothing cost twice log "
            "2. Run this:\n"
            ">>> negative_elbo(-torch.ones(1, 1, 1, 2), torch.zeros(1, 1, 1, 2), torch.zeros(1, "
            "3), torch.zeros(1, 3))\n"
            "tensor(1.3863)"
        ),
        question=(
            "Which of the two terms falls when the encoder tells the decoder more about the "
            "image, and which one rises? What would each do alone?"
        ),
        analogue=(
            "With other numbers: a picture that costs 40 nats given its code, and a code of 12 "
            "nats, cost 52 nats. With beta = 4 the loss is 40 + 48 = 88. Two such pictures have "
            "the same mean."
        ),
    ),
)
