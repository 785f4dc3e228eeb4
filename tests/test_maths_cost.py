import pytest
import torch

from genimg_course.maths import (
    arithmetic_intensity,
    energy_cost,
    roofline,
    run_hours,
    training_bytes,
)


def test_square_products_do_more_with_each_byte_the_larger_they_are():
    for side in (3, 30, 300):
        assert arithmetic_intensity(side, side, side) == pytest.approx(2 * side / 12)
    assert arithmetic_intensity(8, 8, 8, width=2) == 2 * arithmetic_intensity(8, 8, 8)


def test_a_product_with_one_row_uses_each_number_once():
    assert arithmetic_intensity(1, 1000, 1000) == pytest.approx(0.5, rel=0.01)


def test_the_roof_has_two_slopes():
    assert roofline(2.0, peak=100.0, bandwidth=10.0) == 20.0
    assert roofline(20.0, peak=100.0, bandwidth=10.0) == 100.0


def test_adam_takes_four_copies_of_the_weights():
    weights = training_bytes(1000, 0, batch_size=1)
    assert weights == 16_000
    assert training_bytes(1000, 0, batch_size=1, moments=0, average=True) == 12_000
    assert training_bytes(0, 100, batch_size=3, half=True) == 600


def test_hours_leave_out_the_warm_up_and_partial_batches():
    seconds = torch.tensor([100.0, 1.0, 3.0])
    hours = run_hours(seconds, images=70, batch_size=32, epochs=900, warm_up=1)
    assert hours == pytest.approx(2 * 900 * 2 / 3600)


def test_energy_and_price_are_those_of_the_bill():
    cost = energy_cost(10.0, watts=300.0, price=0.25, overhead=1.5)
    assert cost == {"kilowatt_hours": pytest.approx(4.5), "price": pytest.approx(1.125)}


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: arithmetic_intensity(0, 1, 1), "rows is 0"),
        (lambda: roofline(1.0, peak=-1.0, bandwidth=1.0), "peak is -1"),
        (lambda: training_bytes(-1, 1, batch_size=1), "-1 parameters"),
        (lambda: training_bytes(1, 1, batch_size=0), "0 images"),
        (
            lambda: run_hours(torch.ones(5), images=9, batch_size=3, epochs=1),
            "warm_up is 5: expected 0 to 4",
        ),
        (
            lambda: run_hours(torch.ones(9), images=9, batch_size=10, epochs=1),
            "batch_size is 10: expected 1 to 9",
        ),
        (lambda: energy_cost(1.0, watts=1.0, price=1.0, overhead=0.9), "overhead is 0.9"),
    ],
)
def test_impossible_numbers_are_named(call, word):
    with pytest.raises(ValueError, match=word):
        call()
