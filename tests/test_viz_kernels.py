"""The cells under a kernel are those that PyTorch's convolutions read and paint."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from genimg_course.maths import conv_size, transposed_conv_size
from genimg_course.viz import kernel_grids, png_bytes

MARGIN, UNTOUCHED, PIXEL, TAP_OUTSIDE, TAP = range(5)
LAYERS = [
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 3, "padding": 2},
    {"kernel_size": 4, "stride": 2, "padding": 0},
    {"kernel_size": 3, "stride": 1, "padding": 1, "dilation": 2},
]


def cells(figure):
    """Return the kinds of the cells of both grids, the input first."""
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def margin_and_inside(large, padding):
    """Return whether the margin holds what a margin can hold, and the cells within it."""
    side = slice(padding, len(large) - padding)
    margin = np.ones(large.shape, dtype=bool)
    margin[side, side] = False
    return np.isin(large[margin], (MARGIN, TAP_OUTSIDE)).all(), large[side, side]


def gradient(x, y):
    """Return which entries of ``x`` the number ``y`` depends on."""
    return (torch.autograd.grad(y, x, retain_graph=True)[0] != 0)[0, 0].numpy()


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_an_ordinary_kernel_is_where_the_result_depends_on_the_input(layer):
    size = conv_size(7, **layer)
    x = torch.rand(1, 1, 7, 7, requires_grad=True)
    steps = {key: layer[key] for key in ("stride", "padding", "dilation") if key in layer}
    y = F.conv2d(x, torch.ones(1, 1, *2 * [layer["kernel_size"]]), **steps)
    for place in ((0, 0), (size - 1, 0), (1, size - 1)):
        large, small = cells(kernel_grids(7, size, place=place, **layer))
        margin, inside = margin_and_inside(large, layer["padding"])
        assert margin
        np.testing.assert_array_equal(inside == TAP, gradient(x, y[0, 0][place]))
        np.testing.assert_array_equal(inside != UNTOUCHED, gradient(x, y.sum()))
        assert ((large == TAP) | (large == TAP_OUTSIDE)).sum() == layer["kernel_size"] ** 2
        assert np.argwhere(small == TAP).tolist() == [list(place)]


@pytest.mark.parametrize("output_padding", [0, 1])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_transposed_kernel_is_where_the_input_paints(layer, output_padding):
    if output_padding >= max(layer["stride"], layer.get("dilation", 1)):
        pytest.skip("such a layer does not exist")
    size = transposed_conv_size(5, output_padding=output_padding, **layer)
    steps = {key: layer[key] for key in ("stride", "padding", "dilation") if key in layer}
    kernel = torch.ones(1, 1, *2 * [layer["kernel_size"]])

    def painted(x):
        y = F.conv_transpose2d(x, kernel, output_padding=output_padding, **steps)
        return y[0, 0].numpy() > 0

    for place in ((0, 0), (4, 0), (1, 3)):
        small, large = cells(kernel_grids(5, size, transposed=True, place=place, **layer))
        one = torch.zeros(1, 1, 5, 5)
        one[0, 0][place] = 1.0
        margin, inside = margin_and_inside(large, layer["padding"])
        assert margin and inside.shape == (size, size)
        np.testing.assert_array_equal(inside == TAP, painted(one))
        np.testing.assert_array_equal(inside != UNTOUCHED, painted(torch.ones(1, 1, 5, 5)))
        assert np.argwhere(small == TAP).tolist() == [list(place)]


def test_the_description_names_rows_columns_and_what_falls_on_padding():
    figure = kernel_grids(5, 3, kernel_size=3, stride=2, padding=1, place=(0, 1), title="half")
    assert figure.alt == (
        "half. Row 0, column 1 of the output: the kernel is on rows 0, 1, 2 and columns 2, 3, 4 "
        "of the input, counted with the padding. 3 of its 9 taps fall on padding."
    )
    names = [text.get_text() for text in figure.axes[0].texts]
    assert names == ["input 5 × 5, padded to 7 × 7", "output 3 × 3"]
    figure = kernel_grids(3, 5, kernel_size=3, stride=2, padding=1, transposed=True)
    assert "of the output, counted with the margin. 5 of its 9 taps are cut off." in figure.alt
    names = [text.get_text() for text in figure.axes[0].texts]
    assert names == ["input 3 × 3", "output 5 × 5, cut out of 7 × 7"]


def test_a_place_beyond_the_last_pixel_is_the_last_pixel():
    layer = {"kernel_size": 2, "stride": 2}
    assert kernel_grids(4, 2, place=(9, -1), **layer).alt == (
        kernel_grids(4, 2, place=(1, 0), **layer).alt
    )


def test_the_legend_names_the_kinds_that_are_there():
    def names(figure):
        return [text.get_text() for text in figure.legends[0].get_texts()]

    assert names(kernel_grids(4, 2, kernel_size=2, stride=2)) == ["pixel", "kernel and its result"]
    assert names(kernel_grids(2, 2, kernel_size=3, padding=1, transposed=True)) == [
        "cut off", "pixel", "paint, cut off", "paint and its source",
    ]  # fmt: skip


def test_without_an_output_the_input_stands_alone_under_the_reason():
    figure = kernel_grids(4, 0, kernel_size=9, padding=1, title="no place")
    (only,) = cells(figure)
    assert only.shape == (6, 6) and set(np.unique(only)) == {MARGIN, PIXEL}
    assert figure.alt == "no place" and figure.get_suptitle() == "no place"
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_all_pictures_have_one_size():
    sizes = {
        tuple(kernel_grids(n, m, kernel_size=2, stride=2).get_size_inches())
        for n, m in ((2, 1), (4, 2), (20, 10), (5, 0))
    }
    assert len(sizes) == 1


def test_a_size_that_the_kernel_overruns_is_refused():
    with pytest.raises(ValueError, match="3 positions of a kernel of 2 need 6 pixels a side"):
        kernel_grids(4, 3, kernel_size=2, stride=2)
