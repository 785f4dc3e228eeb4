import pytest
import torch

from genimg_course.maths import (
    merge_gradients,
    merge_statistics,
    ring_all_reduce,
    ring_traffic,
)


def test_equal_shards_have_the_plain_mean():
    rows = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    assert merge_gradients(rows, torch.tensor([4, 4])).tolist() == [2.0, 4.0]


def test_larger_shards_weigh_more():
    rows = torch.tensor([[0.0], [4.0]])
    assert merge_gradients(rows, torch.tensor([3, 1])).tolist() == [1.0]


def test_statistics_of_shards_are_those_of_the_whole():
    x = torch.randn(9, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    pieces = x.split([2, 7])
    mean, variance = merge_statistics(
        torch.stack([p.mean(0) for p in pieces]),
        torch.stack([p.var(0, correction=0) for p in pieces]),
        torch.tensor([2, 7]),
    )
    torch.testing.assert_close(mean, x.mean(0))
    torch.testing.assert_close(variance, x.var(0, correction=0))


@pytest.mark.parametrize("processes, numbers", [(1, 3), (2, 2), (4, 8)])
def test_a_ring_gives_everybody_the_sum(processes, numbers):
    rows = torch.arange(float(processes * numbers)).reshape(processes, numbers)
    before = rows.clone()
    held, sent = ring_all_reduce(rows)
    assert (held == before.sum(0)).all()
    assert (rows == before).all()
    assert sent.tolist() == [2 * (processes - 1) * numbers // processes] * processes


def test_traffic_stays_below_twice_the_gradient():
    assert ring_traffic(100, 1) == 0
    assert ring_traffic(1000, 1000, width=2) == pytest.approx(2 * 2 * 999)


@pytest.mark.parametrize(
    "call, word",
    [
        (lambda: merge_gradients(torch.ones(2, 3), torch.tensor([1])), "one positive count"),
        (lambda: merge_gradients(torch.ones(2, 3), torch.tensor([1, 0])), "one positive count"),
        (
            lambda: merge_statistics(torch.ones(2, 3), torch.ones(2, 2), torch.tensor([1, 1])),
            "shapes differ",
        ),
        (lambda: ring_all_reduce(torch.ones(2, 3)), r"\(2, 3\)"),
        (lambda: ring_traffic(0, 2), "0 numbers"),
    ],
)
def test_impossible_shards_are_named(call, word):
    with pytest.raises(ValueError, match=word):
        call()
