"""Commands that train, measure trainings, and train again what came with the course."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genimg_course.commands import Failed, Mendable

__all__ = ["FAMILIES", "add_bench", "add_certify", "add_train", "processes"]

_JUDGED_SIZE = {"glyphs": 16, "mnist": 28}
FAMILIES = {
    "ae": "autoencoder",
    "vae": "variational autoencoder",
    "cvae": "conditional VAE",
    "gan": "GAN in the shape of DCGAN",
    "cgan": "conditional GAN",
    "wgan_gp": "Wasserstein GAN with gradient penalty",
}
_SEVERAL_MACHINES = (
    "On several machines, run the same command on each, with MASTER_ADDR (address of the first), "
    "MASTER_PORT (a free port there) and NODE_RANK (0, 1, ...) in the environment, and a folder "
    "that all of them see."
)
_SETTINGS = (
    *("size", "steps", "batch_size", "count", "devices", "nodes", "accelerator"),
    *("precision", "seed", "every", "resume", "out"),
)


def add_train(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg train``."""
    families = parser.add_subparsers(required=True, metavar="NAME")
    for name, what in FAMILIES.items():
        family = families.add_parser(
            *(name,), help=what, description=f"Train the course's {what}.", epilog=_SEVERAL_MACHINES
        )
        _add_family(family)
        family.set_defaults(command=_train_family, family=name)
    judge = families.add_parser("judge", help="the classifier that looks at generated images")
    judge.add_argument("--data", choices=_JUDGED_SIZE, default="glyphs", help="training set")
    judge.add_argument("--size", type=int, help="side of the images (default: 16, MNIST 28)")
    judge.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    judge.add_argument("--out", type=Path, help="folder (default: where the course looks for it)")
    judge.set_defaults(command=_train_judge)


def _add_family(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", metavar="NAME", help="glyphs (default), mnist, fashion_mnist or folder:PATH")
    add("--size", type=int, metavar="N", help="side of the images (16; MNIST 28; a folder 32)")
    add("--steps", type=int, metavar="N", help="updates (default: about a minute on two cores)")
    add("--batch-size", type=int, metavar="N", help="images for one step of one process")
    add("--count", type=int, metavar="N", help="training images (default: all)")
    add("--devices", type=int, metavar="N", help="GPUs, or processes on a CPU (default: 1)")
    add("--nodes", type=int, metavar="N", help="machines (default: 1)")
    add("--accelerator", choices=("auto", "cpu", "cuda", "mps"), help="where (default: auto)")
    add("--precision", choices=("fp32", "bf16", "fp16"), help="default: what is fast there")
    add("--seed", type=int, metavar="N", help="of everything random (default: 0)")
    add("--every", type=int, metavar="N", help="steps between checkpoints (default: 500)")
    add("--resume", type=Path, metavar="FOLDER", help="go on with the run in this folder")
    add("--out", type=Path, metavar="FOLDER", help="default: runs/FAMILY-DATA-seedN")


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg bench``."""
    parser.description = (
        "Images per second of the course's training steps beside a plain textbook loop, in turns; "
        "with --quality, what a GAN and a cGAN reach on MNIST in a given time of one core."
    )
    add = parser.add_argument
    add("--families", nargs="+", metavar="NAME", help="mlp_vae vae gan cgan (default: all)")
    add("--seconds", type=float, default=1.0, help="length of one turn (default: 1)")
    add("--rounds", type=int, default=5, help="turns of each loop (default: 5)")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="(default: auto)")
    add("--precision", choices=("fp32", "bf16", "fp16"), help="default: what is fast there")
    add("--data", default="glyphs", metavar="NAME", help="where pictures come from")
    add("--size", type=int, default=28, help="side of the images (default: 28)")
    add("--quick", action="store_true", help="a few seconds in all: shows that it works, no more")
    add("--json", type=Path, metavar="FILE", help="write all numbers to this file")
    add("--quality", action="store_true", help="measure time to quality instead; needs MNIST")
    add("--seeds", type=int, default=5, help="trainings of each family, with --quality")
    add("--cpu-seconds", type=float, default=120.0, help="of each training, with --quality")
    parser.set_defaults(command=_bench)


def add_certify(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg certify``."""
    parser.add_argument(
        "name", metavar="NAME", help="ae, vae, cvae, gan, cgan, judge_glyphs_16 ..."
    )
    parser.set_defaults(command=_certify)


def _train_judge(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch reads it when it is imported
    from genimg_course.reference import make_judge

    size = options.size or _JUDGED_SIZE[options.data]
    with _mendable():
        card = make_judge(options.data, size, seed=options.seed, out=options.out)
    for name, entry in card["metrics"].items():
        print(f"{name.replace('_', ' ')}: {entry['value']:.2%}")
    return 0


def _train_family(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch reads both when it is imported
    if processes(options) > 1:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes side by side share the cores
    from genimg_course.reference.training import first_process

    status, sentence, everywhere = _outcome(options)
    # what all processes meet, the first one says; what one of them meets alone, it must say itself
    if first_process() or not everywhere:
        print(sentence, file=sys.stderr if status else sys.stdout)
    return status


def _outcome(options: argparse.Namespace) -> tuple[int, str, bool]:
    """Train; return the exit status, a sentence, and whether all processes come to the same."""
    from genimg_course.reference.training import train
    from genimg_course.training.faults import (
        MissingOperation,
        NonFiniteLoss,
        OutOfMemory,
        lost_process,
    )

    settings = {name: getattr(options, name) for name in _SETTINGS}
    try:
        return 0, str(train(options.family, dataset=options.data, **settings)), True
    except NonFiniteLoss as error:
        return 1, str(error), True
    except (ValueError, MissingOperation) as error:
        return 2, str(error), True
    except OutOfMemory as error:
        return 2, str(error), False
    except OSError as error:
        return 2, _sentence(error), False
    except RuntimeError as error:
        if not lost_process(error):
            raise
        # where the first process is the lost one, it has said why
        return 2, "another process of this run has ended", True


def _bench(options: argparse.Namespace) -> int:
    from genimg_course.reference.journal import write_json

    with _mendable():
        result, text = _time_to_quality(options) if options.quality else _speed(options)
        if options.json:
            write_json(options.json, result)
    print(text)
    return 0


def _time_to_quality(options: argparse.Namespace) -> tuple[dict[str, object], str]:
    from genimg_course.reference.quality import AIMS, compare_quality, quality_table

    trainings = compare_quality(
        options.families or list(AIMS),
        seeds=options.seeds,
        cpu_seconds=options.cpu_seconds,
        precision=options.precision,
    )
    return {"trainings": [training.record() for training in trainings]}, quality_table(trainings)


def _speed(options: argparse.Namespace) -> tuple[dict[str, object], str]:
    # waiting threads spin, as torch has it: on a free machine that is the textbook loop's best
    from genimg_course.reference.bench import bench, bench_table

    result = bench(
        options.families,
        seconds=0.05 if options.quick else options.seconds,
        rounds=1 if options.quick else options.rounds,
        accelerator=options.device,
        precision=options.precision,
        dataset=options.data,
        size=options.size,
        count=256 if options.quick else 6000,
    )
    return result, bench_table(result)


def _certify(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch reads it when it is imported
    from genimg_course.reference.certificates import certify

    with _mendable():
        numbers = certify(options.name)
    for number in numbers:
        print(number)
    return 0 if all(number.holds for number in numbers) else 1


@contextmanager
def _mendable() -> Iterator[None]:
    """Turn what may go wrong in a training into errors of which ``main`` makes a sentence."""
    from genimg_course.training.faults import MissingOperation, NonFiniteLoss, OutOfMemory

    try:
        yield
    except NonFiniteLoss as error:
        raise Failed(str(error)) from error
    except OSError as error:
        raise Mendable(_sentence(error)) from error
    except (ValueError, MissingOperation, OutOfMemory) as error:
        raise Mendable(str(error)) from error


def _sentence(error: OSError) -> str:
    return f"{error.strerror}: {error.filename}" if error.filename else str(error)


def processes(options: argparse.Namespace) -> int:
    """Return the processes on this machine, as asked for or as the resumed run has them."""
    if options.devices or not options.resume:
        return options.devices or 1
    try:
        settings = json.loads((options.resume / "settings.json").read_text(encoding="utf-8"))
        return int(settings["devices"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1  # the training says what is wrong with that folder
