"""The command ``genimg``: open the lessons, run one, write the notebooks, train a judge."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from genimg_course import __version__
from genimg_course.authoring import AuthoringError
from genimg_course.launch import LaunchError
from genimg_course.profiles import PROFILES
from genimg_course.runner import LessonFailed, RunError

__all__ = ["main"]

_JUDGED_SIZE = {"glyphs": 16, "mnist": 28}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``genimg`` and return its exit status.

    Args:
        arguments: the command line; ``sys.argv`` by default.

    Returns:
        0; 1 where a lesson failed or a notebook is not what its source says; 2 where the reader
        can mend the command, which one sentence on stderr explains.
    """
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
    except LessonFailed as failure:
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
    judge = families.add_parser("judge", help="the classifier that looks at generated images")
    judge.add_argument("--data", choices=_JUDGED_SIZE, default="glyphs", help="training set")
    judge.add_argument("--size", type=int, help="side of the images (default: 16, MNIST 28)")
    judge.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    judge.add_argument("--out", type=Path, help="folder (default: where the course looks for it)")
    judge.set_defaults(command=_train_judge)


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
    from genimg_course.data import DataError
    from genimg_course.reference import make_judge

    size = options.size or _JUDGED_SIZE[options.data]
    try:
        card = make_judge(options.data, size, seed=options.seed, out=options.out)
    except (DataError, ValueError) as error:
        raise RunError(str(error)) from error
    for split, accuracy in card["accuracy"].items():
        print(f"accuracy on {split}: {accuracy:.2%}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
