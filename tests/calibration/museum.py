"""Measure how the numbers of the failure museum vary with the seed; writes ``museum.json``.

python tests/calibration/museum.py --seeds 30
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path

import torch

from genimg_course.museum import all_exhibits, visit

TABLE = Path(__file__).parent / "museum.json"


def measure(seed: int) -> dict[str, list[float]]:
    """Visit every exhibit with one seed."""
    torch.set_num_threads(1)
    visits = {id: visit(id, seed=seed) for id in all_exhibits()}
    return {id: [round(v.broken, 6), round(v.mended, 6)] for id, v in visits.items()}


def main() -> None:
    """Write the table: for each exhibit the broken and the cured number of every seed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    with multiprocessing.get_context("fork").Pool(options.workers, maxtasksperchild=1) as pool:
        runs = pool.map(measure, range(options.seeds), chunksize=1)
    table = {
        id: {"broken": [run[id][0] for run in runs], "mended": [run[id][1] for run in runs]}
        for id in all_exhibits()
    }
    TABLE.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
