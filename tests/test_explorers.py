"""Every explorer of every lesson, moved in a real JupyterLab.

A learner's notebook runs at the smoke profile up to its last explorer, and each control is moved
with the keyboard. Explorers are found in the notebooks: a new one is tested with the next run.
A made-up lesson has a control of each kind.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from laboratory import EVERY_CELL, Lesson, explorer_cells, laboratory, trim
from lessons import NAMES, ROOT

pytestmark = pytest.mark.timeout(900)

CELLS = {name: explorer_cells(ROOT / "notebooks" / f"{name}.ipynb") for name in NAMES}
WITH_EXPLORERS = [name for name, cells in CELLS.items() if cells]
MADE_UP = "00_every_kind_of_control"
EVERY_KIND = """
from genimg_course import viz

def draw(count, shift, pen, mirrored):
    heights = [shift + pen, shift - pen * (-1) ** mirrored]
    return viz.lines(range(2), {str(count): heights}, xlabel="x", ylabel="y")

viz.explore(draw, count=(0, 9), shift=(0.0, 1.0), pen={"thin": 1, "broad": 2}, mirrored=False)
"""


def trimmed_lessons(course: Path, *, kernel: str = "python3") -> Path:
    """Copy the lessons that have explorers into a folder, each up to its last explorer."""
    (course / "notebooks").mkdir()
    for name in WITH_EXPLORERS:
        trim(ROOT / "notebooks" / f"{name}.ipynb", course / "notebooks", kernel=kernel)
    cell = {"cell_type": "code", "source": EVERY_KIND, "metadata": {}, "outputs": []}
    made_up = {
        "cells": [{**cell, "id": "0", "execution_count": None}],
        "metadata": {"kernelspec": {"name": kernel, "display_name": "", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (course / "notebooks" / f"{MADE_UP}.ipynb").write_text(json.dumps(made_up), encoding="utf-8")
    return course


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve copies of the lessons that have explorers."""
    course = trimmed_lessons(tmp_path_factory.mktemp("course"))
    with laboratory(course, settings=EVERY_CELL) as printed:
        yield printed


@pytest.fixture(scope="module", params=[MADE_UP, *WITH_EXPLORERS])
def lesson(request: pytest.FixtureRequest, browser: Any, address: str) -> Iterator[Lesson]:
    """Run a lesson up to its last explorer."""
    opened = Lesson(browser, address, request.param)
    try:
        opened.start()
        opened.finish()
        yield opened
    finally:
        opened.close()


def test_every_explorer_stands_on_the_page(lesson):
    assert list(lesson.explorers()) == CELLS.get(lesson.name, [0])


def test_every_control_changes_the_picture_and_its_description(lesson):
    explorers = lesson.explorers()
    assert explorers
    for explorer in explorers.values():
        assert explorer.controls
        for control in explorer.controls:
            explorer.step(control)


def test_moving_the_controls_brings_no_error_and_asks_no_other_host(lesson):
    assert lesson.complaints == []
