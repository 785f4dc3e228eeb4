"""A real JupyterLab for the tests: a server for a folder of lessons, and a lesson in a browser.

JupyterLab attaches only the cells in sight to the page; `EVERY_CELL` are the settings of a reader
who wants all of them there.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["EVERY_CELL", "PATIENCE", "Explorer", "Lesson", "explorer_cells", "laboratory", "trim"]

PATIENCE = 240  # seconds; two busy cores need a minute
REDRAW = 60  # seconds; two idle cores need a tenth of one
EVERY_CELL = {"notebook-extension/tracker": {"windowingMode": "none"}}

_HERE = r"(http|ws)://(127\.0\.0\.1|localhost)[:/]|data:|blob:|about:"
_IDLE = "#jp-main-statusbar >> text=/[|] Idle/"
_STARTED = '.jp-InputPrompt:text-matches("[*]|[0-9]")'
# a cell that fails prints this, and the cells after it wait for ever
_TRACEBACK = "Traceback (most recent call last)"
_OUTPUT = ".jp-OutputArea-output"
_FINISHED = """([output, traceback]) =>
    [...document.querySelectorAll(output)].some((one) => one.textContent.includes(traceback)) ||
    [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
        .every((prompt) => /\\[\\d+\\]/.test(prompt.textContent))"""

_PICTURE = "img.widget-image"
_CONTROL = ".widget-inline-hbox:not(.widget-html)"
# ipywidgets 8 says what a handle is, ipywidgets 7 only names it
_HANDLE = "[role=slider], .ui-slider-handle, select, input[type=checkbox]"
_SETTINGS = """(box) => [...box.querySelectorAll('.widget-readout, select, input[type=checkbox]')]
    .map((shown) => shown.checked ?? shown.value ?? shown.textContent).join()"""
_DIGEST = """async (image) => [...new Uint8Array(
    await crypto.subtle.digest('SHA-256', await (await fetch(image.src)).arrayBuffer()))].join()"""
# a picture's address is new whenever its bytes are; an alert is the explorer's error message
_REDRAWN = """([box, source, text]) => box.querySelector('[role=alert]') ||
    (box.querySelector('img.widget-image').src !== source &&
     box.querySelector('[role=status]').textContent !== text)"""


# --- notebooks


def explorer_cells(notebook: Path) -> list[int]:
    """Return which cells of a notebook make an explorer."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [
        index
        for index, cell in enumerate(cells)
        if cell["cell_type"] == "code" and re.search(r"\bexplore\(", "".join(cell["source"]))
    ]


def trim(notebook: Path, folder: Path, *, kernel: str = "python3") -> None:
    """Copy a notebook up to its last explorer; what follows costs minutes and cannot change it."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"] = content["cells"][: explorer_cells(notebook)[-1] + 1]
    content["metadata"]["kernelspec"]["name"] = kernel
    (folder / notebook.name).write_text(json.dumps(content), encoding="utf-8")


# --- the server


@contextlib.contextmanager
def laboratory(
    course: Path,
    *,
    settings: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Start what ``make lab ARGS=--no-browser`` starts, and give the address of its first lesson.

    Args:
        course: a scratch folder that holds ``notebooks``.
        settings: what a reader may set in JupyterLab, by extension.
        environment: what the server knows of this machine, by default what this process knows.
    """
    for plugin, chosen in (settings or {}).items():
        path = course / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen), encoding="utf-8")
    own = {
        "GENIMG_PROFILE": "smoke",
        "OMP_NUM_THREADS": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(course / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(course / "workspaces"),
    }
    known = {**(os.environ if environment is None else environment), **own}
    known.pop("GENIMG_STRICT", None)
    server = subprocess.Popen(
        [sys.executable, "-m", "genimg_course.cli", "lab", "--no-browser"],
        cwd=course,
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    # read on to the end: a full pipe would stop the server
    reader = threading.Thread(target=lambda: lines.extend(server.stdout), daemon=True)
    reader.start()
    try:
        yield _printed_address(server, lines)
    finally:
        server.terminate()
        server.wait(30)


def _printed_address(server: subprocess.Popen[str], lines: list[str]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+token=\w+", "".join(lines)):
            return found.group()
        time.sleep(0.2)
    raise AssertionError("JupyterLab printed no address:\n" + "".join(lines))


# --- a lesson and its explorers on a page


class Lesson:
    """A lesson that is open in a browser.

    Args:
        browser: Playwright's browser.
        address: of a lesson, as the launcher prints it.
        name: another notebook of the same folder.

    Attributes:
        name: of the notebook, without the ending.
        page: Playwright's page.
        complaints: errors of the console and of scripts, and addresses of other hosts.
    """

    def __init__(self, browser: Any, address: str, name: str | None = None) -> None:
        self.complaints: list[str] = []
        self.name = name or Path(address.partition("?")[0]).stem
        self._address = re.sub(r"[^/]+\.ipynb", f"{self.name}.ipynb", address)
        self.page = page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(PATIENCE * 1000)
        page.on("request", lambda request: self._note_foreign(request.url))
        page.on("websocket", lambda socket: self._note_foreign(socket.url))
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("console", lambda said: said.type == "error" and self._note(said.text))
        page.goto(f"{self._address}&reset")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")

    def _note(self, text: str) -> None:
        self.complaints.append(text)

    def _note_foreign(self, url: str) -> None:
        if not re.match(_HERE, url):
            self._note(url)

    def start(self) -> None:
        """Choose "Run All Cells"; what is asked before the kernel is ready would be lost."""
        self.page.wait_for_selector(_IDLE)
        self.page.click("text=Run >> nth=0")
        self.page.click('.lm-Menu-item[data-command="runmenu:run-all"]')
        self.page.wait_for_selector(_STARTED)

    def finish(self) -> None:
        """Wait until all cells have run; every cell must be on the page.

        Raises:
            AssertionError: if one fails.
        """
        asked = {"arg": [_OUTPUT, _TRACEBACK], "polling": 300}  # rarely: the kernel needs the cores
        self.page.wait_for_function(_FINISHED, **asked)
        failed = self.page.locator(_OUTPUT, has_text=_TRACEBACK)
        assert failed.count() == 0, failed.first.inner_text()
        self.page.wait_for_selector(_IDLE)

    def explorers(self) -> dict[int, "Explorer"]:
        """Return the explorers on the page by the number of their cell."""
        cells = self.page.locator(".jp-Notebook .jp-Cell")
        outputs = {
            index: cells.nth(index).locator(f"{_OUTPUT}:has({_PICTURE})")
            for index in range(cells.count())
        }
        return {index: Explorer(self.page, box) for index, box in outputs.items() if box.count()}

    def close(self) -> None:
        """Leave the page and end the lesson's kernel."""
        base, token = self._address.split("/lab/tree/")[0], self._address.split("token=")[1]
        requests, headers = self.page.context.request, {"Authorization": f"token {token}"}
        for kernel in requests.get(f"{base}/api/kernels", headers=headers).json():
            requests.delete(f"{base}/api/kernels/{kernel['id']}", headers=headers)
        self.page.context.close()


class Explorer:
    """An explorer on the page.

    Args:
        page: Playwright's page.
        box: the output that holds it.
    """

    def __init__(self, page: Any, box: Any) -> None:
        self._page, self._box = page, box

    @property
    def controls(self) -> list[Any]:
        """Return what stands above the picture: sliders, menus, boxes to tick."""
        found: list[Any] = self._box.locator(_CONTROL).all()
        return found

    def settings(self) -> str:
        """Return what the controls say that they are set to."""
        return str(self._box.evaluate(_SETTINGS))

    def picture(self) -> str:
        """Return a digest of the picture's bytes."""
        return str(self._box.locator(_PICTURE).evaluate(_DIGEST))

    def description(self) -> str:
        """Return what is read aloud."""
        return str(self._box.locator("[role=status]").text_content())

    def step(self, control: Any) -> None:
        """Move a control, all but a menu with the keyboard, and wait for the next picture.

        Raises:
            AssertionError: if no key moves it, the picture or its description stays what it was,
                or the explorer says that there is none.
        """
        from playwright.sync_api import TimeoutError as TooLate

        picture, description = self.picture(), self.description()
        source = self._box.locator(_PICTURE).get_attribute("src")
        self._move(control)
        before = [self._box.element_handle(), source, description]
        with contextlib.suppress(TooLate):
            self._page.wait_for_function(_REDRAWN, arg=before, timeout=REDRAW * 1000)
        message = self._box.locator("[role=alert]:visible")
        assert message.count() == 0, message.inner_text()
        assert self.picture() != picture, f"the picture is the same at {self.settings()}"
        assert self.description() != description, f"the description still is {description}"

    def _move(self, control: Any) -> None:
        handle, settings = control.locator(_HANDLE), self.settings()
        assert handle.count() == 1, f"no known control: {control.inner_text()}"
        if handle.evaluate("handle => handle.tagName") == "SELECT":
            # JupyterLab takes the arrows from a menu that has not been opened by Space
            handle.select_option(index=handle.evaluate("menu => menu.selectedIndex ? 0 : 1"))
            return
        handle.focus()
        for key in ("ArrowRight", "ArrowLeft", "Space"):  # at its end a slider only moves back
            handle.press(key)
            if self.settings() != settings:
                return
        raise AssertionError(f"no key moves a control; they stay at {settings}")
