"""Read every file of a source once: notebooks into cells, other files by their headers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from genimg_course.grading.intake.archives import zip_entries
from genimg_course.grading.intake.artefacts import Artefact, examine
from genimg_course.grading.intake.files import (
    LARGEST,
    Content,
    Entry,
    Refused,
    folder_entries,
    read_file,
)
from genimg_course.grading.intake.manifest import Lesson
from genimg_course.grading.intake.names import Owner, display_name, find_owner
from genimg_course.grading.intake.notebook import Cell, Unreadable, read_notebook

__all__ = ["Draft", "read_source", "with_stamps"]

_JUNK = {"__macosx", "thumbs.db", "desktop.ini", "__pycache__"}
_STAMP = "timestamp.txt"


@dataclass(eq=False)
class Draft:
    """One file on its way: a notebook, an artefact, or a reason against it."""

    parts: tuple[str, ...]
    group: str
    content: tuple[Cell, ...] | Artefact | Refused | Unreadable
    sha256: str = ""
    modified: float | None = None
    owner: Owner = field(init=False)
    lesson: str = ""
    flags: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return display_name("/".join(self.parts)) or "(no name)"

    @property
    def is_notebook(self) -> bool:
        return self.parts[-1:] != () and self.parts[-1].lower().endswith(".ipynb")


def with_stamps(drafts: list[Draft]) -> list[Draft]:
    """Give notebooks the times that nbgrader wrote beside them, and drop the files with those."""
    stamps = {(d.group, d.parts[:-1]): d for d in drafts if d.parts[-1:] == (_STAMP,)}
    for draft in drafts:
        if draft.is_notebook and (stamp := stamps.get((draft.group, draft.parts[:-1]))):
            draft.modified = stamp.modified
    return [draft for draft in drafts if draft.parts[-1:] != (_STAMP,)]


def read_source(path: Path, group: str, lessons: Mapping[str, Lesson]) -> Iterator[Draft]:
    """Read one source; each archive in it is a group of its own."""
    if path.is_dir():
        found: Iterable[Entry | tuple[tuple[str, ...], Refused]] = folder_entries(path)
    elif not path.exists():
        raise ValueError(f"{path} does not exist")
    elif path.suffix.lower() == ".ipynb":
        known = find_owner((path.name,), lessons).known
        parts = (path.name,) if known else (path.absolute().parent.name, path.name)
        found = [Entry(parts, lambda limit: read_file(path, limit), path)]
    else:
        found = zip_entries(path)
    yield from _read_entries(found, group, path.name)


def _read_entries(
    found: Iterable[Entry | tuple[tuple[str, ...], Refused]], group: str, source: str
) -> Iterator[Draft]:
    for entry in found:
        if not isinstance(entry, Entry):
            yield Draft(entry[0] or (source,), group, entry[1])
        elif not any(part.lower() in _JUNK or part.startswith(".") for part in entry.parts):
            yield from _read_entry(entry, group)


def _read_entry(entry: Entry, group: str) -> Iterator[Draft]:
    if not entry.parts[-1].lower().endswith(".zip"):
        yield _read(entry, group)
    elif entry.path is None:
        refused = Refused("nested", "a zip inside a zip: unpack it and hand in the notebook")
        yield Draft(entry.parts, group, refused)
    else:
        inside = (*entry.parts[:-1], entry.parts[-1][:-4])
        name = "/".join((group, *inside))
        yield from _read_entries(_archive(entry, inside), name, entry.parts[-1])


def _archive(
    entry: Entry, inside: tuple[str, ...]
) -> Iterator[Entry | tuple[tuple[str, ...], Refused]]:
    assert entry.path is not None
    for item in zip_entries(entry.path, inside):
        # what concerns the whole archive is said under its own name
        whole = not isinstance(item, Entry) and item[0] == inside
        yield (entry.parts, item[1]) if whole else item  # type: ignore[index]


def _read(entry: Entry, group: str) -> Draft:
    draft = Draft(entry.parts, group, ())
    try:
        if draft.is_notebook:
            content = entry.read(LARGEST)
            draft.sha256 = hashlib.sha256(content.data).hexdigest()
            draft.modified = content.modified
            draft.content = read_notebook(content.data)
        elif entry.parts[-1] == _STAMP:
            draft.modified = _stamp(entry.read(1000))
        else:
            draft.content = examine(entry)
            draft.sha256 = draft.content.sha256
    except (Refused, Unreadable) as reason:
        draft.content = reason
    return draft


def _stamp(content: Content) -> float | None:
    """Return the time in nbgrader's ``timestamp.txt``, which is UTC."""
    text = content.data.decode("ascii", "replace").strip().removesuffix("UTC").strip()
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return content.modified
