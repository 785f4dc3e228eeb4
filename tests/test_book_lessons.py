"""A lesson's page: links and costs at its head, hints below its exercises, paper and dark."""

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from book_checks import contrast, faults
from book_site import build_small_book, serve, visits
from lessons import NAMES, ROOT

pytest.importorskip("jupyter_book", reason="jupyter-book is not installed")
sys.path.insert(0, str(ROOT / "book"))

from book_lessons import proofs_by_lesson, proofs_named
from book_pages import lesson_page

from genimg_course.exercises.registry import specifications

pytestmark = pytest.mark.timeout(600)

LESSONS = {name[:2]: name for name in NAMES}
SHOWN = ("05", "06", "07")
each_lesson = pytest.mark.parametrize("name", NAMES)


@functools.cache
def page(name: str) -> list[dict[str, Any]]:
    """Return the cells of a lesson's page; outputs play no part here."""
    solved = json.loads((ROOT / "solutions" / f"{name}.ipynb").read_text(encoding="utf-8"))
    return lesson_page(solved, name=name, lessons=LESSONS)["cells"]


def head(name: str) -> str:
    """Return the text above the first code."""
    cells = page(name)
    code = next(i for i, cell in enumerate(cells) if cell["cell_type"] == "code")
    return "\n\n".join(cell["source"] for cell in cells[:code])


@each_lesson
def test_head_says_aims_needs_costs_and_times_once(name):
    text = head(name)
    said = ["What you will do.", "What you need.", "What it costs.", "| profile |", "What you will"]
    places = [text.index(mark) for mark in said[:4]]
    assert places == sorted(places)
    assert [text.count(f"**{mark}**") for mark in said[:3]] == [1, 1, 1]
    assert "What you will reach" in text


@each_lesson
def test_costs_are_those_of_the_lesson(name):
    solved = (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    exercises = len(re.findall(r"^@exercise\(", solved, re.MULTILINE))
    time = re.search(r"\| `cpu` \|[^|]*\| (.*?) \|", solved)
    cost = re.search(r"\*\*What it costs\.\*\* .*", head(name))
    assert cost and time
    assert f" {exercises} exercises to write" in cost[0]
    assert f"{time[1]} of computing" in cost[0]
    assert "Nothing is downloaded" in cost[0]


def test_lesson_that_wants_data_does_not_promise_to_download_nothing():
    table = "| profile | where | time |\n|---|---|---|\n| `cpu` | a laptop | 9 s |"
    cells = [text_cell(table), code_cell('DATASET = "mnist"')]
    said = lesson_page({"cells": cells, "metadata": {}}, name="99_x")["cells"][0]["source"]
    assert "9 s of computing" in said
    assert "downloaded" not in said


@each_lesson
def test_links_at_the_head_lead_to_things_that_exist(name):
    text = head(name)
    row = re.search(r":::\{div\} lesson-links\n(.*?)\n:::", text, re.DOTALL)
    assert row
    assert "Open this lesson in Colab" not in text
    assert (
        f"colab.research.google.com/github/genimg-course/genimg_course/blob/main/notebooks/{name}.ipynb"
        in row[1]
    )
    assert f'href="../_sources/notebooks/{name}.ipynb" download' in row[1]
    assert re.search(rf"\[\d+ proofs\]\(#proofs-of-{name[:2]}\)", row[1])
    assert "(../glossary.md)" in row[1]
    inside = re.findall(r"genimg_course/(?:tree|blob)/main/([^)]*)\)", row[1])
    paths = [path for path in inside if not path.startswith("notebooks/")]
    assert len(paths) == 2
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_lessons_that_prepare_a_lesson_are_links():
    text = head(LESSONS["06"])
    for number in ("02", "03", "05"):
        assert f"[{number}]({LESSONS[number]}.ipynb)" in text
    assert "Lesson [06]" in head(LESSONS["07"])


def test_planned_lesson_is_no_link():
    cells = [text_cell("**What you need.** Lessons 06 and 08.\n\nLesson 06 again.")]
    said = lesson_page({"cells": cells, "metadata": {}}, name="99_x", lessons={"06": "06_vae"})
    assert said["cells"][0]["source"] == (
        "**What you need.** Lessons [06](06_vae.ipynb) and 08.\n\nLesson 06 again."
    )


def test_proofs_of_a_lesson_are_listed_once_and_in_order():
    text = '<!-- proof: b.two -->\nproof("a.one")\n<!-- proof: b.two -->\n<!-- proof: c.gone -->'
    assert proofs_named(text) == ["b.two", "a.one", "c.gone"]
    part = proofs_by_lesson({"06_vae": text, "07_none": ""}, {"a.one": "One", "b.two": "Two"})
    assert "(proofs-of-06)=" in part
    assert "[Two](#proof-b.two) · [One](#proof-a.one)" in part
    assert "07" not in part


@each_lesson
def test_every_exercise_has_its_hints_and_no_solution_among_them(name):
    cells = page(name)
    tasks = [i for i, cell in enumerate(cells) if "task" in cell["metadata"].get("tags", [])]
    assert tasks
    for i in tasks:
        id = re.search(r'@exercise\("([\w.]+)"', cells[i]["source"])
        assert id
        hints = cells[i + 1]["source"]
        assert hints.startswith('<details class="hints">')
        assert hints.count("<details>") == len(specifications()[id[1]].hints)
        assert "\n\n" not in hints  # one block of HTML
        assert " open" not in re.findall(r"<details[^>]*>", hints)
        assert "exercise" in cells[i + 2]["metadata"]["tags"]


def test_signs_of_a_hint_are_not_taken_for_markup():
    cells = [code_cell(WITH_SIGNS)]
    hints = lesson_page({"cells": cells, "metadata": {}}, name="99_x")["cells"][1]["source"]
    assert "&lt;K x, y&gt;" in hints


WITH_SIGNS = """@exercise("networks.transposed_convolution")
def transposed_convolution():
    ### BEGIN SOLUTION
    pass
    ### END SOLUTION
"""


def text_cell(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "t", "metadata": {}, "source": text}


def code_cell(source: str) -> dict[str, Any]:
    base = {"cell_type": "code", "id": "c", "metadata": {}, "outputs": [], "execution_count": None}
    return base | {"source": source}


@pytest.fixture(scope="session")
def small_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a small book of three lessons, not run."""
    marks = {LESSONS[n]: (ROOT / "solutions" / f"{LESSONS[n]}.py").read_text() for n in SHOWN}
    listed = proofs_by_lesson(
        marks, {id: id for text in marks.values() for id in proofs_named(text)}
    )
    pages = {
        "index.md": "# A small book\n",
        **{f"notebooks/{name}.ipynb": lesson_file(name) for name in marks},
        "proofs.md": f"# Proofs\n\n{listed}\n",
        "glossary.md": (ROOT / "book" / "glossary.md").read_text(encoding="utf-8"),
    }
    out = tmp_path_factory.mktemp("lessons")
    return build_small_book(out, pages, suppress=("myst", "etoc.toctree")).html


def lesson_file(name: str) -> str:
    """Return a lesson's page as a notebook."""
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    whole = {"cells": page(name), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole)


@pytest.fixture(scope="session")
def small_host(small_site: Path) -> Iterator[str]:
    """Serve the small book on this machine."""
    with serve(small_site) as address:
        yield address


@pytest.fixture
def lesson(browser: Any, small_host: str) -> Iterator[Callable[..., Any]]:
    """Open the page of lesson 06; at the end nothing may have gone wrong."""
    with visits(browser, small_host) as visit:
        yield functools.partial(visit, f"notebooks/{LESSONS['06']}.html")


def test_reader_climbs_the_hints_one_by_one(lesson):
    shown = lesson()
    ladder = shown.locator("details.hints").nth(1)
    first = ladder.locator("details p").first
    assert not first.is_visible()
    ladder.locator("summary").first.press("Enter")
    assert not first.is_visible()
    ladder.locator("details summary").first.press("Enter")
    assert first.is_visible()
    assert ladder.locator("details p:visible").count() == 1


def test_links_of_the_head_are_seen_without_scrolling(lesson):
    links = lesson().locator(".lesson-links a")
    assert links.count() == 6
    assert all(box["y"] + box["height"] < 900 for box in (x.bounding_box() for x in links.all()))


def test_reader_finds_the_previous_and_the_next_lesson(lesson):
    footer = lesson().locator(".prev-next-footer a")
    assert [link.get_attribute("href") for link in footer.all()] == [
        f"{LESSONS['05']}.html",
        f"{LESSONS['07']}.html",
    ]


def test_small_book_can_be_walked_and_heard(small_site):
    for path in small_site.glob("notebooks/*.html"):
        assert faults(path.read_text(encoding="utf-8")) == [], path.name


WRITTEN = {
    ".proof-badge a": "",
    ".lesson-links a": "",
    ".tag_task": "::before",
    "details.hints > summary": "",
    "details.hints code": "",
    ".bd-article p": "",
    ".bd-article p a": "",
}
# the colour of the first letters, and of the ground that they stand on
COLOURS = """([selector, part]) => {
    const element = document.querySelector(selector);
    let ground = element;
    const clear = e => /^rgba\\(.*, 0\\)$/.test(getComputedStyle(e).backgroundColor);
    while (ground.parentElement && clear(ground)) ground = ground.parentElement;
    const letters = getComputedStyle(element, part || null).color;
    return [letters, getComputedStyle(ground).backgroundColor];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_from_their_ground(lesson, scheme):
    shown = lesson(color_scheme=scheme)
    assert shown.get_attribute("html", "data-theme") == scheme
    seen = {
        selector: shown.evaluate(COLOURS, [selector, part]) for selector, part in WRITTEN.items()
    }
    faint = {name: pair for name, pair in seen.items() if contrast(*pair) < 4.5}
    assert faint == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_white_and_free_of_what_only_a_screen_needs(lesson, scheme):
    shown = lesson(color_scheme=scheme)
    shown.emulate_media(media="print", color_scheme=scheme)
    for gone in (".bd-sidebar-primary", ".prev-next-footer", ".lesson-links", "details.hints"):
        assert shown.locator(f"{gone}:visible").count() == 0, gone
    style = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    assert shown.locator("body").evaluate(style) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    letters = shown.locator("div.highlight pre span:visible").first
    assert contrast(letters.evaluate(style)[0], "#ffffff") > 3
    assert shown.locator("h1:visible").count() == 1  # the theme prints a title of its own
