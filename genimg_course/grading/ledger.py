"""The memory of a folder of grades: what was judged, kept so that a killed run loses nothing."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from errno import ENOSPC
from pathlib import Path
from typing import Any

from genimg_course.files import remove_unfinished, write_whole
from genimg_course.grading.record import Record

__all__ = ["Entry", "Ledger"]

Attempts = dict[tuple[str, str], frozenset[str]]
"""Hashes of the distinct answers that were judged, by student and exercise."""


@dataclass(frozen=True)
class Entry:
    """All records of one submission, and under what conditions they were made.

    Args:
        student: who handed it in.
        lesson: ``"06"``.
        submission: sha256 of the file.
        seed: chose inputs and random states.
        tier: how answers were contained.
        course: sha256 of the course's code, which asked and judged.
        name: what to call the student.
        submitted: when it was handed in, in seconds since 1970; ``None`` if nobody knows.
        flags: what the intake remarked.
        records: one for each exercise of the lesson.
        canvas_id: the number by which Canvas knows the student, or empty.
    """

    student: str
    lesson: str
    submission: str
    seed: int
    tier: str
    course: str
    name: str
    submitted: float | None
    flags: tuple[str, ...]
    records: tuple[Record, ...]
    canvas_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return whose work on which lesson it is; the last entry of a key counts."""
        return self.student, self.lesson

    def to_json(self) -> str:
        """Return the entry as one line, with a digest that shows damage."""
        text = json.dumps(asdict(self), sort_keys=True)
        return json.dumps({"digest": _digest(text), "entry": json.loads(text)}, sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> "Entry":
        """Return the entry that a line holds.

        Raises:
            ValueError: if the line is no entry, or not as it was written.
        """
        try:
            whole = json.loads(line)
            values: dict[str, Any] = whole["entry"]
            if whole["digest"] != _digest(json.dumps(values, sort_keys=True)):
                raise ValueError("the digest does not fit")
            records = [Record.from_json(json.dumps(record)) for record in values["records"]]
            flags = tuple(values["flags"])
            return cls(**{**values, "flags": flags, "records": tuple(records)})
        except (KeyError, TypeError) as error:
            raise ValueError(f"no entry: {error}") from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """What was judged so far, in ``judged.jsonl``: one line a submission, on the disk at once.

    A line that a crash cut short is dropped; a line that is damaged otherwise is dropped as well,
    and the file is kept under another name before anything is written. What was dropped is judged
    again. ``attempts.jsonl`` holds the distinct answers of each student, over all runs.

    Args:
        folder: of the grades; it exists, and nobody else writes there.
        tell: gets a sentence for whoever started the run.

    Raises:
        OSError: if the folder cannot be read or written.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._path, self._attempts_path = folder / "judged.jsonl", folder / "attempts.jsonl"
        self._tell = tell
        for place in (folder, folder / "feedback"):
            remove_unfinished(place)
        self.entries: dict[tuple[str, str], Entry] = {}
        self.attempts: Attempts = {}
        for key, answers in self._lines(self._attempts_path, _attempt, "counts of attempts"):
            self._count(key, answers)
        for entry in self._lines(self._path, Entry.from_json, "submissions"):
            self.entries[entry.key] = entry
            self._count_all(entry)  # a kill may have come before the attempts were written

    def add(self, entry: Entry) -> None:
        """Write an entry down; it replaces what this student had in this lesson.

        Raises:
            OSError: if the disk takes no more; what was written before stays.
        """
        line = (entry.to_json() + "\n").encode()
        with self._path.open("ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                written = file.write(line)
                if written != len(line):
                    raise OSError(ENOSPC, os.strerror(ENOSPC), str(self._path))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
        self.entries[entry.key] = entry
        self._count_all(entry)

    def replace(self, entries: Iterable[Entry]) -> None:
        """Write all entries anew, in an order that does not depend on how they came."""
        self.entries = {entry.key: entry for entry in sorted(entries, key=lambda entry: entry.key)}
        write_whole(self._path, "".join(f"{x.to_json()}\n" for x in self.entries.values()))
        write_whole(
            self._attempts_path,
            "".join(
                json.dumps({"student": s, "exercise": e, "answers": sorted(answers)}) + "\n"
                for (s, e), answers in sorted(self.attempts.items())
            ),
        )

    def _count_all(self, entry: Entry) -> None:
        for record in entry.records:
            if record.answer and record.status != "not_attempted":
                self._count((record.student, record.exercise), [record.answer])

    def _count(self, key: tuple[str, str], answers: Iterable[str]) -> None:
        self.attempts[key] = self.attempts.get(key, frozenset()).union(answers)

    def _lines(self, path: Path, read: Callable[[str], Any], what: str) -> list[Any]:
        """Read a file line by line, and mend it."""
        data = path.read_bytes() if path.exists() else b""
        *lines, rest = data.split(b"\n")
        found, whole = [], b""
        for line in lines:
            with suppress(ValueError):
                found.append(read(line.decode("ascii")))
                whole += line + b"\n"
        if len(found) < len(lines):
            backup = _free(path)
            write_whole(backup, data)
            self._tell(
                f"{path} is damaged: it is kept as {backup.name}, {len(found)} of {len(lines)} "
                f"{what} can be read, and what is missing is made anew"
            )
        elif rest:
            self._tell(f"{path}: the last line was cut short, as by a crash; it is made anew")
        if whole != data:
            write_whole(path, whole)
        return found


def _attempt(line: str) -> tuple[tuple[str, str], list[str]]:
    values = json.loads(line)
    try:
        return (str(values["student"]), str(values["exercise"])), [
            str(x) for x in values["answers"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"no attempt: {error}") from error


def _free(path: Path) -> Path:
    """Return a name for a backup that no file has."""
    number = 1
    while (backup := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return backup
