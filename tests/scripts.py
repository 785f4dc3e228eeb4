"""Scripts beside the tests, for what needs a process of its own: one that forks, kills, or dies."""

import json
import os
import subprocess
import sys

__all__ = ["environment", "told"]


def environment():
    """Return an environment in which a script finds what the tests find, and has one thread."""
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}


def told(script, what, folder):
    """Run a module as ``SCRIPT WHAT FOLDER`` and return the JSON that it prints."""
    result = subprocess.run(
        [sys.executable, script.__file__, what, str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
