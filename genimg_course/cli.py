"""The command ``genimg``: lessons, notebooks, trainings, and what this machine can do."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from genimg_course import __version__
from genimg_course.authoring import AuthoringError
from genimg_course.launch import LaunchError
from genimg_course.profiles import PROFILES
from genimg_course.runner import LessonFailed, RunError

__all__ = ["main"]

_JUDGED_SIZE = {"glyphs": 16, "mnist": 28}
_FAMILIES = {
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

_GRADE = """\
Judge submissions without trusting them, and write grades, feedback pages and a summary.

SUBMISSIONS are folders, zip files as a learning platform exports them, or notebooks. What was
judged is kept in OUT: the same command goes on after an interruption, and a second one adds to it.

--points FILE   CSV with the columns exercise,points, or JSON {"vae.step": 3}; others count 1
--late RULE     "2026-11-30T23:59+01:00 24:0.8 72:0.5": due then; up to 24 hours late leaves 0.8
                of the points, up to 72 hours 0.5, later nothing. Or a CSV file with the column
                due, a column for each number of hours with the factors in it, and, if wanted,
                lesson, student (an extension) and submitted (instead of the file's own time);
                the row that names the student counts more than one that names the lesson
--hints LEVEL   0 says what fails, 1 where to look, 2 an example, 3 a question, 4 the same with
                other numbers, 5 the solution, after three different answers (default: 4)
"""


class _Failed(Exception):
    """A training that broke; the message says where."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``genimg`` and return its exit status.

    Args:
        arguments: the command line; ``sys.argv`` by default.

    Returns:
        0; 1 where a lesson or a training failed, a notebook is not what its source says, a number
        leaves the range of its card, or the doctor finds something wrong; 2 where the reader can
        mend the command, which one sentence on stderr explains; 130 after Ctrl-C.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except (LessonFailed, _Failed) as failure:
        print(failure, file=sys.stderr)
        return 1
    except (AuthoringError, LaunchError, RunError) as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "genimg_course").startswith("genimg_course"):
            raise
        print(
            f"{error.name} is not installed: run 'make setup', which installs it", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="genimg", description="The commands of the course on image generation."
    )
    parser.add_argument("--version", action="version", version=f"genimg_course {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_lab(commands.add_parser("lab", help="open JupyterLab on a lesson"))
    _add_run(commands.add_parser("run", help="run a lesson without a browser"))
    _add_author(commands.add_parser("author", help="write the notebooks from their sources"))
    _add_train(commands.add_parser("train", help="train what comes with the course"))
    _add_bench(commands.add_parser("bench", help="measure the training speed of this machine"))
    _add_doctor(commands.add_parser("doctor", help="say what this machine can do, what to mend"))
    _add_certify(commands.add_parser("certify", help="train again, as a network's card says"))
    _add_grade(commands.add_parser("grade", help="grade what a class has handed in"))
    _add_release(commands.add_parser("release", help="pack what students get"))
    _add_solution_check(
        commands.add_parser("solution-check", help="grade the course's own solutions")
    )
    return parser


def _add_lab(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    parser.add_argument(
        "--port", type=int, help="where to listen (default: the first free from 8888)"
    )
    parser.add_argument("--lesson", metavar="NN", help="which lesson to open (default: the first)")
    parser.set_defaults(command=_lab)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lesson", metavar="NN", help="number or name of the lesson")
    parser.add_argument("--profile", choices=PROFILES, help="how much work it may do")
    parser.add_argument(
        *("-p", "--parameter"),
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="set a parameter of the lesson; may be given several times",
    )
    parser.add_argument("--out", type=Path, help="folder for the results (default: runs/NN_slug)")
    parser.add_argument(
        "--source",
        choices=("solutions", "notebooks"),
        default="solutions",
        help="the solved lesson (default), or the notebook you work in",
    )
    parser.add_argument("--cell-timeout", type=int, metavar="SECONDS", help="limit for one cell")
    parser.set_defaults(command=_run)


def _add_author(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--check", action="store_true", help="compare only; 1 if something is stale"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite notebooks that hold results"
    )
    parser.set_defaults(command=_author)


def _add_train(parser: argparse.ArgumentParser) -> None:
    families = parser.add_subparsers(required=True, metavar="NAME")
    for name, what in _FAMILIES.items():
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


def _add_bench(parser: argparse.ArgumentParser) -> None:
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


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for other programs")
    parser.set_defaults(command=_doctor)


def _add_certify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", metavar="NAME", help="ae, vae, cvae, gan, cgan, judge_glyphs_16 ..."
    )
    parser.set_defaults(command=_certify)


def _add_grade(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = _GRADE
    add = parser.add_argument
    add("submissions", nargs="+", type=Path, metavar="SUBMISSIONS", help="folder, zip or notebook")
    add("--lesson", metavar="NN", help="lesson of all files (default: each file says its own)")
    add("--seed", type=int, metavar="S", help="of the questions (default: drawn, and kept in OUT)")
    add("--out", type=Path, default=Path("grades"), help="folder of the grades (default: grades)")
    add("--points", type=Path, metavar="FILE", help="what exercises are worth, see below")
    add("--late", metavar="RULE", help="what is left for being late, see below")
    add("--tier", metavar="NAME", help="container, bubblewrap or landlock (default: the best here)")
    add("--jobs", type=int, default=1, metavar="N", help="submissions side by side (default: 1)")
    add("--hints", type=int, default=4, metavar="LEVEL", choices=range(6), help="0 to 5, see below")
    add("--i-trust-these-submissions", action="store_true", help="run them uncontained if need be")
    parser.set_defaults(command=_grade)


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.description = "Pack notebooks and package for students, without solutions and tests."
    parser.add_argument("out", type=Path, metavar="FILE.zip", help="the zip file to write")
    parser.add_argument(
        "--without-references",
        action="store_true",
        help="leave out what the exercises ask for: answers are then checked by the grader only",
    )
    parser.set_defaults(command=_release)


def _add_solution_check(parser: argparse.ArgumentParser) -> None:
    parser.description = "Grade the course's own solutions: with any seed they have full marks."
    add = parser.add_argument
    add("--lesson", metavar="NN", help="one lesson only (default: all)")
    add("--seeds", type=int, default=1, metavar="N", help="number of seeds (default: 1)")
    add("--seed", type=int, default=0, metavar="S", help="the first seed (default: 0)")
    add("--tier", metavar="NAME", help="container, bubblewrap or landlock (default: the best here)")
    add("--i-trust-these-submissions", action="store_true", help="run them uncontained if need be")
    parser.set_defaults(command=_solution_check)


def _lab(options: argparse.Namespace) -> int:
    from genimg_course.launch import lab

    return lab(Path.cwd(), lesson=options.lesson, browser=not options.no_browser, port=options.port)


def _run(options: argparse.Namespace) -> int:
    from genimg_course.launch import find_lesson
    from genimg_course.runner import run, value

    notebook = find_lesson(Path.cwd() / options.source, options.lesson)
    parameters = {"PROFILE": options.profile} if options.profile else {}
    for assignment in options.parameter:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise RunError(f"-p {assignment} is no NAME=VALUE")
        parameters[name] = value(text)
    done = run(
        notebook,
        out=options.out or Path("runs") / notebook.stem,
        parameters=parameters,
        cell_timeout=options.cell_timeout,
    )
    for name, number in done.numbers.items():
        print(f"{name.replace('_', ' ')}: {number['value']:g} {number['unit']}".rstrip())
    print(
        f"{notebook.stem} ran in {done.seconds:.0f} s; see {done.page} "
        f"and the pictures ({len(done.pictures)}) beside it"
    )
    return 0


def _author(options: argparse.Namespace) -> int:
    from genimg_course.authoring import check, write

    if not options.check:
        for path in write(Path.cwd(), force=options.force):
            print(f"wrote {path.relative_to(Path.cwd())}")
    problems = check(Path.cwd())
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


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
    if _processes(options) > 1:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # processes side by side share the cores
    from genimg_course.reference.training import first_process, train
    from genimg_course.training.faults import (
        MissingOperation,
        NonFiniteLoss,
        OutOfMemory,
        lost_process,
    )

    names = (
        *("size", "steps", "batch_size", "count", "devices", "nodes", "accelerator"),
        *("precision", "seed", "every", "resume", "out"),
    )
    try:
        summary = train(
            options.family,
            dataset=options.data,
            **{name: getattr(options, name) for name in names},
        )
    except NonFiniteLoss as error:
        status, sentence, everywhere = 1, str(error), True
    except (ValueError, MissingOperation) as error:
        status, sentence, everywhere = 2, str(error), True
    except OutOfMemory as error:
        status, sentence, everywhere = 2, str(error), False
    except OSError as error:
        status, sentence, everywhere = 2, _sentence(error), False
    except RuntimeError as error:
        if not lost_process(error):
            raise
        # where the first process is the lost one, it has said why
        status, sentence, everywhere = 2, "another process of this run has ended", True
    else:
        status, sentence, everywhere = 0, str(summary), True
    # what all processes meet, the first one says; what one of them meets alone, it must say itself
    if first_process() or not everywhere:
        print(sentence, file=sys.stderr if status else sys.stdout)
    return status


def _bench(options: argparse.Namespace) -> int:
    # waiting threads spin, as torch has it: on a free machine that is the textbook loop's best
    from genimg_course.reference.bench import bench, bench_table
    from genimg_course.reference.journal import write_json
    from genimg_course.reference.quality import AIMS, compare_quality, quality_table

    result: dict[str, object]
    with _mendable():
        if options.quality:
            trainings = compare_quality(
                options.families or list(AIMS),
                seeds=options.seeds,
                cpu_seconds=options.cpu_seconds,
                precision=options.precision,
            )
            result = {"trainings": [training.record() for training in trainings]}
            text = quality_table(trainings)
        else:
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
            text = bench_table(result)
        if options.json:
            write_json(options.json, result)
    print(text)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from genimg_course.doctor import examine, table

    found = table(examine())
    print(found.json() if options.json else found)
    return 0 if found.healthy else 1


def _certify(options: argparse.Namespace) -> int:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # torch reads it when it is imported
    from genimg_course.reference.certificates import certify

    with _mendable():
        numbers = certify(options.name)
    for number in numbers:
        print(number)
    return 0 if all(number.holds for number in numbers) else 1


def _grade(options: argparse.Namespace) -> int:
    from genimg_course.grading.batch import GradingError, grade
    from genimg_course.grading.intake import manifest
    from genimg_course.grading.isolation.tiers import NoIsolation
    from genimg_course.grading.points import late_rules, read_points
    from genimg_course.grading.reports import find_sections

    notebooks = Path.cwd() / "notebooks"
    try:
        lessons = manifest(notebooks)
        known = [item.id for lesson in lessons.values() for item in lesson.exercises]
        done = grade(
            options.submissions,
            options.out,
            lessons=lessons,
            lesson=options.lesson.zfill(2) if options.lesson else None,
            seed=options.seed,
            tier=options.tier,
            trust=options.i_trust_these_submissions,
            points=read_points(options.points, known) if options.points else None,
            late=late_rules(options.late) if options.late else None,
            jobs=options.jobs,
            hints=options.hints,
            sections=find_sections(notebooks),
        )
    except (GradingError, NoIsolation, ValueError) as error:
        raise RunError(str(error)) from error
    print(done)
    return 0 if done.signal is None else 128 + done.signal


def _release(options: argparse.Namespace) -> int:
    from genimg_course.grading.release import ReleaseError, release

    try:
        packed = release(Path.cwd(), options.out, references=not options.without_references)
    except (ReleaseError, OSError) as error:
        raise RunError(str(error)) from error
    print(f"{packed} is packed: {packed.stat().st_size / 1e6:.1f} MB")
    return 0


def _solution_check(options: argparse.Namespace) -> int:
    from genimg_course.grading.batch import GradingError
    from genimg_course.grading.isolation.tiers import NoIsolation
    from genimg_course.grading.solutions import solution_check

    wrong = 0
    try:
        for seed, records in solution_check(
            Path.cwd(),
            seeds=range(options.seed, options.seed + options.seeds),
            lesson=options.lesson.zfill(2) if options.lesson else None,
            tier=options.tier,
            trust=options.i_trust_these_submissions,
        ):
            failed = [record for record in records if record.status != "correct"]
            wrong += len(failed)
            print(f"seed {seed}: {len(records) - len(failed)} of {len(records)} right", flush=True)
            for record in failed:
                print(f"  {record.exercise}: {record.status} {record.diagnosis}. {record.message}")
    except (GradingError, NoIsolation, ValueError) as error:
        raise RunError(str(error)) from error
    return 1 if wrong else 0


@contextmanager
def _mendable() -> Iterator[None]:
    """Turn what may go wrong in a training into errors of which ``main`` makes a sentence."""
    from genimg_course.training.faults import MissingOperation, NonFiniteLoss, OutOfMemory

    try:
        yield
    except NonFiniteLoss as error:
        raise _Failed(str(error)) from error
    except OSError as error:
        raise RunError(_sentence(error)) from error
    except (ValueError, MissingOperation, OutOfMemory) as error:
        raise RunError(str(error)) from error


def _sentence(error: OSError) -> str:
    return f"{error.strerror}: {error.filename}" if error.filename else str(error)


def _processes(options: argparse.Namespace) -> int:
    """Return the processes on this machine, as asked for or as the resumed run has them."""
    if options.devices or not options.resume:
        return options.devices or 1
    try:
        settings = json.loads((options.resume / "settings.json").read_text(encoding="utf-8"))
        return int(settings["devices"])
    except (OSError, ValueError, KeyError, TypeError):
        return 1  # the training says what is wrong with that folder


if __name__ == "__main__":
    raise SystemExit(main())
