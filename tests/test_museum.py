"""The museum's failures fail, their cures cure, and the bounds of both rest on measured seeds."""

import json
import math
import statistics
from pathlib import Path

import pytest
import torch

from genimg_course.exercises.registry import LESSONS
from genimg_course.museum import all_exhibits, visit
from genimg_course.museum.exhibit import short

ROOT = Path(__file__).resolve().parent.parent
TABLE = json.loads((ROOT / "tests" / "calibration" / "museum.json").read_text(encoding="utf-8"))
EXHIBITS = all_exhibits()
NATURAL = {0, 1, 8, math.inf}  # what a number cannot pass: nothing, the whole pull, all modes
SIDES = [(id, side) for id in EXHIBITS for side in ("broken", "mended")]


@pytest.mark.parametrize("id", EXHIBITS)
def test_an_exhibit_fails_and_its_cure_cures_it(id):
    seen = visit(id, seed=1000)
    exhibit = EXHIBITS[id]
    assert exhibit.broken[0] <= seen.broken <= exhibit.broken[1]
    assert exhibit.mended[0] <= seen.mended <= exhibit.mended[1]


@pytest.mark.parametrize("id, side", SIDES)
def test_bounds_lie_six_standard_deviations_from_thirty_measured_seeds(id, side):
    values = TABLE[id][side]
    low, high = getattr(EXHIBITS[id], side)
    assert len(values) >= 30
    assert all(low <= value <= high for value in values)
    if max(values) in NATURAL or min(values) in NATURAL:
        return  # modes are counted
    logs = [math.log(value) for value in values]  # what fails, fails by factors
    mean, spread = statistics.mean(logs), statistics.stdev(logs)
    assert low in NATURAL or mean - math.log(low) >= 6 * spread
    assert high in NATURAL or math.log(high) - mean >= 6 * spread


@pytest.mark.parametrize("id", EXHIBITS)
def test_a_failure_and_its_cure_cannot_be_taken_for_each_other(id):
    broken, mended = EXHIBITS[id].broken, EXHIBITS[id].mended
    assert broken[1] < mended[0] or mended[1] < broken[0]


@pytest.mark.parametrize("id", EXHIBITS)
def test_an_exhibit_can_be_read(id):
    exhibit = EXHIBITS[id]
    assert exhibit.id == id == exhibit.run.__name__
    assert len(exhibit.lesson) == 2 and exhibit.lesson.isdigit()
    assert f"def {id}(broken: bool)" in exhibit.source
    assert all(text.endswith(".") for text in (exhibit.trigger, exhibit.signature, exhibit.cure))


def test_the_tour_leads_to_lessons_that_stand():
    assert {exhibit.lesson for exhibit in EXHIBITS.values()} & set(LESSONS)


def test_a_visit_leaves_the_global_generator_as_it_was_and_can_be_repeated():
    before = torch.get_rng_state()
    first, second = visit("checkerboard", seed=3), visit("checkerboard", seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    assert (first.broken, first.mended) == (second.broken, second.mended)
    with torch.no_grad():
        assert visit("penalty_without_one").mended > 0.9


def test_a_visit_shows_both_numbers():
    seen = visit("checkerboard")
    for text in (repr(seen), seen._repr_markdown_()):
        assert short(seen.broken) in text and short(seen.mended) in text
        assert seen.exhibit.cure in text


def test_an_unknown_exhibit_lists_near_ones():
    with pytest.raises(ValueError, match=r"no exhibit is called 'mode_colapse'.*mode_collapse"):
        visit("mode_colapse")
