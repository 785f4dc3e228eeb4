"""F08 and F09: a training that is killed at any moment goes on to the same bits."""

import json
import os
import subprocess
import sys

import pytest
import small_runs
from small_runs import FAMILIES, KILLS

if not hasattr(os, "fork"):
    pytest.skip("this system cannot fork", allow_module_level=True)


def told(what, folder):
    """Run the script with one thread, in a process that may fork; return what it tells."""
    result = subprocess.run(
        [sys.executable, small_runs.__file__, what, str(folder)],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_f08_ten_kills_of_every_step_resume_to_the_bits_of_the_undisturbed_run(tmp_path):
    saved = told("killed", tmp_path)
    assert saved.keys() == FAMILIES.keys()
    assert all(len(steps) == KILLS for steps in saved.values())
    # early ones and late ones
    assert {step for steps in saved.values() for step in steps} >= {0, 2, 4}


def test_f09_a_kill_while_a_checkpoint_is_written_leaves_the_one_before_it(tmp_path):
    steps = told("killed_while_writing", tmp_path)
    assert len(steps) >= 10
    assert all(found in ([2], [2, 4]) for found in steps)
    assert [2] in steps
