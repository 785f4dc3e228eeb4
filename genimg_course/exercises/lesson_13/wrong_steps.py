"""Training steps of a conditional GAN that are right but for one thing."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from genimg_course.losses import discriminator_loss, generator_loss, r1_penalty

__all__ = ["STEPS"]

Step = Callable[..., dict[str, Tensor]]
Labels = Callable[[Tensor], Tensor]


def _same(value: Any) -> Any:
    return value


def _descend(optimizer: Any, loss: Tensor, *, clear: bool = True) -> None:
    if clear:
        optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _report(d_loss: Tensor, g_loss: Tensor) -> dict[str, Tensor]:
    return {"d_loss": d_loss.detach(), "g_loss": g_loss.detach()}


def _noise(generator: Any, x: Tensor) -> Tensor:
    return torch.randn(len(x), generator.latent_dim, device=x.device)


def _variant(
    *,
    drawn: Labels = _same,
    judged: Labels = _same,
    real: Labels = _same,
    d_loss: Callable[[Tensor, Tensor], Tensor] = discriminator_loss,
    g_loss: Callable[[Tensor], Tensor] = generator_loss,
    penalty: Callable[[Tensor, Tensor, float], Tensor | float] | None = None,
    clear: bool = True,
    in_g_step: Callable[[Tensor], Tensor] = _same,
) -> Step:
    """Return the right step with one part exchanged.

    Args:
        drawn: labels that the fakes are drawn with.
        judged: labels that the fakes are judged with.
        real: labels that the real images are judged with.
        d_loss: the discriminator's loss.
        g_loss: the generator's loss.
        penalty: the penalty from real logits, real images and gamma.
        clear: clear the gradients before each backward pass.
        in_g_step: what becomes of the fakes before the generator's step.
    """
    cost = penalty or (lambda logits, x, gamma: r1_penalty(logits, x, gamma=gamma))

    def step(
        generator: Any,
        discriminator: Any,
        opt_g: Any,
        opt_d: Any,
        x: Tensor,
        y: Tensor,
        gamma: float = 0.0,
    ) -> dict[str, Tensor]:
        images = x.detach().requires_grad_()
        fake = generator(_noise(generator, x), drawn(y))
        real_logits = discriminator(images, real(y))
        d = d_loss(real_logits, discriminator(fake.detach(), judged(y)))
        _descend(opt_d, d + cost(real_logits, images, gamma), clear=clear)
        g = g_loss(discriminator(in_g_step(fake), judged(y)))
        _descend(opt_g, g, clear=clear)
        return _report(d, g)

    return step


def _both(
    generator: Any, discriminator: Any, x: Tensor, y: Tensor, gamma: float, *, cut: bool = True
) -> Any:
    """Return both losses of one forward pass, and the discriminator's penalised loss."""
    images = x.detach().requires_grad_()
    fake = generator(_noise(generator, x), y)
    real_logits = discriminator(images, y)
    d = discriminator_loss(real_logits, discriminator(fake.detach() if cut else fake, y))
    return (
        d,
        generator_loss(discriminator(fake, y)),
        d + r1_penalty(real_logits, images, gamma=gamma),
    )


def _joint(
    generator: Any,
    discriminator: Any,
    opt_g: Any,
    opt_d: Any,
    x: Tensor,
    y: Tensor,
    gamma: float = 0.0,
) -> dict[str, Tensor]:
    d, g, penalised = _both(generator, discriminator, x, y, gamma, cut=False)
    opt_g.zero_grad()
    _descend(opt_d, penalised + g)
    opt_g.step()
    return _report(d, g)


def _simultaneous(
    generator: Any,
    discriminator: Any,
    opt_g: Any,
    opt_d: Any,
    x: Tensor,
    y: Tensor,
    gamma: float = 0.0,
) -> dict[str, Tensor]:
    d, g, penalised = _both(generator, discriminator, x, y, gamma)
    opt_g.zero_grad()
    g.backward()
    _descend(opt_d, penalised)
    opt_g.step()
    return _report(d, g)


def _no_backward(
    generator: Any,
    discriminator: Any,
    opt_g: Any,
    opt_d: Any,
    x: Tensor,
    y: Tensor,
    gamma: float = 0.0,
) -> dict[str, Tensor]:
    d, g, _ = _both(generator, discriminator, x, y, gamma)
    for optimizer in (opt_d, opt_g):
        optimizer.zero_grad()
        optimizer.step()
    return _report(d, g)


def _order(
    generator: Any,
    discriminator: Any,
    opt_g: Any,
    opt_d: Any,
    x: Tensor,
    y: Tensor,
    gamma: float = 0.0,
) -> dict[str, Tensor]:
    d, _, penalised = _both(generator, discriminator, x, y, gamma)
    opt_d.step()
    opt_d.zero_grad()
    penalised.backward()
    g = generator_loss(discriminator(generator(_noise(generator, x), y), y))
    opt_g.step()
    opt_g.zero_grad()
    g.backward()
    return _report(d, g)


def _second_half(move: Callable[[Any, Any, Tensor], None]) -> Step:
    """Return a step whose first half is right; the second does ``move(opt_g, opt_d, loss)``."""

    def step(
        generator: Any,
        discriminator: Any,
        opt_g: Any,
        opt_d: Any,
        x: Tensor,
        y: Tensor,
        gamma: float = 0.0,
    ) -> dict[str, Tensor]:
        d, _, penalised = _both(generator, discriminator, x, y, gamma)
        _descend(opt_d, penalised)
        g = generator_loss(discriminator(generator(_noise(generator, x), y), y))
        move(opt_g, opt_d, g)
        return _report(d, g)

    return step


def _leak(opt_g: Any, opt_d: Any, loss: Tensor) -> None:
    opt_d.zero_grad()
    _descend(opt_g, loss)
    opt_d.step()


def _changed(change: Callable[..., dict[str, Tensor]]) -> Step:
    """Return the right step, whose report or networks are changed afterwards."""
    right = _variant()

    def step(
        generator: Any,
        discriminator: Any,
        opt_g: Any,
        opt_d: Any,
        x: Tensor,
        y: Tensor,
        gamma: float = 0.0,
    ) -> dict[str, Tensor]:
        images = x.detach().requires_grad_()
        penalty = r1_penalty(discriminator(images, y), images, gamma=gamma)
        return change(
            right(generator, discriminator, opt_g, opt_d, x, y, gamma), discriminator, penalty
        )

    return step


def _left_in_eval(
    report: dict[str, Tensor], discriminator: Any, penalty: Tensor
) -> dict[str, Tensor]:
    discriminator.eval()
    return report


def _zeros(y: Tensor) -> Tensor:
    return torch.zeros_like(y)


def _next(y: Tensor) -> Tensor:
    return y.roll(1)


STEPS: dict[str, Step] = {
    "ACCUMULATED": _variant(clear=False),
    "NO_BACKWARD": _no_backward,
    "ORDER": _order,
    "WRONG_NETWORK": _second_half(lambda opt_g, opt_d, loss: _descend(opt_d, loss)),
    "LEAK": _second_half(_leak),
    "CUT": _variant(in_g_step=lambda fake: fake.detach().requires_grad_()),
    "JOINT": _joint,
    "SIMULTANEOUS": _simultaneous,
    "SATURATING": _variant(g_loss=lambda logits: -F.softplus(logits).mean()),
    "TARGET": _variant(g_loss=lambda logits: F.softplus(logits).mean()),
    "SWAPPED": _variant(d_loss=lambda real, fake: discriminator_loss(fake, real)),
    "REAL_ONLY": _variant(d_loss=lambda real, fake: F.softplus(-real).mean()),
    "G_IGNORES_LABEL": _variant(drawn=_zeros),
    "D_IGNORES_LABEL": _variant(judged=_zeros, real=_zeros),
    "MISMATCH": _variant(judged=_next),
    "NO_R1": _variant(penalty=lambda logits, x, gamma: 0.0),
    "LEFT_IN_EVAL": _changed(_left_in_eval),
    "PENALTY_IN_REPORT": _changed(
        lambda report, _, penalty: report | {"d_loss": report["d_loss"] + penalty.detach()}
    ),
    "WITH_GRAPH": _changed(
        lambda report, _, penalty: {k: v + 0 * penalty for k, v in report.items()}
    ),
}
"""The wrong steps by the code of their misconception."""
