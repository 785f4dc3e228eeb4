"""Take submissions in: find notebooks, students, lessons and attempts, and say what was refused.

No code of a student is run, imported, unpickled or rendered here, and nothing is written. One
file can spoil neither another file nor the batch: what cannot be graded becomes a
:class:`Rejected` with a reason.

Of several attempts of one student at one lesson the newest that can be read counts: the platform's
number decides, then the number at the end of the file's name, then the time of the file. It gets
the flag ``attempts`` and names those it replaces. Students with the same name in different
folders, and no number, are told apart and flagged ``same_name``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from genimg_course.grading.intake.artefacts import Artefact
from genimg_course.grading.intake.files import Refused
from genimg_course.grading.intake.lessons import choose_lesson
from genimg_course.grading.intake.manifest import Lesson
from genimg_course.grading.intake.names import (
    display_name,
    find_lesson,
    find_owner,
    names_student_above,
    safe_name,
)
from genimg_course.grading.intake.notebook import Cell, Unreadable
from genimg_course.grading.intake.reading import Draft, read_source, with_stamps

__all__ = ["Intake", "Rejected", "Submission", "gather"]


@dataclass(frozen=True)
class Rejected:
    """A file that is not graded.

    Args:
        name: its path as a page may show it, still to be escaped.
        reason: one word; the record's status is ``rejected:REASON``.
        message: one sentence that says what to do.
        student: whose it seems to be, a name for paths; may be empty.
        lesson: which lesson it seems to be, or empty.
        sha256: of its content, or empty.
    """

    name: str
    reason: str
    message: str
    student: str = ""
    lesson: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Submission:
    """One student's notebook of one lesson: plain data.

    Args:
        student: who handed it in: ASCII, safe as a file's name, unique in the batch.
        lesson: ``"06"``.
        name: the student's name as a page may show it, still to be escaped.
        cells: of the notebook.
        sha256: of the file.
        submitted: when, in seconds since 1970 (UTC), if known.
        artefacts: files beside the notebook that may be looked at further.
        refused: files beside the notebook that may not, with reasons.
        flags: ``late``, ``attempts``, ``same_name``, ``student_unknown``, ``lesson_by_content``.
        canvas_id: the number by which Canvas knows the student, or empty.
        file: the path of the notebook as a page may show it.
        superseded: paths of older attempts.
    """

    student: str
    lesson: str
    name: str
    cells: tuple[Cell, ...]
    sha256: str
    submitted: float | None = None
    artefacts: tuple[Artefact, ...] = ()
    refused: tuple[Rejected, ...] = ()
    flags: tuple[str, ...] = ()
    canvas_id: str = ""
    file: str = ""
    superseded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Intake:
    """What was found, in a stable order."""

    submissions: tuple[Submission, ...]
    rejected: tuple[Rejected, ...]


def gather(
    source: Path | Iterable[Path], *, lessons: Mapping[str, Lesson], lesson: str | None = None
) -> Intake:
    """Return the submissions in folders, zips and notebooks, and what was refused.

    Args:
        source: a folder, a zip or a notebook, or several of them.
        lessons: the course's, from :func:`~genimg_course.grading.intake.manifest.manifest`.
        lesson: take this one only; other notebooks are refused.

    Raises:
        ValueError: if a source does not exist, or there is no such lesson.
    """
    if lesson is not None and lesson not in lessons:
        raise ValueError(f"there is no lesson {lesson}; there are {', '.join(lessons)}")
    drafts: list[Draft] = []
    for number, path in enumerate([source] if isinstance(source, Path) else source):
        drafts += read_source(path, f"{number}:{path.name}", lessons)
    drafts = with_stamps(drafts)
    _find_owners(drafts, lessons)
    for draft in drafts:
        _find_lesson(draft, lessons, lesson)
    return _sorted_out(drafts)


def _find_owners(drafts: list[Draft], lessons: Mapping[str, Lesson]) -> None:
    for group in dict.fromkeys(draft.group for draft in drafts):
        members = [draft for draft in drafts if draft.group == group]
        wrapped = _wrappers([d.parts for d in members if d.is_notebook], lessons)
        for draft in members:
            inner = draft.parts[wrapped:] if len(draft.parts) > wrapped else draft.parts
            owner = find_owner(inner, lessons)
            draft.owner = replace(owner, folder=(*draft.parts[:wrapped], *owner.folder))


def _wrappers(paths: list[tuple[str, ...]], lessons: Mapping[str, Lesson]) -> int:
    """Count the folders around all students: all share them, and several folders lie inside."""
    count = 0
    while paths and all(len(parts) > count + 2 for parts in paths):
        inside = {parts[count + 1] for parts in paths}
        outer = {parts[count] for parts in paths}
        if len(outer) > 1 or any(names_student_above(name) for name in outer):
            break
        if any(find_lesson((name,), lessons) for name in inside):
            break
        if len(inside) < 2 and count + 3 >= min(map(len, paths)):
            break
        count += 1
    return count


def _find_lesson(draft: Draft, lessons: Mapping[str, Lesson], wanted: str | None) -> None:
    named = find_lesson((*draft.parts[:-1], draft.owner.file), lessons)
    draft.lesson = named or wanted or ""
    if not isinstance(draft.content, tuple):
        return
    number, by_content = choose_lesson(draft.content, named, lessons, wanted)
    draft.lesson = number
    if by_content:
        draft.flags += ("lesson_by_content",)
    if not number:
        draft.content = Refused(
            "lesson", "neither its name nor its exercises tell the lesson: keep the file's name"
        )
    elif wanted and number != wanted:
        draft.content = Refused(
            "lesson", f"this is lesson {number}, and only lesson {wanted} is graded now"
        )


def _sorted_out(drafts: list[Draft]) -> Intake:
    names = _names(drafts)
    attempts: dict[tuple[str, str], list[Draft]] = {}
    rejected = []
    for draft in drafts:
        if isinstance(draft.content, tuple) and not display_name(draft.owner.name):
            draft.content = Refused("name", "the student's name holds nothing that can be shown")
        if isinstance(draft.content, tuple):
            attempts.setdefault((names[id(draft)][0], draft.lesson), []).append(draft)
    submissions = [_submission(found, names) for found in attempts.values()]
    for draft in drafts:
        if isinstance(draft.content, tuple):
            continue
        student = names[id(draft)][0]
        home = None if draft.is_notebook else _home(draft, student, attempts)
        if home is not None:
            place = list(attempts).index(home)
            submissions[place] = _with_artefact(submissions[place], draft, student)
        else:
            rejected.append(_rejected(draft, student))
    submissions.sort(key=lambda item: (item.lesson, item.student))
    return Intake(tuple(submissions), tuple(sorted(rejected, key=lambda item: item.name)))


def _names(drafts: list[Draft]) -> dict[int, tuple[str, bool]]:
    """Return each draft's name for paths, and whether another student has the same name."""
    folders: dict[tuple[str, str, str], set[tuple[str, tuple[str, ...]]]] = {}
    for draft in drafts:
        if isinstance(draft.content, tuple):
            owner = draft.owner
            key = (owner.key, owner.number, draft.lesson)
            place = ("", ()) if owner.number else (draft.group, owner.folder)
            folders.setdefault(key, set()).add(place)
    shared = {key[:2] for key, found in folders.items() if len(found) > 1}
    numbered = {safe_name(key) for key, number, _ in folders if number}
    shared |= {key[:2] for key in folders if not key[1] and safe_name(key[0]) in numbered}
    names = {}
    for draft in drafts:
        owner = draft.owner
        apart = (owner.key, owner.number) in shared
        full = "/".join((draft.group, *owner.folder, owner.key))
        names[id(draft)] = (safe_name(full if apart else owner.key), apart)
    return names


def _submission(found: list[Draft], names: dict[int, tuple[str, bool]]) -> Submission:
    found.sort(key=lambda draft: (draft.owner.attempt, draft.modified or 0.0, draft.parts))
    *older, newest = found
    assert isinstance(newest.content, tuple)
    student, apart = names[id(newest)]
    flags = (
        *(["late"] if newest.owner.late else []),
        *(["attempts"] if older else []),
        *(["same_name"] if apart else []),
        *([] if newest.owner.known else ["student_unknown"]),
        *newest.flags,
    )
    return Submission(
        student=student,
        lesson=newest.lesson,
        name=display_name(newest.owner.name),
        cells=newest.content,
        sha256=newest.sha256,
        submitted=newest.modified,
        flags=flags,
        canvas_id=newest.owner.canvas_id,
        file=newest.path,
        superseded=tuple(draft.path for draft in older),
    )


def _home(
    draft: Draft, student: str, attempts: dict[tuple[str, str], list[Draft]]
) -> tuple[str, str] | None:
    """Find the submission beside which a file lies: the same student's, in the nearest folder."""
    homes = {
        key: len(found[-1].parts)
        for key, found in attempts.items()
        if key[0] == student and draft.parts[: len(found[-1].parts) - 1] == found[-1].parts[:-1]
    }
    return max(homes, key=lambda key: homes[key]) if homes else None


def _with_artefact(submission: Submission, draft: Draft, student: str) -> Submission:
    if isinstance(draft.content, Artefact):
        return replace(submission, artefacts=(*submission.artefacts, draft.content))
    return replace(submission, refused=(*submission.refused, _rejected(draft, student)))


def _rejected(draft: Draft, student: str) -> Rejected:
    reason: Refused | Unreadable
    if isinstance(draft.content, Refused | Unreadable):
        reason = draft.content
    else:
        reason = Refused("artefact", "no notebook that can be graded lies beside this file")
    return Rejected(draft.path, reason.reason, reason.message, student, draft.lesson, draft.sha256)
