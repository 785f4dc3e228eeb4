"""Every lesson, in every state a reader can meet it: solved, untouched, half done, wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from laboratory import explorer_cells
from lessons import CELL_TIMEOUT, NAMES, ROOT, executed

from genimg_course.launch import kernel_environment
from genimg_course.runner import LessonFailed, RunError, run

pytestmark = [
    pytest.mark.skipif(not NAMES, reason="there are no lessons in solutions/"),
    pytest.mark.timeout(900),
]
each_lesson = pytest.mark.parametrize("name", NAMES)
smoke = {"PROFILE": "smoke"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def load(source: str, name: str) -> dict[str, Any]:
    """Read a lesson's notebook from ``solutions`` or ``notebooks``."""
    text = (ROOT / source / f"{name}.ipynb").read_text(encoding="utf-8")
    book: dict[str, Any] = json.loads(text)
    return book


def is_exercise(cell: dict[str, Any]) -> bool:
    """Tell whether a cell of a solved notebook holds an answer."""
    return cell["cell_type"] == "code" and "### BEGIN SOLUTION" in "".join(cell["source"])


def written(book: dict[str, Any], folder: Path) -> Path:
    """Write a notebook and return its path."""
    path = folder / "01_made_up.ipynb"
    path.write_text(json.dumps(book), encoding="utf-8")
    return path


@each_lesson
def test_solved_lesson_runs_strictly_and_reaches_its_numbers(name):
    done = executed(name)
    assert done.numbers, "the last cell reports no numbers"
    assert done.pictures, "the lesson ends without a picture"
    assert done.page.stat().st_size > 10_000


@each_lesson
def test_untouched_lesson_runs_on_the_references(name):
    assert executed(name, "notebooks").numbers.keys() == executed(name).numbers.keys()


@each_lesson
def test_half_solved_lesson_runs(name, tmp_path):
    solved, book = load("solutions", name), load("notebooks", name)
    exercises = [i for i, cell in enumerate(solved["cells"]) if is_exercise(cell)]
    assert exercises
    for index in exercises[::2]:
        book["cells"][index]["source"] = solved["cells"][index]["source"]
    run(written(book, tmp_path), out=tmp_path / "out", parameters=smoke, cell_timeout=CELL_TIMEOUT)


@each_lesson
def test_wrong_answer_in_a_solution_fails_the_strict_run(name, tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_STRICT", "1")
    book = load("solutions", name)
    index = next(i for i, cell in enumerate(book["cells"]) if is_exercise(cell))
    source = "".join(book["cells"][index]["source"])
    begin = source.index("### BEGIN SOLUTION")
    book["cells"][index]["source"] = source[:begin] + "return 0.0\n"
    with pytest.raises(LessonFailed, match=rf"cell {index + 1} .*ExerciseError"):
        run(
            written(book, tmp_path),
            out=tmp_path / "out",
            parameters=smoke,
            cell_timeout=CELL_TIMEOUT,
        )


@each_lesson
def test_unknown_parameter_is_refused(name, tmp_path):
    with pytest.raises(RunError, match=r"no parameter EPOCHS; it has PROFILE, (DATASET, )?SEED"):
        run(ROOT / "notebooks" / f"{name}.ipynb", out=tmp_path, parameters={"EPOCHS": 3})


@each_lesson
def test_no_lesson_prints_a_warning(name):
    book = json.loads(executed(name).notebook.read_text(encoding="utf-8"))
    complaints = [
        "".join(output["text"])
        for cell in book["cells"]
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr" and "Warning" in "".join(output["text"])
    ]
    assert complaints == []


@each_lesson
def test_explorers_are_described_pictures_where_there_is_no_front_end(name):
    book = executed(name).notebook
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    shown = {
        index: output
        for index, cell in enumerate(cells)
        for output in cell.get("outputs", [])
        if WIDGET in output.get("data", {}) and "image/png" in output["data"]
    }
    assert list(shown) == explorer_cells(book)
    for output in shown.values():
        alt = output["metadata"]["image/png"]["alt"]
        assert "".join(output["data"]["text/plain"]) == alt
        assert re.search(r"\w.*\. Set to \w+ = .+\.$", alt)


@pytest.mark.skipif(not NAMES, reason="there are no lessons in solutions/")
def test_nbval_accepts_both_versions_of_every_lesson(tmp_path):
    books = tmp_path / "books"
    books.mkdir()
    for name in NAMES:
        for source in ("solutions", "notebooks"):
            text = (ROOT / source / f"{name}.ipynb").read_text(encoding="utf-8")
            (books / f"{name}_{source}.ipynb").write_text(text, encoding="utf-8")
    environment = {**kernel_environment(tmp_path), "GENIMG_PROFILE": "smoke"}
    environment.pop("GENIMG_STRICT", None)
    plain = ["-q", "-p", "no:cacheprovider", "-c", os.devnull]
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plain, *options, str(books)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
