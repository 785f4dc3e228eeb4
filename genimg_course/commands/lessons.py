"""Commands of whoever reads a lesson: open it, run it, see what this machine can do."""

from __future__ import annotations

import argparse
from pathlib import Path

from genimg_course.commands import Mendable
from genimg_course.profiles import PROFILES

__all__ = ["add_doctor", "add_lab", "add_run"]


def add_lab(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg lab``."""
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    parser.add_argument(
        "--port", type=int, help="where to listen (default: the first free from 8888)"
    )
    parser.add_argument("--lesson", metavar="NN", help="which lesson to open (default: the first)")
    parser.set_defaults(command=_lab)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg run``."""
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


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg doctor``."""
    parser.add_argument("--json", action="store_true", help="print JSON, for other programs")
    parser.set_defaults(command=_doctor)


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
            raise Mendable(f"-p {assignment} is no NAME=VALUE")
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


def _doctor(options: argparse.Namespace) -> int:
    from genimg_course.doctor import examine, table

    found = table(examine())
    print(found.json() if options.json else found)
    return 0 if found.healthy else 1
