"""The checks of the pages find what they look for, and the course's own colours pass."""

import itertools
import re

import pytest
from book_checks import contrast, faults
from lessons import ROOT

GOOD = """<!DOCTYPE html><html lang="en"><head><title>Page</title>
<meta name="viewport" content="width=device-width"></head><body>
<a href="#main-content">Skip to main content</a><nav><a href="/"><img src="a" alt="Home"></a></nav>
<main id="main-content"><h1>One</h1><h2>Two</h2><h3>Three</h3><h2>Four</h2>
<label for="k">Knob</label><input id="k"><button aria-label="Go"><i></i></button>
<details><summary>More</summary></details><img src="b" alt="">
<input type="hidden"><a class="headerlink" href="#x" title="Link to this heading">#</a></main>
<div id="jb-print-docs-body"><h1>One, on paper</h1></div></body></html>"""


def test_good_page_has_no_fault():
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        (' lang="en"', "", "no language"),
        ("<title>Page</title>", "<title></title>", "no title"),
        ('name="viewport"', "", "no width for phones"),
        ("<main ", "<div ", "0 main parts"),
        ("<nav>", "<div>", "no navigation"),
        ("#main-content", "#elsewhere", "no way past the navigation"),
        ("<h1>One</h1>", "", "0 first headings"),
        ("<h2>Four</h2>", "<h1>Four</h1>", "2 first headings"),
        ("<h2>Two</h2>", "", "h1 is followed by h3: Three"),
        ("<h3>Three</h3>", "<h3></h3>", "empty h3"),
        ('<img src="b" alt="">', '<img src="b">', "picture without words: b"),
        (' alt="Home"', ' alt=""', "a without a name"),
        ('<label for="k">', "<label>", "input without a name"),
        (' aria-label="Go"', "", "button without a name"),
        ("<summary>More", "<summary>", "summary without a name"),
        ('<input id="k">', '<input id="k"><i id="k"></i>', "id twice: k"),
    ],
)
def test_each_fault_is_found(good, bad, fault):
    assert good in GOOD
    found = faults(GOOD.replace(good, bad, 1))
    assert [one for one in found if one.startswith(fault)], found


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "rgb(255, 255, 255)", 4.54),  # the lightest grey that passes on white
    ],
)
def test_contrast_has_the_known_values(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


GROUNDS = {"light": "#ffffff", "dark": "#121212"}  # of the theme


@pytest.mark.parametrize(
    ("theme", "colour"),
    [*itertools.product(GROUNDS, ("--course-proof", "--course-exercise"))],
)
def test_own_colours_can_be_read_on_both_grounds(theme, colour):
    css = (ROOT / "book" / "_assets" / "custom.css").read_text(encoding="utf-8")
    block = re.search(rf'html\[data-theme="{theme}"\] \{{(.*?)\}}', css, re.DOTALL)
    assert block
    values = dict(re.findall(r"(--[\w-]+): (#\w{6})", block[1]))
    assert contrast(values[colour], GROUNDS[theme]) >= 4.5
    assert contrast(values[colour], values["--course-tint"]) >= 4.5
