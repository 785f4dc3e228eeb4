"""Time to quality: what a GAN reaches on MNIST within two minutes of one core.

The recipes are those of ``genimg train gan`` and ``genimg train cgan``, line by line: this module
only stops the clock and measures.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from genimg_course import data
from genimg_course.metrics import frechet_distance, load_judge
from genimg_course.reference.families import FAMILIES, Run, in_turn
from genimg_course.training import open_fabric, seed_everything

__all__ = [
    "AIMS",
    "QUALITY_STEPS",
    "Quality",
    "compare_quality",
    "quality_table",
    "time_to_quality",
]

# updates that fit into 120 CPU-seconds with room to spare, on a core with instructions for bf16
QUALITY_STEPS = {"gan": 2800, "cgan": 2000}
# the measure that counts for a family, and the least it has to reach
AIMS = {"gan": ("rarest_class", 0.05), "cgan": ("conditional_accuracy", 0.98)}


@dataclass(frozen=True)
class Quality:
    """What one training reached.

    Args:
        family: ``"gan"`` or ``"cgan"``.
        seed: of the weights, the batches and the noise.
        steps: updates done.
        planned: updates for which the learning rate was planned.
        cpu_seconds: of training, one thread: batches, steps and the running average; not the
            loading of data, not the measurement.
        precision: of the forward passes.
        images: how many pictures were judged.
        frechet: Fréchet distance between their features and those of the test pictures.
        rarest_class: share of the rarest class among them, as the judge sees it.
        commonest_class: share of the commonest one.
        conditional_accuracy: share that shows the class asked for; None without classes.
    """

    family: str
    seed: int
    steps: int
    planned: int
    cpu_seconds: float
    precision: str
    images: int
    frechet: float
    rarest_class: float
    commonest_class: float
    conditional_accuracy: float | None

    @property
    def reached(self) -> bool:
        """Return whether the family's aim is met."""
        name, least = AIMS[self.family]
        return float(getattr(self, name)) >= least

    def record(self) -> dict[str, Any]:
        """Return all values and ``reached``, for a JSON file."""
        return {**asdict(self), "reached": self.reached}


def time_to_quality(
    family: str,
    *,
    seed: int = 0,
    cpu_seconds: float = 120.0,
    steps: int | None = None,
    images: int = 10_000,
    count: int | None = None,
    precision: str | None = None,
) -> Quality:
    """Train one GAN on MNIST with one thread until its steps or its seconds are over; measure it.

    Args:
        family: ``"gan"`` or ``"cgan"``.
        seed: of everything random.
        cpu_seconds: the training stops after the step in which they run out.
        steps: updates planned; None takes ``QUALITY_STEPS``.
        images: pictures to draw and judge, a multiple of 10.
        count: training pictures; None takes all 60,000 but those of the validation split.
        precision: ``"bf16"`` or ``"fp32"``; None takes what the processor is fast at.

    Raises:
        ValueError: if there is no aim for the family, or a number is not possible.
    """
    if family not in AIMS:
        raise ValueError(f"family is {family!r}: choose one of {', '.join(AIMS)}")
    planned = QUALITY_STEPS[family] if steps is None else steps
    if not cpu_seconds > 0 or planned < 1 or images < 10 or images % 10:
        raise ValueError(
            f"got {cpu_seconds} CPU-seconds, {planned} steps and {images} images: expected more "
            "than zero seconds and steps, and a multiple of ten images"
        )
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # CPU-seconds of several threads that wait for each other mean little
    try:
        fabric = open_fabric(accelerator="cpu", precision=precision)
        train = data.load("mnist", size=28, count=count)
        rng = seed_everything(seed)
        run = FAMILIES[family](28, 1, 10, planned, fabric=fabric)
        batches = data.Batches(train, run.batch_size, rng=rng)
        done, spent = _train(run, batches, planned, cpu_seconds)
        numbers = _measure(run, family, images, seed)
        kind = str(fabric.strategy.precision.precision)
        return Quality(family, seed, done, planned, spent, kind, images, **numbers)
    finally:
        torch.set_num_threads(threads)


def compare_quality(
    families: Sequence[str],
    *,
    seeds: int = 5,
    cpu_seconds: float = 120.0,
    precision: str | None = None,
) -> list[Quality]:
    """Train each family with the seeds 0, 1, ... and print each result as it comes.

    Args:
        families: some of ``AIMS``.
        seeds: trainings of each family.
        cpu_seconds: the limit of each training.
        precision: as for ``time_to_quality``.

    Raises:
        ValueError: if a family has no aim, or there is nothing to train.
    """
    unknown = [family for family in families if family not in AIMS]
    if unknown or seeds < 1:
        raise ValueError(
            f"got {', '.join(unknown) or 'known families'} and {seeds} seeds: choose from "
            f"{', '.join(AIMS)}, with at least one seed"
        )
    results = []
    for family in families:
        for seed in range(seeds):
            results.append(
                time_to_quality(family, seed=seed, cpu_seconds=cpu_seconds, precision=precision)
            )
            print(f"{family}, seed {seed}: {results[-1].cpu_seconds:.0f} CPU-seconds", flush=True)
    return results


def _train(run: Run, batches: data.Batches, steps: int, limit: float) -> tuple[int, float]:
    started = time.process_time()
    spent, done = 0.0, 0
    while done < steps and spent < limit:
        run.step(done, *next(batches))
        done += 1
        spent = time.process_time() - started
    return done, round(spent, 2)


def _measure(run: Run, family: str, images: int, seed: int) -> dict[str, Any]:
    judge = load_judge("mnist", 28)
    test = data.load("mnist", size=28, split="test")
    drawing = torch.Generator().manual_seed(seed + 1)
    pieces = [min(500, images - start) for start in range(0, images, 500)]
    pictures = torch.cat([run.sample(piece, drawing) for piece in pieces])
    shares = judge.class_shares(pictures)
    wanted = torch.cat([in_turn(piece, 10) for piece in pieces])
    distance = frechet_distance(
        judge.features(pictures), judge.features(data.to_model_range(test.images))
    )
    return {
        "frechet": round(distance, 3),
        "rarest_class": round(float(shares.min()), 4),
        "commonest_class": round(float(shares.max()), 4),
        "conditional_accuracy": (
            round(judge.accuracy(pictures, wanted), 4) if family == "cgan" else None
        ),
    }


def quality_table(results: Sequence[Quality]) -> str:
    """Return the results as lines for people, one a training."""
    lines = [
        "family  seed  steps  CPU-s  Fréchet  rarest class  conditional accuracy  aim",
    ]
    for r in results:
        accuracy = "-" if r.conditional_accuracy is None else f"{r.conditional_accuracy:.2%}"
        lines.append(
            f"{r.family:6} {r.seed:5d} {r.steps:6d} {r.cpu_seconds:6.1f} {r.frechet:8.2f} "
            f"{r.rarest_class:13.2%} {accuracy:>21}  {'reached' if r.reached else 'missed'}"
        )
    for family, (name, least) in AIMS.items():
        own = [r for r in results if r.family == family]
        if own:
            lines.append(
                f"{family}: {name.replace('_', ' ')} of at least {least:.0%} in "
                f"{sum(r.reached for r in own)} of {len(own)} trainings"
            )
    return "\n".join(lines)
