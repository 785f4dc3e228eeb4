import subprocess
import sys

import pytest
from grading_material.toy import ROOT, TOY, cell, notebook, real_lessons

from genimg_course.grading.intake import Item, manifest


def test_items_have_ids_functions_and_cells_of_the_notebook():
    lesson = TOY["06"]
    assert (lesson.number, lesson.slug, lesson.name) == ("06", "toy_lesson", "06_toy_lesson")
    assert lesson.exercises == (
        Item("toy.half", "half", "c1", 1.0),
        Item("toy.area", "area", "c2", 1.0),
    )


def test_every_exercise_mark_of_the_course_is_an_item_with_a_cell():
    lessons = real_lessons()
    assert set(lessons) == {path.name[:2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    for number, lesson in lessons.items():
        text = (ROOT / "solutions" / f"{lesson.name}.py").read_text(encoding="utf-8")
        assert [text.count(f'@exercise("{item.id}")') for item in lesson.exercises] == (
            [1] * text.count("\n@exercise(")
        ), number
        assert all(item.cell for item in lesson.exercises)


def test_ids_and_cells_are_used_once_in_the_course():
    items = [item for lesson in real_lessons().values() for item in lesson.exercises]
    assert len({item.id for item in items}) == len({item.cell for item in items}) == len(items)


def test_a_folder_without_lessons_is_refused(tmp_path):
    (tmp_path / "notes.ipynb").write_bytes(notebook("x"))
    with pytest.raises(ValueError, match="holds no notebook of the course"):
        manifest(tmp_path)


def test_two_lessons_of_one_number_are_refused(tmp_path):
    for name in ("06_a", "06_b"):
        (tmp_path / f"{name}.ipynb").write_bytes(notebook(cell("x")))
    with pytest.raises(ValueError, match="two lessons have the number 06"):
        manifest(tmp_path)


def test_the_intake_starts_without_torch():
    code = (
        "import sys, genimg_course.grading.extraction.answers\n"
        "print([n for n in ('torch', 'numpy', 'IPython', 'nbformat') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
