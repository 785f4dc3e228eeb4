"""The straight line and the great circle: ends, lengths, angles, and vectors that are parallel."""

import math

import pytest
import torch

from genimg_course.maths import lerp, slerp


def f64(values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.fixture
def pair():
    rng = torch.Generator().manual_seed(0)
    return torch.randn(2, 4, 6, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("way", [lerp, slerp])
def test_both_ways_begin_and_end_at_the_codes(way, pair):
    a, b = pair
    torch.testing.assert_close(way(a, b, 0.0), a)
    torch.testing.assert_close(way(a, b, 1.0), b)


def test_halfway_between_two_axes():
    a, b = f64([[2.0, 0.0]]), f64([[0.0, 2.0]])
    torch.testing.assert_close(lerp(a, b, 0.5), f64([[1.0, 1.0]]))
    torch.testing.assert_close(slerp(a, b, 0.5), f64([[math.sqrt(2), math.sqrt(2)]]))


def test_the_angle_grows_evenly_along_the_circle(pair):
    a, b = (v / v.norm(dim=1, keepdim=True) for v in pair)
    whole = (a * b).sum(dim=1).acos()
    part = (a * slerp(a, b, 0.3)).sum(dim=1).acos()
    torch.testing.assert_close(part, 0.3 * whole)


def test_in_many_dimensions_only_the_circle_keeps_the_length():
    rng = torch.Generator().manual_seed(1)
    a, b = torch.randn(2, 500, 400, generator=rng)
    assert lerp(a, b, 0.5).norm(dim=1).mean().item() == pytest.approx(math.sqrt(200), rel=0.01)
    assert slerp(a, b, 0.5).norm(dim=1).mean().item() == pytest.approx(20, rel=0.01)


def test_parallel_codes_meet_on_the_straight_line(pair):
    a = pair[0]
    torch.testing.assert_close(slerp(a, 3 * a, 0.25), 1.5 * a)
    assert slerp(a.float(), a.float(), 0.5).isfinite().all()


@pytest.mark.parametrize(
    ("a", "b", "named"),
    [
        ([[1.0, 0.0]], [[1.0, 0.0, 0.0]], "(1, 3)"),
        ([[0.0, 0.0]], [[1.0, 0.0]], "a code is zero"),
        ([[1.0, 0.0]], [[0.0, 0.0]], "a code is zero"),
        ([[1.0, 2.0]], [[-2.0, -4.0]], "opposite"),
        ([[math.inf, 0.0]], [[1.0, 0.0]], "1 values"),
    ],
)
def test_bad_input_is_named(a, b, named):
    with pytest.raises(ValueError) as error:
        slerp(f64(a), f64(b), 0.5)
    assert named in str(error.value)
