"""The page that an instructor gets: what the class knows, what it shares, what to look at."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from genimg_course.grading.record import Record
from genimg_course.grading.reports.charts import (
    GROUPS,
    group_of,
    picture,
    points_chart,
    shares,
    status_chart,
)
from genimg_course.grading.reports.exports import lesson_title
from genimg_course.grading.reports.feedback import advice, find_specification
from genimg_course.grading.reports.gradebook import Gradebook, number
from genimg_course.grading.reports.markup import Child, Element, element, page, prose

__all__ = ["FLAGS", "find_sections", "is_known", "summary_page"]

# "06" is the name of a lesson
_NUMBER = re.compile(r"(?!0\d)[\d.]+(?: of [\d.]+)?|", re.ASCII)
_SHORT = 32
_MOST = 12
_NAMED = 8
FLAGS = {
    "tamper": "the answer tried to reach or to imitate the grader; look at the code",
    "duplicate": "an exercise, or a whole file, was handed in twice",
    "depends": "uses an exercise that is not right yet, so its own error may be that one's",
    "late": "handed in after the time",
    "grader": "the grader itself failed here; run it again, and report it if it stays",
    "unavailable": "calls the course's own function in place of an own one",
    "attempts": "handed in several times; the last one was graded",
    "same_name": "two students have one name; the reports tell them apart by number",
    "student_unknown": "the file does not say whose it is; its own name stands in",
    "lesson_by_content": "the file's name does not say which lesson it is; its exercises do",
    "UNSANDBOXED": "ran without any containment, because somebody vouched for the submissions",
}
"""What a flag means; of ``depends:ID`` the part before the colon counts."""


def find_sections(notebooks: Path) -> dict[str, str]:
    """Return, by exercise, the heading under which the course's own notebooks pose it.

    Args:
        notebooks: folder of the course's notebooks, not of anybody's submission.
    """
    sections: dict[str, str] = {}
    for path in sorted(notebooks.glob("[0-9][0-9]_*.ipynb")):
        heading = ""
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                found = re.findall(r"^#{2,3} (.+)$", source, flags=re.MULTILINE)
                heading = found[-1].strip() if found else heading
            for exercise in re.findall(r"""^@exercise\(["']([\w.]+)["']\)""", source, re.MULTILINE):
                sections.setdefault(exercise, heading)
    return sections


def summary_page(
    book: Gradebook,
    *,
    pages: Mapping[str, str] | None = None,
    sections: Mapping[str, str] | None = None,
) -> str:
    """Return the summary of a class.

    Args:
        book: the grades.
        pages: file names of the feedback pages, by student; linked to where given.
        sections: headings of the lessons, by exercise, see :func:`find_sections`.
    """
    pages, sections = pages or {}, sections or {}
    return page(
        "Summary of the class",
        element("h1", "Summary of the class"),
        _overview(book),
        _points(book),
        _lessons(book),
        _shared(book, sections),
        _unknown(book),
        _flags(book, pages),
        _rejected(book, pages),
        _students(book, pages),
        _how(book),
    )


def is_known(record: Record) -> bool:
    """Say whether a wrong answer was recognised as a known misconception."""
    known = find_specification(record.lesson, record.exercise)
    return known is not None and record.diagnosis in {m.code for m in known.misconceptions}


def _overview(book: Gradebook) -> Element:
    right = sum(record.status == "correct" for record in book.counted)
    lessons = sorted({total.lesson for total in book.totals})
    files = {record.submission for record in book.records}
    facts = [
        f"{_count(len(book.students), 'student')}, {_count(len(files), 'file')}, "
        f"{_count(len(lessons), 'lesson')}{': ' if lessons else ''}{', '.join(lessons)}.",
        f"{right} of {_count(len(book.counted), 'judged answer')} right."
        if book.counted
        else "Nothing was judged yet.",
    ]
    if book.rejected:
        facts.append(f"{_count(len(book.rejected), 'file')} could not be read; see below.")
    return element("p", " ".join(facts))


def _points(book: Gradebook) -> list[Element]:
    if not book.counted:
        return []
    caption = "All lessons together, after late factors; files that could not be read left out."
    return [element("h2", "Points"), picture(points_chart(book), caption)]


def _lessons(book: Gradebook) -> Iterable[Element]:
    for lesson in sorted({record.lesson for record in book.counted}):
        counts = shares([record for record in _in_lesson_order(book) if record.lesson == lesson])
        yield element("h2", lesson_title(book, lesson))
        yield picture(status_chart(counts), "What became of each exercise.")
        used = [group for group in GROUPS if any(count[group] for count in counts.values())]
        rows = [[name, *(str(count[group]) for group in used)] for name, count in counts.items()]
        yield element(
            "details", element("summary", "The same in numbers"), _table(["exercise", *used], rows)
        )


def _in_lesson_order(book: Gradebook) -> list[Record]:
    """Return what counts, exercise by exercise as the lesson has them."""
    places = {
        item.id: place
        for lesson in book.lessons.values()
        for place, item in enumerate(lesson.exercises)
    }
    return sorted(book.counted, key=lambda r: (places.get(r.exercise, len(places)), r.exercise))


def _shared(book: Gradebook, sections: Mapping[str, str]) -> list[Child]:
    """Rank the misconceptions by how many students have them."""
    wrong = [r for r in book.counted if r.status == "wrong" and is_known(r)]
    counts = Counter((r.lesson, r.exercise, r.diagnosis) for r in wrong)
    title = element("h2", "Misconceptions that most students share")
    if not counts:
        return [title, element("p", "None was recognised.")]
    cards = []
    for (lesson, exercise, code), times in sorted(counts.items(), key=lambda x: (-x[1], x[0])):
        known = find_specification(lesson, exercise)
        message = next(m.message for m in known.misconceptions if m.code == code) if known else ""
        section = sections.get(exercise) or (known.title if known else exercise)
        cards.append(
            element(
                "article",
                element("h3", f"{_count(times, 'student')}: ", element("code", exercise)),
                prose(message),
                element("p", "Take up again: ", lesson_title(book, lesson), f", “{section}”."),
                element("p", f"Diagnosis {code}", class_="soft"),
                class_="wrong",
            )
        )
    rest = len(cards) - _MOST
    more = element("p", f"And {_count(rest, 'rarer one')}; see grades.csv.") if rest > 0 else None
    return [title, *cards[:_MOST], more]


def _unknown(book: Gradebook) -> list[Child]:
    """Rank the exercises by wrong answers that no known misconception explains."""
    wrong = [r for r in book.counted if r.status == "wrong" and not is_known(r)]
    if not wrong:
        return []
    counts = Counter((r.lesson, r.exercise) for r in wrong)
    rows = []
    for (lesson, exercise), times in sorted(counts.items(), key=lambda x: (-x[1], x[0])):
        fails = Counter(r.diagnosis or "?" for r in wrong if r.exercise == exercise)
        said = (f"{name} ({n})" for name, n in sorted(fails.items(), key=lambda x: (-x[1], x[0])))
        rows.append([lesson, exercise, str(times), ", ".join(said)])
    text = (
        "These answers are wrong in a way that the course does not know yet. They were told which "
        "property fails. Reading a few of them may be worth it: a common one deserves a message "
        "of its own."
    )
    return [
        element("h2", "Exercises with the most unknown wrong answers"),
        element("p", text),
        _table(["lesson", "exercise", "answers", "what fails"], rows[:_MOST]),
    ]


def _flags(book: Gradebook, pages: Mapping[str, str]) -> list[Child]:
    late = {student for (student, _), factor in book.late.items() if factor < 1}
    found: dict[str, dict[str, None]] = {"late": dict.fromkeys(sorted(late & set(book.students)))}
    for record in book.records:
        for flag in record.flags:
            found.setdefault(flag.partition(":")[0], {})[record.student] = None
    order = [*FLAGS, *sorted(set(found) - set(FLAGS))]
    rows: list[Sequence[Child]] = [
        [flag, str(len(found[flag])), _people(list(found[flag]), book, pages), FLAGS.get(flag, "")]
        for flag in order
        if found.get(flag)
    ]
    if not rows:
        return []
    return [element("h2", "Flags to look at"), _table(["flag", "students", "who", "meaning"], rows)]


def _people(students: Sequence[str], book: Gradebook, pages: Mapping[str, str]) -> list[Child]:
    links: list[Child] = []
    for student in students[:_NAMED]:
        links += [", " if links else None, _person(student, book, pages)]
    rest = len(students) - _NAMED
    return [*links, f" and {rest} more; see grades.csv" if rest > 0 else None]


def _person(student: str, book: Gradebook, pages: Mapping[str, str]) -> Element:
    name = element("bdi", book.name(student))
    return element("a", name, href=f"feedback/{pages[student]}") if student in pages else name


def _rejected(book: Gradebook, pages: Mapping[str, str]) -> list[Child]:
    lost = [r for r in book.records if group_of(r.status) == "rejected"]
    if not lost:
        return []
    rows: list[Sequence[Child]] = [
        [
            _person(r.student, book, pages),
            " ".join(filter(None, [r.lesson, r.exercise])) or "unknown",
            r.status.partition(":")[2].replace("_", " "),
            r.message,
            advice(r.status),
        ]
        for r in lost
    ]
    columns = ["student", "lesson", "reason", "what was found", "what to tell the student"]
    return [element("h2", "Files that could not be read"), _table(columns, rows)]


def _students(book: Gradebook, pages: Mapping[str, str]) -> list[Child]:
    rows: list[Sequence[Child]] = []
    for student in book.students:
        own = [total for total in book.totals if total.student == student]
        read = [total for total in own if not total.rejected]
        rows.append(
            [
                _person(student, book, pages),
                " ".join(total.lesson for total in own),
                f"{sum(t.right for t in read)} of {sum(t.exercises for t in read)}" if read else "",
                f"{number(sum(t.total for t in read))} of {number(sum(t.possible for t in read))}"
                if read
                else "",
            ]
        )
    return [
        element("h2", "Students"),
        element(
            "details",
            element("summary", "Everyone, with the page that each student gets"),
            _table(["student", "lessons", "right", "points"], rows),
        ),
    ]


def _how(book: Gradebook) -> list[Child]:
    tiers = Counter(record.tier or "nothing was run" for record in book.counted)
    seeds = sorted({record.seed for record in book.counted})
    contained = ", ".join(f"{tier} ({n})" for tier, n in sorted(tiers.items())) or "nothing was run"
    return [
        element("h2", "How it was graded"),
        element(
            "dl",
            element("dt", "Containment"),
            element("dd", f"{contained}. In brackets: answers."),
            element("dt", "Seed" if len(seeds) == 1 else "Seeds"),
            element("dd", ", ".join(map(str, seeds)) or "none"),
            element("dt", "To grade again, or to go on after an interruption"),
            element(
                "dd",
                "Run the same ",
                element("code", "genimg grade"),
                " with the same ",
                element("code", "--seed"),
                " and the same ",
                element("code", "--out"),
                " folder. What was judged is kept, the rest is judged, and the reports are "
                "written anew. The same seed asks the same questions, which is what an appeal "
                "needs.",
            ),
        ),
        element(
            "footer",
            element(
                "p",
                "Made from records.jsonl alone. Every row stands in grades.csv, sums in "
                "totals.csv; canvas.csv, moodle.csv and nbgrader.csv are for import.",
                class_="soft",
            ),
        ),
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[Child]]) -> Element:
    """Return a table that scrolls by itself where the page is narrow."""
    looks = [_look([row[i] for row in rows]) for i in range(len(columns))]
    cells = [
        element("th", column, scope="col", class_=look)
        for column, look in zip(columns, looks, strict=True)
    ]
    body = [
        element("tr", [element("td", c, class_=look) for c, look in zip(row, looks, strict=True)])
        for row in rows
    ]
    head = element("thead", element("tr", cells))
    return element("div", element("table", head, element("tbody", body)), class_="scroll")


def _look(column: Sequence[Child]) -> str:
    """Return the style of a column: numbers to the right, short texts whole, long texts wide."""
    texts = [cell for cell in column if isinstance(cell, str)]
    if len(texts) < len(column):
        return "name"
    if all(_NUMBER.fullmatch(text) for text in texts):
        return "number"
    return "long" if any(len(text) > _SHORT for text in texts) else "short"


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
