"""The tools that read the code: formatter, linter, type checker, examples in docstrings."""

import doctest
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    str(path.relative_to(ROOT))
    for folder in ("genimg_course", "solutions", "tests", "book")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "_build" not in path.parts
]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "genimg_course").rglob("*.py")
)


def tool(*arguments: str) -> str:
    """Run a tool at the root of the course, and return what it complains about."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_code_is_formatted():
    assert tool("ruff", "format", "--no-cache", "--check", "--quiet", *FILES) == ""


def test_linter_finds_nothing():
    assert tool("ruff", "check", "--no-cache", "--quiet", *FILES) == ""


@pytest.mark.timeout(300)
def test_types_are_right():
    assert tool("mypy", f"--cache-dir={os.devnull}", "genimg_course") == ""


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_right(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
