"""Heat maps and latent planes keep their ranges and name what they show."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from genimg_course.viz import heatmap, latent_scatter, png_bytes

NAMES: dict[str, Any] = {"xlabel": "seen", "ylabel": "asked", "colour_label": "share"}


def test_a_heat_map_names_axes_and_colours():
    figure = heatmap([[0.1, 0.9], [0.5, 0.5]], rows=["a", "b"], columns=["c", "d"], **NAMES)
    axes, bar = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("seen", "asked", "share")
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["c", "d"]
    assert [t.get_text() for t in axes.texts] == ["0.10", "0.90", "0.50", "0.50"]
    assert figure.alt == "share for 2 rows (asked) and 2 columns (seen), from 0.1 to 0.9."


def test_the_first_row_is_at_the_top():
    axes = heatmap(np.eye(3), **NAMES).axes[0]
    low, high = axes.get_ylim()
    assert low > high and axes.texts[0].get_position() == (0, 0)


def test_the_same_value_has_the_same_colour_in_every_map_with_given_limits():
    def colour(matrix):
        figure = heatmap(matrix, limits=(0, 1), **NAMES)
        picture = figure.axes[0].images[0]
        return picture.to_rgba(np.array([[0.25]]))

    np.testing.assert_array_equal(colour([[0.25, 0.3]]), colour([[0.25, 1.0]]))


def test_opposite_limits_make_zero_nearly_white():
    picture = heatmap([[0.0, 2.0]], limits=(-3, 3), **NAMES).axes[0].images[0]
    assert picture.to_rgba(np.zeros((1, 1)))[0, 0, :3].min() > 0.93


def test_numbers_can_be_read_on_every_colour():
    values = np.linspace(0, 1, 10).reshape(2, 5)
    figure = heatmap(values, **NAMES)
    shades = figure.axes[0].images[0].to_rgba(values)[..., :3] @ [0.299, 0.587, 0.114]
    dark_text = [text.get_color() != "white" for text in figure.axes[0].texts]
    assert dark_text == (shades.ravel() > 0.5).tolist()


def test_large_maps_have_few_ticks_and_no_numbers():
    axes = heatmap(np.zeros((40, 64)), **NAMES).axes[0]
    assert len(axes.get_xticks()) <= 16 and not axes.texts


def test_a_latent_plane_has_a_fixed_range_and_the_circles_of_the_prior():
    for scale in (0.1, 1.0, 10.0):
        figure = latent_scatter(torch.randn(50, 2) * scale)
        axes = figure.axes[0]
        assert axes.get_xlim() == (-4, 4) and axes.get_ylim() == (-4, 4)
        assert axes.get_xlabel() and axes.get_ylabel() and axes.get_aspect() == 1
    z = torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0))
    radii = sorted(circle.get_radius() for circle in axes.patches)
    inside = [(z.norm(dim=1) < radius).float().mean().item() for radius in radii]
    assert inside == pytest.approx([0.5, 0.95], abs=0.005)


def test_codes_out_of_view_are_counted():
    figure = latent_scatter([[0, 0], [5, 0], [0, -9]])
    assert "2 of 3 codes lie outside" in figure.axes[0].get_xlabel()
    assert "3 codes in two dimensions, 2 of them out of view." in figure.alt
    assert "outside" not in latent_scatter([[0, 0]]).axes[0].get_xlabel()


def test_classes_are_named_at_their_medians():
    z = [[1, 1], [1, 1], [3, 3], [-2, 0], [-2, 0]]
    axes = latent_scatter(z, torch.tensor([0, 0, 0, 4, 4]), names="vwxyz").axes[0]
    assert [(t.get_text(), *t.get_position()) for t in axes.texts] == [("v", 1, 1), ("z", -2, 0)]
    points = [collection.get_offsets().tolist() for collection in axes.collections]
    assert points == [[[1, 1], [1, 1], [3, 3]], [[-2, 0], [-2, 0]]]


def test_a_code_is_drawn_where_it_lies():
    figure = latent_scatter([[2.0, 3.0]], prior=False)
    page = np.asarray(Image.open(io.BytesIO(png_bytes(figure))).convert("RGB")).astype(int)
    x, y = figure.axes[0].transData.transform((2.0, 3.0))
    red, _, blue = page[page.shape[0] - round(y), round(x)]
    assert blue - red > 50


def test_places_are_marked_named_and_told():
    places = {"your point": (1.0, -2.0), "its code": torch.tensor([0.5, 0.25])}
    figure = latent_scatter([[0, 0]], xlabel="latent 3", ylabel="latent 5", marks=places)
    cross, ring = figure.axes[0].collections[-2:]
    assert [*cross.get_offsets()[0], *ring.get_offsets()[0]] == [1.0, -2.0, 0.5, 0.25]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(places)
    assert figure.alt.endswith(
        "Across latent 3, up latent 5: your point at (1, -2); its code at (0.5, 0.25)."
    )


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: heatmap([1, 2], **NAMES), r"shape \(2,\)"),
        (lambda: heatmap([[1.0, float("nan")]], **NAMES), "1 of 2 values that are NaN"),
        (lambda: heatmap([[1, 2]], columns=["a"], **NAMES), "columns has 1 names.*2 columns"),
        (lambda: heatmap([[1, 2]], limits=(1, 1), **NAMES), "low < high"),
        (lambda: latent_scatter(torch.zeros(4, 3)), r"shape \(4, 3\).*z\[:, :2\]"),
        (lambda: latent_scatter([[0, 0]], [0, 1]), "2 labels for 1 codes"),
        (lambda: latent_scatter([[0, 0]], [0.5]), "whole numbers"),
        (lambda: latent_scatter([[0, 0]], [3], names=["a"]), "names has 1 entries.*class 3"),
        (lambda: latent_scatter([[0, 0]], limit=0), "limit is 0"),
        (lambda: latent_scatter([[0, 0]], marks=dict.fromkeys("abc", (0, 0))), "at most two"),
    ],
)
def test_wrong_planes_are_refused_in_a_sentence(call, said):
    with pytest.raises(ValueError, match=said):
        call()
