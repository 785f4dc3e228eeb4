"""Figures are put together dot by dot, and their descriptions one after the other."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from genimg_course.viz import Figure, assemble, image_grid, png_bytes


def square(side, level, alt):
    """Return a figure of one grey square."""
    figure = image_grid(torch.full((1, 1, side, side), level), alt=alt)
    return figure, figure.dots()


def test_every_dot_of_every_figure_stands_where_it_should():
    (big, big_dots), (small, small_dots) = square(8, -1.0, "Big."), square(3, 0.0, "Small.")
    page = assemble([[big, small], [small]]).dots()
    height, width, _ = big_dots.shape
    across = width + small_dots.shape[1]
    assert page.shape == (height + small_dots.shape[0], across, 4)
    np.testing.assert_array_equal(page[:height, :width], big_dots)
    above = (height - small_dots.shape[0]) // 2
    middle = page[above : above + small_dots.shape[0], width:]
    np.testing.assert_array_equal(middle, small_dots)
    np.testing.assert_array_equal(page[height:, : small_dots.shape[1]], small_dots)
    assert (page[height:, small_dots.shape[1] :] == 255).all()


def test_a_page_is_stored_as_it_is_and_can_be_put_together_again():
    one, dots = square(8, -1.0, "One.")
    once = assemble([[one]])
    stored = np.asarray(Image.open(io.BytesIO(png_bytes(once))).convert("RGB"))
    np.testing.assert_array_equal(stored, dots[..., :3])
    np.testing.assert_array_equal(assemble([[once]]).dots(), dots)


def test_matplotlib_draws_the_same_picture_from_it():
    page = assemble([[image_grid(torch.zeros(1, 1, 8, 8), title="This side up")]])
    np.testing.assert_array_equal(Figure.dots(page), page.dots())


def test_the_descriptions_follow_each_other():
    one, two = square(2, 0.0, "One.")[0], square(2, 0.0, "Two.")[0]
    assert assemble([[one], [two]]).alt == "One. Two."
    assert assemble([[one, two]], alt="Both.").alt == "Both."


def test_a_row_without_figures_is_refused():
    for rows in ([], [[]], [[square(2, 0.0, "One.")[0]], []]):
        with pytest.raises(ValueError, match="there are rows of"):
            assemble(rows)
