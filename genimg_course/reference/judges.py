"""Reference trainings: what ``genimg train`` runs, from the data to a measured card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from genimg_course import data
from genimg_course.metrics.judge import Judge, judge_path
from genimg_course.models.weights import save_weights
from genimg_course.training import seed_everything
from genimg_course.training.judge import train_judge

__all__ = ["make_judge"]

STEPS = {"glyphs": 2500, "mnist": 9000}
# what judges reach on unseen pictures: the mean of eight seeds less six standard deviations; where
# all of them made no mistake, one mistake counts as the deviation (tests/calibration)
AT_LEAST = {
    ("glyphs", 16): {"validation_accuracy": 0.998468, "test_accuracy": 0.998468},
    ("glyphs", 28): {"validation_accuracy": 0.9985, "test_accuracy": 0.9985},
    ("mnist", 28): {"validation_accuracy": 0.987076, "test_accuracy": 0.989565},
}


def make_judge(
    name: str = "glyphs",
    size: int = 16,
    *,
    seed: int = 0,
    steps: int | None = None,
    count: int | None = None,
    out: str | Path | None = None,
) -> dict[str, Any]:
    """Train the judge of a data set, measure it on unseen pictures, write weights and card.

    Args:
        name: ``"glyphs"`` (the test pictures come from fonts that it never saw) or ``"mnist"``.
        size: side of the images; MNIST is 28.
        seed: of the weights, the batches and the jitter.
        steps: number of updates; ``None`` takes those of the judges that come with the course.
        count: number of training images; ``None`` takes all.
        out: folder for ``NAME_SIZE.safetensors`` and ``.json``; ``None`` replaces the course's own.

    Returns:
        The card: how it was trained, and as ``metrics`` its accuracies on ``validation`` and
        ``test``, with the lower end of their range where it is known.

    Raises:
        ValueError: if there is no judge for such data.
    """
    if name not in STEPS:
        raise ValueError(f"no judge is trained on {name!r}: choose one of {', '.join(STEPS)}")
    rng = seed_everything(seed)
    train = data.load(name, size=size, count=count)
    steps = steps or STEPS[name]
    channels = train.images.shape[1]
    network = train_judge(
        data.Batches(train, 128, rng=rng), steps=steps, channels=channels, rng=rng
    )
    card: dict[str, Any] = {
        "command": f"genimg train judge --data {name} --size {size} --seed {seed}",
        "network": {"classes": 10, "channels": channels},
        "data": train.card.title,
        "seed": seed,
        "steps": steps,
        "torch": torch.__version__.split("+")[0],
    }
    judge = Judge(network, card)
    ends = AT_LEAST.get((name, size), {})
    card["metrics"] = {
        key: {"value": _accuracy(judge, name, size, split)}
        | ({"at_least": ends[key]} if key in ends else {})
        for key, split in (("validation_accuracy", "validation"), ("test_accuracy", "test"))
    }
    path = Path(out) / f"{name}_{size}" if out else judge_path(name, size)
    save_weights(network, path, card)
    return card


def _accuracy(judge: Judge, name: str, size: int, split: str) -> float:
    images = data.load(name, size=size, split=split)
    assert images.labels is not None  # both data sets have classes
    return round(judge.accuracy(data.to_model_range(images.images), images.labels), 5)
