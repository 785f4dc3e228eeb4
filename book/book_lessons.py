"""What the book adds to a lesson: links and costs at its head, the hints below each exercise.

Everything is read off the lesson and the package, so that nothing is typed twice.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genimg_course.authoring import repository

if TYPE_CHECKING:
    from genimg_course.exercises.specification import Hints

__all__ = ["cells_with_head", "hints_cell", "proofs_by_lesson", "proofs_named"]

ROOT = Path(__file__).resolve().parents[1]

Cell = dict[str, Any]
Change = Callable[[str, str, Sequence[Cell]], str]

_COLAB = re.compile(r"\*\*\[Open this lesson in Colab\]\(([^)]*)\)\*\*\n+")
_NEED = re.compile(r"\*\*What you need\.\*\*.*?(?=\n\n|\Z)", re.DOTALL)
_NUMBER = re.compile(r"\b\d\d\b")
_PROFILES = re.compile(r"^\| profile \| where \| time \|", re.MULTILINE)
_CPU_TIME = re.compile(r"^\| `cpu` \|[^|]*\| *([^|]*?) *\|", re.MULTILINE)
_OTHER_DATA = re.compile(r'^DATASET = "(?!glyphs")', re.MULTILINE)
_EXERCISE = re.compile(r'^@exercise\("([\w.]+)"', re.MULTILINE)
_PROOF = re.compile(r'<!-- *proof: *([\w.]+) *-->|\bproof\("([\w.]+)"\)')
_RUNG = {
    "property": "What is checked",
    "place": "Where to look",
    "example": "An example to run",
    "question": "A question",
    "analogue": "The same with other numbers",
}


def cells_with_head(cells: Sequence[Cell], name: str, lessons: Mapping[str, str]) -> Iterator[Cell]:
    """Yield a lesson's cells; the first ones get links and costs.

    Args:
        cells: with their sources as one text each.
        name: of the lesson's file, ``"06_variational_autoencoder"``.
        lessons: the names of all lessons by number; what is needed leads to them.
    """
    waiting: list[Change] = [_links, _prepared_by(lessons), _costs]
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for change in [*waiting]:
                text = change(cell["source"], name, cells)
                if text != cell["source"]:
                    cell = cell | {"source": text}
                    waiting.remove(change)
        yield cell


def _links(text: str, name: str, cells: Sequence[Cell]) -> str:
    """Return the cell of the title with a row of links in the place of the one to Colab."""
    number, address = name[:2], repository(ROOT)
    proofs = len(proofs_named(_whole(cells)))
    row = [
        r"[Open in Colab](\1)",
        f'<a href="../_sources/notebooks/{name}.ipynb" download>Download</a>',
        f"[{_count(proofs, 'proof')}](#proofs-of-{number})" if proofs else "",
        f"[Tests of its exercises]({address}/tree/main/genimg_course/exercises/lesson_{number})",
        f"[Its numbers, seed by seed]({address}/blob/main/tests/calibration/{number}_cpu.json)",
        "[Glossary](../glossary.md)",
    ]
    links = "\n".join(f"- {link}" for link in row if link)
    return _COLAB.sub(f":::{{div}} lesson-links\n{links}\n:::\n\n", text)


def _prepared_by(lessons: Mapping[str, str]) -> Change:
    """Return a change that makes links of the lessons that "What you need" names."""

    def link(number: re.Match[str]) -> str:
        name = lessons.get(number[0])
        return f"[{number[0]}]({name}.ipynb)" if name else number[0]

    def change(text: str, name: str, cells: Sequence[Cell]) -> str:
        return _NEED.sub(lambda need: _NUMBER.sub(link, need[0]), text)

    return change


def _costs(text: str, name: str, cells: Sequence[Cell]) -> str:
    """Return the cell with the times of the profiles, and before them all that the lesson costs."""
    time = _CPU_TIME.search(text)
    if time is None:
        return text
    whole = _whole(cells)
    words = sum(len(c["source"].split()) for c in cells if c["cell_type"] == "markdown")
    exercises = _count(len(_EXERCISE.findall(whole)), "exercise")
    cost = f"**What it costs.** {exercises} to write, about {round(words, -2):,} words to read, "
    cost += f"and {time[1]} of computing (`cpu`). No GPU and no account."
    if not _OTHER_DATA.search(whole):
        cost += " Nothing is downloaded: the data are drawn on the spot."
    return _PROFILES.sub(lambda table: f"{cost}\n\n{table[0]}", text)


def hints_cell(exercise: str) -> Cell | None:
    """Return a cell with the folded hints of an exercise, without the solution.

    Args:
        exercise: the source of its cell.

    Returns:
        None if the package does not know the exercise.
    """
    from genimg_course.exercises.registry import specifications

    found = _EXERCISE.search(exercise)
    if found is None or found[1] not in specifications():
        return None
    source = _folded(specifications()[found[1]].hints)
    id = f"hints-{found[1]}".replace(".", "-").replace("_", "-")[:64]
    return {"cell_type": "markdown", "id": id, "metadata": {}, "source": source}


def _folded(hints: Hints) -> str:
    """Return the ladder as nested folds; one block of HTML, so that no sign is taken for markup."""
    rungs = [
        f"<details><summary>{place}. {_RUNG[name]}</summary>{_paragraph(text)}</details>"
        for place, (name, text) in enumerate(hints._asdict().items(), 1)
    ]
    count = _count(len(rungs), "hint")
    return "\n".join([f'<details class="hints"><summary>{count}</summary>', *rungs, "</details>"])


def _paragraph(text: str) -> str:
    """Return a hint as HTML: words, then from ``>>>`` on what to run and what it prints."""
    words, mark, code = text.partition(">>>")
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words.strip(), quote=False))
    lines = [line for line in f"{mark}{code}".splitlines() if line]
    block = html.escape("\n".join(lines), quote=False)
    return f"<p>{escaped}</p>" + (f"<pre><code>{block}</code></pre>" if block else "")


def proofs_named(text: str) -> list[str]:
    """Return the proofs that a lesson shows or points to, each once, in their order."""
    return list(dict.fromkeys(mark or call for mark, call in _PROOF.findall(text)))


def proofs_by_lesson(lessons: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """Return the part of the list of proofs that goes lesson by lesson.

    Args:
        lessons: the text of each lesson by the name of its file.
        titles: of the proofs, by their names.
    """
    part = ["## Lesson by lesson"]
    for name, text in lessons.items():
        links = [f"[{titles[id]}](#proof-{id})" for id in proofs_named(text) if id in titles]
        if links:
            part.append(f"(proofs-of-{name[:2]})=")
            part.append(f"Lesson [{name[:2]}](notebooks/{name}.ipynb)\n: " + " · ".join(links))
    return "\n\n".join(part) if len(part) > 1 else ""


def _whole(cells: Sequence[Cell]) -> str:
    return "\n".join(cell["source"] for cell in cells)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
