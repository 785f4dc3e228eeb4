"""The fifteen faults of the first article's program, in the order in which one meets them."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genimg_course.clinic.fault import Fault, Numbers
from genimg_course.clinic.line_game import LineGame
from genimg_course.clinic.program_a import (
    LATENT,
    DiscriminatorA,
    GeneratorA,
    adam,
    discriminator_step,
    generator_step,
    pictures,
)
from genimg_course.losses import discriminator_loss, generator_loss
from genimg_course.training.watching import moves

__all__ = ["FAULTS"]

MNIST = 60_000
"""Pictures in the training set that the article names."""


def _noise(count: int = 32) -> Tensor:
    return torch.randn(count, LATENT)


# CA1 ---------------------------------------------------------------------------------------------

_CELL = "judge = nn.Sequential(nn.Linear(784, 64), LeakyReLU(0.01), nn.Linear(64, 1))"


def _run_cell(**names: object) -> Numbers:
    scope: dict[str, object] = {"nn": nn, **names}
    exec(_CELL, scope)
    judge = scope["judge"]
    assert isinstance(judge, nn.Module)
    return {"logits": judge(torch.zeros(3, 784)).numel()}


# CA2 ---------------------------------------------------------------------------------------------


def _sizes(last_stride: int) -> Numbers:
    fake = GeneratorA(width=8, last_stride=last_stride)(_noise(2))
    logits = DiscriminatorA(width=128, norm=True)(fake)
    return {"side of the pictures": fake.shape[-1], "logits": logits.numel()}


# CA3 ---------------------------------------------------------------------------------------------


def _who_moves(frozen: bool) -> Numbers:
    generator, discriminator = GeneratorA(), DiscriminatorA(norm=True)
    held = [*generator.parameters(), *([] if frozen else discriminator.parameters())]
    opt_g, z = adam(held), _noise()
    step = moves(
        lambda: generator_step(generator, discriminator, opt_g, z),
        {"generator": generator, "discriminator": discriminator},
    )
    game = LineGame(
        8, frozen=frozen, rng=torch.Generator().manual_seed(0), lr=4e-3, hidden=16, batch=32
    )
    for n in range(1500):
        game.step(n)
    return {
        "tensors in the optimiser": len(held),
        "change of G": float(step["generator"]),
        "change of D": float(step["discriminator"]),
        "distance from the data on the line": float(game.distance().median()),
    }


# CA4 ---------------------------------------------------------------------------------------------


def _print_loss(whole: bool) -> Numbers:
    logits = DiscriminatorA()(pictures(32))
    loss = F.softplus(-logits).mean()
    d_loss = torch.stack([loss, (logits > 0).float().mean()])  # the loss and a metric
    text = f"{d_loss:.4f}" if whole else f"{d_loss[0]:.4f}"
    return {"printed loss": float(text)}


# CA5 ---------------------------------------------------------------------------------------------


def _freeze(for_ever: bool) -> Numbers:
    generator, discriminator = GeneratorA(), DiscriminatorA(norm=True)
    opt_d, opt_g = adam(discriminator.parameters()), adam(generator.parameters())
    if for_ever:
        discriminator.requires_grad_(False)

    def own_step() -> None:
        # the fakes keep their graph, so that backward finds something to do and does not complain
        fake_logits = discriminator(generator(_noise()))
        loss = discriminator_loss(discriminator(pictures(32)), fake_logits)
        opt_d.zero_grad()
        loss.backward()
        opt_d.step()

    def other_step() -> None:
        discriminator.requires_grad_(False)
        generator_step(generator, discriminator, opt_g, _noise())
        discriminator.requires_grad_(not for_ever)

    watched = {"D": discriminator}
    return {
        "change of D in its own step": float(moves(own_step, watched)["D"]),
        "change of D in a generator step": float(moves(other_step, watched)["D"]),
    }


# CA6 ---------------------------------------------------------------------------------------------


def _modes(own_mode: bool) -> Numbers:
    generator, z = GeneratorA(width=64, active=False), _noise(64)
    with torch.no_grad():
        trained = generator(z)
        generator.train(own_mode)
        shown = generator(z)
    return {
        "std of the fakes that D sees": float(shown.std()),
        "std of the fakes that are trained": float(trained.std()),
    }


# CA7 ---------------------------------------------------------------------------------------------


def superposition_error(layers: nn.Module, u: Tensor, v: Tensor) -> float:
    """Return how far layers are from an affine map: ``f(u) + f(v) - f(u + v) - f(0)``, relative."""
    with torch.no_grad():
        whole = layers(u + v)
        error = layers(u) + layers(v) - whole - layers(torch.zeros_like(u))
    return float(error.abs().max() / whole.abs().max())


def _linear_stack(active: bool) -> Numbers:
    generator = GeneratorA(active=active).double()
    generator(_noise(32).double())  # running statistics of one batch
    generator.eval()
    u, v = torch.randn(2, 4, 8, 7, 7, dtype=torch.float64)
    return {"superposition error": superposition_error(generator.grow, u, v)}


# CA8 ---------------------------------------------------------------------------------------------


def _show(steps: int, rows: int) -> Numbers:
    generator, discriminator = GeneratorA(), DiscriminatorA()
    opt_g, opt_d = adam(generator.parameters()), adam(discriminator.parameters())
    before = [p.detach().clone() for p in generator.parameters()]
    for _ in range(steps):
        discriminator_step(generator, discriminator, opt_d, pictures(32), _noise())
        generator_step(generator, discriminator, opt_g, _noise())
    change = max(
        float((p - old).abs().max().detach())
        for p, old in zip(generator.parameters(), before, strict=True)
    )
    shown = generator(_noise(10 * rows))
    return {"largest change of G": change, "share of the 10 by 10 grid": len(shown) / 100}


# CA9 ---------------------------------------------------------------------------------------------


def _cost(epochs: float, *, batch: int = 64, seconds: float = 1.7) -> Numbers:
    iterations = epochs * (MNIST // batch)
    return {"iterations": iterations, "days": iterations * seconds / 86_400}


# CA10 --------------------------------------------------------------------------------------------


def _company(norm: bool) -> Numbers:
    discriminator = DiscriminatorA(norm=norm)
    real, fake = pictures(32), GeneratorA()(_noise()).detach()
    with torch.no_grad():
        among_reals = discriminator(real)[0]
        among_fakes = discriminator(torch.cat([real[:1], fake[1:]]))[0]
    return {
        "change of a picture's logit with its company": float((among_reals - among_fakes).abs())
    }


# CA11 --------------------------------------------------------------------------------------------


def _habits(norm: bool, slope: float, beta: float) -> Numbers:
    discriminator, x = DiscriminatorA(norm=norm, slope=slope), pictures(32)
    with torch.no_grad():
        change = (discriminator(0.5 * x) - discriminator(x)).abs().max()
        scale = discriminator(x).abs().max()
    silent = torch.tensor(-1.0, requires_grad=True)
    (passed,) = torch.autograd.grad(F.leaky_relu(silent, slope), silent)
    return {
        "change of the logits at half contrast": float(change / scale),
        "gradient through a silent unit": float(passed),
        "steps until Adam turns round": _steps_to_turn(beta),
    }


def _steps_to_turn(beta: float) -> int:
    """Count the steps that Adam goes on in the old direction after the gradient has turned."""
    weight = nn.Parameter(torch.zeros(1))
    optimizer = adam([weight], beta=beta)
    for n in range(200):
        weight.grad = torch.ones(1) if n < 100 else -torch.ones(1)
        before = weight.item()
        optimizer.step()
        if n >= 100 and weight.item() > before:
            return n - 100
    return 100


# CA12 --------------------------------------------------------------------------------------------


def _range(scaled: bool) -> Numbers:
    real, fake = pictures(64), GeneratorA()(_noise(64)).detach()
    if not scaled:
        real = (real + 1) / 2
    says_real = [(x.flatten(start_dim=1).amin(dim=1) > -0.01).float().mean() for x in (real, fake)]
    stretched = [_autoscale(x) for x in (real, pictures(64))]
    return {
        "accuracy of one comparison": float((says_real[0] + 1 - says_real[1]) / 2),
        "difference on the screen": float((stretched[0] - stretched[1]).abs().max()),
    }


def _autoscale(x: Tensor) -> Tensor:
    """Stretch to ``[0, 1]`` by the extremes, as a plotting library does."""
    return (x - x.min()) / (x.max() - x.min())


# CA13 --------------------------------------------------------------------------------------------


def _dense_layers(told: int | None) -> Numbers:
    """Compare what a text tells with what the network has; without a text, count."""
    counted = sum(isinstance(layer, nn.Linear) for layer in GeneratorA().modules())
    return {"dense layers in the text": told or counted, "dense layers in the network": counted}


# CA14 --------------------------------------------------------------------------------------------


def _old_question() -> bool:
    warnings.warn("ask for the list of devices instead", DeprecationWarning, stacklevel=2)
    return torch.cuda.is_available()


def _warned(question: Callable[[], object]) -> Numbers:
    counts = {}
    for name, action in (("as a library is run", "ignore"), ("when all are shown", "always")):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            warnings.simplefilter(action, DeprecationWarning)  # type: ignore[arg-type]
            question()
        counts[f"warnings {name}"] = sum(w.category is DeprecationWarning for w in seen)
    return counts


# CA15 --------------------------------------------------------------------------------------------


def _same_noise(same: bool) -> Numbers:
    """Compare how one step of D changes the loss on the generator's noise and on fresh noise."""
    game = LineGame(
        20_000, frozen=True, rng=torch.Generator().manual_seed(0), lr=0.01, hidden=8, batch=4
    )
    z, other, fresh = game.noise(), game.noise(), game.noise()
    mine = z if same else other
    with torch.no_grad():
        fakes = [game.a * each + game.b for each in (z, mine, fresh)]
        before = [generator_loss(game.discriminate(each)) for each in fakes]
    loss = discriminator_loss(game.discriminate(game.reals()), game.discriminate(fakes[0]))
    game.opt_d.zero_grad()
    (loss * len(game.a)).backward()
    game.opt_d.step()
    with torch.no_grad():
        rise = [
            generator_loss(game.discriminate(x)) - b for x, b in zip(fakes, before, strict=True)
        ]
    return {
        "correlation of the noise of both steps": float((z * mine).mean()),
        "excess of the generator's loss": float(rise[1] - rise[2]),
    }


FAULTS = (
    Fault(
        "CA1",
        "A name that nobody imported",
        "NameError for LeakyReLU while the discriminator is built; nothing else runs.",
        lambda: _run_cell(),
        "The activation is used in the code and missing in its list of imports.",
        lambda: _run_cell(LeakyReLU=nn.LeakyReLU),
        "The network is built and returns its logits.",
    ),
    Fault(
        "CA2",
        "Pictures of 56 pixels for a judge of 28",
        "The library refuses 25088 features where 6272 are expected, when the two are joined.",
        lambda: _sizes(2),
        "A stride of 2 doubles the side. Three of them lead from 7 to 56.",
        lambda: _sizes(1),
        "With stride 1 in the last layer the sides are 7, 14, 28 and 28.",
    ),
    Fault(
        "CA3",
        "The generator's step trains the discriminator",
        "The joint model had 24 trainable tensors, 14 and 10; one step moved D by 0.129.",
        lambda: _who_moves(False),
        "The optimiser of the generator's step holds the weights of both networks, so that D "
        "also learns to call fakes real.",
        lambda: _who_moves(True),
        "The discriminator rests in the generator's step, and the game on the line comes near the "
        "data.",
    ),
    Fault(
        "CA4",
        "One number's format for two numbers",
        "TypeError at the first print: a step returned loss and accuracy, and adding two such "
        "pairs made an array of two numbers.",
        lambda: _print_loss(True),
        "A format with four decimals is for one number; the value holds a loss and a metric.",
        lambda: _print_loss(False),
        "The first entry is the loss.",
    ),
    Fault(
        "CA5",
        "Frozen once, frozen for ever",
        "With Keras 2 the textbook's freezing works. With Keras 3 the discriminator never moves "
        "again, and no message says so. Here requires_grad plays the part of Keras' trainable; "
        "the fakes are not detached, or PyTorch would complain.",
        lambda: _freeze(True),
        "The switch is read when a step runs, not when the step is set up. Turned once and left, "
        "it holds for the discriminator's own step too.",
        lambda: _freeze(False),
        "Switched off around the generator's step only, the discriminator learns in its own step.",
    ),
    Fault(
        "CA6",
        "The judge sees another generator",
        "At the start the fakes for D had a standard deviation of 0.037, those in training 0.698.",
        lambda: _modes(False),
        "The fakes for D come from inference mode, where batch normalisation uses running "
        "statistics that have not caught up.",
        lambda: _modes(True),
        "Both steps use the generator in training mode, so D judges what is trained.",
    ),
    Fault(
        "CA7",
        "Three layers that are one",
        "Read in the code: after the transposed convolutions there is batch normalisation, and "
        "there is no activation until the last tanh.",
        lambda: _linear_stack(False),
        "In inference mode each of these layers is affine: a linear map and a constant. A chain "
        "of affine maps is one affine map.",
        lambda: _linear_stack(True),
        "With an activation between them the layers no longer add up.",
    ),
    Fault(
        "CA8",
        "A training that is never started",
        "The function is defined and not called, its data are not defined; ten pictures of an "
        "untrained network fill the first row of a grid of ten rows, and no file is written.",
        lambda: _show(0, 1),
        "To define a function is not to run it.",
        lambda: _show(3, 10),
        "After three rounds the generator has moved, and the whole grid is filled.",
    ),
    Fault(
        "CA9",
        "Ten thousand epochs",
        "Thirty iterations took 51 seconds of processor time, so that 9.37 million would take "
        "about 184 days of it.",
        lambda: _cost(10_000),
        "An epoch is a pass over all data; an iteration is one batch. The two seem to have been "
        "confused.",
        lambda: _cost(10_000 / (MNIST // 64)),
        "Ten thousand iterations take about five hours at the same speed.",
    ),
    Fault(
        "CA10",
        "A verdict that depends on the company",
        "Read in the code: real and generated pictures pass batch normalisation in batches of "
        "their own.",
        lambda: _company(True),
        "In training mode, batch normalisation ties the pictures of a batch together, so that D "
        "can judge the batch.",
        lambda: _company(False),
        "Without it, a picture's logit is its own.",
    ),
    Fault(
        "CA11",
        "Three habits that are not those of DCGAN",
        "Read in the code: normalisation in D's first layer, slope 0.01, Adam with 0.9. DCGAN "
        "has none there, 0.2 and 0.5.",
        lambda: _habits(True, 0.01, 0.9),
        "Normalisation hides the contrast from D, a small slope passes little gradient to G, and "
        "long memory goes on in an old direction while the opponent has moved.",
        lambda: _habits(False, 0.2, 0.5),
        "D sees the contrast, silent units pass a fifth of the gradient, and Adam turns round "
        "after one step.",
    ),
    Fault(
        "CA12",
        "Two ranges of pixels",
        "Read in the code: the generator ends in tanh, and the range of the data is not stated.",
        lambda: _range(False),
        "Data in [0, 1] have no negative pixel and fakes in [-1, 1] do: one comparison suffices.",
        lambda: _range(True),
        "In one range the comparison is worthless. The screen shows no difference in either case, "
        "for a plot stretches whatever range it gets.",
    ),
    Fault(
        "CA13",
        "A text that counts other layers than the code",
        "The text speaks of several fully connected layers, at least two; the generator has one.",
        lambda: _dense_layers(2),
        "A sentence that is written by hand does not follow when the network changes.",
        lambda: _dense_layers(None),
        "The sentence is made from the network, so they agree.",
    ),
    Fault(
        "CA14",
        "A question about the GPU that is out of date",
        "The function works and is marked as deprecated. The stand-in here gives the warning that "
        "Python has for such functions.",
        lambda: _warned(_old_question),
        "The function is out of date. By default Python hides this kind of warning if it arises "
        "inside a library, so that few people read it.",
        lambda: _warned(torch.cuda.device_count),
        "The list of devices is asked for, and nothing warns.",
    ),
    Fault(
        "CA15",
        "The same noise in both steps",
        "Read in the code: one draw serves the discriminator's step and the generator's. That is "
        "allowed, but it ties the two steps together.",
        lambda: _same_noise(True),
        "The discriminator has just learnt these very fakes, so the generator's loss on them is "
        "a little higher than on fresh ones.",
        lambda: _same_noise(False),
        "On fresh noise the loss is that of unseen fakes.",
    ),
)
"""In order; each is run by itself."""
