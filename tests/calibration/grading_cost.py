"""Measure what grading costs: a sandbox for each exercise, a large submission, a killed class.

    python tests/calibration/grading_cost.py [--class-size N] [--jobs N] [--out FILE]

Times are wall times of this machine as it is; the load is written beside them.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from grading_material.runs import contents  # noqa: E402
from grading_material.submissions import LESSONS, Inside, hand_in, solved  # noqa: E402

from genimg_course.grading import judging  # noqa: E402
from genimg_course.grading.extraction.answers import answers  # noqa: E402
from genimg_course.grading.intake.gathering import gather  # noqa: E402
from genimg_course.grading.isolation.session import Sandbox  # noqa: E402
from genimg_course.grading.isolation.tiers import choose_tier, find_tiers  # noqa: E402
from genimg_course.grading.package import write_package  # noqa: E402

_MANY = 25
_SEED = 3


def main():
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--class-size", type=int, default=100)
    parser.add_argument("--lesson", default="00", help="of the class (default: 00)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = {
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "threads": torch.get_num_threads(),
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tiers = [tier.name for tier in find_tiers() if tier.available and tier.name != "none"]
        for tier in tiers:
            found[tier] = measure_answers(folder / tier, tier)
            print(tier, json.dumps(found[tier]), flush=True)
        if options.class_size:
            found["class"] = measure_class(folder / "class", options)
            print("class", json.dumps(found["class"]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def measure_answers(folder, tier):
    """Return what a sandbox adds to an answer, and what a submission of many exercises takes."""
    package = write_package(folder / "package")
    chosen = choose_tier(tier)
    work = list(_answers(folder / "solved"))
    start = time.perf_counter()
    with Sandbox(chosen, package) as sandbox:
        sandbox.worker()
        started = time.perf_counter() - start
        added = []
        for answer in work:
            plain = min(_seconds(answer, Inside()) for _ in range(3))
            boxed = min(_seconds(answer, sandbox) for _ in range(3))
            added.append(boxed - plain)
    times = sorted(_submission(work, chosen, package) for _ in range(3))
    return {
        "start of a sandbox, s": round(started, 2),
        "added to an exercise, median, ms": round(1000 * statistics.median(added), 1),
        "added to an exercise, largest, ms": round(1000 * max(added), 1),
        "exercises": len(added),
        f"submission of {_MANY} exercises, median of 3, s": round(times[1], 1),
    }


def _answers(folder):
    """Yield the right answers of the course's lessons, as the intake finds them."""
    for number in ("05", "06", "13", "09", "11"):
        hand_in(folder / number, "ada", number, solved(number))
        (submission,) = gather(folder / number, lessons=LESSONS).submissions
        yield from (one for one in answers(submission, LESSONS[number]) if one.code)


def _seconds(answer, sandbox):
    start = time.perf_counter()
    judging._ask(answer, judging.specification(answer.exercise), sandbox, _SEED)
    return time.perf_counter() - start


def _submission(work, tier, package):
    """Judge many exercises of several lessons as if they were one notebook."""
    some = work[:_MANY]
    items = [item for lesson in LESSONS.values() for item in lesson.exercises]
    wanted = tuple(item for one in some for item in items if item.id == one.exercise)
    lesson = replace(LESSONS["06"], exercises=wanted)
    submission = argparse.Namespace(student="ada", sha256="", flags=())
    judging.answers = lambda *_: some
    start = time.perf_counter()
    try:
        with Sandbox(tier, package) as sandbox:
            records = judging.grade_submission(submission, lesson, sandbox, seed=_SEED)
    finally:
        judging.answers = answers
    assert len(records) == _MANY and {record.status for record in records} == {"correct"}
    return time.perf_counter() - start


def measure_class(folder, options):
    """Grade a class, kill the grader half way, go on, and compare with an undisturbed run."""
    for number in range(options.class_size):
        notebook = solved(options.lesson)
        notebook["metadata"]["student"] = number  # so that no two files are the same
        hand_in(folder / "files", f"student{number:03d}", options.lesson, notebook)
    start = time.perf_counter()
    run, ledger = _grader(folder, "out", options), folder / "out" / "judged.jsonl"
    while not (ledger.exists() and ledger.read_bytes().count(b"\n") >= options.class_size // 2):
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait()
    half = time.perf_counter() - start
    assert _grader(folder, "out", options).wait() == 0
    both = time.perf_counter() - start
    start = time.perf_counter()
    assert _grader(folder, "undisturbed", options).wait() == 0
    return {
        "submissions": options.class_size,
        "exercises of each": len(LESSONS[options.lesson].exercises),
        "jobs": options.jobs,
        "until the kill, s": round(half, 1),
        "with the resumed run, s": round(both, 1),
        "undisturbed, s": round(time.perf_counter() - start, 1),
        "same files": contents(folder / "out") == contents(folder / "undisturbed"),
    }


def _grader(folder, out, options):
    words = ["grade", str(folder / "files"), "--out", str(folder / out), "--seed", str(_SEED)]
    return subprocess.Popen(
        [sys.executable, "-m", "genimg_course.cli", *words, "--jobs", str(options.jobs)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
