"""Measure how the certified numbers vary with the seed, and make networks and cards from that.

    python tests/calibration/certificates.py --seeds 8            # the table certificates.json
    python tests/calibration/certificates.py --seeds 8 --write    # and the networks, from seed 0

The end of a range is the mean and six standard deviations on the bad side; a share cannot be asked
to exceed what it can reach. Seeds that the table already holds are not run again; a recipe that
changed needs a new table, which ``--afresh`` makes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from calibrate import significant, summary

from genimg_course.models.certified import FOLDER
from genimg_course.reference.certificates import (
    NAMES,
    make_certificate,
    retrained,
    side_of,
)

TABLE = Path(__file__).with_name("certificates.json")


def measure(task: tuple[str, int]) -> dict[str, Any]:
    """Train a network from one seed and return its numbers and the processor time."""
    name, seed = task
    torch.set_num_threads(1)
    start = time.process_time()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        numbers = retrained(name, seed=seed)
    return {
        "name": name,
        "seed": seed,
        "numbers": numbers,
        "seconds": significant(time.process_time() - start),
    }


def ranges(runs: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return mean, standard deviation and the end of the range of each number over the runs."""
    return summary([{**each, "sides": {n: side_of(n) for n in each["numbers"]}} for each in runs])


def ends(numbers: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return of each number the end of its range alone, as a card has it."""
    return {
        name: {key: value for key, value in entry.items() if key.startswith("at_")}
        for name, entry in numbers.items()
    }


def read() -> dict[str, list[dict[str, Any]]]:
    """Return the runs of each network that the table holds."""
    if not TABLE.exists():
        return {}
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return {name: entry["runs"] for name, entry in table.items()}


def write(table: dict[str, list[dict[str, Any]]]) -> None:
    """Write the runs of each network, and what they amount to."""
    content = {
        name: {"summary": ranges(runs) if len(runs) > 1 else {}, "runs": runs}
        for name, runs in sorted(table.items())
    }
    TABLE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run the missing seeds, write the table, and with ``--write`` networks and cards."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(NAMES), help="default: all but judges")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1, help="trainings at a time, a thread each")
    parser.add_argument("--write", action="store_true", help="write networks and cards, seed 0")
    parser.add_argument("--afresh", action="store_true", help="forget what the table holds")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("--seeds: at least two, for a standard deviation")
    table = read()
    if options.afresh:
        table = {name: runs for name, runs in table.items() if name not in options.names}
        write(table)
    known = {(name, each["seed"]) for name, runs in table.items() for each in runs}
    # one seed of everything before the next one: an early end leaves a table of fewer seeds
    tasks = [(name, seed) for seed in range(options.seeds) for name in options.names]
    context = multiprocessing.get_context("fork")
    with context.Pool(options.workers, maxtasksperchild=1) as pool:
        for done in pool.imap(measure, [task for task in tasks if task not in known]):
            print(done, flush=True)
            table = read()  # another process may measure other networks
            table.setdefault(done.pop("name"), []).append(done)
            write(table)
    for name in options.names:
        found = ranges(table[name])
        print(name, json.dumps(found), flush=True)
        if options.write and name in NAMES:  # the floors of the judges stand in their own recipe
            print(make_certificate(name, ends(found), out=FOLDER), flush=True)


if __name__ == "__main__":
    main()
