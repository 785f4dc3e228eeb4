"""Exercise: one training step of a VAE."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.readings import which_moved
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import negative_elbo
from genimg_course.maths.gaussians import gaussian_kl
from genimg_course.maths.likelihoods import bernoulli_nll
from genimg_course.probing import lesson_06 as probes
from genimg_course.probing.case import Case
from genimg_course.training.steps import vae_step

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(count: int) -> dict[str, Any]:
        seed = int(torch.randint(1_000_000, (1,), generator=rng))
        return {"x": uniform(rng, count, 1, 2, 3, low=-1.0, dtype=torch.float32), "seed": seed}

    return [Case(batch(4)), Case(batch(3)), Case(batch(5), {"beta": 3.0}, name="beta = 3")]


def _terms(x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor) -> tuple[Tensor, Tensor]:
    return bernoulli_nll(logits, (x + 1) / 2).mean(), gaussian_kl(mu, logvar).mean()


def _report(rec: Tensor, kl: Tensor, loss: Tensor) -> dict[str, Tensor]:
    return {"negative_elbo": loss.detach(), "reconstruction": rec.detach(), "kl": kl.detach()}


def _descend(optimizer: Any, loss: Tensor, report: dict[str, Tensor]) -> dict[str, Tensor]:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return report


def _following(
    loss: Callable[[Tensor, Tensor, float], Tensor], *, pixels: int = 1
) -> Callable[..., dict[str, Tensor]]:
    """Return a step that is right but for its loss, made of the two terms and beta."""

    def step(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
        rec, kl = _terms(x, *model(x))
        rec = rec / pixels
        return _descend(optimizer, loss(rec, kl, beta), _report(rec, kl, loss(rec, kl, beta)))

    return step


def _draw(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + (logvar / 2).exp() * torch.randn_like(mu)


def _no_zero_grad(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    rec, kl = _terms(x, *model(x))
    (rec + beta * kl).backward()
    optimizer.step()
    return _report(rec, kl, rec + beta * kl)


def _step_first(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    rec, kl = _terms(x, *model(x))
    optimizer.step()
    optimizer.zero_grad()
    (rec + beta * kl).backward()
    return _report(rec, kl, rec + beta * kl)


def _no_backward(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    rec, kl = _terms(x, *model(x))
    optimizer.zero_grad()
    optimizer.step()
    return _report(rec, kl, rec + beta * kl)


def _cut_code(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    mu, logvar = model.encode(x)
    rec, kl = _terms(x, model.decode(_draw(mu, logvar).detach()), mu, logvar)
    return _descend(optimizer, rec + beta * kl, _report(rec, kl, rec + beta * kl))


def _decoder_only(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    with torch.no_grad():
        mu, logvar = model.encode(x)
    rec, kl = _terms(x, model.decode(_draw(mu, logvar)), mu, logvar)
    return _descend(optimizer, rec + beta * kl, _report(rec, kl, rec + beta * kl))


def _alternating(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    rec, kl = _terms(x, *model(x))
    _descend(optimizer, rec, {})
    _descend(optimizer, beta * _terms(x, *model(x))[1], {})
    return _report(rec, kl, rec + beta * kl)


def _with_graph(model: Any, optimizer: Any, x: Tensor, beta: float = 1.0) -> dict[str, Tensor]:
    logits, mu, logvar = model(x)
    rec, kl = _terms(x, logits, mu, logvar)
    loss = negative_elbo(x, logits, mu, logvar, beta=beta)
    return _descend(optimizer, loss, {"negative_elbo": loss, "reconstruction": rec, "kl": kl})


SPECIFICATION = Specification(
    id="vae.step",
    title="One training step of a VAE",
    reference=vae_step,
    cases=_cases,
    probe=probes.vae_step,
    reading=which_moved,
    sentences={
        "detached": (
            "The returned losses still hold the graph, which keeps the memory of every step. "
            "Return "
            "them detached."
        )
    },
    misconceptions=(
        Misconception(
            "ACCUMULATED",
            _no_zero_grad,
            "The gradients of earlier steps are never cleared, so they pile up: every step goes "
            "where all steps before it wanted to go as well.",
        ),
        Misconception(
            "ORDER",
            _step_first,
            "The update comes before the backward pass, so it uses the gradient of the batch "
            "before. First the slope, then the step.",
        ),
        Misconception(
            "NO_BACKWARD",
            _no_backward,
            "The optimiser has no gradient to follow, so nothing moves. Is there a backward pass, "
            "on a tensor and not a plain number, and are the gradients cleared before it rather "
            "than after it?",
        ),
        Misconception(
            "CUT_CODE",
            _cut_code,
            "The code is cut from the graph, so the encoder hears of the KL alone and never of "
            "the picture. It should learn from both.",
        ),
        Misconception(
            "DECODER_ONLY",
            _decoder_only,
            "Only the decoder moves. Encoder and decoder share one objective: the encoder has to "
            "learn through the code that it gives.",
        ),
        Misconception(
            "ALTERNATING",
            _alternating,
            "These are two updates, one for each term, as if encoder and decoder had losses of "
            "their own. A VAE has one objective and one backward pass for both.",
        ),
        Misconception(
            "NO_KL",
            _following(lambda rec, kl, beta: rec),
            "The step follows the reconstruction only. Without the KL the codes drift away from "
            "the prior, and samples from the prior mean nothing to the decoder.",
        ),
        Misconception(
            "NO_BETA",
            _following(lambda rec, kl, beta: rec + kl),
            "Beta is not used. At 1 this is the bound, but another weight must change the step.",
        ),
        Misconception(
            "PIXEL_MEAN",
            _following(lambda rec, kl, beta: rec + beta * kl, pixels=6),
            "The reconstruction is a mean over pixels. This multiplies beta by the number of "
            "pixels, and the code collapses.",
        ),
        Misconception(
            "UPHILL",
            _following(lambda rec, kl, beta: -(rec + beta * kl)),
            "The step climbs: it makes the loss larger. An optimiser goes down, so which sign "
            "must it get?",
        ),
        Misconception(
            "WITH_GRAPH",
            _with_graph,
            "The step is right, but the returned losses still hold the graph, which keeps the "
            "memory of every step. Return them detached.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked over two steps are the returned losses, that encoder and decoder both move, "
            "and where they move to."
        ),
        place=(
            "One forward pass, two terms, one sum. Then three lines that belong together: clear, "
            "backward, step. Then a dictionary of detached scalars."
        ),
        example=(
            "After a step every parameter has a gradient, those of the encoder too. Run this:\n"
            ">>> from genimg_course.models import VAE\n"
            ">>> model = VAE(latent_dim=2, width=4)\n"
            ">>> optimizer = torch.optim.SGD(model.parameters(), lr=0.001)\n"
            ">>> losses = vae_step(model, optimizer, torch.zeros(4, 1, 16, 16))\n"
            ">>> [name for name, p in model.named_parameters() if p.grad is None]\n"
            "[]"
        ),
        question=(
            "If the decoder is to paint the digit better, what would the encoder have to change, "
            "and along which path does it hear of that?"
        ),
        analogue=(
            "For a straight line fitted by gradient descent: predict, take the mean squared "
            "error, clear the gradients of slope and intercept, one backward pass fills both, one "
            "step moves both, the error is returned as a number without a graph."
        ),
    ),
)
