"""Exercise: one training step of an autoencoder."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.exercises.inputs import uniform
from genimg_course.exercises.readings import which_moved
from genimg_course.exercises.specification import Hints, Misconception, Specification
from genimg_course.losses import squared_error
from genimg_course.probing import lesson_05 as probes
from genimg_course.probing.case import Case
from genimg_course.probing.networks import PIXELS
from genimg_course.training.steps import autoencoder_step

__all__ = ["SPECIFICATION"]


def _cases(rng: torch.Generator) -> list[Case]:
    def batch(count: int) -> dict[str, Any]:
        seed = int(torch.randint(1_000_000, (1,), generator=rng))
        return {"x": uniform(rng, count, *PIXELS, low=-1.0, dtype=torch.float32), "seed": seed}

    return [Case(batch(4)), Case(batch(3)), Case(batch(5))]


def _descend(optimizer: Any, loss: Tensor, shown: Tensor) -> dict[str, Tensor]:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"squared_error": shown.detach()}


def _following(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., dict[str, Tensor]]:
    """Return a step that is right but for its loss."""

    def step(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
        value = loss(model(x), x)
        return _descend(optimizer, value, value)

    return step


def _no_zero_grad(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
    loss = squared_error(model(x), x)
    loss.backward()
    optimizer.step()
    return {"squared_error": loss.detach()}


def _cut(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
    loss = squared_error(model.decoder(model.encoder(x).detach()), x)
    return _descend(optimizer, loss, loss)


def _in_turns(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
    first = squared_error(model(x), x)
    for half in (model.encoder, model.decoder):
        optimizer.zero_grad()
        squared_error(model(x), x).backward(inputs=list(half.parameters()))
        optimizer.step()
    return {"squared_error": first.detach()}


def _own_losses(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
    code = model.encoder(x)
    rebuilt = squared_error(model.decoder(code.detach()), x)
    small = F.adaptive_avg_pool2d(x, (1, 2)).flatten(start_dim=1)
    return _descend(optimizer, rebuilt + squared_error(code, small), rebuilt)


def _step_first(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
    loss = squared_error(model(x), x)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return {"squared_error": loss.detach()}


def _with_graph(model: Any, optimizer: Any, x: Tensor) -> dict[str, Tensor]:
    loss = squared_error(model(x), x)
    _descend(optimizer, loss, loss)
    return {"squared_error": loss}


SPECIFICATION = Specification(
    id="autoencoder.step",
    title="One training step of an autoencoder",
    reference=autoencoder_step,
    cases=_cases,
    probe=probes.autoencoder_step,
    reading=which_moved,
    sentences={
        "detached": (
            "The returned loss still holds the graph, which keeps the memory of every step. "
            "Return it detached."
        )
    },
    misconceptions=(
        Misconception(
            "OWN_LOSSES",
            _own_losses,
            "The encoder follows a loss of its own that compares its code with the picture. A "
            "code lives in another space than a picture; the encoder learns through the decoder.",
        ),
        Misconception(
            "IN_TURNS",
            _in_turns,
            "Encoder and decoder move one after the other. One gradient of one loss holds both "
            "halves: take one step with all of it.",
        ),
        Misconception(
            "DECODER_ONLY",
            _cut,
            "Only the decoder moves: the code is cut from the graph, so the encoder never hears "
            "how the picture came out.",
        ),
        Misconception(
            "PIXEL_MEAN",
            _following(F.mse_loss),
            "The loss is a mean over pixels. In this course losses are sums over pixels and means "
            "over the batch.",
        ),
        Misconception(
            "BATCH_SUM",
            _following(lambda x_hat, x: (x_hat - x).square().sum()),
            "The loss is a sum over the batch, so a larger batch takes larger steps. Sum over "
            "pixels, then average over pictures.",
        ),
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
            "UPHILL",
            _following(lambda x_hat, x: -squared_error(x_hat, x)),
            "The step climbs: it makes the error larger. An optimiser goes down, so which sign "
            "must it get?",
        ),
        Misconception(
            "WITH_GRAPH",
            _with_graph,
            "The step is right, but the returned loss still holds the graph, which keeps the "
            "memory of every step. Return it detached.",
        ),
    ),
    hints=Hints(
        property=(
            "Checked over two steps are the returned loss, that encoder and decoder both move, "
            "and where they move to."
        ),
        place=(
            "One forward pass through both halves, one loss: squares, summed over pixels, averaged "
            "over the batch. Then clear, backward, step."
        ),
        example=(
            "After one step every parameter has a gradient, those of the encoder too. Run this:\n"
            ">>> from genimg_course.models import Autoencoder\n"
            ">>> model = Autoencoder(latent_dim=2, width=4)\n"
            ">>> optimizer = torch.optim.SGD(model.parameters(), lr=0.001)\n"
            ">>> losses = autoencoder_step(model, optimizer, torch.zeros(4, 1, 16, 16))\n"
            ">>> [name for name, p in model.named_parameters() if p.grad is None]\n"
            "[]"
        ),
        question=(
            "The decoder painted the digit badly because the code said too little. Along which "
            "path does the encoder hear of that?"
        ),
        analogue=(
            "Two people carry a table through a door. Each could move in turn while the other "
            "stands still; one look at the gap tells both what to do now."
        ),
    ),
)
