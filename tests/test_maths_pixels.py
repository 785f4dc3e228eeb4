"""The pixel contract."""

import numpy as np
import pytest
import torch

from genimg_course.maths import to_model_range, to_uint8

ALL_LEVELS = torch.arange(256, dtype=torch.uint8).reshape(4, 1, 8, 8)


def test_every_grey_level_survives_the_round_trip():
    assert torch.equal(to_uint8(to_model_range(ALL_LEVELS)), ALL_LEVELS)


def test_every_grey_level_survives_the_round_trip_in_half_precision():
    # 16-bit floats near 1 are coarser than the grey levels are in bfloat16, but not in float16
    assert torch.equal(to_uint8(to_model_range(ALL_LEVELS).half()), ALL_LEVELS)


def test_levels_become_equally_spaced_numbers_from_minus_one_to_one():
    x = to_model_range(ALL_LEVELS)
    assert x.dtype == torch.float32 and x.shape == ALL_LEVELS.shape
    torch.testing.assert_close(x.flatten(), torch.linspace(-1, 1, 256), rtol=0, atol=1e-6)
    assert (x.min().item(), x.max().item()) == (-1.0, 1.0)


def test_stored_pixels_are_not_changed_in_place():
    images = ALL_LEVELS.clone()
    to_model_range(images)
    assert torch.equal(images, ALL_LEVELS)


def test_floats_are_not_changed_in_place():
    x = torch.tensor([-3.0, 0.25, 3.0])
    to_uint8(x)
    assert x.tolist() == [-3.0, 0.25, 3.0]


def test_what_lies_outside_is_clipped_and_the_rest_rounded_to_the_nearest():
    x = torch.tensor([-9.0, -1.0, -1 + 0.6 / 127.5, -1 + 0.4 / 127.5, 1.0, float("inf")])
    assert to_uint8(x).tolist() == [0, 0, 1, 0, 255, 255]


def test_a_second_conversion_is_refused():
    with pytest.raises(ValueError, match=r"float32.*converted before"):
        to_model_range(to_model_range(ALL_LEVELS))


def test_integers_are_no_model_pixels():
    with pytest.raises(ValueError, match="uint8"):
        to_uint8(ALL_LEVELS)


def test_not_a_number_is_refused_instead_of_becoming_black():
    with pytest.raises(ValueError, match="NaN"):
        to_uint8(torch.tensor([0.0, float("nan")]))


def test_a_picture_that_requires_a_gradient_can_be_shown():
    assert to_uint8(torch.ones(2, requires_grad=True)).tolist() == [255, 255]


def test_the_way_back_agrees_with_numpy():
    x = torch.linspace(-2, 2, 1001)
    known = np.clip(np.rint((x.numpy() + 1) * 127.5), 0, 255).astype(np.uint8)
    assert to_uint8(x).numpy().tolist() == known.tolist()
