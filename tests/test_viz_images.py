"""Grids show exactly the pixels that they are given."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from genimg_course.viz import compare_rows, image_grid, png_bytes


def page_of(figure):
    """Return the dots of the picture, ``(H, W, 3)``."""
    return np.asarray(Image.open(io.BytesIO(png_bytes(figure))).convert("RGB")).astype(int)


def find(page, image):
    """Return scale, row and column of an image ``(h, w, 3)`` on a page, by trying all places."""
    starts = np.argwhere((page == image[0, 0]).all(axis=2))
    for scale in range(64, 0, -1):
        block = image.repeat(scale, axis=0).repeat(scale, axis=1)
        h, w, _ = block.shape
        fits = starts[(starts + np.array([h, w]) <= page.shape[:2]).all(axis=1)]
        for y, x in ((h - 1, w - 1), (0, w - 1), (h - 1, 0)):
            dots = page[fits[:, 0] + y, fits[:, 1] + x]
            fits = fits[(dots == block[y, x]).all(axis=1)]
        for y, x in fits:
            if (page[y : y + h, x : x + w] == block).all():
                return scale, int(y), int(x)
    return None


def levels(x):
    """Return images ``(B, C, H, W)`` in [-1, 1] as ``(B, H, W, 3)`` in 0..255."""
    grey = np.rint((np.asarray(x) + 1) / 2 * 255).astype(int).transpose(0, 2, 3, 1)
    return grey.repeat(3, axis=3) if grey.shape[3] == 1 else grey


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_is_on_the_page_pixel_by_pixel_in_reading_order(channels):
    x = noise(5, channels, 4, 6)
    page = page_of(image_grid(x, columns=3, title="Noise", titles="abc", row_labels=["r", "s"]))
    scales, rows, columns = zip(*(find(page, image) for image in levels(x)), strict=True)
    assert len(set(scales)) == 1 and scales[0] > 1
    assert rows[0] == rows[1] == rows[2] < rows[3] == rows[4]
    assert columns[0] < columns[1] < columns[2] and columns[:2] == columns[3:]


@pytest.mark.parametrize("value, level", [(-1.0, 0), (0.0, 128), (1.0, 255), (1.04, 255)])
def test_grey_levels_do_not_depend_on_the_range_of_the_batch(value, level):
    x = torch.full((1, 1, 3, 3), value)
    page = page_of(image_grid(x))
    middle = page[page.shape[0] // 2, page.shape[1] // 2]
    assert middle.tolist() == pytest.approx([level] * 3, abs=1)


def test_an_image_looks_the_same_whatever_its_neighbours_are():
    x = noise(1, 1, 4, 4) * 0.1
    alone = page_of(image_grid(torch.cat([x, x])))
    beside = page_of(image_grid(torch.cat([x, torch.tensor([-1.0, 1.0] * 8).view(1, 1, 4, 4)])))
    assert find(alone, levels(x)[0]) == find(beside, levels(x)[0]) is not None


def test_margins_are_even_and_nothing_is_smoothed():
    x = noise(1, 1, 5, 7)
    figure = image_grid(x)
    page = page_of(figure)
    scale, y, left = find(page, levels(x)[0])
    assert left == page.shape[1] - left - 7 * scale
    assert y == page.shape[0] - y - 5 * scale
    assert figure.axes[0].images[0].get_interpolation() == "nearest"


def test_colours_keep_their_channels():
    x = torch.full((1, 3, 2, 2), -1.0)
    x[:, 0] = 1.0
    page = page_of(image_grid(x))
    assert page[page.shape[0] // 2, page.shape[1] // 2].tolist() == [255, 0, 0]


def test_a_hundred_images_are_one_small_picture():
    smooth = torch.nn.functional.interpolate(noise(100, 1, 5, 5), size=16, mode="bilinear")
    figure = image_grid(smooth)
    assert len(figure.axes) == 1 and len(figure.axes[0].images) == 1
    assert len(png_bytes(figure)) <= 60_000
    assert 5 < figure.get_figwidth() < 7.5


@pytest.mark.parametrize("side, columns", [(8, 10), (16, 10), (28, 10), (32, 8), (64, 6), (16, 20)])
def test_grids_fit_a_page(side, columns):
    figure = image_grid(torch.zeros(columns, 3, side, side), columns=columns)
    assert 5 < figure.get_figwidth() < 7.5


def test_texts_stand_where_they_belong():
    x = torch.zeros(6, 1, 4, 4)
    axes = image_grid(x, columns=3, titles=["a", "b", "c"], row_labels=["top", "bottom"]).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["top", "bottom"]
    assert axes.get_yticks()[0] < axes.get_yticks()[1] < axes.get_ylim()[0]  # downwards
    each = image_grid(x, columns=3, titles=range(6)).axes[0].texts
    assert [t.get_text() for t in each] == list("012345")
    assert len({t.get_position()[1] for t in each}) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"title": "A title that is much longer than the pictures below it"},
        {"row_labels": ["quite a long name of a row", "b"], "columns": 2},
        {"titles": ["a", "b", "c", "d"], "columns": 2, "title": "t"},
    ],
)
def test_no_text_leaves_the_page_or_covers_an_image(options):
    figure = image_grid(torch.zeros(4, 1, 8, 8), **options)
    figure.canvas.draw()
    axes = figure.axes[0]
    page, grid = figure.bbox.extents, axes.get_window_extent().extents
    labels = [t for t in (*axes.get_xticklabels(), *axes.get_yticklabels()) if t.get_text()]
    for text in (*figure.texts, *labels, *axes.texts):
        x0, y0, x1, y1 = text.get_window_extent().extents
        assert page[0] <= x0 and page[1] <= y0 and x1 <= page[2] and y1 <= page[3]
    for text in (*figure.texts, *labels):
        x0, y0, _, _ = text.get_window_extent().extents
        assert x0 >= grid[2] or y0 >= grid[3] or text.get_window_extent().x1 <= grid[0]


def test_compare_rows_names_its_rows_and_keeps_the_columns_together():
    x, y = noise(4, 1, 5, 5), noise(4, 1, 5, 5, seed=1)
    figure = compare_rows({"input": x, "reconstruction": y}, title="AE")
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["input", "reconstruction"]
    page = page_of(figure)
    for above, below in zip(levels(x), levels(y), strict=True):
        _, row, column = find(page, above)
        _, row_below, column_below = find(page, below)
        assert row < row_below and column == column_below


def test_the_description_counts_the_images_and_names_the_rows():
    alt = compare_rows({"a": torch.zeros(3, 3, 2, 2), "b": torch.zeros(3, 3, 2, 2)}, title="T").alt
    assert alt == "T: 6 colour images of 2 x 2 pixels, 2 rows of 3. Rows: a; b."
    assert image_grid(torch.zeros(1, 1, 2, 2), alt="mine").alt == "mine"


def test_tensors_that_need_gradients_and_arrays_are_fine():
    x = noise(2, 1, 3, 3)
    expected = png_bytes(image_grid(x))
    assert png_bytes(image_grid(x.clone().requires_grad_())) == expected
    assert png_bytes(image_grid(x.numpy())) == expected


def test_drawing_leaves_the_images_alone():
    x = torch.full((1, 1, 2, 2), 1.02)
    image_grid(x)
    assert (x == 1.02).all()


def test_no_figure_stays_open():
    plt.close("all")
    for _ in range(100):
        image_grid(torch.zeros(1, 1, 2, 2))
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    "x, said",
    [
        (torch.zeros(4, 8, 8), r"shape \(4, 8, 8\).*\(B, C, H, W\)"),
        (torch.zeros(2, 2, 8, 8), r"shape \(2, 2, 8, 8\).*C = 1 or 3"),
        (torch.zeros(0, 1, 8, 8), r"shape \(0, 1, 8, 8\)"),
        (torch.full((1, 1, 2, 2), float("nan")), "4 of 4 values that are NaN"),
        (torch.full((1, 1, 2, 2), 1.06), r"from 1.06 to 1.06.*clamp\(-1, 1\)"),
        (torch.full((1, 1, 2, 2), -1.06), "from -1.06"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), "uint8.*to_model_range"),
        (torch.zeros(401, 1, 2, 2), r"401 images.*x\[:100\]"),
        ([[1.0]], r"shape \(1, 1\)"),
    ],
)
def test_wrong_images_are_refused_in_a_sentence(x, said):
    with pytest.raises(ValueError, match=said):
        image_grid(x)


@pytest.mark.parametrize(
    "options, said",
    [
        ({"titles": ["a"]}, "titles has 1 entries; this grid needs 2 or 4"),
        ({"row_labels": ["a", "b", "c"]}, "row_labels has 3 entries; this grid needs 2"),
        ({"columns": 0}, "columns is 0"),
    ],
)
def test_texts_that_do_not_fit_are_refused(options, said):
    with pytest.raises(ValueError, match=said):
        image_grid(torch.zeros(4, 1, 2, 2), **{"columns": 2, **options})


@pytest.mark.parametrize(
    "rows, said",
    [
        ({}, "no rows"),
        (
            {"a": torch.zeros(2, 1, 2, 2), "b": torch.zeros(3, 1, 2, 2)},
            "one shape.*'b': .3, 1, 2, 2",
        ),
        ({"a": torch.zeros(21, 1, 2, 2)}, r"21 images.*x\[:10\]"),
        ({"a": torch.full((2, 1, 2, 2), 7.0)}, "a has values from 7 to 7"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused(rows, said):
    with pytest.raises(ValueError, match=said):
        compare_rows(rows)
