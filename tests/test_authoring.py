"""From source to notebooks: what is written, that it is always the same, and what is refused."""

import ast
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from genimg_course.authoring import (
    AuthoringError,
    build,
    check,
    repository,
    sources,
    student_source,
    write,
)

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "https://github.com/somebody/something"
LESSON = '''\
# %% [markdown]
# # Halving
#
# [Colab]({{ colab }}), [source]({{repository}}), $\\frac{{1}}{2}$

# %%
# %pip install --quiet {{ repository }}
# cat pictures are kept as a comment
x = 1

# %% tags=["parameters"]
PROFILE = None

# %% tags=["hide-input"]
x = 1


# %%
@exercise("toy.half")
def half(x):
    """Return half of ``x``."""
    if x > 0:
        ### BEGIN SOLUTION
        y = x / 2

        return y
        ### END SOLUTION
    ### BEGIN SOLUTION
    return -half(-x)
    ### END SOLUTION


# %%
half(4)
'''


@pytest.fixture
def course(tmp_path):
    """Return a folder with one lesson and the address of its repository."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "01_half.py").write_text(LESSON, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{ADDRESS}/"\n')
    return tmp_path


def cells(course, folder):
    """Return the cells of a lesson's notebook."""
    book = nbformat.read(course / folder / "01_half.ipynb", as_version=4)
    nbformat.validate(book)
    return book.cells


def test_the_notebooks_of_this_tree_are_what_their_sources_say():
    assert check(ROOT) == []


def test_both_versions_differ_in_the_answers_alone(course):
    write(course)
    solved, student = cells(course, "solutions"), cells(course, "notebooks")
    assert [cell.id for cell in solved] == [cell.id for cell in student]
    different = [i for i, (a, b) in enumerate(zip(solved, student, strict=True)) if a != b]
    assert different == [4]
    assert student[4].source == (
        '@exercise("toy.half")\n'
        "def half(x):\n"
        '    """Return half of ``x``."""\n'
        "    if x > 0:\n"
        "        raise NotImplementedError  # write your answer here\n"
        "    raise NotImplementedError  # write your answer here"
    )
    assert "y = x / 2" in solved[4].source


def test_notebooks_have_no_outputs_and_the_same_plain_kernel(course):
    write(course)
    for folder in ("solutions", "notebooks"):
        book = nbformat.read(course / folder / "01_half.ipynb", as_version=4)
        assert book.metadata == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert all(cell.outputs == [] and cell.execution_count is None for cell in code)


def test_placeholders_magics_and_tags_arrive(course):
    write(course)
    title, install, parameters, hidden, *_ = cells(course, "notebooks")
    assert (
        "[Colab](https://colab.research.google.com/github/somebody/something/blob/main/notebooks/"
        f"01_half.ipynb), [source]({ADDRESS})" in title.source
    )
    assert install.source.splitlines() == [
        f"%pip install --quiet {ADDRESS}",
        "# cat pictures are kept as a comment",
        "x = 1",
    ]
    assert parameters.metadata == {"tags": ["parameters"]}
    assert hidden.metadata == {"tags": ["hide-input"]}


def test_an_indented_magic_arrives(course):
    source = course / "solutions" / "01_half.py"
    source.write_text("# %%\nif colab:\n    # %pip install it\n    pass\n")
    write(course)
    assert cells(course, "notebooks")[0].source == "if colab:\n    %pip install it\n    pass"


def test_writing_twice_changes_nothing_and_another_process_writes_the_same(course):
    assert len(write(course)) == 2
    assert write(course) == []
    before = {path: path.read_bytes() for path in course.rglob("*.ipynb")}
    for path in before:
        path.unlink()
    subprocess.run(
        [sys.executable, "-m", "genimg_course.cli", "author"],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        check=True,
        capture_output=True,
    )
    assert {path: path.read_bytes() for path in before} == before
    assert all(text.endswith(b"}\n") and b"\r" not in text for text in before.values())


def test_a_cell_keeps_its_id_when_others_come_and_go(course):
    write(course)
    before = {cell.source: cell.id for cell in cells(course, "notebooks")}
    source = course / "solutions" / "01_half.py"
    source.write_text("# %% [markdown]\n# New\n\n" + LESSON.replace("y = x / 2", "y = 0.5 * x"))
    write(course)
    after = {cell.source: cell.id for cell in cells(course, "notebooks")}
    assert {text: after[text] for text in before} == before


def test_equal_cells_have_different_ids(course):
    (course / "solutions" / "01_half.py").write_text("# %%\n1\n\n# %%\n1\n\n# %%\n1\n")
    write(course)
    text = (course / "notebooks" / "01_half.ipynb").read_text()
    assert len({cell["id"] for cell in json.loads(text)["cells"]}) == 3
    assert write(course) == []


@pytest.mark.parametrize(
    "text, reason",
    [
        ("# %%\n{F}    ### BEGIN SOLUTION\n    return 1\n", r"4: this BEGIN SOLUTION has no END"),
        ("# %%\n{F}    return 1\n    ### END SOLUTION\n", r"5: this END SOLUTION has no BEGIN"),
        (
            (
                "# %%\n{F}    ### BEGIN SOLUTION\n    ### BEGIN SOLUTION\n    return 1\n"
                "    ### END SOLUTION\n    ### END SOLUTION\n"
            ),
            r"4: this BEGIN SOLUTION has no END",
        ),
        (
            "# %%\n{F}    ### BEGIN SOLUTION\n    return 1\n\n# %%\n    ### END SOLUTION\n",
            r"4: this BEGIN SOLUTION has no END",
        ),
        ("# %% [markdown]\n# ### BEGIN SOLUTION\n", r"2: a solution marker stands outside a code"),
        ('# %% [markdown]\n"""\n### END SOLUTION\n"""\n', r"3: a solution marker stands outside"),
        (
            "# %%\n{F}    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n",
            r"4: a solution marker is '### BEGIN SOLUTION'",
        ),
        (
            "# %%\n{F}    ### begin solution\n    return 1\n    ### END SOLUTION\n",
            r"4: a solution marker is '### BEGIN SOLUTION'",
        ),
        (
            "# %%\ndef f(x):\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n",
            r"3: an answer must be code inside one function that is decorated",
        ),
        (
            "# %%\n### BEGIN SOLUTION\n{F}    return 1\n### END SOLUTION\n",
            r"2: an answer must be code inside one function",
        ),
        (
            "# %%\n{F}    ### BEGIN SOLUTION\n    return 1\n\ny = 2\n    ### END SOLUTION\n",
            r"4: an answer must be code inside one function",
        ),
        (
            "# %%\n{F}    '''Say.'''\n    ### BEGIN SOLUTION\n    ### END SOLUTION\n",
            r"5: an answer must be code inside one function",
        ),
        ("# %%\n{F}    return 1\n", r"3: this exercise has no BEGIN SOLUTION"),
        (
            "# %%\n# {{ nothing }}\n",
            r"2: unknown placeholder {{ nothing }}; there are {{ repository",
        ),
        ("# %% [markdown]\n# {{colour}}\n", r"2: unknown placeholder {{ colour }}"),
        ("# %%\nx = = 1\n", r"2: invalid syntax"),
    ],
)
def test_a_source_that_would_leak_or_break_is_refused(course, text, reason):
    source = course / "solutions" / "01_half.py"
    source.write_text(text.replace("{F}", '@exercise("toy.f")\ndef f(x):\n'))
    with pytest.raises(AuthoringError, match=rf"^solutions/01_half\.py:{reason}"):
        write(course)
    assert not list(course.rglob("*.ipynb"))


def test_no_answer_survives_random_answers(course):
    rng = random.Random(0)
    for _ in range(50):
        secrets = [f"secret_{rng.random()}"[:14] for _ in range(rng.randint(1, 4))]
        parts = [f"    ### BEGIN SOLUTION\n    x = '{s}'\n    ### END SOLUTION\n" for s in secrets]
        text = student_source('@exercise("toy.f")\ndef f(x):\n' + "    y = 1\n".join(parts))
        assert "secret" not in text and "SOLUTION" not in text
        assert text.count("raise NotImplementedError") == len(secrets)
        ast.parse(text)


def test_a_stale_a_missing_and_an_orphan_notebook_are_each_named_with_what_mends_them(course):
    write(course)
    assert check(course) == []
    stale = course / "notebooks" / "01_half.ipynb"
    stale.write_text(stale.read_text().replace("Halving", "Doubling"))
    (course / "solutions" / "01_half.ipynb").unlink()
    (course / "notebooks" / "02_gone.ipynb").write_text("{}")
    assert check(course) == [
        "solutions/01_half.ipynb is missing: run 'genimg author'",
        "notebooks/01_half.ipynb is stale: run 'genimg author'",
        "notebooks/02_gone.ipynb has no source solutions/02_gone.py: delete it or move it away",
    ]


def test_a_notebook_somebody_worked_in_is_not_overwritten(course):
    write(course)
    path = course / "notebooks" / "01_half.ipynb"
    book = json.loads(path.read_text())
    book["cells"][-1]["execution_count"] = 1
    path.write_text(json.dumps(book))
    with pytest.raises(AuthoringError, match=r"01_half\.ipynb holds results.*--force"):
        write(course)
    assert json.loads(path.read_text()) == book
    assert write(course, force=True) == [path]


@pytest.mark.parametrize("name", ["1_half.py", "02-half.py", "02_Half.py", "helpers.py"])
def test_a_file_with_another_name_is_refused(course, name):
    (course / "solutions" / name).write_text("")
    with pytest.raises(AuthoringError, match=r"NN_slug\.py"):
        sources(course)


def test_two_lessons_with_one_number_are_refused(course):
    (course / "solutions" / "01_other.py").write_text("")
    with pytest.raises(AuthoringError, match="2 lessons have the number 01"):
        sources(course)


def test_the_address_comes_from_pyproject(course):
    assert repository(course) == ADDRESS
    assert repository(ROOT).startswith("https://github.com/")


def test_windows_line_ends_in_a_checkout_are_not_stale(course):
    write(course)
    path = course / "notebooks" / "01_half.ipynb"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(course) == []


def test_build_needs_no_course_around_it(course):
    solved, student = build(course / "solutions" / "01_half.py", repository=ADDRESS)
    assert "y = x / 2" in solved and "y = x / 2" not in student
