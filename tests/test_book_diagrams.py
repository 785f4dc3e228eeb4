"""The page of the models shows every diagram of the package, with its words."""

import re
import sys

import pytest
from lessons import ROOT

from genimg_course import viz

sys.path.insert(0, str(ROOT / "book"))

from book_diagrams import models_page


def drawing(folder, name):
    return (folder / f"{name}.svg").read_text(encoding="utf-8")


def test_every_diagram_is_on_the_page_with_its_words(tmp_path):
    folder = tmp_path / "diagrams"
    page = models_page(folder)
    names = {name.removesuffix("_diagram") for name in viz.__all__ if name.endswith("_diagram")}
    names -= {"flow"}
    assert set(re.findall(r"diagrams/(\w+)\.svg", page)) == names
    assert {path.stem for path in folder.iterdir()} == names
    assert "{{" not in page
    for name in names:
        figure = getattr(viz, f"{name}_diagram")()
        assert f":alt: {figure.alt}\n" in page
        points = float(re.search(r'<svg [^>]*width="([\d.]+)pt"', drawing(folder, name))[1])
        assert points == pytest.approx(72 * figure.get_figwidth())


def test_diagrams_are_drawn_the_same_each_time(tmp_path):
    for folder in ("one", "two"):
        models_page(tmp_path / folder)
    assert drawing(tmp_path / "one", "vae") == drawing(tmp_path / "two", "vae")
