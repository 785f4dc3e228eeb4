"""Rates agree with bisection and with counting rounded draws; errors are named."""

import math

import pytest
import torch

from genimg_course.maths import quantiser_cost, reverse_water_filling


def by_bisection(spectrum, total):
    low, high = 0.0, max(spectrum)
    for _ in range(200):
        level = (low + high) / 2
        low, high = (level, high) if sum(min(level, v) for v in spectrum) < total else (low, level)
    return sum(0.5 * math.log2(v / min(level, v)) for v in spectrum)


@pytest.mark.parametrize("total", [0.05, 0.6, 2.0, 5.0])
def test_water_filling_agrees_with_bisection(total):
    spectrum = [1.0, 0.25, 4.0, 0.05]
    found = reverse_water_filling(torch.tensor(spectrum, dtype=torch.float64), total)
    assert found.rate.item() == pytest.approx(by_bisection(spectrum, total), abs=1e-9)
    assert found.distortion.sum().item() == pytest.approx(total)


def test_all_of_the_variance_as_error_costs_nothing():
    spectrum = torch.tensor([1.0, 0.25, 4.0], dtype=torch.float64)
    found = reverse_water_filling(spectrum, 5.25)
    assert found.rate.item() == pytest.approx(0, abs=1e-12)
    torch.testing.assert_close(found.distortion, spectrum)


def test_one_component_costs_half_a_bit_for_each_halving_of_its_error():
    rates = [reverse_water_filling(torch.tensor([1.0]), d).rate.item() for d in (0.5, 0.25)]
    assert rates == pytest.approx([0.5, 1.0])


def test_the_quantiser_agrees_with_rounded_draws():
    x = 1.3 * torch.randn(200_000, generator=torch.Generator().manual_seed(0)).double()
    rounded = (x / 0.9).round()
    share = rounded.unique(return_counts=True)[1] / len(x)
    error = (x - 0.9 * rounded).square().mean().item()
    found = quantiser_cost(1.3, 0.9)
    assert found.rate.item() == pytest.approx(-(share * share.log2()).sum().item(), abs=0.01)
    assert found.distortion.item() == pytest.approx(error, abs=2e-3)


def test_one_huge_step_costs_no_bits_and_all_of_the_variance():
    found = quantiser_cost(0.5, 100.0)
    assert (found.rate.item(), found.distortion.item()) == pytest.approx((0.0, 0.25))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: reverse_water_filling(torch.tensor([1.0, 0.0]), 0.5), "[1.0, 0.0]"),
        (lambda: reverse_water_filling(torch.ones(1, 2), 0.5), "[[1.0, 1.0]]"),
        (lambda: reverse_water_filling(torch.ones(2), 0.0), "distortion is 0.0"),
        (lambda: reverse_water_filling(torch.ones(2), 2.5), "at most 2"),
        (lambda: quantiser_cost(0.0, 1.0), "sigma is 0.0"),
        (lambda: quantiser_cost(1.0, -1.0), "step is -1.0"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError) as error:
        call()
    assert named in str(error.value)
