"""Maps between laws, cycles, and what a patch sees."""

import pytest
import torch

from genimg_course.maths.translation import cycle_error, push_forward, receptive_field


def test_probability_goes_where_the_map_sends_it():
    p = torch.tensor([0.5, 0.3, 0.2])
    moved = push_forward(p, torch.tensor([2, 2, 0]))
    assert moved.tolist() == pytest.approx([0.2, 0.0, 0.8])


def test_a_way_there_and_back_loses_nothing():
    p = torch.tensor([0.5, 0.3, 0.2])
    there, back = torch.tensor([1, 2, 0]), torch.tensor([2, 0, 1])
    assert cycle_error(p, there, back).item() == 0
    assert cycle_error(p, there, there).item() == pytest.approx(1)


def test_maps_of_another_length_are_refused():
    with pytest.raises(ValueError, match="shapes differ"):
        push_forward(torch.ones(3) / 3, torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="shapes differ"):
        cycle_error(torch.ones(2) / 2, torch.tensor([0, 1]), torch.tensor([0]))


@pytest.mark.parametrize("layers, side", [([], 1), ([(3, 1)], 3), ([(3, 1), (3, 1)], 5)])
def test_small_stacks_see_small_patches(layers, side):
    assert receptive_field(layers) == side
