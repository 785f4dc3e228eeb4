"""Explorers redraw when a control moves, survive errors, and are pictures without widgets."""

import base64
import io
import json

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from genimg_course.viz import explore, image_grid

VIEW = "application/vnd.jupyter.widget-view+json"


def shade(level=0.0):
    """Draw one grey square; its description tells the level."""
    return image_grid(torch.full((1, 1, 2, 2), level), alt=f"level {level:.2f}")


def middle(data):
    page = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    return int(page[page.shape[0] // 2, page.shape[1] // 2])


def picture(explorer):
    (image,) = [w for w in explorer.widget.children if isinstance(w, ipywidgets.Image)]
    return image


def texts(explorer):
    """Return the visible message, or '', and the text that is read aloud."""
    message, description = [w for w in explorer.widget.children if isinstance(w, ipywidgets.HTML)]
    return ("" if message.layout.display == "none" else message.value), description.value


def test_moving_a_slider_changes_the_picture_and_its_description():
    explorer = explore(shade, level=(-1.0, 1.0, 0.5, -1.0))
    assert middle(bytes(picture(explorer).value)) == 0
    explorer.controls["level"].value = 1.0
    assert middle(bytes(picture(explorer).value)) == 255
    assert explorer.figure.alt == "level 1.00"
    assert ">level 1.00. Set to level = 1.<" in texts(explorer)[1]
    assert explorer.values == {"level": 1.0}


def test_a_cell_shows_the_widget_and_a_picture_for_pages_without_widgets():
    explorer = explore(shade, level=(-1.0, 1.0, 0.5, 1.0))
    data, metadata = DisplayFormatter().format(explorer)
    assert set(data) == {VIEW, "image/png", "text/plain"}
    assert data[VIEW] == {
        "version_major": 2,
        "version_minor": 0,
        "model_id": explorer.widget.model_id,
    }
    assert middle(base64.b64decode(data["image/png"])) == 255
    assert data["text/plain"] == "level 1.00. Set to level = 1." == metadata["image/png"]["alt"]
    assert metadata["image/png"]["width"] == int(picture(explorer).width)
    json.dumps([data, metadata])


def test_the_description_says_what_each_control_is_set_to():
    menu = {"a thin pen": 0.5, "a broad pen": 1.0}
    explorer = explore(lambda pen, slant: shade(), pen=menu, slant=(0.0, 1.0, 0.1, 0.3))
    assert ">level 0.00. Set to pen = a thin pen, slant = 0.3.<" in texts(explorer)[1]
    explorer.controls["pen"].value = 1.0
    assert "Set to pen = a broad pen, slant = 0.3." in texts(explorer)[1]


def test_a_picture_without_a_description_says_so():
    explorer = explore(lambda k: plt.figure(), k=(0, 4, 1, 2))
    assert ">Picture without a description. Set to k = 2.<" in texts(explorer)[1]


def test_an_error_is_a_sentence_and_the_sliders_stay_alive():
    def draw(level):
        if level > 0.9:
            raise RuntimeError("too <bright>")
        return shade(level)

    explorer = explore(draw, level=(-1.0, 1.0, 0.5, 0.0))
    before = bytes(picture(explorer).value)
    explorer.controls["level"].value = 1.0
    message, _ = texts(explorer)
    assert "No picture for level = 1 (RuntimeError: too &lt;bright&gt;); below" in message
    assert 'role="alert"' in message and bytes(picture(explorer).value) == before
    explorer.controls["level"].value = -1.0
    assert texts(explorer)[0] == "" and middle(bytes(picture(explorer).value)) == 0


def test_an_error_of_the_first_picture_is_raised():
    with pytest.raises(ZeroDivisionError):
        explore(lambda level: 1 / level, level=(0, 2, 1, 0))


def test_what_changes_while_drawing_is_drawn_once_afterwards():
    drawn = []

    def draw(level):
        drawn.append(level)
        if level == 1 and len(drawn) < 5:
            for step in (2, 3, 4):  # as if the reader moved on while this frame was drawn
                explorer.controls["level"].value = step
        return shade(0.0)

    explorer = explore(draw, level=(0, 9, 1, 0))
    explorer.controls["level"].value = 1
    assert drawn == [0, 1, 4]


def test_a_draw_that_always_moves_its_slider_comes_to_an_end():
    drawn = []

    def draw(level):
        drawn.append(level)
        if len(drawn) > 1:
            explorer.controls["level"].value = (level + 1) % 10
        return shade(0.0)

    explorer = explore(draw, level=(0, 9, 1, 0))
    explorer.controls["level"].value = 1
    assert drawn == [0, 1, 2]


def test_short_descriptions_become_controls():
    def draw(a, b, c, d, e, f):
        return shade(0.0)

    own = ipywidgets.FloatLogSlider(value=1.0, description="mine")
    explorer = explore(
        draw, a=(0, 10), b=(0.0, 4.0), c=["x", "y"], d=True, e=own, f={"one": 1, "two": 2}
    )
    kinds = {name: type(widget).__name__ for name, widget in explorer.controls.items()}
    assert kinds["a"] == "IntSlider" and kinds["b"] == "FloatSlider" and kinds["d"] == "Checkbox"
    assert kinds["c"] == kinds["f"] == "Dropdown" and explorer.controls["e"] is own
    assert explorer.values == {"a": 5, "b": 2.0, "c": "x", "d": True, "e": 1.0, "f": 1}
    assert explorer.controls["b"].step == pytest.approx(0.04)
    assert explorer.controls["b"].readout_format == ".2f"
    assert [w.description for w in explorer.controls.values()] == ["a", "b", "c", "d", "mine", "f"]
    assert all(w.continuous_update for n, w in explorer.controls.items() if n in "ab")


def test_the_labels_of_one_explorer_have_one_width():
    explorer = explore(lambda a, a_long_name: shade(0.0), a=(0, 1), a_long_name=(0, 1))
    a, b = explorer.controls.values()
    assert a.style.description_width == b.style.description_width
    assert b.description == b.tooltip == "a long name"
    assert a.layout.width == b.layout.width


def test_many_controls_may_stand_side_by_side():
    def flow(count):
        names = "abcdefgh"[:count]
        explorer = explore(lambda **_: shade(), **dict.fromkeys(names, (0, 1)))
        return explorer.widget.children[0].layout.flex_flow

    assert flow(4) == "column" and flow(5) == "row wrap"


def test_the_middle_of_a_slider_is_one_of_its_steps():
    control = explore(lambda t: shade(0.0), t=(0.0, 1.0, 0.3)).controls["t"]
    assert control.value == 0.3 and control.readout_format == ".1f"


def test_moving_often_leaves_no_figure_open():
    plt.close("all")

    def draw(k):
        figure, axes = plt.subplots(figsize=(1, 1), dpi=20)
        axes.axis("off")
        return figure

    explorer = explore(draw, k=(0, 40, 1, 0))
    for k in range(1, 41):
        explorer.controls["k"].value = k
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "sliders, said",
    [
        ({}, "no sliders"),
        ({"levle": (0, 1)}, r"cannot take the sliders \['levle'\]"),
        ({"level": (1, 0)}, r"level is \(1, 0\).*low < high"),
        ({"level": (0,)}, "low < high"),
        ({"level": (0, 1, 0)}, "level has the step 0"),
        ({"level": (0, 1, 1, 7)}, "level begins at 7"),
        ({"level": ("a", "b")}, "all numbers"),
        ({"level": None}, "level is None"),
        ({"level": object()}, "pass a widget"),
    ],
)
def test_sliders_that_cannot_be_made_are_refused(sliders, said):
    with pytest.raises(ValueError, match=said):
        explore(shade, **sliders)


def test_a_draw_that_returns_no_figure_is_named():
    with pytest.raises(ValueError, match="must return a Figure, not str"):
        explore(lambda level: "picture", level=(0, 1))
