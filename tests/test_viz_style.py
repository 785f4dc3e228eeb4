"""Figures show themselves, look the same everywhere, and leave nothing behind."""

import base64
import io
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from genimg_course.viz import lines, png_bytes, style
from genimg_course.viz.style import PALETTE, Figure, page_width


def drawing(colour="#0072B2"):
    figure = Figure(2, 1, alt="a line")
    figure.add_subplot().plot([0, 1], [0, 1], color=colour)
    return figure


def opened(data):
    return Image.open(io.BytesIO(data))


def test_a_notebook_gets_a_picture_with_its_width_and_the_description():
    data, metadata = DisplayFormatter().format(drawing())
    picture = opened(base64.b64decode(data["image/png"]))
    assert set(data) == {"image/png", "text/plain"}
    assert data["text/plain"] == "a line"
    assert metadata == {"image/png": {"width": 192, "alt": "a line"}}
    assert picture.size == (384, 192)  # two dots for each pixel of the page


def test_the_inline_backend_does_not_replace_the_picture(monkeypatch):
    formatter = DisplayFormatter()
    png = formatter.formatters["image/png"]
    png.for_type(matplotlib.figure.Figure, lambda figure: "cropped")  # what the backend registers
    shell = SimpleNamespace(display_formatter=formatter)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    data, metadata = formatter.format(drawing())
    assert opened(base64.b64decode(data["image/png"])).size == (384, 192)
    assert metadata["image/png"]["width"] == 192
    foreign = matplotlib.figure.Figure()
    assert formatter.format(foreign)[0]["image/png"] == "cropped"


def test_pictures_ignore_the_settings_of_the_reader():
    x = np.linspace(0, 1, 5)
    expected = png_bytes(lines(x, {"a": x}, xlabel="x", ylabel="y"))
    with (
        plt.style.context("dark_background"),
        plt.rc_context({"font.size": 30, "lines.marker": "o"}),
    ):
        assert png_bytes(lines(x, {"a": x}, xlabel="x", ylabel="y")) == expected


def test_the_style_ends_with_its_block():
    before = dict(matplotlib.rcParams)
    with pytest.raises(KeyError), style():
        assert matplotlib.rcParams["axes.grid"] is True
        raise KeyError
    assert dict(matplotlib.rcParams) == before


def test_no_figure_stays_open_in_pyplot():
    plt.close("all")
    for _ in range(100):
        Figure(2, 1).add_axes((0, 0, 1, 1))
    assert plt.get_fignums() == []


def test_a_figure_of_pyplot_is_closed_once_it_is_a_picture():
    figure, axes = plt.subplots(figsize=(2, 1), dpi=50)
    axes.plot([0, 1])
    assert opened(png_bytes(figure)).size == (100, 50)
    assert figure.number not in plt.get_fignums()


@pytest.mark.parametrize("colour, mode", [("#0072B2", "RGB"), ("#777777", "L")])
def test_a_picture_without_colour_is_stored_as_greyscale(colour, mode):
    with style():
        figure = Figure(2, 1, layout=None)
        figure.add_axes((0, 0, 1, 1)).plot([0, 1], color=colour)
        figure.axes[0].axis("off")
    assert opened(png_bytes(figure)).mode == mode


def test_pages_are_white_at_the_rim_in_dark_mode_as_well():
    with plt.style.context("dark_background"):
        page = np.asarray(opened(png_bytes(drawing())))
    assert (page[0] == 255).all() and (page[:, 0] == 255).all()


def test_page_width_counts_96_pixels_an_inch():
    assert page_width(Figure(6, 3)) == 576


# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color
# vision deficiency", complete deficiency, on linear RGB
PROTANOPIA = [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216]]
PROTANOPIA += [[-0.003882, -0.048116, 1.051998]]
DEUTERANOPIA = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413]]
DEUTERANOPIA += [[-0.011820, 0.042940, 0.968881]]


@pytest.mark.parametrize("eye", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_neighbouring_colours_differ_for_colour_blind_eyes(eye):
    color = pytest.importorskip("skimage.color")
    rgb = np.array([matplotlib.colors.to_rgb(c) for c in PALETTE])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(eye).T, 0, 1)
    srgb = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = color.rgb2lab(srgb[None])[0]
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert distance[~np.eye(len(lab), dtype=bool)].min() > 12  # 2.3 is just noticeable
