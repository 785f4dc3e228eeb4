"""Judge every slip and every known answer with the checks of the exercises: the full form.

    python tests/diagnosis/run.py                    all; writes report.json
    python tests/diagnosis/run.py --part slips       the slips in the references only
    python tests/diagnosis/run.py --lessons 06 13    some lessons; writes nothing
    python tests/diagnosis/run.py --seeds 3          fewer seeds for the answers; writes nothing

Slips that no check notices stand in ``survivors.json`` with the reason, or they are a defect. What
is judged: the slips of ``slips.py``, the answers of ``corpus.py``, pairs of misconceptions of
``pairs.py``, right results spoilt in a known way of ``spoilt.py``, and ``tests/answers``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from diagnosis import corpus, pairs, spoilt  # noqa: E402
from diagnosis.slips import answer, fingerprint, first_verdict, limited, slips, source_of  # noqa: E402

from genimg_course.exercises import Specification, check  # noqa: E402
from genimg_course.exercises import sentences as s  # noqa: E402
from genimg_course.exercises.checking import Verdict  # noqa: E402
from genimg_course.exercises.registry import LESSONS, of_lesson  # noqa: E402

__all__ = ["ARGUED", "PARTS", "judged_slips", "sources"]

ARGUED: dict[str, dict[str, str]] = json.loads(
    (HERE / "survivors.json").read_text(encoding="utf-8")
)
"""Slips that no check notices, with the reason: those that are equal, and those not asked for."""
SEEDS = 20
Report = dict[str, Any]
_BARE = s.VALUE.format(detail="")


def sources(lessons: Sequence[str] = LESSONS) -> set[Path]:
    """Return the files on which the report depends: checks, references, answers."""
    exercises = HERE.parents[1] / "genimg_course" / "exercises"
    found = {source_of(item) for lesson in lessons for item in of_lesson(lesson)}
    found |= {p for lesson in lessons for p in (exercises / f"lesson_{lesson}").glob("*.py")}
    return found | {HERE / f"{name}.py" for name in ("slips", "corpus", "pairs", "spoilt")}


def judged_slips(items: Sequence[Specification]) -> dict[str, Verdict]:
    """Return the verdict on each slip, by its name; one that cannot be run is an error."""
    found = {}
    for item in items:
        for slip in slips(item):
            try:
                verdict = first_verdict(item, answer(item, slip))
            except Exception as error:  # the changed module does not even load
                verdict = Verdict("wrong", "import", str(error))
            found[f"{item.id} | {slip.name}"] = verdict
    return found


def _slips(items: Sequence[Specification], seeds: range) -> Report:
    verdicts = judged_slips(items)
    alive = sorted(name for name, verdict in verdicts.items() if verdict.status == "right")
    for name in set(alive) - ARGUED["equal"].keys() - ARGUED["not_asked"].keys():
        print("SURVIVES", name)
    per_exercise = {
        item.id: [
            sum(name.startswith(f"{item.id} | ") for name in some) for some in (alive, verdicts)
        ]
        for item in items
    }
    named = {code for item in items for code in (wrong.code for wrong in item.misconceptions)}
    codes = Counter(verdict.code for verdict in verdicts.values() if verdict.code)
    return {
        "slips": len(verdicts),
        "noticed": len(verdicts) - len(alive),
        "not_asked": len(ARGUED["not_asked"].keys() & set(alive)),
        "survivors": alive,
        "exercises": per_exercise,
        "explained_by_misconceptions": sum(codes[code] for code in named),
        "explained_by_properties": {
            code: count for code, count in sorted(codes.items()) if code not in named
        },
        "told_no_more_than_wrong_values": sorted(
            name for name, verdict in verdicts.items() if verdict.sentence == _BARE
        ),
    }


def _corpus(items: Sequence[Specification], seeds: range) -> Report:
    """Judge the written wrong answers: never accepted, and named in the first place."""
    ids = {item.id: item for item in items}
    accepted, missed, right_code, first_code = [], [], 0, 0
    entries = [entry for entry in corpus.WRONG if entry.exercise in ids]
    for entry in entries:
        for seed in seeds:
            verdict = _check(ids[entry.exercise], entry.function, seed)
            first_code += verdict.code == entry.name.rpartition(" ")[2]
            if verdict.status == "right":
                accepted.append(f"{entry.name} with seed {seed}")
            elif verdict.code in entry.codes:
                right_code += 1
            else:
                missed.append(f"{entry.name} with seed {seed}: {verdict.code}")
    judged = len(entries) * len(seeds)
    return {
        "answers": len(entries),
        "verdicts": judged,
        "accepted": accepted,
        "top_1": round(right_code / max(judged, 1), 4),
        "top_1_of_the_most_telling": round(first_code / max(judged, 1), 4),
        "diagnosed_otherwise": sorted({line.partition(" with")[0] for line in missed}),
    }


def _misconceptions(items: Sequence[Specification], seeds: range) -> Report:
    accepted, other, judged = [], [], 0
    for item in items:
        for wrong in item.misconceptions:
            for seed in seeds:
                verdict = _check(item, wrong.function, seed)
                judged += 1
                if verdict.status == "right":
                    accepted.append(f"{item.id} {wrong.code} with seed {seed}")
                elif verdict.code != wrong.code:
                    other.append(f"{item.id} {wrong.code} with seed {seed}: {verdict.code}")
    count = sum(len(item.misconceptions) for item in items)
    return {
        "misconceptions": count,
        "verdicts": judged,
        "accepted": accepted,
        "named_otherwise": other,
    }


def _right(items: Sequence[Specification], seeds: range) -> Report:
    """Judge the right answers: every one passes, with every seed, and without a diagnosis."""
    rejected, judged, count = [], 0, 0
    for item in items:
        lesson = importlib.import_module(f"answers.lesson_{_lesson(item)}")
        for number, function in enumerate([item.reference, *lesson.RIGHT[item.id]]):
            count += 1
            for seed in seeds:
                verdict = _check(item, function, seed)
                judged += 1
                if (verdict.status, verdict.code) != ("right", ""):
                    rejected.append(f"{item.id} {number} with seed {seed}: {verdict.code}")
    return {"answers": count, "verdicts": judged, "rejected": rejected}


def _lesson(item: Specification) -> str:
    return next(lesson for lesson in LESSONS if item in of_lesson(lesson))


def _pairs(items: Sequence[Specification], seeds: range) -> Report:
    ids = {item.id: item for item in items}
    chosen = [pair for pair in pairs.PAIRS if pair.exercise in ids]
    accepted, named = [], 0
    for pair in chosen:
        for seed in seeds:
            verdict = _check(ids[pair.exercise], pair.function, seed)
            if verdict.status == "right":
                accepted.append(f"{pair.name} with seed {seed}")
            known = {wrong.code for wrong in ids[pair.exercise].misconceptions}
            named += verdict.code in pair.codes or verdict.code not in known
    judged = len(chosen) * len(seeds)
    return {
        "pairs": len(chosen),
        "verdicts": judged,
        "accepted": accepted,
        "one_of_the_two_or_a_property": named,
    }


def _spoilt(items: Sequence[Specification], seeds: range) -> Report:
    """Judge right results spoilt in a known way: how often does the sentence name that way?"""
    found: dict[str, Counter[str]] = {}
    wrongly = []
    for item in items:
        for kind, function in spoilt.answers(item):
            verdict = _check(item, function, 0)
            named = spoilt.names_its_kind(item, kind, verdict)
            found.setdefault(kind, Counter())["named" if named else "other"] += 1
            if not named:
                wrongly.append(f"{item.id} {kind}: {verdict.code} {verdict.sentence}")
    named = sum(count["named"] for count in found.values())
    return {
        "answers": sum(count.total() for count in found.values()),
        "named": named,
        "kinds": {kind: [count["named"], count.total()] for kind, count in sorted(found.items())},
        "otherwise": wrongly,
    }


def _right_with_two_threads(items: Sequence[Specification], seeds: range) -> Report:
    """Judge the right answers where a sum is shared out among two threads and rounds otherwise."""
    torch.set_num_threads(2)
    try:
        return _right(items, seeds)
    finally:
        torch.set_num_threads(1)


def _check(item: Specification, function: Callable[..., Any], seed: int) -> Verdict:
    with limited():
        return check(item, function, seed=seed)


PARTS = {
    "slips": _slips,
    "misconceptions": _misconceptions,
    "corpus": _corpus,
    "pairs": _pairs,
    "spoilt": _spoilt,
    "right": _right,
    "right with two threads": _right_with_two_threads,
}


def main() -> int:
    """Judge, print what is not as it should be, and write the report of a full run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--part", choices=sorted(PARTS), action="append")
    parser.add_argument("--lessons", nargs="*", default=list(LESSONS))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--out", type=Path, help="write what was found here, of whatever was run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    items = [item for lesson in options.lessons for item in of_lesson(lesson)]
    report: Report = {"seeds": options.seeds}
    for part in options.part or PARTS:
        start = time.process_time()
        report[part] = PARTS[part](items, range(options.seeds))
        report[part]["cpu_seconds"] = round(time.process_time() - start, 1)
        _print(part, report[part])
    report["sources"] = fingerprint(sources())
    full = not options.part and options.lessons == list(LESSONS) and options.seeds == SEEDS
    if options.out or full:
        _write(report, options.out or HERE / "report.json")
    return int(_faults(report))


def _write(report: Report, path: Path) -> int:
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return int(_faults(report))


def _print(part: str, found: Report) -> None:
    for name, value in found.items():
        if isinstance(value, list):
            print(*value[:200], sep="\n")
            value = len(value)
        if not isinstance(value, dict) or name == "kinds":
            print(f"{part}: {name} = {value}")


def _faults(report: Report) -> bool:
    alive = set(report.get("slips", {}).get("survivors", ()))
    unargued = alive - ARGUED["equal"].keys() - ARGUED["not_asked"].keys()
    lists = ("accepted", "rejected", "named_otherwise")
    listed = any(
        part.get(name) for part in report.values() if isinstance(part, dict) for name in lists
    )
    return bool(unargued) or listed


if __name__ == "__main__":
    sys.exit(main())
