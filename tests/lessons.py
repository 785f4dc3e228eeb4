"""The lessons for the tests: where they are, and each run of one done once for all test files.

``GENIMG_EXECUTED`` names a folder to keep the executed notebooks in; a folder that goes with the
session is the default.
"""

import functools
import os
import tempfile
from pathlib import Path

import pytest

from genimg_course.runner import LessonFailed, Run, run

ROOT = Path(__file__).resolve().parent.parent
NAMES = sorted(path.stem for path in (ROOT / "solutions").glob("[0-9][0-9]_*.py"))
CELL_TIMEOUT = 300


@functools.cache
def scratch() -> Path:
    """Return the folder under which the runs are kept."""
    kept = os.environ.get("GENIMG_EXECUTED")
    if kept:
        return Path(kept)
    # held by the cache until the session ends; then it is removed
    return Path(_temporary().name)


@functools.cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="genimg-tests-")


def executed(name: str, source: str = "solutions") -> Run:
    """Run a lesson at the smoke profile, ``solutions`` strictly, and return what came out."""
    outcome = _outcome(name, source)
    if isinstance(outcome, LessonFailed):
        raise outcome
    return outcome


@functools.cache
def _outcome(name: str, source: str) -> Run | LessonFailed:
    with pytest.MonkeyPatch.context() as patch:
        if source == "solutions":
            patch.setenv("GENIMG_STRICT", "1")
        else:
            patch.delenv("GENIMG_STRICT", raising=False)
        try:
            return run(
                ROOT / source / f"{name}.ipynb",
                out=scratch() / source / name,
                parameters={"PROFILE": "smoke"},
                cell_timeout=CELL_TIMEOUT,
            )
        except LessonFailed as failure:
            return failure
