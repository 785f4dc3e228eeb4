"""Write everything that people read of a grading, from its records alone."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from genimg_course.files import write_whole
from genimg_course.grading.record import Record
from genimg_course.grading.reports.exports import canvas_csv, moodle_csv, nbgrader_csv
from genimg_course.grading.reports.feedback import feedback_page
from genimg_course.grading.reports.gradebook import Gradebook, Lesson, grades_csv, totals_csv
from genimg_course.grading.reports.summary import summary_page

__all__ = ["file_name", "write_reports"]

_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
_LONGEST = 60


def write_reports(
    out: Path,
    records: Iterable[Record],
    *,
    lessons: Mapping[str, Lesson],
    attempts: Mapping[tuple[str, str], int | Collection[str]] | None = None,
    hints: int = 4,
    names: Mapping[str, str] | None = None,
    late: Mapping[tuple[str, str], float] | None = None,
    sections: Mapping[str, str] | None = None,
    numbers: Mapping[str, str] | None = None,
) -> tuple[Path, ...]:
    """Write tables, feedback pages and the summary; the same records give the same bytes.

    Each file appears whole or not at all, also when the writer is killed. The order of the records
    does not matter.

    Args:
        out: folder; made where there is none.
        records: of the whole class.
        lessons: of the manifest, by number.
        attempts: different answers of each student to each exercise so far, by student and
            exercise: how many, or the answers' checksums.
        hints: highest hint that feedback shows, 0 to 5; the fifth is the solution, and opens after
            three different answers.
        names: what to call each student.
        late: what is left for being late, in ``[0, 1]``, by student and lesson.
        sections: headings of the lessons by exercise, see ``summary.find_sections``.
        numbers: numbers by which Canvas knows its users, by student, for ``canvas.csv``.

    Returns:
        The files, in the order in which they were written.

    Raises:
        ValueError: if ``hints`` or a late factor is out of range.
        OSError: if a file cannot be written.
    """
    book = Gradebook(tuple(records), lessons, names or {}, late or {}, numbers or {})
    counts = {
        key: answers if isinstance(answers, int) else len(set(answers))
        for key, answers in (attempts or {}).items()
    }
    pages = {student: file_name(student) for student in book.students}
    contents: dict[str, bytes] = {"grades.csv": grades_csv(book), "totals.csv": totals_csv(book)}
    for student, name in pages.items():
        text = feedback_page(book, student, attempts=counts, hints=hints)
        contents[f"feedback/{name}"] = text.encode()
    contents |= {
        "summary.html": summary_page(book, pages=pages, sections=sections).encode(),
        "canvas.csv": canvas_csv(book),
        "moodle.csv": moodle_csv(book),
        "nbgrader.csv": nbgrader_csv(book),
    }
    return tuple(_write(out, name, content) for name, content in contents.items())


def file_name(student: str) -> str:
    """Return the name of a student's feedback page: one plain file name, different for each.

    A plain identifier keeps its name. Any other keeps what is plain of it and gets a part of its
    checksum, so that neither similar names nor a file system that confuses upper and lower case,
    or composed and decomposed letters, can make two pages one.

    >>> file_name("ada.lovelace"), file_name("../ada")
    ('ada.lovelace.html', 'ada~60088279524e0fd6.html')
    """
    plain = re.fullmatch(r"[a-z0-9](?:[a-z0-9_.@-]*[a-z0-9])?", student)
    if plain and len(student) <= _LONGEST and not _RESERVED.match(student.partition(".")[0]):
        return f"{student}.html"
    kept = re.sub(r"[^A-Za-z0-9]+", "-", student).strip("-")[:_LONGEST].rstrip("-") or "student"
    kept = f"student-{kept}" if _RESERVED.match(kept.lower()) else kept
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kept}~{digest[:16]}.html"  # no plain identifier has a tilde


def _write(out: Path, name: str, content: bytes) -> Path:
    """Write a file inside the folder; a link in its place is replaced, one on the way refused."""
    path = out / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.parent.resolve().is_relative_to(out.resolve()):
        raise OSError(f"{path.parent} leads out of {out}")
    write_whole(path, content)
    return path
