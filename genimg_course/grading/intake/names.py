"""Whose file is it, of which lesson, and which attempt: read from paths that strangers may choose.

Forms that were looked up:

- Canvas (its source, ``lib/content_zipper.rb``): ``lastfirst_USER_ATTACHMENT_NAME``, with ``_LATE``
  before the numbers if it was late, and ``anon_CODE_ATTACHMENT_NAME`` in anonymous assignments; a
  file handed in again is called ``NAME-1.ipynb``, ``NAME-2.ipynb`` (canvas-lms issue 606). Numbers
  of attachments grow with time.
- Moodle (its source, ``mod/assign/classes/downloader.php``): a folder
  ``First Last_NUMBER_assignsubmission_file``, with a last ``_`` in some versions, or the same in
  front of the file's name; ``Participant_NUMBER_...`` in anonymous assignments. A zip holds the
  last attempt only. The number belongs to student and assignment, so that one student has
  another one in each lesson.
- nbgrader (its manual, "philosophy"): ``submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb``, with
  ``timestamp.txt`` beside the notebook.
- else one folder per student, or files whose names hold the student's name beside the lesson's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from genimg_course.grading.intake.manifest import Lesson

__all__ = ["Owner", "display_name", "find_lesson", "find_owner", "names_student_above", "safe_name"]

_CANVAS = re.compile(
    r"(?P<name>[^/]+?)_(?P<late>LATE_)?(?P<user>\d+)_(?P<attempt>\d+)_(?P<file>.+)"
)
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?anon_(?P<user>[A-Za-z0-9]+)_(?P<attempt>\d{3,})_(?P<file>.+)"
)
_MOODLE = re.compile(r"(?P<name>[^/]+?)_(?P<user>\d+)_assignsubmission_file_?(?P<file>.*)")
_AGAIN = re.compile(r"(?:[ _]?\((?P<a>\d{1,4})\)|-(?P<b>\d{1,4}))$")
_STEPS = {"submitted", "autograded"}
_NOBODY = {
    *("submissions", "submission", "handins", "hand-ins", "export", "assignments", "notebooks"),
    *("solutions", "students", "class", "course", "downloads", "homework", "lessons"),
}
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9_])?")
_HASHED = re.compile(r".*-[0-9a-f]{8}")
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Owner:
    """Who handed a file in.

    Args:
        key: tells students apart: a name, with a learning platform's number if there is one.
        name: as it was found, unchecked.
        number: the learning platform's own number of the student, or empty; Moodle has another one
            in each assignment.
        folder: the folders down to the one that names the student.
        file: the file's name without what a platform added.
        attempt: numbers that grow with each attempt.
        late: the platform says that it was late.
        known: a name was found; else the file's own name stands in.
        canvas_id: the number by which Canvas knows the student everywhere, or empty.
    """

    key: str
    name: str
    number: str
    folder: tuple[str, ...]
    file: str
    attempt: tuple[int, int] = (0, 0)
    late: bool = False
    known: bool = True
    canvas_id: str = ""


def find_owner(parts: tuple[str, ...], lessons: Mapping[str, Lesson]) -> Owner:
    """Return who handed in the file with these folders and this name.

    Args:
        parts: folders below the source and the file's name, at least the latter.
        lessons: of the course, so that their names are not taken for a student's.
    """
    for place in range(len(parts)):  # from the outside: a student may choose the names inside
        found = (
            _MOODLE.fullmatch(parts[place])
            or _CANVAS_ANONYMOUS.fullmatch(parts[place])
            or _CANVAS.fullmatch(parts[place])
        )
        if found:
            return _of_platform(found, parts, place)
    for place in range(len(parts) - 2):
        if parts[place].lower() in _STEPS:
            return _of_folder(parts, place + 1)
    for place, part in enumerate(parts[:-1]):
        if part.lower() not in _NOBODY and not _names_lesson(part, lessons):
            return _of_folder(parts, place)
    return _of_file(parts, lessons)


def names_student_above(folder: str) -> bool:
    """Tell whether a folder's own form says that it, or the next one inside, is a student."""
    forms = (_MOODLE, _CANVAS_ANONYMOUS, _CANVAS)
    return folder.lower() in _STEPS or any(form.fullmatch(folder) for form in forms)


def _of_platform(found: re.Match[str], parts: tuple[str, ...], place: int) -> Owner:
    said = found.groupdict()
    file = parts[-1] if place < len(parts) - 1 else said["file"]
    name, user = said.get("name") or "anon", said["user"]
    return Owner(
        key=f"{name}-{user}",
        name=name,
        number=user,
        folder=parts[:place],
        file=file,
        attempt=(int(said.get("attempt") or 0), _again(file)),
        late=bool(said.get("late")),
        canvas_id=user if found.re is _CANVAS else "",
    )


def _of_folder(parts: tuple[str, ...], place: int) -> Owner:
    name = parts[place]
    return Owner(name, name, "", parts[: place + 1], parts[-1], attempt=(0, _again(parts[-1])))


def _of_file(parts: tuple[str, ...], lessons: Mapping[str, Lesson]) -> Owner:
    stem = _stem(parts[-1])
    rest = stem
    for lesson in lessons.values():
        rest = re.sub(rf"(?:lesson[ _-]?)?{lesson.number}_{lesson.slug}", "", rest, flags=re.I)
    rest = re.sub(r"^(?:lesson[ _-]?)?\d\d(?=[ _-]|$)|[ _-](?:lesson[ _-]?)?\d\d$", "", rest)
    known = rest != stem or not _names_lesson(stem, lessons)
    name = _AGAIN.sub("", rest).strip(" _-") if known else ""
    if not name:
        return Owner(stem, stem, "", parts[:-1], parts[-1], known=False)
    return Owner(name, name, "", parts[:-1], parts[-1], attempt=(0, _again(parts[-1])))


def _stem(file: str) -> str:
    return re.sub(r"\.(?:ipynb|zip)$", "", file, flags=re.IGNORECASE)


def _again(file: str) -> int:
    found = _AGAIN.search(_stem(file))
    return int(found["a"] or found["b"]) if found else 0


def _names_lesson(text: str, lessons: Mapping[str, Lesson]) -> bool:
    return bool(find_lesson((text,), lessons)) or bool(re.fullmatch(r"\d{1,2}", text))


def find_lesson(parts: tuple[str, ...], lessons: Mapping[str, Lesson]) -> str:
    """Return the number of the lesson that a path names, or an empty text.

    The file's own name counts first, then its folders from the inside; a lesson's words count
    before a number.

    Args:
        parts: folders and the file's name, without what a learning platform added.
        lessons: of the course.
    """
    for part in reversed(parts):
        text = _stem(part).lower().replace("-", "_").replace(" ", "_")
        named = [item for item in lessons.values() if item.slug in text]
        if named:
            return max(named, key=lambda item: len(item.slug)).number
        found = re.match(r"(?:lesson_?|week_?|nb_?)?(\d\d)(?![a-z0-9])", text) or re.search(
            r"(?:^|_)lesson_?(\d{1,2})(?!\d)", text
        )
        if found and (number := found[1].zfill(2)) in lessons:
            return number
    return ""


def display_name(name: str) -> str:
    """Return a name as a page may show it, still to be escaped: no control or direction marks.

    What is left of it may be empty.
    """
    kept = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", name)
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    kept = " ".join(kept.split())
    return kept if len(kept) <= _LONGEST_NAME else kept[: _LONGEST_NAME - 1] + "…"


def safe_name(key: str) -> str:
    """Return a name for files and tables: short, ASCII, the same in each batch.

    A name that is safe already stays; any other gets eight digits of its hash, so that two
    students never share a file, whatever else stands in the batch.
    """
    if _PLAIN.fullmatch(key) and not _RESERVED.fullmatch(key) and not _HASHED.fullmatch(key):
        return key
    ascii_only = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:40].strip("-")
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{words or 'student'}-{digest}"
