"""Images per second of the course's steps beside the textbook loop, in one run, turn by turn.

Both train the same networks with the same update on batches of the same size; what differs is how.
They take turns, because a machine is never equally fast for long, and medians are compared. The
textbook loop has a process of its own, where the course has changed nothing. The course's own
recipes do more in a step (a penalty, a running average), so they have a line of their own.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, dataclass
from functools import cache, partial
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from genimg_course import data
from genimg_course.reference.families import FAMILIES
from genimg_course.reference.textbook import BENCHED, build_networks, textbook_loop
from genimg_course.training import gan_step, open_fabric, seed_everything, vae_step
from genimg_course.training.engine import adam, place
from genimg_course.training.meters import step_seconds, wait

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from genimg_course.data import Batches, ImageSet

__all__ = [
    "Contender",
    "Pace",
    "alternate",
    "bench",
    "bench_table",
    "matrix_pace",
    "one_turn",
]


@dataclass(frozen=True)
class Pace:
    """How fast a loop was in a turn, or in the median over its turns.

    Args:
        images: per second of the clock.
        images_cpu: per second of the processor, all threads together.
        step_seconds: by the clock, for one step.
    """

    images: float
    images_cpu: float
    step_seconds: float


@dataclass(frozen=True)
class Contender:
    """Something that trains without end.

    Args:
        name: for the table.
        turn: trains for so many seconds, from where it stopped, and says how fast it was.
        threads: with how many threads of torch it runs.
    """

    name: str
    turn: Callable[[float], Pace]
    threads: int


def bench(
    families: Sequence[str] | None = None,
    *,
    seconds: float = 1.0,
    rounds: int = 5,
    accelerator: str = "auto",
    precision: str | None = None,
    dataset: str = "glyphs",
    size: int = 28,
    count: int = 6000,
) -> dict[str, Any]:
    """Measure families and return all numbers, ready for JSON.

    Args:
        families: some of ``BENCHED``; None takes all.
        seconds: length of one turn.
        rounds: turns of each contender.
        accelerator: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        precision: of the course's loop; None takes what the device is fast at. The textbook loop
            has 32 bits.
        dataset: where the pictures come from; their number and what they show do not matter here.
        size: side of the pictures.
        count: number of pictures.

    Raises:
        ValueError: if a family is unknown, or a number is not possible.
    """
    families = list(BENCHED if families is None else families)
    unknown = [family for family in families if family not in BENCHED]
    if unknown or not families:
        raise ValueError(
            f"no bench for {', '.join(unknown) or 'nothing'}: choose from {', '.join(BENCHED)}"
        )
    if not seconds > 0 or rounds < 1:
        raise ValueError(f"got {seconds} seconds and {rounds} rounds: expected more than none")
    default = torch.get_num_threads()
    fabric = open_fabric(accelerator=accelerator, precision=precision)
    on_cpu = fabric.device.type == "cpu"
    images = data.load(dataset, size=size, count=count)
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:

            def textbook(family: str, seconds: float) -> Pace:
                which = (family, dataset, size, count, str(fabric.device))
                return apart.submit(_textbook_turn, which, seconds, default).result()

            measured = {
                family: _bench_family(family, images, fabric, textbook, seconds, rounds, default)
                for family in families
            }
        kind = torch.bfloat16 if "bf16" in _precision(fabric) else torch.float32
        threads = sorted({1, default}) if on_cpu else [default]
        paces = {number: matrix_pace(fabric.device, kind, number) for number in threads}
    finally:
        torch.set_num_threads(default)
    for result in measured.values():
        for entry in result["contenders"].values():
            achieved = result["flops_per_step"] / entry["step_seconds"]
            # the textbook's share is of the same pace, so that the shares compare
            entry["share_of_matrix_pace"] = achieved / paces[entry["threads"]]
    return {
        "device": _device_name(fabric.device),
        "precision": _precision(fabric),
        "torch": torch.__version__.split("+")[0],
        "default_threads": default,
        "seconds": seconds,
        "rounds": rounds,
        "size": size,
        "matrix_flops_per_second": {str(number): pace for number, pace in paces.items()},
        "families": measured,
    }


def alternate(contenders: Sequence[Contender], *, seconds: float, rounds: int) -> dict[str, Pace]:
    """Let contenders train in turns, and return the pace of each by name.

    Args:
        contenders: their loops go on where they stopped.
        seconds: length of a turn; it ends with the step in which they run out.
        rounds: turns of each.
    """
    turns: dict[str, list[Pace]] = {c.name: [] for c in contenders}
    for _ in range(rounds):
        for contender in contenders:
            turns[contender.name].append(contender.turn(seconds))
    return {
        name: Pace(*(median(column) for column in zip(*map(astuple, paces), strict=True)))
        for name, paces in turns.items()
    }


def one_turn(
    loop: Iterator[int], seconds: float, *, threads: int, device: torch.device | str = "cpu"
) -> Pace:
    """Let a loop train for a while and return its pace.

    Args:
        loop: each ``next`` is one step and gives the number of its pictures.
        seconds: the turn ends with the step in which they run out.
        threads: of torch.
        device: where it trains; the clocks are read when it has finished.
    """
    device = torch.device(device)
    torch.set_num_threads(threads)
    next(loop)  # the first step after a change is not measured
    wait(device)
    done = steps = 0
    clock, cpu = time.perf_counter(), time.process_time()
    while steps == 0 or time.perf_counter() - clock < seconds:
        done += next(loop)
        steps += 1
    wait(device)
    spent, spent_cpu = time.perf_counter() - clock, time.process_time() - cpu
    return Pace(done / spent, done / max(spent_cpu, 1e-9), spent / steps)


def matrix_pace(device: torch.device, dtype: torch.dtype, threads: int = 1) -> float:
    """Return the floating-point operations per second of one big matrix product, the best of five.

    Args:
        device: where to compute.
        dtype: of the matrices.
        threads: of torch, on a CPU.
    """
    torch.set_num_threads(threads)
    side = 8192 if device.type == "cuda" else 1024
    a = torch.randn(side, side, device=device).to(dtype)
    best = step_seconds(lambda: a @ a, 6, device=device).min()  # the first of them warms up
    return 2 * side**3 / float(best)


def _bench_family(
    family: str,
    images: ImageSet,
    fabric: Fabric,
    textbook: Callable[[str, float], Pace],
    seconds: float,
    rounds: int,
    default: int,
) -> dict[str, Any]:
    size, device = BENCHED[family], fabric.device
    batches = data.Batches(images, size, rng=seed_everything(0), device=device)
    step = _our_step(family, images, fabric)

    def ours(name: str, step: Callable[..., dict[str, Tensor]], threads: int) -> Contender:
        turn = partial(one_turn, _loop(step, batches), threads=threads, device=device)
        return Contender(name, turn, threads)

    numbers = sorted({1, default}) if device.type == "cpu" else [default]
    contenders = [
        Contender("textbook", partial(textbook, family), default),
        *(ours(f"ours, {_threads(threads)}", step, threads) for threads in numbers),
    ]
    if family in FAMILIES:
        contenders.append(
            ours("the whole recipe", _recipe_step(family, images, fabric), numbers[0])
        )
    paces = alternate(contenders, seconds=seconds, rounds=rounds)
    with FlopCounterMode(display=False) as counter:
        step(1, *next(batches))
    best = max((c for c in contenders if c.name.startswith("ours")), key=_by_pace(paces))
    return {
        "batch_size": size,
        "flops_per_step": counter.get_total_flops(),
        "best": best.name,
        "share_of_data": _data_seconds(batches, device, best.threads)
        / paces[best.name].step_seconds,
        "contenders": {
            c.name: {
                "threads": c.threads,
                **asdict(paces[c.name]),
                "ratio": paces[c.name].images / paces["textbook"].images,
                "ratio_cpu": paces[c.name].images_cpu / paces["textbook"].images_cpu,
            }
            for c in contenders
        },
    }


def _textbook_turn(which: tuple[Any, ...], seconds: float, threads: int) -> Pace:
    """Do one turn of a textbook loop in the process that keeps it between its turns."""
    return one_turn(_textbook(*which), seconds, threads=threads, device=which[-1])


@cache
def _textbook(family: str, dataset: str, size: int, count: int, device: str) -> Iterator[int]:
    images = data.load(dataset, size=size, count=count)
    return textbook_loop(family, images, batch_size=BENCHED[family], device=device)


def _by_pace(paces: Mapping[str, Pace]) -> Callable[[Contender], float]:
    return lambda contender: paces[contender.name].images


def _loop(step: Callable[..., dict[str, Tensor]], batches: Batches) -> Iterator[int]:
    n = 0
    while True:
        x, *y = next(batches)
        step(n, x, *y)
        n += 1
        yield len(x)


def _our_step(family: str, images: ImageSet, fabric: Fabric) -> Callable[..., dict[str, Tensor]]:
    """Return the textbook's update as the course does it: no penalty, no average."""
    networks = build_networks(family, *images.images.shape[2:0:-1])
    placed = [place(fabric, network) for network in networks]
    game = len(networks) == 2
    betas = (0.5, 0.999) if game else (0.9, 0.999)
    optimizers = [
        adam(network, lr=2e-4 if game else 1e-3, betas=betas, fabric=fabric) for network in networks
    ]

    def step(n: int, x: Tensor, *y: Tensor) -> dict[str, Tensor]:
        if not game:
            return vae_step(placed[0], optimizers[0], x, backward=fabric.backward)
        condition = y if family == "cgan" else ()
        players = (placed[0], placed[1], optimizers[0], optimizers[1])
        return gan_step(*players, x, *condition, backward=fabric.backward)

    return step


def _recipe_step(family: str, images: ImageSet, fabric: Fabric) -> Callable[..., dict[str, Tensor]]:
    classes = len(images.card.classes) if images.labels is not None else None
    channels, _, size = images.images.shape[1:]
    return FAMILIES[family](size, channels, classes, 1_000_000, fabric=fabric).step


def _data_seconds(batches: Batches, device: torch.device, threads: int) -> float:
    """Return how long one batch takes to make, without a step."""
    torch.set_num_threads(threads)
    ten = step_seconds(lambda: [next(batches) for _ in range(10)], 5, device=device)
    return float(ten.median()) / 10


def _precision(fabric: Fabric) -> str:
    return str(fabric.strategy.precision.precision)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return device.type


def _threads(number: int) -> str:
    return f"{number} thread" if number == 1 else f"{number} threads"


def bench_table(result: Mapping[str, Any]) -> str:
    """Return what ``bench`` measured as lines for people.

    Args:
        result: what ``bench`` returned.
    """
    paces = ", ".join(
        f"{pace / 1e9:,.0f} GFLOP/s with {_threads(int(number))}"
        for number, pace in result["matrix_flops_per_second"].items()
    )
    lines = [
        f"{result['device']}, {result['precision']}, torch {result['torch']}, "
        f"pictures of {result['size']} x {result['size']}, "
        f"medians of {result['rounds']} turns of {result['seconds']:g} s",
        f"a big matrix product: {paces}",
        "",
        "family   loop                 images/s   x textbook   per CPU-second x   share of matrix",
    ]
    for family, measured in result["families"].items():
        for name, entry in measured["contenders"].items():
            lines.append(
                f"{family:8} {name:18} {entry['images']:10,.0f} {entry['ratio']:12.2f} "
                f"{entry['ratio_cpu']:18.2f} {entry['share_of_matrix_pace']:17.0%}"
            )
        lines.append(
            f"{'':8} data take {measured['share_of_data']:.1%} of a step ({measured['best']})"
        )
    lines += [
        "",
        "The whole recipe adds what the textbook leaves out: a penalty, a running average, a "
        "schedule.",
    ]
    return "\n".join(lines)
