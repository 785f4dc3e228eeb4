"""Notebooks as students hand them in, for the tests of the intake."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from genimg_course.grading.intake import Lesson, Submission, manifest
from genimg_course.grading.intake.notebook import read_notebook

__all__ = ["ROOT", "TOY", "cell", "handed_in", "notebook", "real_lessons", "solved"]

ROOT = Path(__file__).resolve().parents[2]


def cell(source: str, id: str = "", kind: str = "code", **more: Any) -> dict[str, Any]:
    """Return a cell as JSON has it."""
    outputs = {"outputs": [], "execution_count": None} if kind == "code" else {}
    named = {"id": id} if id else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **named, **outputs, **more}


def notebook(*cells: dict[str, Any] | str, **more: Any) -> bytes:
    """Return a notebook; a text is a code cell."""
    listed = [cell(item) if isinstance(item, str) else item for item in cells]
    content = {"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}
    return json.dumps(content).encode()


_COURSE = (
    cell(
        "import math\nfrom torch import Tensor\nfrom genimg_course.exercises import exercise", "c0"
    ),
    cell(
        'LOW, HIGH = range(2)\n\n@exercise("toy.half")\ndef half(x: Tensor) -> Tensor:\n'
        '    """Half."""\n    raise NotImplementedError  # write your answer here',
        "c1",
    ),
    cell(
        '@exercise("toy.area")\ndef area(r):\n    raise NotImplementedError',
        "c2",
    ),
    cell("print(half(2))", "c3"),
)


@cache
def toy(folder: Path) -> dict[str, Lesson]:
    """Return a course of two lessons, written to a folder."""
    (folder / "06_toy_lesson.ipynb").write_bytes(notebook(*_COURSE))
    other = [
        {**item, "id": f"d{n}", "source": item["source"].replace("toy.", "next.")}
        for n, item in enumerate(_COURSE)
    ]
    for item in other:
        item["source"] = item["source"].replace("half", "third").replace("area", "volume")
    (folder / "07_next_lesson.ipynb").write_bytes(notebook(*other))
    return manifest(folder)


def _toy() -> dict[str, Lesson]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return toy(Path(folder))


TOY = _toy()


def handed_in(*cells: dict[str, Any] | str) -> Submission:
    """Return a submission of the toy lesson with these cells."""
    return Submission("sam", "06", "Sam", read_notebook(notebook(*cells)), "0" * 64)


def solved(number: str = "06") -> bytes:
    """Return the notebook of a toy lesson with right answers."""
    half, area = ("half", "area") if number == "06" else ("third", "volume")
    lesson = "toy" if number == "06" else "next"
    letter = "c" if number == "06" else "d"
    return notebook(
        cell(f'@exercise("{lesson}.{half}")\ndef {half}(x):\n    return x / 2', f"{letter}1"),
        cell(
            f'@exercise("{lesson}.{area}")\ndef {area}(r):\n    return math.pi * r**2',
            f"{letter}2",
        ),
    )


@cache
def real_lessons() -> dict[str, Lesson]:
    """Return the course's own lessons."""
    return manifest(ROOT / "notebooks")
