"""A tiny run of every training step, for the tests of resuming and of several processes.

As a script, ``small_runs.py WHAT FOLDER``, it is run by the tests in a process of its own: ``two``
trains on two processes, ``killed`` and ``killed_while_writing`` kill trainings and resume them.
"""

import json
import os
import random
import signal
import sys
import traceback
from pathlib import Path

import torch
from torch.distributions import Normal

from genimg_course.data import Batches, Card, ImageSet
from genimg_course.models import (
    CVAE,
    VAE,
    Autoencoder,
    Classifier,
    ConditionalGenerator,
    Discriminator,
    Generator,
    ProjectionDiscriminator,
)
from genimg_course.training import (
    Average,
    Checkpoints,
    adam,
    autoencoder_step,
    classifier_step,
    denoising_step,
    fit,
    gan_step,
    lazily,
    likelihood_step,
    masked_step,
    open_fabric,
    place,
    seed_everything,
    vae_step,
    wgan_gp_step,
)

SIZE, CLASSES, BATCH, UPDATES = 8, 3, 8, 5


class Gauss(torch.nn.Module):
    """A normal law for each pixel by itself."""

    def __init__(self):
        super().__init__()
        self.mean = torch.nn.Parameter(torch.zeros(1, SIZE, SIZE))

    def forward(self, x):
        return Normal(self.mean, 1.0).log_prob(x).sum(dim=(1, 2, 3))


def pictures():
    rng = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (20, 1, SIZE, SIZE), generator=rng, dtype=torch.uint8)
    card = Card("noise", "Noise", "CC0", "this test", (1, SIZE, SIZE))
    return ImageSet(images, torch.arange(20) % CLASSES, card)


def _one(network, take_step):
    """Return a maker of a run with one network and one optimiser."""

    def make(fabric=None):
        model = network()
        placed = place(fabric, model) if fabric else model
        optimizer = adam(placed, lr=1e-3, fabric=fabric)
        options = {"backward": fabric.backward} if fabric else {}

        def step(n, x, y):
            return take_step(placed, optimizer, x, y, **options)

        return {"model": model}, {"model": model, "optimizer": optimizer}, step

    return make


def _two(generator, critic, take_step):
    """Return a maker of a run with two networks and an average of the first."""

    def make(fabric=None):
        g, d = generator(), critic()
        placed = [place(fabric, network) if fabric else network for network in (g, d)]
        opt_g, opt_d = (adam(p, lr=1e-3, betas=(0.5, 0.99), fabric=fabric) for p in placed)
        average = Average(g)
        options = {"backward": fabric.backward} if fabric else {}

        def step(n, x, y):
            losses = take_step(n, *placed, opt_g, opt_d, x, y, **options)
            average.update(g)
            return losses

        parts = {"g": g, "d": d, "opt_g": opt_g, "opt_d": opt_d, "average": average}
        return {"g": g, "d": d}, parts, step

    return make


def r1_step(n, g, d, opt_g, opt_d, x, *condition, **options):
    return gan_step(g, d, opt_g, opt_d, x, *condition, gamma=lazily(0.5, n, every=2), **options)


def masked(model, optimizer, x, y, **options):
    return masked_step(model, optimizer, x, (x > 0).float(), **options)


FAMILIES = {
    "ae": _one(
        lambda: Autoencoder(2, SIZE, width=2),
        lambda m, o, x, y, **k: autoencoder_step(m, o, x, **k),
    ),
    "vae": _one(lambda: VAE(2, SIZE, width=2), lambda m, o, x, y, **k: vae_step(m, o, x, **k)),
    "cvae": _one(lambda: CVAE(2, SIZE, classes=CLASSES, width=2), vae_step),
    "gan": _two(
        lambda: Generator(2, SIZE, width=2),
        lambda: Discriminator(SIZE, width=2, features=4),
        lambda n, g, d, og, od, x, y, **k: r1_step(n, g, d, og, od, x, **k),
    ),
    "cgan": _two(
        lambda: ConditionalGenerator(2, SIZE, classes=CLASSES, width=2, embedding=2),
        lambda: ProjectionDiscriminator(SIZE, classes=CLASSES, width=2, features=4),
        r1_step,
    ),
    "wgan_gp": _two(
        lambda: Generator(2, SIZE, width=2),
        lambda: Discriminator(SIZE, width=2, features=4),
        lambda n, g, d, og, od, x, y, **k: wgan_gp_step(g, d, og, od, x, critic_steps=2, **k),
    ),
    "denoising": _one(
        lambda: Autoencoder(2, SIZE, width=2),
        lambda m, o, x, y, **k: denoising_step(m, o, x, sigma=0.5, **k),
    ),
    "masked": _one(lambda: Autoencoder(2, SIZE, width=2), masked),
    "likelihood": _one(Gauss, lambda m, o, x, y, **k: likelihood_step(m, o, x, **k)),
    "classifier": _one(lambda: Classifier(CLASSES, width=2), classifier_step),
}


def train(family, *, steps=UPDATES, fabric=None, seed=0, checkpoints=None, every=2):
    """Train one family from scratch or from its checkpoint; return what must be repeatable."""
    rng = seed_everything(seed)
    networks, parts, step = FAMILIES[family](fabric)
    share = (fabric.global_rank, fabric.world_size) if fabric else (0, 1)
    batches = Batches(pictures(), BATCH, rng=rng, share=share)
    torch.manual_seed(100 + share[0])
    saves = None
    if checkpoints:
        everything = {**parts, "batches": batches}
        saves = Checkpoints(checkpoints, everything, every=every, fabric=fabric)
    history = fit(
        step,
        batches,
        steps=steps,
        checkpoints=saves,
        progress=False,
        fabric=fabric,
        networks=networks,
    )
    history.pop("seconds")
    states = {name: part.state_dict() for name, part in parts.items()}
    return {"history": history, "states": states, "random": torch.get_rng_state()}


def main_two_processes(folder):
    fabric = open_fabric(accelerator="cpu", devices=2, precision="fp32")
    torch.set_num_threads(1)
    for family in FAMILIES:
        result = train(family, fabric=fabric, checkpoints=folder / family)
        resumed = train(
            family, fabric=fabric, checkpoints=folder / family, steps=UPDATES + 1, seed=9
        )
        straight = train(family, fabric=fabric, steps=UPDATES + 1)
        torch.save(
            {"once": result, "resumed": resumed, "straight": straight},
            folder / f"{family}-{fabric.global_rank}.pt",
        )


# --- killed and resumed

KILLS, STEPS = 10, 6


def in_child(work):
    """Run ``work`` in a forked process; return what it returns, or None if it was killed."""
    answer = Path(f"answer-{os.getpid()}.pt")
    answer.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        try:
            torch.save(work(), answer)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    assert status == 0, f"the child ended with status {status}"
    return torch.load(answer)


class Calls:
    """Count calls of functions written in C; kill this process with SIGKILL at one of them."""

    def __init__(self, at=None):
        self.count, self.at = 0, at

    def __call__(self, frame, event, arg):
        if event == "c_call":
            self.count += 1
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)


def killed(family, folder, at=None):
    """Train in a process that dies at its ``at``-th call; return the result and all calls."""

    def work():
        calls = Calls(at)
        sys.setprofile(calls)
        result = train(family, steps=STEPS, checkpoints=folder)
        sys.setprofile(None)
        return result, calls.count

    return in_child(work)


def killed_while_writing(family, folder, at=None):
    """Train in a process that dies at the ``at``-th call inside the second checkpoint."""
    write, calls, saves = Checkpoints._write, Calls(at), []

    def counting(self, *arguments):
        saves.append(0)
        sys.setprofile(calls if len(saves) == 2 else None)
        write(self, *arguments)
        sys.setprofile(None)

    def work():
        Checkpoints._write = counting
        return train(family, steps=STEPS, checkpoints=folder), calls.count

    return in_child(work)


def resumes(family, folder, expected):
    """Assert that another process reaches the same bits; return the steps it found saved."""
    found = Checkpoints(folder, {"": torch.nn.Identity()}).steps()
    # another start, which a checkpoint must overwrite
    result = in_child(
        lambda: train(family, steps=STEPS, checkpoints=folder, seed=99 if found else 0)
    )
    torch.testing.assert_close(result, expected, atol=0, rtol=0)
    return found


def warm_up():
    """Import what torch imports late, once for all children; without a backward pass.

    A process that has made one may be unable to fork.
    """
    layer = torch.nn.Linear(1, 1)
    optimizer = adam(layer, lr=1e-3)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    torch.save(optimizer.state_dict(), "warm.pt")
    torch.load("warm.pt")
    torch.testing.assert_close(torch.zeros(1), torch.zeros(1))


def main_killed(folder):
    torch.set_num_threads(1)
    os.chdir(folder)
    warm_up()
    told = {}
    for family in FAMILIES:
        expected, calls = killed(family, folder / family / "undisturbed")
        rng = random.Random(family)
        told[family] = []
        for kill in range(KILLS):
            here = folder / family / str(kill)
            at = rng.randrange(calls // 10, calls * 19 // 20)
            assert killed(family, here, at) is None, f"{family} survived call {at} of {calls}"
            told[family].append(max(resumes(family, here, expected), default=0))
    print(json.dumps(told))


def main_killed_while_writing(folder):
    torch.set_num_threads(1)
    os.chdir(folder)
    warm_up()
    expected, calls = killed_while_writing("cgan", folder / "undisturbed")
    told = []
    for at in range(1, calls, max(calls // 16, 1)):
        here = folder / str(at)
        assert killed_while_writing("cgan", here, at) is None
        told.append(resumes("cgan", here, expected))
    print(json.dumps(told))


if __name__ == "__main__":
    mains = {
        "two": main_two_processes,
        "killed": main_killed,
        "killed_while_writing": main_killed_while_writing,
    }
    mains[sys.argv[1]](Path(sys.argv[2]))
