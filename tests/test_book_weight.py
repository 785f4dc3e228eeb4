"""Light pages: what is taken out of a built site, and that nothing seen goes with it."""

import base64
import io
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from lessons import ROOT
from PIL import Image

pytest.importorskip("jupyter_book", reason="jupyter-book is not installed")
sys.path.insert(0, str(ROOT / "book"))

from book_weight import lighten

PAGE = """<head>
<link href="../_static/vendor/fontawesome/6.5.2/css/all.min.css?digest=1" rel="stylesheet" />
<link rel="preload" href="../_static/vendor/fontawesome/6.5.2/webfonts/fa-solid-900.woff2" />
<script src="../_static/vendor/fontawesome/6.5.2/js/all.min.js?digest=1"></script>
</head><i class="fa-solid fa-moon fa-lg"></i><i class="fab fa-github"></i>
<a href="../_images/field.png"><img src="../_images/field.png" alt="a field"/></a>
<img src="../_images/elsewhere.png" alt="a picture that is not here"/>
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Lay out a site of one page with a picture."""
    for folder in ("notebooks", "_images", "_static/styles", "_static/vendor/fontawesome/6.5.2"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "_static" / "styles" / "theme.css").write_text(
        '.note { content: "\\f05a" } .next { content: "\uf105" }', encoding="utf-8"
    )
    (tmp_path / "notebooks" / "06.html").write_text(PAGE, encoding="utf-8")
    Image.fromarray(ramp()).save(tmp_path / "_images" / "field.png")
    return tmp_path


def ramp() -> np.ndarray:
    rows, columns = np.mgrid[:200, :300]
    return np.stack([rows, columns // 2, (rows + columns) // 3], axis=-1).astype(np.uint8)


def glyphs(font: Path) -> set[int]:
    from fontTools.ttLib import TTFont

    return set(TTFont(font).getBestCmap())


def test_page_asks_for_a_small_sheet_and_no_script(site):
    lighten(site)
    page = (site / "notebooks" / "06.html").read_text()
    assert "fontawesome" not in page
    assert "<script" not in page
    assert 'href="../_static/icons/icons.css?v=' in page
    assert not (site / "_static" / "vendor" / "fontawesome").exists()
    assert (site / "_static" / "icons" / "LICENSE.txt").is_file()


def test_fonts_hold_the_icons_of_pages_and_styles_and_no_other(site):
    lighten(site)
    icons = site / "_static" / "icons"
    assert glyphs(icons / "fa-solid-900.woff") == {0xF186, 0xF05A, 0xF105}
    assert glyphs(icons / "fa-brands-400.woff") == {0xF09B}
    sheet = (icons / "icons.css").read_text()
    assert '.fa-moon::before { content: "\\f186"; }' in sheet
    assert '.fa-github::before { content: "\\f09b"; }' in sheet
    assert "fa-rocket" not in sheet


def test_pictures_keep_every_pixel_and_the_page_names_the_lighter_file(site):
    lighten(site)
    page = (site / "notebooks" / "06.html").read_text()
    packed = site / "_images" / "field.webp"
    assert page.count("../_images/field.webp") == 2
    assert "../_images/elsewhere.png" in page
    assert not (site / "_images" / "field.png").exists()
    np.testing.assert_array_equal(np.asarray(Image.open(packed)), ramp())


def test_a_film_becomes_a_file_that_the_page_names(site):
    file = io.BytesIO()
    first, second = Image.fromarray(ramp()), Image.fromarray(ramp()[::-1])
    first.save(file, format="WebP", save_all=True, append_images=[second], lossless=True)
    still = (site / "_images" / "field.png").read_bytes()
    text = [base64.b64encode(data).decode() for data in (still, file.getvalue())]
    page = site / "notebooks" / "06.html"
    page.write_text(
        f'<source srcset="data:image/png;base64,{text[0]}">'
        f'<img src="data:image/webp;base64,{text[1]}" alt="a film"/>'
    )
    lighten(site)
    names = re.findall(r'(?:src|srcset)="\.\./_images/([0-9a-f]{64}\.webp)"', page.read_text())
    assert len(names) == 2 and "base64" not in page.read_text()
    np.testing.assert_array_equal(np.asarray(Image.open(site / "_images" / names[0])), ramp())
    assert (site / "_images" / names[1]).read_bytes() == file.getvalue()


SERVED = (
    "mystnb",
    "sphinx-design",
    "design-tabs",
    "clipboard",
    "copybutton.css",
    "copybutton.js",
    "live.css",
)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("<p>Words</p>", ()),
        ('<div class="cell docutils">', ("mystnb",)),
        ('<div class="sd-card">', ("sphinx-design",)),
        ('<div class="sd-tab-set">', ("sphinx-design", "design-tabs")),
        ('<div class="highlight">', ("clipboard", "copybutton.css", "copybutton.js")),
        ('<div class="live docutils">', ("live.css",)),
    ],
)
def test_page_keeps_the_styles_of_what_it_has(site, body, kept):
    served = """<link rel="stylesheet" href="_static/mystnb.1a.css" />
    <link rel="stylesheet" href="_static/sphinx-design.min.css" />
    <script src="_static/design-tabs.js?v=1"></script>
    <script src="_static/clipboard.min.js?v=1"></script>
    <link rel="stylesheet" href="_static/copybutton.css" />
    <script src="_static/copybutton.js?v=1"></script>
    <link rel="stylesheet" href="_static/live/live.css?v=1" />
    <link rel="stylesheet" href="_static/custom.css" />"""
    (site / "page.html").write_text(f"<head>{served}</head>{body}", encoding="utf-8")
    lighten(site)
    page = (site / "page.html").read_text()
    assert "custom.css" in page
    assert body in page
    assert tuple(name for name in SERVED if name in page) == kept


def test_light_site_stays_as_it_is(site):
    lighten(site)
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    lighten(site)
    assert {path: path.read_bytes() for path in before} == before
