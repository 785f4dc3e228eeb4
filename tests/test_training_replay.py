"""A replay keeps what a run showed, closely at first, and leaves the run as it was."""

import itertools

import pytest
import torch
from torch import nn

from genimg_course.training import Replay, fit

STREAM = itertools.repeat((torch.zeros(2),))


def walk(count, steps=100):
    """Count a weight up by one a step, and keep it on the way."""
    weight = torch.zeros(())
    replay = Replay(weight.clone, steps=steps, count=count)

    def step(n, x):
        weight.add_(1)
        return {"loss": torch.rand(())}

    history = fit(step, STREAM, steps=steps, progress=False, log=replay)
    return replay, history


def test_each_look_shows_the_run_after_as_many_steps_as_it_says():
    replay, _ = walk(count=11)
    assert [int(weight) for weight in replay.kept] == replay.steps
    assert (replay.steps[0], replay.steps[-1]) == (0, 100)


def test_the_gaps_between_looks_grow():
    replay, _ = walk(count=11)
    assert replay.steps == [0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100]


def test_no_two_looks_fall_on_one_step_while_there_are_enough():
    replay, _ = walk(count=30, steps=40)
    assert len(replay.steps) == len(set(replay.steps)) == 30
    assert replay.steps == sorted(replay.steps) and replay.steps[-1] == 40


def test_a_short_run_is_looked_at_once_a_step_and_no_more():
    replay, _ = walk(count=30, steps=3)
    assert replay.steps == [0, 1, 2, 3]


def test_the_run_draws_the_same_numbers_as_without_it():
    torch.manual_seed(0)
    _, watched = walk(count=11)
    torch.manual_seed(0)
    alone = fit(lambda n, x: {"loss": torch.rand(())}, STREAM, steps=100, progress=False)
    assert watched["loss"] == alone["loss"]


def test_where_entries_are_rare_the_next_one_takes_the_look_that_was_due():
    layer = nn.Linear(1, 1)
    replay = Replay(layer.weight.detach().clone, steps=100, count=11)
    step = {"loss": torch.zeros(())}
    fit(lambda n, x: step, STREAM, steps=100, progress=False, read_every=25, log=replay)
    assert replay.steps == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    "numbers, named", [({"steps": 0}, "steps is 0"), ({"steps": 5, "count": 1}, "count is 1")]
)
def test_impossible_numbers_are_named(numbers, named):
    with pytest.raises(ValueError, match=named):
        Replay(lambda: 0, **numbers)
