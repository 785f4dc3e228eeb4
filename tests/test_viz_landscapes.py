"""A loss over two weights shows its heights, and a path with its start, its end and its strays."""

import io

import numpy as np
import pytest
from PIL import Image

from genimg_course.viz import loss_landscape, png_bytes

X, Y = np.linspace(-2, 2, 9), np.linspace(-1, 1, 5)
LOSSES = 0.1 + X**2 + Y[:, None] ** 2
LABELS = {"xlabel": "first", "ylabel": "second"}


def test_the_map_shows_each_height_at_its_weights():
    figure = loss_landscape(X, Y, LOSSES, [[0, 0]], title="bowl", **LABELS)
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("first", "second", "loss")
    assert axes.get_xlim() == (-2, 2) and axes.get_ylim() == (-1, 1)
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_the_lowest_place_is_the_lightest():
    heights = np.exp(-X + 0.5 * Y[:, None])  # lowest at the right end, below
    figure = loss_landscape(X, Y, heights, [[0, 0]], **LABELS)
    picture = np.asarray(Image.open(io.BytesIO(png_bytes(figure))).convert("L"))

    def light(x, y):
        across, up = figure.axes[0].transData.transform((x, y))
        return int(picture[picture.shape[0] - round(up), round(across)])

    assert light(1.9, -0.9) > light(1.9, 0.9) > light(-1.9, -0.9) > light(-1.9, 0.9)


def test_the_bands_grow_by_one_factor():
    levels = loss_landscape(X, Y, LOSSES, [[0, 0]], **LABELS).axes[0].collections[0].levels
    factors = levels[1:] / levels[:-1]
    np.testing.assert_allclose(factors, factors[0])
    assert levels[0] < LOSSES.min() and levels[-1] > LOSSES.max()


def test_start_and_end_of_the_path_are_marked():
    axes = loss_landscape(X, Y, LOSSES, [[1, 0.5], [0.5, 0], [0, 0.1]], **LABELS).axes[0]
    path, start, end = axes.lines
    np.testing.assert_array_equal(path.get_xydata(), [[1, 0.5], [0.5, 0], [0, 0.1]])
    assert (start.get_marker(), *start.get_xydata()[0]) == ("o", 1, 0.5)
    assert (end.get_marker(), *end.get_xydata()[0]) == ("s", 0, 0.1)


def test_places_out_of_view_are_counted():
    figure = loss_landscape(X, Y, LOSSES, [[1, 0.5], [3, 0], [0, -7], [2, 1]], **LABELS)
    assert "2 of 4 places lie outside" in figure.axes[0].get_xlabel()
    assert figure.alt == "a path over a loss, from (1, 0.5) to (2, 1), 2 of 4 out of view."
    assert "outside" not in loss_landscape(X, Y, LOSSES, [[0, 0]], **LABELS).axes[0].get_xlabel()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"losses": LOSSES.T}, r"shape \(9, 5\)"),
        ({"losses": LOSSES - 0.1}, "least value 0"),
        ({"path": [[0, 0, 0]]}, r"path has shape \(1, 3\)"),
        ({"path": [[0, np.nan]]}, "NaN or infinite"),
    ],
)
def test_bad_input_is_named(change, named):
    given = {"x": X, "y": Y, "losses": LOSSES, "path": [[0, 0]]} | change
    with pytest.raises(ValueError, match=named):
        loss_landscape(**given, **LABELS)
