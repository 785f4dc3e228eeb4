"""The device that is there, an order that comes again, epochs as a mean."""

from itertools import product

import numpy as np
import pytest
import torch

from genimg_course.training.orientation import DEVICES, choose_device, epochs_seen, shuffled


@pytest.mark.parametrize("cuda, mps", [*product([False, True], repeat=2)])
def test_without_a_wish_the_fastest_device_is_taken(cuda, mps):
    best = "cuda" if cuda else "mps" if mps else "cpu"
    assert DEVICES[choose_device(cuda, mps)] == best


@pytest.mark.parametrize("cuda, mps, wanted", [*product([False, True], [False, True], DEVICES)])
def test_a_wish_is_met_or_refused(cuda, mps, wanted):
    if {"cpu": True, "cuda": cuda, "mps": mps}[wanted]:
        assert DEVICES[choose_device(cuda, mps, wanted)] == wanted
    else:
        with pytest.raises(ValueError, match=f"'{wanted}' is not here"):
            choose_device(cuda, mps, wanted)


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="'tpu'"):
        choose_device(True, True, "tpu")


def test_a_shuffle_keeps_the_rows_and_leaves_the_global_states_alone():
    x = torch.arange(24.0).reshape(12, 2)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    y = shuffled(x, seed=5)
    assert torch.equal(y.sort(dim=0).values, x) and not torch.equal(y, x)
    assert torch.equal(y[:, 1] - y[:, 0], torch.ones(12))  # rows stay together
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)


def test_the_seed_alone_decides_the_order():
    x = torch.arange(30.0)
    first = shuffled(x, seed=5)
    torch.manual_seed(99)
    assert torch.equal(shuffled(x, seed=5), first)
    assert not torch.equal(shuffled(x, seed=6), first)


def test_epochs_are_a_mean_and_need_not_be_whole():
    assert epochs_seen(3, 50, 100) == 1.5
    with pytest.raises(ValueError, match="images is 0"):
        epochs_seen(3, 50, 0)
