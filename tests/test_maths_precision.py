import math

import pytest
import torch

from genimg_course.maths import float_format, unscale_and_clip


@pytest.mark.parametrize(
    "dtype, bits",
    [(torch.float16, (5, 10)), (torch.bfloat16, (8, 7)), (torch.float32, (8, 23))],
)
def test_formats_are_those_of_torch(dtype, bits):
    found, info = float_format(*bits), torch.finfo(dtype)
    assert (found.largest, found.normal, found.epsilon) == (info.max, info.tiny, info.eps)
    assert found.smallest == info.tiny * info.eps


def test_half_of_the_smallest_number_is_lost():
    smallest = float_format(5, 10).smallest
    assert float(torch.tensor(smallest).half()) == smallest
    assert float(torch.tensor(smallest / 2).half()) == 0.0


def test_impossible_formats_are_refused():
    for bits in ((1, 4), (11, 52), (5, 0)):
        with pytest.raises(ValueError, match=f"got {bits[0]} bits of exponent and {bits[1]}"):
            float_format(*bits)


def test_clipping_agrees_with_torch():
    gradient = torch.randn(7, generator=torch.Generator().manual_seed(0))
    weight = torch.nn.Parameter(torch.zeros(7))
    weight.grad = gradient.clone()
    torch.nn.utils.clip_grad_norm_([weight], 0.5)
    found = unscale_and_clip(64 * gradient, 64.0, max_norm=0.5)
    torch.testing.assert_close(found, weight.grad, rtol=1e-5, atol=1e-6)


def test_a_short_gradient_is_left_alone_and_comes_back_in_float32():
    gradient = torch.tensor([0.25, -0.5], dtype=torch.float16)
    found = unscale_and_clip(4 * gradient, 4.0, max_norm=10.0)
    assert found.dtype == torch.float32
    assert found.tolist() == [0.25, -0.5]


@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
def test_a_step_with_a_broken_value_is_skipped(bad):
    assert not unscale_and_clip(torch.tensor([1.0, bad]), 2.0, max_norm=1.0).any()


def test_scale_and_bound_must_be_positive():
    for scale, bound in ((0.0, 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match=f"scale is {scale} and max_norm {bound}"):
            unscale_and_clip(torch.ones(2), scale, max_norm=bound)
