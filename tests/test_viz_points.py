"""Panels of points share their axes and count what they cannot show; a field has fixed colours."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from genimg_course.viz import png_bytes, point_field, point_panels
from genimg_course.viz.style import BLUE, ORANGE

FIELD = {"real": [[0.5, -0.25]], "generated": [[-0.5, 0.0], [0.0, 1.0]], "colour_label": "D"}


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


def right_half(places):
    """Take every place with a positive first coordinate for real."""
    return (places[:, 0] > 0).astype(float)


def test_a_field_is_blue_where_it_is_one_and_the_right_way_round():
    figure = point_field(right_half, limit=2.0, **FIELD)
    picture = figure.axes[0].images[0]
    plane = picture.get_array()
    assert picture.get_extent() == [-2, 2, -2, 2] and picture.origin == "lower"
    assert (plane[:, 41:] == 1).all() and (plane[:, :41] == 0).all()
    up = point_field(lambda places: (places[:, 1] > 0).astype(float), **FIELD)
    assert (up.axes[0].images[0].get_array()[41:] == 1).all()
    assert picture.cmap(picture.norm(1.0)) == pytest.approx(to_rgba(BLUE), abs=0.01)
    assert picture.cmap(picture.norm(0.0)) == pytest.approx(to_rgba(ORANGE), abs=0.01)
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_the_same_value_has_the_same_colour_in_every_field():
    for level in (0.2, 0.6):
        picture = point_field(lambda places, v=level: np.full(len(places), v), **FIELD)
        assert picture.axes[0].images[0].get_clim() == (0, 1)


def test_points_of_a_field_lie_where_they_are_and_are_told_apart():
    figure = point_field(right_half, **FIELD, title="Game")
    clouds = {c.get_label(): c.get_offsets() for c in figure.axes[0].collections}
    np.testing.assert_allclose(clouds["real"], FIELD["real"])
    np.testing.assert_allclose(clouds["generated"], FIELD["generated"])
    assert figure.alt == "Game: D, on average 1.00 at real points, 0.00 at generated points."


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"real": [[1.0, 2.0, 3.0]]}, r"real has shape \(1, 3\)"),
        ({"field": lambda places: places[:3, 0] * 0}, "3 values for 6561 places"),
        ({"field": lambda places: places[:, 0]}, "values from -3 to 3; pass probabilities"),
    ],
)
def test_a_bad_field_is_named(change, named):
    with pytest.raises(ValueError, match=named):
        point_field(**({"field": right_half} | FIELD | change))
