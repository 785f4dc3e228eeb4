"""Batches: epochs, and resuming bit for bit."""

import copy
from collections import Counter

import pytest
import torch

from genimg_course.data import Batches, Card, ImageSet, to_model_range

CARD = Card("dots", "Dots", "CC0", "this file", (1, 2, 2))


def dots(n: int, *, labelled: bool = True) -> ImageSet:
    images = torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1).expand(n, 1, 2, 2).clone()
    return ImageSet(images, torch.arange(n) if labelled else None, CARD)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def labels(batches: Batches, count: int) -> list[int]:
    return [y for _ in range(count) for y in next(batches)[1].tolist()]


def test_an_epoch_visits_every_image_exactly_once():
    batches = Batches(dots(12), 4, rng=generator())
    assert batches.batches_per_epoch == 3
    for _ in range(5):
        assert sorted(labels(batches, 3)) == list(range(12))


def test_an_incomplete_batch_is_dropped_and_no_image_is_dropped_for_ever():
    batches = Batches(dots(11), 4, rng=generator())
    seen: Counter[int] = Counter()
    for _ in range(40):
        epoch = labels(batches, 2)
        assert len(set(epoch)) == 8
        seen.update(epoch)
    assert set(seen) == set(range(11))


def test_epochs_differ_and_the_seed_decides():
    batches = Batches(dots(64), 64, rng=generator())
    assert labels(batches, 1) != labels(batches, 1)
    again = Batches(dots(64), 64, rng=generator())
    assert labels(again, 2) == labels(Batches(dots(64), 64, rng=generator()), 2)
    assert labels(Batches(dots(64), 64, rng=generator(1)), 1) != labels(again, 1)


def test_a_batch_holds_converted_images_beside_their_labels():
    x, y = next(Batches(dots(9), 9, rng=generator()))
    assert x.dtype == torch.float32 and y.dtype == torch.int64 and x.shape == (9, 1, 2, 2)
    assert torch.equal(x, to_model_range(dots(9).images[y]))


def test_without_labels_a_batch_holds_images_alone():
    (x,) = next(Batches(dots(9, labelled=False), 2, rng=generator()))
    assert x.shape == (2, 1, 2, 2)


@pytest.mark.parametrize("done", [0, 1, 3, 7, 8, 20])
def test_a_restored_state_goes_on_bit_for_bit(done):
    rng = generator()
    batches = Batches(dots(30), 4, rng=rng)
    for _ in range(done):
        next(batches)
        torch.randn(3, generator=rng)  # a training that draws its noise from the same generator
    state = copy.deepcopy(batches.state_dict())
    expected = [(next(batches)[0], torch.randn(3, generator=rng)) for _ in range(20)]

    other = generator(99)
    resumed = Batches(dots(30), 4, rng=other)
    labels(resumed, 5)
    resumed.load_state_dict(state)
    for x, noise in expected:
        assert torch.equal(next(resumed)[0], x)
        assert torch.equal(torch.randn(3, generator=other), noise)


def test_a_state_survives_a_file(tmp_path):
    batches = Batches(dots(30), 4, rng=generator())
    labels(batches, 3)
    torch.save(batches.state_dict(), tmp_path / "state.pt")
    expected = labels(batches, 9)
    resumed = Batches(dots(30), 4, rng=generator(5))
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert labels(resumed, 9) == expected


def test_a_state_does_not_change_with_later_batches():
    batches = Batches(dots(8), 4, rng=generator())
    state = batches.state_dict()
    before = copy.deepcopy(state)
    labels(batches, 9)
    assert torch.equal(state["rng"], before["rng"]) and state["position"] == before["position"]


def test_a_state_of_another_set_is_refused():
    state = Batches(dots(30), 4, rng=generator()).state_dict()
    with pytest.raises(ValueError, match=r"30.*31"):
        Batches(dots(31), 4, rng=generator()).load_state_dict(state)
    with pytest.raises(ValueError, match="batch_size"):
        Batches(dots(30), 5, rng=generator()).load_state_dict(state)


@pytest.mark.parametrize("batch_size", [0, -1, 6])
def test_a_batch_that_does_not_fit_is_refused(batch_size):
    with pytest.raises(ValueError, match=f"batch_size is {batch_size}"):
        Batches(dots(5), batch_size, rng=generator())


def test_processes_share_each_batch_row_by_row():
    whole = Batches(dots(30), 6, rng=generator())
    parts = [Batches(dots(30), 6, rng=generator(), share=(rank, 3)) for rank in range(3)]
    for _ in range(12):
        expected = next(whole)[1]
        for rank, batches in enumerate(parts):
            x, y = next(batches)
            assert torch.equal(y, expected[rank::3])
            assert torch.equal(x, to_model_range(dots(30).images[y]))


def test_a_state_of_one_process_is_the_state_of_all():
    first, second = (Batches(dots(30), 6, rng=generator(), share=(rank, 2)) for rank in (0, 1))
    labels(first, 7), labels(second, 7)
    state = copy.deepcopy(first.state_dict())
    expected = labels(second, 9)
    resumed = Batches(dots(30), 6, rng=generator(8), share=(1, 2))
    resumed.load_state_dict(state)
    assert labels(resumed, 9) == expected


@pytest.mark.parametrize("share", [(0, 4), (2, 2), (-1, 2), (0, 0)])
def test_a_batch_that_cannot_be_shared_is_refused(share):
    with pytest.raises(ValueError, match=r"share is \(.*batches of 6"):
        Batches(dots(12), 6, rng=generator(), share=share)


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    labels(Batches(dots(8), 4, rng=generator()), 9)
    assert torch.equal(torch.get_rng_state(), before)
