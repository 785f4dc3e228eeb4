"""Panels of points share their axes and count what they cannot show."""

import numpy as np
import pytest
import torch

from genimg_course.viz import png_bytes, point_panels


def test_every_panel_has_its_points_and_the_same_range():
    one, two = torch.rand(7, 2) * 2 - 1, np.array([[0.5, -0.25]])
    figure = point_panels({"data": one, "model": two}, limit=2.0, title="Two laws")
    left, right = figure.axes
    np.testing.assert_allclose(left.collections[0].get_offsets(), one)
    np.testing.assert_allclose(right.collections[0].get_offsets(), two)
    for axes in figure.axes:
        assert (axes.get_xlim(), axes.get_ylim()) == ((-2, 2), (-2, 2))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["data", "model"]
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_points_out_of_view_are_counted():
    figure = point_panels({"far": [[5.0, 0.0], [0.0, -5.0], [1.0, 1.0]], "near": [[0.0, 0.0]]})
    assert "2 outside" in figure.axes[0].get_xlabel()
    assert "outside" not in figure.axes[1].get_xlabel()
    assert "far: 3 points, 2 outside" in figure.alt


@pytest.mark.parametrize(
    ("sets", "limit", "named"),
    [
        ({}, 3.0, "0 sets"),
        ({str(i): [[0.0, 0.0]] for i in range(5)}, 3.0, "5 sets"),
        ({"a": [[0.0, 0.0, 0.0]]}, 3.0, "(1, 3)"),
        ({"a": [[0.0, np.nan]]}, 3.0, "NaN"),
        ({"a": [[0.0, 0.0]]}, -1.0, "-1.0"),
    ],
)
def test_bad_input_is_named(sets, limit, named):
    with pytest.raises(ValueError) as error:
        point_panels(sets, limit=limit)
    assert named in str(error.value)
