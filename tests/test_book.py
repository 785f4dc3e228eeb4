"""The book: built once from lessons run at the smoke profile, then read by program and browser."""

import base64
import functools
import importlib
import inspect
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from book_checks import faults
from book_site import Visits, serve
from lessons import NAMES, ROOT, executed
from PIL import Image

from genimg_course.authoring import repository

pytest.importorskip("jupyter_book", reason="jupyter-book is not installed")
sys.path.insert(0, str(ROOT / "book"))

import book_mathjax
import build
from book_pages import PageError, assemble, lesson_page

pytestmark = [
    pytest.mark.skipif(not NAMES, reason="there are no lessons in solutions/"),
    pytest.mark.timeout(900),
]
each_lesson = pytest.mark.parametrize("name", NAMES)

MADE_UP = "99_made_up"
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}


class Page(HTMLParser):
    """The elements of a page with their attributes, the ids, and the text outside of scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self._silent = False
        self.feed(path.read_text(encoding="utf-8"))
        self.title = re.sub(r"\s+", " ", self.text.partition("\u2014")[0]).strip()
        self.ids = {attributes["id"] for _, attributes in self.elements if "id" in attributes}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._silent = tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data

    def every(self, wanted: str) -> list[dict[str, str]]:
        """Return the attributes of all elements with a tag."""
        return [attributes for tag, attributes in self.elements if tag == wanted]


@dataclass
class Site:
    """The built site, what the build said, and its pages by their path from the root."""

    html: Path
    status: int
    said: str

    @functools.cached_property
    def pages(self) -> dict[str, Page]:
        return {
            path.relative_to(self.html).as_posix(): Page(path)
            for path in sorted(self.html.rglob("*.html"))
            if "_static" not in path.parts
        }

    def lesson(self, name: str) -> Page:
        return self.pages[f"notebooks/{name}.html"]

    def need_mathjax(self) -> None:
        if "could not be fetched" in self.said:
            pytest.skip("MathJax is neither in the cache nor to be had from npm")


def picture(shade: int) -> str:
    file = io.BytesIO()
    Image.new("L", (4, 4), shade).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def display(data: dict[str, Any], alt: str = "") -> dict[str, Any]:
    metadata = {"image/png": {"alt": alt}} if alt else {}
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": 1,
        "id": f"cell-{abs(hash(source))}",
        "metadata": {},
        "outputs": list(outputs),
        "source": source,
    }


def notebook(*cells: dict[str, Any] | str) -> dict[str, Any]:
    whole = [
        {"cell_type": "markdown", "id": f"text-{i}", "metadata": {}, "source": cell}
        if isinstance(cell, str)
        else cell
        for i, cell in enumerate(cells)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": whole,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


EXERCISE = """@exercise("toy.half")
def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION
"""
WIDGET = {"application/vnd.jupyter.widget-view+json": {"model_id": "0", "version_major": 2}}
LESSON = notebook(
    "# 99 · A made-up lesson\n\n[![Colab](https://example.org/badge.svg)](https://example.org)",
    "The **prior** is a word of the glossary, **salt** is not.",
    "$$a = a$$\n<!-- proof: vae.gaussian_kl -->",
    code(EXERCISE, display({"text/html": "<div>toy.half: right</div>", "text/plain": "right"})),
    code(
        "two pictures",
        {"output_type": "stream", "name": "stderr", "text": "progress: 99 percent"},
        {"output_type": "stream", "name": "stdout", "text": "said aloud"},
        display({"image/png": picture(10), "text/plain": "p"}, alt="a dark square"),
        display({"image/png": picture(200), "text/plain": "p"}, alt="a light square"),
    ),
    code(
        "an explorer",
        display(WIDGET | {"image/png": picture(90), "text/plain": "e"}, alt="a grey square"),
    ),
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the book with all lessons and a made-up one."""
    folder = tmp_path_factory.mktemp("book")
    ran = folder / "ran"
    ran.mkdir()
    for name in NAMES:
        shutil.copyfile(executed(name).notebook, ran / f"{name}.ipynb")
    (ran / f"{MADE_UP}.ipynb").write_text(json.dumps(LESSON), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ROOT / "book" / "build.py", "--out", folder / "out", "--executed", ran],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Site(folder / "out" / "html", done.returncode, done.stdout + done.stderr)


def test_book_builds_without_a_warning(site):
    assert site.status == 0, site.said[-3000:]
    assert "WARNING" not in site.said
    assert "ERROR" not in site.said


def test_every_internal_link_and_asset_is_there(site):
    broken = []
    for name, page in site.pages.items():
        for _, attributes in page.elements:
            for address in filter(None, (attributes.get("href"), attributes.get("src"))):
                if urlsplit(address).scheme or address.startswith("//"):
                    continue
                target, _, fragment = urljoin(name, address).partition("#")
                path = site.html / unquote(urlsplit(target).path)
                if not path.is_file():
                    broken.append(f"{name} -> {address}")
                elif fragment and path.suffix == ".html":
                    other = path.relative_to(site.html).as_posix()
                    if unquote(fragment) not in site.pages[other].ids:
                        broken.append(f"{name} -> {address}")
    assert broken == []


def test_no_page_loads_anything_from_another_host(site):
    site.need_mathjax()
    loaded = [
        f"{name}: {address}"
        for name, page in site.pages.items()
        for tag, attributes in page.elements
        if (address := attributes.get("href" if tag == "link" else LOADS.get(tag, "")))
        if urlsplit(address).netloc
    ]
    styles = [
        f"{path.name}: {address}"
        for path in (site.html / "_static").rglob("*.css")
        for address in re.findall(
            r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)",
            path.read_text(encoding="utf-8"),
        )
    ]
    assert loaded + styles == []


@each_lesson
def test_colab_and_the_download_give_the_students_notebook(site, name):
    path = repository(ROOT).removeprefix("https://github.com/")
    wanted = f"https://colab.research.google.com/github/{path}/blob/main/notebooks/{name}.ipynb"
    links = [link.get("href") for link in site.lesson(name).every("a")]
    assert wanted in links
    students = ROOT / "notebooks" / f"{name}.ipynb"
    assert f"../_sources/notebooks/{name}.ipynb" in links
    offered = site.html / "_sources" / "notebooks" / f"{name}.ipynb"
    assert offered.read_bytes() == students.read_bytes()


def test_every_picture_says_what_it_shows(site):
    silent = [
        f"{name}: {image.get('src')}"
        for name, page in site.pages.items()
        for image in page.every("img")
        if not image.get("alt") or "_images/" in image["alt"] or image["alt"].endswith(".png")
    ]
    assert silent == []


def test_every_page_can_be_walked_and_heard(site):
    found = [
        f"{name}: {fault}"
        for name in site.pages
        for fault in faults((site.html / name).read_text(encoding="utf-8"))
        # the theme's page of search has its field a second time, in the dialog
        if (name, fault) != ("search.html", "id twice: search-input")
    ]
    assert found == []


def test_no_two_pages_have_one_title(site):
    titles = [page.title for name, page in site.pages.items() if "_modules" not in name]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []


def test_each_of_two_pictures_of_a_cell_has_its_own_description(site):
    texts = [image["alt"] for image in site.lesson(MADE_UP).every("img")]
    squares = [text for text in texts if text.endswith("square")]
    assert squares == ["a dark square", "a light square", "a grey square"]


def test_progress_bars_and_widgets_leave_nothing_behind(site):
    page = site.lesson(MADE_UP)
    assert "said aloud" in page.text
    assert "99 percent" not in page.text
    assert "They move in Colab" in page.text
    assert not [script for script in page.every("script") if "widget" in script.get("type", "")]


def test_exercise_shows_the_task_and_hides_the_solution(site):
    page = site.lesson(MADE_UP)
    assert "raise NotImplementedError" in page.text
    assert "Show one solution" in page.text
    assert "END SOLUTION" not in page.text
    assert [item for item in page.every("details") if "hide" in item.get("class", "")]
    assert not [item for item in page.every("details") if "open" in item]


@each_lesson
def test_every_solution_of_a_lesson_is_behind_a_click(site, name):
    page = site.lesson(name)
    exercises = page.text.count("Show one solution")
    assert exercises == page.text.count("raise NotImplementedError") > 0
    assert (
        len([item for item in page.every("details") if "hide" in item.get("class", "")])
        >= exercises
    )


@each_lesson
def test_equations_of_a_lesson_lead_to_their_proofs(site, name):
    marks = set(re.findall(r"<!-- proof: ([\w.]+) -->", executed(name).notebook.read_text("utf-8")))
    links = {link.get("href", "") for link in site.lesson(name).every("a")}
    assert marks
    for mark in marks:
        anchor = f"proof-{mark}".replace(".", "-").replace("_", "-")
        assert f"../proofs.html#{anchor}" in links


def test_proofs_page_lists_every_proof(site):
    from genimg_course.maths.proofs import all_proofs

    page = site.pages["proofs.html"]
    for item in all_proofs():
        assert item.id in page.text
        assert item.title in page.text.replace("’", "'")


def test_reference_documents_every_public_name(site):
    for path, page in site.pages.items():
        if match := re.fullmatch(r"api/(genimg_course\..+)\.html", path):
            module = importlib.import_module(match[1])
            public = [name for name in module.__all__ if _is_code(getattr(module, name))]
            # what is passed on is documented where it is written
            public = [n for n in public if getattr(module, n).__module__.startswith(match[1])]
            assert {f"{match[1]}.{name}" for name in public} <= page.ids
    assert "api/genimg_course.maths.html" in site.pages


def _is_code(item: object) -> bool:
    return inspect.isclass(item) or inspect.isfunction(item)


def test_front_page_names_every_lesson_that_stands(site):
    front = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    for name in NAMES:
        title = re.search(r"\d\d · (.+?) — ", site.lesson(name).text)
        assert title
        assert f"| {name[:2]} | [{title[1]}](notebooks/{name}.ipynb) | **here** |" in front
    assert front.count("| planned |") == 24 - len(NAMES)


def test_every_source_that_the_course_cites_is_in_the_references():
    known = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    cited = {
        source.rstrip(".,;)")
        for folder in ("genimg_course", "solutions")
        for path in (ROOT / folder).rglob("*.py")
        for source in re.findall(
            r"(?:arxiv\.org/abs/|arXiv:|doi\.org/)([\w./()-]+)", path.read_text(encoding="utf-8")
        )
    }
    assert len(cited) > 20
    assert {source for source in cited if source not in known} == set()


def test_search_finds_the_words_of_each_lesson(site):
    text = (site.html / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").rstrip().rstrip(";").rstrip(")"))
    words = {"06": ("latent", "posterior", "bound"), "13": ("discrimin", "label", "judg")}
    for name in NAMES:
        document = index["docnames"].index(f"notebooks/{name}")
        for word in words.get(name[:2], ()):
            found = {*_several(index["terms"], word), *_several(index["titleterms"], word)}
            assert document in found, word


def _several(table: dict[str, int | list[int]], word: str) -> list[int]:
    found = table.get(word, [])
    return [found] if isinstance(found, int) else found


@pytest.fixture(scope="session")
def address(site: Site) -> Iterator[str]:
    """Serve the site on this machine."""
    with serve(site.html) as address:
        yield address


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visits]:
    """Open pages; what went wrong on them is for the test to judge."""
    visits = Visits(browser, address)
    yield visits
    visits.close()


PAGES = ["index.html", "proofs.html", *(f"notebooks/{name}.html" for name in NAMES)]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_quiet_and_its_mathematics_typeset(site, visit, path):
    site.need_mathjax()
    page = visit(path)
    page.wait_for_selector("mjx-container", state="attached")
    page.wait_for_function("MathJax.startup.promise.then(() => true)")
    assert page.locator("mjx-merror").count() == 0
    assert page.evaluate("document.querySelector('.math').textContent.includes('\\\\')") is False
    assert visit.wrong == []


@pytest.mark.parametrize("path", [*PAGES, "notation.html", "glossary.html", "api.html"])
def test_page_fits_a_phone(visit, path):
    page = visit(path, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# the runtime of the live pages and MathJax are kept by the browser from page to page
KEPT = re.compile(r"/_static/vendor/(?:mathjax|ort|onnxruntime)[^/]*/")


LISTS = ["ask.html", "models.html", "reading.html", "glossary.html", "museum.html", "errata.html"]
LIVE = [f"live/{path.stem}.html" for path in sorted((ROOT / "book" / "live").glob("*.md"))]


@pytest.mark.parametrize("path", [*PAGES, *LISTS, *LIVE])
def test_page_weighs_little(browser, address, path):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{address}/{path}", wait_until="networkidle")
    weights = {a.url.removeprefix(address): len(a.body()) for a in answers if a.ok}
    page.context.close()
    assert f"/{path}" in weights
    assert not [url for url in weights if "all.min" in url]
    total = sum(weight for url, weight in weights.items() if not KEPT.search(url))
    assert total <= 1_500_000, sorted(weights.items(), key=lambda item: -item[1])[:8]


def test_every_icon_of_a_page_is_drawn(site, visit):
    page = visit("index.html")
    page.evaluate("document.fonts.ready.then(() => true)")
    families = page.evaluate(
        "[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)"
    )
    assert {"Font Awesome 6 Free", "Font Awesome 6 Brands"} <= {f.strip('"') for f in families}
    content = "e => getComputedStyle(e, '::before').content"
    icons = page.locator("i.fas, i.fa-solid, i.fab, i.fa-brands")
    assert icons.count() > 8
    assert "none" not in [icon.evaluate(content) for icon in icons.all()]


def test_reader_can_switch_to_dark_and_pictures_do_not_glare(visit):
    page = visit(f"notebooks/{MADE_UP}.html")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    for _ in range(3):  # the button goes round: light, dark, as the system wants
        if page.get_attribute("html", "data-mode") == "dark":
            break
        page.click("button.theme-switch-button:visible")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate(ground) != light
    shown = "getComputedStyle(document.querySelector('.cell_output img'))"
    assert "brightness" in page.evaluate(f"{shown}.filter")


def test_search_answers_without_the_network(visit):
    page = visit("search.html?q=reparameterisation")
    page.wait_for_selector("#search-results li")
    assert "Glossary" in page.inner_text("#search-results")
    assert visit.wrong == []


def test_solution_opens_on_a_click(visit):
    page = visit(f"notebooks/{MADE_UP}.html")
    solution = page.locator(".tag_exercise .cell_input")
    assert not solution.is_visible()
    page.click(".tag_exercise summary")
    assert solution.is_visible()


def test_badges_of_other_hosts_go_and_terms_become_links():
    page = lesson_page(LESSON, terms={"prior"})
    text = "".join(cell["source"] for cell in page["cells"])
    assert "example.org" not in text
    assert "**{term}`prior`**" in text
    assert "**salt**" in text
    assert "[[proof: vae.gaussian_kl](#proof-vae.gaussian_kl)]{.proof-badge}" in text


def test_page_leaves_the_executed_notebook_as_it_was():
    before = json.dumps(LESSON)
    lesson_page(LESSON)
    assert json.dumps(LESSON) == before


def test_lesson_with_an_error_is_refused(tmp_path):
    error = {"output_type": "error", "ename": "E", "evalue": "e", "traceback": []}
    path = tmp_path / "06_broken.ipynb"
    path.write_text(json.dumps(notebook("# 06", code("1 / 0", error))), encoding="utf-8")
    with pytest.raises(PageError, match=r"06_broken.*ran into an error"):
        assemble(tmp_path / "source", [path])


def test_folder_without_lessons_gets_one_sentence(tmp_path, capsys):
    assert build.main(["--out", str(tmp_path / "out"), "--executed", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("there is no executed lesson NN_slug.ipynb in ")


def test_lessons_run_again_only_after_a_change(tmp_path, monkeypatch):
    ran: list[tuple[str, str]] = []

    def run(path: Path, *, out: Path, parameters: dict[str, str]) -> None:
        out.mkdir(parents=True, exist_ok=True)
        (out / path.name).write_text("{}")
        ran.append((path.stem, parameters["PROFILE"]))

    monkeypatch.setattr(build, "run", run)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    (tmp_path / "solutions").mkdir()
    (tmp_path / "genimg_course").mkdir()
    solved = tmp_path / "solutions" / "06_toy.ipynb"
    module = tmp_path / "genimg_course" / "toy.py"
    folder = tmp_path / "out"

    def ran_after(profile: str = "cpu") -> int:
        before = len(ran)
        build.run_lessons(folder, profile)
        return len(ran) - before

    solved.write_text("one")
    module.write_text("one")
    assert ran_after() == 1
    assert ran_after() == 0
    solved.write_text("two")
    assert ran_after() == 1
    module.write_text("two")
    assert ran_after() == 1
    assert ran_after("smoke") == 1
    assert ran_after("smoke") == 0
    solved.rename(solved.with_name("07_toy.ipynb"))
    assert ran_after("smoke") == 1
    assert [path.name for path in build.executed_lessons(folder)] == ["07_toy.ipynb"]


def test_without_npm_the_pages_point_to_a_public_mathjax(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert book_mathjax.mathjax(tmp_path / "vendor").startswith("https://")
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "MathJax could not be fetched" in said


def test_altered_mathjax_in_the_cache_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "npm").mkdir()
    (tmp_path / "npm" / "mathjax-3.2.2.tgz").write_bytes(b"something else")
    assert book_mathjax.mathjax(tmp_path / "vendor").startswith("https://")
    assert not (tmp_path / "vendor").exists()
