"""Measure how a lesson's numbers vary with the seed, and write the table that its bounds rest on.

    python tests/calibration/calibrate.py 13 --profile cpu --seeds 8

A bound is the mean and six standard deviations on the bad side. Seeds: at least 30 where a run
takes seconds, at least 8 where it takes minutes. Seeds that a table already holds are not run
again. Runs are processes forked from this one, on one thread each.
"""

from __future__ import annotations

import argparse
import json
import linecache
import multiprocessing
import os
import re
import statistics
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import jupytext
import torch

from genimg_course.launch import find_lesson
from genimg_course.report import Missed
from genimg_course.runner import value

TABLES = Path(__file__).parent
ROOT = TABLES.parents[1]


def bound(values: list[float], *, upper: bool) -> float:
    """Return the mean of the values and six standard deviations on the bad side."""
    spread = 6 * statistics.stdev(values)
    return statistics.mean(values) + (spread if upper else -spread)


def significant(value: float) -> float:
    """Return the value to six significant digits."""
    return float(f"{value:.6g}")


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return mean, standard deviation and bound of each bounded number over the runs."""
    numbers = {}
    for name, side in runs[0]["sides"].items():
        values = [each["numbers"][name] for each in runs]
        numbers[name] = {
            "mean": significant(statistics.mean(values)),
            "sd": significant(statistics.stdev(values)),
            side: significant(bound(values, upper=side == "at_most")),
        }
    return numbers


def measure(seed: int, *, source: Path, parameters: dict[str, Any]) -> dict[str, Any]:
    """Run the lesson once; a missed bound does not matter here, the number does."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        numbers = Path(scratch) / "numbers.json"
        os.environ["GENIMG_REPORT"] = str(numbers)
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            execute(source, {**parameters, "SEED": seed})
        goals = json.loads(numbers.read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "numbers": {name: significant(goal["value"]) for name, goal in goals.items()},
        "sides": {
            name: side
            for name, goal in goals.items()
            for side in ("at_most", "at_least")
            if goal[side] is not None
        },
    }


def execute(source: Path, parameters: dict[str, Any]) -> None:
    """Run the code cells of a lesson up to its report; nothing is displayed, which costs less."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(jupytext.read(source).cells):
        if cell.cell_type != "code":
            continue
        file = f"<cell {number}>"
        code = re.sub(r"^( *)%", r"\1# %", cell.source, flags=re.MULTILINE)  # IPython's commands
        # where inspect finds the source of a function that a cell defines
        linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
        try:
            exec(compile(code, file, "exec"), scope)
        except Missed:
            return
        if "parameters" in cell.metadata.get("tags", []):
            scope.update(parameters)


def main() -> None:
    """Run the missing seeds and write ``NN_PROFILE[_VALUE...].json`` beside this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("lesson", metavar="NN")
    parser.add_argument("--profile", default="cpu")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument(
        "--workers", type=int, default=1, help="runs at a time; give each one thread"
    )
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    extra = dict(text.split("=", 1) for text in options.parameter)
    parameters = {"PROFILE": options.profile, **{name: value(text) for name, text in extra.items()}}
    source = find_lesson(ROOT / "solutions", options.lesson).with_suffix(".py")
    table = TABLES / ("_".join([options.lesson, options.profile, *extra.values()]) + ".json")
    runs = json.loads(table.read_text(encoding="utf-8"))["runs"] if table.exists() else []
    known = {each["seed"] for each in runs}
    missing = [seed for seed in range(options.seeds) if seed not in known]
    task = partial(measure, source=source, parameters=parameters)
    # a fresh process for each seed, forked from one that has imported torch
    context = multiprocessing.get_context("fork")
    with context.Pool(options.workers, maxtasksperchild=1) as pool:
        for done in pool.imap(task, missing):
            print(done, flush=True)
            runs.append(done)
    content = {
        "lesson": options.lesson,
        "parameters": parameters,
        "summary": summary(runs),
        "runs": runs,
    }
    table.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content["summary"], indent=1))


if __name__ == "__main__":
    main()
