"""A learner's first evening, in a real browser: a lesson opens, runs, and a slider turns."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LESSON = "06_variational_autoencoder.ipynb"
PATIENCE = 240  # seconds; two busy cores need a minute

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """Return a folder with the student's notebooks, to run and save in."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "notebooks").mkdir()
    shutil.copyfile(ROOT / "notebooks" / LESSON, folder / "notebooks" / LESSON)
    return folder


@pytest.fixture(scope="module")
def address(course) -> Iterator[str]:
    """Start what `make lab ARGS=--no-browser` starts, and return the address that it prints."""
    environment = {**os.environ, "GENIMG_PROFILE": "smoke", "OMP_NUM_THREADS": "1"}
    environment.pop("GENIMG_STRICT", None)
    command = [sys.executable, "-m", "genimg_course.cli", "lab", "--no-browser"]
    server = subprocess.Popen(
        command,
        cwd=course,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    reader = threading.Thread(
        target=lambda: lines.extend(iter(server.stdout.readline, "")), daemon=True
    )
    reader.start()
    try:
        yield _printed_address(server, lines)
    finally:
        server.terminate()
        server.wait(30)


def _printed_address(server: subprocess.Popen, lines: list[str]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        for line in list(lines):
            found = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+token=\w+", line)
            if found:
                return found.group()
        time.sleep(0.2)
    raise AssertionError("JupyterLab printed no address:\n" + "".join(lines))


@pytest.fixture(scope="module")
def page(browser, address) -> Iterator:
    """Return a page on which the whole lesson was run."""
    page = browser.new_page(viewport={"width": 1280, "height": 1400})
    page.set_default_timeout(PATIENCE * 1000)
    page.asked_elsewhere = []  # requests to other hosts
    page.on("request", lambda request: _note_foreign(page, request.url))
    page.goto(address + "&reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    _run_all(page)
    yield page
    page.close()


def _note_foreign(page, url: str) -> None:
    if not re.match(r"(http|ws)://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:", url):
        page.asked_elsewhere.append(url)


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


def _run_all(page) -> None:
    """Ask for all cells until they wait for the kernel: asked for too early, a run is lost."""
    for _ in range(20):
        page.wait_for_timeout(3000)
        page.click("text=Run >> nth=0")
        page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
        page.wait_for_timeout(1000)
        if page.locator('.jp-InputPrompt:text-matches("[*]|[0-9]")').count():
            return
    raise AssertionError("the cells do not run")


def test_the_lesson_runs_to_its_last_cell_without_an_error(page, course):
    page.wait_for_selector("text=/(reached|MISSED) +negative elbo/")
    page.keyboard.press("Control+s")
    page.wait_for_timeout(3000)
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


def test_the_laboratory_asks_no_other_host(page):
    assert page.asked_elsewhere == []
