"""Plant every slip in the mathematics and the losses, and see which proof notices it.

    python tests/mutation/run.py                     all modules; writes report.json
    python tests/mutation/run.py --module transport  those whose name holds the word; writes nothing

Each mutant lives in a process of its own, forked from one that has imported everything and run
nothing. Only the proofs that call the changed place are run, the quickest first, until one fails.
Mutants that no proof notices stand in ``survivors.json`` with the reason, or they are a defect.
It needs a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
import types
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))
from mutants import Mutant, defined_name, mutants

from genimg_course.maths.proofs import all_proofs

__all__ = ["ARGUED", "PATHS", "coverage", "judge", "sample"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = ROOT / "genimg_course"
PATHS = sorted(
    path
    for folder in ("maths", "losses")
    for path in (PACKAGE / folder).glob("*.py")
    if path.name != "__init__.py"
)
ARGUED: dict[str, str] = (
    json.loads((HERE / "survivors.json").read_text(encoding="utf-8"))
    if (HERE / "survivors.json").exists()
    else {}
)
PATIENCE = 30  # seconds for one proof; a mutant that hangs is noticed as well
Places = dict[tuple[str, str], list[tuple[float, str]]]


@cache
def _spans() -> dict[str, list[tuple[range, str]]]:
    """List the lines of each definition at the top level of each module."""
    found = {}
    for path in PATHS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found[str(path)] = [
            (_lines(node), name) for node in tree.body if (name := defined_name(node))
        ]
    return found


def _lines(node: ast.stmt) -> range:
    marks = [decorator.lineno for decorator in getattr(node, "decorator_list", [])]
    return range(min([node.lineno, *marks]), (node.end_lineno or node.lineno) + 1)


def _covered(id: str) -> tuple[str, float, set[tuple[str, str]]]:
    """Run a proof and return the places of the mathematics that it enters."""
    lines = _spans()
    entered: set[tuple[str, int]] = set()

    def watch(frame: types.FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename in lines:
            entered.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    (proof,) = (item for item in all_proofs() if item.id == id)
    start = time.process_time()
    sys.setprofile(watch)
    try:
        proof.verify()
    finally:
        sys.setprofile(None)
    places = {(file, name) for file, line in entered for span, name in lines[file] if line in span}
    return id, time.process_time() - start, places


def coverage(workers: int) -> Places:
    """Return the proofs that enter each place, the quickest first."""
    found: Places = defaultdict(list)
    _spans()  # read before the processes part
    with _pool(workers) as pool:
        for id, seconds, places in pool.imap_unordered(_covered, [p.id for p in all_proofs()]):
            for place in places:
                found[place].append((seconds, id))
    return {place: sorted(proofs) for place, proofs in found.items()}


def _pool(workers: int) -> Any:
    torch.set_num_threads(1)
    return multiprocessing.get_context("fork").Pool(workers, maxtasksperchild=1)


def _plant(mutant: Mutant) -> None:
    """Let every holder of the changed place have it, as if the file had been written so."""
    relative = mutant.path.relative_to(ROOT).with_suffix("")
    module = importlib.import_module(".".join(relative.parts))
    scope = {"__name__": module.__name__, "__file__": str(mutant.path)}
    exec(compile(mutant.code, str(mutant.path), "exec"), scope)
    old, new = vars(module)[mutant.place], scope[mutant.place]
    if isinstance(old, types.FunctionType):
        _exchange(old, new)
    elif isinstance(old, type):
        for name, method in vars(old).items():
            if isinstance(method, types.FunctionType):
                _exchange(method, vars(new)[name])
    else:
        for holder in list(sys.modules.values()):
            for name, value in list(vars(holder).items() if holder else ()):
                if value is old:
                    setattr(holder, name, new)


def _exchange(old: types.FunctionType, new: types.FunctionType) -> None:
    old.__code__, old.__defaults__ = new.__code__, new.__defaults__
    old.__kwdefaults__ = new.__kwdefaults__


def judge(mutant: Mutant, places: Places) -> tuple[str, str]:
    """Return the mutant's name and the proof that notices it, or '' if none does."""
    near = places.get((str(mutant.path), mutant.place)) or sorted(
        {proof for (file, _), some in places.items() if file == str(mutant.path) for proof in some}
    )
    by_id = {item.id: item for item in all_proofs()}
    try:
        _plant(mutant)
    except Exception:
        return mutant.name, "the module cannot be imported"
    for _, id in near:
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(PATIENCE)
        try:
            by_id[id].verify()
        except Exception:
            return mutant.name, id
        finally:
            signal.alarm(0)
    return mutant.name, ""


def _too_long(*_: object) -> None:
    raise TimeoutError


def sample(each: int = 1) -> list[Mutant]:
    """Choose mutants of every place, always the same ones."""
    chosen = []
    for path in PATHS:
        by_place: dict[str, list[Mutant]] = defaultdict(list)
        for mutant in mutants(path):
            if mutant.name not in ARGUED:
                by_place[mutant.place].append(mutant)
        for some in by_place.values():
            chosen += sorted(some, key=_lot)[:each]
    return chosen


def _lot(mutant: Mutant) -> str:
    return hashlib.sha256(mutant.name.encode()).hexdigest()


def run(some: Iterable[Mutant], places: Places, workers: int) -> dict[str, str]:
    """Judge mutants, each in a process of its own; return who noticed each."""
    verdict: Callable[[Mutant], tuple[str, str]] = partial(judge, places=places)
    with _pool(workers) as pool:
        return dict(pool.imap_unordered(verdict, some))


def main() -> None:
    """Judge all mutants, print what survives, and write the report of a full run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--module", default="", help="only modules whose name holds this word")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    chosen = [m for path in PATHS if options.module in path.stem for m in mutants(path)]
    start = time.monotonic()
    noticed = run(chosen, coverage(options.workers), options.workers)
    alive = sorted(name for name, id in noticed.items() if not id)
    per_module = {
        path.stem: [
            sum(bool(noticed[m.name]) for m in chosen if m.path == path),
            sum(m.path == path for m in chosen),
        ]
        for path in PATHS
        if options.module in path.stem
    }
    for name in alive:
        print("argued  " if name in ARGUED else "SURVIVES", name)
    killed = len(chosen) - sum(not noticed[m.name] for m in chosen)
    print(f"{killed} of {len(chosen)} noticed, {time.monotonic() - start:.0f} s")
    if not options.module:
        report = {
            "mutants": len(chosen),
            "noticed": killed,
            "modules": per_module,
            "survivors": alive,
            "noticed_by": dict(sorted(Counter(id for id in noticed.values() if id).items())),
        }
        (HERE / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
