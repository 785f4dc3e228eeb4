"""Folders of graders: those of dead ones go, and nothing else does."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from genimg_course.grading import scratch

GRADER = """
import sys, tempfile
from pathlib import Path
from genimg_course.grading.scratch import keep
folders = [Path(tempfile.mkdtemp(prefix=name)) for name in sys.argv[1:]]
locks = [keep(folder) for folder in folders]
for folder in folders:
    (folder / "package").mkdir()
    (folder / "package" / "module.py").touch()
    (folder / "package").chmod(0o555)
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a temporary folder of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def grader(place):
    """Start a grader with a folder of each kind."""
    process = subprocess.Popen(
        [sys.executable, "-c", GRADER, scratch.BOX, scratch.PACKAGE],
        env=os.environ | {"TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.communicate()


def test_folders_stay_while_their_grader_lives_and_go_when_it_was_killed(place, grader):
    scratch.remove_abandoned()
    assert len(list(place.iterdir())) == 2
    grader.kill()
    grader.wait()
    scratch.remove_abandoned()
    assert list(place.iterdir()) == []


def test_another_thread_may_let_a_folder_go(place):
    folder = Path(tempfile.mkdtemp(prefix=scratch.BOX))
    lock = scratch.keep(folder)
    scratch.remove_abandoned()
    assert folder.is_dir()
    thread = threading.Thread(target=lock.release)
    thread.start()
    thread.join()
    scratch.remove_abandoned()
    assert not folder.exists()


def test_a_folder_that_nobody_has_held_yet_stays(place):
    folder = Path(tempfile.mkdtemp(prefix=scratch.BOX))
    (folder / "lock").touch()
    scratch.remove_abandoned()
    assert folder.is_dir()


def abandoned(folder):
    """Make a folder as a killed grader leaves it."""
    folder.mkdir()
    scratch.keep(folder).release()
    (folder / "site").mkdir()
    return folder


def test_links_are_not_followed(place, tmp_path):
    elsewhere = abandoned(tmp_path / "elsewhere")
    (place / f"{scratch.BOX}link").symlink_to(elsewhere)
    box = abandoned(place / f"{scratch.BOX}a")
    (box / "site" / "torch").symlink_to(elsewhere)
    before = elsewhere.stat().st_mode
    scratch.remove_abandoned()
    assert not box.exists()
    assert (place / f"{scratch.BOX}link").is_symlink()
    assert (elsewhere / "site").is_dir() and elsewhere.stat().st_mode == before


def test_folders_of_other_users_and_names_stay(place, monkeypatch):
    other = abandoned(place / "genimg-az")
    box = abandoned(place / f"{scratch.BOX}a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: box.stat().st_uid + 1)
        scratch.remove_abandoned()
    assert box.is_dir()
    scratch.remove_abandoned()
    assert list(place.iterdir()) == [other]
