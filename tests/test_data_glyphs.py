"""The set of drawn digits: its factors, splits, and reproducibility."""

import random
from typing import Any

import numpy as np
import pytest
import torch

from genimg_course.data import ImageSet, load
from genimg_course.data import glyphs as module
from genimg_course.data.glyphs import FONTS, HELD_OUT_FONTS, RANGES, TRAINING_FONTS


def fresh(**options) -> ImageSet:
    """Load without the memory of this process; fewer than 1,000 never come from the disk."""
    module._arrays.cache_clear()
    return load("glyphs", **options)


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load("glyphs", size=28, count=3_000)


def labels(digits: ImageSet) -> torch.Tensor:
    assert digits.labels is not None
    return digits.labels


def ink(digits: ImageSet) -> torch.Tensor:
    return digits.images[:, 0].double() / 255


def centroid(digits: ImageSet, dim: int) -> torch.Tensor:
    size = digits.images.shape[-1]
    places = (torch.arange(size, dtype=torch.float64) + 0.5) / size - 0.5
    weights = ink(digits)
    return (weights.sum(dim=dim) * places).sum(dim=1) / weights.sum(dim=(1, 2))


def test_pictures_are_white_ink_on_black(digits):
    assert digits.images.shape == (3_000, 1, 28, 28) and digits.images.dtype == torch.uint8
    assert digits.card.shape == (1, 28, 28)
    assert int(digits.images[..., 0, 0].max()) == 0
    assert int(digits.images.amax(dim=(1, 2, 3)).min()) > 100
    assert 0.08 < ink(digits).mean() < 0.2


@pytest.mark.parametrize("axis, dim", [("shift_x", 1), ("shift_y", 2)])
def test_the_centre_of_ink_follows_the_shift(digits, axis, dim):
    measured, factor = centroid(digits, dim), digits.factors[axis].double()
    slope = torch.cov(torch.stack([measured, factor]))[0, 1] / factor.var()
    assert slope.item() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("axis, dim", [("shift_x", 1), ("shift_y", 2)])
def test_a_zero_is_centred_on_its_shift(digits, axis, dim):
    zeros = digits.select(labels(digits) == 0)
    torch.testing.assert_close(
        centroid(zeros, dim), zeros.factors[axis].double(), rtol=0, atol=0.4 / 28
    )


def test_the_area_of_ink_is_that_of_the_font_times_scale_squared(digits):
    area = ink(digits).mean(dim=(1, 2)) / digits.factors["scale"].double() ** 2
    kinds = digits.factors["font"] * 10 + labels(digits)
    for kind in kinds.unique():
        group = area[kinds == kind]
        assert (group.max() - group.min()) / group.mean() < 0.02


def test_a_slanted_or_turned_one_leans_to_the_right(digits):
    ones = digits.select((labels(digits) == 1) & (digits.factors["font"] == 0))
    places = torch.arange(28, dtype=torch.float64)
    weights = ink(ones)
    x = centroid(ones, 1)[:, None, None] * 28 + 13.5
    y = centroid(ones, 2)[:, None, None] * 28 + 13.5
    lean = -(weights * (places - x) * (places[:, None] - y)).sum(dim=(1, 2))
    lean = lean / (weights * (places[:, None] - y) ** 2).sum(dim=(1, 2))
    # for small angles the lean of a stem is its slant minus its anticlockwise turn in radians
    expected = ones.factors["slant"] - torch.deg2rad(ones.factors["rotation"])
    assert torch.corrcoef(torch.stack([lean, expected.double()]))[0, 1] > 0.98


def test_factors_fill_their_ranges(digits):
    for name, (low, high) in RANGES.items():
        values = digits.factors[name]
        assert values.dtype == torch.float32 and low <= values.min() and values.max() <= high
        assert values.mean().item() == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
        assert values.std().item() == pytest.approx((high - low) / 12**0.5, rel=0.05)


def test_factors_are_independent_of_each_other_and_of_the_class(digits):
    rows = [digits.factors[name].double() for name in RANGES] + [labels(digits).double()]
    off_diagonal = torch.corrcoef(torch.stack(rows)) - torch.eye(len(rows))
    assert off_diagonal.abs().max() < 0.06


def test_every_class_and_every_font_is_equally_frequent(digits):
    for values, kinds in ((labels(digits), 10), (digits.factors["font"], len(TRAINING_FONTS))):
        counts = values.bincount()
        counts = counts[counts > 0]
        assert len(counts) == kinds
        assert (counts.double() / len(digits) * kinds - 1).abs().max() < 0.03


def test_held_out_fonts_occur_in_test_alone():
    held_out = {FONTS.index(font) for font in HELD_OUT_FONTS}
    assert len(held_out) == 4 and len(TRAINING_FONTS) == 16
    for split in ("train", "validation"):
        fonts = set(load("glyphs", size=12, split=split, count=400).factors["font"].tolist())
        assert fonts == set(range(len(FONTS))) - held_out
    test = load("glyphs", size=12, split="test", count=400)
    assert set(test.factors["font"].tolist()) == held_out


def test_default_counts(monkeypatch):
    def blank(*, size, digit, **factors):
        return np.zeros((len(digit), 1, size, size), dtype=np.uint8)

    monkeypatch.setattr(module, "draw", blank)
    monkeypatch.setattr(module, "_WORTH_STORING", 10**9)
    counts = {s: len(fresh(size=13, split=s)) for s in ("train", "validation", "test")}
    module._arrays.cache_clear()
    assert counts == {"train": 20_000, "validation": 4_000, "test": 4_000}


def test_the_same_words_give_the_same_bytes():
    first, second = (fresh(size=16, count=300, seed=3) for _ in range(2))
    assert torch.equal(first.images, second.images) and torch.equal(labels(first), labels(second))
    assert all(torch.equal(first.factors[name], second.factors[name]) for name in first.factors)


def test_the_bytes_do_not_depend_on_the_number_of_threads():
    threads = torch.get_num_threads()
    try:
        pictures = []
        for n in (1, 2, 3):
            torch.set_num_threads(n)
            pictures.append(fresh(size=28, count=200).images)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(pictures[0], pictures[1]) and torch.equal(pictures[0], pictures[2])


def test_splits_and_seeds_share_no_picture():
    options: list[dict[str, Any]] = [
        {"split": "train"},
        {"split": "validation"},
        {"seed": 1},
        {"seed": -1},
    ]
    pictures = [fresh(size=20, count=200, **o).images.flatten(1) for o in options]
    assert len(torch.cat(pictures).unique(dim=0)) == 800


def test_sizes_show_the_same_digits():
    small, large = (load("glyphs", size=size, count=100) for size in (16, 64))
    assert torch.equal(labels(small), labels(large))
    assert all(torch.equal(small.factors[n], large.factors[n]) for n in small.factors)
    reduced = torch.nn.functional.avg_pool2d(large.images.float(), 4)
    assert (reduced - small.images).abs().mean() < 2.0


def test_a_smaller_count_has_the_factors_of_the_first_ones():
    few, many = (load("glyphs", size=12, count=count) for count in (50, 500))
    assert torch.equal(labels(few), labels(many)[:50])
    assert all(torch.equal(few.factors[n], many.factors[n][:50]) for n in few.factors)


def test_no_global_generator_is_touched():
    before = torch.get_rng_state(), random.getstate(), str(np.random.get_state())
    fresh(size=12, count=100)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), str(np.random.get_state())) == before[1:]


def test_writing_into_a_set_does_not_change_the_next_one():
    first = load("glyphs", size=12, count=30)
    kept = first.images.clone()
    first.images.zero_()
    labels(first).zero_()
    second = load("glyphs", size=12, count=30)
    assert torch.equal(second.images, kept) and int(labels(second).max()) > 0


@pytest.mark.parametrize(
    "options, sentence",
    [({"size": 11}, "size is 11"), ({"size": 65}, "size is 65"), ({"count": 0}, "count is 0")],
)
def test_impossible_wishes_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        load("glyphs", **options)


def test_a_large_set_comes_from_the_disk_the_second_time(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path))
    first = fresh(size=12, count=1_000)
    (path,) = tmp_path.iterdir()
    for part in (f"glyphs-{module._RECIPE}", "matplotlib-", "12px-train-1000-seed0"):
        assert part in path.name
    monkeypatch.setattr(module, "draw", None)
    assert torch.equal(fresh(size=12, count=1_000).images, first.images)
    module._arrays.cache_clear()


def test_a_damaged_file_on_the_disk_is_drawn_again(tmp_path, monkeypatch):
    monkeypatch.setenv("GENIMG_CACHE_DIR", str(tmp_path))
    first = fresh(size=12, count=1_000)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[5_000] ^= 255
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=path.name):
        assert torch.equal(fresh(size=12, count=1_000).images, first.images)
    module._arrays.cache_clear()
