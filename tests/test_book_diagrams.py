"""The page of the models shows every diagram of the package, with its words."""

import re
import sys

from lessons import ROOT
from PIL import Image

from genimg_course import viz

sys.path.insert(0, str(ROOT / "book"))

from book_diagrams import models_page


def test_every_diagram_is_on_the_page_with_its_words(tmp_path):
    folder = tmp_path / "diagrams"
    page = models_page(folder)
    names = {name.removesuffix("_diagram") for name in viz.__all__ if name.endswith("_diagram")}
    names -= {"flow"}
    assert set(re.findall(r"diagrams/(\w+)\.png", page)) == names
    assert {path.stem for path in folder.iterdir()} == names
    assert "{{" not in page
    for name in names:
        figure = getattr(viz, f"{name}_diagram")()
        assert f":alt: {figure.alt}\n" in page
        assert Image.open(folder / f"{name}.png").width == int(figure.bbox.width)
