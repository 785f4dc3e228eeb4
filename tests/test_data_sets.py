"""Sets and cards."""

import dataclasses

import pytest
import torch

from genimg_course.data import Card, DataError, ImageSet

CARD = Card(
    "dots",
    "Some dots",
    "CC0",
    "this file",
    (1, 2, 3),
    ("a", "b"),
    {"size": "in pixels"},
    "Me, 2020",
)


def dots(n: int = 5) -> ImageSet:
    images = torch.arange(n, dtype=torch.uint8).reshape(n, 1, 1, 1).expand(n, 1, 2, 3).clone()
    return ImageSet(images, torch.arange(n) % 2, CARD, {"size": torch.arange(n) / 10})


def test_a_mask_and_its_indices_select_the_same():
    mask = torch.tensor([True, False, False, True, True])
    for which in (mask, mask.tolist(), torch.tensor([0, 3, 4]), [0, 3, 4]):
        part = dots().select(which)
        assert part.images[:, 0, 0, 0].tolist() == [0, 3, 4]
        assert part.labels is not None and part.labels.tolist() == [0, 1, 0]
        assert part.factors["size"].tolist() == pytest.approx([0.0, 0.3, 0.4])
        assert part.card == CARD


def test_indices_keep_their_order_and_may_repeat():
    assert dots().select([4, -1, 0]).images[:, 0, 0, 0].tolist() == [4, 4, 0]


def test_a_selection_shares_no_memory_with_its_set():
    whole = dots()
    whole.select([0, 1]).images.fill_(255)
    assert int(whole.images.max()) == 4


def test_nothing_can_be_selected():
    assert len(dots().select([])) == 0
    assert len(dots().select(torch.zeros(5, dtype=torch.bool))) == 0


@pytest.mark.parametrize("which", [[True, False], [5], [-6], [0.0, 1.0], [[0, 1]]])
def test_an_impossible_selection_is_refused(which):
    with pytest.raises(ValueError):
        dots().select(which)


def test_to_moves_every_tensor():
    moved = dots().to("meta")
    assert moved.images.is_meta and moved.labels is not None and moved.labels.is_meta
    assert moved.factors["size"].is_meta


def test_a_set_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        dots().images = torch.zeros(1)  # type: ignore[misc]


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"images": torch.zeros(5, 1, 2, 3)}, "float32"),
        ({"images": torch.zeros(5, 2, 3, dtype=torch.uint8)}, r"\(5, 2, 3\)"),
        ({"labels": torch.zeros(5)}, "float32"),
        ({"labels": torch.zeros(4, dtype=torch.int64)}, r"labels.*\(4,\)"),
        ({"factors": {"size": torch.zeros(5, 1)}}, r"factor size.*\(5, 1\)"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(change, sentence):
    with pytest.raises(ValueError, match=sentence):
        dataclasses.replace(dots(), **change)


def test_the_text_of_a_card_says_everything_it_knows():
    text = str(CARD)
    for part in ("Some dots", "dots", "CC0", "this file", "2 x 3", "a, b", "size: in pixels", "Me"):
        assert part in text


def test_the_text_of_a_set_is_short():
    assert len(repr(dots())) < 120 and "dots" in repr(dots())


def test_a_data_error_is_caught_as_either_of_its_parents():
    assert issubclass(DataError, OSError) and issubclass(DataError, RuntimeError)
    assert str(DataError("what is wrong")) == "what is wrong"
