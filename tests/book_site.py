"""Small books for a browser: built from a few pages, served on this machine, and watched."""

import contextlib
import functools
import http.server
import json
import re
import shutil
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lessons import ROOT

__all__ = [
    "SmallBook",
    "Visits",
    "build_small_book",
    "first_picture",
    "frame_time",
    "live_pages",
    "serve",
    "visits",
]

_RENDER = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from build import render
raise SystemExit(render(Path(sys.argv[2]), {"suppress_warnings": json.loads(sys.argv[3])}))
"""


@dataclass
class SmallBook:
    """A built book, and what the build said."""

    html: Path
    said: str

    def need(self, package: str) -> None:
        """Skip the test where a package of npm was not to be had."""
        if f"{package} could not be fetched" in self.said:
            pytest.skip(f"{package} is neither in the cache nor to be had from npm")


def build_small_book(
    out: Path, pages: Mapping[str, str], *, suppress: Collection[str] = ()
) -> SmallBook:
    """Build a book of a few pages, with the real theme, settings and assets.

    Args:
        out: folder to build in.
        pages: text of each page by its path in the book, ``index.md`` first, the others in the
            order of the table of contents.
        suppress: kinds of Sphinx's warnings that are no failure here.
    """
    source = out / "source"
    # folders come along without their pages
    shutil.copytree(ROOT / "book", source, ignore=shutil.ignore_patterns("_build", "*.md", "*.py"))
    for path, text in pages.items():
        (source / path).parent.mkdir(exist_ok=True)
        (source / path).write_text(text, encoding="utf-8")
    root, *chapters = (path.rpartition(".")[0] for path in pages)
    listed = "".join(f"  - file: {chapter}\n" for chapter in chapters)
    (source / "_toc.yml").write_text(f"format: jb-book\nroot: {root}\nchapters:\n{listed}")
    built = subprocess.run(
        [sys.executable, "-c", _RENDER, str(ROOT / "book"), str(out), json.dumps([*suppress])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return SmallBook(out / "html", built.stdout)


def live_pages() -> dict[str, str]:
    """Return the start page and the live pages as a small book has them.

    The live pages link to no other page, for those are not there.
    """
    pages = {"index.md": (ROOT / "book" / "index.md").read_text(encoding="utf-8")}
    for path in sorted((ROOT / "book" / "live").glob("*.md")):
        text = re.sub(r"\[([^\]]*)\]\(\.\./[^)]*\)", r"\1", path.read_text(encoding="utf-8"))
        pages[f"live/{path.name}"] = text
    return pages


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; the address is what is given."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Visits:
    """Open pages of a site, and note what goes wrong on them.

    Args:
        browser: of playwright.
        host: address of the site; a request to any other counts as wrong.
        loud: kinds of messages in the console that count as wrong.
    """

    def __init__(self, browser: Any, host: str, *, loud: Collection[str] = ("error",)) -> None:
        self.wrong: list[str] = []
        self._browser, self._host, self._loud = browser, host, loud
        self._contexts: list[Any] = []

    def __call__(self, path: str, width: int = 1280, **options: Any) -> Any:
        """Open a page; ``options`` are those of a context of playwright."""
        size = {"width": width, "height": 900}
        context = self._browser.new_context(viewport=size, **options)
        self._contexts.append(context)
        page = context.new_page()
        page.on("request", self._see)
        page.on("pageerror", lambda error: self.wrong.append(f"fails: {error}"))
        page.on("console", self._hear)
        page.goto(f"{self._host}/{path}", wait_until="load")
        return page

    def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()

    def _see(self, request: Any) -> None:
        if not request.url.startswith((self._host, "data:", "blob:")):
            self.wrong.append(f"asks for {request.url}")

    def _hear(self, message: Any) -> None:
        if message.type in self._loud:
            self.wrong.append(message.text)


@contextlib.contextmanager
def visits(browser: Any, host: str, *, loud: Collection[str] = ("error",)) -> Iterator[Visits]:
    """Give a way to open pages; at the end they close, and nothing may have gone wrong."""
    opened = Visits(browser, host, loud=loud)
    yield opened
    opened.close()
    assert opened.wrong == []


def first_picture(open_page: Callable[[], Any], *, within: float) -> tuple[Any, float]:
    """Return a page, and after how many milliseconds its first picture stood.

    Others may use this machine, so a slow page is opened twice more, and the last visit counts.
    """
    for _ in range(3):
        page = open_page()
        ready = page.evaluate("performance.getEntriesByName('live:ready')[0].startTime")
        print(f"{page.url}: first picture after {ready:.0f} ms")
        if ready < within:
            break
    return page, ready


def frame_time(page: Any) -> float:
    """Return the median time of a page's frames so far, in milliseconds."""
    times = page.evaluate("performance.getEntriesByName('live:frame').map((x) => x.duration)")
    median = statistics.median(times)
    print(f"{page.url}: {len(times)} frames, median {median:.1f} ms, slowest {max(times):.1f} ms")
    return median
