"""The page that a student gets: what holds, what does not yet, and where to look."""

import inspect
import textwrap
from collections.abc import Mapping

from genimg_course.exercises.registry import LESSONS, of_lesson
from genimg_course.exercises.specification import Specification
from genimg_course.grading.record import Record
from genimg_course.grading.reports.exports import lesson_title
from genimg_course.grading.reports.gradebook import Gradebook, Total, number
from genimg_course.grading.reports.markup import Child, Element, element, page, prose

__all__ = ["ADVICE", "ATTEMPTS", "advice", "feedback_page", "find_specification", "in_words"]

ATTEMPTS = 3
"""Different answers that must have been handed in before a solution may be shown."""

_LADDER = (
    "what is checked",
    "where to look",
    "an example to run",
    "a question",
    "the same with other numbers",
)
_WORDS = {
    "correct": ("✓", "right", "right"),
    "wrong": ("✗", "not yet right", "wrong"),
    "error": ("!", "stops with an error", "stopped"),
    "not_attempted": ("○", "not written yet", "empty"),
    "timeout": ("!", "takes too long", "stopped"),
    "crashed": ("!", "ends abruptly", "stopped"),
    "killed:memory": ("!", "uses too much memory", "stopped"),
    "killed:cpu": ("!", "computes too long", "stopped"),
    "killed:pids": ("!", "starts too many processes", "stopped"),
    "killed:disk": ("!", "writes too much", "stopped"),
    "killed:output": ("!", "returns or prints too much", "stopped"),
}
_PACK = "Hand in the notebook by itself. If you must pack it: an ordinary zip without a password."
_SAVE = "Open it in Jupyter, Colab or VS Code, save it as a notebook, and hand that file in."
_DOWNLOAD = "In Jupyter choose File, Download; in Colab File, Download, Download .ipynb."
_BESIDE = "The notebook was judged without this file. Save it as the exercise says; hand in both."
_ITSELF = "Hand in the file itself, not a shortcut to it."
ADVICE = {
    **dict.fromkeys(("archive", "compression", "crc", "encrypted", "entries", "nested"), _PACK),
    **dict.fromkeys(("path", "ratio"), _PACK),
    **dict.fromkeys(("encoding", "json", "nbformat"), _SAVE),
    **dict.fromkeys(("format", "html"), _DOWNLOAD),
    **dict.fromkeys(("artefact", "image"), _BESIDE),
    **dict.fromkeys(("link", "unreadable"), _ITSELF),
    "duplicate": "Hand in one file of each name.",
    "empty": "Look whether the file is larger than 0 bytes before you hand it in.",
    "lesson": "Hand in the lesson's own notebook; its exercises must keep their names.",
    "name": "Give the file a plain name: letters, digits, hyphens.",
    "size": "Clear all outputs (Edit, Clear Outputs of All Cells), save, and hand it in again.",
}
"""What helps when a file was rejected, by reason."""

_AT_HOME = """\
from genimg_course.exercises import check, specification
from genimg_course.exercises.session import SESSION

check(specification({id!r}), SESSION.record({id!r}).answer, seed={seed})"""


def feedback_page(
    book: Gradebook,
    student: str,
    *,
    attempts: Mapping[tuple[str, str], int],
    hints: int = 4,
) -> str:
    """Return the page of one student; nothing of any other student enters it.

    Args:
        book: the grades.
        student: whose page it is.
        attempts: different answers handed in so far, by student and exercise.
        hints: highest step of the ladder, 0 to 5; the fifth is the solution, after
            :data:`ATTEMPTS` different answers.

    Raises:
        ValueError: if there is no such step.
    """
    if hints not in range(len(_LADDER) + 1):
        raise ValueError(f"hints go from 0 to {len(_LADDER)}, got {hints}")
    own = [record for record in book.counted if record.student == student]
    lost = [record for record in book.rejected if record.student == student]
    sections: list[Child] = []
    for total in (total for total in book.totals if total.student == student):
        inside = [record for record in own if record.lesson == total.lesson]
        cards = [
            _exercise(record, attempts=attempts.get((student, record.exercise), 0), hints=hints)
            for record in inside
        ]
        title = element("h2", lesson_title(book, total.lesson))
        sections += [title, _sum(total), cards, _files(inside)]
    return page(
        f"Feedback for {book.name(student)}",
        element("h1", "Feedback for ", element("bdi", book.name(student))),
        element("p", _opening(own, lost)),
        [_rejected(record) for record in lost],
        sections,
        _footer(),
    )


def in_words(status: str) -> str:
    """Return what a status means to a reader."""
    return _look(status)[1]


def advice(status: str) -> str:
    """Return what to do about a rejected file."""
    reason = status.partition(":")[2]
    return ADVICE.get(reason, _SAVE)


def find_specification(lesson: str, exercise: str) -> Specification | None:
    """Return what the course knows about an exercise, ``None`` if it is none of the course's."""
    every = of_lesson(lesson) if lesson in LESSONS else ()
    return next((item for item in every if item.id == exercise), None)


def _look(status: str) -> tuple[str, str, str]:
    """Return sign, words and style of a status."""
    return _WORDS.get(status, ("!", "could not be read", "stopped"))


def _opening(own: list[Record], lost: list[Record]) -> list[Child]:
    right = sum(record.status == "correct" for record in own)
    if not own:
        return ["Your file could not be read, so nothing was judged yet. Here is what helps."]
    if right == len(own):
        return ["Everything is right. Well done."]
    first = next(record for record in own if record.status != "correct")
    counts = f"{right} of {len(own)} exercises {'is' if right == 1 else 'are'} right"
    start = "So far " if right else "Every answer starts somewhere. So far "
    go_on: list[Child] = [
        f"{start}{counts}. A good place to go on is ",
        element("a", element("code", first.exercise), href=f"#{_anchor(first)}"),
        ". The hints below each exercise go from gentle to strong: open one at a time, and try "
        "again after each.",
    ]
    return [*go_on, " One file could not be read; see below." if lost else None]


def _anchor(record: Record) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in record.exercise)
    return f"exercise-{kept}"


def _sum(total: Total) -> Element:
    if total.rejected:
        return element("p", "Nothing could be judged yet.")
    text = f"{number(total.points)} of {number(total.possible)} points"
    if total.factor != 1:
        text += (
            f"; handed in late, so that they count times {number(total.factor)}: "
            f"{number(total.total)} points"
        )
    return element("p", element("strong", text), f". Right: {total.right} of {total.exercises}.")


def _exercise(record: Record, *, attempts: int, hints: int) -> Element:
    sign, words, style = _look(record.status)
    known = find_specification(record.lesson, record.exercise)
    points = f"{number(record.points)} of {number(record.possible)} points"
    open_ = record.status != "correct"
    return element(
        "article",
        element("h3", known.title if known else record.exercise),
        element(
            "p",
            element("span", f"{sign} {words}", class_="status"),
            f" · {points} · ",
            element("code", record.exercise),
        ),
        prose(record.message) if record.message else None,
        _ladder(known, attempts=attempts, hints=hints) if known and open_ else None,
        _at_home(record, known) if known and open_ else None,
        _appeal(record),
        class_=style,
        id=_anchor(record),
    )


def _ladder(known: Specification, *, attempts: int, hints: int) -> Element:
    """Fold each hint into the one before it, so that they are met in order."""
    steps = [
        (f"Hint {level}: {what}", prose(text))
        for level, (what, text) in enumerate(zip(_LADDER, known.hints, strict=True))
        if level <= hints
    ]
    if hints == len(_LADDER):
        steps.append(("The solution", _solution(known, attempts)))
    folded: Element | None = None
    for heading, body in reversed(steps):
        folded = element("details", element("summary", heading), body, folded)
    assert folded is not None  # there is always the first hint
    return folded


def _solution(known: Specification, attempts: int) -> list[Element]:
    if attempts < ATTEMPTS:
        sentence = (
            f"It opens after {ATTEMPTS} different answers; {attempts} of yours "
            f"{'is' if attempts == 1 else 'are'} recorded."
        )
        return [element("p", sentence)]
    source = textwrap.dedent(inspect.getsource(known.reference)).rstrip()
    note = "This is one right answer. Close it, and write it again in your own words."
    return [element("p", note), element("pre", element("code", source))]


def _at_home(record: Record, known: Specification) -> Element | None:
    if record.status == "not_attempted":
        return None
    return element(
        "details",
        element("summary", "Check it again at home"),
        element(
            "p",
            "Run the cell of your answer in the lesson's notebook, then this in a new cell. It "
            "asks the same questions that were asked here:",
        ),
        element("pre", element("code", _AT_HOME.format(id=known.id, seed=int(record.seed)))),
    )


def _appeal(record: Record) -> Element:
    parts = [f"Seed {record.seed}"]
    parts += [f"run in: {record.tier}"] if record.tier else []
    parts += [f"diagnosis {record.diagnosis}"] if record.diagnosis else []
    parts += [f"answer {record.answer[:12]}"] if record.answer else []
    return element("p", " · ".join(parts), class_="soft")


def _rejected(record: Record) -> Element:
    facts = [f"Reason: {record.status.partition(':')[2].replace('_', ' ') or record.status}"]
    facts += [f"file {record.submission[:12]}"] if record.submission else []
    return element(
        "article",
        element("h3", "A file could not be read"),
        prose(f"{record.message[:1].upper()}{record.message[1:]}".rstrip(".") + "."),
        element("p", advice(record.status)),
        element("p", " · ".join(facts), class_="soft"),
        class_="stopped",
    )


def _files(records: list[Record]) -> Element | None:
    names = sorted({record.submission[:12] for record in records if record.submission})
    return element("p", f"File: {', '.join(names)}", class_="soft") if names else None


def _footer() -> Element:
    return element(
        "footer",
        element(
            "p",
            "Is a judgement wrong? Say so, and name the exercise and its seed: the same seed asks "
            "the same questions, so the judgement can be repeated. The numbers of files and "
            "answers are the beginnings of their SHA-256 checksums.",
            class_="soft",
        ),
    )
