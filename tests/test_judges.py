"""The judges that come with the course are as good as their cards say, and can be made again."""

import json

import pytest
import torch

from genimg_course import data
from genimg_course.metrics import load_judge
from genimg_course.reference import make_judge

FLOOR = {"glyphs": 0.98, "mnist": 0.99}


def on_card(name: str, size: int) -> float:
    return load_judge(name, size).card["metrics"]["test_accuracy"]["value"]


def measured(name: str, size: int) -> float:
    unseen = data.load(name, size=size, split="test")
    return load_judge(name, size).accuracy(data.to_model_range(unseen.images), unseen.labels)


@pytest.mark.parametrize("size", [16, 28])
def test_a_judge_reads_fonts_that_it_never_saw(size):
    accuracy = measured("glyphs", size)
    assert accuracy >= FLOOR["glyphs"]
    assert accuracy == pytest.approx(on_card("glyphs", size), abs=2e-3)


def test_the_mnist_judge_reads_the_real_test_set(data_root, monkeypatch):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(data_root))
    accuracy = measured("mnist", 28)
    assert accuracy >= FLOOR["mnist"]
    assert accuracy == pytest.approx(on_card("mnist", 28), abs=2e-3)


def test_a_judge_that_is_made_anew_learns_and_tells_how_it_was_made(tmp_path):
    state = torch.get_rng_state()
    card = make_judge("glyphs", 16, steps=120, out=tmp_path, count=2000)
    torch.set_rng_state(state)
    assert 0.5 < card["metrics"]["validation_accuracy"]["value"] <= 1
    assert json.loads((tmp_path / "glyphs_16.json").read_text())["sha256"]
    assert card["command"] == "genimg train judge --data glyphs --size 16 --seed 0"
    assert (tmp_path / "glyphs_16.safetensors").stat().st_size < 1_000_000


def test_there_is_no_judge_for_other_data():
    with pytest.raises(ValueError, match="'faces': choose one of glyphs, mnist"):
        make_judge("faces")
