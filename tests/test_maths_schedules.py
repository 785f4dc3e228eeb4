import math

import pytest
import torch

from genimg_course.maths import alpha_bars, cosine_betas, linear_betas


def test_the_linear_schedule_of_a_thousand_steps_ends_in_noise():
    bars = alpha_bars(linear_betas(1000))
    assert bars.shape == (1001,) and bars[0] == 1
    assert bars[-1].item() == pytest.approx(4.04e-5, rel=0.01)


def test_one_step_is_the_first_one():
    assert linear_betas(1, first=0.3, last=0.9).tolist() == [0.3]


@pytest.mark.parametrize("steps", [4, 40, 1000])
def test_the_cosine_schedule_is_half_gone_in_the_middle(steps):
    bars = alpha_bars(cosine_betas(steps, offset=0.0))
    assert bars[steps // 2].item() == pytest.approx(0.5, abs=1e-12)
    quarter = math.cos(math.pi / 8) ** 2
    assert bars[steps // 4].item() == pytest.approx(quarter, abs=1e-12)


def test_shares_fall_and_stay_positive():
    for betas in (linear_betas(20, last=0.4), cosine_betas(20)):
        bars = alpha_bars(betas)
        assert (bars.diff() < 0).all() and bars[-1] > 0
        assert bars.dtype == torch.float64


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: linear_betas(0), "steps is 0"),
        (lambda: linear_betas(5, last=1.0), "1.0"),
        (lambda: cosine_betas(0), "steps is 0"),
        (lambda: cosine_betas(5, most=1.0), "most 1.0"),
        (lambda: alpha_bars(torch.ones(2, 2) / 2), "(2, 2)"),
        (lambda: alpha_bars(torch.tensor([0.5, 1.5])), "1.5"),
        (lambda: alpha_bars(torch.tensor([0.5, 1.0])), "0 or a 1"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
