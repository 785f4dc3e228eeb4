"""Grade batches of honest and hostile submissions, and check what must hold around them."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attacks import host as h
from attacks.attack import Attack, Expected
from attacks.host import Host
from attacks.writing import ANSWERS, RIGHT, WRONG, answer, notebook, save

__all__ = [
    "HONEST",
    "LIMITS",
    "ORDERS",
    "Batch",
    "grade_batch",
    "hand_in_honest",
    "judge_attack",
    "missing_tier",
    "write_table",
]

SEED = 20_26
LIMITS: dict[str, Any] = {
    "seconds": 3.0,
    "cpu_seconds": 6,
    "total_seconds": 30.0,
    "memory_bytes": 1 << 30,
}
"""Short, so that attacks that hang do not hold up the tests; right answers need a tenth of it."""

ORDERS = ("before", "between", "after")
"""Where attackers stand in a batch: submissions are judged in the order of their names."""

_GROWTH = 300 << 20
_DISK = 64 << 20
_START = 8.0  # seconds that a submission may take beside the limits of its questions


def _chatty(body: str) -> str:
    return "import sys\nprint('x' * 5000)\nprint('y' * 5000, file=sys.stderr)\n" + body.strip()


def _honest() -> dict[str, dict[str, str]]:
    """Return the answers of five students who mean well."""
    helper = "def squared(mu):\n    return mu * mu\n\n\n"
    return {
        "honest-1": dict(ANSWERS),
        "honest-2": {id_: answer(id_, WRONG[id_]) for id_ in RIGHT},
        "honest-3": {
            "vae.gaussian_kl": answer(
                "vae.gaussian_kl",
                "return 0.5 * (squared(mu) + logvar.exp() - 1 - logvar).sum(dim=1)",
                before=helper,
            ),
            "vae.reparameterise": answer("vae.reparameterise", "return mu + unknown"),
        },
        "honest-4": {id_: answer(id_, _chatty(RIGHT[id_])) for id_ in list(RIGHT)[:5]},
        "honest-5": {},
    }


HONEST = tuple(_honest())


def hand_in_honest(host: Host) -> None:
    """Write the five honest submissions, one of which carries a secret."""
    for student, answers in _honest().items():
        book = notebook(answers)
        if student == "honest-1":
            book["cells"].append(
                {
                    "cell_type": "markdown",
                    "id": "secret",
                    "metadata": {},
                    "source": host.secrets["neighbour"],
                }
            )
        save(host.source / student, book)


def _name(order: str, number: int, attack: Attack) -> str:
    name = attack.id.lower()
    if order == "before":
        return f"a-{name}"
    return f"z-{name}" if order == "after" else f"honest-{number % 4 + 1}-{name}"


@dataclass(frozen=True)
class Batch:
    """What a batch left behind.

    Args:
        records: all records as dictionaries.
        lines: the honest students' records, as they were written.
        broken: sentences about invariants that did not hold.
        seconds: wall time of the whole batch.
        pace: seconds per submission, by student.
        peak: most memory of the grader.
        table: what came of each attack, by id, for reports.
        missed: sentences about verdicts that are not as expected.
    """

    records: list[dict[str, Any]]
    lines: list[str]
    broken: list[str]
    seconds: float
    pace: dict[str, float]
    peak: int
    table: dict[str, list[str]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    said: str = ""


def grade_batch(
    host: Host,
    attacks: Sequence[Attack],
    *,
    tier: str,
    order: str = "before",
    alone: Batch | None = None,
    limits: Mapping[str, Any] = LIMITS,
) -> Batch:
    """Grade honest submissions among attackers, and check verdicts and invariants.

    Args:
        host: as :func:`attacks.host.make_host` made it.
        attacks: who hands in beside the honest students.
        tier: how answers are contained.
        order: where the attackers stand.
        alone: the batch of the honest students alone, to compare with (I5, I6).
        limits: fields of ``Limits`` for each submission.
    """
    if tier not in ("bubblewrap", "landlock"):
        raise ValueError(f"attacks run behind bubblewrap or landlock only, got {tier!r}")
    for folder in (host.source, host.out):
        shutil.rmtree(folder, ignore_errors=True)
    host.source.mkdir()
    hand_in_honest(host)
    with h.listening(host) as open_host:
        names = {}
        for number, attack in enumerate(attacks):
            names[attack.id] = _name(order, number, attack)
            attack.hand_in(open_host.source / names[attack.id], open_host)
        handed_in = h.tree_hash(open_host.source)
        before, files, known = open_host.state(), set(h.marked_files()), h.children()
        room = h.disk_use(host.home) + h.disk_use(host.scratch)
        run = _run(open_host, tier, limits)
        broken = list(run.broken)
        time.sleep(2.0)
        left = h.strays(known)  # I3
        broken += [f"I3: a process is left: {one}" for one in left]
        h.sweep(known)
        after = open_host.state()  # I1
        broken += [f"I1: {place} changed" for place in before if before[place] != after[place]]
        if h.tree_hash(open_host.source) != handed_in:
            broken.append("I1: submissions changed")
        broken += [f"I1: {name} was written" for name in set(h.marked_files()) - files]
        growth = h.disk_use(host.home) + h.disk_use(host.scratch) - room
        if growth > _DISK:
            broken.append(f"I6: the disk grew by {growth >> 20} MB")
    broken += [f"I2: a connection by {name}" for name in sorted(set(open_host.touched))]
    broken += [f"I4: the secret of {place} is in the output" for place in host.leaks(run.said)]
    records, lines, faults = _records(host)
    broken += faults
    if alone is not None and lines != alone.lines:
        broken.append(f"I5: an honest student's records changed: {_first(lines, alone.lines)}")
    if alone is not None and run.peak - alone.peak > _GROWTH:
        broken.append(f"I6: the grader grew by {(run.peak - alone.peak) >> 20} MB")
    broken += _too_slow(run.pace, attacks, names, limits)
    missed: list[str] = []
    table: dict[str, list[str]] = {}
    for attack in attacks:
        more, rows = judge_attack(attack, names[attack.id], open_host, records)
        missed += more
        for row in rows:
            part = attack.parts.get(f"vae.{row.partition(' ')[0]}", attack.id)
            table.setdefault(part, []).append(row)
    return replace(run, records=records, lines=lines, broken=broken, missed=missed, table=table)


def _run(host: Host, tier: str, limits: Mapping[str, Any]) -> Batch:
    settings = {
        "sources": [str(host.source)],
        "out": str(host.out),
        "notebooks": str(host.course / "notebooks"),
        "tier": tier,
        "seed": SEED,
        "limits": dict(limits),
    }
    command = [sys.executable, "-P", str(Path(__file__).with_name("driver.py"))]
    h.become_reaper()
    start = time.monotonic()
    with (host.folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [*command, json.dumps(settings)],
            cwd=host.course,
            env=host.environment(),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    times: list[float] = []
    peak = 0
    while process.poll() is None:
        peak = max(peak, h.memory_peak(process.pid))
        done = _count(host.out / "judged.jsonl")
        times += [time.monotonic()] * (done - len(times))
        time.sleep(0.05)
    seconds = time.monotonic() - start
    text = (host.folder / "said").read_text(encoding="utf-8", errors="replace")
    broken = [] if process.returncode == 0 else [f"I7: exit {process.returncode}: {text[-600:]}"]
    students = _judged(host.out / "judged.jsonl")
    order = sorted(students)
    steps = [now - then for then, now in zip([start, *times], times, strict=False)]
    return Batch([], [], broken, seconds, dict(zip(order, steps, strict=False)), peak, said=text)


def _count(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except OSError:
        return 0


def _judged(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [json.loads(line)["entry"]["student"] for line in lines]


def _records(host: Host) -> tuple[list[dict[str, Any]], list[str], list[str]]:
    """Return all records, the honest students' lines, and what is wrong with the file (I7)."""
    from genimg_course.grading.record import Record

    try:
        lines = (host.out / "records.jsonl").read_text(encoding="ascii").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        return [], [], [f"I7: no records: {error}"]
    records, broken = [], []
    for line in filter(None, lines):
        try:
            Record.from_json(line)
            records.append(json.loads(line))
        except (ValueError, TypeError) as error:
            broken.append(f"I7: {error}: {line[:200]}")
    keys = [(r["student"], r["exercise"]) for r in records if r["exercise"]]
    if len(set(keys)) != len(keys):
        broken.append("I7: an exercise has more than one record")
    honest = [line for line in lines if line and json.loads(line)["student"] in HONEST]
    if len(honest) != len(HONEST) * len(RIGHT):
        broken.append(f"I7: {len(honest)} records of honest students")
    return records, honest, broken


def _first(one: Sequence[str], other: Sequence[str]) -> str:
    changed = set(one) ^ set(other)
    return " | ".join(sorted(changed)[:2])[:800]


def _too_slow(
    pace: Mapping[str, float],
    attacks: Iterable[Attack],
    names: Mapping[str, str],
    limits: Mapping[str, Any],
) -> list[str]:
    """Return who took longer than its limits and five seconds (I6)."""
    slow = []
    for student, seconds in pace.items():
        if seconds > limits["total_seconds"] + 5 + _START:
            slow.append(f"I6: {student} took {seconds:.0f} s")
    return slow


def students_of(records: Iterable[Mapping[str, Any]], part: str) -> set[str]:
    """Return the students whose names hold this text."""
    return {record["student"] for record in records if part in record["student"]}


def judge_attack(
    attack: Attack, name: str, host: Host, records: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[str]]:
    """Compare the records of an attack with what is expected; return misses and a table."""
    missed, rows = [], []
    own = [r for r in records if r["student"] == name]
    if attack.expected:
        more, rows = _compare(attack.id, attack.verdicts(host), own, attack.parts)
        missed += more
    for suffix, expected in attack.students.items():
        part = name if suffix == "*" else name + suffix
        found = [r for r in records if attack.id.lower() in r["student"] and _fits(r, part, suffix)]
        more, some = _compare(f"{attack.id}{suffix}", expected, found)
        missed += more
        rows += [f"{suffix.strip('-')}: {row}" for row in some]
    return missed, rows


def _fits(record: Mapping[str, Any], part: str, suffix: str) -> bool:
    return suffix == "*" or record["student"] == part


def _compare(
    title: str,
    expected: Mapping[str, Expected],
    own: Sequence[Mapping[str, Any]],
    parts: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[str], list[str]]:
    missed, rows = [], []
    whole = expected.get("")
    if whole is not None:
        if not own:
            missed.append(f"{title}: no record at all")
        for record in own:
            status = record["status"]
            kind = status if status.startswith("rejected") else "graded"
            problem = whole.misses(
                kind, record["diagnosis"], tuple(record["flags"]), record["message"]
            )
            if problem:
                missed.append(f"{title}: {problem}")
        return missed, sorted({_row(record) for record in own})
    by_exercise = {record["exercise"]: record for record in own}
    for exercise, wanted in expected.items():
        record = by_exercise.get(exercise)
        if record is None:
            missed.append(f"{title} {exercise}: no record")
            continue
        problem = wanted.misses(
            record["status"], record["diagnosis"], tuple(record["flags"]), record["message"]
        )
        if problem:
            said = record["message"][:200]
            missed.append(f"{parts.get(exercise, title)} {exercise}: {problem} ({said})")
        if (record["points"] > 0) != (record["status"] == "correct"):
            missed.append(f"{title} {exercise}: {record['points']} points as {record['status']}")
        if record["points"] > record["possible"] or record["possible"] > 100:
            missed.append(f"{title} {exercise}: {record['points']} points")
        if wanted.status != "not_attempted" and wanted.status != "correct":
            rows.append(f"{exercise.partition('.')[2]} {_row(record)}")
    if not rows and own:
        rows = ["all correct"] if not missed else []
    return missed, rows


def _row(record: Mapping[str, Any]) -> str:
    parts = [record["status"], record["diagnosis"], *record["flags"]]
    return "/".join(part for part in parts if part)


def missing_tier(name: str) -> str:
    """Return why a tier cannot be had on this machine; nothing if it can."""
    from genimg_course.grading.isolation.tiers import find_tiers

    for report in find_tiers():
        if report.name == name:
            return "" if report.available else report.reason
    return "unknown"


def write_table(path: Path, tiers: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Write what came of each attack in each tier: JSON, and Markdown beside it."""
    path.write_text(json.dumps(tiers, indent=1, sort_keys=True), encoding="utf-8")
    names = sorted(tiers)
    lines = ["| attack | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for id_ in sorted({id_ for tier in tiers.values() for id_ in tier}):
        cells = ["; ".join(tiers[tier].get(id_, ["-"])) for tier in names]
        lines.append(f"| {id_} | " + " | ".join(cells) + " |")
    path.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
