"""Runs of the batch grader with a class of paper: quick, the same in each run, and killable.

As a script, ``runs.py WHAT FOLDER``, it forks runs and prints as JSON what became of them:
``killed`` kills them at many moments, ``stopped`` sends signals, ``locked`` starts a second one,
``full`` gives them a disk without room.
"""

import contextlib
import hashlib
import json
import os
import random
import resource
import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from grading_material.submissions import LESSONS, Inside

from genimg_course.grading import batch, workers
from genimg_course.grading.intake import Intake, Rejected, Submission
from genimg_course.grading.record import Record

__all__ = ["contents", "grade_paper", "paper", "paper_class", "records_of", "rejected"]


def paper(student, *, lesson="06", text="", submitted=None, flags=()):
    """Return a submission of which only the names and the checksum matter."""
    sha256 = hashlib.sha256(f"{student} {lesson} {text}".encode()).hexdigest()
    return Submission(student, lesson, student.title(), (), sha256, submitted, flags=flags)


def paper_class(count=8):
    """Return the submissions of a class."""
    return [paper(f"student{number:02d}") for number in range(count)]


def rejected(name="zoe"):
    """Return a file that is no submission."""
    return Rejected(f"{name}/06.ipynb", "json", "It is no notebook.", name, "06")


def records_of(submission, lesson, sandbox, *, seed, going_on=lambda: None, seconds=0.0, **_):
    """Judge a submission by the toss of a coin that shows the same each time."""
    records = []
    for item in lesson.exercises:
        going_on()
        time.sleep(seconds)
        toss = hashlib.sha256(f"{submission.sha256} {item.id} {seed}".encode()).hexdigest()
        right = toss < "8"
        records.append(
            Record(
                student=submission.student,
                lesson=lesson.number,
                exercise=item.id,
                submission=submission.sha256,
                status="correct" if right else "wrong",
                points=item.points if right else 0.0,
                possible=item.points,
                diagnosis="" if right else "value",
                tier=sandbox.tier.name,
                seed=seed,
                answer=toss,
            )
        )
    return records


@contextlib.contextmanager
def _faked(module, **fakes):
    before = {name: getattr(module, name) for name in fakes}
    for name, fake in fakes.items():
        setattr(module, name, fake)
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(module, name, original)


def grade_paper(
    out, submissions, *, no_files=(), judge=records_of, boxes=Inside, course="a", **options
):
    """Grade submissions of paper as the command would, and return the outcome."""

    def gathered(sources, *, lessons, lesson):
        return Intake(tuple(submissions), tuple(no_files))

    def tier(wanted, *, trust):
        return SimpleNamespace(name=wanted or "none")

    options = {"seed": 7, "tell": lambda _: None} | options
    fakes = {"gather": gathered, "choose_tier": tier, "_course": lambda: course}
    with _faked(batch, **fakes), _faked(workers, grade_submission=judge):
        return batch.grade([Path("class")], out, lessons=LESSONS, boxes=boxes, **options)


def contents(out):
    """Return every file of a folder of grades, without the lock."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def _forked(run):
    """Run in a fork and return its number; it ends with the status that ``run`` returns."""
    child = os.fork()
    if child == 0:
        status = 70
        try:
            status = run()
        finally:
            os._exit(status)
    return child


def _status(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _killed(run, at):
    """Run in a fork that dies at the n-th operation on the disk; say whether it died."""
    done = 0

    def counted(original):
        def operation(*args, **values):
            nonlocal done
            done += 1
            if done == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **values)

        return operation

    def counting():
        os.fsync, os.replace = counted(os.fsync), counted(os.replace)
        Path.replace, Path.open = counted(Path.replace), counted(Path.open)
        run()
        return 0

    return _status(_forked(counting)) == -signal.SIGKILL


def killed(folder):
    """Kill a run at its n-th operation on the disk, and once more while it is resumed."""
    submissions = paper_class(3)
    grade_paper(folder / "undisturbed", submissions)
    wanted = contents(folder / "undisturbed")
    rng, kills = random.Random(0), []
    for at in (*range(1, 20), *range(20, 200, 4)):
        out = folder / f"killed-{at}"
        order = rng.sample(submissions, len(submissions))
        if not _killed(partial(grade_paper, out, order), at):
            break
        kills.append(at)
        _killed(partial(grade_paper, out, order), rng.randrange(1, 20))
        grade_paper(out, rng.sample(submissions, len(submissions)), jobs=2)
        assert contents(out) == wanted
    return kills


def _slow(out, submissions, seconds):
    judge = partial(records_of, seconds=seconds)
    done = grade_paper(out, submissions, judge=judge)
    return 128 + (done.signal or 0)


def stopped(folder):
    """Send signals to runs, to one also while an answer takes for ever; resume them."""
    submissions = paper_class(6)
    grade_paper(folder / "undisturbed", submissions)
    found = []
    for number, seconds in ((signal.SIGINT, 0.02), (signal.SIGTERM, 0.02), (signal.SIGTERM, 60)):
        out = folder / f"{number}-{seconds}"
        child = _forked(partial(_slow, out, submissions, seconds))
        wanted = 2 if seconds < 1 else 0  # wait for so many submissions
        while not out.is_dir() or len(_lines(out)) < wanted or not (out / "settings.json").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        start = time.monotonic()
        os.kill(child, number)
        status = _status(child)
        waited = time.monotonic() - start
        reports = (out / "grades.csv").is_file() and (out / "records.jsonl").is_file()
        kept = grade_paper(out, submissions).kept
        same = contents(out) == contents(folder / "undisturbed")
        found.append([status - 128 - number, waited, kept, reports, same])
    return found


def _lines(out):
    path = out / "judged.jsonl"
    return path.read_bytes().splitlines() if path.exists() else []


def locked(folder):
    """Start a second run in the same folder; go on when the first was killed."""
    submissions = paper_class(3)
    child = _forked(partial(_slow, folder, submissions, 60))
    while not (folder / "settings.json").exists():
        time.sleep(0.01)
    try:
        grade_paper(folder, submissions)
    except batch.GradingError as error:
        refusal = str(error)
    os.kill(child, signal.SIGKILL)
    _status(child)
    return [refusal, grade_paper(folder, submissions).judged]


def full(folder):
    """Grade where no file may be larger than some limit, then where there is room."""
    submissions = paper_class(6)
    grade_paper(folder / "undisturbed", submissions)
    out = folder / "full"

    def cramped():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            grade_paper(out, submissions)
        except batch.GradingError as error:
            return 2 if "cannot write to" in str(error) and "is kept" in str(error) else 3
        return 0

    status = _status(_forked(cramped))
    kept = grade_paper(out, submissions).kept
    return [status, kept, contents(out) == contents(folder / "undisturbed")]


if __name__ == "__main__":
    made = {"killed": killed, "stopped": stopped, "locked": locked, "full": full}[sys.argv[1]]
    json.dump(made(Path(sys.argv[2])), sys.stdout)
