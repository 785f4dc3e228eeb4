"""Time to quality: the clock stops a training, and five seeds reached the aims."""

import json
from pathlib import Path

import pytest
import torch

from genimg_course import cli
from genimg_course.reference import quality
from genimg_course.reference.quality import (
    AIMS,
    QUALITY_STEPS,
    Quality,
    compare_quality,
    quality_table,
    time_to_quality,
)

RECORD = Path(__file__).parent / "calibration" / "quality_mnist.json"


def made_up(family="cgan", *, seed=0, accuracy=0.99, rarest=0.09):
    return Quality(
        family=family,
        seed=seed,
        steps=7,
        planned=7,
        cpu_seconds=1.5,
        precision="32-true",
        images=20,
        frechet=2.5,
        rarest_class=rarest,
        commonest_class=0.2,
        conditional_accuracy=accuracy if family == "cgan" else None,
    )


@pytest.mark.parametrize(
    "result, reached",
    [
        (made_up(accuracy=0.98), True),
        (made_up(accuracy=0.9799, rarest=0.1), False),
        (made_up("gan", rarest=0.05), True),
        (made_up("gan", rarest=0.0499), False),
    ],
)
def test_the_aim_is_the_family_s_own(result, reached):
    assert result.reached is reached
    assert result.record()["reached"] is reached


def test_the_table_counts_what_was_reached():
    table = quality_table([made_up(), made_up(seed=1, accuracy=0.5), made_up("gan", rarest=0.07)])
    assert "cgan: conditional accuracy of at least 98% in 1 of 2 trainings" in table
    assert "gan: rarest class of at least 5% in 1 of 1 trainings" in table
    assert [line.split()[-1] for line in table.splitlines()[1:4]] == [
        "reached",
        "missed",
        "reached",
    ]


@pytest.mark.parametrize("family", AIMS)
def test_a_short_training_is_measured_and_repeats_itself(family, data_root, monkeypatch):
    monkeypatch.setenv("GENIMG_DATA_DIR", str(data_root))
    threads = torch.get_num_threads()
    first, again = (
        time_to_quality(family, seed=3, steps=2, images=20, count=500, precision="fp32")
        for _ in range(2)
    )
    assert torch.get_num_threads() == threads
    assert first.steps == 2 and first.cpu_seconds > 0
    assert 0 <= first.rarest_class <= 0.1 <= first.commonest_class <= 1
    assert (first.conditional_accuracy is None) == (family == "gan")
    names = ("frechet", "rarest_class", "conditional_accuracy")
    assert [getattr(first, n) for n in names] == [getattr(again, n) for n in names]


def test_the_clock_stops_a_training():
    class Run:
        def step(self, n, x):
            return sum(k * k for k in range(200_000))

    done, spent = quality._train(Run(), iter([(0,)] * 1000), 1000, 0.05)
    assert 1 <= done < 1000 and 0.05 <= spent < 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"family": "vae"}, "'vae'.*gan, cgan"),
        ({"family": "gan", "cpu_seconds": 0.0}, r"0\.0 CPU-seconds"),
        ({"family": "gan", "steps": 0}, "0 steps"),
        ({"family": "gan", "images": 15}, "15 images"),
    ],
)
def test_impossible_wishes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        time_to_quality(**options)


def test_a_comparison_needs_known_families_and_seeds():
    with pytest.raises(ValueError, match=r"vae.*gan, cgan"):
        compare_quality(["vae"])
    with pytest.raises(ValueError, match="0 seeds"):
        compare_quality(["gan"], seeds=0)


def test_the_command_prints_a_table_and_writes_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        quality, "time_to_quality", lambda family, **o: made_up(family, seed=o["seed"])
    )
    file = tmp_path / "quality.json"
    assert cli.main(["bench", "--quality", "--seeds", "2", "--json", str(file)]) == 0
    trainings = json.loads(file.read_text())["trainings"]
    assert [(t["family"], t["seed"]) for t in trainings] == [
        ("gan", 0), ("gan", 1), ("cgan", 0), ("cgan", 1),
    ]  # fmt: skip
    assert "in 2 of 2 trainings" in capsys.readouterr().out


@pytest.mark.parametrize("family", AIMS)
def test_five_seeds_of_the_recipe_reached_the_aim_in_time(family):
    record = json.loads(RECORD.read_text())
    trainings = [t for t in record["trainings"] if t["family"] == family]
    assert sorted(t["seed"] for t in trainings) == [0, 1, 2, 3, 4]
    name, least = AIMS[family]
    for training in trainings:
        assert training[name] >= least
        assert training["steps"] == QUALITY_STEPS[family]
        assert training["cpu_seconds"] <= record["cpu_seconds"] == 120
        assert training["images"] == 10_000
    assert record["torch"] and record["threads"] == 1
