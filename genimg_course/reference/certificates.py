"""Certificates: how the networks that come with the course were made, and a second opinion.

A card names a command, a seed and a number of steps. ``certify`` trains again and asks whether the
numbers on the card can be had again, within a range that eight other trainings have shown.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genimg_course import data
from genimg_course.metrics import frechet_distance, load_judge
from genimg_course.metrics.judge import judge_path
from genimg_course.models.certified import FOLDER, certificate, certified
from genimg_course.models.weights import load_weights, read_card, save_weights
from genimg_course.reference.families import FAMILIES, Run, in_turn
from genimg_course.reference.judges import make_judge
from genimg_course.reference.training import train

__all__ = [
    "JUDGES",
    "NAMES",
    "STEPS",
    "Number",
    "certify",
    "make_certificate",
    "measure",
    "retrained",
    "side_of",
]

# about half a minute each on one thread
STEPS = {"ae": 1500, "vae": 1500, "cvae": 1500, "gan": 1500, "cgan": 1500}
NAMES = tuple(STEPS)
JUDGES = {
    "judge_glyphs_16": ("glyphs", 16),
    "judge_glyphs_28": ("glyphs", 28),
    "judge_mnist_28": ("mnist", 28),
}
SIZE, CLASSES = 16, 10
_SAMPLES = 2000
_NOISE = 1234  # the seed of every measurement, whatever the seed of the training
# which end of its range a number must not leave; the other end would be good news
_SIDES = {
    "squared_error": "at_most",
    "negative_elbo": "at_most",
    "frechet_distance": "at_most",
    "conditional_accuracy": "at_least",
    "effective_classes": "at_least",
    "validation_accuracy": "at_least",
    "test_accuracy": "at_least",
}
_LARGEST = 1_000_000  # bytes of a file


@dataclass(frozen=True)
class Number:
    """A number of a card beside the one that a new training gave.

    Args:
        name: what was measured.
        certified: the value on the card.
        again: the value of the new training.
        at_least: lower end of the card's range, or ``None``.
        at_most: upper end, or ``None``.
    """

    name: str
    certified: float
    again: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the new value lies in the range; NaN never does."""
        low = self.at_least is None or self.again >= self.at_least
        high = self.at_most is None or self.again <= self.at_most
        return low and high and self.again == self.again

    def __str__(self) -> str:
        notes = [f"card {self.certified:.5g}"]
        notes += [f"at least {self.at_least:g}"] if self.at_least is not None else []
        notes += [f"at most {self.at_most:g}"] if self.at_most is not None else []
        return (
            f"{'holds' if self.holds else 'FAILS'}  {self.name.replace('_', ' ')}: "
            f"{self.again:.5g} ({', '.join(notes)})"
        )


def side_of(name: str) -> str:
    """Return which bound a number has: ``"at_least"`` or ``"at_most"``."""
    return _SIDES[name]


def certify(name: str) -> list[Number]:
    """Train a network of the course again, as its card says, and compare the numbers.

    Args:
        name: ``"ae"``, ``"vae"``, ``"cvae"``, ``"gan"``, ``"cgan"``, or a judge such as
            ``"judge_glyphs_16"``.

    Returns:
        Each number of the card beside the one measured now.

    Raises:
        ValueError: if there is no such network, its file does not belong to its card, or its card
            names other numbers than are measured.
        DataError: if the data cannot be read.
    """
    card = _card(name)
    again = retrained(name, seed=int(card["seed"]), steps=int(card["steps"]))
    if again.keys() != card["metrics"].keys():
        raise ValueError(
            f"the card of {name} names {', '.join(card['metrics'])}; measured are "
            f"{', '.join(again)}"
        )
    return [
        Number(key, entry["value"], again[key], entry.get("at_least"), entry.get("at_most"))
        for key, entry in card["metrics"].items()
    ]


def retrained(
    name: str, *, seed: int, steps: int | None = None, count: int | None = None
) -> dict[str, float]:
    """Train a network of the course anew, away from the course's files, and measure it.

    Args:
        name: as for `certify`.
        seed: of everything random.
        steps: number of updates; ``None`` takes those of the course.
        count: number of training images; ``None`` takes all.
    """
    with tempfile.TemporaryDirectory(prefix="genimg-") as scratch:
        if name in JUDGES:
            card = make_judge(*JUDGES[name], seed=seed, steps=steps, count=count, out=scratch)
            return {key: entry["value"] for key, entry in card["metrics"].items()}
        network, _ = _train(name, Path(scratch) / "run", seed=seed, steps=steps, count=count)
        return measure(name, network)


def make_certificate(
    name: str,
    ranges: Mapping[str, Mapping[str, float]],
    *,
    out: Path = FOLDER,
    seed: int = 0,
    steps: int | None = None,
    count: int | None = None,
) -> dict[str, Any]:
    """Train a network of the course, and write its weights and its card.

    Weights that would fill more than a megabyte are stored in 16 bits; a network that loads them
    has 32 bits again. The numbers on the card are those of the stored weights.

    Args:
        name: one of ``NAMES``.
        ranges: for each number the end of its range, as ``{"at_most": 41.5}``.
        out: folder for ``NAME.safetensors`` and ``NAME.json``.
        seed: of everything random.
        steps: number of updates; ``None`` takes those of the course.
        count: number of training images; ``None`` takes all.

    Returns:
        The card.
    """
    with tempfile.TemporaryDirectory(prefix="genimg-") as scratch:
        network, trained = _train(name, Path(scratch) / "run", seed=seed, steps=steps, count=count)
    small = _bytes(network) > 0.95 * _LARGEST
    if small:
        network = network.half().float()
    numbers = measure(name, network)
    card = {
        **{key: trained[key] for key in ("command", "network", "data", "seed", "steps", "torch")},
        "stored": "float16" if small else "float32",
        "metrics": {key: {"value": value, **ranges[key]} for key, value in numbers.items()},
    }
    save_weights(network.half() if small else network, out / name, card)
    return card


def measure(name: str, network: nn.Module) -> dict[str, float]:
    """Measure a trained network on pictures that it has not seen, in the same way every time.

    Args:
        name: its family, one of ``NAMES``.
        network: as `certified` returns it.

    Returns:
        ``ae``: ``squared_error``, summed over the pixels; ``vae`` and ``cvae``: ``negative_elbo``
        in nats; ``gan`` and ``cgan``: ``frechet_distance`` in features of the course's judge; with
        classes ``conditional_accuracy``, without ``effective_classes``, the exponential of the
        entropy of the class shares that the judge sees, from 1 to 10.
    """
    unseen = data.load("glyphs", size=SIZE, split="validation", count=_SAMPLES)
    assert unseen.labels is not None  # the drawn digits have classes
    x = data.to_model_range(unseen.images)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_NOISE)
        run = _with(name, network.eval())
        found = run.unseen(x, unseen.labels) if run.unseen else {}
        numbers = {key: float(value) for key, value in found.items() if key in _SIDES}
        if name not in ("ae", "vae"):
            sampled = run.sample(_SAMPLES, torch.Generator().manual_seed(_NOISE))
            numbers |= _judged(name, sampled, x)
    return {key: float(f"{value:.6g}") for key, value in numbers.items()}


def _judged(name: str, sampled: Tensor, x: Tensor) -> dict[str, float]:
    judge = load_judge("glyphs", SIZE)
    if name == "gan":
        shares = judge.class_shares(sampled)
        # the exponential of the entropy: ten where classes are alike, one where one is left
        numbers = {"effective_classes": float(torch.special.entr(shares).sum().exp())}
    else:
        asked = in_turn(len(sampled), CLASSES)
        numbers = {"conditional_accuracy": judge.accuracy(sampled, asked)}
    if name == "cvae":
        return numbers
    distance = frechet_distance(judge.features(sampled), judge.features(x))
    return {**numbers, "frechet_distance": distance}


def _card(name: str) -> dict[str, Any]:
    if name not in JUDGES:
        certified(name)  # its file must be the one of the card
        return certificate(name)
    load_judge(*JUDGES[name])
    return read_card(judge_path(*JUDGES[name]))


def _train(
    name: str, folder: Path, *, seed: int, steps: int | None, count: int | None
) -> tuple[nn.Module, dict[str, Any]]:
    """Train a family's reference, and return the network that lessons use, with its card."""
    steps = steps or STEPS[name]
    summary = train(
        name,
        dataset="glyphs",
        size=SIZE,
        steps=steps,
        precision="fp32",
        accelerator="cpu",
        seed=seed,
        count=count,
        every=steps,
        out=folder,
        progress=False,
    )
    if summary.stopped:
        raise KeyboardInterrupt
    run = FAMILIES[name](SIZE, 1, CLASSES, steps)
    kept = next(iter(run.weights))
    path = folder / "weights" / kept
    return load_weights(run.weights[kept], path).eval(), read_card(path)


def _with(name: str, network: nn.Module) -> Run:
    """Return the family's run with trained weights in the place of fresh ones."""
    run = FAMILIES[name](SIZE, 1, CLASSES, 1)
    own = next(iter(run.weights.values())).eval()
    own.load_state_dict(network.state_dict())
    return run


def _bytes(network: nn.Module) -> int:
    return sum(value.numel() * value.element_size() for value in network.state_dict().values())
