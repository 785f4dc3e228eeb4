import itertools
import math

import pytest
import torch

from genimg_course.data import Mixture, draws, grid, ring


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_the_modes_of_a_ring_lie_on_a_circle_at_equal_distances():
    centres = ring(7, radius=1.5).centres
    torch.testing.assert_close(centres.norm(dim=1), torch.full((7,), 1.5))
    steps = (centres.roll(-1, dims=0) - centres).norm(dim=1)
    torch.testing.assert_close(steps, torch.full((7,), 3 * math.sin(math.pi / 7)))


def test_the_modes_of_a_grid_surround_the_origin():
    centres = grid(3, step=0.5).centres
    expected = list(itertools.product([-0.5, 0.0, 0.5], repeat=2))
    assert [tuple(row) for row in centres.tolist()] == expected


def test_samples_have_equal_shares_and_the_given_spread():
    law = Mixture(torch.tensor([[5.0, 0.0, 1.0], [-5.0, 0.0, 1.0]]), 0.3)
    points = law.sample(20_000, rng=rng())
    left = points[:, 0] < 0
    assert points.shape == (20_000, 3) and points.dtype == torch.float32
    assert left.float().mean().item() == pytest.approx(0.5, abs=6 * 0.5 / math.sqrt(20_000))
    spread = points[left].std(dim=0)
    torch.testing.assert_close(spread, torch.full((3,), 0.3), atol=0.015, rtol=0)


def test_the_same_generator_draws_the_same_points_and_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    torch.testing.assert_close(ring().sample(9, rng=rng(1)), ring().sample(9, rng=rng(1)))
    assert not torch.equal(ring().sample(9, rng=rng(1)), ring().sample(9, rng=rng(2)))
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_are_fresh_batches_for_ever():
    batches = draws(ring().sample, 16, rng=rng())
    (first,), (second,) = next(batches), next(batches)
    assert first.shape == second.shape == (16, 2)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: ring(0), "modes is 0"),
        (lambda: ring(radius=-1.0), "radius is -1.0"),
        (lambda: grid(spread=0.0), "spread is 0.0"),
        (lambda: grid(step=math.nan), "step is nan"),
        (lambda: next(draws(ring().sample, 0, rng=rng())), "batch_size is 0"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
