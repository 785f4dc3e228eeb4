"""Train a family's reference: data, run, checkpoints, diary, warnings, measurement, weights.

A run lives in one folder::

    settings.json                   what it was begun with; ``--resume`` reads it
    history.jsonl                   one record a look: step, seconds, losses
    events/                         the same for TensorBoard, with the pictures
    samples/step-00000500.png       pictures of the same codes every time
    checkpoints/                    the newest two, complete
    weights/NAME.safetensors        what was learned, with a card NAME.json
    summary.json                    how it ended, with the measured numbers

With several processes the first writes all of it. On several machines the command is run on each of
them, with ``MASTER_ADDR`` (address of the first), ``MASTER_PORT`` (a free port there) and
``NODE_RANK`` (0, 1, ...) in the environment, and a folder that all of them see.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from tqdm import tqdm

from genimg_course import data
from genimg_course.data import ImageSet
from genimg_course.metrics import Judge, frechet_distance, load_judge
from genimg_course.metrics.judge import judge_path
from genimg_course.models.weights import save_weights
from genimg_course.reference.alarms import discriminator_won, exploded, lost_classes
from genimg_course.reference.families import CONDITIONAL, FAMILIES, STEPS, Run, in_turn
from genimg_course.reference.journal import Journal, read_journal, write_json
from genimg_course.training import Checkpoints, fit, open_fabric, seed_everything, seed_process
from genimg_course.training.engine import PRECISIONS

if TYPE_CHECKING:
    from lightning_fabric import Fabric

__all__ = ["Summary", "first_process", "train"]

Settings = dict[str, Any]
SIZES = {"glyphs": 16, "mnist": 28, "fashion_mnist": 28}  # a folder: 32
JUDGED = 2000  # pictures in each measurement


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    Args:
        folder: where it lives.
        settings: what it was begun with.
        done: steps done, those before a resume included.
        stopped: whether it was stopped before its last step.
        seconds: of training in this process.
        images_per_second: pictures trained on in a second, all processes together.
        numbers: what was measured at the end, by name; empty where the run was stopped.
        warnings: what the alarms said.
    """

    folder: Path
    settings: Settings
    done: int
    stopped: bool
    seconds: float
    images_per_second: float
    numbers: dict[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        s = self.settings
        what = f"{s['family']} on {s['dataset']}, {s['size']} x {s['size']} pixels"
        if self.stopped:
            return (
                f"{what}: stopped after {self.done} of {s['steps']} steps; go on with "
                f"genimg train {s['family']} --resume {self.folder}"
            )
        lines = [
            f"{what}: {self.done} steps, {self.seconds:.0f} s, "
            f"{self.images_per_second:,.0f} images per second"
        ]
        lines += [f"{name.replace('_', ' ')}: {value:.4g}" for name, value in self.numbers.items()]
        picture = self.folder / "samples" / f"step-{self.done:08d}.png"
        return "\n".join([*lines, f"see {picture}; the weights are in {self.folder / 'weights'}"])


def train(
    family: str,
    *,
    dataset: str | None = None,
    size: int | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    devices: int | None = None,
    nodes: int | None = None,
    precision: str | None = None,
    accelerator: str | None = None,
    seed: int | None = None,
    resume: str | Path | None = None,
    out: str | Path | None = None,
    every: int | None = None,
    count: int | None = None,
    progress: bool = True,
) -> Summary:
    """Train a family's reference and measure it; ``None`` takes the default, or the resumed run's.

    Ctrl-C and SIGTERM end a run after the step at hand, with a checkpoint. A run that was killed
    goes on from its last checkpoint, and ends with the same weights, to the last bit.

    Args:
        family: one of ``FAMILIES``.
        dataset: what ``data.load`` knows; the default is ``"glyphs"``.
        size: side of the images; 16 for glyphs, 28 for MNIST and its like, 32 for a folder.
        steps: number of updates; the default takes about a minute on two cores.
        batch_size: pictures for one step of one process.
        devices: processes on each machine, one for each GPU; 1 by default.
        nodes: machines; 1 by default.
        precision: ``"fp32"``, ``"bf16"`` or ``"fp16"``; by default what the device is fast at.
        accelerator: ``"auto"`` (the default), ``"cpu"``, ``"cuda"`` or ``"mps"``.
        seed: of everything random; 0 by default.
        resume: folder of a run that is to go on. Its settings stand; other ones are refused.
        out: a new folder; ``runs/FAMILY-DATASET-seedN`` by default.
        every: steps between two checkpoints with their pictures; 500 by default.
        count: number of training images; all by default.
        progress: show the bar and a line at the beginning.

    Raises:
        ValueError: if a setting is impossible, contradicts the resumed run, or the folder is taken.
        DataError: if the data cannot be read.
        CheckpointError: if the checkpoint is damaged or of another run.
        NonFiniteLoss: if a loss became NaN or infinite.
    """
    asked = {
        "family": family,
        "dataset": dataset,
        "size": size,
        "steps": steps,
        "batch_size": batch_size,
        "devices": devices,
        "nodes": nodes,
        "precision": precision,
        "accelerator": accelerator,
        "seed": seed,
        "every": every,
        "count": count,
    }
    settings, folder = _agree(asked, resume=resume, out=out)
    # in one process before the others are started: a download, or a sentence, comes once
    images = _load(settings, "train")
    fabric, run, batches = _prepare(settings, images)
    checkpoints = Checkpoints(
        folder / "checkpoints",
        {**run.parts, "batches": batches},
        every=settings["every"],
        keep=2,
        run=settings,
        fabric=fabric,
    )
    begun = checkpoints.examine()  # before anything in the folder is touched
    observer = _Observer(folder, settings, run, begun, fabric) if fabric.is_global_zero else None
    if observer and progress:
        print(_first_line(settings, images, fabric, folder, begun))
    started = time.monotonic()
    try:
        history = fit(
            run.step,
            batches,
            steps=settings["steps"],
            checkpoints=checkpoints,
            progress=progress,
            fabric=fabric,
            networks=run.networks,
            log=observer,
        )
    finally:
        if observer:
            observer.journal.close()
    # a clock may stand still while a finished run is only read again
    done, seconds = int(history["step"][-1]), max(time.monotonic() - started, 1e-3)
    pictures = (done - begun) * batches.batch_size
    summary = Summary(
        folder=folder,
        settings=settings,
        done=done,
        stopped=done < settings["steps"],
        seconds=round(seconds, 3),
        images_per_second=round(pictures / seconds, 1),
    )
    return observer.finish(summary, images) if observer else summary


def _agree(
    asked: Settings, *, resume: str | Path | None, out: str | Path | None
) -> tuple[Settings, Path]:
    """Return the settings of the run and its folder, which a new run claims."""
    settings = _resumed(Path(resume), asked) if resume else _complete(asked)
    folder = Path(resume or out or _default_folder(settings))
    if resume and out and Path(out).resolve() != Path(resume).resolve():
        raise ValueError(f"--resume {resume} goes on in its own folder: leave out --out {out}")
    if not resume and first_process():
        _claim(folder)
    return settings, folder


def _prepare(settings: Settings, images: ImageSet) -> tuple[Fabric, Run, data.Batches]:
    """Open devices, build run and batches, and complete the settings with what was found."""
    classes = len(images.card.classes) if images.labels is not None else None
    if settings["family"] in CONDITIONAL and not classes:
        raise ValueError(
            f"{settings['family']} needs pictures with classes, and {settings['dataset']} has "
            "none: put them into one sub-folder a class, or train a family without condition"
        )
    fabric = open_fabric(
        **{name: settings[name] for name in ("accelerator", "devices", "nodes", "precision")}
    )
    settings |= _found(fabric)
    # a sum that is shared out among another number of threads differs in its last bits
    settings.setdefault("threads", torch.get_num_threads())
    torch.set_num_threads(settings["threads"])
    rng = seed_everything(settings["seed"])
    run = FAMILIES[settings["family"]](
        settings["size"], images.images.shape[1], classes, settings["steps"], fabric=fabric
    )
    settings["batch_size"] = _batch_size(settings, run, len(images) // fabric.world_size)
    batches = data.Batches(
        images,
        settings["batch_size"] * fabric.world_size,
        rng=rng,
        device=fabric.device,
        share=(fabric.global_rank, fabric.world_size),
    )
    seed_process(fabric, settings["seed"])
    return fabric, run, batches


class _Observer:
    """What the first process does beside training: write, draw, warn, and measure at the end."""

    def __init__(
        self, folder: Path, settings: Settings, run: Run, begun: int, fabric: Fabric
    ) -> None:
        self.folder, self.settings, self.run, self.device = folder, settings, run, fabric.device
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "settings.json", settings)
        self.journal = Journal(
            folder, after=begun, every=settings["every"], steps=settings["steps"]
        )
        self.history: dict[str, list[float]] = defaultdict(list)
        for record in read_journal(folder / "history.jsonl"):
            self._remember(record)
        self.judge = _judge(settings, self.device)
        self.unseen = _load(settings, "validation")
        self.warnings: dict[str, str] = {}

    def __call__(self, step: int, losses: dict[str, float]) -> None:
        """Take note of a look; draw and check at every checkpoint and at the end."""
        self.journal.losses(step, losses)
        self._remember(losses)
        if step % self.settings["every"] == 0 or step == self.settings["steps"]:
            self.journal.pictures(step, self._look(), columns=self._columns())
            self._watch(step)

    def finish(self, summary: Summary, seen: ImageSet) -> Summary:
        """Measure, write weights, cards and summary."""
        numbers = {} if summary.stopped else self._measure(seen)
        if not summary.stopped and "smallest_class_share" in numbers:
            self._warn("classes", lost_classes(self._shares.tolist(), self.unseen.card.classes))
        summary = Summary(
            **{
                **vars(summary),
                "numbers": numbers,
                "warnings": tuple(self.warnings.values()),
            }
        )
        for name, network in self.run.weights.items():
            card = {
                "command": _command(self.settings),
                "network": self.run.described[name],
                "data": self.unseen.card.title,
                "seed": self.settings["seed"],
                "steps": summary.done,
                "torch": torch.__version__.split("+")[0],
                "metrics": numbers,
            }
            save_weights(network, self.folder / "weights" / name, card)
        write_json(self.folder / "summary.json", asdict(summary) | {"folder": str(self.folder)})
        return summary

    def _remember(self, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            if name not in ("step", "seconds"):
                self.history[name].append(value)

    def _columns(self) -> int:
        classes = len(self.unseen.card.classes)
        return classes if self.settings["family"] in CONDITIONAL and classes <= 12 else 10

    def _look(self) -> Tensor:
        """Return pictures of fixed codes; above them, if it can, unseen pictures and copies."""
        columns = self._columns()
        x = self.run.sample(6 * columns, _fixed_noise()).cpu()
        if self.run.rebuild is None:
            return x
        some = self.unseen.select(range(min(columns, len(self.unseen)))).to(self.device)
        real = data.to_model_range(some.images)
        rebuilt = self.run.rebuild(real, *([] if some.labels is None else [some.labels]))
        return torch.cat([real.cpu(), rebuilt.cpu(), x]) if len(some) == columns else x

    def _watch(self, step: int) -> None:
        for name, values in self.history.items():
            self._warn(name, exploded(name, values))
        if self.settings["family"] in ("gan", "cgan"):
            self._warn("won", discriminator_won(self.history["d_loss"]))
        if self.judge and self.settings["steps"] / 2 <= step < self.settings["steps"]:
            shares = self.judge.class_shares(self.run.sample(500, _fixed_noise()))
            self.journal.numbers(step, {"smallest_class_share": float(shares.min())})
            self._warn("classes", lost_classes(shares.tolist(), self.unseen.card.classes))

    def _warn(self, kind: str, sentence: str | None) -> None:
        if sentence and kind not in self.warnings:
            self.warnings[kind] = sentence
            tqdm.write(f"warning: {sentence}", file=sys.stderr)

    def _measure(self, seen: ImageSet) -> dict[str, float]:
        numbers: dict[str, float] = {}
        unseen = self.unseen.select(range(min(JUDGED, len(self.unseen)))).to(self.device)
        if self.run.unseen:
            sums: dict[str, float] = defaultdict(float)
            for rows in torch.arange(len(unseen)).split(500):
                part = unseen.select(rows.to(self.device))
                y = [] if part.labels is None else [part.labels]
                for name, value in self.run.unseen(data.to_model_range(part.images), *y).items():
                    sums[name] += float(value) * len(part)
            numbers |= {f"unseen_{name}": total / len(unseen) for name, total in sums.items()}
        if self.judge:
            numbers |= self._judged(data.to_model_range(unseen.images), seen)
        return {name: round(value, 5) for name, value in numbers.items()}

    def _judged(self, real: Tensor, seen: ImageSet) -> dict[str, float]:
        assert self.judge is not None
        x = self.run.sample(len(real), _fixed_noise())
        self._shares = self.judge.class_shares(x)
        numbers = {"smallest_class_share": float(self._shares.min())}
        if self.settings["family"] in CONDITIONAL:
            asked = in_turn(len(x), len(self.unseen.card.classes), x.device)
            numbers = {"conditional_accuracy": self.judge.accuracy(x, asked)} | numbers
        reference = self.judge.features(real)
        trained_on = seen.select(range(min(len(real), len(seen)))).to(self.device)
        floor = self.judge.features(data.to_model_range(trained_on.images))
        return numbers | {
            "frechet_distance": frechet_distance(self.judge.features(x), reference),
            "frechet_distance_of_training_images": frechet_distance(floor, reference),
        }


def first_process() -> bool:
    """Return whether this process is the first of the run: the one that writes and prints."""
    return all(os.environ.get(name, "0") == "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK"))


def _complete(asked: Settings) -> Settings:
    """Fill in the defaults, as far as the data and the device need not be known."""
    settings = {name: value for name, value in asked.items() if value is not None}
    family = settings["family"]
    if family not in FAMILIES:
        raise ValueError(f"family is {family!r}: choose one of {', '.join(FAMILIES)}")
    dataset = _absolute(settings.get("dataset", "glyphs"))
    defaults: Settings = {
        "family": family,
        "dataset": "glyphs",
        "size": SIZES.get(dataset, 32),
        "steps": STEPS[family],
        "batch_size": None,
        "devices": 1,
        "nodes": 1,
        "precision": None,
        "accelerator": "auto",
        "seed": 0,
        "every": 500,
        "count": None,
    }
    settings = defaults | settings | {"dataset": dataset}
    for name in ("size", "steps", "every", "batch_size"):
        if settings[name] is not None and settings[name] < 1:
            raise ValueError(f"{name} is {settings[name]}: expected at least one")
    return settings


def _resumed(folder: Path, asked: Settings) -> Settings:
    """Read the settings of a run and refuse others."""
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        known = {name: settings[name] for name in asked}
    except FileNotFoundError as error:
        raise ValueError(f"{folder} holds no run: it has no settings.json") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder / 'settings.json'} is damaged: it cannot be resumed") from error
    given = {name: value for name, value in asked.items() if value is not None}
    if "dataset" in given:
        given["dataset"] = _absolute(given["dataset"])
    if given.get("accelerator") == "auto":
        del given["accelerator"]
    other = {name: value for name, value in given.items() if value != known[name]}
    if other:
        differences = ", ".join(f"{k} {known[k]!r}, not {v!r}" for k, v in other.items())
        raise ValueError(f"the run in {folder} has {differences}: leave that out to resume it")
    return settings


def _absolute(dataset: str) -> str:
    kind, colon, path = dataset.partition(":")
    return f"folder:{Path(path).expanduser().resolve()}" if kind == "folder" and colon else dataset


def _default_folder(settings: Settings) -> Path:
    kind, _, path = settings["dataset"].partition(":")
    name = Path(path).name if path else kind
    return Path("runs") / f"{settings['family']}-{name}-seed{settings['seed']}"


def _claim(folder: Path) -> None:
    """Make the folder of a new run; refuse one that holds anything."""
    if (folder / "settings.json").exists():
        raise ValueError(
            f"{folder} holds a run already: go on with --resume {folder}, choose another folder "
            "with --out, or delete it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty: choose a new folder with --out")


def _load(settings: Settings, split: str) -> ImageSet:
    count = settings["count"] if split == "train" else None
    return data.load(settings["dataset"], size=settings["size"], split=split, count=count)


def _judge(settings: Settings, device: torch.device) -> Judge | None:
    """Return the course's judge for these pictures, if there is one and it makes sense."""
    dataset, size = settings["dataset"], settings["size"]
    if settings["family"] == "ae" or not judge_path(dataset, size).with_suffix(".json").is_file():
        return None
    return load_judge(dataset, size, device=device)


def _found(fabric: Fabric) -> Settings:
    """Return what was chosen for this machine: a resume elsewhere must not choose otherwise."""
    names = {value: name for name, value in PRECISIONS.items()}
    return {
        "accelerator": fabric.device.type,
        "precision": names[fabric.strategy.precision.precision],
    }


def _batch_size(settings: Settings, run: Run, most: int) -> int:
    """Return the pictures for one step of one process: fewer than usual where the set is small."""
    chosen = settings["batch_size"]
    if chosen is None:
        return min(run.batch_size, most // run.multiple * run.multiple)
    if chosen % run.multiple:
        raise ValueError(
            f"batch_size is {chosen}: {settings['family']} needs a multiple of {run.multiple}"
        )
    return chosen


def _fixed_noise() -> torch.Generator:
    return torch.Generator().manual_seed(1234)


def _command(settings: Settings) -> str:
    words = ["genimg", "train", settings["family"], "--data", settings["dataset"]]
    for name in ("size", "steps", "batch_size", "devices", "nodes", "precision", "seed", "count"):
        if settings[name] is not None and (name not in ("devices", "nodes") or settings[name] > 1):
            words += [f"--{name.replace('_', '-')}", str(settings[name])]
    return shlex.join(words)  # a folder may have a space in its name


def _first_line(
    settings: Settings, images: ImageSet, fabric: Fabric, folder: Path, begun: int
) -> str:
    where = f"{fabric.device.type} in {settings['precision']}"
    several = f", {fabric.world_size} processes" if fabric.world_size > 1 else ""
    again = f" from step {begun}" if begun else ""
    return (
        f"{settings['family']} on {len(images):,} images of {images.card.title}, {where}{several}, "
        f"{settings['batch_size']} images a step{again}; everything goes to {folder}"
    )
