"""The fourteen faults of the second article's program and of its installation, in order."""

from __future__ import annotations

import socket
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genimg_course.clinic.fault import Fault, Numbers
from genimg_course.clinic.faults_a import MNIST, superposition_error
from genimg_course.clinic.program_a import LATENT, adam, pictures
from genimg_course.clinic.program_b import (
    DiscriminatorB,
    GeneratorB,
    broken_round,
    repaired_round,
)
from genimg_course.training.watching import moves

__all__ = ["FAULTS"]


def _noise(count: int) -> Tensor:
    return torch.randn(count, LATENT)


# CB1 to CB5: shapes -------------------------------------------------------------------------------


def _judge(image_size: object) -> Numbers:
    return {"logits": DiscriminatorB(image_size)(pictures(4)).numel()}  # type: ignore[arg-type]


def _generate(**options: bool) -> Numbers:
    fake = GeneratorB(width=128, last_stride=2, **options)(_noise(2))
    return {"side of the pictures": fake.shape[-1]}


def _join(last_stride: int) -> Numbers:
    fake = GeneratorB(last_stride=last_stride)(_noise(4)).detach()
    return {"pictures in the batch": len(torch.cat([pictures(4), fake]))}


def _linear_stack(active: bool) -> Numbers:
    generator = GeneratorB(active=active).double()
    generator(_noise(32).double())
    generator.eval()
    u, v = torch.randn(2, 4, 8, 7, 7, dtype=torch.float64)
    return {"superposition error": superposition_error(generator.grow, u, v)}


# CB6 to CB9: the loop -----------------------------------------------------------------------------


class _Run:
    """A short run of the second program; ``repaired`` moves the generator."""

    def __init__(self, *, repaired: bool) -> None:
        self.generator, self.discriminator = GeneratorB(active=repaired), DiscriminatorB()
        self.opt_d = adam(self.discriminator.parameters(), beta=0.9)
        self.opt_g = adam(self.generator.parameters(), beta=0.9)
        self.generator_updates = 0
        self.opt_g.register_step_post_hook(lambda *_: self._count())
        self.repaired = repaired

    def _count(self) -> None:
        self.generator_updates += 1

    def round(self) -> dict[str, Tensor]:
        x = pictures(256)[torch.randint(256, (32,))]
        if self.repaired:
            return repaired_round(self.generator, self.discriminator, self.opt_g, self.opt_d, x)
        return broken_round(self.generator, self.discriminator, self.opt_d, x)


def _long_run(repaired: bool, rounds: int = 160) -> Numbers:
    run = _Run(repaired=repaired)
    seen: list[dict[str, Tensor]] = []
    before = [p.detach().clone() for p in run.generator.parameters()]
    for _ in range(rounds):
        seen.append(run.round())
    change = max(
        float((p - old).abs().max().detach())
        for p, old in zip(run.generator.parameters(), before, strict=True)
    )
    late = seen[-rounds // 3 :]
    means = {name: float(torch.stack([s[name] for s in late]).mean()) for name in late[0]}
    return {"largest change of G": change, **means}


def _calls(repaired: bool) -> Numbers:
    run = _Run(repaired=repaired)
    for _ in range(5):
        run.round()
    return {"rounds": 5, "updates of the generator": run.generator_updates}


def _log(telling: bool) -> Numbers:
    """Compare the logs of the broken and of the repaired program, line by line."""
    logs = []
    for repaired in (False, True):
        run = _Run(repaired=repaired)
        lines = []
        for n in range(5):
            watched = {"G": run.generator, "D": run.discriminator}
            moved = moves(run.round, watched)
            told = {name: bool(value > 0) for name, value in moved.items()}
            lines.append(f"{n + 1}/5 done" + (f", moved: {told}" if telling else ""))
        logs.append(lines)
    differing = sum(a != b for a, b in zip(*logs, strict=True))
    return {"lines": 5, "lines that give the failure away": differing}


def _pictures_over_time(repaired: bool) -> Numbers:
    run, z = _Run(repaired=repaired), _noise(16)
    with torch.no_grad():
        before = run.generator(z)
    for _ in range(10):
        run.round()
    with torch.no_grad():
        return {"largest change of a pixel": float((run.generator(z) - before).abs().max())}


# CB10 to CB14: around the program -----------------------------------------------------------------

_RELEASES = ("3.9.2", "3.19.6", "3.20.3", "4.25.3", "5.29.6")
"""Some releases of the library that the old program needs below 3.21."""


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _start(pin: str | None) -> Numbers:
    """Install the newest release that the pin allows; then start a program that needs < 3.21."""
    allowed = [r for r in _RELEASES if pin is None or _version(r) < _version(pin)]
    installed = max(allowed, key=_version)
    if _version(installed) >= _version("3.21"):
        raise TypeError(f"this program cannot use release {installed}: it needs one below 3.21")
    as_text = [r for r in _RELEASES if r < "3.21"]  # "3.9.2" is missing: text is no number
    return {
        "major release": _version(installed)[0],
        "minor release": _version(installed)[1],
        "releases lost if versions are compared as text": len(allowed) - len(as_text),
    }


def _install(downloaded: str, installed: str) -> Numbers:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / downloaded).write_bytes(bytes(16))
        return {"bytes read by the installer": len((Path(folder) / installed).read_bytes())}


def _switch(everywhere: bool) -> Numbers:
    """Give one project another interpreter, for the whole system or for the project alone."""
    system = {"python3": "3.10"}
    project = system if everywhere else {"python3": "3.10"}
    project["python3"] = "3.8"
    uses = {"package manager": system, "printer set-up": system, "the project": project}
    changed = [name for name, path in uses.items() if path["python3"] == "3.8"]
    return {"programs with another interpreter": len(changed)}


def _download() -> Numbers:
    """Ask an address of this machine at which nobody listens, as a machine offline would see it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://127.0.0.1:{port}/mnist.npz", timeout=5) as answer:
            return {"bytes": len(answer.read())}


def _memory(load: Callable[[np.ndarray], np.ndarray | Tensor]) -> Numbers:
    loaded = load(np.zeros((10, 28, 28), dtype=np.uint8))
    each = loaded.itemsize
    return {"bytes per pixel": each, "megabytes for 60,000": MNIST * 784 * each / 1e6}


FAULTS = (
    Fault(
        "CB1",
        "A number where a shape is expected",
        "TypeError in the old library, ValueError in the new one: 28 is no shape.",
        lambda: _judge(28),
        "The picture has channels, height and width; 28 is one of them.",
        lambda: _judge((1, 28, 28)),
        "The network is built and returns its logits.",
    ),
    Fault(
        "CB2",
        "Flattened before a transposed convolution",
        "ValueError: the layer expects four dimensions and gets 6272 features.",
        lambda: _generate(flatten_first=True),
        "A convolution needs a grid; flattening removes it, unflattening makes it.",
        lambda: _generate(),
        "With a grid of 7 by 7 the layers run, up to 56 pixels: the next fault but one.",
    ),
    Fault(
        "CB3",
        "Flattened before the last convolution",
        "ValueError: the layer expects four dimensions and gets 401408 features.",
        lambda: _generate(flatten_last=True),
        "The same mistake at the other end, 56 times 56 times 128 numbers in a row.",
        lambda: _generate(),
        "Without the flattening, the last convolution returns pictures.",
    ),
    Fault(
        "CB4",
        "Two sizes in one batch",
        "ValueError: along one dimension the arrays have sizes 28 and 56, so they are not joined.",
        lambda: _join(2),
        "Three strides of 2 lead from 7 to 56.",
        lambda: _join(1),
        "With stride 1 in the last of the three, real and generated pictures fit.",
    ),
    Fault(
        "CB5",
        "A deep network that is one linear map",
        "The convolutions add up with an error of 1.3e-6 on a scale of 1.3: apart from a constant "
        "they are one linear map.",
        lambda: _linear_stack(False),
        "There is no activation between the transposed convolutions.",
        lambda: _linear_stack(True),
        "With normalisation and an activation after each, they no longer add up.",
    ),
    Fault(
        "CB6",
        "A generator that never moves",
        "No error, and the largest change of G was 0.0. A port of the loop to PyTorch ended with "
        "D(real) 1.0000 and D(fake) 0.6659.",
        lambda: _long_run(False),
        "The step that is meant for the generator trains the discriminator, on fakes called real.",
        lambda: _long_run(True),
        "The generator's own optimiser moves the generator.",
    ),
    Fault(
        "CB7",
        "A joint model that is built and never used",
        "The joint network is compiled twice, and no line trains it.",
        lambda: _calls(False),
        "What is never called has no effect, however well it is built.",
        lambda: _calls(True),
        "One update of the generator in each round.",
    ),
    Fault(
        "CB8",
        "A log that hides the failure",
        "The losses are thrown away; the program prints how many epochs are done.",
        lambda: _log(False),
        "A log of progress says that time passes. It is the same for a right and a wrong program.",
        lambda: _log(True),
        "Which network moved is enough to give the failure away in the first line.",
    ),
    Fault(
        "CB9",
        "An improvement that cannot happen",
        "The text says that both networks are trained, and that the pictures are blurry and "
        "improve with training.",
        lambda: _pictures_over_time(False),
        "The text does not follow from the program: for the same noise the pictures are the same "
        "for ever.",
        lambda: _pictures_over_time(True),
        "In the repaired program the pictures change.",
    ),
    Fault(
        "CB10",
        "A requirement without an upper bound",
        "The installer took release 5.29.6 of a library, and the old program died at its import. "
        "The choice of a release is played here with a short list.",
        lambda: _start(None),
        "Without a bound, the newest release that fits is taken, and it is younger than the "
        "program.",
        lambda: _start("3.21"),
        "With a bound, 3.20 is taken. Compare versions as numbers: as text, 3.9 comes after 3.21.",
    ),
    Fault(
        "CB11",
        "One file is fetched, another is installed",
        "The instructions fetch a package of one name and install a file of another, which does "
        "not exist. Here a file stands for the package.",
        lambda: _install("toolkit_amd64.deb", "toolkit_linux.run"),
        "The second line names a file that the first line does not make.",
        lambda: _install("toolkit_amd64.deb", "toolkit_amd64.deb"),
        "The installer reads the file that was fetched.",
    ),
    Fault(
        "CB12",
        "A switch for the whole system",
        "On the system that is meant it changes nothing; on others it breaks the system's tools. "
        "Here tables stand for the paths.",
        lambda: _switch(True),
        "All programs share the one name that is redirected.",
        lambda: _switch(False),
        "In an environment of its own, the project alone changes.",
    ),
    Fault(
        "CB13",
        "Data that need a network",
        "The download of the digits fails on a machine that is offline. Here an address of this "
        "machine at which nobody listens stands for the server.",
        _download,
        "The program has no data of its own.",
        lambda: {"pictures": len(pictures(64))},
        "Drawings that are made on the spot need no network.",
    ),
    Fault(
        "CB14",
        "Eight bytes for each pixel",
        "The pictures are kept in double precision, 376 megabytes; test pictures are loaded and "
        "not used, and the length of the noise is defined twice.",
        lambda: _memory(lambda raw: raw / 255.0),
        "In NumPy, bytes divided by a number become doubles, and here all of them at once.",
        lambda: _memory(torch.from_numpy),
        "Bytes are kept, and a batch at a time becomes float32.",
    ),
)
"""In order; each is run by itself."""
