"""A learner's first evening, in a real browser: a lesson opens, runs, and a slider turns."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from laboratory import PATIENCE, Lesson, laboratory
from lessons import ROOT

LESSON = "06_variational_autoencoder.ipynb"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """Return a folder with the student's notebooks, to run and save in."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "notebooks").mkdir()
    shutil.copyfile(ROOT / "notebooks" / LESSON, folder / "notebooks" / LESSON)
    return folder


@pytest.fixture(scope="module")
def lesson(browser, course) -> Iterator[Lesson]:
    """Open the lesson as `make lab` does and ask for all cells."""
    with laboratory(course) as address:
        opened = Lesson(browser, address)
        opened.start()
        yield opened
        opened.close()


@pytest.fixture
def page(lesson):
    return lesson.page


def _scroll_to(page, selector: str):
    """Scroll until an element is attached: JupyterLab draws only the cells in sight."""
    deadline = time.monotonic() + PATIENCE
    page.mouse.move(640, 700)
    while time.monotonic() < deadline:
        if page.locator(selector).count():
            found = page.locator(selector).first
            found.scroll_into_view_if_needed()
            return found
        page.mouse.wheel(0, 900)
        page.wait_for_timeout(400)
    raise AssertionError(f"{selector} never appeared")


def _is_saved(answer) -> bool:
    return answer.request.method == "PUT" and "/api/contents/" in answer.url


def test_the_lesson_runs_to_its_last_cell_without_an_error(page, course):
    page.wait_for_selector("text=/(reached|MISSED) +negative elbo/")
    with page.expect_response(_is_saved):
        page.keyboard.press("Control+s")
    content = json.loads((course / "notebooks" / LESSON).read_text(encoding="utf-8"))
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    errors = [out for cell in cells for out in cell["outputs"] if out["output_type"] == "error"]
    assert not errors, errors[0]["evalue"]
    assert not ["".join(cell["source"]) for cell in cells if not cell["execution_count"]]


def test_a_slider_changes_the_picture(page):
    slider = _scroll_to(page, ".widget-slider [role=slider]")
    picture = page.locator("img.widget-image").first
    before = picture.get_attribute("src")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "before => document.querySelector('img.widget-image').src !== before", arg=before
    )
    assert picture.evaluate("image => image.naturalWidth") > 100


def test_the_laboratory_asks_no_other_host_and_prints_no_error(lesson):
    assert lesson.complaints == []
