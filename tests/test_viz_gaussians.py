"""Two Gaussians lie where they are, and the bill of their distance adds up."""

import numpy as np
import pytest
from matplotlib.patches import Ellipse

from genimg_course.viz import gaussian_pair, png_bytes

COV = np.array([[2.0, 0.9], [0.9, 0.5]])
POINTS = np.array([[0.0, 0.0], [1.0, 1.0], [3.0, -1.0]])
LAWS = {"data": (np.zeros(2), np.eye(2), POINTS), "model": (np.array([1.0, -1.0]), COV, POINTS)}
BILL = {"parts": {"means": 2.0, "covariances": 0.5}, "estimates": [2.0, 4.0]}
LABEL = {"xlabel": "distance"}


def test_ellipses_stand_at_one_and_two_standard_deviations():
    plane = gaussian_pair(LAWS, **BILL, **LABEL).axes[0]
    ellipses = [patch for patch in plane.patches if isinstance(patch, Ellipse)]
    assert len(ellipses) == 4
    for deviations, ellipse in zip((1, 2), ellipses[2:], strict=True):
        outline = ellipse.get_path().interpolated(8).transformed(ellipse.get_patch_transform())
        away = outline.vertices - [1.0, -1.0]
        mahalanobis = np.sqrt((away @ np.linalg.inv(COV) * away).sum(axis=1))
        # the outline is made of curves; a chord between two points of one lies a little inside
        np.testing.assert_allclose(mahalanobis, deviations, rtol=0.05)


def test_the_bar_adds_up_the_parts_and_the_dots_are_the_estimates():
    figure = gaussian_pair(LAWS, **BILL, **LABEL, title="two")
    bill = figure.axes[1]
    assert [(bar.get_x(), bar.get_width()) for bar in bill.patches] == [(0, 2.0), (2.0, 0.5)]
    dots, mean, exact = bill.lines
    assert dots.get_xdata().tolist() == [2.0, 4.0]
    assert set(mean.get_xdata()) == {3.0} and set(exact.get_xdata()) == {2.5}
    assert bill.get_xlabel() == "distance" and bill.get_xlim() == (0, 5)
    assert figure.alt == (
        "two: data and model. distance: exact 2.50 = means 2.00 + covariances 0.50; "
        "2 estimates from 2.00 to 4.00, mean 3.00."
    )
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_a_distance_of_zero_has_a_picture():
    figure = gaussian_pair(LAWS, parts={"means": 0.0}, estimates=[0.0], **LABEL)
    low, high = figure.axes[1].get_xlim()
    assert low == 0 < high and "exact 0.00" in figure.alt


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"laws": {"data": LAWS["data"]}}, "1 laws"),
        ({"parts": {}}, "0 parts"),
        ({"parts": {"a": 1.0, "b": 1.0, "c": 1.0}}, "3 parts"),
        ({"laws": {**LAWS, "model": (np.zeros(3), np.eye(3), POINTS)}}, r"model has shapes \(3,\)"),
    ],
)
def test_bad_input_is_named(change, named):
    with pytest.raises(ValueError, match=named):
        gaussian_pair(**({"laws": LAWS} | BILL | LABEL | change))
