"""Commands of whoever teaches; what students get does not have them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from genimg_course.commands import Mendable

__all__ = ["add_author", "add_grade", "add_release", "add_solution_check"]

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


def add_author(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg author``."""
    parser.add_argument(
        "--check", action="store_true", help="compare only; 1 if something is stale"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite notebooks that hold results"
    )
    parser.set_defaults(command=_author)


def add_grade(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg grade``."""
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


def add_release(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg release``."""
    parser.description = "Pack notebooks and package for students, without solutions and tests."
    parser.add_argument("out", type=Path, metavar="FILE.zip", help="the zip file to write")
    parser.add_argument(
        "--without-references",
        action="store_true",
        help="leave out what the exercises ask for: answers are then checked by the grader only",
    )
    parser.set_defaults(command=_release)


def add_solution_check(parser: argparse.ArgumentParser) -> None:
    """Let a parser read the words of ``genimg solution-check``."""
    parser.description = "Grade the course's own solutions: with any seed they have full marks."
    add = parser.add_argument
    add("--lesson", metavar="NN", help="one lesson only (default: all)")
    add("--seeds", type=int, default=1, metavar="N", help="number of seeds (default: 1)")
    add("--seed", type=int, default=0, metavar="S", help="the first seed (default: 0)")
    add("--tier", metavar="NAME", help="container, bubblewrap or landlock (default: the best here)")
    add("--i-trust-these-submissions", action="store_true", help="run them uncontained if need be")
    parser.set_defaults(command=_solution_check)


def _author(options: argparse.Namespace) -> int:
    from genimg_course.authoring import AuthoringError, check, write

    try:
        if not options.check:
            for path in write(Path.cwd(), force=options.force):
                print(f"wrote {path.relative_to(Path.cwd())}")
        problems = check(Path.cwd())
    except AuthoringError as error:
        raise Mendable(str(error)) from error
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


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
        raise Mendable(str(error)) from error
    print(done)
    return 0 if done.signal is None else 128 + done.signal


def _release(options: argparse.Namespace) -> int:
    from genimg_course.grading.release import ReleaseError, release

    try:
        packed = release(Path.cwd(), options.out, references=not options.without_references)
    except (ReleaseError, OSError) as error:
        raise Mendable(str(error)) from error
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
        raise Mendable(str(error)) from error
    return 1 if wrong else 0
