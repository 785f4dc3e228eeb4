import numpy as np
import pytest
import torch

from genimg_course.maths import augment_pairs

RNG = torch.Generator().manual_seed(0)
X = 2 * torch.rand(6, 3, 4, 5, generator=RNG) - 1
MASKS = (torch.rand(6, 1, 4, 5, generator=RNG) > 0.5).float()
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
FLIPS = torch.tensor([True, True, True, False, False, False])
SURVIVES = torch.tensor([True, False, True])
ONES = torch.ones(6)


def test_only_chosen_pictures_whose_label_survives_are_mirrored():
    found = augment_pairs(X, MASKS, LABELS, FLIPS, ONES, SURVIVES)
    moved = [0, 2]
    for key, source in (("images", X), ("masks", MASKS)):
        known = source.numpy().copy()
        known[moved] = np.flip(known[moved], axis=3)
        assert np.array_equal(found[key].numpy(), known)


def test_the_gain_changes_pictures_within_the_range_and_no_mask():
    found = augment_pairs(X, MASKS, LABELS, ~FLIPS & FLIPS, 3 * ONES, SURVIVES)
    torch.testing.assert_close(found["images"], (3 * X).clamp(-1, 1))
    assert found["masks"].equal(MASKS)


def test_twice_mirrored_is_the_original():
    once = augment_pairs(X, MASKS, LABELS, FLIPS, ONES, SURVIVES)
    twice = augment_pairs(once["images"], once["masks"], LABELS, FLIPS, ONES, SURVIVES)
    assert twice["images"].equal(X) and twice["masks"].equal(MASKS)


def test_a_label_without_a_class_is_refused():
    with pytest.raises(ValueError, match="labels spans"):
        augment_pairs(X, MASKS, LABELS + 1, FLIPS, ONES, SURVIVES)
