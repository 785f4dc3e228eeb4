"""The command ``genimg``: lessons, notebooks, trainings, and what this machine can do."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence

from genimg_course import __version__
from genimg_course.commands import Failed, Mendable, lessons, training
from genimg_course.launch import LaunchError
from genimg_course.runner import LessonFailed, RunError

__all__ = ["main"]


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
    except (Failed, LessonFailed) as failure:
        print(failure, file=sys.stderr)
        return 1
    except (Mendable, LaunchError, RunError) as error:
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
    add = commands.add_parser
    lessons.add_lab(add("lab", help="open JupyterLab on a lesson"))
    lessons.add_run(add("run", help="run a lesson without a browser"))
    training.add_train(add("train", help="train what comes with the course"))
    training.add_bench(add("bench", help="measure the training speed of this machine"))
    lessons.add_doctor(add("doctor", help="say what this machine can do, what to mend"))
    training.add_certify(add("certify", help="train again, as a network's card says"))
    if importlib.util.find_spec("genimg_course.commands.teaching"):  # students do not get it
        from genimg_course.commands import teaching

        teaching.add_author(add("author", help="write the notebooks from their sources"))
        teaching.add_grade(add("grade", help="grade what a class has handed in"))
        teaching.add_release(add("release", help="pack what students get"))
        teaching.add_solution_check(add("solution-check", help="grade the course's own solutions"))
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
