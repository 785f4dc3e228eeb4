"""The runner: what a run leaves behind, and the failures that the tools below it pass over."""

import json
import os

import nbformat
import pytest

from genimg_course.runner import LessonFailed, RunError, parameter_names, run, value

PIXEL = (
    "import base64\n"
    "from IPython.display import Image\n"
    "Image(base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEA"
    "sTN6NgAAAABJRU5ErkJggg=='))"
)
REPORT = """import json, os
with open(os.environ["GENIMG_REPORT"], "w") as file:
    json.dump({"steps": STEPS}, file)"""


def lesson(folder, *cells, name="01_toy"):
    """Write a lesson with a heading and a parameter; a cell is its code, or its code and a tag."""
    made = [nbformat.v4.new_markdown_cell("# Toy\n\n## It counts")]
    made.append(nbformat.v4.new_code_cell("STEPS = 1", metadata={"tags": ["parameters"]}))
    for cell in cells:
        code, tags = (cell, []) if isinstance(cell, str) else (cell[0], [cell[1]])
        made.append(nbformat.v4.new_code_cell(code, metadata={"tags": tags}))
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def test_a_run_leaves_notebook_page_pictures_and_numbers(tmp_path):
    folder = tmp_path / "with {braces} and spaces"
    folder.mkdir()
    out = folder / "out"
    done = run(lesson(folder, PIXEL, REPORT), out=out, parameters={"STEPS": 7})
    assert done.numbers == json.loads((out / "numbers.json").read_text()) == {"steps": 7}
    assert [path.name for path in done.pictures] == ["cell_003_1.png"]
    assert done.pictures[0].read_bytes().startswith(b"\x89PNG")
    assert "It counts" in done.page.read_text(encoding="utf-8")
    assert done.notebook == out / "01_toy.ipynb"
    assert done.seconds > 0


def test_an_earlier_run_leaves_nothing_in_a_later_one(tmp_path):
    run(lesson(tmp_path, PIXEL, REPORT), out=tmp_path / "out")
    done = run(lesson(tmp_path, "1"), out=tmp_path / "out")
    assert (done.numbers, done.pictures) == ({}, [])
    assert not list((tmp_path / "out" / "pictures").iterdir())


def test_kernel_is_told_to_wait_passively_in_a_scratch_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    before = dict(os.environ)
    code = (
        "import os\nassert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'\n"
        f"assert os.getcwd() != {os.getcwd()!r} and not os.listdir()"
    )
    run(lesson(tmp_path, code), out=tmp_path / "out")
    assert dict(os.environ) == before


def test_kernel_says_nothing_of_its_own(tmp_path, capfd):
    run(lesson(tmp_path, "1"), out=tmp_path / "out")
    with pytest.raises(LessonFailed):
        run(lesson(tmp_path, "1/0"), out=tmp_path / "out")
    said = "".join(capfd.readouterr()).splitlines(keepends=True)
    # libzmq aborts now and then while its process is being stopped, and says so itself
    assert [line for line in said if "signaler.cpp" not in line] == []


@pytest.mark.parametrize(
    "cell, reason",
    [
        ("1/0", r"stopped in cell 3 \(It counts\): ZeroDivisionError: division by zero;"),
        (("1/0", "raises-exception"), "ZeroDivisionError: division by zero;"),
        ("raise ValueError('first line\\nlast line')", "ValueError: last line;"),
        ("import sys\nsys.exit(0)", r"cell 3 \(It counts\) ended the kernel;"),
        ("import os\nos._exit(0)", "the kernel died"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_lesson_that_does_not_reach_its_end_fails_and_is_kept(tmp_path, cell, reason):
    with pytest.raises(LessonFailed, match=reason):
        run(lesson(tmp_path, cell, "2"), out=tmp_path / "out")
    kept = nbformat.read(tmp_path / "out" / "01_toy.ipynb", as_version=4)
    assert (kept.cells[-1].source, kept.cells[-1].execution_count) == ("2", None)


def test_a_tag_cannot_switch_a_cell_off(tmp_path):
    with pytest.raises(LessonFailed, match="ZeroDivisionError"):
        run(lesson(tmp_path, ("1/0", "skip-execution")), out=tmp_path / "out")


def test_a_cell_that_takes_too_long_fails(tmp_path):
    with pytest.raises(LessonFailed, match="a cell took more than 1 s"):
        run(lesson(tmp_path, "import time\ntime.sleep(60)"), out=tmp_path / "out", cell_timeout=1)


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(RunError, match=r"01_toy has no parameter EPOCHS; it has STEPS$"):
        run(lesson(tmp_path, "1"), out=tmp_path / "out", parameters={"EPOCHS": 3})
    assert not (tmp_path / "out").exists()


def test_a_lesson_is_not_overwritten_by_its_own_run(tmp_path):
    path = lesson(tmp_path, "1")
    before = path.read_bytes()
    with pytest.raises(RunError, match="choose another folder"):
        run(path, out=tmp_path)
    assert path.read_bytes() == before


def test_parameters_are_the_names_that_the_tagged_cell_assigns(tmp_path):
    path = lesson(
        tmp_path, ("A: int | None = None  # or 3\nB = 'x'\nB.upper()", "parameters"), "C = 1"
    )
    assert parameter_names(path) == ["STEPS", "A", "B"]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("3", 3),
        ("-1e-3", -1e-3),
        ("None", None),
        ("True", True),
        ("mnist", "mnist"),
        ("a b", "a b"),
    ],
)
def test_a_value_is_what_python_reads_else_text(text, expected):
    assert value(text) == expected
    assert type(value(text)) is type(expected)
