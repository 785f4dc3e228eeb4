import copy

import pytest
import torch
from torch import nn

from genimg_course.training import Average


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def moved(network, shift):
    other = copy.deepcopy(network)
    with torch.no_grad():
        for value in other.state_dict().values():
            value += shift
    return other


def test_after_the_warm_up_the_past_fades_with_a_constant_decay(network):
    average, d = Average(network, decay=0.5), 0.5
    for _ in range(8):  # (1 + 8) / (10 + 8) is the first ratio to reach 0.5
        average.update(network)
    average.update(moved(network, 1))
    average.update(moved(network, 3))
    shift = average.network[0].weight - network[0].weight
    expected = (1 - d) * d * 1 + (1 - d) * 3
    torch.testing.assert_close(shift, torch.full_like(shift, expected))


def test_the_first_updates_forget_the_random_weights_sooner(network):
    average, shifted, past = Average(network, decay=0.998), moved(network, 1), 1.0
    for n in range(5):
        average.update(shifted)
        past *= (1 + n) / (10 + n)
        shift = average.network[0].weight - network[0].weight
        torch.testing.assert_close(shift, torch.full_like(shift, 1 - past))


def test_without_decay_the_average_is_the_network(network):
    average, shifted = Average(network, decay=0.0), moved(network, 2)
    average.update(shifted)
    torch.testing.assert_close(dict(average.network.state_dict()), dict(shifted.state_dict()))


def test_buffers_are_averaged_and_counters_are_copied(network):
    average, shifted = Average(network, decay=0.998), moved(network, 10)
    average.update(shifted)
    torch.testing.assert_close(average.network[1].running_mean, torch.full((2,), 9.0))
    assert average.network[1].num_batches_tracked.item() == 10


def test_the_average_is_a_copy_for_looking_at(network):
    before = copy.deepcopy(network.state_dict())
    average = Average(network.train())
    average.update(moved(network, 1))
    assert network.training and all(p.requires_grad for p in network.parameters())
    assert not average.network.training
    assert not any(p.requires_grad for p in average.network.parameters())
    torch.testing.assert_close(dict(network.state_dict()), dict(before), atol=0, rtol=0)


def test_the_state_survives_a_round_trip(network):
    average = Average(network, decay=0.9)
    for shift in range(4):
        average.update(moved(network, shift))
    again = Average(moved(network, 50), decay=0.9)
    again.load_state_dict(copy.deepcopy(average.state_dict()))
    for either in (average, again):
        either.update(moved(network, 7))
    assert again.updates == average.updates == 5
    ours, theirs = again.network.state_dict(), average.network.state_dict()
    torch.testing.assert_close(dict(ours), dict(theirs), atol=0, rtol=0)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 1.5, float("nan")])
def test_a_decay_out_of_range_is_named(network, decay):
    with pytest.raises(ValueError, match=f"decay is {decay}"):
        Average(network, decay=decay)
