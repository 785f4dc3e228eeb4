"""F08 and F09: a training that is killed at any moment goes on to the same bits."""

import os

import pytest
import small_runs
from scripts import told
from small_runs import FAMILIES, KILLS

if not hasattr(os, "fork"):
    pytest.skip("this system cannot fork", allow_module_level=True)


def test_f08_ten_kills_of_every_step_resume_to_the_bits_of_the_undisturbed_run(tmp_path):
    saved = told(small_runs, "killed", tmp_path)
    assert saved.keys() == FAMILIES.keys()
    assert all(len(steps) == KILLS for steps in saved.values())
    # early ones and late ones
    assert {step for steps in saved.values() for step in steps} >= {0, 2, 4}


def test_f09_a_kill_while_a_checkpoint_is_written_leaves_the_one_before_it(tmp_path):
    steps = told(small_runs, "killed_while_writing", tmp_path)
    assert len(steps) >= 10
    assert all(found in ([2], [2, 4]) for found in steps)
    assert [2] in steps
